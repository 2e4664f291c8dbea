//! The links of earlier mails that are still good, with the password of each: how long, and until what.
//!
//! A reminder leaves the link before it good for as long as the invitation is open. A resend leaves the
//! links before it good for an overlap, so that a mail which is late does not arrive dead.

use std::time::Duration;

use domain::{DeliveryKind, EmailAddress, LinkHash, SecretHash, Timestamp};
use entity::{former_token, invitation};
use sea_orm::prelude::{Expr, Uuid};
use sea_orm::sea_query::Query;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter,
    QueryOrder, QueryTrait, Set, UpdateMany,
};

use super::claimable::Invited;
use super::{Result, bulk, wrong_password};

/// What decides how much of an earlier mail stays good beside the one that is being made.
pub(super) struct Overlap {
    /// What the new mail is for.
    pub(super) kind: DeliveryKind,
    /// How long the links before a resend stay good; nothing does if it is zero.
    pub(super) lasts: Duration,
    /// After so many wrong passwords the right one does not count; 0 is no limit.
    pub(super) wrong_passwords: u32,
    /// Whether the new mail has a password of its own. Wrong ones are counted only if it has.
    pub(super) has_password: bool,
}

impl Overlap {
    /// What is kept of an invitation's newest mail now that another is made; `None` if nothing is.
    pub(super) fn keep(&self, now: Timestamp, row: &Invited) -> Option<former_token::ActiveModel> {
        let reminds = self.kind == DeliveryKind::Reminder;
        if !reminds && self.lasts.is_zero() {
            return None;
        }
        let token_hash = row.token_hash.clone()?;
        let valid_until = (!reminds).then(|| now + self.lasts);
        // Beside a reminder the password stays where it is.
        let password = valid_until.and_then(|until| self.password(now, until, row));
        let (password_hash, password_expires_at) = password.unzip();
        Some(former_token::ActiveModel {
            token_hash: Set(token_hash),
            invitation_id: Set(row.id),
            created_at: Set(now),
            valid_until: Set(valid_until),
            password_hash: Set(password_hash),
            password_expires_at: Set(password_expires_at),
        })
    }

    /// The invitation, if its links that are kept already must not be good for longer than that one.
    pub(super) fn ends(&self, row: &Invited) -> Option<Uuid> {
        (self.kind != DeliveryKind::Reminder && row.secret_generation > 0).then_some(row.id)
    }

    /// A password that is over or locked is not made good again.
    fn password(
        &self,
        now: Timestamp,
        until: Timestamp,
        row: &Invited,
    ) -> Option<(Vec<u8>, Timestamp)> {
        let most = i64::from(self.wrong_passwords);
        let is_locked = most > 0 && i64::from(row.wrong_passwords) >= most;
        let expires_at = row.password_expires_at.map_or(until, |at| std::cmp::min(at, until));
        let is_good = self.has_password && !is_locked && expires_at > now;
        row.password_hash.clone().filter(|_| is_good).map(|hash| (hash, expires_at))
    }
}

/// Lets all links of these invitations that are good for longer end at `until`.
pub(super) fn end_at(
    tx: &DatabaseTransaction,
    until: Timestamp,
    invitations: Vec<Uuid>,
) -> UpdateMany<former_token::Entity> {
    let valid_until = former_token::Column::ValidUntil;
    former_token::Entity::update_many()
        .set(former_token::ActiveModel { valid_until: Set(Some(until)), ..Default::default() })
        .filter(bulk::is_any(tx, former_token::Column::InvitationId, invitations))
        .filter(valid_until.is_null().or(valid_until.gt(until)))
}

/// The links of earlier mails are good no more.
pub(super) async fn forget(tx: &DatabaseTransaction, invitation: &invitation::Model) -> Result<()> {
    former_token::Entity::delete_many()
        .filter(former_token::Column::InvitationId.eq(invitation.id))
        .exec(tx)
        .await?;
    Ok(())
}

/// Deletes those whose time is over; gives how many.
pub(super) async fn forget_ended(tx: &DatabaseTransaction, now: Timestamp) -> Result<u64> {
    let ended = former_token::Entity::delete_many()
        .filter(former_token::Column::ValidUntil.lte(now))
        .exec(tx)
        .await?;
    Ok(ended.rows_affected)
}

/// The invitation that the link of an earlier mail opens.
pub(super) async fn by_token(
    db: &impl ConnectionTrait,
    now: Timestamp,
    hash: &LinkHash,
) -> Result<Option<invitation::Model>> {
    let valid_until = former_token::Column::ValidUntil;
    let link = former_token::Entity::find_by_id(hash.to_vec())
        .filter(valid_until.is_null().or(valid_until.gt(now)))
        .one(db)
        .await?;
    let Some(link) = link else { return Ok(None) };
    Ok(invitation::Entity::find_by_id(link.invitation_id).one(db).await?)
}

/// The invitation that the password of an earlier mail opens. What locks the newest password locks it
/// as well.
pub(super) async fn by_password(
    db: &impl ConnectionTrait,
    now: Timestamp,
    wrong_passwords: u32,
    email: &EmailAddress,
    hash: &SecretHash,
) -> Result<Option<invitation::Model>> {
    let its = Expr::col((former_token::Entity, former_token::Column::InvitationId))
        .eq(Expr::col((invitation::Entity, invitation::Column::Id)));
    let has_it = Query::select()
        .expr(Expr::val(1))
        .from(former_token::Entity)
        .and_where(its)
        .and_where(former_token::Column::PasswordHash.eq(hash.to_vec()))
        .and_where(former_token::Column::PasswordExpiresAt.gt(now))
        .and_where(former_token::Column::ValidUntil.gt(now))
        .to_owned();
    let found = invitation::Entity::find()
        .filter(invitation::Column::EmailNormalized.eq(email.normalized()))
        .apply_if(wrong_password::not_locked(wrong_passwords), QueryFilter::filter)
        .filter(Expr::exists(has_it))
        .order_by_desc(invitation::Column::Id);
    Ok(found.one(db).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);
    const RESEND: Overlap = Overlap {
        kind: DeliveryKind::Invitation,
        lasts: HOUR,
        wrong_passwords: 10,
        has_password: true,
    };
    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn mailed() -> Invited {
        Invited {
            id: Uuid::max(),
            email: "ann@example.com".to_owned(),
            first_name: None,
            last_name: None,
            role: "member".to_owned(),
            locale: "en".to_owned(),
            credential: "temporary_password".to_owned(),
            status: "pending".to_owned(),
            generation: 2,
            expires_at: NOW + HOUR * 24,
            secret_generation: 1,
            sealed: None,
            token_hash: Some(vec![1]),
            password_hash: Some(vec![2]),
            password_expires_at: None,
            wrong_passwords: 0,
        }
    }

    /// Until when link and password stay good; `None` in place of a moment is for ever.
    fn kept(overlap: &Overlap, row: &Invited) -> Option<(Option<Timestamp>, Option<Timestamp>)> {
        let kept = overlap.keep(NOW, row)?;
        let (hash, until) = (kept.password_hash.unwrap(), kept.password_expires_at.unwrap());
        assert_eq!(hash.is_some(), until.is_some());
        Some((kept.valid_until.unwrap(), until))
    }

    #[test]
    fn a_resend_keeps_link_and_password_for_a_while_and_a_reminder_the_link_for_ever() {
        let (row, until) = (mailed(), Some(NOW + HOUR));
        assert_eq!(kept(&RESEND, &row), Some((until, until)));
        let reminder = Overlap { kind: DeliveryKind::Reminder, has_password: false, ..RESEND };
        assert_eq!(kept(&reminder, &row), Some((None, None)));
        let off = Overlap { lasts: Duration::ZERO, ..RESEND };
        assert_eq!(kept(&off, &row), None);
        let moved = Invited { token_hash: None, ..mailed() };
        assert_eq!(kept(&RESEND, &moved), None, "what went to another address is gone");
    }

    #[test]
    fn a_password_is_never_good_for_longer_than_it_was() {
        let until = Some(NOW + HOUR);
        let only_link = Some((until, None));
        let ends = |at| Invited { password_expires_at: Some(at), ..mailed() };
        assert_eq!(kept(&RESEND, &ends(NOW + HOUR / 2)), Some((until, Some(NOW + HOUR / 2))));
        assert_eq!(kept(&RESEND, &ends(NOW + HOUR * 2)), Some((until, until)));
        assert_eq!(kept(&RESEND, &ends(NOW)), only_link);
        let guessed = |wrong_passwords| Invited { wrong_passwords, ..mailed() };
        assert_eq!(kept(&RESEND, &guessed(9)), Some((until, until)));
        assert_eq!(kept(&RESEND, &guessed(10)), only_link);
        let endless = Overlap { wrong_passwords: 0, ..RESEND };
        assert_eq!(kept(&endless, &guessed(10)), Some((until, until)));
        let link_alone = Overlap { has_password: false, ..RESEND };
        assert_eq!(kept(&link_alone, &mailed()), only_link);
    }
}
