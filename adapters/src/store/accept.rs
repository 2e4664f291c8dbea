//! The invitee's answer: accept or decline, by the link's token or by the temporary password.

use domain::invitation::{IllegalInvitationEvent, InvitationEvent};
use domain::{
    Branding, EmailAddress, EventKind, Generation, Invitation, InvitationId, InvitationStatus,
    LinkHash, OrganizationId, SecretHash, Timestamp, UserId,
};
use entity::{invitation, membership, organization, user};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter,
    QueryOrder, QueryTrait, Set,
};
use serde::Serialize;

use super::audit::By;
use super::{
    Result, Store, Verdict, branding, change, close, convert, former, limit, still_given, unwanted,
    wrong_password,
};

/// What the invitee got by mail.
#[derive(Debug, Clone)]
pub enum Credential {
    /// The secret part of the link.
    Token(LinkHash),
    /// The temporary password, and the address it was sent to.
    Temporary {
        /// The address.
        email: EmailAddress,
        /// The password's hash.
        hash: SecretHash,
    },
}

/// What an invitee may see of an invitation.
#[derive(Debug, Clone)]
pub struct OpenInvitation {
    /// Which one.
    pub id: InvitationId,
    /// Which of its secrets counts.
    pub generation: Generation,
    /// Which organization it is from.
    pub organization_id: OrganizationId,
    /// What that is called: on pages, by its own choice.
    pub organization_name: String,
    /// How that looks.
    pub branding: Branding,
    /// The invited address, as given.
    pub email: String,
    /// The person who invites.
    pub inviter: Option<String>,
    /// For the greeting.
    pub first_name: Option<String>,
    /// The language for the pages.
    pub locale: String,
    /// Where it stands; one whose time has passed is expired.
    pub status: InvitationStatus,
    /// Until when it can be accepted.
    pub expires_at: Timestamp,
}

/// Who joined what.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the field names are the API's own words, documented there")]
pub struct Accepted {
    pub invitation_id: InvitationId,
    pub organization_id: OrganizationId,
    pub user_id: UserId,
    pub email: String,
}

/// How an answer ended.
#[derive(Debug)]
pub enum AcceptOutcome {
    /// It is recorded.
    Done(Accepted),
    /// The same answer was recorded before.
    Again(Accepted),
    /// No invitation has this credential.
    Unknown,
    /// The invitation has ended otherwise.
    Illegal(IllegalInvitationEvent),
    /// What it gives cannot be given any more; it stays as it is.
    NotGiven,
}

/// What an invitee says.
enum Reply {
    /// Yes, with the hash of the password that they sign in with from now on.
    Accept { password_hash: String },
    /// No.
    Decline,
    /// No, and no further mail.
    Unwanted,
}

impl Store {
    /// What the holder of a link may see.
    pub async fn find_by_token(&self, token: LinkHash) -> Result<Option<OpenInvitation>> {
        self.check(Credential::Token(token)).await
    }

    /// Looks a credential up without using it: cheap, to be asked before a slow hash.
    pub async fn check(&self, credential: Credential) -> Result<Option<OpenInvitation>> {
        let most = self.limits.wrong_passwords;
        self.read(move |db, now| {
            Box::pin(async move {
                let Some(row) = find(db, now, most, &credential).await? else { return Ok(None) };
                let organization = organization::Entity::find()
                    .filter(organization::Column::Id.eq(row.organization_id))
                    .one(db)
                    .await?
                    .ok_or(convert::inconsistent("invitation", "organization_id"))?;
                let inviter = inviter_name(db, &row).await?;
                let status = match convert::invitation_status(&row.status)? {
                    InvitationStatus::Pending if row.expires_at <= now => InvitationStatus::Expired,
                    status => status,
                };
                let branding = branding::of(&organization)?;
                Ok(Some(OpenInvitation {
                    id: InvitationId::from_uuid(row.id),
                    generation: convert::count(row.secret_generation),
                    organization_id: OrganizationId::from_uuid(organization.id),
                    organization_name: branding.name.clone().unwrap_or(organization.name),
                    branding,
                    email: row.email,
                    inviter,
                    first_name: row.first_name,
                    locale: row.locale,
                    status,
                    expires_at: row.expires_at,
                }))
            })
        })
        .await
    }

    /// Accepts: sets the password (already hashed), activates the user and the membership.
    pub async fn accept(
        &self,
        credential: Credential,
        password_hash: String,
    ) -> Result<AcceptOutcome> {
        self.answer(credential, Reply::Accept { password_hash }).await
    }

    /// Declines.
    pub async fn decline(&self, credential: Credential) -> Result<AcceptOutcome> {
        self.answer(credential, Reply::Decline).await
    }

    /// Declines for somebody who did not expect to be invited: the organization's mails do not go
    /// to the address any more. Can be said after declining as well.
    pub async fn decline_unwanted(&self, credential: Credential) -> Result<AcceptOutcome> {
        self.answer(credential, Reply::Unwanted).await
    }

    async fn answer(&self, credential: Credential, reply: Reply) -> Result<AcceptOutcome> {
        let most = self.limits.wrong_passwords;
        self.write(move |tx, now| {
            Box::pin(async move {
                let Some(found) = find(tx, now, most, &credential).await? else {
                    return Ok(Verdict::RollBack(AcceptOutcome::Unknown));
                };
                let Some(row) = change::locked(tx, InvitationId::from_uuid(found.id)).await? else {
                    return Ok(Verdict::RollBack(AcceptOutcome::Unknown));
                };
                if row.user_id != found.user_id {
                    // It has got another address a moment ago, and this is about the one before.
                    return Ok(Verdict::RollBack(AcceptOutcome::Unknown));
                }
                let accepted = Accepted {
                    invitation_id: InvitationId::from_uuid(row.id),
                    organization_id: OrganizationId::from_uuid(row.organization_id),
                    user_id: UserId::from_uuid(row.user_id),
                    email: row.email.clone(),
                };
                let next = match convert::invitation(&row)?.apply(reply.event(), now) {
                    Ok(next) => next,
                    Err(illegal) if said_before(reply.event(), illegal.from) => {
                        if matches!(reply, Reply::Unwanted) {
                            unwanted::suppress(tx, now, &row).await?;
                        }
                        return Ok(Verdict::Commit(AcceptOutcome::Again(accepted)));
                    }
                    Err(illegal) => return Ok(Verdict::RollBack(AcceptOutcome::Illegal(illegal))),
                };
                if matches!(reply, Reply::Accept { .. }) && !still_given::is_given(tx, &row).await?
                {
                    return Ok(Verdict::RollBack(AcceptOutcome::NotGiven));
                }
                reply.write(tx, now, row, &next).await?;
                Ok(Verdict::Commit(AcceptOutcome::Done(accepted)))
            })
        })
        .await
    }
}

impl Reply {
    const fn event(&self) -> InvitationEvent {
        match self {
            Self::Accept { .. } => InvitationEvent::Accept,
            Self::Decline | Self::Unwanted => InvitationEvent::Decline,
        }
    }

    /// Ends the invitation so.
    async fn write(
        self,
        tx: &DatabaseTransaction,
        now: Timestamp,
        row: invitation::Model,
        next: &Invitation,
    ) -> Result<()> {
        let (declined, by) = (EventKind::InvitationDeclined, By::Invitee);
        match self {
            Self::Accept { password_hash } => {
                activate(tx, now, &row, password_hash).await?;
                let kind = EventKind::InvitationAccepted;
                let row = close::close(tx, now, row, next, kind, by).await?;
                limit::count_accepted(tx, now, &row).await
            }
            Self::Decline => close::close(tx, now, row, next, declined, by).await.map(drop),
            Self::Unwanted => {
                let row = close::close(tx, now, row, next, declined, by).await?;
                unwanted::suppress(tx, now, &row).await
            }
        }
    }
}

fn said_before(answer: InvitationEvent, status: InvitationStatus) -> bool {
    matches!(
        (answer, status),
        (InvitationEvent::Accept, InvitationStatus::Accepted)
            | (InvitationEvent::Decline, InvitationStatus::Declined)
    )
}

async fn find(
    db: &impl ConnectionTrait,
    now: Timestamp,
    wrong_passwords: u32,
    credential: &Credential,
) -> Result<Option<invitation::Model>> {
    let query = invitation::Entity::find();
    let query = match credential {
        Credential::Token(hash) => query.filter(invitation::Column::TokenHash.eq(hash.to_vec())),
        Credential::Temporary { email, hash } => query
            .filter(invitation::Column::EmailNormalized.eq(email.normalized()))
            .filter(invitation::Column::PasswordHash.eq(hash.to_vec()))
            .apply_if(wrong_password::not_locked(wrong_passwords), QueryFilter::filter)
            .filter(
                invitation::Column::PasswordExpiresAt
                    .is_null()
                    .or(invitation::Column::PasswordExpiresAt.gt(now)),
            ),
    };
    let found = query.order_by_desc(invitation::Column::Id).one(db).await?;
    match credential {
        _ if found.is_some() => Ok(found),
        Credential::Token(hash) => former::by_token(db, now, hash).await,
        Credential::Temporary { email, hash } => {
            former::by_password(db, now, wrong_passwords, email, hash).await
        }
    }
}

async fn activate(
    tx: &DatabaseTransaction,
    now: Timestamp,
    row: &invitation::Model,
    password_hash: String,
) -> Result<()> {
    user::Entity::update_many()
        .set(user::ActiveModel {
            status: Set("active".to_owned()),
            password_hash: Set(Some(password_hash)),
            must_change_password: Set(false),
            updated_at: Set(now),
            ..Default::default()
        })
        .filter(user::Column::Id.eq(row.user_id))
        .exec(tx)
        .await?;
    membership::Entity::update_many()
        .set(membership::ActiveModel {
            status: Set("active".to_owned()),
            role: Set(row.role.clone()),
            updated_at: Set(now),
            ..Default::default()
        })
        .filter(membership::Column::Id.eq(row.membership_id))
        .exec(tx)
        .await?;
    Ok(())
}

/// The name of the person who invites, if they have one.
pub(super) async fn inviter_name(
    db: &impl ConnectionTrait,
    row: &invitation::Model,
) -> Result<Option<String>> {
    let Some(id) = row.inviter_id else { return Ok(None) };
    let inviter = user::Entity::find().filter(user::Column::Id.eq(id)).one(db).await?;
    Ok(inviter.as_ref().and_then(full_name))
}

/// What a user is called.
pub(super) fn full_name(user: &user::Model) -> Option<String> {
    joined(user.first_name.as_deref(), user.last_name.as_deref())
}

/// First and last name, as far as they are known.
pub(super) fn joined(first: Option<&str>, last: Option<&str>) -> Option<String> {
    let names: Vec<_> = [first, last].into_iter().flatten().collect();
    (!names.is_empty()).then(|| names.join(" "))
}
