//! `/console/{organization}/keys`: the organization's API keys.

use std::str::FromStr;

use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use adapters::store::{NewApiKey, OrganizationRef};
use adapters::templates::{ConsolePage, TypedKey};
use domain::{ApiKeyId, KeyRole, Name, SecretHash};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::show::{again, sentence};
use super::{Nothing, Signed, Visitor, done, page};
use crate::bootstrap;
use crate::problem::{ApiError, FieldError};
use crate::state::State;

/// A key to be made.
#[derive(Deserialize)]
pub struct Wanted {
    name: String,
    role: String,
}

/// Lists them, newest first, the revoked ones too.
pub async fn list(
    visitor: Visitor,
    state: State,
    request: HttpRequest,
    organization: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let organization = visitor.organization(&state, &organization).await?;
    let keys = state.store.api_keys(Some(organization.id)).await?;
    let typed = TypedKey::default();
    let shown = ConsolePage::Keys { keys: &keys, made: None, problem: None, typed };
    page(&state, &request, &visitor, Some(&organization), &shown)
}

/// Makes one, and shows it this one time.
pub async fn create(
    state: State,
    request: HttpRequest,
    organization: Path<String>,
    form: Signed<Wanted>,
) -> Result<HttpResponse, ApiError> {
    let Signed { visitor, fields } = form;
    let organization = visitor.organization(&state, &organization).await?;
    match make(&state, &visitor, &organization, &fields).await {
        Ok(key) => {
            let keys = state.store.api_keys(Some(organization.id)).await?;
            let (made, typed) = (Some(key.as_str()), TypedKey::default());
            let shown = ConsolePage::Keys { keys: &keys, made, problem: None, typed };
            page(&state, &request, &visitor, Some(&organization), &shown)
        }
        Err(error) => {
            let keys = state.store.api_keys(Some(organization.id)).await?;
            let why = sentence(&error);
            let admin = KeyRole::parse(&fields.role) == Some(KeyRole::Admin);
            let typed = TypedKey { name: &fields.name, admin };
            let shown = ConsolePage::Keys { keys: &keys, made: None, problem: Some(&why), typed };
            again(&state, &visitor, &organization, &error, &shown)
        }
    }
}

/// Makes one worthless.
pub async fn revoke(
    state: State,
    path: Path<(String, String)>,
    form: Signed<Nothing>,
) -> Result<HttpResponse, ApiError> {
    let organization = form.visitor.organization(&state, &path.0).await?.id;
    let id = ApiKeyId::from_str(&path.1).map_err(|_| ApiError::NotFound)?;
    if state.store.revoke_api_key(Some(organization), id).await? {
        Ok(done(&state, &format!("/{organization}/keys"), "key-revoked"))
    } else {
        Err(ApiError::NotFound)
    }
}

async fn make(
    state: &State,
    visitor: &Visitor,
    organization: &OrganizationRef,
    wanted: &Wanted,
) -> Result<Zeroizing<String>, ApiError> {
    let wrong = |field, message| ApiError::Invalid(vec![FieldError::new(field, message)]);
    let name = Name::parse(&wanted.name).map_err(|error| wrong("name", error.to_string()))?;
    let role = KeyRole::parse(&wanted.role)
        .ok_or_else(|| wrong("role", "must be \"admin\" or \"member\"".to_owned()))?;
    let key = bootstrap::new_key(&mut adapters::rng());
    let new = NewApiKey {
        organization: Some(organization.id),
        user: visitor.auth.0.user.as_ref().map(|user| user.id),
        name: name.as_str().to_owned(),
        role,
        hash: SecretHash::of_exact(&key),
        hint: bootstrap::hint(&key),
    };
    state.store.create_api_key(new).await?;
    Ok(key)
}
