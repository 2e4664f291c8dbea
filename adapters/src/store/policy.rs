//! What organizations allow of their invitations: read with the organization, and changed as a whole.

use std::sync::Arc;

use domain::{EventKind, OrganizationId, OrganizationPolicy};
use entity::organization;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};

use super::caller::{self, OrganizationKey};
use super::{Actor, Result, Store, Verdict, convert, limit};

impl Store {
    /// The organization's policy; `None` if there is no such organization.
    pub async fn policy(&self, id: OrganizationId) -> Result<Option<OrganizationPolicy>> {
        self.read(move |db, _| {
            Box::pin(async move {
                let row = caller::find(db, OrganizationKey::Id(id)).await?;
                let policy = row.as_ref().map(of).transpose()?;
                Ok(policy.map(|policy| policy.as_deref().cloned().unwrap_or_default()))
            })
        })
        .await
    }

    /// Makes that the organization's policy, for whatever is asked of it from now on; `false` if there is
    /// no such organization.
    pub async fn set_policy(
        &self,
        id: OrganizationId,
        actor: Actor,
        policy: OrganizationPolicy,
    ) -> Result<bool> {
        // Whoever allows everything costs nothing.
        let column = (policy != OrganizationPolicy::default())
            .then(|| convert::json(&policy))
            .transpose()?;
        self.write(move |tx, now| {
            Box::pin(async move {
                let changed = organization::ActiveModel {
                    policy: Set(column),
                    updated_at: Set(now),
                    ..Default::default()
                };
                let done = organization::Entity::update_many()
                    .set(changed)
                    .filter(organization::Column::Id.eq(id.uuid()))
                    .exec(tx)
                    .await?;
                if done.rows_affected != 1 {
                    return Ok(Verdict::RollBack(false));
                }
                let kind = EventKind::PolicyChanged;
                limit::record_standing(tx, now, id, kind, actor.written()).await?;
                Ok(Verdict::Commit(true))
            })
        })
        .await
    }
}

/// What a row says; `None` if everything is allowed.
pub(super) fn of(row: &organization::Model) -> Result<Option<Arc<OrganizationPolicy>>> {
    let read = |column: &serde_json::Value| {
        let policy = serde_json::from_value(column.clone());
        policy.map(Arc::new).map_err(|_| convert::inconsistent("organization", "policy"))
    };
    row.policy.as_ref().map(read).transpose()
}
