//! Names of languages.

/// Longest tag that is kept (RFC 5646 §4.4.1 recommends room for 35 characters).
pub const MAX_LOCALE: usize = 35;

/// Whether a text has the shape of a language tag (RFC 5646 §2.1), with `-` or `_`. Whether the
/// language exists does not matter: there is one that stands in.
pub fn is_locale(text: &str) -> bool {
    let mut parts = text.split(['-', '_']);
    let language = parts.next().unwrap_or_default();
    let fits = |part: &str| (1..=8).contains(&part.len());
    text.len() <= MAX_LOCALE
        && (2..=8).contains(&language.len())
        && language.bytes().all(|b| b.is_ascii_alphabetic())
        && parts.all(|part| fits(part) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locales_have_the_shape_of_language_tags() {
        assert!(["en", "de-AT", "zh-Hans-CN", "pt_BR", "es-419"].into_iter().all(is_locale));
        assert!(["", "e", "en-", "../en", "12", "en-überall"].into_iter().all(|l| !is_locale(l)));
        assert!(
            !is_locale(&"ab-".repeat(12)) && !is_locale(&format!("en{}", "-abcdefgh".repeat(4)))
        );
    }
}
