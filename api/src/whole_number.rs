//! Whole numbers as JSON has them: for JSON Schema, 5.0 is one as well as 5.

use serde::de::{Deserializer, Error, Unexpected, Visitor};

/// For `#[serde(default, deserialize_with = …)]`: nothing, null or a whole number that is not negative.
pub fn optional<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    from.deserialize_option(WholeNumber)
}

struct WholeNumber;

/// Beyond it, a float skips numbers, so that it may not be the one that was meant.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl<'de> Visitor<'de> for WholeNumber {
    type Value = Option<u64>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a whole number that is not negative")
    }

    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_any(self)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Some(number))
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range")]
    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        let is_whole = number.fract() == 0.0 && (0.0..EXACT).contains(&number);
        let wrong = || E::invalid_value(Unexpected::Float(number), &self);
        is_whole.then_some(Some(number as u64)).ok_or_else(wrong)
    }
}
