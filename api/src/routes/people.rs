//! `/v1/organizations/{id}/people` and `/v1/people`: what is held about one person, and forgetting them.
//!
//! An address stands in bodies only: paths and queries are logged on their way.

use actix_web::HttpResponse;
use actix_web::web::{self, Path, ServiceConfig};
use adapters::mailer::{Captured, CapturedInbox};
use adapters::store::{EraseOutcome, Erased, PersonExport, Reach};
use domain::EmailAddress;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::resource;
use crate::auth::Auth;
use crate::json::JsonBody;
use crate::openapi::params::OrganizationPath;
use crate::problem::{ApiError, FieldError};
use crate::state::State;

/// Adds the routes, inside `/v1`.
pub fn configure(config: &mut ServiceConfig) {
    const OWN: &str = "/organizations/{organization}/people";
    config
        .service(resource(&format!("{OWN}/export"), "POST").route(web::post().to(export)))
        .service(resource(&format!("{OWN}/erase"), "POST").route(web::post().to(erase)))
        .service(resource("/people/export", "POST").route(web::post().to(export_everywhere)))
        .service(resource("/people/erase", "POST").route(web::post().to(erase_everywhere)));
}

/// Who is meant.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = PersonAddress)]
#[serde(deny_unknown_fields)]
struct Address {
    /// The person's address.
    #[schema(value_type = String, required, format = Email, example = "ann@example.com")]
    email: Option<String>,
}

/// Exports a person.
///
/// Everything that the organization's part of the service holds about an address. That it was exported
/// stands in the audit log, without the address.
#[utoipa::path(
    post,
    path = "/v1/organizations/{organization}/people/export",
    operation_id = "export_person",
    tag = "People",
    security(("bearer" = [])),
    params(OrganizationPath),
    request_body = Address,
    responses((status = 200, description = "All of it.", body = PersonExport)),
    extensions(("x-problems" = json!(["forbidden", "not_found"]))),
)]
pub async fn export(
    auth: Auth,
    state: State,
    organization: Path<String>,
    body: JsonBody,
) -> Result<HttpResponse, ApiError> {
    let reach = own(&auth, &state, &organization).await?;
    exported(&auth, &state, reach, body).await
}

/// Erases a person.
///
/// Open invitations are revoked, so that no mail goes out any more, and nothing that is kept tells of the
/// address any more: invitations and their history stay, as those of nobody. A suppressed address stays
/// suppressed, as a hash. It cannot be undone. 409 `sending_now` while a worker has a mail to the address
/// in hand, which nobody can take back: try again.
#[utoipa::path(
    post,
    path = "/v1/organizations/{organization}/people/erase",
    operation_id = "erase_person",
    tag = "People",
    security(("bearer" = [])),
    params(OrganizationPath),
    request_body = Address,
    responses((status = 200, description = "What was changed.", body = Erased)),
    extensions(("x-problems" = json!(["forbidden", "not_found", "sending_now"]))),
)]
pub async fn erase(
    auth: Auth,
    state: State,
    organization: Path<String>,
    body: JsonBody,
) -> Result<HttpResponse, ApiError> {
    let reach = own(&auth, &state, &organization).await?;
    erased(&auth, &state, reach, body).await
}

/// Exports a person from all organizations.
///
/// It takes a key for the whole instance.
#[utoipa::path(
    post,
    path = "/v1/people/export",
    operation_id = "export_person_everywhere",
    tag = "People",
    security(("bearer" = [])),
    request_body = Address,
    responses((status = 200, description = "All of it.", body = PersonExport)),
    extensions(("x-problems" = json!(["forbidden", "instance_key_required"]))),
)]
pub async fn export_everywhere(
    auth: Auth,
    state: State,
    body: JsonBody,
) -> Result<HttpResponse, ApiError> {
    auth.require_instance()?;
    exported(&auth, &state, Reach::Instance, body).await
}

/// Erases a person in all organizations.
///
/// It takes a key for the whole instance.
#[utoipa::path(
    post,
    path = "/v1/people/erase",
    operation_id = "erase_person_everywhere",
    tag = "People",
    security(("bearer" = [])),
    request_body = Address,
    responses((status = 200, description = "What was changed.", body = Erased)),
    extensions(("x-problems" = json!(["forbidden", "instance_key_required", "sending_now"]))),
)]
pub async fn erase_everywhere(
    auth: Auth,
    state: State,
    body: JsonBody,
) -> Result<HttpResponse, ApiError> {
    auth.require_instance()?;
    erased(&auth, &state, Reach::Instance, body).await
}

async fn own(auth: &Auth, state: &State, organization: &str) -> Result<Reach, ApiError> {
    let organization = auth.organization(&state.store, organization).await?.id;
    auth.require_admin()?;
    Ok(Reach::Organization(organization))
}

async fn exported(
    auth: &Auth,
    state: &State,
    reach: Reach,
    body: JsonBody,
) -> Result<HttpResponse, ApiError> {
    let email = address(&body.read::<Address>().await?.value)?;
    let mut export = state.store.export_person(reach, auth.actor(), &email).await?;
    if let Some(inbox) = &state.inbox {
        let of: Vec<_> = export.invitations.iter().map(|one| one.invitation.id).collect();
        let own = inbox.list().into_iter().filter(|mail| {
            mail.invitation_id.is_some_and(|id| of.contains(&id))
                || (reach == Reach::Instance && is_to(mail, &email))
        });
        export.captured_mails = own.map(|mail| shown(&mail)).collect();
    }
    Ok(HttpResponse::Ok().json(export))
}

async fn erased(
    auth: &Auth,
    state: &State,
    reach: Reach,
    body: JsonBody,
) -> Result<HttpResponse, ApiError> {
    let email = address(&body.read::<Address>().await?.value)?;
    match state.store.erase_person(reach, auth.actor(), &email).await? {
        EraseOutcome::SendingNow => Err(ApiError::SendingNow),
        EraseOutcome::Erased(mut erased) => {
            if let Some(inbox) = &state.inbox {
                erased.captured_mails = forget_mails(inbox, &email, &erased, reach);
            }
            Ok(HttpResponse::Ok().json(erased))
        }
    }
}

/// Mails to the person, and in the person's name. Another organization's are its own business.
fn forget_mails(inbox: &CapturedInbox, email: &EmailAddress, erased: &Erased, reach: Reach) -> u64 {
    let names_person = |mail: &Captured| {
        let texts = [&mail.from, &mail.subject, &mail.text, &mail.html];
        is_to(mail, email) || texts.iter().any(|text| erased.names.iter().any(|n| text.contains(n)))
    };
    let mails = inbox.list();
    let own = mails.iter().filter(|mail| {
        let everywhere = reach == Reach::Instance || erased.user;
        let is_theirs = match mail.invitation_id {
            Some(id) => {
                erased.of.contains(&id) || (erased.formerly_of.contains(&id) && is_to(mail, email))
            }
            // Which organization's test mail it is, the inbox does not know.
            None => erased.test_mails > 0 && is_to(mail, email),
        };
        is_theirs || (everywhere && names_person(mail))
    });
    let ids: Vec<_> = own.map(|mail| mail.id).collect();
    inbox.delete(&ids) as u64
}

fn is_to(mail: &Captured, email: &EmailAddress) -> bool {
    EmailAddress::parse(&mail.to).is_ok_and(|to| to.normalized() == email.normalized())
}

fn shown(mail: &Captured) -> Value {
    json!({ "at": mail.at, "to": mail.to, "subject": mail.subject, "text": mail.text })
}

fn address(body: &Address) -> Result<EmailAddress, ApiError> {
    let wrong = |message: String| ApiError::Invalid(vec![FieldError::new("email", message)]);
    let email = body.email.as_deref().ok_or_else(|| wrong("is required".to_owned()))?;
    EmailAddress::parse(email).map_err(|error| wrong(error.to_string()))
}
