//! `/console/{organization}/templates`: the mail in the organization's own words, and what it looks like.
//!
//! Which language it is about stands in the query and in forms: a language is nobody's own.

use std::time::Duration;

use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use adapters::store::{OrganizationRef, TemplateRow, TestMailView};
use adapters::templates::{
    ANY_LOCALE, ConsolePage, TemplateEditor, TemplateSource, VARIABLES, template_locale,
};
use domain::TestMailStatus;
use serde::Deserialize;

use super::show::{again, sentence};
use super::{Nothing, Signed, Visitor, done, page};
use crate::prefer::Preference;
use crate::problem::ApiError;
use crate::routes::templates::check::{Fields, check};
use crate::routes::templates::manage::too_many;
use crate::routes::templates::preview::shown as preview_of;
use crate::routes::templates::test_send::{Chosen as Tested, address, ask};
use crate::security_headers;
use crate::state::State;

const PLAIN: &str = "text/plain; charset=utf-8";
/// How long somebody who asks for a test mail looks on; most are sent within a second.
const LOOK_ON: Duration = Duration::from_secs(5);

#[derive(Default, Deserialize)]
struct Query {
    locale: Option<String>,
    version: Option<u32>,
}

/// What is in the editor.
#[derive(Deserialize)]
pub struct Typed {
    locale: String,
    subject: String,
    html: String,
    text: String,
    /// For a preview: which part of the mail is shown.
    part: Option<String>,
    /// For a test mail: who gets it.
    to: Option<String>,
}

/// A language, and a version of its template.
#[derive(Deserialize)]
pub struct Chosen {
    locale: String,
    #[serde(default)]
    version: String,
}

/// Shows the templates, and one of them to edit.
pub async fn show(
    visitor: Visitor,
    state: State,
    request: HttpRequest,
    organization: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let organization = visitor.organization(&state, &organization).await?;
    let query: Query = serde_urlencoded::from_str(request.query_string())
        .map_err(|_| ApiError::BadRequest("The address is not complete.".to_owned()))?;
    let locale = locale_of(query.locale.as_deref().unwrap_or(ANY_LOCALE))?;
    let found = state.store.template(organization.id, locale.clone(), query.version).await?;
    if found.is_none() && query.version.is_some() {
        return Err(ApiError::NotFound);
    }
    let version = found.as_ref().map(|row| row.summary.version);
    let original = || state.templates.mail_source(&locale).map_err(|_| ApiError::Internal);
    let source = found.as_ref().map(TemplateRow::source).map_or_else(original, Ok)?;
    let around = Around::of(&state, &organization, locale).await?;
    let shown = ConsolePage::Templates(around.editor(version, &source, None));
    page(&state, &request, &visitor, Some(&organization), &shown)
}

/// Saves what is in the editor, or says what is wrong with it.
pub async fn save(
    state: State,
    organization: Path<String>,
    form: Signed<Typed>,
) -> Result<HttpResponse, ApiError> {
    let Signed { visitor, mut fields } = form;
    let organization = visitor.organization(&state, &organization).await?;
    let to = fields.to.take().unwrap_or_default();
    let (locale, source, _) = fields.read()?;
    let saved = async {
        let source = check(&state.templates, &locale, source.clone()).await?;
        let by = visitor.auth.actor();
        let saved = state.store.save_template(organization.id, locale.clone(), source, by).await?;
        saved.ok_or_else(too_many)
    };
    match saved.await {
        Ok(_) => Ok(back(&state, &organization, &locale, "template-saved")),
        Err(error) => {
            let why = sentence(&error);
            let around = Around::of(&state, &organization, locale).await?;
            let editor = around.editor(None, &source, Some(&why));
            let shown = ConsolePage::Templates(TemplateEditor { to: &to, ..editor });
            again(&state, &visitor, &organization, &error, &shown)
        }
    }
}

/// The mail that is in the editor, to be shown in a frame: by itself, and without any right.
pub async fn preview(
    state: State,
    organization: Path<String>,
    form: Signed<Typed>,
) -> Result<HttpResponse, ApiError> {
    let organization = form.visitor.organization(&state, &organization).await?;
    let (locale, source, plain) = form.fields.read()?;
    let made = async {
        let source = check(&state.templates, &locale, source).await?;
        preview_of(&state, &organization, &locale, source).await
    };
    // What is wrong is what the frame shows: the page around it is fine.
    let (kind, body) = match made.await {
        Ok(mail) if plain => (PLAIN, format!("Subject: {}\n\n{}", mail.subject, mail.text)),
        Ok(mail) => ("text/html; charset=utf-8", mail.html),
        Err(error) => (PLAIN, sentence(&error).replace(". ", ".\n\n")),
    };
    Ok(HttpResponse::Ok().content_type(kind).insert_header(security_headers::MAIL).body(body))
}

/// Sends the mail that is in the editor to an address; what comes of it is shown in a frame, so that the
/// editor stays as it is.
pub async fn test_send(
    state: State,
    organization: Path<String>,
    form: Signed<Typed>,
) -> Result<HttpResponse, ApiError> {
    let Signed { visitor, mut fields } = form;
    let organization = visitor.organization(&state, &organization).await?;
    let to = fields.to.take().filter(|to| !to.trim().is_empty());
    let (locale, source, _) = fields.read()?;
    let sent = async {
        let to = address(to.as_deref().map(str::trim))?;
        let source = check(&state.templates, &locale, source).await?;
        let chosen = Tested { source, reader: locale.clone(), locale, version: None };
        ask(&state, &organization, visitor.auth.actor(), to, chosen).await
    };
    let told = match sent.await {
        Ok(mail) => {
            let preference = Preference::default().or_wait(LOOK_ON);
            told(&preference.test_ended(&state.store, organization.id, mail).await)
        }
        Err(error) => sentence(&error).replace(". ", ".\n\n"),
    };
    let answer =
        HttpResponse::Ok().content_type(PLAIN).insert_header(security_headers::MAIL).body(told);
    Ok(answer)
}

/// How a test mail stands, for people.
fn told(mail: &TestMailView) -> String {
    let why = mail.detail.as_deref().unwrap_or_default();
    match mail.status {
        TestMailStatus::Sent => format!("The mail server has taken the mail to {}.", mail.to),
        TestMailStatus::Failed => format!("The mail to {} is not sent: {why}", mail.to),
        TestMailStatus::Uncertain => format!("The mail to {} may have arrived: {why}", mail.to),
        TestMailStatus::Queued | TestMailStatus::Sending => {
            format!("The mail to {} is on its way, and takes longer than usual.", mail.to)
        }
    }
}

/// Lets an earlier version count again.
pub async fn roll_back(
    state: State,
    organization: Path<String>,
    form: Signed<Chosen>,
) -> Result<HttpResponse, ApiError> {
    let organization = form.visitor.organization(&state, &organization).await?;
    let locale = locale_of(&form.fields.locale)?;
    let version = form.fields.version.parse().map_err(|_| ApiError::NotFound)?;
    let found = state.store.template(organization.id, locale.clone(), Some(version)).await?;
    let source = found.ok_or(ApiError::NotFound)?.source();
    check(&state.templates, &locale, source).await?;
    let (store, by) = (&state.store, form.visitor.auth.actor());
    let chosen = store.roll_back_template(organization.id, locale.clone(), version, by).await?;
    chosen.ok_or(ApiError::NotFound)?;
    Ok(back(&state, &organization, &locale, "rolled-back"))
}

/// Lets no version count any more.
pub async fn delete(
    state: State,
    organization: Path<String>,
    form: Signed<Chosen>,
) -> Result<HttpResponse, ApiError> {
    let organization = form.visitor.organization(&state, &organization).await?;
    let locale = locale_of(&form.fields.locale)?;
    let by = form.visitor.auth.actor();
    if state.store.drop_template(organization.id, locale.clone(), by).await? {
        Ok(back(&state, &organization, &locale, "template-deleted"))
    } else {
        Err(ApiError::NotFound)
    }
}

/// Tries mails again that wait for their template.
pub async fn retry(
    state: State,
    organization: Path<String>,
    form: Signed<Nothing>,
) -> Result<HttpResponse, ApiError> {
    let organization = form.visitor.organization(&state, &organization).await?;
    state.store.retry_parked(organization.id).await?;
    Ok(done(&state, &format!("/{}/templates", organization.id), "retried"))
}

impl Typed {
    /// The language, the text, and whether its plain part is wanted.
    fn read(self) -> Result<(String, TemplateSource, bool), ApiError> {
        let plain = self.part.as_deref() == Some("text");
        let locale = locale_of(&self.locale)?;
        let fields =
            Fields { subject: Some(self.subject), html: Some(self.html), text: Some(self.text) };
        Ok((locale, fields.source(), plain))
    }
}

/// What is around the editor.
struct Around {
    templates: Vec<adapters::store::TemplateSummary>,
    versions: Vec<adapters::store::TemplateSummary>,
    parked: u64,
    locale: String,
}

impl Around {
    async fn of(
        state: &State,
        organization: &OrganizationRef,
        locale: String,
    ) -> Result<Self, ApiError> {
        let (store, id) = (&state.store, organization.id);
        Ok(Self {
            templates: store.templates(id).await?,
            versions: store.template_versions(id, locale.clone()).await?,
            parked: store.parked(id).await?,
            locale,
        })
    }

    fn editor<'a>(
        &'a self,
        version: Option<u32>,
        source: &'a TemplateSource,
        problem: Option<&'a str>,
    ) -> TemplateEditor<'a> {
        TemplateEditor {
            templates: &self.templates,
            parked: self.parked,
            locale: &self.locale,
            versions: &self.versions,
            counts: self.versions.iter().any(|version| version.current),
            version,
            subject: &source.subject,
            html: &source.html,
            text: &source.text,
            variables: &VARIABLES,
            problem,
            to: "",
        }
    }
}

/// Whatever somebody typed who wants a template for another language.
fn locale_of(typed: &str) -> Result<String, ApiError> {
    template_locale(typed.trim()).ok_or_else(|| {
        let example = "Name the language by its tag, such as de or pt-BR.";
        ApiError::BadRequest(example.to_owned())
    })
}

fn back(state: &State, organization: &OrganizationRef, locale: &str, word: &str) -> HttpResponse {
    done(state, &format!("/{}/templates?locale={locale}", organization.id), word)
}
