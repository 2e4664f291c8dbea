//! What this contract answers: the page's schema, every key of it.

use adapters::store::OrganizationRef;
use chrono::SecondsFormat;
use domain::{Permissions, Timestamp};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::contracts::invite::Answer;

/// The whole answer.
#[derive(Serialize, ToSchema)]
#[schema(as = UsersOrganizationsInvited)]
pub struct Response {
    /// The invited person's place in the organization.
    data: Place,
}

/// The invited person's place in the organization.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = UsersOrganizationsPlace)]
struct Place {
    /// The invited person's number.
    #[schema(minimum = 1, example = 7)]
    user_id: i64,
    /// The organization's number.
    #[schema(minimum = 1, example = 1)]
    organization_id: i64,
    /// As first recorded; null only for a person who was invited in another way, without one.
    #[schema(example = 1)]
    scope: Option<i32>,
    /// As first recorded.
    permissions: Permissions,
    /// When the person was removed; null for anybody else.
    #[serde(serialize_with = "optional_milliseconds")]
    #[schema(value_type = Option<DateTime<Utc>>, example = json!(null))]
    deleted_at: Option<Timestamp>,
    /// When it last changed, in milliseconds.
    #[serde(serialize_with = "milliseconds")]
    #[schema(value_type = DateTime<Utc>, example = "2026-11-24T09:31:10.557Z")]
    updated_at: Timestamp,
    /// When the person was first invited, in milliseconds.
    #[serde(serialize_with = "milliseconds")]
    #[schema(value_type = DateTime<Utc>, example = "2026-11-24T09:31:10.557Z")]
    created_at: Timestamp,
}

/// Says how things stand.
pub fn body(answer: &Answer, organization: &OrganizationRef) -> Response {
    let member = &answer.member;
    Response {
        data: Place {
            user_id: member.user_number,
            organization_id: organization.number,
            scope: member.position.scope,
            permissions: member.position.permissions.clone().unwrap_or_default(),
            deleted_at: member.deleted_at,
            updated_at: member.updated_at,
            created_at: member.created_at,
        },
    }
}

fn milliseconds<S: Serializer>(time: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&time.to_rfc3339_opts(SecondsFormat::Millis, true))
}

#[expect(clippy::ref_option, reason = "serde passes the field itself")]
fn optional_milliseconds<S: Serializer>(
    time: &Option<Timestamp>,
    to: S,
) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => milliseconds(time, to),
        None => to.serialize_none(),
    }
}
