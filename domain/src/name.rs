//! A human-readable name that is safe in a mail header, a page and a log of another system.

mod links;

use std::fmt;

use unicode_segmentation::UnicodeSegmentation;

/// The name of a person or an organization: one visible line of at most [`Name::MAX_GRAPHEMES`].
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Name(String);

/// Why a text is no name. Shown to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing but white space.
    #[error("is empty; leave it out or give a name")]
    Empty,
    /// Longer than [`Name::MAX_GRAPHEMES`].
    #[error("is too long; at most 64 characters")]
    TooLong,
    /// A line break, NUL or another control character.
    #[error("has a line break or another control character; give one line of text")]
    Control,
    /// A character that is invisible or turns the writing direction (Unicode TR 36 §3).
    #[error("has an invisible or direction-changing character; remove it")]
    Invisible,
    /// More marks stacked on one letter than any language uses.
    #[error("has too many combining marks on one letter; remove some")]
    Marks,
    /// Only signs or emoji. Only a [`NamePolicy`] asks for more.
    #[error("has no letter or digit; give a name that can be read out")]
    NoLetter,
    /// Something that mail programs make a link of. Only a [`NamePolicy`] refuses it.
    #[error("looks like a link or a telephone number; give the name alone")]
    Link,
}

/// What a name may be where we set the rules. A contract that takes more is not asked: its names
/// are defanged in the mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamePolicy {
    /// What becomes of links.
    pub links: LinkPolicy,
}

/// What becomes of a name with a link or a telephone number in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkPolicy {
    /// It is no name.
    Refuse,
    /// It is one; in mails it is [`defanged`].
    Defang,
}

impl NamePolicy {
    /// Reads a name that people will see in mails.
    pub fn parse(self, text: &str) -> Result<Name, NameError> {
        let name = Name::parse(text)?;
        // Signs of ASCII alone are what people give who have one name only: "-", ".".
        if !name.0.is_ascii() && !name.0.chars().any(char::is_alphanumeric) {
            return Err(NameError::NoLetter);
        }
        match self.links {
            LinkPolicy::Refuse if name.has_link() => Err(NameError::Link),
            LinkPolicy::Refuse | LinkPolicy::Defang => Ok(name),
        }
    }
}

/// The same text so that no mail program makes a link of any part; looks no different.
pub fn defanged(text: &str) -> String {
    links::defanged(text)
}

impl Name {
    /// Longest name, in user-perceived characters.
    pub const MAX_GRAPHEMES: usize = 64;
    const MAX_MARKS: usize = 4;

    /// Reads a name; surrounding white space is dropped, everything else must be right.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        // The line breaks that trimming would hide are refused first: they are never meant.
        if text.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')) {
            return Err(NameError::Control);
        }
        let name = text.trim();
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        if name.len() > Self::MAX_GRAPHEMES * 32 {
            return Err(NameError::TooLong);
        }
        if name.chars().any(is_invisible) {
            return Err(NameError::Invisible);
        }
        // A grapheme cluster is a base character and everything stacked on it.
        if name.graphemes(true).any(|g| g.chars().count() > Self::MAX_MARKS + 1 && !is_emoji(g)) {
            return Err(NameError::Marks);
        }
        if name.graphemes(true).count() > Self::MAX_GRAPHEMES {
            return Err(NameError::TooLong);
        }
        Ok(Self(name.to_owned()))
    }

    /// Whether a mail program would make a link or a telephone number of a part of it.
    pub fn has_link(&self) -> bool {
        links::has_link(&self.0)
    }

    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A person's name is personal data: it stays out of logs.
        f.write_str("Name(…)")
    }
}

fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{180E}' | '\u{200B}'..='\u{200F}'
        | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3164}' | '\u{FEFF}' | '\u{FFA0}'
        | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

fn is_emoji(grapheme: &str) -> bool {
    grapheme.chars().next().is_some_and(|c| ('\u{1F000}'..='\u{1FAFF}').contains(&c))
}
