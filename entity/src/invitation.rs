//! An offer to one address to join one organization.

use sea_orm::entity::prelude::*;

/// A row of `invitation`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "invitation")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub organization_id: Uuid,
    pub membership_id: Uuid,
    pub user_id: Uuid,
    pub inviter_id: Option<Uuid>,
    pub email: String,
    pub email_normalized: String,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub role: String,
    pub locale: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub metadata: Json,
    pub credential: String,
    pub status: String,
    pub generation: i32,
    pub secret_generation: i32,
    pub token_hash: Option<Vec<u8>>,
    pub password_hash: Option<Vec<u8>>,
    pub password_expires_at: Option<DateTimeUtc>,
    pub wrong_passwords: i32,
    pub sealed: Option<Vec<u8>>,
    pub email_sent: bool,
    pub email_sent_at: Option<DateTimeUtc>,
    /// How many days of the policy's list are done since then.
    pub reminded: i32,
    pub remind_after: Option<DateTimeUtc>,
    pub expires_at: DateTimeUtc,
    pub closed_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    /// Since when it tells nothing of its invitee.
    pub anonymized_at: Option<DateTimeUtc>,
    /// Since when its history is gone.
    pub pruned_at: Option<DateTimeUtc>,
}

/// What is read together with it; other queries name the columns they join.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::user::Entity",
        from = "Column::InviterId",
        to = "super::user::Column::Id"
    )]
    Inviter,
}

impl Related<super::user::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Inviter.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
