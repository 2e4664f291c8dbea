//! The one attempt of a test mail: claimed, reported, and ended if neither is heard of.

use std::time::Duration;

use chrono::TimeDelta;
use domain::{AttemptToken, EmailAddress, SendOutcome, TestMailId, TestMailStatus, Timestamp};
use entity::test_mail::{ActiveModel, Column, Entity, Model};
use sea_orm::{
    ColumnTrait, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter, QuerySelect, Set,
};

use super::super::{Result, Store, Verdict, convert};
use super::status;
use crate::rng;
use crate::templates::MailContent;

/// How long a test mail may wait for a worker: nobody looks for it any longer.
const PATIENCE: TimeDelta = TimeDelta::minutes(15);
/// One transaction's worth of lost ones.
const BATCH: u64 = 200;

/// A test mail that is this worker's until its lease ends.
#[derive(Clone)]
pub struct ClaimedTestMail {
    /// Which one.
    pub id: TestMailId,
    /// Proof of the claim.
    pub attempt: AttemptToken,
    /// Who gets it.
    pub to: EmailAddress,
    /// What it says.
    pub content: MailContent,
    /// Its Message-ID.
    pub message_id: String,
}

impl Store {
    /// Takes a test mail for `lease`; `None` if it is taken, has ended or is not there.
    pub async fn claim_test_mail(
        &self,
        id: TestMailId,
        lease: Duration,
    ) -> Result<Option<ClaimedTestMail>> {
        self.write(move |tx, now| {
            Box::pin(async move {
                let attempt = AttemptToken::new(now, &mut rng());
                let taken = ActiveModel {
                    status: Set(TestMailStatus::Sending.as_str().to_owned()),
                    attempt_token: Set(Some(attempt.uuid())),
                    lease_until: Set(Some(now + lease)),
                    ..Default::default()
                };
                let done = Entity::update_many()
                    .set(taken)
                    .filter(Column::Id.eq(id.uuid()))
                    .filter(Column::Status.eq(TestMailStatus::Queued.as_str()))
                    .exec(tx)
                    .await?;
                if done.rows_affected == 0 {
                    return Ok(Verdict::RollBack(None));
                }
                let row = Entity::find_by_id(id.uuid()).one(tx).await?;
                let claimed = row.map(|row| ClaimedTestMail::new(row, attempt)).transpose()?;
                Ok(Verdict::Commit(claimed))
            })
        })
        .await
    }

    /// Writes how the attempt ended. A late report counts as well: it knows better. `false` if the mail
    /// has ended otherwise.
    pub async fn report_test_mail(
        &self,
        claimed: &ClaimedTestMail,
        outcome: &SendOutcome,
    ) -> Result<bool> {
        let (id, attempt) = (claimed.id, claimed.attempt);
        let status = TestMailStatus::after(outcome);
        let detail = outcome.trouble().map(|trouble| trouble.detail.clone());
        self.write(move |tx, now| {
            Box::pin(async move {
                let from = [TestMailStatus::Sending.as_str(), TestMailStatus::Uncertain.as_str()];
                let done = Entity::update_many()
                    .set(ended(now, status, detail))
                    .filter(Column::Id.eq(id.uuid()))
                    .filter(Column::AttemptToken.eq(attempt.uuid()))
                    .filter(Column::Status.is_in(from))
                    .exec(tx)
                    .await?;
                Ok(Verdict::Commit(done.rows_affected == 1))
            })
        })
        .await
    }

    /// Ends test mails whose worker died, and those that no worker took for a quarter of an hour. Returns
    /// how many.
    pub async fn end_lost_test_mails(&self) -> Result<u64> {
        self.write(|tx, now| {
            Box::pin(async move {
                let over = Column::LeaseUntil.lte(now);
                let waited =
                    Column::LeaseUntil.is_null().and(Column::CreatedAt.lte(now - PATIENCE));
                let lost = Entity::find()
                    .filter(Column::EndedAt.is_null())
                    .filter(over.or(waited))
                    .limit(BATCH)
                    .all(tx)
                    .await?;
                let mut count = 0;
                for row in lost {
                    count += end(tx, now, &row).await?;
                }
                Ok(Verdict::Commit(count))
            })
        })
        .await
    }
}

async fn end(tx: &DatabaseTransaction, now: Timestamp, row: &Model) -> Result<u64> {
    let Some(next) = status(row)?.when_lost() else { return Ok(0) };
    let why = match next {
        TestMailStatus::Uncertain => {
            "the worker went away before it could say whether the mail was sent"
        }
        _ => "no worker took it in time: see that workers of this version run, and ask again",
    };
    let done = Entity::update_many()
        .set(ended(now, next, Some(why.to_owned())))
        .filter(Column::Id.eq(row.id))
        .filter(Column::Status.eq(row.status.as_str()))
        .exec(tx)
        .await?;
    Ok(done.rows_affected)
}

/// The end of a mail. What it said is not needed any more, but for the subject.
fn ended(now: Timestamp, status: TestMailStatus, detail: Option<String>) -> ActiveModel {
    ActiveModel {
        status: Set(status.as_str().to_owned()),
        detail: Set(detail),
        html: Set(String::new()),
        text: Set(String::new()),
        ended_at: Set(Some(now)),
        ..Default::default()
    }
}

impl ClaimedTestMail {
    fn new(row: Model, attempt: AttemptToken) -> Result<Self> {
        let to = EmailAddress::parse(&row.email);
        Ok(Self {
            id: TestMailId::from_uuid(row.id),
            attempt,
            to: to.map_err(|_| convert::inconsistent("test_mail", "email"))?,
            content: MailContent { subject: row.subject, html: row.html, text: row.text },
            message_id: row.message_id,
        })
    }
}
