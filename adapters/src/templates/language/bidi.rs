//! Which way a language is written, and keeping what is written the other way in one piece.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// Which way a language is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Direction {
    /// As English.
    #[serde(rename = "ltr")]
    LeftToRight,
    /// As Arabic.
    #[serde(rename = "rtl")]
    RightToLeft,
}

/// U+2068 FIRST STRONG ISOLATE
const ISOLATE: char = '\u{2068}';
/// U+2069 POP DIRECTIONAL ISOLATE
const END: char = '\u{2069}';

/// A name so that it and the sentence around it keep their order (Unicode UAX 9 §2.6): what comes
/// after it stays after it, whichever way each is written. It looks no different.
pub fn isolated(value: Cow<'_, str>, around: Direction) -> Cow<'_, str> {
    if around == Direction::LeftToRight && !value.chars().any(is_right_to_left) {
        return value;
    }
    Cow::Owned(format!("{ISOLATE}{value}{END}"))
}

/// Whether a character is in a block of scripts that are written from right to left.
const fn is_right_to_left(c: char) -> bool {
    matches!(
        c,
        '\u{590}'..='\u{8ff}'
            | '\u{fb1d}'..='\u{fdff}'
            | '\u{fe70}'..='\u{feff}'
            | '\u{10800}'..='\u{10fff}'
            | '\u{1e800}'..='\u{1efff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_could_turn_a_sentence_is_isolated() {
        let isolated = |value, around| isolated(Cow::Borrowed(value), around).into_owned();
        assert_eq!(isolated("Acme (UK)", Direction::LeftToRight), "Acme (UK)");
        assert_eq!(isolated("日本", Direction::LeftToRight), "日本");
        assert_eq!(isolated("שלום", Direction::LeftToRight), "\u{2068}שלום\u{2069}");
        assert_eq!(isolated("Acme (UK)", Direction::RightToLeft), "\u{2068}Acme (UK)\u{2069}");
    }
}
