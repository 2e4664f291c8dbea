//! The list of addresses that get no mail of an organization, as its admins keep it.

use domain::{
    EmailAddress, EventKind, OrganizationId, SuppressionId, SuppressionReason, Timestamp,
};
use entity::suppression;
use sea_orm::{
    ColumnTrait, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::audit::Entry;
use super::{Actor, Result, Store, Verdict, announce, convert, insert_if_new, suppress};

/// An address that gets no mail of an organization.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Suppression)]
pub struct SuppressionView {
    /// Names the entry.
    #[schema(value_type = Uuid, example = "01937a70-1d2c-7a40-8b6e-3f5a9c0e7d21")]
    pub id: SuppressionId,
    /// The address, in lower case; `sha256:…` once the person was erased, who still gets no mail.
    #[schema(example = "ann@example.com")]
    pub email: String,
    /// Why it gets no mail.
    pub reason: SuppressionReason,
    /// Since when.
    #[schema(value_type = DateTime<Utc>, example = "2026-11-24T09:31:02.482913Z")]
    pub created_at: Timestamp,
}

/// Whether an address was on the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifted {
    /// It was, and is not any more.
    Yes,
    /// It was not.
    NotThere,
}

impl Store {
    /// Addresses that get no mail, newest first: at most `limit` of those before the entry `before`.
    /// Nothing comes before an entry that is gone.
    pub async fn suppressions(
        &self,
        organization: OrganizationId,
        before: Option<SuppressionId>,
        limit: u64,
    ) -> Result<Vec<SuppressionView>> {
        self.snapshot(move |db| {
            Box::pin(async move {
                let own = suppression::Column::OrganizationId.eq(organization.uuid());
                let mut query = suppression::Entity::find().filter(own.clone());
                if let Some(before) = before {
                    let id = suppression::Column::Id;
                    let last = suppression::Entity::find().filter(own).filter(id.eq(before.uuid()));
                    let Some(last) = last.one(db).await? else { return Ok(Vec::new()) };
                    let created = suppression::Column::CreatedAt;
                    let same_moment = created.eq(last.created_at).and(id.lt(last.id));
                    query = query.filter(created.lt(last.created_at).or(same_moment));
                }
                let query = query
                    .order_by_desc(suppression::Column::CreatedAt)
                    .order_by_desc(suppression::Column::Id)
                    .limit(limit);
                query.all(db).await?.into_iter().map(SuppressionView::new).collect()
            })
        })
        .await
    }

    /// Puts an address on the list; gives the entry that is there now. One that was there keeps its
    /// reason.
    pub async fn suppress(
        &self,
        organization: OrganizationId,
        actor: Actor,
        email: &EmailAddress,
    ) -> Result<SuppressionView> {
        let email = email.clone();
        self.write(move |tx, now| {
            Box::pin(async move {
                // Whoever was erased is not written down again.
                if let Some(erased) = entries(tx, organization, &email).await?.pop() {
                    return Ok(Verdict::RollBack(SuppressionView::new(erased)?));
                }
                let key = (organization.uuid(), email.normalized());
                let why = SuppressionReason::ByHand;
                let new =
                    insert_if_new(tx, suppress::address(now, key.0, key.1.clone(), why)).await?;
                let row = suppression::Entity::find_by_id(key).one(tx).await?;
                let row = row.ok_or(super::StoreError::Busy)?;
                if new {
                    let kind = EventKind::SuppressionAdded;
                    announce::record(tx, now, vec![entry(now, &row, kind, &actor, &email)]).await?;
                }
                Ok(Verdict::Commit(SuppressionView::new(row)?))
            })
        })
        .await
    }

    /// Takes an address off the list, whatever put it there.
    pub async fn lift_suppression(
        &self,
        organization: OrganizationId,
        actor: Actor,
        email: &EmailAddress,
    ) -> Result<Lifted> {
        let email = email.clone();
        self.write(move |tx, now| {
            Box::pin(async move {
                let rows = entries(tx, organization, &email).await?;
                let Some(row) = rows.first().cloned() else {
                    return Ok(Verdict::RollBack(Lifted::NotThere));
                };
                let ids = rows.into_iter().map(|row| row.id);
                let gone = suppression::Entity::delete_many()
                    .filter(suppression::Column::Id.is_in(ids))
                    .exec(tx)
                    .await?;
                if gone.rows_affected == 0 {
                    return Ok(Verdict::RollBack(Lifted::NotThere));
                }
                let kind = EventKind::SuppressionLifted;
                announce::record(tx, now, vec![entry(now, &row, kind, &actor, &email)]).await?;
                Ok(Verdict::Commit(Lifted::Yes))
            })
        })
        .await
    }
}

/// What the list says of an address, by itself or erased.
async fn entries(
    tx: &DatabaseTransaction,
    organization: OrganizationId,
    email: &EmailAddress,
) -> Result<Vec<suppression::Model>> {
    let keys = suppress::keys(organization.uuid(), &email.normalized());
    Ok(suppression::Entity::find()
        .filter(suppression::Column::OrganizationId.eq(organization.uuid()))
        .filter(suppression::Column::EmailNormalized.is_in(keys))
        .all(tx)
        .await?)
}

/// The audit log recognizes the address; it does not repeat it.
fn entry(
    now: Timestamp,
    row: &suppression::Model,
    kind: EventKind,
    actor: &Actor,
    email: &EmailAddress,
) -> Entry {
    let data = serde_json::json!({ "reason": row.reason, "email": email.masked() });
    Entry::of_organization(now, row.organization_id, kind, actor.written(), data)
}

impl SuppressionView {
    fn new(row: suppression::Model) -> Result<Self> {
        let reason = SuppressionReason::parse(&row.reason);
        Ok(Self {
            id: SuppressionId::from_uuid(row.id),
            email: row.email_normalized,
            reason: reason.ok_or(convert::inconsistent("suppression", "reason"))?,
            created_at: row.created_at,
        })
    }
}
