//! An address that an organization must not be allowed to write to again.

use sea_orm::entity::prelude::*;

/// A row of `suppression`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "suppression")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub email_normalized: String,
    #[sea_orm(unique)]
    pub id: Uuid,
    pub reason: String,
    pub created_at: DateTimeUtc,
}

/// No relation is declared: queries name the columns they join.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
