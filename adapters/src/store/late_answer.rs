//! Answers that come too late, for the audit log.

use domain::{EventKind, InvitationId};
use entity::event;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::audit::{self, By};
use super::{Result, Store, Verdict, change};

impl Store {
    /// Notes that somebody tried to answer an invitation that has ended. Once: whoever holds a dead
    /// link can do so for ever, and the log must not grow with it.
    pub async fn note_late_answer(&self, id: InvitationId) -> Result<()> {
        self.write(move |tx, now| {
            Box::pin(async move {
                let kind = EventKind::LateAnswer;
                let Some(row) = change::locked(tx, id).await? else {
                    return Ok(Verdict::RollBack(()));
                };
                let noted = event::Entity::find()
                    .filter(event::Column::InvitationId.eq(row.id))
                    .filter(event::Column::Kind.eq(kind.as_str()));
                if noted.one(tx).await?.is_some() {
                    return Ok(Verdict::RollBack(()));
                }
                let data = serde_json::json!({ "status": row.status });
                audit::record(tx, now, &row, kind, By::Invitee, data).await?;
                Ok(Verdict::Commit(()))
            })
        })
        .await
    }
}
