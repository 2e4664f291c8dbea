//! A mail that somebody asked for to see what a template makes.

use sea_orm::entity::prelude::*;

/// A row of `test_mail`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "test_mail")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub organization_id: Uuid,
    pub actor: String,
    pub email: String,
    pub subject: String,
    pub html: String,
    pub text: String,
    pub message_id: String,
    pub status: String,
    pub attempt_token: Option<Uuid>,
    pub lease_until: Option<DateTimeUtc>,
    pub detail: Option<String>,
    pub created_at: DateTimeUtc,
    pub ended_at: Option<DateTimeUtc>,
}

/// No relation is declared: queries name the columns they join.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
