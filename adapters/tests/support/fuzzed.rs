//! What holds for any template of an organization and for any mail that is looked at: for the tests here
//! and for the fuzzers in `fuzz/`.

use std::sync::LazyLock;

use adapters::mail_check::MailCheck;
use adapters::templates::{Part, SIZES, TemplateSource, Templates};
use url::Url;

/// What parts a text into the parts of a mail.
const SEPARATOR: char = '\u{1f}';
const LINK: &str = "https://invite.example.com/i/sample";

static TEMPLATES: LazyLock<Templates> =
    LazyLock::new(|| Templates::load(None).expect("the embedded templates are good"));
static HOME: LazyLock<Url> =
    LazyLock::new(|| "https://invite.example.com/app/".parse().expect("an address"));

/// Subject, HTML part, text part and language of a template: what is wrong has its place in it, and what
/// passes makes mails that are no longer than a mail may be.
pub fn template(text: &str) {
    let mut parts = text.splitn(4, SEPARATOR).map(str::to_owned);
    let mut next = || parts.next().unwrap_or_default();
    let source = TemplateSource { subject: next(), html: next(), text: next() };
    let locale = next();
    let faults = match TEMPLATES.check_own(&locale, &source) {
        Ok(own) => {
            let made = TEMPLATES.preview_own(&locale, &own, "Acme", LINK);
            let made = made.expect("what was tried makes a mail");
            assert!(made.html.contains(LINK) && made.text.contains(LINK), "{source:?}");
            assert!(!made.subject.chars().any(char::is_control), "{:?}", made.subject);
            return;
        }
        Err(faults) => faults,
    };
    assert!((1..=SIZES.len()).contains(&faults.len()), "{faults:?}");
    for fault in faults {
        let part = match fault.part {
            Part::Subject => &source.subject,
            Part::Html => &source.html,
            Part::Text => &source.text,
        };
        if let Some((line, column)) = fault.at {
            assert!(line >= 1 && column >= 1, "{fault:?}");
            assert!(line <= part.lines().count().max(1) + 1, "{fault:?} of {part:?}");
        }
        assert!(!fault.reason.is_empty());
    }
}

/// HTML and text of a mail: what is found is bounded, and the same each time.
pub fn mail_check(text: &str) {
    let (html, plain) = text.split_once(SEPARATOR).unwrap_or((text, ""));
    let check = MailCheck::new(html, plain, &HOME);
    assert!(check.links.len() <= MailCheck::MAX_LINKS);
    assert!(
        check.notes.iter().all(|note| (1..=MailCheck::MAX_PLACES).contains(&note.places.len()))
    );
    assert!(check.notes.is_sorted_by_key(|note| note.level));
    assert_eq!(check.count(), MailCheck::new(html, plain, &HOME).count());
}
