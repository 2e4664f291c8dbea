//! Mails that an organization has written itself: what may be in one, and how it is rendered.
//!
//! Such a template is foreign input that the worker runs beside everybody's mails. So it gets fewer
//! means than the files of an operator: conditions, strings, our layout, and nothing that repeats or
//! includes. What it makes is therefore no longer than what it is made of allows.

mod expressions;
mod sample;
mod shape;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use handlebars::Template;

use super::TemplateError;
use super::language::{best, canonical};
use super::mail::MailContent;
use super::registry::Part;

pub use expressions::VARIABLES;

/// What an organization's template is called that counts in every language.
pub const ANY_LOCALE: &str = "default";

/// How many bytes the parts of a template may have: subject, HTML, plain text. Mail programs cut HTML
/// off after about a hundred thousand.
pub const SIZES: [usize; 3] = [1024, 98_304, 32_768];

/// The text of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateSource {
    /// One line.
    pub subject: String,
    /// The HTML part.
    pub html: String,
    /// The plain text part.
    pub text: String,
}

/// A template that is ready to make mails. Its three parts belong together.
#[derive(Debug)]
pub struct OwnTemplate {
    parts: [Template; 3],
}

/// What is wrong with a template, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{reason}", Place(*.at))]
pub struct TemplateFault {
    /// In which part.
    pub part: Part,
    /// Line and column, both counted from 1; none if it is about the whole part.
    pub at: Option<(usize, usize)>,
    /// What is wrong there.
    pub reason: String,
}

struct Place(Option<(usize, usize)>);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some((line, column)) => write!(f, "line {line}, column {column}: "),
            None => Ok(()),
        }
    }
}

impl From<TemplateError> for TemplateFault {
    fn from(error: TemplateError) -> Self {
        Self { part: Part::Html, at: None, reason: error.to_string() }
    }
}

impl TemplateSource {
    /// The text of a part.
    pub fn part(&self, part: Part) -> &str {
        match part {
            Part::Subject => &self.subject,
            Part::Html => &self.html,
            Part::Text => &self.text,
        }
    }
}

impl OwnTemplate {
    /// Compiles what a template may be; the error has one fault for each part that is wrong.
    pub fn compile(source: &TemplateSource) -> Result<Self, Vec<TemplateFault>> {
        let mut faults = Vec::new();
        let parts = Part::ALL.map(|part| {
            compile(part, source.part(part)).unwrap_or_else(|fault| {
                faults.push(fault);
                Template::new()
            })
        });
        if faults.is_empty() { Ok(Self { parts }) } else { Err(faults) }
    }

    pub(super) const fn part(&self, part: Part) -> &Template {
        let [subject, html, text] = &self.parts;
        match part {
            Part::Subject => subject,
            Part::Html => html,
            Part::Text => text,
        }
    }
}

fn compile(part: Part, text: &str) -> Result<Template, TemplateFault> {
    let fault = |at, reason| TemplateFault { part, at, reason };
    let [subject, html, plain] = SIZES;
    let most = match part {
        Part::Subject => subject,
        Part::Html => html,
        Part::Text => plain,
    };
    if text.trim().is_empty() {
        return Err(fault(None, "is required".to_owned()));
    }
    if text.contains('\0') {
        return Err(fault(None, "has a character that is none (NUL)".to_owned()));
    }
    if text.len() > most {
        let reason = format!("has {} bytes; it may have at most {most}", text.len());
        return Err(fault(None, reason));
    }
    shape::check(text).map_err(|(at, reason)| fault(Some(at), reason))?;
    let compiled = catch_unwind(AssertUnwindSafe(|| Template::compile(text)));
    let Ok(compiled) = compiled else {
        return Err(fault(None, "the template engine cannot read it".to_owned()));
    };
    let template = compiled.map_err(|error| {
        let (at, reason) = super::error::syntax(&error);
        fault(at, reason)
    })?;
    expressions::check(part, &template).map_err(|(at, reason)| fault(Some(at), reason))?;
    Ok(template)
}

/// Which of the languages that an organization has templates for counts for a reader: the nearest one,
/// or else the template for all of them.
pub fn nearest<'a>(wanted: &str, known: &'a [String]) -> Option<&'a str> {
    let is_any = |tag: &&String| *tag == ANY_LOCALE;
    best(wanted, known).or_else(|| known.iter().find(is_any).map(String::as_str))
}

/// How a language is written in the name of a template: `pt_br` is `pt-BR`. `None` for what is no
/// language.
pub fn template_locale(text: &str) -> Option<String> {
    domain::is_locale(text).then(|| canonical(text))
}

pub(super) use sample::{content, sample_mail, try_all};

/// What each part of a mail may have at most, in bytes: some programs show no more of it.
const MOST: usize = 102_400;

/// Refuses what became too long: names are longer in one mail than in another.
fn not_too_long(part: Part, rendered: &str) -> Result<(), TemplateFault> {
    if rendered.len() <= MOST {
        return Ok(());
    }
    let reason = format!("becomes {} bytes long; it may have at most {MOST}", rendered.len());
    Err(TemplateFault { part, at: None, reason })
}

fn is_useless(part: Part, content: &MailContent, link: &str) -> Option<TemplateFault> {
    let shown = match part {
        Part::Subject if content.subject.is_empty() => return Some(empty_subject()),
        Part::Subject => return None,
        Part::Html => &content.html,
        Part::Text => &content.text,
    };
    let reason = "does not show {{accept_url}} in every mail; without it nobody can accept";
    let fault = TemplateFault { part, at: None, reason: reason.to_owned() };
    (!shown.contains(link)).then_some(fault)
}

fn empty_subject() -> TemplateFault {
    TemplateFault { part: Part::Subject, at: None, reason: "is empty in some mails".to_owned() }
}
