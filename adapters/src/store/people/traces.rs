//! Takes a person out of what was written about them beside their invitations.

use std::collections::BTreeSet;

use domain::{BatchRowStatus, TestMailStatus, Timestamp};
use entity::{
    announcement, api_key, batch, batch_row, event, idempotency_key, suppression, template,
    test_mail,
};
use sea_orm::prelude::{Json, Uuid};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter,
    QuerySelect, Set,
};

use super::erase::STRANGER;
use super::found::{self, Found};
use super::person::{NOBODY, Person};
use super::{anonymous, rows};
use crate::store::{Result, bulk, suppress};

/// Why a row of a batch invites nobody, for programs.
const CODE: &str = "erased";

/// What keeps the person from getting mail stays in force and names nobody.
pub(super) async fn suppressions(tx: &DatabaseTransaction, found: &Found) -> Result<u64> {
    let is_erased = |row: &&suppression::Model| row.email_normalized.starts_with(suppress::ERASED);
    let erased: BTreeSet<Uuid> =
        found.suppressions.iter().filter(is_erased).map(|row| row.organization_id).collect();
    let mut changed = 0;
    for row in found.suppressions.iter().filter(|row| !is_erased(row)) {
        let own = suppression::Column::Id.eq(row.id);
        if erased.contains(&row.organization_id) {
            suppression::Entity::delete_many().filter(own).exec(tx).await?;
        } else {
            let [_, key] = suppress::keys(row.organization_id, &row.email_normalized);
            suppression::Entity::update_many()
                .set(suppression::ActiveModel { email_normalized: Set(key), ..Default::default() })
                .filter(own)
                .exec(tx)
                .await?;
        }
        changed += 1;
    }
    Ok(changed)
}

/// Rows that have invited somebody still say so; the others never will, not by a retry either.
pub(super) async fn batch_rows(
    tx: &DatabaseTransaction,
    now: Timestamp,
    found: &Found,
) -> Result<u64> {
    let ended = [BatchRowStatus::Created, BatchRowStatus::Pending, BatchRowStatus::Member];
    let ended = ended.map(BatchRowStatus::as_str);
    let (ended, others): (Vec<_>, Vec<_>) =
        found.batch_rows.iter().partition(|row| ended.contains(&row.status.as_str()));
    let nobody = batch_row::ActiveModel {
        email: Set(NOBODY.to_owned()),
        wanted: Set(None),
        detail: Set(None),
        updated_at: Set(now),
        ..Default::default()
    };
    let invites_nobody = batch_row::ActiveModel {
        status: Set(BatchRowStatus::Invalid.as_str().to_owned()),
        code: Set(Some(CODE.to_owned())),
        detail: Set(Some("the person was erased, and is not invited".to_owned())),
        ..nobody.clone()
    };
    for (rows, change) in [(ended, nobody), (others, invites_nobody)] {
        let ids = rows.iter().map(|row| row.id).collect();
        batch_row::Entity::update_many()
            .set(change)
            .filter(bulk::is_any(tx, batch_row::Column::Id, ids))
            .exec(tx)
            .await?;
    }
    Ok(found.batch_rows.len() as u64)
}

/// A repeated request still gets its answer, without the person. Where the key itself names them,
/// nothing can be kept.
pub(super) async fn answers(tx: &DatabaseTransaction, found: &Found) -> Result<u64> {
    for row in &found.answers {
        let id = (row.organization_id, row.route.clone(), row.key.clone());
        if found.person.is_in_key(&row.key) {
            idempotency_key::Entity::delete_by_id(id).exec(tx).await?;
            continue;
        }
        let body = without(&found.person, &row.body);
        idempotency_key::Entity::update_many()
            .set(idempotency_key::ActiveModel { body: Set(body), ..Default::default() })
            .filter(idempotency_key::Column::OrganizationId.eq(id.0))
            .filter(idempotency_key::Column::Route.eq(id.1))
            .filter(idempotency_key::Column::Key.eq(id.2))
            .exec(tx)
            .await?;
    }
    Ok(found.answers.len() as u64)
}

/// JSON, or any other text, without the person.
fn without(person: &Person, text: &str) -> String {
    if let Ok(mut json) = serde_json::from_str::<Json>(text) {
        person.take_out_of(&mut json);
        return json.to_string();
    }
    person.taken_out_of(text).unwrap_or_else(|| text.to_owned())
}

/// Mails that went to the address before their invitations got another one, and what was told of these.
/// Gives how many announcements were changed.
pub(super) async fn former_mails(tx: &DatabaseTransaction, found: &Found) -> Result<u64> {
    let mails = found.former.iter().map(|row| row.id).collect();
    anonymous::mails_of_nobody(tx, mails).await?;
    let invitations: BTreeSet<Uuid> = found.former.iter().map(|row| row.invitation_id).collect();
    let events: Vec<Uuid> = event::Entity::find()
        .select_only()
        .column(event::Column::Id)
        .filter(bulk::is_any(tx, event::Column::InvitationId, invitations.into_iter().collect()))
        .into_tuple()
        .all(tx)
        .await?;
    let told = announcement::Entity::find()
        .filter(bulk::is_any(tx, announcement::Column::EventId, events))
        .all(tx)
        .await?;
    let mut changed = 0;
    for row in told.iter().filter(|row| found.person.is_named_in(&row.data)) {
        let data = without(&found.person, &row.data);
        anonymous::rewrite(tx, row.event_id, data).await?;
        changed += 1;
    }
    Ok(changed)
}

/// They are kept for a day only, and nothing depends on them. Those that a worker has in hand stay.
pub(super) async fn test_mails(tx: &DatabaseTransaction, found: &Found) -> Result<u64> {
    let ids = found.test_mails.iter().map(|row| row.id).collect();
    // Looked at here, once more: a worker may have taken one since it was found.
    let unsent = test_mail::Column::Status.ne(TestMailStatus::Sending.as_str());
    let theirs = bulk::is_any(tx, test_mail::Column::Id, ids).and(unsent);
    Ok(test_mail::Entity::delete_many().filter(theirs).exec(tx).await?.rows_affected)
}

/// Where the person acted by a token whose subject is their address, and keys that are called by it.
pub(super) async fn actors(tx: &DatabaseTransaction, found: &Found) -> Result<()> {
    let deeds = found.deeds.iter().map(|row| row.id).collect();
    event::Entity::update_many()
        .set(event::ActiveModel { actor: Set(STRANGER.to_owned()), ..Default::default() })
        .filter(bulk::is_any(tx, event::Column::Id, deeds))
        .exec(tx)
        .await?;
    template::Entity::update_many()
        .set(template::ActiveModel { actor: Set(STRANGER.to_owned()), ..Default::default() })
        .filter(bulk::is_any(tx, template::Column::OrganizationId, found.organizations.clone()))
        .filter(rows::is(template::Column::Actor, &found::as_strangers(&found.person)))
        .exec(tx)
        .await?;
    let backend = tx.get_database_backend();
    let theirs = batch::Entity::find()
        .filter(bulk::is_any(tx, batch::Column::OrganizationId, found.organizations.clone()))
        .filter(rows::names(backend, batch::Column::Actor, &found.person.addresses()))
        .all(tx)
        .await?;
    for row in theirs {
        let actor = without(&found.person, &row.actor);
        batch::Entity::update_many()
            .set(batch::ActiveModel { actor: Set(actor), ..Default::default() })
            .filter(batch::Column::Id.eq(row.id))
            .exec(tx)
            .await?;
    }
    for row in &found.keys {
        let Some(name) = found.person.taken_out_of(&row.name) else { continue };
        api_key::Entity::update_many()
            .set(api_key::ActiveModel { name: Set(name), ..Default::default() })
            .filter(api_key::Column::Id.eq(row.id))
            .exec(tx)
            .await?;
    }
    Ok(())
}
