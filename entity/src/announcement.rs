//! An event as others are told of it, word for word.

use sea_orm::entity::prelude::*;

/// A row of `announcement`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "announcement")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub event_id: Uuid,
    pub organization_id: Uuid,
    pub invitation_id: Option<Uuid>,
    pub event_type: String,
    pub data: String,
    pub to_exchange: bool,
    pub lock_token: Option<Uuid>,
    pub locked_until: Option<DateTimeUtc>,
    pub published_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
}

/// No relation is declared: queries name the columns they join.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
