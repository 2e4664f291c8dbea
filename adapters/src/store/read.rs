//! Reading invitations: one with its timeline, or a page of a list.

use std::collections::HashMap;

use domain::{DeliveryStatus, EmailAddress, InvitationId, InvitationStatus, OrganizationId};
use entity::{attempt, delivery, event, invitation};
use sea_orm::prelude::{Expr, Uuid};
use sea_orm::sea_query::{Query, SelectStatement};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, JoinType, QueryFilter,
    QueryOrder, QuerySelect, RelationTrait, Select, Value,
};

use super::view::{DeliveryDetail, DeliveryView, InvitationDetail, InvitationView};
use super::{Result, Store, bulk, change, convert};

/// Which invitations to list, newest first.
#[derive(Debug, Clone)]
pub struct ListFilter {
    /// Only those that stand so.
    pub status: Option<InvitationStatus>,
    /// Only those whose newest mail stands so.
    pub delivery_status: Option<DeliveryStatus>,
    /// Only those to this address.
    pub email: Option<EmailAddress>,
    /// Only those older than this one: the cursor.
    pub before: Option<InvitationId>,
    /// How many at most.
    pub limit: u64,
}

impl Store {
    /// An invitation of the organization, with all its deliveries, attempts and events.
    pub async fn invitation(
        &self,
        organization: OrganizationId,
        id: InvitationId,
    ) -> Result<Option<InvitationDetail>> {
        self.snapshot(move |db| {
            Box::pin(async move {
                let found = invitation::Entity::find_by_id(id.uuid())
                    .filter(invitation::Column::OrganizationId.eq(organization.uuid()))
                    .one(db)
                    .await?;
                let Some(row) = found else { return Ok(None) };
                detail(db, row).await.map(Some)
            })
        })
        .await
    }

    /// A page of the organization's invitations.
    pub async fn invitations(
        &self,
        organization: OrganizationId,
        filter: &ListFilter,
    ) -> Result<Vec<InvitationView>> {
        let query = list(organization, filter);
        self.snapshot(move |db| {
            Box::pin(async move {
                let rows = query.all(db).await?;
                let mut current = current_deliveries(db, &rows).await?;
                rows.into_iter()
                    .map(|row| {
                        let delivery = current.remove(&row.id);
                        let delivery =
                            delivery.ok_or(convert::inconsistent("delivery", "generation"))?;
                        InvitationView::new(row, delivery)
                    })
                    .collect()
            })
        })
        .await
    }
}

/// An invitation with all that happened to it.
pub(super) async fn detail(
    db: &impl ConnectionTrait,
    row: invitation::Model,
) -> Result<InvitationDetail> {
    let deliveries = deliveries(db, row.id).await?;
    let events = event::Entity::find()
        .filter(event::Column::InvitationId.eq(row.id))
        .order_by_asc(event::Column::Id)
        .all(db)
        .await?;
    let current = change::current_delivery(db, &row).await?;
    Ok(InvitationDetail {
        invitation: InvitationView::new(row, current)?,
        deliveries,
        events: events.into_iter().map(Into::into).collect(),
    })
}

/// A list by one thing goes through the index that has no more than what it shows, in its order; one by both
/// statuses through that of either.
///
/// So that PostgreSQL takes it, the last column before the id is compared by a range of one and comes first
/// in the order. With an equality the order would be one by ids alone, and it would walk through
/// everybody's rows by them, in the hope that one in so many fits, however many do not.
fn list(organization: OrganizationId, filter: &ListFilter) -> Select<invitation::Entity> {
    use invitation::Column::{EmailNormalized, Id, OrganizationId as Organization, Status};
    let all = invitation::Entity::find().limit(filter.limit);
    let mut query = match (filter.delivery_status, filter.status) {
        (Some(mail), status) => {
            let status = status.map(|status| Status.eq(status.as_str()));
            mailed(all, organization, mail, filter.before)
                .filter(Organization.eq(organization.uuid()))
                .filter(Condition::all().add_option(status))
        }
        (None, Some(status)) => all
            .filter(Organization.eq(organization.uuid()))
            .filter(just(Status, status.as_str()))
            .order_by_desc(Status)
            .order_by_desc(Id),
        (None, None) => all
            .filter(just(Organization, organization.uuid()))
            .order_by_desc(Organization)
            .order_by_desc(Id),
    };
    if let Some(email) = &filter.email {
        query = query.filter(EmailNormalized.eq(email.normalized()));
    }
    if let Some(before) = filter.before {
        query = query.filter(Id.lt(before.uuid()));
    }
    query
}

/// Through the deliveries that stand so.
fn mailed(
    query: Select<invitation::Entity>,
    organization: OrganizationId,
    status: DeliveryStatus,
    before: Option<InvitationId>,
) -> Select<invitation::Entity> {
    use delivery::Column::{InvitationId as Id, OrganizationId as Organization, Status};
    let before = before.map(|before| Id.lt(before.uuid()));
    query
        .join_rev(JoinType::InnerJoin, delivery::Relation::Invitation.def())
        .filter(is_current_delivery())
        .filter(Organization.eq(organization.uuid()))
        .filter(just(Status, status.as_str()))
        .filter(Condition::all().add_option(before))
        .order_by_desc(Status)
        .order_by_desc(Id)
}

/// A range of one; see [`list`].
pub(super) fn just(column: impl ColumnTrait, value: impl Into<Value> + Clone) -> Expr {
    column.between(value.clone(), value)
}

/// Finds something if the newest mail of an invitation waits for its moment.
pub(super) fn scheduled() -> SelectStatement {
    let scheduled = DeliveryStatus::Scheduled.as_str();
    Query::select()
        .expr(Expr::val(1))
        .from(delivery::Entity)
        .and_where(is_current_delivery())
        .and_where(Expr::col((delivery::Entity, delivery::Column::Status)).eq(scheduled))
        .to_owned()
}

/// Joins a delivery to its invitation, if it is the newest one.
pub(super) fn is_current_delivery() -> Expr {
    let of = |column: delivery::Column| Expr::col((delivery::Entity, column));
    let its = |column: invitation::Column| Expr::col((invitation::Entity, column));
    of(delivery::Column::InvitationId)
        .eq(its(invitation::Column::Id))
        .and(of(delivery::Column::Generation).eq(its(invitation::Column::Generation)))
}

/// Invitations as the API shows them, by their ids; those that there are.
pub(super) async fn views(
    db: &impl ConnectionTrait,
    ids: Vec<Uuid>,
) -> Result<HashMap<Uuid, InvitationView>> {
    let rows =
        invitation::Entity::find().filter(bulk::is_any(db, invitation::Column::Id, ids)).all(db);
    let rows = rows.await?;
    let mut current = current_deliveries(db, &rows).await?;
    let view = |row: invitation::Model| {
        let delivery = current.remove(&row.id);
        let delivery = delivery.ok_or(convert::inconsistent("delivery", "generation"))?;
        Ok((row.id, InvitationView::new(row, delivery)?))
    };
    rows.into_iter().map(view).collect()
}

async fn current_deliveries(
    db: &impl ConnectionTrait,
    rows: &[invitation::Model],
) -> Result<HashMap<Uuid, delivery::Model>> {
    let generations: HashMap<Uuid, i32> = rows.iter().map(|row| (row.id, row.generation)).collect();
    let ids = generations.keys().copied().collect();
    let all = delivery::Entity::find()
        .filter(bulk::is_any(db, delivery::Column::InvitationId, ids))
        .all(db)
        .await?;
    Ok(all
        .into_iter()
        .filter(|row| generations.get(&row.invitation_id) == Some(&row.generation))
        .map(|row| (row.invitation_id, row))
        .collect())
}

async fn deliveries(db: &impl ConnectionTrait, invitation: Uuid) -> Result<Vec<DeliveryDetail>> {
    let rows = delivery::Entity::find()
        .filter(delivery::Column::InvitationId.eq(invitation))
        .order_by_desc(delivery::Column::Generation)
        .all(db)
        .await?;
    let attempts = attempt::Entity::find()
        .filter(attempt::Column::DeliveryId.is_in(rows.iter().map(|row| row.id)))
        .order_by_asc(attempt::Column::Id)
        .all(db)
        .await?;
    let mut log: HashMap<Uuid, Vec<_>> = HashMap::new();
    for row in attempts {
        log.entry(row.delivery_id).or_default().push(row.into());
    }
    rows.into_iter()
        .map(|row| {
            let attempts_log = log.remove(&row.id).unwrap_or_default();
            Ok(DeliveryDetail { delivery: DeliveryView::new(row)?, attempts_log })
        })
        .collect()
}
