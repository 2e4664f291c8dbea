//! The passwords that this contract's callers may choose for those they invite.

use std::fmt;

use adapters::password_hash::PasswordHasher;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::request::Person;
use crate::problem::ApiError;
use crate::routes::invitations::password::{self, LENGTH};

/// Why a password is not taken. Completes "The password …".
#[derive(Debug, PartialEq, Eq)]
pub enum Refused {
    /// It is too easy to guess; this is what it lacks.
    Weak(Vec<&'static str>),
    /// It costs more to hash than anybody gains from it.
    TooLong,
}

/// Holds a password to the page's own rule: 8 to 128 characters, among them an upper-case and a
/// lower-case letter of any script, a digit, and something that is none of these, no white space
/// and no control character.
pub fn check(password: &str) -> Result<(), Refused> {
    let length = password.chars().count();
    let lacks = |kind: fn(char) -> bool| !password.chars().any(kind);
    let rules = [
        (length < *LENGTH.start(), "at least 8 characters"),
        (lacks(char::is_uppercase), "an upper-case letter"),
        (lacks(char::is_lowercase), "a lower-case letter"),
        (lacks(char::is_numeric), "a digit"),
        (lacks(is_special), "a special character such as ! or -"),
    ];
    let lacking: Vec<_> =
        rules.into_iter().filter_map(|(lacks, what)| lacks.then_some(what)).collect();
    if length > *LENGTH.end() {
        Err(Refused::TooLong)
    } else if lacking.is_empty() {
        Ok(())
    } else {
        Err(Refused::Weak(lacking))
    }
}

/// The hash of each person's password, in order.
///
/// No more of them wait for the hasher than it takes at once: between two of ours, somebody who
/// accepts an invitation gets their turn.
pub async fn hash_all(
    hasher: &PasswordHasher,
    people: &[Person],
) -> Result<Vec<Option<String>>, ApiError> {
    stream::iter(people)
        .map(async |person| match &person.password {
            Some(given) => password::hash(hasher, given.clone()).await.map(Some),
            None => Ok(None),
        })
        .buffered(hasher.max_parallel())
        .try_collect()
        .await
}

fn is_special(c: char) -> bool {
    !c.is_alphanumeric() && !c.is_whitespace() && !c.is_control()
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Weak(lacking) => write!(f, "must have {}", lacking.join(", ")),
            Self::TooLong => write!(f, "may have at most {} characters", LENGTH.end()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lacks(password: &str) -> String {
        check(password).map_or_else(|refused| refused.to_string(), |()| "nothing".to_owned())
    }

    #[test]
    fn every_kind_of_character_is_asked_for() {
        for (password, expected) in [
            ("Abcdef1!", "nothing"),
            ("Ab1!", "must have at least 8 characters"),
            ("abcdef1!", "must have an upper-case letter"),
            ("ABCDEF1!", "must have a lower-case letter"),
            ("Abcdefg!", "must have a digit"),
            ("Abcdefg1", "must have a special character such as ! or -"),
            (
                "abcdefgh",
                "must have an upper-case letter, a digit, a special character such as ! or -",
            ),
        ] {
            assert_eq!(lacks(password), expected, "{password}");
        }
    }

    #[test]
    fn letters_and_digits_of_every_script_count_and_what_cannot_be_seen_is_not_special() {
        for password in ["Ünïcöd1!", "ΑΒΓΔεζη1!", "Abcdefg٣!", "Abcdefg1€", "Abcdefg1🦀"]
        {
            assert_eq!(lacks(password), "nothing", "{password}");
        }
        for password in ["Abcdefg1 ", "Abcdefg1\t", "Abcdefg1\u{a0}", "Abcdefg1\0", "Abcdefg1ä"] {
            assert_eq!(lacks(password), "must have a special character such as ! or -");
        }
        assert!(lacks("漢字漢字漢字1!").contains("an upper-case letter, a lower-case letter"));
    }

    #[test]
    fn characters_are_counted_and_not_bytes() {
        assert_eq!(lacks("Ää1!€€€"), "must have at least 8 characters");
        let long = |letters: usize| format!("A1!{}", "ä".repeat(letters));
        assert_eq!(lacks(&long(125)), "nothing");
        assert_eq!(lacks(&long(126)), "may have at most 128 characters");
    }
}
