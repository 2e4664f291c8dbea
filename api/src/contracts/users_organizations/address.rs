//! The addresses that this contract takes: those of its page's pattern.

/// Whether the page's pattern matches all of `text`:
///
/// `^(?!\.)(?!.*\.\.)([A-Za-z0-9_'+\-\.]*)[A-Za-z0-9_+-]@([A-Za-z0-9][A-Za-z0-9\-]*\.)+[A-Za-z]{2,}$`
///
/// It looks ahead, which the engines that never take long cannot do. In JavaScript's reading
/// `(?!.*\.\.)` sees no further than the first line break, and `$` matches at the very end only: no
/// class of the pattern has a line break, so a text with one never matches, here as there.
pub fn fits_the_pattern(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let Some((labels, top)) = domain.rsplit_once('.') else { return false };
    !text.starts_with('.')
        && !text.contains("..")
        && is_local_part(local)
        && labels.split('.').all(is_label)
        && top.len() >= 2
        && top.bytes().all(|b| b.is_ascii_alphabetic())
}

fn is_local_part(text: &str) -> bool {
    let anywhere = |b: u8| b.is_ascii_alphanumeric() || b"_'+-.".contains(&b);
    text.bytes().all(anywhere) && text.bytes().last().is_some_and(|b| !b"'.".contains(&b))
}

fn is_label(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && text.bytes().next().is_some_and(|b| b != b'-')
}

#[cfg(test)]
mod tests {
    use fancy_regex::Regex;
    use rand::rngs::StdRng;
    use rand::seq::IndexedRandom;
    use rand::{RngExt, SeedableRng};

    use super::*;

    /// As the page has it.
    const PATTERN: &str = r"^(?!\.)(?!.*\.\.)([A-Za-z0-9_'+\-\.]*)[A-Za-z0-9_+-]@([A-Za-z0-9][A-Za-z0-9\-]*\.)+[A-Za-z]{2,}$";
    const GENERATED: usize = 20_000;
    /// What an address is made of, what it is not, and what engines disagree about.
    const CHARACTERS: [char; 30] = [
        'a', 'z', 'A', 'Z', '0', '9', '_', '\'', '+', '-', '.', '.', '@', '@', ' ', '\t', '\n',
        '\r', '\0', '"', '!', '/', ':', '[', '`', '{', 'é', '\u{2028}', '\u{2029}', '０',
    ];

    /// Compares the two readings; how many of the texts match.
    fn agree(texts: impl IntoIterator<Item = String>) -> usize {
        let pattern = Regex::new(PATTERN).unwrap();
        let mut matches = 0;
        for text in texts {
            let expected = pattern.is_match(&text).unwrap();
            assert_eq!(fits_the_pattern(&text), expected, "{text:?}");
            matches += usize::from(expected);
        }
        matches
    }

    fn word(rng: &mut StdRng, alphabet: &[u8], longest: usize) -> String {
        let length = rng.random_range(1..=longest);
        (0..length).map(|_| char::from(*alphabet.choose(rng).unwrap())).collect()
    }

    /// Something like an address, spoilt in up to three places.
    fn generated(rng: &mut StdRng) -> String {
        let local: Vec<_> =
            (0..rng.random_range(1..4)).map(|_| word(rng, b"aZ09_'+-bcdefgh", 5)).collect();
        let labels: Vec<_> =
            (0..rng.random_range(1..4)).map(|_| word(rng, b"aZ09-bcdefghijk", 5)).collect();
        let top = word(rng, b"abcXYZ", 4);
        let mut text: Vec<char> =
            format!("{}@{}.{top}", local.join("."), labels.join(".")).chars().collect();
        for _ in 0..rng.random_range(0..4_usize).saturating_sub(1) {
            let at = rng.random_range(0..=text.len());
            let new = *CHARACTERS.choose(rng).unwrap();
            match rng.random_range(0..3) {
                0 => text.insert(at, new),
                1 if at < text.len() => text[at] = new,
                _ if at < text.len() => drop(text.remove(at)),
                _ => {}
            }
        }
        text.into_iter().collect()
    }

    /// Every text of up to `longest` characters of the alphabet.
    fn all(alphabet: &str, longest: usize) -> Vec<String> {
        let mut texts = vec![String::new()];
        let mut from = 0;
        for _ in 0..longest {
            let shorter = texts[from..].to_vec();
            from = texts.len();
            texts.extend(
                shorter.iter().flat_map(|t| alphabet.chars().map(move |c| format!("{t}{c}"))),
            );
        }
        texts
    }

    #[test]
    fn generated_texts_match_as_in_an_engine_that_looks_around() {
        let rng = &mut StdRng::seed_from_u64(7);
        let matches = agree((0..GENERATED).map(|_| generated(rng)));
        assert!((GENERATED / 5..=GENERATED * 4 / 5).contains(&matches), "{matches} match");
    }

    #[test]
    fn all_short_local_parts_and_domains_match_as_in_an_engine_that_looks_around() {
        let locals = all("a.-'@\n", 5).into_iter().map(|local| format!("{local}@b.co"));
        let domains = all("a1.-@\n", 5).into_iter().map(|domain| format!("a@{domain}"));
        let tops = all("a1.-@\n", 4).into_iter().map(|top| format!("a@b.{top}"));
        for (texts, at_least) in
            [(locals.collect::<Vec<_>>(), 100), (domains.collect(), 10), (tops.collect(), 5)]
        {
            let count = texts.len();
            let matches = agree(texts);
            assert!(matches >= at_least && matches < count, "{matches} of {count} match");
        }
    }

    #[test]
    fn edges_match_as_in_an_engine_that_looks_around() {
        let matching = [
            "test@mail.com",
            "a@b.co",
            "A.b@C-d.Ef",
            "_@0.xx",
            "+@a-.zz",
            "-@a--b.zz",
            "'-@a.zz",
            "'.a@a.zz",
            "o'neil@a.zz",
            "a+b-c_d.e@x.y.z.museum",
            "1@1.1.aa",
        ];
        let others = [
            "",
            "@",
            "a@",
            "@b.co",
            "a@b",
            "a@b.c",
            "a@.co",
            "a@b.",
            "a@b..co",
            "a..b@c.de",
            ".a@b.co",
            "a.@b.co",
            "a'@b.co",
            "a@-b.co",
            "a@b.c1",
            "a@b.c-d",
            "a@b@c.de",
            " a@b.co",
            "a@b.co ",
            "a@b.co\n",
            "\na@b.co",
            "a\n..@b.co",
            "a@b.co\u{2028}",
            "é@b.co",
            "a@bü.co",
            "a@b.ço",
            "a b@c.de",
            "\"a\"@b.co",
            "a@[1.2.3.4]",
        ];
        let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
        assert_eq!(agree(owned(&matching)), matching.len());
        assert_eq!(agree(owned(&others)), 0);
    }
}
