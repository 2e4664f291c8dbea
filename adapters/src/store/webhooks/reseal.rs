//! Secrets of webhooks are kept for long: each is sealed anew once its key is no longer the first one.

use domain::WebhookId;
use entity::webhook_endpoint;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};

use super::super::{Result, Store, Verdict};
use crate::seal::SealKeys;
use crate::webhooks::WebhookSecret;

impl Store {
    /// Seals with the first of `keys` what another of them has sealed, so that the others can go.
    /// Returns how many webhooks have a secret that none of them opens.
    pub async fn reseal_webhooks(&self, keys: SealKeys) -> Result<usize> {
        let rows = self.read(|db, _| {
            Box::pin(async move { Ok(webhook_endpoint::Entity::find().all(db).await?) })
        });
        let mut lost = 0;
        for row in rows.await? {
            let keys = keys.clone();
            if is_current(&keys, &row) {
                continue;
            }
            let Some(changed) = resealed(&keys, &row) else {
                lost += 1;
                continue;
            };
            self.write(move |tx, _| {
                Box::pin(async move {
                    // Not if it was replaced meanwhile.
                    webhook_endpoint::Entity::update_many()
                        .set(changed)
                        .filter(webhook_endpoint::Column::Id.eq(row.id))
                        .filter(webhook_endpoint::Column::SealedSecret.eq(row.sealed_secret))
                        .exec(tx)
                        .await?;
                    Ok(Verdict::Commit(()))
                })
            })
            .await?;
        }
        Ok(lost)
    }
}

fn is_current(keys: &SealKeys, row: &webhook_endpoint::Model) -> bool {
    let previous = row.previous_sealed_secret.as_ref();
    keys.is_first(&row.sealed_secret) && previous.is_none_or(|sealed| keys.is_first(sealed))
}

fn resealed(
    keys: &SealKeys,
    row: &webhook_endpoint::Model,
) -> Option<webhook_endpoint::ActiveModel> {
    let id = WebhookId::from_uuid(row.id);
    let anew = |sealed: &Vec<u8>| {
        let secret = WebhookSecret::open(keys, sealed, id).ok()?;
        Some(secret.seal(keys, id, &mut crate::rng()))
    };
    Some(webhook_endpoint::ActiveModel {
        sealed_secret: Set(anew(&row.sealed_secret)?),
        // One that cannot be opened would keep every request from being signed.
        previous_sealed_secret: Set(row.previous_sealed_secret.as_ref().and_then(anew)),
        ..Default::default()
    })
}
