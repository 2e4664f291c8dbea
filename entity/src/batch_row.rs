//! One invitation of a batch, as it was asked for, and what became of it.

use sea_orm::entity::prelude::*;

/// A row of `batch_row`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "batch_row")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub batch_id: Uuid,
    pub number: i32,
    pub line: i32,
    pub email: String,
    pub wanted: Option<String>,
    pub status: String,
    pub code: Option<String>,
    pub detail: Option<String>,
    pub invitation_id: Option<Uuid>,
    pub updated_at: DateTimeUtc,
}

/// No relation is declared: queries name the columns they join.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
