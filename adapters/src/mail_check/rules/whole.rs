//! What is true of a mail as a whole.

use super::super::markup::Element;
use super::{EVERYWHERE, Level, Rule};

/// What Gmail shows of the HTML part, in bytes.
const GMAIL: usize = 102 * 1024;

pub(super) const RULES: [Rule; 8] = [
    Rule {
        level: Level::Broken,
        title: "Longer than Gmail shows",
        readers: "Gmail",
        why: "It cuts the HTML off after 102 KB, and with it whatever stands at the end.",
        advice: "Leave out what is not needed: spaces, comments, styles that repeat.",
        source: "https://www.spamresource.com/2022/01/what-is-gmail-clipping-and-what-to-do.html",
        places: |mail| {
            let size = mail.html.len();
            if size > GMAIL { vec![format!("{} KB", size.div_ceil(1024))] } else { Vec::new() }
        },
    },
    Rule {
        level: Level::Broken,
        title: "No text part",
        readers: "Watches, screen readers, terminals; spam filters",
        why: "Who does not read HTML gets nothing, and filters hold it against the sender.",
        advice: "Say the same in plain text, with the link in full.",
        source: "https://www.rfc-editor.org/rfc/rfc2046#section-5.1.4",
        places: |mail| if_so(mail.text.trim().is_empty()),
    },
    Rule {
        level: Level::Broken,
        title: "A style sheet in the body",
        readers: "Gmail and others",
        why: "They know <style> in the head alone.",
        advice: "Move it into the head, and say inline what must not be lost.",
        source: "https://www.caniemail.com/features/html-style/",
        places: |mail| {
            let styles = mail.markup.elements.iter();
            let styles = styles.filter(|element| element.name == "style" && element.in_body);
            styles.map(|style| style.tag("type")).collect()
        },
    },
    Rule {
        level: Level::Different,
        title: "Fonts or styles from elsewhere",
        readers: "Outlook for Windows, Gmail and others",
        why: "They load none; in Outlook a font that is not there can turn into Times New Roman.",
        advice: "Name fonts that are there already after it, and say in a conditional comment which one Outlook takes.",
        source: "https://www.caniemail.com/features/css-at-font-face/",
        places: |mail| {
            let at_rules = mail.markup.sheet.at_rules.iter();
            let at_rules = at_rules
                .filter(|rule| rule.starts_with("@import") || rule.starts_with("@font-face"));
            let links = mail.markup.elements.iter().filter(|element| is_stylesheet(element));
            at_rules.cloned().chain(links.map(|link| link.tag("href"))).collect()
        },
    },
    Rule {
        level: Level::Advice,
        title: "No language",
        readers: "Screen readers, translators",
        why: "Words are said as if they were of the reader's own language.",
        advice: "Give <html> the attribute lang, and an element in the body too: webmail drops <html>.",
        source: "https://www.w3.org/WAI/WCAG22/Understanding/language-of-page.html",
        places: |mail| {
            if_so(
                !mail
                    .markup
                    .elements
                    .iter()
                    .any(|one| one.get("lang").is_some_and(|lang| !lang.is_empty())),
            )
        },
    },
    Rule {
        level: Level::Advice,
        title: "A table for layout that does not say so",
        readers: "Screen readers",
        why: "They say rows and columns before each text.",
        advice: "Give it role=\"presentation\".",
        source: "https://www.caniemail.com/features/html-role/",
        places: |mail| {
            let is_layout = |table: &&Element| {
                !matches!(table.get("role"), Some("presentation" | "none" | "table"))
            };
            let has_headings = mail.markup.shown("th").next().is_some();
            let tables = mail.markup.shown("table").filter(is_layout);
            if has_headings { Vec::new() } else { tables.map(|table| table.tag("class")).collect() }
        },
    },
    Rule {
        level: Level::Advice,
        title: "No preview text",
        readers: EVERYWHERE,
        why: "Lists of mails show the first words beside the subject, whatever they are.",
        advice: "Begin the body with a hidden element that says what the mail is about.",
        source: "https://www.caniemail.com/features/css-display-none/",
        places: |mail| {
            let opening = mail.markup.opening.as_ref().filter(|opening| !opening.hidden);
            opening
                .map(|opening| format!("It begins with: {}", first_words(&opening.text)))
                .into_iter()
                .collect()
        },
    },
    Rule {
        level: Level::Advice,
        title: "No colours for dark mode",
        readers: OUTLOOK_AND_APPLE,
        why: "Some readers turn colours round by themselves when nothing says that the mail knows dark mode.",
        advice: "Add <meta name=\"color-scheme\" content=\"light dark\"> and @media (prefers-color-scheme: dark).",
        source: "https://www.caniemail.com/features/css-at-media-prefers-color-scheme/",
        places: |mail| {
            let says = |element: &Element| element.get("name") == Some("color-scheme");
            let dark =
                mail.markup.sheet.at_rules.iter().any(|rule| rule.contains("prefers-color-scheme"));
            if_so(!dark && !mail.markup.elements.iter().any(says))
        },
    },
];

const OUTLOOK_AND_APPLE: &str = "Apple Mail, Outlook, Gmail on phones";

fn if_so(so: bool) -> Vec<String> {
    if so { vec!["the whole mail".to_owned()] } else { Vec::new() }
}

fn is_stylesheet(element: &Element) -> bool {
    element.name == "link"
        && element.get("rel").is_some_and(|rel| rel.eq_ignore_ascii_case("stylesheet"))
}

fn first_words(text: &str) -> String {
    text.chars().take(60).collect()
}
