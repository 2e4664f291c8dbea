//! What happened to an organization's invitations and mails in the last minutes, and what waits.

use chrono::TimeDelta;
use domain::{DeliveryStatus, EventId, EventKind, InvitationId, OrganizationId, Timestamp, Window};
use entity::{delivery, event, invitation};
use sea_orm::prelude::{Expr, Uuid};
use sea_orm::sea_query::JoinType;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    RelationTrait,
};

use super::{InvitationView, Result, Store, read};
use crate::rng;

/// The newest entries of the audit log, of all organizations, among which is counted.
const LOOKED_AT: u64 = 200_000;
/// More open mails than this are counted as this.
const MOST: usize = 20_000;
/// More than somebody reads at a glance.
const TROUBLED: usize = 15;

/// What happens to invitations and mails, as far as it is counted.
const COUNTED: [EventKind; 8] = [
    EventKind::InvitationCreated,
    EventKind::InvitationResent,
    EventKind::AddressChanged,
    EventKind::DeliverySent,
    EventKind::ReminderSent,
    EventKind::DeliveryFailed,
    EventKind::DeliveryBounced,
    EventKind::DeliveryComplained,
];

const OPEN: [DeliveryStatus; 5] = [
    DeliveryStatus::Queued,
    DeliveryStatus::Scheduled,
    DeliveryStatus::Sending,
    DeliveryStatus::Retrying,
    DeliveryStatus::Uncertain,
];
const TROUBLE: [DeliveryStatus; 5] = [
    DeliveryStatus::Failed,
    DeliveryStatus::Bounced,
    DeliveryStatus::Complained,
    DeliveryStatus::Retrying,
    DeliveryStatus::Uncertain,
];

/// Some minutes until now.
#[derive(Debug, Clone)]
pub struct Activity {
    /// One for each minute, oldest first, the empty ones too.
    pub minutes: Vec<Minute>,
    /// Since when it is counted, if so much happened that the oldest is left out.
    pub cut: Option<Timestamp>,
    /// How many of the invitations that were made in this time have a mail that is still to be sent.
    pub waiting: u64,
    /// Whether there are more than that.
    pub more_waiting: bool,
    /// The newest of them whose mail is in trouble.
    pub troubled: Vec<InvitationView>,
}

/// What happened in one minute, whenever the invitation was made that it happened to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Minute {
    /// When it began.
    pub start: Timestamp,
    /// Invitations that were made.
    pub made: u64,
    /// Mails that the SMTP server took.
    pub sent: u64,
    /// Mails that were given up, were not to be sent, came back or were complained about.
    pub failed: u64,
}

impl Store {
    /// What happened in the last `minutes`, this one among them.
    pub async fn activity(&self, organization: OrganizationId, minutes: u32) -> Result<Activity> {
        self.read(move |db, now| {
            Box::pin(async move {
                let first = Window::Minute.start(now)
                    - TimeDelta::minutes(i64::from(minutes.saturating_sub(1)));
                // Ids begin with the time at which they were made: no index of times is needed.
                let event = EventId::new(first, &mut rng()).uuid();
                let oldest = InvitationId::new(first, &mut rng()).uuid();
                let cut = cut(db, event).await?;
                let counted = counted(db, organization, cut.unwrap_or(event)).await?;
                let rows = open_or_troubled(db, organization, oldest).await?;
                let is = |status: &str, some: &[DeliveryStatus]| {
                    some.iter().any(|one| one.as_str() == status)
                };
                let waiting = rows.iter().filter(|(_, status)| is(status, &OPEN)).count();
                let troubled = rows.iter().filter(|(_, status)| is(status, &TROUBLE));
                let troubled: Vec<Uuid> = troubled.map(|(id, _)| *id).take(TROUBLED).collect();
                let mut views = read::views(db, troubled.clone()).await?;
                Ok(Activity {
                    minutes: by_minute(first, minutes, &counted),
                    cut: cut.and_then(made_at),
                    waiting: waiting as u64,
                    more_waiting: rows.len() == MOST,
                    troubled: troubled.iter().filter_map(|id| views.remove(id)).collect(),
                })
            })
        })
        .await
    }
}

/// The oldest entry that is looked at, if there are too many since `first`.
async fn cut(db: &impl ConnectionTrait, first: Uuid) -> Result<Option<Uuid>> {
    Ok(event::Entity::find()
        .select_only()
        .column(event::Column::Id)
        .filter(event::Column::Id.gte(first))
        .order_by_desc(event::Column::Id)
        .offset(LOOKED_AT)
        .limit(1)
        .into_tuple()
        .one(db)
        .await?)
}

fn made_at(id: Uuid) -> Option<Timestamp> {
    let (seconds, nanos) = id.get_timestamp()?.to_unix();
    Timestamp::from_timestamp(i64::try_from(seconds).ok()?, nanos)
}

/// When in a minute first, what, whether its mail was not to be sent, and how often.
type Counted = (Timestamp, String, bool, i64);

async fn counted(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    from: Uuid,
) -> Result<Vec<Counted>> {
    let minute = match db.get_database_backend() {
        DbBackend::Sqlite => "substr(created_at, 1, 16)",
        _ => "date_trunc('minute', created_at)",
    };
    let suppressed = || Expr::cust("data -> 'suppressed' IS NOT NULL");
    Ok(event::Entity::find()
        .select_only()
        .column_as(event::Column::CreatedAt.min(), "first")
        .column(event::Column::Kind)
        .column_as(suppressed(), "suppressed")
        .column_as(event::Column::Id.count(), "total")
        .filter(event::Column::Id.gte(from))
        .filter(event::Column::OrganizationId.eq(organization.uuid()))
        .filter(event::Column::Kind.is_in(COUNTED.map(EventKind::as_str)))
        .group_by(Expr::cust(minute))
        .group_by(event::Column::Kind)
        .group_by(suppressed())
        .into_tuple()
        .all(db)
        .await?)
}

/// The invitations since `oldest` whose newest mail is still to be sent, or is in trouble; newest first.
async fn open_or_troubled(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    oldest: Uuid,
) -> Result<Vec<(Uuid, String)>> {
    let statuses = OPEN.iter().chain(&TROUBLE).map(|status| status.as_str());
    Ok(delivery::Entity::find()
        .select_only()
        .column(invitation::Column::Id)
        .column(delivery::Column::Status)
        .join(JoinType::InnerJoin, delivery::Relation::Invitation.def())
        .filter(read::is_current_delivery())
        .filter(invitation::Column::OrganizationId.eq(organization.uuid()))
        .filter(invitation::Column::Id.gte(oldest))
        .filter(delivery::Column::Status.is_in(statuses))
        .order_by_desc(invitation::Column::Id)
        .limit(MOST as u64)
        .into_tuple()
        .all(db)
        .await?)
}

fn by_minute(first: Timestamp, minutes: u32, counted: &[Counted]) -> Vec<Minute> {
    let minute = |at: u32| Minute {
        start: first + TimeDelta::minutes(i64::from(at)),
        made: 0,
        sent: 0,
        failed: 0,
    };
    let mut minutes: Vec<Minute> = (0..minutes).map(minute).collect();
    for (at, kind, suppressed, count) in counted {
        let at = usize::try_from((*at - first).num_minutes()).ok();
        let Some(minute) = at.and_then(|at| minutes.get_mut(at)) else { continue };
        let is = |kinds: &[EventKind]| kinds.iter().any(|one| one.as_str() == kind);
        let count = u64::try_from(*count).unwrap_or_default();
        if is(&[EventKind::InvitationCreated]) {
            minute.made += count;
        }
        if is(&[EventKind::DeliverySent, EventKind::ReminderSent]) {
            minute.sent += count;
        }
        let failed =
            [EventKind::DeliveryFailed, EventKind::DeliveryBounced, EventKind::DeliveryComplained];
        if *suppressed || is(&failed) {
            minute.failed += count;
        }
    }
    minutes
}
