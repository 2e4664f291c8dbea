//! One person as rows tell of them: recognized by address and name, and taken out of what is kept.

use std::collections::BTreeSet;

use domain::EmailAddress;
use sea_orm::prelude::Json;
use serde_json::Map;

/// The address of whoever was erased, to which nothing can be sent (RFC 2606 §2).
pub(in crate::store) const NOBODY: &str = "erased@erased.invalid";
/// What stands where a name was.
const WORD: &str = "erased";

/// Whom to look for, and what for.
pub(super) struct Person {
    normalized: String,
    /// As the audit log has it, in lower case.
    masked: String,
    /// In lower case: wherever one of these stands in a text, the person is meant.
    addresses: BTreeSet<String>,
    /// First and last names together.
    names: BTreeSet<String>,
    /// Texts that are about the person if they are nothing else: names, and what describes a place.
    words: BTreeSet<String>,
}

impl Person {
    pub(super) fn new(email: &EmailAddress) -> Self {
        let normalized = email.normalized();
        let given = email.as_given().to_lowercase();
        Self {
            addresses: [normalized.clone(), given].into(),
            names: BTreeSet::new(),
            words: BTreeSet::new(),
            masked: email.masked().to_lowercase(),
            normalized,
        }
    }

    /// What is compared and kept unique.
    pub(super) fn normalized(&self) -> &str {
        &self.normalized
    }

    /// All ways in which the address was written, in lower case.
    pub(super) fn addresses(&self) -> Vec<String> {
        self.addresses.iter().cloned().collect()
    }

    /// First and last names together.
    pub(super) fn names(&self) -> impl Iterator<Item = &String> {
        self.names.iter()
    }

    /// Learns how the person's address was written.
    pub(super) fn writes(&mut self, address: &str) {
        self.addresses.insert(address.to_lowercase());
    }

    /// Learns names of the person.
    pub(super) fn is_called(&mut self, first: Option<&str>, last: Option<&str>) {
        if let (Some(first), Some(last)) = (first, last) {
            self.names.insert(format!("{first} {last}"));
        }
        for name in [first, last].into_iter().flatten() {
            self.is(Some(name));
        }
    }

    /// Learns a word about the person.
    pub(super) fn is(&mut self, word: Option<&str>) {
        self.words.extend(word.filter(|word| !word.is_empty()).map(str::to_owned));
    }

    /// Whether that is the person's address.
    pub(super) fn has(&self, address: &str) -> bool {
        let address = address.trim();
        EmailAddress::parse(address).is_ok_and(|email| email.normalized() == self.normalized)
            || self.addresses.contains(&address.to_lowercase())
    }

    /// Whether a text names the person's address; another one that only ends like it does not.
    pub(super) fn is_named_in(&self, text: &str) -> bool {
        self.addresses.iter().any(|address| !places(text, address).is_empty())
    }

    /// Whether a key holds the address, whatever stands beside it: keys are made by joining words. One of
    /// somebody else whose address ends alike is taken for it: better that a repeat is not known again than
    /// that a name stays.
    pub(super) fn is_in_key(&self, key: &str) -> bool {
        let key = key.to_ascii_lowercase();
        self.addresses.iter().any(|address| key.contains(address))
    }

    /// A text without the person; `None` if it does not tell of them.
    pub(super) fn taken_out_of(&self, text: &str) -> Option<String> {
        if self.words.contains(text) || self.names.contains(text) {
            return Some(WORD.to_owned());
        }
        if text.to_lowercase() == self.masked {
            return Some(NOBODY.to_owned());
        }
        let mut left = text.to_owned();
        for address in &self.addresses {
            // From the end, so that the others stay where they are.
            for at in places(&left, address).into_iter().rev() {
                left.replace_range(at..at + address.len(), NOBODY);
            }
        }
        (left != text).then_some(left)
    }

    /// Takes the person out of JSON, in whatever form it is: an answer, an event, a payload.
    /// `true` if something was there.
    pub(super) fn take_out_of(&self, json: &mut Json) -> bool {
        match json {
            Json::String(text) => match self.taken_out_of(text) {
                Some(left) => {
                    *text = left;
                    true
                }
                None => false,
            },
            Json::Array(items) => {
                items.iter_mut().fold(false, |found, item| self.take_out_of(item) | found)
            }
            Json::Object(fields) => {
                let is_own = self.take_out_of_view(fields);
                let keys: Vec<String> =
                    fields.keys().filter(|key| self.is_named_in(key)).cloned().collect();
                let mut found = is_own || !keys.is_empty();
                for key in keys {
                    let value = fields.remove(&key).unwrap_or_default();
                    fields.insert(self.taken_out_of(&key).unwrap_or_default(), value);
                }
                for value in fields.values_mut() {
                    found |= self.take_out_of(value);
                }
                found
            }
            _ => false,
        }
    }

    /// What the API shows of an invitation, if it is the person's: names and metadata may be others' words.
    fn take_out_of_view(&self, fields: &mut Map<String, Json>) -> bool {
        let email = fields.get("email").and_then(Json::as_str);
        if !email.is_some_and(|email| self.has(email)) {
            return false;
        }
        for (field, nothing) in [
            ("first_name", Json::Null),
            ("last_name", Json::Null),
            ("metadata", Json::Object(Map::new())),
        ] {
            if let Some(value) = fields.get_mut(field) {
                *value = nothing;
            }
        }
        true
    }
}

/// Everywhere that an address, in lower case, stands in a text.
fn places(text: &str, address: &str) -> Vec<usize> {
    // Keeps every byte where it is, as a change of case beyond ASCII would not.
    let text = text.to_ascii_lowercase();
    let goes_on = |c: char| c.is_alphanumeric() || "_-+".contains(c);
    let stands_alone = |at: &usize| {
        let at = *at;
        let before = text[..at].chars().next_back();
        let mut after = text[at + address.len()..].chars();
        let ends = match after.next() {
            Some('.') => !after.next().is_some_and(char::is_alphanumeric),
            Some(c) => !(c.is_alphanumeric() || c == '-'),
            None => true,
        };
        ends && !before.is_some_and(|c| goes_on(c) || c == '.')
    };
    text.match_indices(address).map(|(at, _)| at).filter(stands_alone).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ann() -> Person {
        let mut ann = Person::new(&EmailAddress::parse("Ann@Example.com").unwrap());
        ann.is_called(Some("Ann"), Some("Lee"));
        ann.is(None);
        ann.is(Some(""));
        ann
    }

    #[test]
    fn an_address_is_found_wherever_it_stands_and_no_other() {
        for (text, left) in [
            ("ann@example.com", Some(NOBODY)),
            (
                "550 <ANN@example.com>: no such user",
                Some("550 <erased@erased.invalid>: no such user"),
            ),
            ("mailto=ann@example.com.", Some("mailto=erased@erased.invalid.")),
            ("joann@example.com", None),
            ("jo.ann@example.com", None),
            ("ann@example.com.au", None),
            ("a***@example.com", Some(NOBODY)),
            ("Ann", Some("erased")),
            ("Ann Lee", Some("erased")),
            ("Anna", None),
            ("ä ann@example.com ä", Some("ä erased@erased.invalid ä")),
            ("", None),
            (
                "ann@example.com, Ann@Example.com",
                Some("erased@erased.invalid, erased@erased.invalid"),
            ),
        ] {
            assert_eq!(ann().taken_out_of(text).as_deref(), left, "{text}");
        }
        assert!(ann().has(" ann@EXAMPLE.com ") && !ann().has("bob@example.com"));
    }

    #[test]
    fn nobody_is_taken_out_of_a_text_and_that_ends() {
        let nobody = Person::new(&EmailAddress::parse(NOBODY).unwrap());
        assert_eq!(
            nobody.taken_out_of("to erased@erased.invalid, twice: erased@erased.invalid"),
            None
        );
    }

    #[test]
    fn json_is_left_without_the_person_and_with_everybody_else() {
        let mut json = json!({
            "data": [{"email": "Ann@example.com", "metadata": {"badge": 7}, "last_name": "Lee"}],
            "by": "Ann Lee",
            "errors": {"ann@example.com": "is known", "bob@example.com": "is new"},
            "bob": {"email": "bob@example.com", "metadata": {"badge": 8}, "count": 2, "none": null},
        });
        assert!(ann().take_out_of(&mut json));
        assert_eq!(
            json,
            json!({
                "data": [{"email": NOBODY, "metadata": {}, "last_name": null}],
                "by": "erased",
                "errors": {NOBODY: "is known", "bob@example.com": "is new"},
                "bob": {"email": "bob@example.com", "metadata": {"badge": 8}, "count": 2, "none": null},
            })
        );
        assert!(!ann().take_out_of(&mut json), "it is all gone");
    }
}
