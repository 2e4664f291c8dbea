//! The first opening of an invitation's link, for whoever wants to know.

use domain::{EventKind, Generation, InvitationId, InvitationStatus};
use entity::event;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use super::audit::{self, By};
use super::{Result, Store, Verdict, change, convert};

impl Store {
    /// Notes that the page of a pending invitation was asked for with the link of this generation.
    /// Once: whoever holds the link, be it a program that reads mails, can do so for ever. The
    /// invitation itself does not change.
    pub async fn note_opened_page(&self, id: InvitationId, generation: Generation) -> Result<()> {
        // Most openings are not the first: they need no transaction that writes.
        let noted =
            self.read(move |db, _| Box::pin(async move { is_noted(db, id, generation).await }));
        if noted.await? {
            return Ok(());
        }
        self.write(move |tx, now| {
            Box::pin(async move {
                let row = change::locked(tx, id).await?;
                let row = row.filter(|row| {
                    row.status == InvitationStatus::Pending.as_str()
                        && convert::count(row.secret_generation) == generation
                });
                let Some(row) = row else { return Ok(Verdict::RollBack(())) };
                if is_noted(tx, id, generation).await? {
                    return Ok(Verdict::RollBack(()));
                }
                let data = serde_json::json!({ "generation": generation });
                audit::record(tx, now, &row, EventKind::OpenedPage, By::Invitee, data).await?;
                Ok(Verdict::Commit(()))
            })
        })
        .await
    }
}

async fn is_noted(
    db: &impl ConnectionTrait,
    id: InvitationId,
    generation: Generation,
) -> Result<bool> {
    let noted = event::Entity::find()
        .filter(event::Column::InvitationId.eq(id.uuid()))
        .filter(event::Column::Kind.eq(EventKind::OpenedPage.as_str()))
        .all(db)
        .await?;
    Ok(noted.iter().any(|row| row.data["generation"] == generation))
}
