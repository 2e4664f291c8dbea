//! Recording one invitation: everything of it and the intent to mail it, or nothing.

use std::sync::Arc;
use std::time::Duration;

use domain::{
    CredentialPolicy, EmailAddress, InvitationId, MembershipRole, Name, OrganizationId,
    OrganizationPolicy, Position, SendRefusal, Timestamp,
};
use sea_orm::DatabaseTransaction;

use crate::failpoint;
use crate::trace;

use super::idempotency::{self, Earlier, IdempotencyKey};
use super::intake::{self, Asked};
use super::invite::{self, Invited, Inviting};
use super::seats::Seats;
use super::view::InvitationView;
use super::{Actor, NewSecret, OrganizationRef, Result, Store, StoreError, Verdict, limit};

/// What a caller asks for.
#[derive(Debug, Clone)]
pub struct NewInvitation {
    /// Whom to invite.
    pub email: EmailAddress,
    /// For the greeting.
    pub first_name: Option<Name>,
    /// For the address line.
    pub last_name: Option<Name>,
    /// What the invitee will be.
    pub role: MembershipRole,
    /// The same in the product's own words.
    pub position: Position,
    /// The language of the mail and the pages.
    pub locale: String,
    /// Kept for the caller, never looked into.
    pub metadata: serde_json::Value,
    /// How long the invitation can be accepted, counted from its mail's moment.
    pub expires_in: Duration,
    /// When its mail is to go out; now without it.
    pub send_at: Option<Timestamp>,
    /// What the mail lets the invitee in with.
    pub credential: CredentialPolicy,
    /// The hash of a password that the inviter has chosen; for a user who has none yet.
    pub password_hash: Option<String>,
    /// A secret made before the invitation, for a caller who must know it.
    pub secret: Option<EarlySecret>,
    /// What to do about a pending invitation to the same address.
    pub on_existing: OnExisting,
}

/// A secret that was made and sealed for an invitation that does not exist yet.
#[derive(Debug, Clone)]
pub struct EarlySecret {
    /// The id that the invitation gets: the secret is sealed for it.
    pub invitation: InvitationId,
    /// The secret of its first generation.
    pub secret: NewSecret,
}

/// What to do when the address has a pending invitation already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnExisting {
    /// Refuse.
    Error,
    /// Answer with the pending one.
    Ignore,
    /// Revoke the pending one and invite anew.
    Replace,
    /// Answer with the pending one, and send its mail again if the last one is settled and at least
    /// this old, and if no limit stands in the way.
    Resend(Duration),
}

/// How a request to create ended.
#[derive(Debug)]
pub enum CreateOutcome {
    /// The invitation is recorded and its mail will be sent.
    Created(Box<InvitationView>),
    /// The address has an open invitation, which is the answer.
    Pending {
        /// How it stands.
        invitation: Box<InvitationView>,
        /// Whether its mail is sent again.
        resent: bool,
    },
    /// The same request was answered before, with this JSON body.
    Replayed(String),
    /// The idempotency key belongs to a different request.
    KeyReused,
    /// The address has this open invitation to the organization.
    AlreadyPending(InvitationId),
    /// The address belongs to an active member.
    AlreadyMember,
    /// A mail must not be sent, or not now, so nothing was recorded.
    Refused(SendRefusal),
}

/// How one try ended.
enum Tried {
    Ended(CreateOutcome),
    /// Another request for the same address was faster: then it is there to be seen.
    Overtaken,
    /// There is a pending invitation, whose mail must not be sent again now.
    NotAgain,
}

/// A rival for the same address is seen once it has committed; there cannot be many.
const TRIES: usize = 3;

impl Store {
    /// Records an invitation and the intent to mail it, in one transaction, which it may share with
    /// others that are asked for at the same time.
    pub async fn create_invitation(
        &self,
        organization: &OrganizationRef,
        actor: Actor,
        new: NewInvitation,
        key: Option<IdempotencyKey>,
    ) -> Result<CreateOutcome> {
        let inviting = self.inviting(organization.id, actor, organization.policy.clone());
        let asked = Asked { inviting, new, key, trace: trace::carried() };
        if asked.new.password_hash.is_some() || asked.inviting.has_to_decide(&asked.new) {
            // Whose password may be set is a decision too.
            return self.create_alone(&asked).await;
        }
        let store = self.clone();
        let create = move |calls| intake::create(store.clone(), calls);
        self.gatherings.creates.call(&self.runtime, Arc::new(asked), create).await?
    }

    /// The same in a transaction that it has for itself.
    pub(super) async fn create_alone(&self, asked: &Asked) -> Result<CreateOutcome> {
        let organization = asked.inviting.organization;
        let mut wanted = asked.new.clone();
        for _ in 0..TRIES {
            let (inviting, new) = (asked.inviting.clone(), wanted.clone());
            let key = asked.key.clone();
            let outcome = self
                .write(move |tx, now| {
                    Box::pin(async move { create(tx, now, &inviting, &new, key.as_ref()).await })
                })
                .await?;
            failpoint::reach("create.after_commit").await;
            let outcome = match outcome {
                Tried::Ended(outcome) => outcome,
                Tried::Overtaken => continue,
                Tried::NotAgain => {
                    wanted.on_existing = OnExisting::Ignore;
                    continue;
                }
            };
            if matches!(outcome, CreateOutcome::Created(_)) {
                self.metrics.created(1);
            }
            match &outcome {
                CreateOutcome::Created(_) | CreateOutcome::Pending { resent: true, .. } => {
                    self.outlet.wake();
                }
                CreateOutcome::Refused(SendRefusal::Paused) => {
                    self.pause_sending(organization).await?;
                }
                _ => {}
            }
            return Ok(outcome);
        }
        Err(StoreError::Busy)
    }
}

async fn create(
    tx: &DatabaseTransaction,
    now: Timestamp,
    inviting: &Inviting,
    new: &NewInvitation,
    key: Option<&IdempotencyKey>,
) -> Result<Verdict<Tried>> {
    let mut seats = Seats::lock(tx, now, inviting).await?;
    if let Some(key) = key
        && let Some(earlier) = idempotency::claim(tx, now, inviting.organization, key).await?
    {
        return Ok(Verdict::RollBack(Tried::Ended(earlier.into())));
    }
    let mut mails = Vec::new();
    let outcome = match invite::invite(tx, now, inviting, new, &mut seats, &mut mails).await? {
        Invited::New(invitation) => CreateOutcome::Created(invitation),
        Invited::Pending { invitation, resent } => CreateOutcome::Pending { invitation, resent },
        Invited::Refused(id) => {
            return Ok(Verdict::RollBack(Tried::Ended(CreateOutcome::AlreadyPending(id))));
        }
        Invited::Member => {
            return Ok(Verdict::RollBack(Tried::Ended(CreateOutcome::AlreadyMember)));
        }
        Invited::NotAllowed(why) => {
            let refused = CreateOutcome::Refused(SendRefusal::Policy(why));
            return Ok(Verdict::RollBack(Tried::Ended(refused)));
        }
        Invited::Overtaken => return Ok(Verdict::RollBack(Tried::Overtaken)),
    };
    if let (
        Some(key),
        CreateOutcome::Created(view) | CreateOutcome::Pending { invitation: view, .. },
    ) = (key, &outcome)
    {
        idempotency::keep_answer(tx, inviting.organization, key, view).await?;
    }
    if let Some(refused) = limit::count(tx, now, &inviting.limits, &mails).await?.first() {
        return Ok(Verdict::RollBack(match outcome {
            CreateOutcome::Pending { .. } => Tried::NotAgain,
            _ => Tried::Ended(CreateOutcome::Refused(refused.why)),
        }));
    }
    failpoint::reach("create.before_commit").await;
    Ok(Verdict::Commit(Tried::Ended(outcome)))
}

impl Store {
    /// For whom and how invitations are made now.
    pub(super) fn inviting(
        &self,
        organization: OrganizationId,
        actor: Actor,
        rules: Option<Arc<OrganizationPolicy>>,
    ) -> Inviting {
        let (policy, limits) = (self.policy.clone(), Arc::clone(&self.limits));
        Inviting { organization, actor, policy, limits, rules }
    }
}

impl From<Earlier> for CreateOutcome {
    fn from(earlier: Earlier) -> Self {
        match earlier {
            Earlier::Answer(body) => Self::Replayed(body),
            Earlier::OtherRequest => Self::KeyReused,
        }
    }
}
