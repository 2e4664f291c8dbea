//! `welcomat invitations accept` and `decline`: the invitee's answer, with the secrets on standard
//! input, where neither other users of the machine nor the shell's history see them.

use serde_json::json;
use zeroize::Zeroizing;

use crate::client::stdin::read_secrets;
use crate::client::table::{Column, Shape};
use crate::client::{ClientError, Session};

const ANSWER: Shape = Shape {
    id: "/invitation_id",
    columns: &[
        Column::state("STATUS", "/status"),
        Column::whole("INVITATION", "/invitation_id"),
        Column::whole("ORGANIZATION", "/organization_id"),
        Column::whole("USER", "/user_id"),
        Column::text("EMAIL", "/email"),
    ],
};
const DECLINED: Shape = Shape {
    id: "/invitation_id",
    columns: &[Column::state("STATUS", "/status"), Column::whole("INVITATION", "/invitation_id")],
};

/// Joins with the password on the second line.
pub fn accept(session: &Session) -> Result<(), ClientError> {
    let [token, password] = read_secrets(["the token of the link", "the new password"])?;
    let body = json!({ "token": bare(&token), "password": password.as_str() });
    let answer = session.api.post(&["v1", "invitations", "accept"], &body)?.body;
    session.output.object(&answer, &ANSWER)
}

/// Says no.
pub fn decline(session: &Session) -> Result<(), ClientError> {
    let [token] = read_secrets(["the token of the link"])?;
    let body = json!({ "token": bare(&token) });
    let answer = session.api.post(&["v1", "invitations", "decline"], &body)?.body;
    session.output.object(&answer, &DECLINED)
}

/// The token alone: people copy whole links.
fn bare(token: &Zeroizing<String>) -> &str {
    token.rsplit('/').next().unwrap_or(token)
}
