//! Where mails stand, for callers who wait for theirs: one query for all who ask at once.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use domain::{DeliveryStatus, InvitationId, OrganizationId};
use entity::{delivery, invitation};
use sea_orm::prelude::{Expr, Uuid};
use sea_orm::{ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait};

use super::read::is_current_delivery;
use super::{Call, Result, Store, bulk, convert};

/// Whose mails somebody waits for.
pub(super) struct Question {
    organization: OrganizationId,
    invitations: Vec<InvitationId>,
}

/// What is told of them.
pub(super) type Statuses = Vec<(InvitationId, DeliveryStatus)>;

/// The newest mail's status and the organization, by invitation.
type Found = HashMap<Uuid, (Uuid, String)>;

/// SQLite takes 32,766 values in a statement.
const MOST: usize = 30_000;

impl Store {
    /// Where the newest mail of each of these invitations stands, in no order; those of others are
    /// left out.
    pub async fn delivery_statuses(
        &self,
        organization: OrganizationId,
        invitations: Vec<InvitationId>,
    ) -> Result<Statuses> {
        let store = self.clone();
        let find = move |calls| answer(store.clone(), calls);
        let question = Arc::new(Question { organization, invitations });
        self.gatherings.statuses.call(&self.runtime, question, find).await?
    }
}

async fn answer(store: Store, calls: Vec<Call<Arc<Question>, Statuses>>) {
    let ids: BTreeSet<Uuid> =
        calls.iter().flat_map(|call| &call.asks.invitations).map(|id| id.uuid()).collect();
    let ids: Vec<Uuid> = ids.into_iter().collect();
    let found = store.read(move |db, _| Box::pin(async move { find(db, &ids).await })).await;
    for call in calls {
        let answer = match &found {
            Ok(found) => call.asks.answer(found),
            Err(error) => Err(error.clone()),
        };
        call.answer(answer);
    }
}

async fn find(db: &impl ConnectionTrait, ids: &[Uuid]) -> Result<Found> {
    let mut found = Found::new();
    for ids in ids.chunks(MOST) {
        let organization = Expr::col((invitation::Entity, invitation::Column::OrganizationId));
        let mut select = delivery::Entity::find()
            .select_only()
            .column(delivery::Column::InvitationId)
            .column_as(organization, "organization_id")
            .column(delivery::Column::Status)
            .filter(bulk::is_any(db, delivery::Column::InvitationId, ids.to_vec()));
        QueryTrait::query(&mut select).inner_join(invitation::Entity, is_current_delivery());
        let rows: Vec<(Uuid, Uuid, String)> = select.into_tuple().all(db).await?;
        found.extend(rows.into_iter().map(|(id, organization, word)| (id, (organization, word))));
    }
    Ok(found)
}

impl Question {
    fn answer(&self, found: &Found) -> Result<Statuses> {
        let own = |id: &InvitationId| {
            let (organization, word) = found.get(&id.uuid())?;
            (*organization == self.organization.uuid()).then_some((*id, word))
        };
        let told = |(id, word): (InvitationId, &String)| Ok((id, convert::delivery_status(word)?));
        self.invitations.iter().filter_map(own).map(told).collect()
    }
}
