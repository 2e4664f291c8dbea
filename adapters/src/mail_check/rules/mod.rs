//! The table of what mail readers do to a mail, above all Outlook for Windows, which draws mails with Word.
//!
//! Sources: [caniemail](https://www.caniemail.com) (tests of each feature in each reader; the pages are named
//! in the rules), Microsoft's [Word 2007 HTML and CSS rendering capabilities in
//! Outlook](https://learn.microsoft.com/en-us/previous-versions/office/developer/office-2007/aa338201(v=office.12)),
//! which holds for Outlook 2007 to 2019 and the classic Outlook of Microsoft 365,
//! [WCAG 2.2](https://www.w3.org/TR/WCAG22/) for what readers with a screen reader need, and RFC 2046 §5.1.4 for
//! the text part. That Gmail shows 102 KB of a mail is nowhere written down by Google, but agreed on by all who
//! measured it ([one of them](https://www.spamresource.com/2022/01/what-is-gmail-clipping-and-what-to-do.html)).

mod images;
mod layout;
mod whole;

use serde::Serialize;

use super::markup::Markup;
use super::{MailCheck, Note};

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Something cannot be read or used.
    Broken,
    /// Everything is there, but not as it was meant.
    Different,
    /// It could be better.
    Advice,
}

/// The mail that is looked at.
pub(super) struct Looked<'a> {
    pub markup: &'a Markup,
    pub html: &'a str,
    pub text: &'a str,
}

/// One line of the table.
struct Rule {
    level: Level,
    title: &'static str,
    readers: &'static str,
    why: &'static str,
    advice: &'static str,
    source: &'static str,
    /// Where the mail does it; nowhere if it does not.
    places: fn(&Looked<'_>) -> Vec<String>,
}

const OUTLOOK: &str = "Outlook for Windows";
const EVERYWHERE: &str = "Every reader";

/// What the rules find, the worst first.
pub(super) fn notes(mail: &Looked<'_>) -> Vec<Note> {
    let table = layout::RULES.iter().chain(&images::RULES).chain(&whole::RULES);
    let mut notes: Vec<Note> = table.filter_map(|rule| rule.note(mail)).collect();
    notes.sort_by_key(|note| note.level);
    notes
}

impl Rule {
    fn note(&self, mail: &Looked<'_>) -> Option<Note> {
        let mut places: Vec<String> = Vec::new();
        let mut count = 0;
        for place in (self.places)(mail) {
            count += 1;
            if places.len() < MailCheck::MAX_PLACES && !places.contains(&place) {
                places.push(place);
            }
        }
        let Self { level, title: what, readers, why, advice, source, .. } = *self;
        let more = count - places.len();
        (count > 0).then_some(Note { level, what, readers, why, advice, source, places, more })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const GOOD: &str = "<!doctype html><html lang=en><head><meta name=color-scheme content='light dark'>\
        <style>@media (prefers-color-scheme: dark) { .x { display: flex; color: rgba(0,0,0,.5) } }</style></head>\
        <body><div style='display:none;opacity:0;max-width:0'>Come in</div><table role=presentation width=560>\
        <tr><td style='padding:8px;margin:0;background:#fff'><img src=https://a.example/a.png alt='' width=20>\
        <a href=https://a.example>Join</a></table>";

    fn titles(html: &str, text: &str) -> BTreeSet<&'static str> {
        let markup = Markup::read(html);
        let notes = notes(&Looked { markup: &markup, html, text });
        notes.into_iter().map(|note| note.what).collect()
    }

    #[test]
    fn a_careful_mail_gets_no_note() {
        assert_eq!(titles(GOOD, "Join: https://a.example"), BTreeSet::new());
    }

    /// One mail for each rule, which breaks that one alone.
    #[test]
    fn each_rule_finds_what_it_is_for() {
        let with = |html: &str| GOOD.replace("</table>", &format!("</table>{html}"));
        let long = with(&"<p>long</p>".repeat(11_000));
        let cases = [
            (with("<div style='DISPLAY: inline-flex'>"), "Flexbox or grid"),
            (with("<div style='position:absolute'>"), "Positions"),
            (with("<div style='float:left'>"), "Floats"),
            (with("<div style='max-width:560px'>"), "A width limit that does not hold"),
            (with("<div style='margin:0 auto'>"), "Centred by margin"),
            (with("<p style='padding:8px'>"), "Padding outside of a table cell"),
            (with("<div style='background:url(a.png)'>"), "A background image"),
            (with("<p style='border-radius:4px'>"), "Round corners"),
            (with("<p style='box-shadow:0 0 2px #000'>"), "Shadows, opacity or transforms"),
            (with("<p style='color:rgba(0,0,0,.5)'>"), "Colours with transparency"),
            (with("<p style='width:calc(1px + 2px)'>"), "Values that are computed"),
            (with("<img src=a.png width=1>"), "An image without a text"),
            (with("<img src=a.png alt=x>"), "An image without a width"),
            (with("<img src=a.webp?x alt=x width=1>"), "An image format that is not shown"),
            (
                with("<img src='data:image/png;base64,AA' alt=x width=1>"),
                "An image inside of the HTML",
            ),
            (with("<video src=a></video>"), "Forms, scripts or media"),
            (with("<table><tr><td>x</table>"), "A table for layout that does not say so"),
            (with("<style>p{color:red}</style>"), "A style sheet in the body"),
            (long, "Longer than Gmail shows"),
            (GOOD.replace("lang=en", ""), "No language"),
            (GOOD.replace("display:none;opacity:0;max-width:0", "color:red"), "No preview text"),
            (GOOD.replace("color-scheme", "other"), "No colours for dark mode"),
            (
                GOOD.replace("<style>", "<style>@import url(a.css);"),
                "Fonts or styles from elsewhere",
            ),
        ];
        let mut found: BTreeSet<&str> = BTreeSet::from(["No text part"]);
        for (html, title) in &cases {
            let titles = titles(html, "Join");
            assert!(titles.contains(title), "{title}: {titles:?}");
            assert_eq!(titles.len(), 1, "{title}: {titles:?}");
            found.insert(title);
        }
        assert_eq!(titles(GOOD, " \n"), BTreeSet::from(["No text part"]));
        let table = layout::RULES.iter().chain(&images::RULES).chain(&whole::RULES);
        let missing: Vec<_> =
            table.filter(|rule| !found.contains(rule.title)).map(|rule| rule.title).collect();
        assert!(missing.is_empty(), "no mail breaks {missing:?}");
    }

    #[test]
    fn what_outlook_has_been_told_in_its_own_words_is_no_fault() {
        let mail = GOOD
            .replace("<body>", "<body><!--[if mso]><table width=560><tr><td><v:rect><![endif]-->");
        let mail =
            mail.replace("</table>", "</table><div style='max-width:560px;background:url(a)'>");
        assert_eq!(titles(&mail, "Join"), BTreeSet::new());
    }

    #[test]
    fn a_note_names_a_few_places_and_counts_the_rest() {
        let html =
            GOOD.replace("</table>", &"<p style='float:left'><b style='float:right'>".repeat(5));
        let markup = Markup::read(&html);
        let notes = notes(&Looked { markup: &markup, html: &html, text: "x" });
        assert_eq!(notes[0].places, ["<p> float: left", "<b> float: right"]);
        assert_eq!(notes[0].more, 8);
    }
}
