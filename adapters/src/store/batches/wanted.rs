//! Whom a row invites, as its column keeps it.

use std::time::Duration;

use domain::{CredentialPolicy, EmailAddress, MembershipRole, Name, Position, Timestamp};
use serde::{Deserialize, Serialize};

use super::super::create::{NewInvitation, OnExisting};
use super::super::{Result, convert};

#[derive(Serialize, Deserialize)]
struct Kept {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_name: Option<String>,
    role: String,
    locale: String,
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    metadata: serde_json::Value,
    expires_in: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    send_at: Option<Timestamp>,
    on_existing: Wish,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Wish {
    Error,
    Ignore,
    Replace,
    /// After so many seconds.
    Resend(u64),
}

/// For the column. A batch has no passwords of its own choice and no secrets made early.
pub(super) fn written(new: &NewInvitation) -> Result<String> {
    let text = |name: &Option<Name>| name.as_ref().map(|name| name.as_str().to_owned());
    let kept = Kept {
        first_name: text(&new.first_name),
        last_name: text(&new.last_name),
        role: new.role.as_str().to_owned(),
        locale: new.locale.clone(),
        metadata: new.metadata.clone(),
        expires_in: new.expires_in.as_secs(),
        send_at: new.send_at,
        on_existing: match new.on_existing {
            OnExisting::Error => Wish::Error,
            OnExisting::Ignore => Wish::Ignore,
            OnExisting::Replace => Wish::Replace,
            OnExisting::Resend(after) => Wish::Resend(after.as_secs()),
        },
    };
    Ok(convert::json(kept)?.to_string())
}

/// From the columns.
pub(super) fn read(email: &str, column: Option<&str>) -> Result<NewInvitation> {
    let wrong = || convert::inconsistent("batch_row", "wanted");
    let kept: Kept = column.and_then(|text| serde_json::from_str(text).ok()).ok_or_else(wrong)?;
    let name = |text: Option<String>| text.map(|text| Name::parse(&text)).transpose();
    Ok(NewInvitation {
        email: EmailAddress::parse(email)
            .map_err(|_| convert::inconsistent("batch_row", "email"))?,
        first_name: name(kept.first_name).map_err(|_| wrong())?,
        last_name: name(kept.last_name).map_err(|_| wrong())?,
        role: MembershipRole::parse(&kept.role).map_err(|_| wrong())?,
        position: Position::default(),
        locale: kept.locale,
        metadata: kept.metadata,
        expires_in: Duration::from_secs(kept.expires_in),
        send_at: kept.send_at,
        credential: CredentialPolicy::TemporaryPassword,
        password_hash: None,
        secret: None,
        on_existing: match kept.on_existing {
            Wish::Error => OnExisting::Error,
            Wish::Ignore => OnExisting::Ignore,
            Wish::Replace => OnExisting::Replace,
            Wish::Resend(after) => OnExisting::Resend(Duration::from_secs(after)),
        },
    })
}
