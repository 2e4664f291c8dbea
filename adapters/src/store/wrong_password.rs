//! Wrong temporary passwords: after a few, the right one does not work any more.
//!
//! That locks the password of one generation of one invitation. The link in the same mail stays
//! good, and so does the next password: whoever guesses must not be able to keep anybody out.

use domain::{EmailAddress, EventKind, InvitationStatus, Timestamp};
use entity::invitation;
use sea_orm::prelude::Expr;
use sea_orm::sea_query::SimpleExpr;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter};

use super::audit::{self, By};
use super::{Result, Store, Verdict};

/// That a password is not locked; `None` if none ever is.
pub(super) fn not_locked(most: u32) -> Option<SimpleExpr> {
    (most > 0).then(|| invitation::Column::WrongPasswords.lt(most))
}

impl Store {
    /// Counts a wrong temporary password against every open invitation of that address: it was
    /// tried on all of them.
    pub async fn count_wrong_password(&self, email: EmailAddress) -> Result<()> {
        let most = self.limits.wrong_passwords;
        if most == 0 {
            return Ok(());
        }
        self.write(move |tx, now| {
            Box::pin(async move {
                let counted = count(tx, &email, most).await?;
                for row in &counted {
                    if u32::try_from(row.wrong_passwords).is_ok_and(|wrong| wrong >= most) {
                        lock(tx, now, row).await?;
                    }
                }
                let nothing = counted.is_empty();
                Ok(if nothing { Verdict::RollBack(()) } else { Verdict::Commit(()) })
            })
        })
        .await
    }
}

async fn count(
    tx: &DatabaseTransaction,
    email: &EmailAddress,
    most: u32,
) -> Result<Vec<invitation::Model>> {
    let one_more = Expr::col(invitation::Column::WrongPasswords).add(1);
    Ok(invitation::Entity::update_many()
        .col_expr(invitation::Column::WrongPasswords, one_more)
        .filter(invitation::Column::EmailNormalized.eq(email.normalized()))
        .filter(invitation::Column::Status.eq(InvitationStatus::Pending.as_str()))
        .filter(invitation::Column::PasswordHash.is_not_null())
        .filter(invitation::Column::WrongPasswords.lt(most))
        .exec_with_returning(tx)
        .await?)
}

async fn lock(tx: &DatabaseTransaction, now: Timestamp, row: &invitation::Model) -> Result<()> {
    tracing::warn!(invitation.id = %row.id, "too many wrong passwords: it is locked");
    let data = serde_json::json!({ "generation": row.secret_generation });
    audit::record(tx, now, row, EventKind::PasswordLocked, By::System, data).await
}
