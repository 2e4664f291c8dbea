//! The language of a page that no invitation decides: what the browser asks for (RFC 9110 §12.5.4).

use actix_web::HttpRequest;
use actix_web::http::header::ACCEPT_LANGUAGE;
use adapters::templates::Templates;

/// Nobody reads more languages; bounds the work on hostile input.
const MOST: usize = 20;

/// The best language for whoever asks; `otherwise` if there is nothing that they read.
pub fn choose<'t>(request: &HttpRequest, templates: &'t Templates, otherwise: &'t str) -> &'t str {
    let headers = request.headers().get_all(ACCEPT_LANGUAGE);
    let values: Vec<&str> = headers.filter_map(|value| value.to_str().ok()).collect();
    let wanted = by_weight(&values);
    wanted.into_iter().find_map(|tag| templates.locale(tag)).unwrap_or(otherwise)
}

/// The languages of the header, those that are liked most first. `*` is no language: whoever takes any
/// gets the usual one.
fn by_weight<'h>(values: &[&'h str]) -> Vec<&'h str> {
    let ranges = values.iter().flat_map(|value| value.split(',')).take(MOST);
    let mut weighted: Vec<(u16, &str)> = ranges
        .filter_map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let tag = parts.next().filter(|tag| !tag.is_empty() && *tag != "*")?;
            let weight = parts.find_map(|part| part.strip_prefix("q="));
            Some((weight.map_or(Some(1000), thousandths)?, tag))
        })
        .filter(|(weight, _)| *weight > 0)
        .collect();
    // Of those that are liked alike, the first comes first.
    weighted.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    weighted.into_iter().map(|(_, tag)| tag).collect()
}

/// A weight from 0 to 1, as a whole number.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.len() <= 3 && text.bytes().all(|b| b.is_ascii_digit());
    let weight = match whole {
        "0" if digits(rest) => format!("{rest:0<3}").parse().ok()?,
        "1" if digits(rest) => 1000,
        _ => return None,
    };
    Some(weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_liked_most_comes_first() {
        for (values, expected) in [
            (&["de"][..], &["de"][..]),
            (&["fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5"], &["fr-CH", "fr", "en", "de"]),
            (&["en;q=0.1, ja", "he;q=0.5"], &["ja", "he", "en"]),
            (&["en;q=0.5,de;q=0.50,fr;q=0.501"], &["fr", "en", "de"]),
            (&["en;q=0, de;q=0.0"], &[]),
            (&["en;q=2, de;q=x, fr;q=0.1234, pl;q=-1"], &[]),
            (&["", ",;q=1,, ;"], &[]),
            (&["*"], &[]),
        ] {
            assert_eq!(by_weight(values), expected, "{values:?}");
        }
        let many = "a,".repeat(10_000);
        assert_eq!(by_weight(&[&many]).len(), MOST);
    }
}
