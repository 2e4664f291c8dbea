//! Which plural form a whole number takes: the cardinal rules of CLDR 46, for our languages.
//!
//! Rules for fractions and for compact numbers (`1M`) are left out: nothing here counts in those.

use Plural::{Few, Many, One, Other, Two, Zero};

/// A plural form, by the name that CLDR gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Plural {
    /// `zero`
    Zero,
    /// `one`
    One,
    /// `two`
    Two,
    /// `few`
    Few,
    /// `many`
    Many,
    /// `other`, which every language has.
    Other,
}

impl Plural {
    const ALL: [Self; 6] = [Zero, One, Two, Few, Many, Other];

    /// Its name in CLDR, and in our files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Zero => "zero",
            One => "one",
            Two => "two",
            Few => "few",
            Many => "many",
            Other => "other",
        }
    }

    /// Reads [`Plural::as_str`] back.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.as_str() == name)
    }
}

/// The forms that whole numbers take in a language. One that we do not know has those of English.
pub fn forms(tag: &str) -> &'static [Plural] {
    match language(tag) {
        "ja" | "zh" | "ko" | "vi" | "th" | "id" | "ms" => &[Other],
        "fr" | "es" | "it" | "pt" => &[One, Many, Other],
        "pl" | "ru" | "uk" => &[One, Few, Many],
        "cs" | "sk" => &[One, Few, Other],
        "he" => &[One, Two, Other],
        "ar" => &[Zero, One, Two, Few, Many, Other],
        _ => &[One, Other],
    }
}

/// The form that `n` takes.
pub fn of(tag: &str, n: u64) -> Plural {
    match language(tag) {
        "ja" | "zh" | "ko" | "vi" | "th" | "id" | "ms" => Other,
        "fr" | "pt" => romance(n, n <= 1),
        "es" | "it" => romance(n, n == 1),
        "pl" => slavic(n, n == 1),
        "ru" | "uk" => slavic(n, n % 10 == 1 && n % 100 != 11),
        "cs" | "sk" => match n {
            1 => One,
            2..=4 => Few,
            _ => Other,
        },
        "he" => match n {
            1 => One,
            2 => Two,
            _ => Other,
        },
        "ar" => match (n, n % 100) {
            (0, _) => Zero,
            (1, _) => One,
            (2, _) => Two,
            (_, 3..=10) => Few,
            (_, 11..) => Many,
            _ => Other,
        },
        _ if n == 1 => One,
        _ => Other,
    }
}

/// "Millions" take a preposition before what is counted.
const fn romance(n: u64, is_one: bool) -> Plural {
    if is_one {
        One
    } else if n != 0 && n.is_multiple_of(1_000_000) {
        Many
    } else {
        Other
    }
}

const fn slavic(n: u64, is_one: bool) -> Plural {
    let teen = matches!(n % 100, 11..=14);
    if is_one {
        One
    } else if matches!(n % 10, 2..=4) && !teen {
        Few
    } else {
        Many
    }
}

fn language(tag: &str) -> &str {
    tag.split('-').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(tag: &str, expected: &[(Plural, &[u64])]) {
        for (form, numbers) in expected {
            for n in *numbers {
                assert_eq!(of(tag, *n), *form, "{n} in {tag}");
            }
        }
        let found: Vec<Plural> = expected.iter().map(|(form, _)| *form).collect();
        assert_eq!(forms(tag), found, "{tag}");
    }

    #[test]
    fn follows_the_samples_of_cldr() {
        check("en", &[(One, &[1]), (Other, &[0, 2, 16, 100, 1_000_000])]);
        check("de-AT", &[(One, &[1]), (Other, &[0, 2, 21])]);
        check("nl", &[(One, &[1]), (Other, &[0, 2])]);
        check("tr", &[(One, &[1]), (Other, &[0, 2])]);
        check("ja", &[(Other, &[0, 1, 2, 100])]);
        check("zh-CN", &[(Other, &[0, 1, 2, 100])]);
        check("fr", &[(One, &[0, 1]), (Many, &[1_000_000]), (Other, &[2, 17, 100])]);
        check("pt-BR", &[(One, &[0, 1]), (Many, &[1_000_000]), (Other, &[2, 17])]);
        check("es", &[(One, &[1]), (Many, &[1_000_000]), (Other, &[0, 2, 16])]);
        check("it", &[(One, &[1]), (Many, &[2_000_000]), (Other, &[0, 2, 16])]);
        check(
            "pl",
            &[(One, &[1]), (Few, &[2, 4, 22, 24, 104]), (Many, &[0, 5, 12, 14, 21, 25, 112])],
        );
        check("ru", &[(One, &[1, 21, 101]), (Few, &[2, 22]), (Many, &[0, 5, 11, 12, 111])]);
        check("cs", &[(One, &[1]), (Few, &[2, 3, 4]), (Other, &[0, 5, 22])]);
        check("he", &[(One, &[1]), (Two, &[2]), (Other, &[0, 3, 10, 20])]);
        check(
            "ar",
            &[
                (Zero, &[0]),
                (One, &[1]),
                (Two, &[2]),
                (Few, &[3, 10, 103, 110]),
                (Many, &[11, 26, 99, 111]),
                (Other, &[100, 102, 200, 202]),
            ],
        );
        check("sv", &[(One, &[1]), (Other, &[0, 2])]);
    }

    #[test]
    fn every_number_has_a_form_that_its_language_has() {
        for tag in ["en", "fr", "es", "it", "pt-BR", "pl", "ru", "cs", "he", "ar", "ja", "xx"] {
            for n in (0..1000).chain([1_000_000, 2_000_000]) {
                assert!(forms(tag).contains(&of(tag, n)), "{n} in {tag}");
            }
        }
    }
}
