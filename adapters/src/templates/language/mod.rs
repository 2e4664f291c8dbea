//! What mails and pages say, in one language: `templates/locales/de.toml` and its like.
//!
//! English is complete and comes first; a language of ours has to be complete too, or it does not
//! load. In a file of an operator's own, whatever it leaves out comes from ours, or from English.

mod bidi;
mod matching;
mod message;
mod plural;
mod time;

use std::collections::BTreeMap;

use domain::Timestamp;
use serde::Deserialize;
use toml::{Table, Value};

use super::TemplateError;
use super::files::File;

pub use bidi::{Direction, isolated};
pub use matching::{best, canonical};
pub use message::{COUNT, Message};

use time::TimeFormat;

/// The language that is complete and stands in for every other.
pub const ENGLISH: &str = "en";

/// All languages by their canonical tags, such as `pt-BR`.
pub struct Languages(BTreeMap<String, Language>);

/// One language.
#[derive(Clone)]
pub struct Language {
    tag: String,
    /// Which way it is written.
    pub direction: Direction,
    time: TimeFormat,
    messages: BTreeMap<String, Message>,
}

/// Whose file it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Ours: it must be complete.
    Embedded,
    /// An operator's: what it leaves out stays as it is.
    Own,
}

/// The section `[language]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    /// Which way it is written.
    direction: Option<Direction>,
    /// Such as `{day} {month} {year}, {hour}:{minute} UTC`.
    time: Option<String>,
    /// The names of the months, in the form that they have in a date.
    months: Option<[String; 12]>,
    /// What stands for the day of the first of a month, if not "1".
    first_day: Option<String>,
}

impl Languages {
    /// Reads all files; those of one language in this order, the later ones over the earlier.
    pub fn load(files: &BTreeMap<String, Vec<(Origin, File)>>) -> Result<Self, TemplateError> {
        let mut languages = BTreeMap::new();
        let english = files.get(ENGLISH).ok_or(TemplateError::NoLocale)?;
        let english = read_all(ENGLISH, english, None)?;
        for (tag, files) in files.iter().filter(|(tag, _)| *tag != ENGLISH) {
            languages.insert(tag.clone(), read_all(tag, files, Some(&english))?);
        }
        languages.insert(ENGLISH.to_owned(), english);
        Ok(Self(languages))
    }

    /// The language with that very tag.
    pub fn get(&self, tag: &str) -> Option<&Language> {
        self.0.get(tag)
    }

    /// All tags.
    pub fn tags(&self) -> impl Iterator<Item = &String> {
        self.0.keys()
    }

    /// The language with that tag, or English.
    pub fn or_english(&self, tag: &str) -> Result<&Language, TemplateError> {
        self.get(tag).or_else(|| self.get(ENGLISH)).ok_or(TemplateError::NoLocale)
    }
}

impl Language {
    /// Its canonical tag.
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// The string of that name, such as `mail.subject`.
    pub fn message(&self, key: &str) -> Option<&Message> {
        self.messages.get(key)
    }

    /// A string that shows a number and nothing else.
    pub fn counted(&self, key: &str, count: u64) -> Option<String> {
        let text = self.message(key)?.text(&self.tag, Some(count))?;
        let value = |name: &str| if name == COUNT { Ok(count.to_string()) } else { Err(()) };
        text.fill(str::to_owned, value).ok()
    }

    /// A point in time as its readers write it.
    pub fn time(&self, at: Timestamp) -> String {
        self.time.write(at)
    }
}

fn read_all(
    tag: &str,
    files: &[(Origin, File)],
    english: Option<&Language>,
) -> Result<Language, TemplateError> {
    let mut language: Option<Language> = None;
    for (origin, file) in files {
        let wrong = |reason| TemplateError::Language { file: file.shown.clone(), reason };
        let below = language.as_ref().or(english);
        let read = read(tag, &file.text, below).map_err(wrong)?;
        let missing = english.filter(|_| *origin == Origin::Embedded).and_then(|english| {
            english.messages.keys().find(|key| !read.messages.contains_key(*key))
        });
        if let Some(key) = missing {
            return Err(wrong(format!("{key} is missing")));
        }
        let mut whole = Language { tag: tag.to_owned(), ..read };
        for (key, message) in below.into_iter().flat_map(|below| &below.messages) {
            whole.messages.entry(key.clone()).or_insert_with(|| message.clone());
        }
        language = Some(whole);
    }
    language.ok_or(TemplateError::NoLocale)
}

/// Reads what a file has; strings that are not below it are unknown, unless nothing is below it.
fn read(tag: &str, text: &str, below: Option<&Language>) -> Result<Language, String> {
    let mut file: Table = toml::from_str(text).map_err(|error| error.to_string())?;
    let header = file.remove("language").unwrap_or_else(|| Value::Table(Table::new()));
    let header: Header =
        header.try_into().map_err(|error: toml::de::Error| format!("[language]: {error}"))?;
    let direction = header.direction.or_else(|| below.map(|below| below.direction));
    let time = TimeFormat::read(&header, below.map(|below| &below.time));
    let mut messages = BTreeMap::new();
    for (section, strings) in &file {
        let strings = strings.as_table().ok_or_else(|| format!("{section} is in no section"))?;
        for (name, value) in strings {
            let key = format!("{section}.{name}");
            let message = Message::read(value, tag).map_err(|reason| format!("{key} {reason}"))?;
            if let Some(below) = below {
                let known =
                    below.message(&key).ok_or(format!("{key} is not the name of a string"))?;
                let names = known.names();
                if let Some(unknown) = message.names().difference(&names).next() {
                    return Err(format!("{key} cannot show {{{unknown}}}"));
                }
            }
            messages.insert(key, message);
        }
    }
    Ok(Language {
        tag: tag.to_owned(),
        direction: direction.unwrap_or(Direction::LeftToRight),
        time: time.map_err(|reason| format!("[language] {reason}"))?,
        messages,
    })
}
