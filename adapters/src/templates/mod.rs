//! Mails and pages: handlebars templates, embedded in the binary, each replaceable by a file.
//!
//! Everything is compiled and rendered once with sample data by [`Templates::load`], so what can be
//! wrong with a template stops the start and not the first invitation.

mod error;
mod files;
mod mail;
mod page;
mod registry;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use domain::Timestamp;
use serde::Serializer;

pub use error::TemplateError;
pub use mail::{InvitationMail, MailContent};
pub use page::{InboxRow, Page};

use registry::Registry;

/// The locale that is complete and stands in for every other.
const DEFAULT_LOCALE: &str = "en";

/// All templates of all locales, compiled. Cheap to clone.
#[derive(Clone)]
pub struct Templates {
    inner: Arc<Inner>,
    base: Arc<str>,
}

struct Inner {
    locales: BTreeMap<String, Registry>,
    stylesheet: String,
    script: String,
}

impl Templates {
    /// Compiles the embedded templates, replaced by the files of the same relative name in
    /// `override_dir`, and renders each with sample data.
    pub fn load(override_dir: Option<&Path>) -> Result<Self, TemplateError> {
        let files = files::gather(override_dir)?;
        let mut locales = BTreeMap::new();
        for locale in files.locales() {
            let registry = Registry::compile(files.of_locale(locale))?;
            mail::try_samples(&registry, locale)?;
            page::try_samples(&registry, locale)?;
            locales.insert(locale.to_owned(), registry);
        }
        let (stylesheet, script) = (files.stylesheet(), files.script());
        let inner = Arc::new(Inner { locales, stylesheet, script });
        Ok(Self { inner, base: "/".into() })
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
        let (locale, registry) = self.locale(locale)?;
        mail::render(registry, locale, invitation)
    }

    /// Renders a page as a whole HTML document.
    pub fn page(&self, locale: &str, page: &Page<'_>) -> Result<String, TemplateError> {
        let (locale, registry) = self.locale(locale)?;
        page::render(registry, locale, &self.base, page)
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

    /// The best locale there is: `de-AT`, else `de`, else English.
    fn locale(&self, wanted: &str) -> Result<(&str, &Registry), TemplateError> {
        let wanted = wanted.replace('_', "-").to_ascii_lowercase();
        let language = wanted.split('-').next().unwrap_or_default();
        [wanted.as_str(), language, DEFAULT_LOCALE]
            .into_iter()
            .find_map(|name| self.inner.locales.get_key_value(name))
            .map(|(name, registry)| (name.as_str(), registry))
            .ok_or(TemplateError::NoLocale)
    }
}

/// A point in time as people read it: `1 December 2026, 14:05 UTC`.
fn readable(at: Timestamp) -> String {
    at.format("%-d %B %Y, %H:%M UTC").to_string()
}

fn serialize_readable<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&readable(*at))
}

/// Some point in time for sample data.
fn sample_time() -> Timestamp {
    chrono::DateTime::from_timestamp(1_796_133_900, 0).unwrap_or_default()
}
