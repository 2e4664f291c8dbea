//! `/console/{organization}/suppressions`: addresses that get no mail.

use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use adapters::store::{Lifted, OrganizationRef, SuppressionView};
use adapters::templates::ConsolePage;
use domain::EmailAddress;
use serde::Deserialize;

use super::show::{again, asked, sentence};
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
    let (suppressions, next) = listed(&state, &organization, request.query_string()).await?;
    let shown = ConsolePage::Suppressions { suppressions: &suppressions, next, wrong: None };
    page(&state, &request, &visitor, Some(&organization), &shown)
}

async fn listed(
    state: &State,
    organization: &OrganizationRef,
    query: &str,
) -> Result<(Vec<SuppressionView>, Option<String>), ApiError> {
    let wanted = Page::by_id(&asked(query))?;
    let found = state.store.suppressions(organization.id, wanted.after, wanted.rows()).await?;
    Ok(wanted.cut(found, |one| one.id))
}

/// Puts an address on the list, or says what is wrong with it.
pub async fn add(
    state: State,
    organization: Path<String>,
    form: Signed<Address>,
) -> Result<HttpResponse, ApiError> {
    let Signed { visitor, fields } = form;
    let organization = visitor.organization(&state, &organization).await?;
    match fields.read() {
        Ok(email) => {
            state.store.suppress(organization.id, visitor.auth.actor(), &email).await?;
            Ok(done(&state, &format!("/{}/suppressions", organization.id), "suppressed"))
        }
        Err(error) => {
            let (suppressions, next) = listed(&state, &organization, "").await?;
            let why = sentence(&error);
            let wrong = Some((why.as_str(), fields.email.as_str()));
            let shown = ConsolePage::Suppressions { suppressions: &suppressions, next, wrong };
            again(&state, &visitor, &organization, &error, &shown)
        }
    }
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
