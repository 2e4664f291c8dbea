//! What a mail of a template looks like.

use actix_web::HttpResponse;
use actix_web::web::Path;
use adapters::store::OrganizationRef;
use adapters::templates::{MailContent, OwnTemplate, TemplateSource};
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;
use utoipa::ToSchema;

use super::check::{Fields, body, check, refused};
use super::{admin_of, locale_in};
use crate::auth::Auth;
use crate::json::RawBody;
use crate::openapi::params::TemplatePath;
use crate::problem::{ApiError, FieldError};
use crate::state::State;

/// A text to be tried, or nothing for the one that mails are made from.
#[derive(Deserialize, ToSchema)]
#[schema(as = PreviewRequest)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// The subject. If it is given, so are the two others.
    #[schema(example = "{{organization}} invites you")]
    subject: Option<String>,
    /// The HTML part.
    #[schema(example = "<p><a href=\"{{accept_url}}\">Join {{organization}}</a></p>")]
    html: Option<String>,
    /// The plain text part.
    #[schema(example = "Join {{organization}}: {{accept_url}}")]
    text: Option<String>,
    /// The language of the reader; that of the template without it.
    #[schema(example = "de")]
    language: Option<String>,
}

/// The link of a mail that is only looked at.
const NOWHERE: &str = "https://invite.example.com/i/sample";

/// A mail to nobody.
#[derive(Serialize, ToSchema)]
#[schema(as = Preview)]
pub struct Preview {
    /// The subject.
    #[schema(example = "Acme invites you")]
    pub subject: String,
    /// The HTML part.
    #[schema(example = "<p><a href=\"https://invite.example.com/i/sample\">Join Acme</a></p>")]
    pub html: String,
    /// The plain text part.
    #[schema(example = "Join Acme: https://invite.example.com/i/sample")]
    pub text: String,
}

/// Previews a template.
///
/// The text in the body, or, without one, the mail as this organization sends it in this language. It is
/// made as if Ada Lovelace had invited Grace; nothing is saved and nothing is sent.
#[utoipa::path(
    post,
    path = "/v1/organizations/{organization}/templates/{locale}/preview",
    operation_id = "preview_template",
    tag = "Templates",
    security(("bearer" = [])),
    params(TemplatePath),
    request_body = Wanted,
    responses((status = 200, description = "The mail.", body = Preview)),
    extensions(("x-problems" = json!(["forbidden", "not_found", "template_invalid"]))),
)]
pub async fn preview(
    auth: Auth,
    state: State,
    path: Path<(String, String)>,
    given: RawBody,
) -> Result<HttpResponse, ApiError> {
    let organization = admin_of(&auth, &state, &path.0).await?;
    let locale = locale_in(&path.1)?;
    let wanted: Wanted = body(given).await?;
    let reader = reader(wanted.language.as_deref(), &locale)?;
    let Wanted { subject, html, text, .. } = wanted;
    let source = if subject.is_some() || html.is_some() || text.is_some() {
        let source = Fields { subject, html, text }.source();
        check(&state.templates, &reader, source).await?
    } else {
        counting(&state, &organization, &locale).await?.0
    };
    Ok(HttpResponse::Ok().json(shown(&state, &organization, &reader, source).await?))
}

/// The language of whoever is to read the mail; that of the template if none is named.
pub fn reader(named: Option<&str>, locale: &str) -> Result<String, ApiError> {
    let Some(language) = named else { return Ok(locale.to_owned()) };
    adapters::templates::template_locale(language).ok_or_else(|| {
        let message = "must be the name of a language, such as de or pt-BR";
        ApiError::Invalid(vec![FieldError::new("language", message)])
    })
}

/// The text that mails in a language are made from, and its version if it is one of the organization's.
pub async fn counting(
    state: &State,
    organization: &OrganizationRef,
    locale: &str,
) -> Result<(TemplateSource, Option<u32>), ApiError> {
    let known = state.store.templates(organization.id).await?;
    let known: Vec<String> = known.into_iter().map(|one| one.locale).collect();
    if let Some(nearest) = adapters::templates::nearest(locale, &known) {
        let found = state.store.template(organization.id, nearest.to_owned(), None).await?;
        if let Some(found) = found {
            return Ok((found.source(), Some(found.summary.version)));
        }
    }
    let source = state.templates.mail_source(locale).map_err(|_| ApiError::Internal)?;
    Ok((source, None))
}

/// The mail that a text makes, to be looked at.
pub async fn shown(
    state: &State,
    organization: &OrganizationRef,
    reader: &str,
    source: TemplateSource,
) -> Result<Preview, ApiError> {
    let MailContent { subject, html, text } =
        made(state, organization, reader, source, NOWHERE).await?;
    Ok(Preview { subject, html, text })
}

/// The mail that a text makes, with a link that no invitation has.
pub async fn made(
    state: &State,
    organization: &OrganizationRef,
    reader: &str,
    source: TemplateSource,
    accept_url: &str,
) -> Result<MailContent, ApiError> {
    let (templates, name) = (state.templates.clone(), organization.name.clone());
    let (reader, accept_url) = (reader.to_owned(), accept_url.to_owned());
    let made = spawn_blocking(move || {
        let own = OwnTemplate::compile(&source)?;
        templates.preview_own(&reader, &own, &name, &accept_url).map_err(|fault| vec![fault])
    });
    let made = made.await.map_err(|_| ApiError::Internal)?;
    made.map_err(|faults| refused(&faults))
}
