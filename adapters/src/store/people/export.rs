//! Everything that is held about one person, for the person to have.

use std::collections::HashMap;

use domain::{
    EmailAddress, EventKind, Limit, Mailbox, MembershipId, OrganizationId, Position, Timestamp,
    UserId,
};
use entity::{announcement, batch, event, tally, user};
use sea_orm::prelude::{Json, Uuid};
use sea_orm::{
    ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::found::{self, Found, Purpose};
use super::{Reach, erase};
use crate::store::audit::Entry;
use crate::store::view::{DeliveryView, EventView, InvitationDetail};
use crate::store::{Actor, Result, Store, Verdict, announce, bulk, convert, members, read};

/// Everything that is held about a person.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PersonExport {
    /// The address that was asked for, in lower case.
    #[schema(example = "ann@example.com")]
    pub email: String,
    /// The person's own record; null if there is none.
    pub user: Option<PersonUser>,
    /// Places in organizations.
    pub memberships: Vec<PersonMembership>,
    /// Invitations, oldest first, with their mails, attempts and events.
    pub invitations: Vec<InvitationDetail>,
    /// Mails that went to the address before their invitations got another one.
    pub former_deliveries: Vec<DeliveryView>,
    /// Lists of those who get no mail that the address is on: organization, reason, since when.
    #[schema(value_type = Vec<Object>, example = json!([{
        "organization_id": "01937a5c-1b2a-7b1e-8a55-0c1f3a9d7e42",
        "reason": "by_hand", "created_at": "2026-11-24T09:31:02.482913Z",
    }]))]
    pub suppressions: Vec<Json>,
    /// Rows of batches, as they were sent.
    #[schema(value_type = Vec<Object>, example = json!([]))]
    pub batch_rows: Vec<Json>,
    /// What webhooks and the exchange were, or are to be, told of these invitations.
    #[schema(value_type = Vec<Object>, example = json!([]))]
    pub announcements: Vec<Json>,
    /// Answers that are kept for requests with an `Idempotency-Key`.
    #[schema(value_type = Vec<Object>, example = json!([]))]
    pub answers: Vec<Json>,
    /// Mails of templates that went to the address, or that its bearer asked for: whose, when, to whom, what.
    #[schema(value_type = Vec<Object>, example = json!([]))]
    pub test_mails: Vec<Json>,
    /// What the audit log says of the address beside its invitations, and of what was done by a token that
    /// bears it.
    pub events: Vec<EventView>,
    /// How many mails count towards limits of the mailbox.
    #[schema(value_type = Vec<Object>, example = json!([{
        "limit": "sends_per_recipient_per_day", "since": "2026-11-24T00:00:00Z", "total": 1,
    }]))]
    pub limits: Vec<Json>,
    /// Mails in the inbox of the process that answers: date, recipient, subject and text.
    #[schema(value_type = Vec<Object>, example = json!([]))]
    pub captured_mails: Vec<Json>,
}

/// A person's own record.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PersonUser {
    /// Names the person, across organizations.
    #[schema(value_type = Uuid, example = "01937a5c-1b2a-7b20-9c11-4d8e6b0a2f37")]
    pub id: UserId,
    /// The address as it was given first.
    #[schema(example = "ann@example.com")]
    pub email: String,
    /// What comes before the `@`, made different from all others.
    #[schema(example = "ann")]
    pub username: Option<String>,
    /// The first name.
    #[schema(example = "Ann")]
    pub first_name: Option<String>,
    /// The last name.
    #[schema(example = "Lee")]
    pub last_name: Option<String>,
    /// Whether they have chosen a password; only its hash is kept.
    #[schema(example = true)]
    pub has_password: bool,
    /// When the person was first invited.
    #[schema(value_type = DateTime<Utc>, example = "2026-11-24T09:30:00.113402Z")]
    pub created_at: Timestamp,
}

/// A person's place in an organization.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PersonMembership {
    /// Names the place.
    #[schema(value_type = Uuid, example = "01937a5c-8f5e-7c4f-8b7d-2f1d6a9e0c53")]
    pub id: MembershipId,
    /// The organization.
    #[schema(value_type = Uuid, example = "01937a5c-1b2a-7b1e-8a55-0c1f3a9d7e42")]
    pub organization_id: OrganizationId,
    /// What the person is there.
    #[schema(example = "editor")]
    pub role: String,
    /// `invited`, `active` or `removed`.
    #[schema(example = "active")]
    pub status: String,
    /// What the inviter said beside the role.
    #[serde(flatten)]
    pub position: Position,
    /// When the person was first invited.
    #[schema(value_type = DateTime<Utc>, example = "2026-11-24T09:31:10.557201Z")]
    pub created_at: Timestamp,
}

impl Store {
    /// Gathers everything that is held about whoever has that address, and notes that it was.
    pub async fn export_person(
        &self,
        reach: Reach,
        actor: Actor,
        email: &EmailAddress,
    ) -> Result<PersonExport> {
        let email = email.clone();
        // It writes the note only, but that is part of it: nobody exports unseen.
        self.write(move |tx, now| {
            Box::pin(async move {
                let found = found::find(tx, reach, &email, Purpose::Export).await?;
                let export = export(tx, reach, &email, &found).await?;
                let entry = |id: Uuid| {
                    let kind = EventKind::PersonExported;
                    Entry::of_organization(now, id, kind, actor.written(), json!({}))
                };
                let entries = erase::touched(reach, &found).into_iter().map(entry).collect();
                announce::record(tx, now, entries).await?;
                Ok(Verdict::Commit(export))
            })
        })
        .await
    }
}

async fn export(
    tx: &DatabaseTransaction,
    reach: Reach,
    email: &EmailAddress,
    found: &Found,
) -> Result<PersonExport> {
    let mut invitations = Vec::with_capacity(found.invitations.len());
    for row in &found.invitations {
        invitations.push(read::detail(tx, row.clone()).await?);
    }
    let suppressions = found.suppressions.iter().map(|row| {
        json!({
            "organization_id": row.organization_id, "reason": row.reason, "created_at": row.created_at,
        })
    });
    let answers = found.answers.iter().map(|row| {
        json!({ "key": row.key, "route": row.route, "body": parsed(&row.body), "created_at": row.created_at })
    });
    let test_mails = found.test_mails.iter().map(|row| {
        json!({
            "organization_id": row.organization_id, "created_at": row.created_at, "to": row.email,
            "actor": row.actor, "status": row.status, "subject": row.subject,
        })
    });
    Ok(PersonExport {
        email: email.normalized(),
        user: found.user.clone().map(PersonUser::new),
        memberships: found.memberships.iter().map(PersonMembership::new).collect::<Result<_>>()?,
        invitations,
        former_deliveries: views(found)?,
        suppressions: suppressions.collect(),
        batch_rows: batch_rows(tx, found).await?,
        announcements: announcements(tx, found).await?,
        answers: answers.collect(),
        test_mails: test_mails.collect(),
        events: found.deeds.iter().chain(&found.remarks).cloned().map(Into::into).collect(),
        limits: limits(tx, reach, email, found).await?,
        captured_mails: Vec::new(),
    })
}

fn views(found: &Found) -> Result<Vec<DeliveryView>> {
    found.former.iter().cloned().map(DeliveryView::new).collect()
}

fn parsed(text: &str) -> Json {
    serde_json::from_str(text).unwrap_or_else(|_| text.into())
}

async fn batch_rows(tx: &DatabaseTransaction, found: &Found) -> Result<Vec<Json>> {
    let ids = found.batch_rows.iter().map(|row| row.batch_id).collect();
    let names: HashMap<Uuid, Option<String>> = batch::Entity::find()
        .select_only()
        .columns([batch::Column::Id, batch::Column::Name])
        .filter(bulk::is_any(tx, batch::Column::Id, ids))
        .into_tuple::<(Uuid, Option<String>)>()
        .all(tx)
        .await?
        .into_iter()
        .collect();
    let told = found.batch_rows.iter().map(|row| {
        json!({
            "batch_id": row.batch_id,
            "batch": names.get(&row.batch_id),
            "number": row.number,
            "email": row.email,
            "wanted": row.wanted.as_deref().map(parsed),
            "status": row.status,
            "code": row.code,
            "detail": row.detail,
            "invitation_id": row.invitation_id,
        })
    });
    Ok(told.collect())
}

async fn announcements(tx: &DatabaseTransaction, found: &Found) -> Result<Vec<Json>> {
    let own = found.invitations.iter().map(|row| row.id);
    let invitations = own.chain(found.former.iter().map(|row| row.invitation_id)).collect();
    let events: Vec<Uuid> = event::Entity::find()
        .select_only()
        .column(event::Column::Id)
        .filter(bulk::is_any(tx, event::Column::InvitationId, invitations))
        .into_tuple()
        .all(tx)
        .await?;
    let rows = announcement::Entity::find()
        .filter(bulk::is_any(tx, announcement::Column::EventId, events))
        .order_by_asc(announcement::Column::EventId)
        .all(tx)
        .await?;
    let told = rows.into_iter().filter(|row| found.person.is_named_in(&row.data));
    let told = told.map(
        |row| json!({ "type": row.event_type, "at": row.created_at, "data": parsed(&row.data) }),
    );
    Ok(told.collect())
}

/// Mailboxes are counted by their hash.
async fn limits(
    tx: &DatabaseTransaction,
    reach: Reach,
    email: &EmailAddress,
    found: &Found,
) -> Result<Vec<Json>> {
    let mailbox = Mailbox::of(email).as_bytes().to_vec();
    let mut subjects: Vec<Vec<u8>> =
        found.organizations.iter().map(|id| [&id.as_bytes()[..], &mailbox].concat()).collect();
    let mut kinds = vec![Limit::SendsPerRecipientPerDay];
    // How many organizations write to somebody is nobody's business but an operator's.
    if reach == Reach::Instance {
        subjects.push(mailbox);
        kinds.push(Limit::OrganizationsPerRecipientPerDay);
        kinds.push(Limit::OrganizationsPerRecipientPerWeek);
    }
    let rows = tally::Entity::find()
        .filter(tally::Column::Kind.is_in(kinds.iter().map(|kind| kind.as_str())))
        .filter(bulk::is_any(tx, tally::Column::Subject, subjects))
        .all(tx)
        .await?;
    let told = |row: tally::Model| json!({ "limit": row.kind, "since": row.window_start, "total": row.total });
    Ok(rows.into_iter().map(told).collect())
}

impl PersonUser {
    fn new(row: user::Model) -> Self {
        Self {
            id: UserId::from_uuid(row.id),
            email: row.email,
            username: row.username,
            first_name: row.first_name,
            last_name: row.last_name,
            has_password: row.password_hash.is_some(),
            created_at: row.created_at,
        }
    }
}

impl PersonMembership {
    fn new(row: &entity::membership::Model) -> Result<Self> {
        if domain::MembershipStatus::parse(&row.status).is_none() {
            return Err(convert::inconsistent("membership", "status"));
        }
        Ok(Self {
            id: MembershipId::from_uuid(row.id),
            organization_id: OrganizationId::from_uuid(row.organization_id),
            role: row.role.clone(),
            status: row.status.clone(),
            position: members::position(row)?,
            created_at: row.created_at,
        })
    }
}
