//! Listing, reading, saving and deleting templates.

use actix_web::HttpResponse;
use actix_web::web::Path;
use adapters::store::{TemplateRow, TemplateSummary};
use serde::Serialize;
use utoipa::ToSchema;

use super::check::{Fields, body, check};
use super::{admin_of, locale_in};
use crate::auth::Auth;
use crate::json::RawBody;
use crate::openapi::params::{OrganizationPath, TemplatePath};
use crate::problem::{ApiError, FieldError};
use crate::state::State;

/// Templates, or versions of one.
#[derive(Serialize, ToSchema)]
#[schema(as = TemplateList)]
pub struct List {
    /// All of them.
    pub data: Vec<TemplateSummary>,
    /// Always null: there is one page.
    #[schema(example = json!(null))]
    pub next_cursor: Option<String>,
}

/// The text of a mail.
#[derive(Serialize, ToSchema)]
#[schema(as = TemplateText)]
struct Original {
    /// The subject.
    #[schema(example = "{{t \"mail.subject\"}}")]
    subject: String,
    /// The HTML part.
    #[schema(
        example = "{{#> mail/layout.html}}<a href=\"{{accept_url}}\">{{t \"mail.accept\"}}</a>{{/mail/layout.html}}"
    )]
    html: String,
    /// The plain text part.
    #[schema(example = "{{t \"mail.accept_link\"}} {{accept_url}}")]
    text: String,
}

/// How many mails were parked.
#[derive(Serialize, ToSchema)]
#[schema(as = RetriedMails)]
struct Retried {
    /// They are tried again now.
    #[schema(example = 3)]
    retried: u64,
}

/// Lists templates.
///
/// Those that mails are made from, one a language, without their text.
#[utoipa::path(
    get,
    path = "/v1/organizations/{organization}/templates",
    operation_id = "list_templates",
    tag = "Templates",
    security(("bearer" = [])),
    params(OrganizationPath),
    responses((status = 200, description = "The templates.", body = List)),
    extensions(("x-problems" = json!(["forbidden", "not_found"]))),
)]
pub async fn list(
    auth: Auth,
    state: State,
    organization: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let organization = admin_of(&auth, &state, &organization).await?.id;
    let data = state.store.templates(organization).await?;
    Ok(HttpResponse::Ok().json(List { data, next_cursor: None }))
}

/// Shows a template.
///
/// The version that mails in this language are made from.
#[utoipa::path(
    get,
    path = "/v1/organizations/{organization}/templates/{locale}",
    operation_id = "get_template",
    tag = "Templates",
    security(("bearer" = [])),
    params(TemplatePath),
    responses((status = 200, description = "The template.", body = TemplateRow)),
    extensions(("x-problems" = json!(["forbidden", "not_found"]))),
)]
pub async fn read(
    auth: Auth,
    state: State,
    path: Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let organization = admin_of(&auth, &state, &path.0).await?.id;
    let found = state.store.template(organization, locale_in(&path.1)?, None).await?;
    Ok(HttpResponse::Ok().json(found.ok_or(ApiError::NotFound)?))
}

/// Saves a template.
///
/// As a new version, from which mails in this language are made at once; `default` is for each language
/// that has none of its own. It is tried before: what could not make a mail is refused, with line and
/// column. Mails that an earlier version could not make leave now.
#[utoipa::path(
    put,
    path = "/v1/organizations/{organization}/templates/{locale}",
    operation_id = "save_template",
    tag = "Templates",
    security(("bearer" = [])),
    params(TemplatePath),
    request_body = Fields,
    responses((status = 200, description = "The new version.", body = TemplateRow)),
    extensions(("x-problems" = json!(["forbidden", "not_found", "template_invalid"]))),
)]
pub async fn save(
    auth: Auth,
    state: State,
    path: Path<(String, String)>,
    given: RawBody,
) -> Result<HttpResponse, ApiError> {
    let organization = admin_of(&auth, &state, &path.0).await?.id;
    let locale = locale_in(&path.1)?;
    let source = body::<Fields>(given).await?.source();
    let source = check(&state.templates, &locale, source).await?;
    let saved = state.store.save_template(organization, locale, source, auth.actor()).await?;
    Ok(HttpResponse::Ok().json(saved.ok_or_else(too_many)?))
}

/// Deletes a template.
///
/// Mails in this language are made from the template `default` again, or else from the one that everybody
/// has. Its versions are kept, so that it can be rolled back to one.
#[utoipa::path(
    delete,
    path = "/v1/organizations/{organization}/templates/{locale}",
    operation_id = "delete_template",
    tag = "Templates",
    security(("bearer" = [])),
    params(TemplatePath),
    responses((status = 204, description = "No mail is made from it any more.")),
    extensions(("x-problems" = json!(["forbidden", "not_found"]))),
)]
pub async fn delete(
    auth: Auth,
    state: State,
    path: Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let organization = admin_of(&auth, &state, &path.0).await?.id;
    if state.store.drop_template(organization, locale_in(&path.1)?, auth.actor()).await? {
        Ok(HttpResponse::NoContent().finish())
    } else {
        Err(ApiError::NotFound)
    }
}

/// Shows the mail that everybody has.
///
/// The text of the mail in this language as it is without templates of your own, to begin one with.
#[utoipa::path(
    get,
    path = "/v1/organizations/{organization}/templates/{locale}/original",
    operation_id = "get_original_template",
    tag = "Templates",
    security(("bearer" = [])),
    params(TemplatePath),
    responses((status = 200, description = "The text.", body = Original)),
    extensions(("x-problems" = json!(["forbidden", "not_found"]))),
)]
pub async fn original(
    auth: Auth,
    state: State,
    path: Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    admin_of(&auth, &state, &path.0).await?;
    let source = state.templates.mail_source(&locale_in(&path.1)?).map_err(|error| {
        tracing::error!(%error, "the mail has no text");
        ApiError::Internal
    })?;
    let (subject, html, text) = (source.subject, source.html, source.text);
    Ok(HttpResponse::Ok().json(Original { subject, html, text }))
}

/// Tries parked mails again.
///
/// Those whose template could not make them. Whoever saves, rolls back or deletes a template does this
/// by the way, and each is tried again every hour.
#[utoipa::path(
    post,
    path = "/v1/organizations/{organization}/parked-mails/retry",
    operation_id = "retry_parked_mails",
    tag = "Templates",
    security(("bearer" = [])),
    params(OrganizationPath),
    responses((status = 200, description = "How many there were.", body = Retried)),
    extensions(("x-problems" = json!(["forbidden", "not_found"]))),
)]
pub async fn retry(
    auth: Auth,
    state: State,
    organization: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let organization = admin_of(&auth, &state, &organization).await?.id;
    let retried = state.store.retry_parked(organization).await?;
    Ok(HttpResponse::Ok().json(Retried { retried }))
}

/// What somebody hears who wants another language.
pub fn too_many() -> ApiError {
    let message = "is one language too many for an organization's templates; delete one";
    ApiError::Invalid(vec![FieldError::new("locale", message)])
}
