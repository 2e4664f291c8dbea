//! What became of an organization's newest invitations, minute by minute.

use chrono::TimeDelta;
use domain::{DeliveryStatus, InvitationId, OrganizationId, Timestamp, Window};
use entity::{delivery, invitation};
use sea_orm::prelude::Uuid;
use sea_orm::sea_query::JoinType;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, RelationTrait};

use super::{InvitationView, Result, Store, convert, read};
use crate::rng;

/// Enough for a chart; what a batch of a hundred thousand did shows in those, too.
const MOST: u64 = 20_000;
/// More than somebody reads at a glance.
const TROUBLED: usize = 15;

/// The invitations of some minutes until now.
#[derive(Debug, Clone)]
pub struct Activity {
    /// One for each minute, oldest first, the empty ones too.
    pub minutes: Vec<Minute>,
    /// Whether there were more invitations than are counted: then the oldest are missing.
    pub cut: bool,
    /// The newest of them whose mail is in trouble.
    pub troubled: Vec<InvitationView>,
}

/// What became of the invitations that were made in one minute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Minute {
    /// When it began.
    pub start: Timestamp,
    /// Those whose newest mail the SMTP server has taken.
    pub sent: u64,
    /// Those whose newest mail is still to be sent.
    pub waiting: u64,
    /// Those whose newest mail was given up, is not to be sent, came back or was complained about.
    pub in_vain: u64,
}

impl Store {
    /// What became of the invitations of the last `minutes`, this one among them.
    pub async fn activity(&self, organization: OrganizationId, minutes: u32) -> Result<Activity> {
        self.read(move |db, now| {
            Box::pin(async move {
                let first = Window::Minute.start(now)
                    - TimeDelta::minutes(i64::from(minutes.saturating_sub(1)));
                // Ids begin with the time at which they were made.
                let oldest = InvitationId::new(first, &mut rng());
                let rows: Vec<(Uuid, String, Timestamp)> = delivery::Entity::find()
                    .select_only()
                    .column(invitation::Column::Id)
                    .column(delivery::Column::Status)
                    .column(invitation::Column::CreatedAt)
                    .join(JoinType::InnerJoin, delivery::Relation::Invitation.def())
                    .filter(read::is_current_delivery())
                    .filter(invitation::Column::OrganizationId.eq(organization.uuid()))
                    .filter(invitation::Column::Id.gte(oldest.uuid()))
                    .order_by_desc(invitation::Column::Id)
                    .limit(MOST)
                    .into_tuple()
                    .all(db)
                    .await?;
                let mut activity = count(first, minutes, &rows)?;
                let troubled = rows.iter().filter(|(_, status, _)| is_trouble(status));
                let troubled: Vec<Uuid> = troubled.map(|(id, ..)| *id).take(TROUBLED).collect();
                let mut views = read::views(db, troubled.clone()).await?;
                activity.troubled = troubled.iter().filter_map(|id| views.remove(id)).collect();
                Ok(activity)
            })
        })
        .await
    }
}

fn is_trouble(status: &str) -> bool {
    let trouble = [
        DeliveryStatus::Failed,
        DeliveryStatus::Bounced,
        DeliveryStatus::Complained,
        DeliveryStatus::Retrying,
        DeliveryStatus::Uncertain,
    ];
    trouble.iter().any(|one| one.as_str() == status)
}

fn count(first: Timestamp, minutes: u32, rows: &[(Uuid, String, Timestamp)]) -> Result<Activity> {
    let minute = |at: u32| Minute {
        start: first + TimeDelta::minutes(i64::from(at)),
        sent: 0,
        waiting: 0,
        in_vain: 0,
    };
    let mut minutes: Vec<Minute> = (0..minutes).map(minute).collect();
    for (_, status, made) in rows {
        let at = usize::try_from((*made - first).num_minutes()).ok();
        let Some(minute) = at.and_then(|at| minutes.get_mut(at)) else { continue };
        match convert::delivery_status(status)? {
            DeliveryStatus::Sent | DeliveryStatus::Delivered => minute.sent += 1,
            DeliveryStatus::Failed
            | DeliveryStatus::Cancelled
            | DeliveryStatus::Suppressed
            | DeliveryStatus::Bounced
            | DeliveryStatus::Complained => minute.in_vain += 1,
            DeliveryStatus::Queued
            | DeliveryStatus::Scheduled
            | DeliveryStatus::Sending
            | DeliveryStatus::Retrying
            | DeliveryStatus::Uncertain => minute.waiting += 1,
        }
    }
    Ok(Activity { minutes, cut: rows.len() as u64 == MOST, troubled: Vec::new() })
}
