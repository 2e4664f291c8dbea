//! Which texts are names, for a mail header and a page alike.

use domain::name::NameError::{Control, Empty, Invisible, Link, Marks, NoLetter, TooLong};
use domain::name::defanged;
use domain::{LinkPolicy, Name, NamePolicy};

const STRICT: NamePolicy = NamePolicy { links: LinkPolicy::Refuse };
const LENIENT: NamePolicy = NamePolicy { links: LinkPolicy::Defang };

#[test]
fn refuses_what_is_no_visible_line_of_text() {
    let cases = [
        ("", Empty),
        ("   ", Empty),
        ("\u{3000}", Empty),
        // Line breaks: headers of the mail, if they got there.
        ("Ann\r\nBcc: eve@example.com", Control),
        ("Ann\n", Control),
        ("\rAnn", Control),
        ("Ann\tLee", Control),
        ("Ann\0", Control),
        ("Ann\u{1b}[31m", Control),
        ("Ann\u{7f}", Control),
        ("Ann\u{85}Lee", Control),
        ("Ann\u{9b}Lee", Control),
        ("Ann\u{2028}Lee", Control),
        ("Ann\u{2029}Lee", Control),
        // What nobody sees, or what turns the text around.
        ("Ann\u{202e}moc.elpmaxe", Invisible),
        ("\u{202a}Ann\u{202c}", Invisible),
        ("Ann\u{2066}Lee\u{2069}", Invisible),
        ("An\u{200b}n", Invisible),
        ("An\u{200d}n", Invisible),
        ("\u{200f}Ann", Invisible),
        ("Ann\u{feff}", Invisible),
        ("An\u{ad}n", Invisible),
        ("An\u{2060}n", Invisible),
        ("\u{3164}", Invisible),
        ("\u{2800}", Invisible),
        ("Ann\u{e0041}", Invisible),
        // Marks that climb out of their line.
        ("A\u{300}\u{301}\u{302}\u{303}\u{304}nn", Marks),
    ];
    for (text, expected) in cases {
        assert_eq!(Name::parse(text).err(), Some(expected), "{text:?}");
    }
}

#[test]
fn takes_the_names_that_people_have() {
    let cases = [
        "Ann",
        "Ann-Marie O'Neil Jr.",
        "José Ångström",
        "Nguyễn Thị Minh Khai",
        "A\u{300}\u{301}\u{302}\u{303}nn",
        "王秀英",
        "محمد",
        "דוד",
        "सुनीता",
        "Acme & Sons <GmbH>",
        "{{secret}} {{#each}} {{{x}}}",
        "<script>alert(1)</script>",
        "Team 🚀",
        "X Æ A-12",
    ];
    for text in cases {
        assert_eq!(Name::parse(text).as_ref().map(Name::as_str), Ok(text));
        assert_eq!(STRICT.parse(text).as_ref().map(Name::as_str), Ok(text));
    }
}

#[test]
fn a_name_can_be_read_out() {
    for text in ["🚀", "🚀 👍🏽 ❤️", "★★★", "→"] {
        assert_eq!(STRICT.parse(text).err(), Some(NoLetter), "{text}");
        assert_eq!(LENIENT.parse(text).err(), Some(NoLetter), "{text}");
        assert!(Name::parse(text).is_ok(), "a contract may take {text}");
    }
    // For people with one name who have to fill in two.
    assert!(["-", "."].into_iter().all(|text| STRICT.parse(text).is_ok()));
}

/// What a mail program, or a reader who is asked to, makes a link or a call of.
const LINKS: &[&str] = &[
    "evil.com",
    "Win at evil.com now",
    "EVIL.COM",
    "evil.co.uk",
    "evil.com/offer?x=1",
    "evil.com, Ann",
    "x.com",
    "T.Co",
    "evil.xn--p1ai",
    "пример.рф",
    "evil\u{FF0E}com",
    "evil\u{3002}com",
    "evil[.]com",
    "evil(.)com",
    "http://10.0.0.1",
    "https://evil",
    "hxxps://evil",
    "www.evil",
    "javascript://x",
    "ann@evil.com",
    "mailto:ann",
    "call 1.800.555.0199",
    "800-555-0199",
    "+1 800 555 0199",
    "+18005550199",
    "(0)800 123 456",
];

/// What people and organizations are called.
const HONEST: &[&str] = &[
    "J.R. Smith",
    "J.R.R. Tolkien",
    "J.R.R.Tolkien",
    "Dr. No",
    "Dr.No",
    "St. Mary's",
    "St.Mary's",
    "Acme Inc.",
    "Acme, Inc.",
    "Jr.",
    "Ph.D.",
    "Dipl.-Ing. Huber",
    "GmbH & Co. KG",
    "GmbH & Co.KG",
    "S.p.A.",
    "Sp. z o.o.",
    "e.V.",
    ".NET Foundation",
    "No. 10",
    "Studio 54",
    "1. FC Köln",
    "4711",
    "Class of 2024-2025",
    "Party 24.12.2026",
    "v1.2.3",
    "Acme 12345678",
    "モーニング娘\u{3002}",
    "A/B Testing",
    "R&D: Team 1",
];

#[test]
fn a_link_or_a_telephone_number_is_refused_where_the_policy_says_so() {
    for text in LINKS {
        assert_eq!(STRICT.parse(text).err(), Some(Link), "{text}");
        assert!(LENIENT.parse(text).is_ok(), "{text}");
    }
    for text in HONEST {
        assert!(STRICT.parse(text).is_ok(), "{text}");
    }
}

#[test]
fn a_defanged_name_looks_the_same_and_holds_no_link() {
    for text in LINKS.iter().chain(HONEST) {
        let safe = defanged(text);
        assert_eq!(safe.replace('\u{2060}', ""), **text);
    }
    for (text, safe) in [
        ("Win at evil.com", "Win at evil.\u{2060}com"),
        ("http://evil.com/x", "http:\u{2060}/\u{2060}/evil.\u{2060}com/x"),
        ("1.800.555.0199", "1.\u{2060}800.\u{2060}555.\u{2060}0199"),
        ("+1 800 555", "+\u{2060}1 \u{2060}800 \u{2060}555"),
        ("ann@evil.com", "ann@\u{2060}evil.\u{2060}com"),
    ] {
        assert_eq!(defanged(text), safe);
    }
    // What needs no defanging is not touched at all.
    for text in ["J.R. Smith", "Dr. No", "St. Mary's", "Acme Inc.", "1. FC Köln", "Studio 54"] {
        assert_eq!(defanged(text), text);
    }
}

#[test]
fn drops_the_space_around_a_name_and_no_other() {
    let name = Name::parse("  Ann  Lee \u{3000}").unwrap();
    assert_eq!(name.as_str(), "Ann  Lee");
}

#[test]
fn counts_what_people_see_as_one_character() {
    for letter in ["a", "é", "e\u{301}", "王", "🚀", "👍🏽"] {
        assert!(Name::parse(&letter.repeat(64)).is_ok(), "64 × {letter:?}");
        assert_eq!(Name::parse(&letter.repeat(65)).err(), Some(TooLong), "65 × {letter:?}");
    }
    assert_eq!(Name::parse(&"a".repeat(10_000_000)).err(), Some(TooLong));
}

#[test]
fn a_name_stays_out_of_debug_output() {
    let name = Name::parse("Ann").unwrap();
    assert_eq!(format!("{name:?}"), "Name(…)");
}
