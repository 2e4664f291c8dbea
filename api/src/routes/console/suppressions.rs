//! `/console/{organization}/suppressions`: addresses that get no mail.

use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use adapters::store::Lifted;
use adapters::templates::ConsolePage;
use domain::EmailAddress;
use serde::Deserialize;

use super::show::asked;
use super::{Signed, Visitor, done, page};
use crate::problem::{ApiError, FieldError};
use crate::routes::page::Page;
use crate::state::State;

/// An address; in a form, so that it is in no log.
#[derive(Deserialize)]
pub struct Address {
    email: String,
}

/// Lists them, newest first.
pub async fn list(
    visitor: Visitor,
    state: State,
    request: HttpRequest,
    organization: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let organization = visitor.organization(&state, &organization).await?;
    let wanted = Page::by_id(&asked(request.query_string()))?;
    let found = state.store.suppressions(organization.id, wanted.after, wanted.rows()).await?;
    let (suppressions, next) = wanted.cut(found, |one| one.id);
    let shown = ConsolePage::Suppressions { suppressions: &suppressions, next };
    page(&state, &request, &visitor, Some(&organization), &shown)
}

/// Puts an address on the list.
pub async fn add(
    state: State,
    organization: Path<String>,
    form: Signed<Address>,
) -> Result<HttpResponse, ApiError> {
    let organization = form.visitor.organization(&state, &organization).await?.id;
    let (email, actor) = (form.fields.read()?, form.visitor.auth.actor());
    state.store.suppress(organization, actor, &email).await?;
    Ok(done(&state, &format!("/{organization}/suppressions"), "suppressed"))
}

/// Takes an address off the list.
pub async fn lift(
    state: State,
    organization: Path<String>,
    form: Signed<Address>,
) -> Result<HttpResponse, ApiError> {
    let organization = form.visitor.organization(&state, &organization).await?.id;
    let (email, actor) = (form.fields.read()?, form.visitor.auth.actor());
    match state.store.lift_suppression(organization, actor, &email).await? {
        Lifted::Yes => Ok(done(&state, &format!("/{organization}/suppressions"), "lifted")),
        Lifted::NotThere => Err(ApiError::NotFound),
    }
}

impl Address {
    fn read(&self) -> Result<EmailAddress, ApiError> {
        EmailAddress::parse(&self.email)
            .map_err(|error| ApiError::Invalid(vec![FieldError::new("email", error)]))
    }
}
