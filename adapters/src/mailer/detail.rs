//! Makes a server's words fit for a timeline: no address, no secret, one short line.

const MAX_CHARS: usize = 200;
/// The shortest run with a digit that could be a token or a password of ours, cut or whole.
const LONG_RUN: usize = 16;
/// The same without a digit: longer than almost every word, shorter than a secret.
const LONG_WORD: usize = 20;
const HIDDEN: &str = "…";

/// Takes out of `text` whatever looks like an address, a link or a secret, and each of `hidden`.
///
/// Servers like to quote what they refuse: the recipient, a link in the body, a log-in.
pub(crate) fn clean(text: &str, hidden: &[&str]) -> String {
    let mut words = Vec::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        if word.is_empty() {
            continue;
        }
        words.push(if is_private(word, hidden) { HIDDEN } else { word });
    }
    words.dedup_by(|a, b| a == b && *a == HIDDEN);
    capped(&words.join(" "))
}

fn is_private(word: &str, hidden: &[&str]) -> bool {
    let has_run =
        word.split(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_'))).any(|run| {
            let has_digit = run.bytes().any(|b| b.is_ascii_digit());
            run.len() >= if has_digit { LONG_RUN } else { LONG_WORD }
        });
    let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
    word.contains(['@', '＠'])
        || word.contains("://")
        || word.to_ascii_lowercase().contains("%40")
        || has_run
        || hidden.iter().any(|h| {
            !h.is_empty() && (bare.eq_ignore_ascii_case(h) || (h.len() >= 4 && word.contains(h)))
        })
}

/// At most [`MAX_CHARS`] characters.
pub(super) fn capped(text: &str) -> String {
    if text.chars().count() <= MAX_CHARS {
        return text.to_owned();
    }
    text.chars().take(MAX_CHARS - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn addresses_links_and_secrets_go() {
        let text = "<ann@example.com>: User ann.lee unknown, see https://x.example/y (hunter2) \
                    key 7ZK4-7ZK4-7ZK4-7ZK4-7ZK4-7ZK4-7Z";
        let cleaned = clean(text, &["ann.lee", "hunter2"]);
        assert_eq!(cleaned, "… User … unknown, see … key …");
    }

    #[test]
    fn long_text_is_cut_and_control_characters_go() {
        assert_eq!(clean(&"ä ".repeat(500), &[]).chars().count(), 200);
        assert_eq!(clean("a\u{0}b\r\nc", &[]), "a b c");
    }
}
