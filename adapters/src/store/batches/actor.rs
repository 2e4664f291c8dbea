//! Who asked for a batch, kept with it: its rows are invited in their name, minutes later and perhaps by
//! another process.

use domain::{ApiKeyId, UserId};
use serde::{Deserialize, Serialize};

use super::super::{Actor, Result, convert};

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Kept {
    Key { key: ApiKeyId, user: Option<UserId> },
    Token { subject: String, user: Option<UserId> },
    Invitee { user: UserId, inviter: Option<UserId> },
}

/// For the column.
pub(super) fn written(actor: Actor) -> Result<String> {
    let kept = match actor {
        Actor::Key { key, user } => Kept::Key { key, user },
        Actor::Token { subject, user } => Kept::Token { subject, user },
        Actor::Invitee { user, inviter } => Kept::Invitee { user, inviter },
    };
    Ok(convert::json(kept)?.to_string())
}

/// From the column.
pub(super) fn read(column: &str) -> Result<Actor> {
    let kept = serde_json::from_str(column).map_err(|_| convert::inconsistent("batch", "actor"))?;
    Ok(match kept {
        Kept::Key { key, user } => Actor::Key { key, user },
        Kept::Token { subject, user } => Actor::Token { subject, user },
        Kept::Invitee { user, inviter } => Actor::Invitee { user, inviter },
    })
}
