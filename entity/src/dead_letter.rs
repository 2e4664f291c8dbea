//! A broker message that nobody could process.

use sea_orm::entity::prelude::*;

/// A row of `dead_letter`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "dead_letter")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub delivery_id: Option<Uuid>,
    pub raw: Vec<u8>,
    pub reason: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub headers: Json,
    pub received_at: DateTimeUtc,
    pub redriven_at: Option<DateTimeUtc>,
}

/// No relation is declared: queries name the columns they join.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
