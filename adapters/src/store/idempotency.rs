//! The first answer to a request, kept so that a repeat gets the same one.

use std::collections::{BTreeSet, HashSet};

use domain::{OrganizationId, SecretHash, Timestamp};
use entity::idempotency_key;
use sea_orm::prelude::Uuid;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect, Set,
};
use serde::Serialize;

use super::bulk::is_any;
use super::{Result, StoreError, insert_if_new};

/// What makes a request recognizable when it is sent again.
#[derive(Debug, Clone)]
pub struct IdempotencyKey {
    /// The caller's own word for it.
    pub key: String,
    /// What it was sent to.
    pub route: &'static str,
    /// The hash of what it said.
    pub fingerprint: SecretHash,
}

/// What an earlier request with the same key was.
pub(super) enum Earlier {
    /// The same one; it was answered with this JSON body.
    Answer(String),
    /// Another one.
    OtherRequest,
}

/// Takes the key for this request, or finds the answer that the first one got. A request with the
/// same key that is still under way makes this one wait on the unique index.
pub(super) async fn claim(
    tx: &DatabaseTransaction,
    now: Timestamp,
    organization: OrganizationId,
    key: &IdempotencyKey,
) -> Result<Option<Earlier>> {
    if insert_if_new(tx, row(now, organization, key, String::new())).await? {
        return Ok(None);
    }
    earlier(tx, organization, key).await?.ok_or(StoreError::Busy).map(Some)
}

/// Finds the answer that the first request with this key got, without taking the key.
pub(super) async fn earlier(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    key: &IdempotencyKey,
) -> Result<Option<Earlier>> {
    let id = (organization.uuid(), key.route.to_owned(), key.key.clone());
    let Some(first) = idempotency_key::Entity::find_by_id(id).one(db).await? else {
        return Ok(None);
    };
    let same = SecretHash::from_bytes(&first.fingerprint) == Some(key.fingerprint);
    Ok(Some(if same { Earlier::Answer(first.body) } else { Earlier::OtherRequest }))
}

/// Keeps the answer, in the transaction that made it true.
pub(super) async fn keep_answer(
    tx: &DatabaseTransaction,
    organization: OrganizationId,
    key: &IdempotencyKey,
    answer: &impl Serialize,
) -> Result<()> {
    let body = written(answer)?;
    idempotency_key::Entity::update_many()
        .set(idempotency_key::ActiveModel { body: Set(body), ..Default::default() })
        .filter(idempotency_key::Column::OrganizationId.eq(organization.uuid()))
        .filter(idempotency_key::Column::Route.eq(key.route))
        .filter(idempotency_key::Column::Key.eq(&key.key))
        .exec(tx)
        .await?;
    Ok(())
}

/// A key together with the answer, as JSON, that a repeat gets.
pub(super) fn answered(
    now: Timestamp,
    organization: OrganizationId,
    key: &IdempotencyKey,
    answer: &impl Serialize,
) -> Result<idempotency_key::ActiveModel> {
    Ok(row(now, organization, key, written(answer)?))
}

/// Where a key is valid, and what for.
pub(super) type Place = (Uuid, String, String);

/// The place of a key.
pub(super) fn place(organization: OrganizationId, key: &IdempotencyKey) -> Place {
    (organization.uuid(), key.route.to_owned(), key.key.clone())
}

/// Which of these were taken before.
pub(super) async fn used(tx: &DatabaseTransaction, places: Vec<Place>) -> Result<HashSet<Place>> {
    if places.is_empty() {
        return Ok(HashSet::new());
    }
    let organizations: BTreeSet<Uuid> = places.iter().map(|place| place.0).collect();
    let routes: BTreeSet<String> = places.iter().map(|place| place.1.clone()).collect();
    let organizations = organizations.into_iter().collect();
    let keys = places.into_iter().map(|place| place.2).collect();
    let taken = idempotency_key::Entity::find()
        .select_only()
        .column(idempotency_key::Column::OrganizationId)
        .column(idempotency_key::Column::Route)
        .column(idempotency_key::Column::Key)
        .filter(is_any(tx, idempotency_key::Column::OrganizationId, organizations))
        .filter(is_any(tx, idempotency_key::Column::Route, routes.into_iter().collect()))
        .filter(is_any(tx, idempotency_key::Column::Key, keys))
        .into_tuple::<Place>()
        .all(tx)
        .await?;
    Ok(taken.into_iter().collect())
}

fn row(
    now: Timestamp,
    organization: OrganizationId,
    key: &IdempotencyKey,
    body: String,
) -> idempotency_key::ActiveModel {
    idempotency_key::ActiveModel {
        organization_id: Set(organization.uuid()),
        route: Set(key.route.to_owned()),
        key: Set(key.key.clone()),
        fingerprint: Set(key.fingerprint.to_vec()),
        body: Set(body),
        created_at: Set(now),
    }
}

fn written(answer: &impl Serialize) -> Result<String> {
    serde_json::to_string(answer).map_err(|error| StoreError::Database(error.to_string()))
}
