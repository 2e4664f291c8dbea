//! Reads merged values as the types that settings have; every refusal names its origin.

use std::ops::RangeInclusive;
use std::time::Duration;

use toml::Value;

use super::source::{Leaf, Leaves, Origin};
use super::{SettingsError, duration};

/// What is wrong with a value, as the rest of the sentence that its origin begins.
pub type Problem = String;

const DURATION_WANTED: &str = "must be a duration such as 250ms, 30s, 5m, 12h or 3d";

impl Leaves {
    /// A text, converted by `convert`. A refusal must not repeat the value if it may be secret.
    pub fn text<T>(
        &self,
        key: &'static str,
        convert: impl FnOnce(&str) -> Result<T, Problem>,
    ) -> Result<T, SettingsError> {
        let leaf = self.leaf(key)?;
        let text = leaf.value.as_str().ok_or_else(|| wrong(leaf, "must be a text".into()))?;
        convert(text).map_err(|problem| wrong(leaf, problem))
    }

    /// A text whose empty form means that there is none.
    pub fn optional(&self, key: &'static str) -> Result<Option<String>, SettingsError> {
        self.text(key, |text| Ok((!text.is_empty()).then(|| text.to_owned())))
    }

    /// A whole number from `range`.
    pub fn number<T>(&self, key: &'static str, range: RangeInclusive<T>) -> Result<T, SettingsError>
    where
        T: TryFrom<i64> + PartialOrd + std::fmt::Display,
    {
        let leaf = self.leaf(key)?;
        leaf.value
            .as_integer()
            .and_then(|number| T::try_from(number).ok())
            .filter(|number| range.contains(number))
            .ok_or_else(|| {
                wrong(leaf, format!("must be a number from {} to {}", range.start(), range.end()))
            })
    }

    /// A number from 0 to 1.
    pub fn fraction(&self, key: &'static str) -> Result<f64, SettingsError> {
        let leaf = self.leaf(key)?;
        let within = |number: &f64| (0.0..=1.0).contains(number);
        let number = leaf.value.as_float().filter(within);
        number.ok_or_else(|| wrong(leaf, "must be a number from 0.0 to 1.0".into()))
    }

    /// Yes or no.
    pub fn flag(&self, key: &'static str) -> Result<bool, SettingsError> {
        let leaf = self.leaf(key)?;
        leaf.value.as_bool().ok_or_else(|| wrong(leaf, "must be true or false".into()))
    }

    /// A duration.
    pub fn duration(&self, key: &'static str) -> Result<Duration, SettingsError> {
        self.text(key, |text| duration::parse(text).ok_or_else(|| DURATION_WANTED.into()))
    }

    /// A list of durations, at least one.
    pub fn durations(&self, key: &'static str) -> Result<Vec<Duration>, SettingsError> {
        let leaf = self.leaf(key)?;
        leaf.value
            .as_array()
            .filter(|items| !items.is_empty())
            .and_then(|items| items.iter().map(|i| duration::parse(i.as_str()?)).collect())
            .ok_or_else(|| wrong(leaf, "must be a list of durations such as 1m, 5m, 1h".into()))
    }

    /// A list, which may be empty.
    pub fn list<T>(
        &self,
        key: &'static str,
        convert: impl Fn(&str) -> Result<T, Problem>,
    ) -> Result<Vec<T>, SettingsError> {
        let leaf = self.leaf(key)?;
        let items = leaf.value.as_array().into_iter().flatten();
        let item = |item: &Value| match item.as_str() {
            Some(text) => convert(text),
            None => Err("must be a list of texts".into()),
        };
        items.map(item).collect::<Result<_, _>>().map_err(|problem| wrong(leaf, problem))
    }

    /// A refusal of `key` for a reason that is found only later.
    pub fn refuse(&self, key: &'static str, problem: &str) -> SettingsError {
        match self.leaf(key) {
            Ok(leaf) => wrong(leaf, problem.to_owned()),
            Err(error) => error,
        }
    }

    fn leaf(&self, key: &'static str) -> Result<&Leaf, SettingsError> {
        self.0.get(key).ok_or_else(|| SettingsError::Wrong {
            origin: Origin::Default(key.to_owned()),
            problem: "has no default in settings.default.toml".into(),
        })
    }
}

/// A URL of one of these kinds.
pub fn starts_with_any(text: &str, prefixes: &[&str]) -> Result<String, Problem> {
    if prefixes.iter().any(|prefix| text.starts_with(prefix)) {
        return Ok(text.to_owned());
    }
    // The value itself may hold a password.
    Err(format!("must begin with {}", prefixes.join(" or ")))
}

fn wrong(leaf: &Leaf, problem: Problem) -> SettingsError {
    debug_assert!(!matches!(leaf.value, Value::Table(_)), "a section is no leaf");
    SettingsError::Wrong { origin: leaf.origin.clone(), problem }
}
