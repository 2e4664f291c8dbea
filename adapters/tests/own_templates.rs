//! Templates that organizations write themselves: what is refused, where it says that it is wrong,
//! and that what passes makes good mails in every language.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use adapters::templates::{
    ANY_LOCALE, InvitationMail, OwnTemplate, Part, SIZES, TemplateFault, TemplateSource, Templates,
    nearest, template_locale,
};
use domain::DeliveryKind;

const LINK: &str = "https://invite.example.com/i/token";

fn templates() -> Templates {
    Templates::load(None).unwrap()
}

fn source(html: &str) -> TemplateSource {
    TemplateSource {
        subject: "Come to {{organization}}".to_owned(),
        html: html.to_owned(),
        text: "{{accept_url}}".to_owned(),
    }
}

fn mail<'a>(organization: &'a str, first_name: Option<&'a str>) -> InvitationMail<'a> {
    InvitationMail {
        kind: DeliveryKind::Invitation,
        organization,
        inviter: None,
        first_name,
        role: "member",
        accept_url: LINK,
        temporary_password: None,
        expires_at: "2026-12-01T14:05:00Z".parse().unwrap(),
        password_valid_hours: 24,
        support: None,
    }
}

fn only_fault(source: &TemplateSource) -> TemplateFault {
    let mut faults = templates().check_own(ANY_LOCALE, source).unwrap_err();
    assert_eq!(faults.len(), 1, "{faults:?}");
    faults.remove(0)
}

#[test]
fn what_is_wrong_is_named_with_line_and_column() {
    let table = [
        ("{{accept_url}}\n {{frist_name}}", Some((2, 2)), "no variable \"frist_name\""),
        ("{{accept_url}}{{#if first_nam}}x{{/if}}", Some((1, 15)), "no variable \"first_nam\""),
        ("{{accept_url}}{{#if (eq role (not rloe))}}x{{/if}}", Some((1, 15)), "\"rloe\""),
        ("{{accept_url}}\n\n<b>{{#if role}}", None, "left open"),
        ("{{accept_url}}{{#each role}}x{{/each}}", Some((1, 15)), "no block \"each\""),
        ("{{accept_url}}{{#with role}}x{{/with}}", Some((1, 15)), "no block \"with\""),
        ("{{accept_url}}{{log temporary_password}}", Some((1, 15)), "no helper \"log\""),
        ("{{accept_url}}{{lookup this \"role\"}}", Some((1, 15)), "no helper \"lookup\""),
        ("{{accept_url}}{{this.role}}", Some((1, 15)), "no variable \"this.role\""),
        ("{{accept_url}}{{@root.role}}", Some((1, 15)), "no variable"),
        ("{{{accept_url}}}", Some((1, 1)), "without escaping"),
        ("{{&accept_url}}", Some((1, 1)), "without escaping"),
        ("{{accept_url}}\n{{> mail/invitation.html}}", Some((2, 1)), "nothing can be included"),
        ("{{accept_url}}{{> @partial-block}}", Some((1, 15)), "nothing can be included"),
        ("{{#> pages/layout.html}}{{accept_url}}{{/pages/layout.html}}", Some((1, 1)), "included"),
        ("{{accept_url}}{{#*inline \"x\"}}{{/inline}}", Some((1, 15)), "inline partials"),
        ("{{accept_url}}{{{{raw}}}}x{{{{/raw}}}}", Some((1, 15)), "raw blocks"),
        ("{{accept_url}}{{t role}}", Some((1, 15)), "in quotes"),
        ("{{accept_url}}{{t \"mail.nothing\"}}", Some((1, 15)), "no string"),
        // Rendered without an inviter.
        ("{{accept_url}}\n{{t \"mail.invited_by\"}}", Some((2, 1)), "\"inviter\""),
        ("{{#if inviter}}{{accept_url}}{{/if}}", None, "does not show {{accept_url}}"),
        ("  \n", None, "is required"),
    ];
    for (html, at, reason) in table {
        let fault = only_fault(&source(html));
        assert_eq!(fault.part, Part::Html, "{html}");
        assert!(fault.reason.contains(reason), "{html}: {fault}");
        if let Some(at) = at {
            assert_eq!(fault.at, Some(at), "{html}: {fault}");
        }
    }
    let all = only_fault(&source("{{accept_url}}{{nobody}}")).to_string();
    assert!(all.starts_with("line 1, column 15: "), "{all}");
    assert!(all.contains("organization, inviter, first_name"), "it says what there is: {all}");
}

#[test]
fn every_part_that_is_wrong_is_named_at_once() {
    let broken = TemplateSource {
        subject: "{{a}}".to_owned(),
        html: "{{b}}".to_owned(),
        text: "{{t_strong \"mail.invited\"}}".to_owned(),
    };
    let faults = OwnTemplate::compile(&broken).unwrap_err();
    let parts: Vec<_> = faults.iter().map(|fault| fault.part).collect();
    assert_eq!(parts, Part::ALL);
    let subject = "{{#if inviter}}x{{/if}}".to_owned();
    let sometimes = TemplateSource { subject, ..source("{{accept_url}}") };
    assert_eq!(only_fault(&sometimes).part, Part::Subject);
    let text = "nothing".to_owned();
    assert_eq!(only_fault(&TemplateSource { text, ..source("{{accept_url}}") }).part, Part::Text);
}

/// The engine would call itself until the stack is full, and take the process with it.
#[test]
fn what_is_nested_too_deep_is_refused_before_it_is_read() {
    let many = 400;
    for deep in [
        "{{#if role}}".repeat(many),
        format!("{{{{#if role}}}}{}{{{{/if}}}}", "{{else if role}}".repeat(many)),
        format!("{{{{#if role}}}}{}{{{{/if}}}}", "{{^if role}}".repeat(many)),
        format!("{{{{#if {}role{}}}}}x{{{{/if}}}}", "(not ".repeat(many), ")".repeat(many)),
        format!("{{{{#if {}{}}}}}x{{{{/if}}}}", "[".repeat(many), "]".repeat(many)),
        "{{#> mail/layout.html}}".repeat(many),
    ] {
        let html = format!("{{{{accept_url}}}}{deep}");
        let fault = only_fault(&source(&html));
        assert!(fault.reason.contains("nested too deep"), "{fault}");
    }
    let twice = "{{#> mail/layout.html}}{{accept_url}}{{/mail/layout.html}}".repeat(2);
    assert!(only_fault(&source(&twice)).reason.contains("once"));
}

#[test]
fn sizes_are_held_before_and_after_rendering() {
    let [_, html, _] = SIZES;
    let fault = only_fault(&source(&format!("{{{{accept_url}}}}{}", "x".repeat(html))));
    assert!(fault.reason.contains("at most 98304"), "{fault}");
    let many = format!("{{{{accept_url}}}}{}", "{{role}}".repeat(500));
    assert!(only_fault(&source(&many)).reason.contains("more than 500"));
    let padding = "x".repeat(89_000);
    let many = format!("{{{{accept_url}}}}{padding}{}", "{{organization}} ".repeat(400));
    let own = templates().check_own(ANY_LOCALE, &source(&many)).unwrap();
    let long = "Long ".repeat(12);
    let fault = templates().own_mail("en", &own, &mail(&long, None)).err().unwrap();
    assert!(fault.reason.contains("at most 102400"), "{fault}");
    assert!(templates().own_mail("en", &own, &mail("Short", None)).is_ok());
}

#[test]
fn the_mail_that_everybody_has_is_a_good_beginning_in_every_language() {
    let templates = templates();
    for locale in templates.locales().to_vec() {
        let source = templates.mail_source(&locale).unwrap();
        let own = templates.check_own(&locale, &source).unwrap();
        let mail = mail("Tom & Jerry", Some("<b>"));
        let made = templates.own_mail(&locale, &own, &mail).unwrap();
        let shipped = templates.mail(&locale, &mail).unwrap();
        assert_eq!((&made.subject, &made.text), (&shipped.subject, &shipped.text), "{locale}");
        assert_eq!(made.html, shipped.html, "{locale}");
        assert!(made.html.contains("&lt;b&gt;") && made.text.contains("Tom & Jerry"), "{locale}");
    }
}

#[test]
fn a_template_for_all_languages_speaks_that_of_the_reader() {
    let templates = templates();
    let own = templates
        .check_own(ANY_LOCALE, &source("{{lang}} {{dir}} {{t \"mail.accept\"}} {{accept_url}}"))
        .unwrap();
    let html = |locale: &str| templates.own_mail(locale, &own, &mail("A", None)).unwrap().html;
    assert!(html("ar").starts_with("ar rtl "));
    assert!(html("de-AT").starts_with("de ltr "));
    assert_ne!(html("ar").split(' ').nth(2), html("de").split(' ').nth(2));
}

#[test]
fn the_nearest_language_counts_and_then_the_one_for_all() {
    let known = ["de", "default", "pt-BR"].map(str::to_owned);
    for (wanted, expected) in [
        ("de-AT", Some("de")),
        ("pt", Some("pt-BR")),
        ("fr", Some("default")),
        ("default", Some("default")),
    ] {
        assert_eq!(nearest(wanted, &known), expected, "{wanted}");
    }
    assert_eq!(nearest("fr", &known[..1]), None);
    assert_eq!(template_locale("pt_br").as_deref(), Some("pt-BR"));
    assert_eq!(template_locale("../x"), None);
}
