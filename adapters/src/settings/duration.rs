//! Durations as people write them: `250ms`, `30s`, `5m`, `12h`, `3d`.

use std::time::Duration;

use serde::Serializer;

const UNITS: [(&str, u64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Ten years: enough for everything here, and sums with a date cannot overflow.
const LONGEST: Duration = Duration::from_hours(3650 * 24);

/// Reads a duration; `None` if it has no unit, is zero or is longer than ten years.
pub fn parse(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let (_, millis) = UNITS.iter().find(|(name, _)| *name == unit)?;
    let duration = Duration::from_millis(number.parse::<u64>().ok()?.checked_mul(*millis)?);
    (!duration.is_zero() && duration <= LONGEST).then_some(duration)
}

/// Writes a duration in the largest unit that divides it.
pub fn format(duration: Duration) -> String {
    let millis = duration.as_millis();
    UNITS
        .iter()
        .find(|(_, unit)| millis != 0 && millis.is_multiple_of(u128::from(*unit)))
        .map_or_else(
            || format!("{millis}ms"),
            |(name, unit)| format!("{}{name}", millis / u128::from(*unit)),
        )
}

/// For `#[serde(serialize_with)]`.
pub fn serialize<S: Serializer>(duration: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&format(*duration))
}

/// For `#[serde(serialize_with)]`.
pub fn serialize_list<S: Serializer>(durations: &[Duration], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(durations.iter().copied().map(format))
}

/// For `#[serde(serialize_with)]` of a setting that is a number of seconds.
pub fn serialize_seconds<S: Serializer>(value: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u64(value.as_secs())
}

/// For `#[serde(serialize_with)]` of a setting that is a number of milliseconds.
pub fn serialize_milliseconds<S: Serializer>(value: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u64(u64::try_from(value.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_unit_and_writes_the_largest() {
        for (text, millis, written) in [
            ("250ms", 250, "250ms"),
            ("30s", 30_000, "30s"),
            ("5m", 300_000, "5m"),
            ("12h", 43_200_000, "12h"),
            ("3d", 259_200_000, "3d"),
            ("600s", 600_000, "10m"),
            ("48h", 172_800_000, "2d"),
        ] {
            let duration = parse(text).unwrap();
            assert_eq!(duration, Duration::from_millis(millis), "{text}");
            assert_eq!(format(duration), written);
        }
    }

    #[test]
    fn refuses_what_could_be_misread() {
        for text in [
            "",
            "5",
            "s",
            "-5s",
            "1.5h",
            "5 s",
            "5M",
            "1h30m",
            "0s",
            "3651d",
            "99999999999999999999d",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
