//! What mails and pages say, that nothing in user data can break them, and that a broken template
//! stops the start with its place.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]

use std::fs;
use std::path::Path;

use adapters::mail_check::MailCheck;
use adapters::templates::{
    AcceptForm, InboxHeader, InboxList, InboxMail, InboxPart, InboxRow, InboxView, InvitationMail,
    MailContent, Page, PasswordProblem, TemplateError, Templates,
};
use chrono::{DateTime, TimeZone, Utc};
use url::Url;
use uuid::Uuid;

const HOSTILE: &str = "<script>alert('x')</script> & {{temporary_password}} \"Ltd\"";

fn at() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 12, 1, 14, 5, 0).unwrap()
}

fn invitation() -> InvitationMail<'static> {
    InvitationMail {
        kind: domain::DeliveryKind::Invitation,
        organization: "Harbour & Sons",
        inviter: Some("Ada Lovelace"),
        first_name: Some("Grace"),
        role: "member",
        accept_url: "https://invite.example.com/i/7q2m9x4c1v8b3n6k5j0hgfdsap",
        temporary_password: Some("7Q2M9-X4C1V-8B3N6-K5J0H-GFDSAP"),
        expires_at: at(),
        password_valid_hours: 24,
        support: Some("help@harbour.example"),
    }
}

fn templates() -> Templates {
    Templates::load(None).unwrap()
}

fn mail(invitation: &InvitationMail<'_>) -> MailContent {
    templates().mail("en", invitation).unwrap()
}

fn form() -> AcceptForm<'static> {
    AcceptForm {
        organization: "Harbour & Sons",
        inviter: Some("Ada Lovelace"),
        email_masked: "g***@example.com",
        expires_at: at(),
        token_path: "/i/7q2m9x4c1v8b3n6k5j0hgfdsap",
        password_min: 8,
        error: None,
    }
}

fn page(page: &Page<'_>) -> String {
    templates().page("en", page).unwrap()
}

/// The message of the error that a folder with this one file gives.
fn broken(name: &str, text: &str) -> String {
    let dir = folder(name, text);
    Templates::load(Some(dir.path()))
        .err()
        .expect("a broken template must stop the start")
        .to_string()
}

fn folder(name: &str, text: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    dir
}

#[test]
fn the_mail_says_who_invites_where_and_until_when() {
    let content = mail(&invitation());
    insta::assert_snapshot!("mail_subject", content.subject);
    insta::assert_snapshot!("mail_text", content.text);
    insta::assert_snapshot!("mail_html", content.html);
}

#[test]
fn the_mail_does_without_everything_optional() {
    let bare = InvitationMail {
        inviter: None,
        first_name: None,
        support: None,
        password_valid_hours: 1,
        ..invitation()
    };
    let content = mail(&bare);
    insta::assert_snapshot!("mail_bare_subject", content.subject);
    insta::assert_snapshot!("mail_bare_text", content.text);
    assert!(content.html.contains("valid for 1 hour after"));
}

#[test]
fn the_mail_to_somebody_with_a_password_has_the_link_only() {
    let content = mail(&InvitationMail { temporary_password: None, ..invitation() });
    insta::assert_snapshot!("mail_link_only_text", content.text);
    insta::assert_snapshot!("mail_link_only_html", content.html);
    assert!(!content.html.contains("assword") && !content.text.contains("assword"));
}

#[test]
fn every_page_is_as_it_was() {
    let organization = "Harbour & Sons";
    let AcceptForm { email_masked, token_path, .. } = form();
    let requested = |sent| Page::LinkRequested { organization, email_masked, sent };
    let unexpected = Page::Unexpected { organization, email_masked, token_path };
    insta::assert_snapshot!("page_accept", page(&Page::Accept(form())));
    let error = Some(PasswordProblem::TooShort(8));
    let again = AcceptForm { inviter: None, error, ..form() };
    insta::assert_snapshot!("page_accept_error", page(&Page::Accept(again)));
    insta::assert_snapshot!("page_accepted", page(&Page::Accepted { organization }));
    insta::assert_snapshot!("page_decline", page(&Page::Decline { organization, token_path }));
    insta::assert_snapshot!("page_declined", page(&Page::Declined { organization, token_path }));
    insta::assert_snapshot!("page_unexpected", page(&unexpected));
    insta::assert_snapshot!("page_unwanted", page(&Page::Unwanted { organization, email_masked }));
    insta::assert_snapshot!("page_already_accepted", page(&Page::AlreadyAccepted { organization }));
    let expired = Page::Expired { organization, email_masked, token_path };
    insta::assert_snapshot!("page_expired", page(&expired));
    insta::assert_snapshot!("page_link_sent", page(&requested(true)));
    insta::assert_snapshot!("page_link_noted", page(&requested(false)));
    insta::assert_snapshot!("page_revoked", page(&Page::Revoked { organization }));
    insta::assert_snapshot!("page_not_given", page(&Page::NotGiven { organization }));
    insta::assert_snapshot!("page_not_found", page(&Page::NotFound));
    insta::assert_snapshot!("page_try_later", page(&Page::TryLater));
}

#[test]
fn the_inbox_is_as_it_was() {
    let content = mail(&invitation());
    let row = |n: u128, to: &str| InboxRow {
        id: Uuid::from_u128(n),
        to: to.to_owned(),
        subject: content.subject.clone(),
        at: at(),
        preview: "Hello Grace, Ada Lovelace has invited you to join Harbour & Sons.".to_owned(),
    };
    let messages = [row(2, "grace@example.com"), row(1, "alan@example.com")];
    let list = InboxList {
        messages: &messages,
        query: "",
        found: 52,
        kept: 52,
        here: "",
        older: Some("?before=1"),
        fingerprint: "7-1",
    };
    let searched =
        InboxList { query: "a&b", found: 2, here: "?q=a%26b", older: None, ..list.clone() };
    let nothing = InboxList { messages: &[], found: 0, ..searched.clone() };
    let empty = InboxList { messages: &[], found: 0, kept: 0, older: None, ..list.clone() };
    for (name, list) in [
        ("page_inbox", list),
        ("page_inbox_searched", searched),
        ("page_inbox_nothing", nothing),
        ("page_inbox_empty", empty),
    ] {
        insta::assert_snapshot!(name, page(&Page::Inbox(list)));
    }
}

#[test]
fn every_view_of_a_captured_mail_is_as_it_was() {
    let content = mail(&invitation());
    let headers = [
        ("From", "Harbour & Sons <invitations@example.com>"),
        ("Message-ID", "<0193a1c2.1@invite.example.com>"),
        ("Auto-Submitted", "auto-generated"),
    ];
    let headers =
        headers.map(|(name, value)| InboxHeader { name: name.to_owned(), value: value.to_owned() });
    let parts = [("text/plain", None), ("application/pdf", Some("terms.pdf".to_owned()))];
    let parts = parts.map(|(media_type, file_name)| InboxPart {
        media_type: media_type.to_owned(),
        encoding: "base64".to_owned(),
        file_name,
        bytes: 1234,
    });
    let home = Url::parse("https://invite.example.com/").unwrap();
    let odd = content
        .html
        .replace("<h1 ", "<h1 align=center><p style='float:left;padding:8px'>x</p><h1 ");
    let check = MailCheck::new(&odd, &content.text, &home);
    for (name, view) in [
        ("page_inbox_message", InboxView::Html { phone: false }),
        ("page_inbox_message_phone", InboxView::Html { phone: true }),
        ("page_inbox_message_text", InboxView::Text { text: &content.text }),
        ("page_inbox_message_source", InboxView::Source { source: "From: <a>", left_off: 9 }),
        ("page_inbox_message_headers", InboxView::Headers { headers: &headers, parts: &parts }),
        ("page_inbox_message_checks", InboxView::Checks { check: &check }),
    ] {
        let message = InboxMail {
            id: Uuid::from_u128(2),
            from: "Harbour & Sons <invitations@example.com>",
            to: "grace@example.com",
            subject: &content.subject,
            at: at(),
            concerns: check.count(),
            view,
        };
        insta::assert_snapshot!(name, page(&Page::InboxMessage(message)));
    }
}

#[test]
fn our_own_mail_gets_no_note_in_any_language() {
    let home = Url::parse("https://invite.example.com/").unwrap();
    let (full, bare) = (invitation(), InvitationMail { temporary_password: None, ..invitation() });
    let reminder = InvitationMail { kind: domain::DeliveryKind::Reminder, ..invitation() };
    let templates = templates();
    for locale in templates.locales() {
        for one in [&full, &bare, &reminder] {
            let content = templates.mail(locale, one).unwrap();
            let check = MailCheck::new(&content.html, &content.text, &home);
            assert!(check.links.iter().all(|link| link.ours), "{locale}: {check:#?}");
            assert_eq!(check.count(), 0, "{locale}: {check:#?}");
        }
    }
}

#[test]
fn user_data_is_text_and_nothing_else() {
    let hostile = InvitationMail {
        organization: HOSTILE,
        inviter: Some(HOSTILE),
        first_name: Some(HOSTILE),
        ..invitation()
    };
    let content = mail(&hostile);
    assert!(content.text.contains(HOSTILE), "a text part must not be escaped");
    assert!(content.subject.contains(HOSTILE), "a subject must not be escaped");
    let accept = AcceptForm {
        organization: HOSTILE,
        inviter: Some(HOSTILE),
        email_masked: HOSTILE,
        ..form()
    };
    for html in [content.html, page(&Page::Accept(accept))] {
        assert!(!html.contains("<script>"), "a script got through");
        assert!(html.contains("&lt;script&gt;"));
        assert!(!html.contains("&amp;lt;"), "escaped twice");
        assert!(html.contains("{{temporary_password}}"), "user data was taken for a template");
    }
}

#[test]
fn a_subject_is_one_line() {
    let split = InvitationMail {
        inviter: Some("Ada\r\nBcc: all@example.com\u{2028}\u{85}\0"),
        ..invitation()
    };
    let subject = mail(&split).subject;
    assert_eq!(subject, "Ada Bcc: all@example.com invited you to join Harbour & Sons");
}

#[test]
fn a_link_is_http_or_nothing() {
    let script = InvitationMail { accept_url: "javascript:alert(1)", ..invitation() };
    let refused = templates().mail("en", &script);
    assert!(matches!(refused, Err(TemplateError::UnsafeUrl)));
}

#[test]
fn pages_load_nothing_but_our_own_stylesheet() {
    let html = page(&Page::NotFound);
    assert!(html.contains(r#"<link rel="stylesheet" href="/assets/pages.css">"#));
    let below = templates().below("/app/").page("en", &Page::NotFound).unwrap();
    assert!(below.contains(r#"href="/app/assets/pages.css""#));
    assert!(!html.contains("<style") && !html.contains("style=") && !html.contains("://"));
    assert!(templates().stylesheet().contains("prefers-color-scheme: dark"));
    assert!(!templates().stylesheet().contains("url("));
}

#[test]
fn an_unknown_locale_gets_english_and_a_new_one_the_rest_from_english() {
    let dir = folder("sv/mail/invitation.subject.txt.hbs", "Inbjudan till {{organization}}");
    fs::create_dir_all(dir.path().join("en/mail")).unwrap();
    fs::write(dir.path().join("en/mail/layout.html.hbs"), "MINE{{> @partial-block}}").unwrap();
    let templates = Templates::load(Some(dir.path())).unwrap();
    let swedish = templates.mail("sv-FI", &invitation()).unwrap();
    assert_eq!(swedish.subject, "Inbjudan till Harbour & Sons");
    assert!(swedish.html.starts_with("MINE"), "English as the operator has it");
    assert!(swedish.text.contains("You did not expect"));
    let other = templates.mail("xx", &invitation()).unwrap();
    assert_eq!(other.subject, mail(&invitation()).subject);
    assert!(other.html.starts_with("MINE"));
    let german = templates.mail("de", &invitation()).unwrap();
    assert!(!german.html.starts_with("MINE"), "what is in en/ is for English");
}

#[test]
fn a_file_without_a_language_is_for_all_and_one_with_a_language_for_that() {
    let dir = folder("mail/layout.html.hbs", "{{lang}} {{dir}}{{> @partial-block}}");
    fs::create_dir_all(dir.path().join("pt-br/mail")).unwrap();
    fs::write(dir.path().join("pt-br/mail/layout.html.hbs"), "OUR{{> @partial-block}}").unwrap();
    let templates = Templates::load(Some(dir.path())).unwrap();
    let html = |locale| templates.mail(locale, &invitation()).unwrap().html;
    assert!(html("en").starts_with("en ltr"));
    assert!(html("he").starts_with("he rtl"));
    assert!(html("pt").starts_with("OUR") && html("pt").contains("Aceitar o convite"));
}

#[test]
fn a_string_can_be_replaced_and_a_language_added() {
    let dir = folder("locales/de.toml", "[mail]\nheading = \"Willkommen, {organization}!\"");
    let swedish = "[language]\nmonths = [\"januari\", \"februari\", \"mars\", \"april\", \"maj\", \"juni\", \
        \"juli\", \"augusti\", \"september\", \"oktober\", \"november\", \"december\"]\n\
        [mail]\nuntil = \"Till {expires_at}.\"";
    fs::write(dir.path().join("locales/sv.toml"), swedish).unwrap();
    let templates = Templates::load(Some(dir.path())).unwrap();
    let german = templates.mail("de", &invitation()).unwrap();
    assert!(german.html.contains("Willkommen, Harbour &amp; Sons!"), "{}", german.html);
    assert!(german.html.contains("Einladung annehmen"), "the rest stays");
    let swedish = templates.mail("sv", &invitation()).unwrap();
    assert!(swedish.text.contains("Till 1 december 2026, 14:05 UTC."), "{}", swedish.text);
    assert!(swedish.text.contains("Ignore this email") && swedish.html.contains("lang=\"sv\""));
    assert_eq!(templates.locale("sv-SE"), Some("sv"));
}

#[test]
fn a_string_that_cannot_be_right_stops_the_start() {
    for (text, said) in [
        ("[mail]\nsubjekt = \"x\"", "de.toml: mail.subjekt is not the name of a string"),
        ("[mail]\nsubject = \"{organisation}\"", "mail.subject cannot show {organisation}"),
        ("[mail]\nsubject = \"{organization\"", "mail.subject a { is left open"),
        ("[mail]\nsubject = 7", "mail.subject must be a string"),
        ("[mail.password_valid]\nother = \"x\"", "mail.password_valid has no form \"one\""),
        ("[mail]\nsubject.one = \"x\"\nsubject.other = \"y\"", "mail.subject cannot show {count}"),
        ("[language]\ntime = \"{hours}\"", "[language] time cannot show {hours}"),
        ("[language]\ncolour = \"red\"", "[language]: unknown field `colour`"),
        ("subject = \"x\"", "subject is in no section"),
        ("[mail", "de.toml: "),
    ] {
        let found = broken("locales/de.toml", text);
        assert!(found.contains(said), "{text}: {found}");
    }
}

#[test]
fn a_file_of_the_same_name_wins() {
    let dir = folder("en/pages/not_found.html.hbs", "nothing here");
    fs::write(dir.path().join("pages.css"), "body{}").unwrap();
    fs::write(dir.path().join("notes.txt"), "not a template").unwrap();
    let templates = Templates::load(Some(dir.path())).unwrap();
    assert_eq!(templates.page("en", &Page::NotFound).unwrap(), "nothing here");
    assert_eq!(templates.stylesheet(), "body{}");
}

#[test]
fn a_broken_file_is_named_with_its_line_and_column() {
    let name = "en/pages/not_found.html.hbs";
    let open = broken(name, "one\ntwo {{#if a}}");
    assert!(open.contains("en/pages/not_found.html.hbs, line "), "{open}");
    let missing = broken(name, "one\ntwo {{organisation}}");
    let place = "not_found.html.hbs, line 2, column 5: there is no variable \"organisation\" here";
    assert!(missing.ends_with(place), "{missing}");
    // The fault is in the layout, though it shows while a page is rendered.
    let layout = broken("en/pages/layout.html.hbs", "{{> @partial-block}}\n{{nope}}");
    assert!(layout.contains("en/pages/layout.html.hbs, line 2, column 1: "), "{layout}");
}

#[test]
fn a_file_that_can_never_be_used_is_refused() {
    for name in [
        "en/mail/invitaton.html.hbs",
        "mail/invitaton.html.hbs",
        "en/pages.css",
        "page.css",
        "mail/mail/invitation.html.hbs",
        "locales/german.toml",
        "locales/de/strings.toml",
    ] {
        assert!(broken(name, "x").contains("is not the name of a template"), "{name}");
    }
    let useless = broken("en/mail/invitation.text.txt.hbs", "Welcome!");
    assert!(useless.contains("does not show accept_url"), "{useless}");
    let absent = Templates::load(Some(Path::new("/nonexistent/templates"))).err().unwrap();
    assert!(absent.to_string().contains("/nonexistent/templates"), "{absent}");
}

#[test]
fn templates_that_include_each_other_do_not_overflow_the_stack() {
    let dir = folder("en/pages/expired.html.hbs", "{{> pages/revoked.html}}");
    fs::write(dir.path().join("en/pages/revoked.html.hbs"), "{{> pages/expired.html}}").unwrap();
    let error = Templates::load(Some(dir.path())).err().unwrap().to_string();
    assert!(error.contains("includes itself through"), "{error}");
    let inline = broken("en/pages/expired.html.hbs", "{{#*inline \"a\"}}{{> a}}{{/inline}}{{> a}}");
    assert!(inline.contains("inline partials"), "{inline}");
    let unknown = broken("en/pages/expired.html.hbs", "{{> pages/nothing.html}}");
    assert!(unknown.contains("which does not exist"), "{unknown}");
}
