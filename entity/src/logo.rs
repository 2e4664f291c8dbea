//! The picture of an organization, as pages show it; what it is stands in `organization.branding`, too.

use sea_orm::entity::prelude::*;

/// A row of `logo`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "logo")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    pub hash: String,
    pub kind: String,
    pub bytes: Vec<u8>,
    pub created_at: DateTimeUtc,
}

/// No relation is declared: queries name the columns they join.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
