//! Every language says everything, in its own plural forms and dates, and nothing else.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use adapters::templates::{
    AcceptForm, InvitationMail, Page, PageBrand, PasswordProblem, Templates,
};
use chrono::{DateTime, TimeZone, Utc};
use domain::branding::{Colour, Logo, LogoKind, SupportLink};
use domain::{Branding, OrganizationId};
use toml::{Table, Value};
use uuid::Uuid;

const LANGUAGES: [&str; 13] =
    ["ar", "de", "en", "es", "fr", "he", "it", "ja", "nl", "pl", "pt-BR", "tr", "zh-CN"];
/// Strings that are shown by code and by no template.
const BY_CODE: [&str; 2] = ["accept.too_short", "accept.too_long"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../templates")
}

/// A language's strings by name, each with its texts by plural form.
fn strings(tag: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    let path = folder().join(format!("locales/{}.toml", tag.to_lowercase()));
    let file: Table = toml::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let sections = file.iter().filter(|(section, _)| *section != "language");
    let strings = sections.flat_map(|(section, strings)| {
        let strings = strings.as_table().unwrap().iter();
        strings.map(move |(name, value)| (format!("{section}.{name}"), forms(value)))
    });
    strings.collect()
}

fn forms(value: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    match value {
        Value::Table(forms) => forms.iter().map(|(name, it)| (name.clone(), text(it))).collect(),
        plain => BTreeMap::from([(String::new(), text(plain))]),
    }
}

fn names(text: &str) -> BTreeSet<&str> {
    text.split('{').skip(1).map(|rest| rest.split('}').next().unwrap()).collect()
}

fn at(month: u32, day: u32) -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, month, day, 9, 5, 0).unwrap()
}

fn invitation() -> InvitationMail<'static> {
    InvitationMail {
        kind: domain::DeliveryKind::Invitation,
        organization: "Harbour & Sons",
        inviter: Some("Ada Lovelace"),
        first_name: Some("Grace"),
        role: "editor",
        accept_url: "https://invite.example.com/i/7q2m9x4c1v8b3n6k5j0hgfdsap",
        temporary_password: Some("7Q2M-9X4C-1V8B-3N6K-5J0H-GFDS-AP"),
        expires_at: at(12, 1),
        password_valid_hours: 24,
        support: Some("help@harbour.example"),
    }
}

fn form() -> AcceptForm<'static> {
    AcceptForm {
        organization: "Harbour & Sons",
        inviter: Some("Ada Lovelace"),
        email_masked: "g***@example.com",
        expires_at: at(12, 1),
        token_path: "/i/7q2m9x4c1v8b3n6k5j0hgfdsap",
        password_min: 8,
        error: None,
    }
}

fn templates() -> &'static Templates {
    static LOADED: LazyLock<Templates> = LazyLock::new(|| Templates::load(None).unwrap());
    &LOADED
}

/// What keeps names in their place, made visible.
fn visible(text: &str) -> String {
    text.replace('\u{2068}', "‹").replace('\u{2069}', "›")
}

#[test]
fn all_languages_are_there() {
    assert_eq!(templates().locales(), LANGUAGES);
    let files = fs::read_dir(folder().join("locales")).unwrap();
    assert_eq!(files.count(), LANGUAGES.len(), "add the language to this test");
}

#[test]
fn every_language_has_every_string_and_no_others() {
    let english = strings("en");
    for tag in LANGUAGES {
        let own = strings(tag);
        let missing: Vec<_> = english.keys().filter(|key| !own.contains_key(*key)).collect();
        let unknown: Vec<_> = own.keys().filter(|key| !english.contains_key(*key)).collect();
        assert!(missing.is_empty(), "{tag} has no {missing:?}");
        assert!(unknown.is_empty(), "{tag} has {unknown:?}, which nothing shows");
    }
}

#[test]
fn a_translation_shows_what_the_original_shows() {
    let english = strings("en");
    for tag in LANGUAGES {
        for (key, forms) in strings(tag) {
            let original = names(english[&key].values().next_back().unwrap());
            for (form, text) in forms {
                let mut shown = names(&text);
                // "One hour" and "two hours" may well be words.
                if ["zero", "one", "two"].contains(&form.as_str()) {
                    shown.extend(original.get("count"));
                }
                assert_eq!(shown, original, "{tag}: {key} {form}");
                assert!(!text.trim().is_empty() && text == text.trim(), "{tag}: {key} {form}");
            }
        }
    }
}

#[test]
fn a_number_has_the_forms_of_its_language() {
    for tag in LANGUAGES {
        let expected: &[&str] = match tag {
            "ja" | "zh-CN" => &["other"],
            "de" | "en" | "nl" | "tr" => &["one", "other"],
            "es" | "fr" | "it" | "pt-BR" => &["many", "one", "other"],
            "pl" => &["few", "many", "one"],
            "he" => &["one", "other", "two"],
            "ar" => &["few", "many", "one", "other", "two", "zero"],
            unknown => panic!("what are the plural forms of {unknown}?"),
        };
        let english = strings("en");
        for (key, forms) in strings(tag) {
            let plain = english[&key].contains_key("");
            let forms: Vec<&str> = forms.keys().map(String::as_str).collect();
            assert_eq!(forms, if plain { &[""] } else { expected }, "{tag}: {key}");
        }
    }
}

#[test]
fn every_string_is_shown_and_every_shown_string_is_there() {
    let mut shown: BTreeSet<String> = BY_CODE.map(str::to_owned).into();
    for part in ["mail", "pages"] {
        for file in fs::read_dir(folder().join(part)).unwrap() {
            let template = fs::read_to_string(file.unwrap().path()).unwrap();
            let calls = ["t \"", "t_strong \""].map(|call| template.split(call).skip(1));
            let keys = calls.into_iter().flatten().map(|rest| rest.split('"').next().unwrap());
            shown.extend(keys.map(str::to_owned));
        }
    }
    let there: BTreeSet<String> = strings("en").into_keys().collect();
    assert_eq!(shown, there);
}

#[test]
fn the_mail_in_every_language() {
    for tag in LANGUAGES {
        let content = templates().mail(tag, &invitation()).unwrap();
        insta::assert_snapshot!(
            format!("mail_in_{tag}"),
            visible(&format!("{}\n\n{}", content.subject, content.text))
        );
        let direction = if ["ar", "he"].contains(&tag) { "rtl" } else { "ltr" };
        let html = format!("<html lang=\"{tag}\" dir=\"{direction}\">");
        assert!(content.html.contains(&html), "{tag}: {}", content.html);
        for part in [&content.subject, &content.text, &content.html] {
            assert!(!part.contains("{{") && !part.contains("{c"), "{tag}: {part}");
        }
        // What people copy stands by itself, and in the order of its letters.
        let lines: Vec<&str> = content.text.lines().map(str::trim).collect();
        for alone in [invitation().accept_url, invitation().temporary_password.unwrap()] {
            assert!(lines.contains(&alone), "{tag}: {}", content.text);
            let upright = content.html.split(alone).any(|before| {
                before.rsplit('<').next().is_some_and(|tag| tag.contains("dir=\"ltr\""))
            });
            assert!(upright, "{tag}: {alone}");
        }
    }
}

/// Every page that an invitee can see.
fn pages() -> [Page<'static>; 15] {
    let AcceptForm { organization, email_masked, token_path, .. } = form();
    let again = AcceptForm { inviter: None, error: Some(PasswordProblem::TooShort(8)), ..form() };
    [
        Page::Accept(form()),
        Page::Accept(again),
        Page::Decline { organization, token_path },
        Page::Unexpected { organization, email_masked, token_path },
        Page::Accepted { organization },
        Page::Declined { organization, token_path },
        Page::Unwanted { organization, email_masked },
        Page::AlreadyAccepted { organization },
        Page::Expired { organization, email_masked, token_path },
        Page::LinkRequested { organization, email_masked, sent: true },
        Page::LinkRequested { organization, email_masked, sent: false },
        Page::Revoked { organization },
        Page::NotGiven { organization },
        Page::NotFound,
        Page::TryLater,
    ]
}

#[test]
fn pages_are_light_and_have_what_assistive_technology_goes_by() {
    let assets = templates().stylesheet().len() + templates().script().len();
    for tag in LANGUAGES {
        for page in pages() {
            let html = templates().page(tag, &page).unwrap();
            assert!(html.len() + assets < 50_000, "{tag}: {}", html.len() + assets);
            for once in ["<main>", "<header ", "<h1>", "<title>", "<html lang=\""] {
                assert_eq!(html.matches(once).count(), 1, "{tag}: {once} in {html}");
            }
            let form = html.contains("<input");
            assert_eq!(html.contains("<label for=\"password\">"), form, "{tag}: {html}");
            assert_eq!(html.contains("autocomplete=\"new-password\""), form, "{tag}: {html}");
            assert_eq!(html.contains("<script"), form, "{tag}: one page has a script");
            assert_eq!(html.contains("role=\"alert\""), html.contains("aria-invalid"), "{tag}");
        }
    }
}

#[test]
fn the_pages_in_every_language() {
    for tag in LANGUAGES {
        let pages = pages();
        let texts = pages.iter().map(|page| text(&templates().page(tag, page).unwrap()));
        let texts: Vec<String> = texts.collect();
        insta::assert_snapshot!(format!("pages_in_{tag}"), visible(&texts.join("\n\n")));
    }
}

#[test]
fn arabic_has_marks_of_its_own() {
    let mail = templates().mail("ar", &invitation()).unwrap();
    let pages = pages().map(|page| text(&templates().page("ar", &page).unwrap()));
    for text in pages.iter().chain([&mail.subject, &mail.text]) {
        assert!(!text.contains([',', ';', '?']), "a mark that points the wrong way: {text}");
    }
    assert!(pages[13].contains('؟') && pages[14].contains('؟'), "the mark of what is unknown");
}

/// The words of a page, a line for each line that has some.
fn text(html: &str) -> String {
    let mut words = String::new();
    let mut inside = false;
    for c in html.replace("</dt>", ": ").chars() {
        match c {
            '<' => inside = true,
            '>' => inside = false,
            c if !inside => words.push(c),
            _ => {}
        }
    }
    let words = words.replace("&amp;", "&").replace("&#x27;", "'").replace("&quot;", "\"");
    let lines = words.lines().map(str::trim);
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_page_in_an_organizations_own_look() {
    let mut branding = Branding {
        name: None,
        accent: Colour::parse("#7a1fa2").ok(),
        support_url: SupportLink::parse("mailto:help@example.com").ok(),
        logo: Some(Logo {
            hash: "9f86d081884c7d659a2feaa0c55ad015".to_owned(),
            kind: LogoKind::Png,
            width: 480,
            height: 96,
            bytes: 5120,
        }),
    };
    let shown = |tag, name, branding: &Branding| {
        let brand = PageBrand::new(OrganizationId::from_uuid(Uuid::from_u128(7)), name, branding);
        templates().clone().below("/app/").branded(tag, &Page::Accept(form()), &brand).unwrap()
    };
    insta::assert_snapshot!("page_accept_branded", shown("de", "Harbour & Sons", &branding));
    branding.logo = None;
    for tag in LANGUAGES {
        let page = shown(tag, "<script>alert('x')</script>", &branding);
        assert!(!page.contains("<script>alert") && page.contains("&lt;script&gt;"), "{page}");
        assert!(page.contains("<a href=\"mailto:help@example.com\""), "{tag}: {page}");
    }
}

#[test]
fn dates_are_written_as_their_readers_write_them() {
    for (tag, first, other) in [
        ("ar", "1 ديسمبر 2026، 09:05 UTC", "24 أغسطس 2026، 09:05 UTC"),
        ("de", "1. Dezember 2026, 09:05 Uhr (UTC)", "24. August 2026, 09:05 Uhr (UTC)"),
        ("en", "1 December 2026, 09:05 UTC", "24 August 2026, 09:05 UTC"),
        ("es", "1 de diciembre de 2026, 09:05 UTC", "24 de agosto de 2026, 09:05 UTC"),
        ("fr", "1er décembre 2026 à 09:05 UTC", "24 août 2026 à 09:05 UTC"),
        ("he", "1 בדצמבר 2026, 09:05 UTC", "24 באוגוסט 2026, 09:05 UTC"),
        ("it", "1º dicembre 2026, 09:05 UTC", "24 agosto 2026, 09:05 UTC"),
        ("ja", "2026年12月1日 09:05 (UTC)", "2026年8月24日 09:05 (UTC)"),
        ("nl", "1 december 2026, 09:05 UTC", "24 augustus 2026, 09:05 UTC"),
        ("pl", "1 grudnia 2026, 09:05 UTC", "24 sierpnia 2026, 09:05 UTC"),
        ("pt-BR", "1º de dezembro de 2026, 09:05 UTC", "24 de agosto de 2026, 09:05 UTC"),
        ("tr", "1 Aralık 2026, 09:05 UTC", "24 Ağustos 2026, 09:05 UTC"),
        ("zh-CN", "2026年12月1日 09:05 (UTC)", "2026年8月24日 09:05 (UTC)"),
    ] {
        for (expires_at, written) in [(at(12, 1), first), (at(8, 24), other)] {
            let mail = InvitationMail { expires_at, ..invitation() };
            let text = templates().mail(tag, &mail).unwrap().text;
            assert!(text.contains(written), "{tag}: {text}");
        }
    }
}

#[test]
fn hours_are_counted_as_their_readers_count_them() {
    for (tag, hours, written) in [
        ("en", 1, "for 1 hour after"),
        ("en", 2, "for 2 hours after"),
        ("fr", 1, "1 heure après"),
        ("fr", 24, "24 heures après"),
        ("pl", 1, "przez 1 godzinę od"),
        ("pl", 24, "przez 24 godziny od"),
        ("pl", 12, "przez 12 godzin od"),
        ("pl", 5, "przez 5 godzin od"),
        ("he", 1, "במשך שעה אחת"),
        ("he", 2, "במשך שעתיים"),
        ("he", 24, "במשך 24 שעות"),
        ("ar", 1, "لمدة ساعة واحدة"),
        ("ar", 2, "لمدة ساعتين"),
        ("ar", 3, "لمدة 3 ساعات"),
        ("ar", 24, "لمدة 24 ساعة"),
        ("ja", 1, "送信後1時間"),
        ("tr", 24, "24 saat"),
    ] {
        let mail = InvitationMail { password_valid_hours: hours, ..invitation() };
        let content = templates().mail(tag, &mail).unwrap();
        assert!(content.text.contains(written), "{tag}: {}", content.text);
        assert!(content.html.contains(written), "{tag}: {}", content.html);
    }
}

#[test]
fn a_name_written_the_other_way_keeps_its_place() {
    let hebrew = InvitationMail { organization: "נמל ובניו", ..invitation() };
    let english = templates().mail("en", &hebrew).unwrap();
    assert_eq!(visible(&english.subject), "Ada Lovelace invited you to join ‹נמל ובניו›");
    assert!(visible(&english.html).contains("<strong>‹נמל ובניו›</strong>"));
    let plain = templates().mail("en", &invitation()).unwrap();
    assert_eq!(visible(&plain.text), plain.text, "nothing to keep in its place");
}

#[test]
fn a_reader_gets_the_nearest_language() {
    let templates = templates();
    for (wanted, expected) in [
        ("de-AT", Some("de")),
        ("PT", Some("pt-BR")),
        ("pt-PT", Some("pt-BR")),
        ("zh-Hans", Some("zh-CN")),
        ("zh-TW", None),
        ("iw", Some("he")),
        ("sv", None),
        ("../en", None),
        ("", None),
    ] {
        assert_eq!(templates.locale(wanted), expected, "{wanted}");
        let subject = templates.mail(wanted, &invitation()).unwrap().subject;
        let same = templates.mail(expected.unwrap_or("en"), &invitation()).unwrap().subject;
        assert_eq!(subject, same, "{wanted}");
    }
}
