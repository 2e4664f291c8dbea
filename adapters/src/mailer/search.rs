//! Finds captured mails by words.

use super::capture::Captured;

/// Words that a mail must have, all of them, in its recipient, sender, subject or text.
pub struct Search(Vec<String>);

impl Search {
    /// The words of what somebody typed; none find every mail.
    pub fn new(typed: &str) -> Self {
        Self(typed.split_whitespace().map(fold).collect())
    }

    /// Whether the mail has all words; upper and lower case count as the same.
    pub fn finds(&self, mail: &Captured) -> bool {
        self.0.is_empty() || {
            let all = fold(&[&*mail.to, &mail.from, &mail.subject, &mail.text].join("\n"));
            self.0.iter().all(|word| all.contains(word))
        }
    }
}

/// Near to Unicode's case folding: up first makes `ß` the same as `SS`, and each sigma the same.
fn fold(text: &str) -> String {
    text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_is_the_same_in_every_script() {
        for (one, other) in
            [("STRASSE", "straße"), ("Ünal", "üNAL"), ("ΟΔΟΣ", "οδος"), ("ВИТЯ", "витя")]
        {
            assert_eq!(fold(one), fold(other));
        }
        assert_ne!(fold("ann"), fold("änn"));
    }
}
