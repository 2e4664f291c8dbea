//! Mails that show what a template makes: asked for here, sent by a worker, looked at by whoever asked.
//!
//! They are no deliveries: there is no invitation behind them, no secret in them and no second attempt.
//! What one says was made when it was asked for, so that a draft need not be saved.

mod work;

use std::sync::Arc;

use domain::job::JobV1;
use domain::{
    EmailAddress, EventKind, OrganizationId, SendRefusal, SuppressionReason, TestMailId,
    TestMailStatus, Timestamp,
};
use entity::{outbox as outbox_row, suppression, test_mail};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter};
use serde::Serialize;
use utoipa::ToSchema;

use super::audit::Entry;
use super::{Actor, Result, Store, Verdict, announce, convert, limit, outbox};
use crate::rng;
use crate::templates::MailContent;

pub use work::ClaimedTestMail;

/// A mail that is to be sent to somebody who wants to see it.
pub struct NewTestMail {
    /// Who gets it.
    pub to: EmailAddress,
    /// What it says.
    pub content: MailContent,
    /// Of which language's template it is, for the audit log.
    pub locale: String,
    /// Of which saved version, for the audit log; none for a draft or the mail that everybody has.
    pub version: Option<u32>,
}

/// What came of asking for one.
#[derive(Debug)]
pub enum TestMailOutcome {
    /// It is on its way.
    Queued(TestMailView),
    /// The address gets no mail of the organization, for this reason.
    Suppressed(SuppressionReason),
    /// It must not be sent, or not now.
    Refused(SendRefusal),
}

/// A mail that shows what a template makes, and how it stands.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = TestMail)]
pub struct TestMailView {
    /// Names it.
    #[schema(value_type = Uuid, example = "01937a90-2b3c-7d4e-8f50-6a7b8c9d0e1f")]
    pub id: TestMailId,
    /// How it stands.
    pub status: TestMailStatus,
    /// Who gets it.
    #[schema(example = "ada@example.com")]
    pub to: String,
    /// Its subject.
    #[schema(example = "Acme invites you")]
    pub subject: String,
    /// Why it is not sent, in the words of the mail server or ours; null if it is.
    #[schema(example = json!(null))]
    pub detail: Option<String>,
    /// When it was asked for.
    #[schema(value_type = DateTime<Utc>, example = "2026-11-24T09:31:10.557201Z")]
    pub created_at: Timestamp,
    /// When it was sent or given up; null until then.
    #[schema(value_type = Option<DateTime<Utc>>, example = "2026-11-24T09:31:10.790114Z")]
    pub ended_at: Option<Timestamp>,
}

impl Store {
    /// Plans a test mail, unless its address is suppressed or a limit stands in the way: it counts like
    /// every mail.
    pub async fn ask_for_test_mail(
        &self,
        organization: OrganizationId,
        by: Actor,
        new: NewTestMail,
    ) -> Result<TestMailOutcome> {
        let (limits, domain) = (Arc::clone(&self.limits), Arc::clone(&self.policy.mail_domain));
        let asked = self.write(move |tx, now| {
            Box::pin(async move {
                if let Some(reason) = suppressed(tx, organization, &new.to).await? {
                    return Ok(Verdict::RollBack(TestMailOutcome::Suppressed(reason)));
                }
                let mail = limit::Mail::test(&by, organization, &new.to);
                let entry = entry(now, organization, &by, &new);
                let row = row(now, organization, &by, new, &domain);
                let view = TestMailView::new(&row)?;
                let job = JobV1::TestMail { mail: view.id };
                test_mail::Entity::insert(row.into_active_model())
                    .exec_without_returning(tx)
                    .await?;
                let planned = outbox::job_row(now, job, now).into_active_model();
                outbox_row::Entity::insert(planned).exec_without_returning(tx).await?;
                announce::record(tx, now, vec![entry]).await?;
                if let Some(refused) = limit::count(tx, now, &limits, &[mail]).await?.first() {
                    return Ok(Verdict::RollBack(TestMailOutcome::Refused(refused.why)));
                }
                Ok(Verdict::Commit(TestMailOutcome::Queued(view)))
            })
        });
        let asked = asked.await?;
        match asked {
            TestMailOutcome::Queued(_) => self.outlet.wake(),
            TestMailOutcome::Refused(SendRefusal::Paused) => {
                self.pause_sending(organization).await?;
            }
            _ => {}
        }
        Ok(asked)
    }

    /// How a test mail stands; `None` if the organization has no such mail, or not any more.
    pub async fn test_mail(
        &self,
        organization: OrganizationId,
        id: TestMailId,
    ) -> Result<Option<TestMailView>> {
        self.read(move |db, _| {
            Box::pin(async move {
                let found = test_mail::Entity::find_by_id(id.uuid())
                    .filter(test_mail::Column::OrganizationId.eq(organization.uuid()))
                    .one(db)
                    .await?;
                found.as_ref().map(TestMailView::new).transpose()
            })
        })
        .await
    }
}

async fn suppressed(
    tx: &DatabaseTransaction,
    organization: OrganizationId,
    to: &EmailAddress,
) -> Result<Option<SuppressionReason>> {
    let key = (organization.uuid(), to.normalized());
    let Some(row) = suppression::Entity::find_by_id(key).one(tx).await? else { return Ok(None) };
    let reason = SuppressionReason::parse(&row.reason);
    Ok(Some(reason.ok_or(convert::inconsistent("suppression", "reason"))?))
}

/// The audit log recognizes the address; it does not repeat it.
fn entry(now: Timestamp, organization: OrganizationId, by: &Actor, new: &NewTestMail) -> Entry {
    let data = serde_json::json!({
        "locale": new.locale, "version": new.version, "email": new.to.masked(),
    });
    let kind = EventKind::TemplateTested;
    Entry::of_organization(now, organization.uuid(), kind, by.written(), data)
}

fn row(
    now: Timestamp,
    organization: OrganizationId,
    by: &Actor,
    new: NewTestMail,
    domain: &str,
) -> test_mail::Model {
    let id = TestMailId::new(now, &mut rng());
    test_mail::Model {
        id: id.uuid(),
        organization_id: organization.uuid(),
        actor: by.written(),
        email: new.to.as_given().to_owned(),
        subject: new.content.subject,
        html: new.content.html,
        text: new.content.text,
        // No generation: whoever tells of this mail tells of no delivery.
        message_id: format!("{id}.test@{domain}"),
        status: TestMailStatus::Queued.as_str().to_owned(),
        attempt_token: None,
        lease_until: None,
        detail: None,
        created_at: now,
        ended_at: None,
    }
}

fn status(row: &test_mail::Model) -> Result<TestMailStatus> {
    TestMailStatus::parse(&row.status).ok_or(convert::inconsistent("test_mail", "status"))
}

impl TestMailView {
    fn new(row: &test_mail::Model) -> Result<Self> {
        Ok(Self {
            id: TestMailId::from_uuid(row.id),
            status: status(row)?,
            to: row.email.clone(),
            subject: row.subject.clone(),
            detail: row.detail.clone(),
            created_at: row.created_at,
            ended_at: row.ended_at,
        })
    }
}
