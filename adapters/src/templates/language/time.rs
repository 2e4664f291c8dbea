//! Points in time as the readers of a language write them.

use std::borrow::Cow;

use chrono::{Datelike, Timelike};
use domain::Timestamp;

use super::Header;
use super::message::Text;

const NAMES: [&str; 6] = ["day", "month", "month_number", "year", "hour", "minute"];

/// How a point in time is written; always in UTC.
#[derive(Debug, Clone)]
pub struct TimeFormat {
    pattern: Text,
    months: [String; 12],
    first_day: Option<String>,
}

impl TimeFormat {
    /// Reads it; what is left out is as in the language below.
    pub(super) fn read(header: &Header, below: Option<&Self>) -> Result<Self, String> {
        let pattern = match &header.time {
            Some(pattern) => Text::read(pattern).map_err(|reason| format!("time: {reason}"))?,
            None => below.map(|below| below.pattern.clone()).ok_or("time is missing")?,
        };
        if let Some(unknown) = pattern.names().find(|name| !NAMES.contains(name)) {
            return Err(format!("time cannot show {{{unknown}}}"));
        }
        let months = header.months.clone().or_else(|| below.map(|below| below.months.clone()));
        let first_day =
            header.first_day.clone().or_else(|| below.and_then(|below| below.first_day.clone()));
        Ok(Self { pattern, months: months.ok_or("months is missing")?, first_day })
    }

    /// Writes it.
    pub fn write(&self, at: Timestamp) -> String {
        let value = |name: &str| -> Result<Cow<'_, str>, std::convert::Infallible> {
            Ok(match name {
                "day" => match &self.first_day {
                    Some(first) if at.day() == 1 => first.into(),
                    _ => at.day().to_string().into(),
                },
                "month" => {
                    let at = usize::try_from(at.month0()).unwrap_or_default();
                    Cow::Borrowed(self.months.get(at).map_or("", String::as_str))
                }
                "month_number" => at.month().to_string().into(),
                "year" => at.year().to_string().into(),
                "hour" => format!("{:02}", at.hour()).into(),
                _ => format!("{:02}", at.minute()).into(),
            })
        };
        match self.pattern.fill(str::to_owned, value) {
            Ok(text) => text,
            Err(never) => match never {},
        }
    }
}
