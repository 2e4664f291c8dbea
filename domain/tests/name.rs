//! Which texts are names, for a mail header and a page alike.

use domain::Name;
use domain::name::NameError::{Control, Empty, Invisible, Marks, TooLong};

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
