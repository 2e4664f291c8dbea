//! A temporary password for an invitee who gets no mail: the caller hands it over.

use std::time::Duration;

use domain::{EventKind, InvitationId, InvitationStatus, OrganizationId, SecretHash};
use entity::invitation;
use sea_orm::Set;

use super::{Actor, Result, Store, Verdict, audit, change, close, convert};

impl Store {
    /// Makes `hash` that of the invitation's temporary password, for `valid_for` from now.
    ///
    /// Only while the invitation is pending and its mail is settled without having been sent:
    /// either a mail carries the password or an answer does, never both. `false` otherwise.
    pub async fn issue_password(
        &self,
        organization: OrganizationId,
        actor: Actor,
        id: InvitationId,
        hash: SecretHash,
        valid_for: Duration,
    ) -> Result<bool> {
        self.write(move |tx, now| {
            Box::pin(async move {
                let found = change::locked(tx, id).await?;
                let Some(row) = found.filter(|row| row.organization_id == organization.uuid())
                else {
                    return Ok(Verdict::RollBack(false));
                };
                let last = change::current_delivery(tx, &row).await?;
                let mail = convert::delivery_status(&last.status)?;
                let pending = row.status == InvitationStatus::Pending.as_str();
                if !pending || !mail.is_settled() || mail.was_sent() {
                    return Ok(Verdict::RollBack(false));
                }
                let issued = invitation::ActiveModel {
                    password_hash: Set(Some(hash.to_vec())),
                    password_expires_at: Set(Some(row.expires_at.min(now + valid_for))),
                    wrong_passwords: Set(0),
                    updated_at: Set(now),
                    ..Default::default()
                };
                close::compare_and_set(tx, &row, issued).await?;
                let data = serde_json::json!({ "delivery_status": mail });
                let kind = EventKind::PasswordIssued;
                audit::record(tx, now, &row, kind, actor.into(), data).await?;
                Ok(Verdict::Commit(true))
            })
        })
        .await
    }
}
