//! Looks at a mail before anybody gets it: where its links go, and how it will look in other readers.
//!
//! Nothing is fetched: a link in a mail is for its reader, and to open one is what mail scanners do. All
//! that is said here comes from the mail itself and from a table of what mail readers can do (`rules`).

mod css;
mod links;
mod markup;
mod rules;

use serde::Serialize;
use url::Url;

pub use links::{Link, Place};
pub use rules::Level;

use markup::Markup;

/// What was found in a mail.
#[derive(Debug, Clone, Serialize)]
pub struct MailCheck {
    /// The links of both parts, each once; at most [`MailCheck::MAX_LINKS`].
    pub links: Vec<Link>,
    /// What will look different somewhere, the worst first.
    pub notes: Vec<Note>,
}

/// Something that will not be everywhere as it is here.
#[derive(Debug, Clone, Serialize)]
pub struct Note {
    /// How bad it is.
    pub level: Level,
    /// What was found, in a few words.
    pub what: &'static str,
    /// Whose reader it is about.
    pub readers: &'static str,
    /// What such a reader does with it.
    pub why: &'static str,
    /// What to do about it.
    pub advice: &'static str,
    /// Who says so.
    pub source: &'static str,
    /// The first few places where it was found.
    pub places: Vec<String>,
    /// How many more places there are.
    pub more: usize,
}

impl MailCheck {
    /// How many links are looked at.
    pub const MAX_LINKS: usize = 200;
    /// How many places a note names.
    pub const MAX_PLACES: usize = 3;

    /// Checks the HTML part and the text part of a mail from the service that people reach at `home`.
    pub fn new(html: &str, text: &str, home: &Url) -> Self {
        let markup = Markup::read(html);
        let links = links::of(&markup, text, home);
        Self { links, notes: rules::notes(&rules::Looked { markup: &markup, html, text }) }
    }

    /// How many things there are to look at.
    pub fn count(&self) -> usize {
        self.notes.len() + self.links.iter().map(|link| link.problems.len()).sum::<usize>()
    }
}
