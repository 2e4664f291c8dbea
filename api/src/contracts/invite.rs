//! The one operation behind the contracts that invite one person.

use std::time::Duration;

use adapters::store::{
    CreateOutcome, IdempotencyKey, InvitationView, MemberView, NewInvitation, OnExisting,
    OrganizationRef,
};
use domain::{CredentialPolicy, EmailAddress, InvitationId, MembershipRole, Position};
use serde_json::{Value, json};

use crate::auth::Auth;
use crate::prefer::Preference;
use crate::problem::ApiError;
use crate::state::AppState;

/// A person who is invited now, or was before.
pub struct Answer {
    /// How the invitation stands.
    pub invitation: InvitationView,
    /// The place in the organization that it is for.
    pub member: MemberView,
    /// Whether this request had a mail sent.
    pub mailed: bool,
    /// Whether this answers the repetition of an earlier request.
    pub replayed: bool,
}

/// An invitation to `email` in which everything is as usual.
pub fn usual(email: EmailAddress, role: MembershipRole, state: &AppState) -> NewInvitation {
    NewInvitation {
        email,
        first_name: None,
        last_name: None,
        role,
        position: Position::default(),
        locale: state.locale.clone(),
        metadata: json!({}),
        expires_in: state.invitation_expires_in,
        send_at: None,
        credential: CredentialPolicy::TemporaryPassword,
        password_hash: None,
        secret: None,
        on_existing: OnExisting::Resend(state.contracts.resend_cooldown),
    }
}

/// Invites one person, or finds the pending invitation, and waits for its mail as long as
/// `preference` says, or else `wait`.
pub async fn invite(
    state: &AppState,
    auth: &Auth,
    organization: &OrganizationRef,
    new: NewInvitation,
    key: Option<IdempotencyKey>,
    (preference, wait): (Preference, Duration),
) -> Result<Answer, ApiError> {
    let outcome = state.store.create_invitation(organization, auth.actor(), new, key).await?;
    let (invitation, mailed, replayed) = match outcome {
        CreateOutcome::Created(invitation) => (*invitation, true, false),
        CreateOutcome::Pending { invitation, resent } => (*invitation, resent, false),
        CreateOutcome::Replayed(first) => (replay(state, organization, &first).await?, false, true),
        CreateOutcome::KeyReused => return Err(ApiError::IdempotencyKeyReused),
        CreateOutcome::AlreadyPending(id) => return Err(ApiError::AlreadyPending(id)),
        CreateOutcome::AlreadyMember => return Err(ApiError::AlreadyMember),
        CreateOutcome::Refused(why) => return Err(ApiError::Refused(why)),
    };
    let waiting = preference.or_wait(wait);
    let invitation = waiting.settled(&state.store, organization.id, invitation).await?;
    let member = state.store.invited_member(organization.id, invitation.id).await?;
    let member = member.ok_or(ApiError::Internal)?;
    Ok(Answer { invitation, member, mailed, replayed })
}

/// The invitation of an earlier request, as it stands now.
async fn replay(
    state: &AppState,
    organization: &OrganizationRef,
    first: &str,
) -> Result<InvitationView, ApiError> {
    let first: Value = serde_json::from_str(first).map_err(|_| ApiError::Internal)?;
    let id = first.get("id").and_then(Value::as_str).and_then(|id| id.parse::<InvitationId>().ok());
    let found = state.store.invitation(organization.id, id.ok_or(ApiError::Internal)?).await?;
    Ok(found.ok_or(ApiError::NotFound)?.invitation)
}
