//! One string of a language: text with `{names}` to fill in, perhaps in several plural forms.

use std::collections::{BTreeMap, BTreeSet};

use toml::Value;

use super::plural::{self, Plural};

/// The name under which a plural form shows the number that has chosen it.
pub const COUNT: &str = "count";

/// A string as the language has it.
#[derive(Debug, Clone)]
pub enum Message {
    /// The same for every number.
    Plain(Text),
    /// One text for each plural form that the language has.
    Plural(BTreeMap<Plural, Text>),
}

/// Words, and places for other words.
#[derive(Debug, Clone)]
pub struct Text(Vec<Part>);

#[derive(Debug, Clone)]
enum Part {
    Words(String),
    Name(String),
}

impl Message {
    /// Reads a string, or a table of its forms in the language.
    pub fn read(value: &Value, language: &str) -> Result<Self, String> {
        match value {
            Value::String(text) => Text::read(text).map(Self::Plain),
            Value::Table(forms) => {
                let forms = forms.iter().map(|(name, value)| {
                    let form =
                        Plural::parse(name).ok_or_else(|| format!("{name:?} is no plural form"))?;
                    let text = value.as_str().ok_or("a plural form must be a string")?;
                    Ok((form, Text::read(text)?))
                });
                let forms = forms.collect::<Result<BTreeMap<_, _>, String>>()?;
                let needed = plural::forms(language);
                if let Some(missing) = needed.iter().find(|form| !forms.contains_key(form)) {
                    return Err(format!("has no form {:?}", missing.as_str()));
                }
                if let Some(extra) = forms.keys().find(|form| !needed.contains(form)) {
                    return Err(format!("has a form {:?}, which is never used", extra.as_str()));
                }
                Ok(Self::Plural(forms))
            }
            _ => Err("must be a string, or a table of plural forms".to_owned()),
        }
    }

    /// The text for a number in that language.
    pub fn text(&self, language: &str, count: Option<u64>) -> Option<&Text> {
        match (self, count) {
            (Self::Plain(text), _) => Some(text),
            // A string that stands in for another language's has other forms.
            (Self::Plural(forms), Some(count)) => {
                forms.get(&plural::of(language, count)).or_else(|| forms.get(&Plural::Other))
            }
            (Self::Plural(_), None) => None,
        }
    }

    /// All names in all of its texts.
    pub fn names(&self) -> BTreeSet<&str> {
        match self {
            Self::Plain(text) => text.names().collect(),
            Self::Plural(forms) => forms.values().flat_map(Text::names).chain([COUNT]).collect(),
        }
    }
}

impl Text {
    /// Reads words and `{names}`.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((words, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').ok_or("a { is left open")?;
            let is_name = |c: char| c.is_ascii_lowercase() || c == '_';
            if name.is_empty() || !name.chars().all(is_name) || words.contains('}') {
                return Err(format!("{{{name}}} is not a name in braces"));
            }
            parts.push(Part::Words(words.to_owned()));
            parts.push(Part::Name(name.to_owned()));
            rest = after;
        }
        if rest.contains('}') {
            return Err("a } has no {".to_owned());
        }
        parts.push(Part::Words(rest.to_owned()));
        Ok(Self(parts))
    }

    /// The text with its names filled in; the error is a name that nothing is known for.
    pub fn fill<V: AsRef<str>, E>(
        &self,
        words: impl Fn(&str) -> String,
        value: impl Fn(&str) -> Result<V, E>,
    ) -> Result<String, E> {
        let mut filled = String::new();
        for part in &self.0 {
            match part {
                Part::Words(text) => filled.push_str(&words(text)),
                Part::Name(name) => filled.push_str(value(name)?.as_ref()),
            }
        }
        Ok(filled)
    }

    /// The names in it.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Name(name) => Some(name.as_str()),
            Part::Words(_) => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> Result<String, String> {
        let value = |name: &str| match name {
            "a" => Ok("1 {b}"),
            other => Err(format!("no {other}")),
        };
        Text::read(text)?.fill(str::to_owned, value)
    }

    #[test]
    fn names_are_filled_in_once() {
        assert_eq!(filled("x {a} y{a}").unwrap(), "x 1 {b} y1 {b}");
        assert_eq!(filled("").unwrap(), "");
        assert_eq!(filled("{c}").unwrap_err(), "no c");
        for broken in ["{", "}", "{a", "a}", "{}", "{A}", "{a b}", "{{a}}"] {
            assert!(Text::read(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn a_plural_has_the_forms_of_its_language_and_no_others() {
        let read = |language, toml: &str| {
            let table: toml::Table = toml::from_str(toml).unwrap();
            Message::read(&Value::Table(table), language).map(|_| ())
        };
        assert!(read("en", "one = 'a'\nother = 'b'").is_ok());
        assert!(read("ja", "other = 'b'").is_ok());
        assert_eq!(read("en", "other = 'b'").unwrap_err(), "has no form \"one\"");
        assert!(read("ja", "one = 'a'\nother = 'b'").unwrap_err().contains("never used"));
        assert!(read("pl", "one = 'a'\nother = 'b'").is_err());
        assert!(read("en", "one = 'a'\nother = 'b'\nlots = 'c'").is_err());
    }
}
