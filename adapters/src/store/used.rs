//! Signatures that cover a random token and not what they came with: each is good for one event.
//!
//! They stand among what is counted, which is forgotten in time.

use domain::{SecretHash, Timestamp};
use entity::tally;
use sea_orm::{EntityTrait, IntoActiveModel};

use super::{Result, Store, Verdict, bulk, insert_if_new};

const KIND: &str = "mailgun_token";

/// A token whose signature is right, and what it came with.
#[derive(Debug, Clone, Copy)]
pub struct Token {
    /// The token, of which only the hash is kept.
    pub token: SecretHash,
    /// The hash of the event.
    pub event: SecretHash,
    /// When it was signed.
    pub signed_at: Timestamp,
    /// Afterwards it counts for nothing, whatever it comes with.
    pub good_until: Timestamp,
}

impl Store {
    /// Whether a token may stand for its event: it was not used before, or for the very same one.
    pub async fn use_token(&self, token: Token) -> Result<bool> {
        self.write(move |tx, _| {
            Box::pin(async move {
                let event = bulk::hex(&token.event.to_vec());
                let row = tally::Model {
                    kind: KIND.to_owned(),
                    subject: token.token.to_vec(),
                    window_start: token.signed_at,
                    total: 1,
                    seen: Some(event.clone()),
                    forget_at: Some(token.good_until),
                };
                let key = (row.kind.clone(), row.subject.clone(), row.window_start);
                if insert_if_new(tx, row.into_active_model()).await? {
                    return Ok(Verdict::Commit(true));
                }
                let used = tally::Entity::find_by_id(key).one(tx).await?;
                Ok(Verdict::RollBack(used.is_some_and(|used| used.seen == Some(event))))
            })
        })
        .await
    }
}
