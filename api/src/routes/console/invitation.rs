//! `/console/{organization}/invitations/{invitation}`: one, and what can be done about it.

use std::str::FromStr;

use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use adapters::templates::ConsolePage;
use chrono::TimeDelta;
use domain::{InvitationId, InvitationStatus, OrganizationId};

use super::{Nothing, Signed, Visitor, done, page};
use crate::problem::ApiError;
use crate::routes::invitations::changed;
use crate::state::State;

type InPath = Path<(String, String)>;

const WEEK: TimeDelta = TimeDelta::days(7);

/// Shows it with everything that happened to it.
pub async fn show(
    visitor: Visitor,
    state: State,
    request: HttpRequest,
    path: InPath,
) -> Result<HttpResponse, ApiError> {
    let organization = visitor.organization(&state, &path.0).await?;
    let found = state.store.invitation(organization.id, id_in(&path)?).await?;
    let invitation = found.ok_or(ApiError::NotFound)?;
    let pending = invitation.invitation.status == InvitationStatus::Pending;
    let shown = ConsolePage::Invitation { invitation: &invitation, pending };
    page(&state, &request, &visitor, Some(&organization), &shown)
}

/// Sends a new mail with a new secret.
pub async fn resend(
    state: State,
    path: InPath,
    form: Signed<Nothing>,
) -> Result<HttpResponse, ApiError> {
    let (organization, id) = named(&state, &form, &path).await?;
    changed(state.store.resend(organization, form.visitor.auth.actor(), id).await?)?;
    Ok(back(&state, organization, id, "resent"))
}

/// Lets it be good for a week longer, or for a week from now if that is later.
pub async fn extend(
    state: State,
    path: InPath,
    form: Signed<Nothing>,
) -> Result<HttpResponse, ApiError> {
    let (organization, id) = named(&state, &form, &path).await?;
    let found = state.store.invitation(organization, id).await?.ok_or(ApiError::NotFound)?;
    let until = found.invitation.expires_at.max(state.store.clock().now()) + WEEK;
    changed(state.store.extend(organization, form.visitor.auth.actor(), id, until).await?)?;
    Ok(back(&state, organization, id, "extended"))
}

/// Takes it back.
pub async fn revoke(
    state: State,
    path: InPath,
    form: Signed<Nothing>,
) -> Result<HttpResponse, ApiError> {
    let (organization, id) = named(&state, &form, &path).await?;
    changed(state.store.revoke(organization, form.visitor.auth.actor(), id).await?)?;
    Ok(back(&state, organization, id, "revoked"))
}

async fn named(
    state: &State,
    form: &Signed<Nothing>,
    path: &InPath,
) -> Result<(OrganizationId, InvitationId), ApiError> {
    let organization = form.visitor.organization(state, &path.0).await?;
    Ok((organization.id, id_in(path)?))
}

fn id_in(path: &InPath) -> Result<InvitationId, ApiError> {
    InvitationId::from_str(&path.1).map_err(|_| ApiError::NotFound)
}

fn back(state: &State, organization: OrganizationId, id: InvitationId, word: &str) -> HttpResponse {
    done(state, &format!("/{organization}/invitations/{id}"), word)
}
