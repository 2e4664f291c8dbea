//! The temporary password in the answer: either the mail brings it or the answer does, unless the
//! operator wants both or neither.

use adapters::secret::{Owner, Secret};
use adapters::settings::AnswerPassword;
use adapters::store::{EarlySecret, NewInvitation};
use domain::{DeliveryStatus, InvitationId, TemporaryPassword};
use zeroize::Zeroizing;

use crate::auth::Auth;
use crate::contracts::invite::Answer;
use crate::problem::ApiError;
use crate::state::AppState;

/// Makes the secret now instead of leaving it to a worker, if the answer is always to have it.
pub fn known_early(
    state: &AppState,
    new: &mut NewInvitation,
) -> Result<Option<(InvitationId, TemporaryPassword)>, ApiError> {
    if state.contracts.jobsim.temporary_password != AnswerPassword::Always {
        return Ok(None);
    }
    let keys = state.seal.as_ref().ok_or(ApiError::Internal)?;
    let (now, rng) = (state.store.clock().now(), &mut adapters::rng());
    let invitation = InvitationId::new(now, rng);
    let secret = Secret::generate(new.credential, now, rng);
    let stored = secret.stored(keys, Owner { invitation, generation: 1 }, rng);
    new.secret = Some(EarlySecret { invitation, secret: stored });
    Ok(secret.password.map(|password| (invitation, password)))
}

/// The password that the answer holds, if it holds any.
pub async fn for_the_caller(
    state: &AppState,
    auth: &Auth,
    answer: &Answer,
    early: Option<(InvitationId, TemporaryPassword)>,
) -> Result<Option<Zeroizing<String>>, ApiError> {
    let invitation = &answer.invitation;
    if state.contracts.jobsim.temporary_password == AnswerPassword::Never {
        return Ok(None);
    }
    // The one made for this request is the invitation's only if the invitation is new.
    if let Some((id, password)) = early
        && id == invitation.id
    {
        return Ok(Some(password.grouped()));
    }
    let unmailed = matches!(
        invitation.delivery.status,
        DeliveryStatus::Failed | DeliveryStatus::Suppressed | DeliveryStatus::Cancelled
    );
    if !unmailed {
        return Ok(None);
    }
    let password = TemporaryPassword::generate(&mut adapters::rng());
    let (organization, id) = (invitation.organization_id, invitation.id);
    let issued = state
        .store
        .issue_password(organization, auth.actor(), id, password.hash(), state.password_valid_for)
        .await?;
    Ok(issued.then(|| password.grouped()))
}
