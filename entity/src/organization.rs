//! An organization of the product that invites.

use sea_orm::entity::prelude::*;

/// A row of `organization`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "organization")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub number: i64,
    #[sea_orm(unique)]
    pub id: Uuid,
    pub name: String,
    #[sea_orm(unique)]
    pub slug: String,
    pub default_role: String,
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub roles: Option<Json>,
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub policy: Option<Json>,
    pub trusted: bool,
    pub sending_paused_at: Option<DateTimeUtc>,
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub templates: Option<Json>,
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub branding: Option<Json>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

/// No relation is declared: queries name the columns they join.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
