//! `POST …/templates/{locale}/test-send` and `GET …/test-mails/{id}`: a real mail that shows what a
//! template makes, to whoever wants to see it in their own mail program.

use actix_web::http::header::LOCATION;
use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use adapters::store::{Actor, NewTestMail, OrganizationRef, TestMailOutcome, TestMailView};
use adapters::templates::TemplateSource;
use domain::{EmailAddress, TestMailId};
use serde::Deserialize;
use utoipa::ToSchema;

use super::check::{Fields, body, check};
use super::preview::{counting, made, reader};
use super::{admin_of, locale_in};
use crate::auth::Auth;
use crate::json::RawBody;
use crate::openapi::params::{Prefer, TemplatePath, TestMailPath};
use crate::prefer::Preference;
use crate::problem::{ApiError, FieldError};
use crate::state::State;

/// Who gets the mail, and what it is made from: a text that need not be saved, a saved version, or
/// neither for what mails are made from.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewTestMail)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// Who gets it.
    #[schema(value_type = String, required, format = Email, example = "ada@example.com")]
    to: Option<String>,
    /// The subject. If it is given, so are the two other parts.
    #[schema(example = "{{organization}} invites you")]
    subject: Option<String>,
    /// The HTML part.
    #[schema(example = "<p><a href=\"{{accept_url}}\">Join {{organization}}</a></p>")]
    html: Option<String>,
    /// The plain text part.
    #[schema(example = "Join {{organization}}: {{accept_url}}")]
    text: Option<String>,
    /// A saved version; not together with a text.
    #[schema(minimum = 1, maximum = 2_147_483_647, example = json!(null))]
    version: Option<u32>,
    /// The language of the reader; that of the template without it.
    #[schema(example = "de")]
    language: Option<String>,
}

/// What a test mail is made from.
pub struct Chosen {
    /// The text, which has been checked.
    pub source: TemplateSource,
    /// Of which language's template.
    pub locale: String,
    /// Of which saved version.
    pub version: Option<u32>,
    /// For a reader of which language.
    pub reader: String,
}

/// Sends a test mail.
///
/// A real mail of the template to `to`, made as if Ada Lovelace had invited Grace: of the text in the body,
/// of the saved `version`, or, without either, as this organization sends it in this language. Nobody is
/// invited, and the link in it is none. It counts like every mail (see limits), goes to no suppressed
/// address, and is tried once: what stood in its way is in `detail`. `Prefer: wait=10` answers when it
/// is sent or given up.
#[utoipa::path(
    post,
    path = "/v1/organizations/{organization}/templates/{locale}/test-send",
    operation_id = "send_test_mail",
    tag = "Templates",
    security(("bearer" = [])),
    params(TemplatePath, Prefer),
    request_body = Wanted,
    responses((
        status = 202,
        description = "It is on its way.",
        body = TestMailView,
        headers(
            ("Location" = String, description = "Where to look how it stands."),
            ("Preference-Applied" = String, description = "What of `Prefer` was heeded."),
        ),
        example = json!({ "status": "queued", "ended_at": null }),
    )),
    extensions(("x-problems" = json!([
        "forbidden", "not_found", "template_invalid", "validation_failed", "address_suppressed",
        "key_rate_limited", "organization_rate_limited", "organization_warming_up",
        "inviter_rate_limited", "domain_rate_limited", "recipient_rate_limited", "sending_paused",
    ]))),
)]
pub async fn send(
    auth: Auth,
    state: State,
    request: HttpRequest,
    path: Path<(String, String)>,
    given: RawBody,
) -> Result<HttpResponse, ApiError> {
    let organization = admin_of(&auth, &state, &path.0).await?;
    let locale = locale_in(&path.1)?;
    let wanted: Wanted = body(given).await?;
    let to = address(wanted.to.as_deref())?;
    let chosen = wanted.chosen(&state, &organization, locale).await?;
    let mail = ask(&state, &organization, auth.actor(), to, chosen).await?;
    let preference = Preference::of(request.headers());
    let mail = preference.test_ended(&state.store, organization.id, mail).await;
    let mut response = HttpResponse::Accepted();
    preference.applied(&mut response);
    let place = format!("/v1/organizations/{}/test-mails/{}", organization.id, mail.id);
    Ok(response.insert_header((LOCATION, place)).json(mail))
}

/// Shows a test mail.
///
/// How it stands; for a week.
#[utoipa::path(
    get,
    path = "/v1/organizations/{organization}/test-mails/{test_mail}",
    operation_id = "get_test_mail",
    tag = "Templates",
    security(("bearer" = [])),
    params(TestMailPath),
    responses((status = 200, description = "The test mail.", body = TestMailView)),
    extensions(("x-problems" = json!(["forbidden", "not_found"]))),
)]
pub async fn read(
    auth: Auth,
    state: State,
    path: Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let organization = admin_of(&auth, &state, &path.0).await?.id;
    let id: TestMailId = path.1.parse().map_err(|_| ApiError::NotFound)?;
    let found = state.store.test_mail(organization, id).await?;
    Ok(HttpResponse::Ok().json(found.ok_or(ApiError::NotFound)?))
}

/// The address that a test mail is to go to.
pub fn address(given: Option<&str>) -> Result<EmailAddress, ApiError> {
    let parsed = match given {
        None => Err("is required".to_owned()),
        Some(given) => EmailAddress::parse(given).map_err(|error| error.to_string()),
    };
    parsed.map_err(|why| ApiError::Invalid(vec![FieldError::new("to", why)]))
}

/// Makes the mail and plans it.
pub async fn ask(
    state: &State,
    organization: &OrganizationRef,
    by: Actor,
    to: EmailAddress,
    chosen: Chosen,
) -> Result<TestMailView, ApiError> {
    let Chosen { source, locale, version, reader } = chosen;
    // No token has this form, so that the link never becomes one.
    let nowhere = format!("{}/i/sample", state.public_url.as_str().trim_end_matches('/'));
    let content = made(state, organization, &reader, source, &nowhere).await?;
    let new = NewTestMail { to, content, locale, version };
    match state.store.ask_for_test_mail(organization.id, by, new).await? {
        TestMailOutcome::Queued(mail) => Ok(mail),
        TestMailOutcome::Suppressed(why) => Err(ApiError::Suppressed(why)),
        TestMailOutcome::Refused(why) => Err(ApiError::Refused(why)),
    }
}

impl Wanted {
    async fn chosen(
        self,
        state: &State,
        organization: &OrganizationRef,
        locale: String,
    ) -> Result<Chosen, ApiError> {
        let reader = reader(self.language.as_deref(), &locale)?;
        let Self { subject, html, text, version, .. } = self;
        let is_text = subject.is_some() || html.is_some() || text.is_some();
        let (source, version) = match version {
            Some(_) if is_text => {
                let message = "cannot be given together with a text";
                return Err(ApiError::Invalid(vec![FieldError::new("version", message)]));
            }
            Some(_) => {
                let found = state.store.template(organization.id, locale.clone(), version).await?;
                (found.ok_or(ApiError::NotFound)?.source(), version)
            }
            None if is_text => (Fields { subject, html, text }.source(), None),
            None => counting(state, organization, &locale).await?,
        };
        // Strings and layout may have changed since it was saved.
        let source = check(&state.templates, &reader, source).await?;
        Ok(Chosen { source, locale, version, reader })
    }
}
