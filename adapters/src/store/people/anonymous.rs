//! Takes the invitee out of invitations that have ended, and out of all that was written about them.
//! What stays is what is counted: that somebody was invited by whom, when, as what, and how it ended.

use domain::Timestamp;
use entity::{announcement, attempt, delivery, event, former_token, invitation};
use sea_orm::prelude::{Expr, Json, Uuid};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect, Set};
use serde_json::json;

use super::person::NOBODY;
use crate::store::{Result, bulk};

/// What an entry of the log may say of an invitation whose invitee is nobody any more. A list of what
/// stays: whatever else is written one day may tell of somebody.
const TOLD: [&str; 13] = [
    "credential",
    "delivery_id",
    "delivery_status",
    "expires_at",
    "from",
    "generation",
    "invitation_id",
    "reason",
    "role",
    "send_at",
    "sent",
    "status",
    "webhook_id",
];

/// Replies of mail servers repeat addresses.
const NO_DETAIL: &str = "not kept";

/// Makes these invitations tell of nobody; gives how many announcements were changed as well.
pub(super) async fn make(tx: &DatabaseTransaction, now: Timestamp, ids: &[Uuid]) -> Result<u64> {
    if ids.is_empty() {
        return Ok(0);
    }
    let nobody = invitation::ActiveModel {
        email: Set(NOBODY.to_owned()),
        email_normalized: Set(NOBODY.to_owned()),
        first_name: Set(None),
        last_name: Set(None),
        metadata: Set(json!({})),
        token_hash: Set(None),
        password_hash: Set(None),
        sealed: Set(None),
        anonymized_at: Set(Some(now)),
        ..Default::default()
    };
    invitation::Entity::update_many()
        .set(nobody)
        .filter(bulk::is_any(tx, invitation::Column::Id, ids.to_vec()))
        .exec(tx)
        .await?;
    former_token::Entity::delete_many()
        .filter(bulk::is_any(tx, former_token::Column::InvitationId, ids.to_vec()))
        .exec(tx)
        .await?;
    let mails: Vec<Uuid> = delivery::Entity::find()
        .select_only()
        .column(delivery::Column::Id)
        .filter(bulk::is_any(tx, delivery::Column::InvitationId, ids.to_vec()))
        .into_tuple()
        .all(tx)
        .await?;
    mails_of_nobody(tx, mails).await?;
    announcements(tx, events(tx, ids).await?).await
}

/// Takes out of mails to whom they went, and what was said of it.
pub(super) async fn mails_of_nobody(tx: &DatabaseTransaction, ids: Vec<Uuid>) -> Result<()> {
    // An empty recipient would mean the invitation's own.
    delivery::Entity::update_many()
        .col_expr(delivery::Column::Recipient, Expr::val(NOBODY))
        .filter(bulk::is_any(tx, delivery::Column::Id, ids.clone()))
        .filter(delivery::Column::Recipient.is_not_null())
        .exec(tx)
        .await?;
    delivery::Entity::update_many()
        .set(delivery::ActiveModel { detail: Set(None), ..Default::default() })
        .filter(bulk::is_any(tx, delivery::Column::Id, ids.clone()))
        .filter(delivery::Column::Detail.is_not_null())
        .exec(tx)
        .await?;
    attempt::Entity::update_many()
        .set(attempt::ActiveModel { detail: Set(NO_DETAIL.to_owned()), ..Default::default() })
        .filter(bulk::is_any(tx, attempt::Column::DeliveryId, ids))
        .exec(tx)
        .await?;
    Ok(())
}

/// Leaves in the log what tells of nobody; gives the ids of all its entries.
async fn events(tx: &DatabaseTransaction, invitations: &[Uuid]) -> Result<Vec<Uuid>> {
    let rows = event::Entity::find()
        .filter(bulk::is_any(tx, event::Column::InvitationId, invitations.to_vec()))
        .all(tx)
        .await?;
    let mut ids = Vec::with_capacity(rows.len());
    for row in rows {
        ids.push(row.id);
        let told = told(&row.data);
        if told == row.data {
            continue;
        }
        event::Entity::update_many()
            .set(event::ActiveModel { data: Set(told), ..Default::default() })
            .filter(event::Column::Id.eq(row.id))
            .exec(tx)
            .await?;
    }
    Ok(ids)
}

fn told(data: &Json) -> Json {
    let fields = data.as_object().into_iter().flatten();
    let stays = fields.filter(|(name, _)| TOLD.contains(&name.as_str()));
    Json::Object(stays.map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// What endpoints were told of these events, or are still to be told.
async fn announcements(tx: &DatabaseTransaction, events: Vec<Uuid>) -> Result<u64> {
    let rows = announcement::Entity::find()
        .filter(bulk::is_any(tx, announcement::Column::EventId, events))
        .all(tx)
        .await?;
    let mut changed = 0;
    for row in rows {
        let told = without_invitee(&row.data);
        if told != row.data {
            rewrite(tx, row.event_id, told).await?;
            changed += 1;
        }
    }
    Ok(changed)
}

/// Lets an announcement say something else.
pub(super) async fn rewrite(tx: &DatabaseTransaction, event: Uuid, data: String) -> Result<()> {
    announcement::Entity::update_many()
        .set(announcement::ActiveModel { data: Set(data), ..Default::default() })
        .filter(announcement::Column::EventId.eq(event))
        .exec(tx)
        .await?;
    Ok(())
}

/// An invitation as the API shows it, without its invitee.
fn without_invitee(data: &str) -> String {
    let Ok(mut json) = serde_json::from_str::<Json>(data) else { return "{}".to_owned() };
    if json.get("email").is_some() {
        json["email"] = NOBODY.into();
        json["first_name"] = Json::Null;
        json["last_name"] = Json::Null;
        json["metadata"] = json!({});
    }
    if let Some(mail) = json.get_mut("delivery").filter(|mail| mail.is_object()) {
        mail["detail"] = Json::Null;
        if mail.get("recipient").is_some_and(Json::is_string) {
            mail["recipient"] = NOBODY.into();
        }
    }
    json.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_keeps_what_it_is_known_to_tell_and_nothing_else() {
        let data = json!({"role": "editor", "delivery_id": "1", "job_title": "Queen", "new": "x"});
        assert_eq!(told(&data), json!({"role": "editor", "delivery_id": "1"}));
        assert_eq!(told(&json!(null)), json!({}));
    }

    #[test]
    fn what_others_are_told_keeps_its_shape() {
        let told = json!({
            "id": "1", "email": "ann@example.com", "first_name": "Ann", "last_name": null,
            "metadata": {"a": 1}, "status": "revoked",
            "delivery": {"id": "2", "recipient": null, "detail": "ann is unknown"},
        });
        let left: Json = serde_json::from_str(&without_invitee(&told.to_string())).unwrap();
        assert_eq!(
            left,
            json!({
                "id": "1", "email": NOBODY, "first_name": null, "last_name": null,
                "metadata": {}, "status": "revoked",
                "delivery": {"id": "2", "recipient": null, "detail": null},
            })
        );
        assert_eq!(without_invitee(r#"{"total":3}"#), r#"{"total":3}"#);
        assert_eq!(without_invitee("?"), "{}");
    }
}
