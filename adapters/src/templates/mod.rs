//! Mails and pages: handlebars templates, embedded in the binary, each replaceable by a file, and what
//! they say in every language.
//!
//! Everything is compiled and rendered once with sample data by [`Templates::load`], so what can be
//! wrong with a template stops the start and not the first invitation.

mod brand;
mod chart;
mod console;
mod error;
mod files;
mod inbox;
mod language;
mod mail;
mod own;
mod page;
mod registry;
mod say;
mod shown;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use domain::Timestamp;

pub use brand::{PageBrand, logo_path};
pub use chart::Chart;
pub use console::{
    BrandingEditor, Choice, ConsolePage, Frame, Invitations, OpenFigures, Overview, QueueFigures,
    TemplateEditor, Typed, TypedKey,
};
pub use error::TemplateError;
pub use inbox::{InboxHeader, InboxList, InboxMail, InboxPart, InboxRow, InboxView};
pub use mail::{InvitationMail, MailContent};
pub use own::{
    ANY_LOCALE, OwnTemplate, SIZES, TemplateFault, TemplateSource, VARIABLES, nearest,
    template_locale,
};
pub use page::{AcceptForm, Page, PasswordProblem};
pub use registry::Part;

use language::{ENGLISH, Language, Languages, best, canonical};
use registry::Registry;

/// All templates in all languages, compiled. Cheap to clone.
#[derive(Clone)]
pub struct Templates {
    inner: Arc<Inner>,
    base: Arc<str>,
}

struct Inner {
    languages: Arc<Languages>,
    /// The canonical tags of all languages, sorted.
    tags: Vec<String>,
    shared: Registry,
    /// Of the languages that have templates of their own, by canonical tag.
    own: BTreeMap<String, Registry>,
    stylesheet: String,
    script: String,
    inbox_script: String,
    console: (String, String),
}

/// A language, and the templates that speak it.
struct Speaker<'a> {
    tag: &'a str,
    language: &'a Language,
    registry: &'a Registry,
}

impl Templates {
    /// Compiles the embedded templates, replaced by the files of the same relative name in
    /// `override_dir`, and renders each with sample data.
    pub fn load(override_dir: Option<&Path>) -> Result<Self, TemplateError> {
        let files = files::gather(override_dir)?;
        let languages = Arc::new(Languages::load(files.languages())?);
        let shared = Registry::compile(files.shared(), &languages)?;
        let mut own = BTreeMap::new();
        for folder in files.folders() {
            let registry = Registry::compile(files.of_folder(folder), &languages)?;
            own.insert(canonical(folder), registry);
        }
        let (stylesheet, script) = (files.stylesheet(), files.script());
        let (inbox_script, console) = (files.inbox_script(), files.console());
        let mut tags: Vec<String> = languages.tags().chain(own.keys()).cloned().collect();
        tags.sort_unstable();
        tags.dedup();
        let inner =
            Inner { languages, tags, shared, own, stylesheet, script, inbox_script, console };
        // A string has the same names in every language: what English can show, all can.
        for tag in inner.own.keys().map(String::as_str).chain([ENGLISH]) {
            let speaker = inner.speaker(tag)?;
            mail::try_samples(&speaker)?;
            page::try_samples(&speaker)?;
        }
        Ok(Self { inner: Arc::new(inner), base: "/".into() })
    }

    /// The same for pages that people reach below this path, which ends with a slash.
    #[must_use]
    pub fn below(self, base: &str) -> Self {
        Self { base: base.into(), ..self }
    }

    /// Renders the mail that invites someone.
    pub fn mail(
        &self,
        locale: &str,
        invitation: &InvitationMail<'_>,
    ) -> Result<MailContent, TemplateError> {
        mail::render(&self.inner.find(locale)?, invitation)
    }

    /// Renders that mail from a template of the organization's own, for a reader of this language.
    pub fn own_mail(
        &self,
        locale: &str,
        template: &OwnTemplate,
        invitation: &InvitationMail<'_>,
    ) -> Result<MailContent, TemplateFault> {
        own::content(&self.inner.find(locale)?, template, invitation)
    }

    /// Compiles a template of an organization's own for readers of this language, if it makes a good
    /// mail whatever is there and not there; or else says what is wrong with each part.
    pub fn check_own(
        &self,
        locale: &str,
        source: &TemplateSource,
    ) -> Result<OwnTemplate, Vec<TemplateFault>> {
        let template = OwnTemplate::compile(source)?;
        let speaker = self.inner.find(locale).map_err(|error| vec![error.into()])?;
        own::try_all(&speaker, &template).map_err(|fault| vec![fault])?;
        Ok(template)
    }

    /// What a mail of such a template looks like, about nobody, with this link in it.
    pub fn preview_own(
        &self,
        locale: &str,
        template: &OwnTemplate,
        organization: &str,
        accept_url: &str,
    ) -> Result<MailContent, TemplateFault> {
        let mail = InvitationMail { accept_url, ..own::sample_mail(organization) };
        own::content(&self.inner.find(locale)?, template, &mail)
    }

    /// The text of the mail that everybody has in this language, with which an own one may begin.
    pub fn mail_source(&self, locale: &str) -> Result<TemplateSource, TemplateError> {
        Ok(mail::source(&self.inner.find(locale)?))
    }

    /// Renders a page that is about no organization as a whole HTML document.
    pub fn page(&self, locale: &str, page: &Page<'_>) -> Result<String, TemplateError> {
        page::render(&self.inner.find(locale)?, &self.base, page, None)
    }

    /// Renders a page that is about an organization, which looks so, as a whole HTML document.
    pub fn branded(
        &self,
        locale: &str,
        page: &Page<'_>,
        brand: &PageBrand<'_>,
    ) -> Result<String, TemplateError> {
        page::render(&self.inner.find(locale)?, &self.base, page, Some(brand))
    }

    /// Renders a page of the console as a whole HTML document.
    pub fn console(
        &self,
        frame: &Frame<'_>,
        page: &ConsolePage<'_>,
    ) -> Result<String, TemplateError> {
        console::render(&self.inner.shared, &self.base, frame, page)
    }

    /// The locale that a reader of this language gets; `None` if there is nothing in it.
    pub fn locale(&self, wanted: &str) -> Option<&str> {
        best(wanted, &self.inner.tags)
    }

    /// The tags of all languages, sorted.
    pub fn locales(&self) -> &[String] {
        &self.inner.tags
    }

    /// The CSS of all pages, to be served at `/assets/pages.css`; a file of its own, so that a
    /// strict content security policy can forbid inline styles.
    pub fn stylesheet(&self) -> &str {
        &self.inner.stylesheet
    }

    /// The script of the page with a form, to be served at `/assets/pages.js`; what it does is a
    /// convenience.
    pub fn script(&self) -> &str {
        &self.inner.script
    }

    /// What keeps the list of captured mails up to date, to be served at `/assets/inbox.js`.
    pub fn inbox_script(&self) -> &str {
        &self.inner.inbox_script
    }

    /// What the console has beside [`Templates::stylesheet`], to be served at `/assets/console.css`.
    pub fn console_stylesheet(&self) -> &str {
        &self.inner.console.0
    }

    /// What keeps the console's figures up to date, to be served at `/assets/console.js`.
    pub fn console_script(&self) -> &str {
        &self.inner.console.1
    }
}

impl Inner {
    /// The best there is for a reader: `de-AT`, else `de`, else English.
    fn find(&self, wanted: &str) -> Result<Speaker<'_>, TemplateError> {
        self.speaker(best(wanted, &self.tags).unwrap_or(ENGLISH))
    }

    fn speaker<'a>(&'a self, tag: &'a str) -> Result<Speaker<'a>, TemplateError> {
        let language = self.languages.or_english(tag)?;
        Ok(Speaker { tag, language, registry: self.own.get(tag).unwrap_or(&self.shared) })
    }
}

/// Some point in time for sample data.
fn sample_time() -> Timestamp {
    chrono::DateTime::from_timestamp(1_796_133_900, 0).unwrap_or_default()
}
