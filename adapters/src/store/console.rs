//! Who is signed in to the console: a session stands for the API key that it was opened with, and is
//! worth nothing once that is revoked.

use std::time::Duration;

use domain::{ApiKeyId, SecretHash};
use entity::{api_key, console_session};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};

use super::{Caller, Result, Store, Verdict, convert};

impl Store {
    /// Opens a session in the name of a key; it is recognized by the hash of its token.
    pub async fn open_console(
        &self,
        key: ApiKeyId,
        token: SecretHash,
        valid_for: Duration,
    ) -> Result<()> {
        self.write(move |tx, now| {
            Box::pin(async move {
                let row = console_session::Model {
                    token_hash: token.to_vec(),
                    api_key_id: key.uuid(),
                    created_at: now,
                    expires_at: now + valid_for,
                };
                let row = row.into_active_model();
                console_session::Entity::insert(row).exec_without_returning(tx).await?;
                Ok(Verdict::Commit(()))
            })
        })
        .await
    }

    /// Who is behind a session; `None` if there is none of that token, or not any more.
    pub async fn console_caller(&self, token: SecretHash) -> Result<Option<Caller>> {
        let key = self.read(move |db, now| {
            Box::pin(async move {
                let session = console_session::Entity::find_by_id(token.to_vec())
                    .filter(console_session::Column::ExpiresAt.gt(now))
                    .one(db)
                    .await?;
                let Some(session) = session else { return Ok(None) };
                let key = api_key::Entity::find_by_id(session.api_key_id).one(db).await?;
                let hash = key.map(|key| SecretHash::from_bytes(&key.key_hash));
                hash.map(|hash| hash.ok_or(convert::inconsistent("api_key", "key_hash")))
                    .transpose()
            })
        });
        match key.await? {
            Some(key) => self.authenticate(key).await,
            None => Ok(None),
        }
    }

    /// Ends a session, if there is one.
    pub async fn close_console(&self, token: SecretHash) -> Result<()> {
        self.write(move |tx, _| {
            Box::pin(async move {
                console_session::Entity::delete_by_id(token.to_vec()).exec(tx).await?;
                Ok(Verdict::Commit(()))
            })
        })
        .await
    }
}
