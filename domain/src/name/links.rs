//! Parts of a name that a mail program would turn into something to click or to call.
//!
//! An invitation goes out in the operator's name to whomever somebody types in: a name such as
//! "Free money at evil.example" makes it an advertisement that passes every spam filter.

/// U+2060 WORD JOINER: nobody sees it, and no program finds a link across it.
const JOINER: char = '\u{2060}';

/// What stands in for a dot: some programs link across these too.
const DOTS: [char; 5] = ['.', '\u{2024}', '\u{3002}', '\u{FF0E}', '\u{FF61}'];

/// Written so that a reader puts the link together.
const SPELT_DOTS: [&str; 4] = ["[.]", "(.)", "{.}", "[dot]"];

const SCHEMES: [&str; 7] = ["://", "http:", "https:", "hxxp", "www.", "mailto:", "tel:"];

/// Endings that are domains first, whatever else they might mean.
const DOMAINS_FIRST: [&str; 14] = [
    "com", "net", "org", "info", "biz", "io", "co", "app", "dev", "xyz", "top", "site", "shop",
    "online",
];

/// Before these a dot ends an abbreviation: "St.Mary", "Smith & Co.KG".
const ABBREVIATIONS: [&str; 24] = [
    "dr", "st", "mr", "mrs", "ms", "jr", "sr", "prof", "mt", "inc", "ltd", "co", "ph", "ing",
    "mag", "dipl", "no", "nr", "vol", "fr", "rev", "gen", "sgt", "capt",
];

/// What stands between the digits of a telephone number.
const NUMBER_SIGNS: &str = "+ .-()/";
const TELEPHONE_DIGITS: std::ops::RangeInclusive<usize> = 7..=17;

/// Whether a mail program, or a reader who is asked to, would find a link or a telephone number.
pub(super) fn has_link(text: &str) -> bool {
    let mut plain: String = text.chars().map(|c| if DOTS.contains(&c) { '.' } else { c }).collect();
    for spelt in SPELT_DOTS {
        plain = plain.replace(spelt, ".");
    }
    let lower = plain.to_lowercase();
    SCHEMES.iter().any(|scheme| lower.contains(scheme))
        || has_domain(&plain)
        || has_telephone(&plain)
}

/// The same text with a joiner after each sign that a link or a telephone number hangs on.
pub(super) fn defanged(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let at = |index: usize| chars.get(index).copied().unwrap_or(' ');
    let mut safe = String::with_capacity(text.len() + 8);
    for (index, &c) in chars.iter().enumerate() {
        safe.push(c);
        let before = index.checked_sub(1).map_or(' ', at);
        let (after, second) = (at(index + 1), at(index + 2));
        // "J.R. Smith" stays as it is: no domain ends in a single letter.
        let in_domain = DOTS.contains(&c) && after.is_alphanumeric() && second.is_alphanumeric();
        let in_number = NUMBER_SIGNS.contains(c)
            && after.is_ascii_digit()
            && (before.is_ascii_digit() || c == '+');
        let in_address =
            matches!(c, ':' | '@') && !after.is_whitespace() || (c == '/' && after == '/');
        if in_domain || in_number || in_address {
            safe.push(JOINER);
        }
    }
    safe
}

/// Whether two labels meet at a dot as in `evil.example`.
fn has_domain(text: &str) -> bool {
    text.match_indices('.').any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + 1..]);
        let host = before.rsplit(|c: char| !c.is_alphanumeric() && c != '-').next().unwrap_or("");
        let top = after.split(|c: char| !c.is_alphanumeric()).next().unwrap_or("");
        let ends_a_domain = after.to_ascii_lowercase().starts_with("xn--")
            || (top.chars().count() >= 2 && top.chars().all(char::is_alphabetic));
        !host.is_empty() && ends_a_domain && !is_abbreviation(host, top)
    })
}

/// "J.Smith" and "St.Mary" lack a space, not honesty.
fn is_abbreviation(host: &str, next: &str) -> bool {
    let capital = |word: &str| word.chars().next().is_some_and(char::is_uppercase);
    let initial = host.chars().count() == 1 && capital(host);
    capital(next)
        && !DOMAINS_FIRST.contains(&next.to_lowercase().as_str())
        && (initial || ABBREVIATIONS.contains(&host.to_lowercase().as_str()))
}

/// Whether there is a number such as `1.800.555.0199` or `+1 800 555 0199`.
fn has_telephone(text: &str) -> bool {
    let in_number = |c: char| c.is_ascii_digit() || NUMBER_SIGNS.contains(c);
    // A plus begins a number: what stands before it belongs to another one.
    text.split('+').enumerate().any(|(index, part)| {
        part.split(|c| !in_number(c)).enumerate().any(|(run_index, run)| {
            let international = index > 0 && run_index == 0;
            let groups: Vec<&str> = run
                .split(|c: char| !c.is_ascii_digit())
                .filter(|group| !group.is_empty())
                .collect();
            let digits = groups.iter().map(|group| group.len()).sum();
            TELEPHONE_DIGITS.contains(&digits)
                && (international || groups.len() >= 3)
                && !is_date(&groups)
        })
    })
}

/// `24.12.2026` or `2026-12-24`.
fn is_date(groups: &[&str]) -> bool {
    matches!(
        groups.iter().map(|group| group.len()).collect::<Vec<_>>()[..],
        [1 | 2, 1 | 2, 4] | [4, 1 | 2, 1 | 2]
    )
}
