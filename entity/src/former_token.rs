//! A link token that is still good although another mail has brought a newer one.

use sea_orm::entity::prelude::*;

/// A row of `former_token`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "former_token")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub token_hash: Vec<u8>,
    pub invitation_id: Uuid,
    pub created_at: DateTimeUtc,
    /// `None`: for as long as the invitation is open, beside a reminder.
    pub valid_until: Option<DateTimeUtc>,
    /// The temporary password of the same mail, if that is still good as well.
    pub password_hash: Option<Vec<u8>>,
    /// Not after `valid_until`; set if there is a password.
    pub password_expires_at: Option<DateTimeUtc>,
}

/// No relation is declared: queries name the columns they join.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
