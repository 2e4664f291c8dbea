//! Claims and reports that arrive at once share a transaction; nothing that is wrong with one of
//! them touches the others.
//!
//! One thread runs all: what is asked for before it waits is one batch, which its time proves.

mod claims;
mod outbox;
mod reports;
mod statuses;
mod templates;

use std::collections::BTreeSet;
use std::time::Duration;

use adapters::store::{
    Claimed, CreateOutcome, DeliveryView, NewInvitation, OnExisting, StoreError,
};
use domain::{
    CredentialPolicy, DeliveryId, DeliveryState, EmailAddress, InvitationId, Phase, Position,
    SendOutcome, Timestamp, Trouble,
};
use futures_util::future::join_all;
use sea_orm::{ConnectionTrait, Database, DatabaseConnection};
use tokio::runtime::Builder;

use super::lab::{EXPIRES_IN, LEASE, Lab, PAUSE};
use crate::harness::Stack;

pub const SIZE: usize = 4;
pub const VALID_FOR: Duration = Duration::from_hours(24);

/// Runs a test on one thread.
pub async fn on_one_thread<F>(stack: Stack, test: impl FnOnce(Lab) -> F + Send + 'static)
where
    F: Future<Output = Lab>,
{
    let run = move || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { test(Lab::open(stack, true).await).await.close().await });
    };
    tokio::task::spawn_blocking(run).await.unwrap();
}

pub async fn invite(lab: &Lab, count: usize) -> Vec<(InvitationId, DeliveryId)> {
    let mut made = Vec::new();
    for number in lab.invitations().len()..lab.invitations().len() + count {
        let new = NewInvitation {
            email: EmailAddress::parse(&format!("n{number}@example.com")).unwrap(),
            first_name: None,
            last_name: None,
            role: domain::MembershipRole::default(),
            position: Position::default(),
            locale: "en".to_owned(),
            metadata: serde_json::json!({}),
            expires_in: EXPIRES_IN,
            send_at: None,
            credential: CredentialPolicy::Link,
            password_hash: None,
            secret: None,
            on_existing: OnExisting::Error,
        };
        let actor = lab.actor.clone();
        let outcome = lab.store.create_invitation(&lab.host(), actor, new, None).await;
        let Ok(CreateOutcome::Created(view)) = outcome else { panic!("{outcome:?}") };
        lab.look(view.id).await;
        made.push((view.id, view.delivery.id));
    }
    made
}

pub type Claims = Vec<Result<Option<Claimed>, StoreError>>;

pub async fn claim(lab: &Lab, wanted: impl IntoIterator<Item = DeliveryId>) -> Claims {
    let claim = |id| lab.store.claim(id, 1, LEASE, &lab.keys);
    join_all(wanted.into_iter().map(claim)).await
}

pub async fn claim_all(lab: &Lab, wanted: &[(InvitationId, DeliveryId)]) -> Vec<Claimed> {
    let claims = claim(lab, wanted.iter().map(|(_, id)| *id)).await;
    let claims: Vec<_> = claims.into_iter().map(|claimed| claimed.unwrap().unwrap()).collect();
    assert_eq!(times(&claims).len(), 1, "one batch");
    claims
}

pub type Reports = Vec<Result<Option<DeliveryState>, StoreError>>;

pub async fn report(lab: &Lab, ended: &[(&Claimed, SendOutcome)]) -> Reports {
    let next = lab.clock.now() + PAUSE;
    let report = |(claimed, outcome)| lab.store.report(claimed, outcome, next, VALID_FOR);
    join_all(ended.iter().map(|(claimed, outcome)| report((*claimed, outcome)))).await
}

pub async fn mail(lab: &Lab, id: InvitationId) -> DeliveryView {
    lab.look(id).await.invitation.delivery
}

pub fn times<'a>(claims: impl IntoIterator<Item = &'a Claimed>) -> BTreeSet<Timestamp> {
    claims.into_iter().map(|claimed| claimed.started_at).collect()
}

pub fn trouble() -> Trouble {
    Trouble { phase: Phase::Recipient, reply: None, detail: "the test wants it so".to_owned() }
}

pub async fn database(lab: &Lab) -> DatabaseConnection {
    Database::connect(&lab.url).await.unwrap()
}

pub async fn run(lab: &Lab, sql: &str) {
    let database = database(lab).await;
    database.execute_unprepared(sql).await.unwrap();
    database.close().await.unwrap();
}

/// As both databases understand it: `PostgreSQL` keeps ids as such, `SQLite` as bytes.
pub fn quoted(lab: &Lab, id: &str) -> String {
    if lab.url.starts_with("postgres") {
        format!("'{id}'")
    } else {
        format!("X'{}'", id.replace('-', ""))
    }
}

/// From now on the delivery cannot get into the state without an error of the database.
pub async fn forbid(lab: &Lab, delivery: DeliveryId, status: &str) {
    let id = quoted(lab, &delivery.to_string());
    let when = format!("NEW.id = {id} AND NEW.status = '{status}'");
    let sql = if lab.url.starts_with("postgres") {
        format!(
            "CREATE FUNCTION forbid() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION 'forbidden'; END $$; \
             CREATE TRIGGER forbid BEFORE UPDATE ON delivery FOR EACH ROW WHEN ({when}) \
             EXECUTE FUNCTION forbid()"
        )
    } else {
        format!(
            "CREATE TRIGGER forbid BEFORE UPDATE ON delivery WHEN {when} \
             BEGIN SELECT RAISE(ABORT, 'forbidden'); END"
        )
    };
    run(lab, &sql).await;
}
