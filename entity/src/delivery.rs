//! The sending of one mail for one generation of an invitation.

use sea_orm::entity::prelude::*;

/// A row of `delivery`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "delivery")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub organization_id: Uuid,
    pub invitation_id: Uuid,
    pub generation: i32,
    pub kind: String,
    /// The address that it went to, if its invitation has another one now.
    pub recipient: Option<String>,
    pub send_at: Option<DateTimeUtc>,
    pub status: String,
    pub attempts: i32,
    pub attempt_token: Option<Uuid>,
    pub lease_until: Option<DateTimeUtc>,
    pub next_attempt_at: Option<DateTimeUtc>,
    pub give_up_at: DateTimeUtc,
    pub reason: Option<String>,
    pub detail: Option<String>,
    #[sea_orm(unique)]
    pub message_id: String,
    pub template: Option<String>,
    pub repeated: i32,
    pub postponed: bool,
    pub settled_at: Option<DateTimeUtc>,
    pub feedback_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

/// What is read together with it; other queries name the columns they join.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::invitation::Entity",
        from = "Column::InvitationId",
        to = "super::invitation::Column::Id"
    )]
    Invitation,
    #[sea_orm(
        belongs_to = "super::organization::Entity",
        from = "Column::OrganizationId",
        to = "super::organization::Column::Id"
    )]
    Organization,
}

impl Related<super::invitation::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Invitation.def()
    }
}

impl Related<super::organization::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Organization.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
