//! Broker messages that nobody could process: kept, shown, and sent on their way again on demand.

use domain::job::JobV1;
use domain::{DeadLetterId, DeliveryId, Job, OrganizationId, Timestamp};
use entity::{dead_letter, delivery, outbox as outbox_row, test_mail, webhook_delivery};
use sea_orm::sea_query::{Query, SelectStatement};
use sea_orm::{
    ColumnTrait, DatabaseTransaction, EntityTrait, ExprTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect, Set,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Result, Store, Verdict, convert, outbox};
use crate::rng;

/// A dead letter, as operators see it. The message holds ids only.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = DeadLetter)]
pub struct DeadLetterView {
    /// Names the dead letter.
    #[schema(value_type = Uuid, example = "01937a61-77ab-7d15-a3f0-1c5e9b7d2046")]
    pub id: DeadLetterId,
    /// What the message asks for: the delivery of a mail or to a webhook, or a test mail.
    #[schema(value_type = Option<Uuid>, example = "01937a5c-8f5e-7c53-8e41-2b9f0d7c6a90")]
    pub delivery_id: Option<DeliveryId>,
    /// The message as it came.
    #[schema(
        example = "{\"kind\":\"email\",\"version\":1,\"id\":\"01937a5c-8f5e-7c53-8e41-2b9f0d7c6a90\",\"generation\":1}"
    )]
    pub message: String,
    /// Why nobody could process it.
    #[schema(example = "delivery_limit")]
    pub reason: String,
    /// What the broker says about its way.
    #[schema(value_type = BTreeMap<String, Value>, example = json!({ "x-first-death-reason": "delivery_limit" }))]
    pub headers: serde_json::Value,
    /// When it was kept.
    #[schema(value_type = DateTime<Utc>, example = "2026-11-24T09:35:42.990015Z")]
    pub received_at: Timestamp,
    /// When it was last sent on its way again; null if never.
    #[schema(value_type = Option<DateTime<Utc>>, example = json!(null))]
    pub redriven_at: Option<Timestamp>,
}

impl Store {
    /// Keeps a message that nobody could process.
    pub async fn keep_dead_letter(
        &self,
        raw: &[u8],
        reason: &str,
        headers: serde_json::Value,
        delivery: Option<DeliveryId>,
    ) -> Result<()> {
        let (raw, reason) = (raw.to_vec(), reason.to_owned());
        self.write(move |tx, now| {
            Box::pin(async move {
                let row = dead_letter::ActiveModel {
                    id: Set(DeadLetterId::new(now, &mut rng()).uuid()),
                    delivery_id: Set(delivery.map(domain::DeliveryId::uuid)),
                    raw: Set(raw),
                    reason: Set(reason),
                    headers: Set(headers),
                    received_at: Set(now),
                    redriven_at: Set(None),
                };
                dead_letter::Entity::insert(row).exec_without_returning(tx).await?;
                Ok(Verdict::Commit(()))
            })
        })
        .await
    }

    /// The newest dead letters of an organization's deliveries. What names none of them (a message
    /// that is no job at all) concerns the operator, who sees all: without an organization.
    pub async fn dead_letters(
        &self,
        organization: Option<OrganizationId>,
        limit: u64,
    ) -> Result<Vec<DeadLetterView>> {
        self.read(move |db, _| {
            Box::pin(async move {
                let rows = visible(dead_letter::Entity::find(), organization)
                    .order_by_desc(dead_letter::Column::Id)
                    .limit(limit)
                    .all(db)
                    .await?;
                Ok(rows.into_iter().map(DeadLetterView::from).collect())
            })
        })
        .await
    }

    /// Deletes a dead letter; `false` if the organization has no such letter.
    pub async fn discard_dead_letter(
        &self,
        organization: Option<OrganizationId>,
        id: DeadLetterId,
    ) -> Result<bool> {
        self.write(move |tx, _| {
            Box::pin(async move {
                let found = visible(dead_letter::Entity::find_by_id(id.uuid()), organization);
                let Some(row) = found.one(tx).await? else { return Ok(Verdict::RollBack(false)) };
                dead_letter::Entity::delete_by_id(row.id).exec(tx).await?;
                Ok(Verdict::Commit(true))
            })
        })
        .await
    }

    /// Plans the job of a dead letter once more; `false` if the organization has no such letter, or
    /// it is no job that this program knows. Every guard of the normal way applies again.
    pub async fn redrive(
        &self,
        organization: Option<OrganizationId>,
        id: DeadLetterId,
    ) -> Result<bool> {
        let redriven = self
            .write(move |tx, now| {
                Box::pin(async move {
                    let found = dead_letter::Entity::find_by_id(id.uuid()).one(tx).await?;
                    let job = found.as_ref().and_then(|row| Job::decode(&row.raw).ok());
                    let Some(Job::V1(job)) = job else { return Ok(Verdict::RollBack(false)) };
                    let Some(job) = current(tx, organization, job).await? else {
                        return Ok(Verdict::RollBack(false));
                    };
                    let row = outbox::job_row(now, job, now);
                    outbox_row::Entity::insert(row.into_active_model())
                        .exec_without_returning(tx)
                        .await?;
                    dead_letter::Entity::update_many()
                        .set(dead_letter::ActiveModel {
                            redriven_at: Set(Some(now)),
                            ..Default::default()
                        })
                        .filter(dead_letter::Column::Id.eq(id.uuid()))
                        .exec(tx)
                        .await?;
                    Ok(Verdict::Commit(true))
                })
            })
            .await?;
        if redriven {
            self.outlet.wake();
        }
        Ok(redriven)
    }
}

/// The job for the current generation of what it is about; `None` if the organization has no such
/// thing.
async fn current(
    tx: &DatabaseTransaction,
    organization: Option<OrganizationId>,
    job: JobV1,
) -> Result<Option<JobV1>> {
    let (owner, generation) = match job {
        JobV1::Email { delivery, .. } => {
            let row = delivery::Entity::find_by_id(delivery.uuid()).one(tx).await?;
            let Some(row) = row else { return Ok(None) };
            (row.organization_id, row.generation)
        }
        JobV1::Webhook { delivery, .. } => {
            let row = webhook_delivery::Entity::find_by_id(delivery.uuid()).one(tx).await?;
            let Some(row) = row else { return Ok(None) };
            (row.organization_id, row.generation)
        }
        JobV1::TestMail { mail } => {
            let row = test_mail::Entity::find_by_id(mail.uuid()).one(tx).await?;
            let Some(row) = row else { return Ok(None) };
            (row.organization_id, convert::column(job.generation()))
        }
    };
    if organization.is_some_and(|own| own.uuid() != owner) {
        return Ok(None);
    }
    Ok(JobV1::of(job.kind(), job.subject(), convert::count(generation)))
}

fn visible(
    query: sea_orm::Select<dead_letter::Entity>,
    organization: Option<OrganizationId>,
) -> sea_orm::Select<dead_letter::Entity> {
    match organization {
        None => query,
        Some(own) => {
            let subject = dead_letter::Column::DeliveryId;
            let mail = subject.in_subquery(deliveries_of(own));
            let webhook = subject.in_subquery(webhook_deliveries_of(own));
            query.filter(mail.or(webhook).or(subject.in_subquery(test_mails_of(own))))
        }
    }
}

fn deliveries_of(organization: OrganizationId) -> SelectStatement {
    Query::select()
        .column(delivery::Column::Id)
        .from(delivery::Entity)
        .and_where(delivery::Column::OrganizationId.eq(organization.uuid()))
        .to_owned()
}

fn webhook_deliveries_of(organization: OrganizationId) -> SelectStatement {
    Query::select()
        .column(webhook_delivery::Column::Id)
        .from(webhook_delivery::Entity)
        .and_where(webhook_delivery::Column::OrganizationId.eq(organization.uuid()))
        .to_owned()
}

fn test_mails_of(organization: OrganizationId) -> SelectStatement {
    Query::select()
        .column(test_mail::Column::Id)
        .from(test_mail::Entity)
        .and_where(test_mail::Column::OrganizationId.eq(organization.uuid()))
        .to_owned()
}

impl From<dead_letter::Model> for DeadLetterView {
    fn from(row: dead_letter::Model) -> Self {
        Self {
            id: DeadLetterId::from_uuid(row.id),
            delivery_id: row.delivery_id.map(DeliveryId::from_uuid),
            message: String::from_utf8_lossy(&row.raw).into_owned(),
            reason: row.reason,
            headers: row.headers,
            received_at: row.received_at,
            redriven_at: row.redriven_at,
        }
    }
}
