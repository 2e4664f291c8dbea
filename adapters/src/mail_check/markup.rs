//! A mail's HTML as the checks need it: elements with their styles, links with their text, what comes first.
//!
//! Read by the rules of the HTML standard as far as tags and text go. No tree is built: mails are tag soup,
//! and what an element stands in matters here only for whether it is shown.

use std::collections::BTreeMap;

use html5gum::emitters::default::DefaultEmitter;
use html5gum::{HtmlString, StartTag, Token, Tokenizer};

use super::css::{self, Declaration, Sheet};

/// What stands in a mail's HTML part.
#[derive(Debug, Default)]
pub(super) struct Markup {
    pub elements: Vec<Element>,
    pub anchors: Vec<Anchor>,
    /// All style elements together.
    pub sheet: Sheet,
    /// What is in conditional comments for Outlook, in lower case.
    pub for_outlook: String,
    /// The first words of the body, and whether they are hidden from whoever opens the mail.
    pub opening: Option<Opening>,
    in_body: bool,
    raw: Option<(String, String)>,
    open: Vec<(String, bool)>,
}

/// A start tag.
#[derive(Debug)]
pub(super) struct Element {
    /// In lower case.
    pub name: String,
    pub attributes: BTreeMap<String, String>,
    /// What its `style` attribute says.
    pub style: Vec<Declaration>,
    /// Whether it, or something around it, is not shown.
    pub hidden: bool,
    /// Whether the head was over.
    pub in_body: bool,
}

/// A link, and what can be read of it.
#[derive(Debug)]
pub(super) struct Anchor {
    pub target: Option<String>,
    /// With one space between words; images count with their alternative text.
    pub text: String,
}

/// How a mail begins.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Opening {
    pub text: String,
    pub hidden: bool,
}

const IN_HEAD: [&str; 8] = ["html", "head", "meta", "title", "style", "link", "base", "script"];
/// What has no end tag.
const VOID: [&str; 13] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track",
    "wbr",
];
/// What has text that is no text of the mail.
const RAW: [&str; 3] = ["style", "script", "title"];

impl Markup {
    /// Reads a document or a part of one; anything can be read.
    pub fn read(html: &str) -> Self {
        let mut markup = Self::default();
        let mut emitter = DefaultEmitter::default();
        emitter.naively_switch_states(true);
        for Ok(token) in Tokenizer::new_with_emitter(html, emitter) {
            match token {
                Token::StartTag(tag) => markup.start(&tag),
                Token::EndTag(tag) => markup.end(&text_of(&tag.name)),
                Token::String(text) => markup.text(&text_of(&text.value)),
                Token::Comment(text) => markup.comment(&text_of(&text.value)),
                Token::Doctype(_) | Token::Error(_) => {}
            }
        }
        markup
    }

    /// The elements of that name that are shown.
    pub fn shown<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.elements.iter().filter(move |element| element.name == name && !element.hidden)
    }

    /// Where such a declaration stands: in elements that are shown, and in the sheet.
    pub fn styled(&self, is: impl Fn(&Declaration) -> bool) -> Vec<String> {
        let shown = self.elements.iter().filter(|element| !element.hidden);
        let inline = shown.flat_map(|element| element.style.iter().map(move |one| (one, element)));
        let inline = inline.filter(|(one, _)| is(one)).map(|(one, element)| element.with(one));
        let sheet = self.sheet.declarations.iter().filter(|one| is(one));
        inline.chain(sheet.map(|one| format!("<style> {}: {}", one.property, one.value))).collect()
    }

    fn start(&mut self, tag: &StartTag<()>) {
        let name = text_of(&tag.name).to_lowercase();
        let attributes: BTreeMap<String, String> = tag
            .attributes
            .iter()
            .map(|(name, value)| (text_of(name).to_lowercase(), text_of(&value.value)))
            .collect();
        let style = attributes.get("style").map(|text| css::declarations(text)).unwrap_or_default();
        let around = self.open.last().is_some_and(|(_, hidden)| *hidden);
        let hidden = around || attributes.contains_key("hidden") || style.iter().any(hides);
        self.in_body |= !IN_HEAD.contains(&name.as_str());
        if RAW.contains(&name.as_str()) {
            self.raw = Some((name.clone(), String::new()));
        } else if !VOID.contains(&name.as_str()) && !tag.self_closing {
            self.open.push((name.clone(), hidden));
        }
        match name.as_str() {
            "a" => {
                let target = attributes.get("href").map(|href| href.trim().to_owned());
                self.anchors.push(Anchor { target, text: String::new() });
            }
            "img" => {
                let alt = attributes.get("alt").cloned().unwrap_or_default();
                self.add_to_anchor(&alt);
            }
            _ => {}
        }
        let in_body = self.in_body;
        self.elements.push(Element { name, attributes, style, hidden, in_body });
    }

    fn end(&mut self, name: &str) {
        match self.raw.take() {
            Some((raw, css)) if raw == name && raw == "style" => {
                let sheet = css::sheet(&css);
                self.sheet.declarations.extend(sheet.declarations);
                self.sheet.at_rules.extend(sheet.at_rules);
            }
            Some((raw, _)) if raw == name => {}
            raw => {
                self.raw = raw;
                if let Some(at) = self.open.iter().rposition(|(open, _)| open == name) {
                    self.open.truncate(at);
                }
            }
        }
    }

    fn text(&mut self, text: &str) {
        if let Some((_, raw)) = &mut self.raw {
            raw.push_str(text);
            return;
        }
        self.add_to_anchor(text);
        let words = one_line(text);
        if self.opening.is_none() && self.in_body && !words.is_empty() {
            let hidden = self.open.last().is_some_and(|(_, hidden)| *hidden);
            self.opening = Some(Opening { text: words, hidden });
        }
    }

    fn add_to_anchor(&mut self, text: &str) {
        let in_anchor = self.open.iter().any(|(name, _)| name == "a");
        if let Some(anchor) = self.anchors.last_mut().filter(|_| in_anchor) {
            anchor.text = one_line(&format!("{} {text}", anchor.text));
        }
    }

    fn comment(&mut self, text: &str) {
        let text = text.to_lowercase();
        if text.starts_with("[if") && !text.starts_with("[if !") {
            self.for_outlook.push_str(&text);
        }
    }
}

impl Element {
    /// An attribute's value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }

    /// Its tag, with one attribute if it has that.
    pub fn tag(&self, attribute: &str) -> String {
        match self.get(attribute) {
            Some(value) => format!("<{} {attribute}=\"{}\">", self.name, short(value)),
            None => format!("<{}>", self.name),
        }
    }

    /// Its tag, with one declaration.
    pub fn with(&self, one: &Declaration) -> String {
        format!("<{}> {}: {}", self.name, one.property, short(&one.value))
    }

    /// A number of pixels that an attribute says.
    pub fn pixels(&self, name: &str) -> Option<u32> {
        self.get(name)?.trim().trim_end_matches("px").parse().ok()
    }
}

fn hides(one: &Declaration) -> bool {
    one.property == "display" && one.value.starts_with("none")
        || one.property == "mso-hide" && one.value.starts_with("all")
}

fn text_of(text: &HtmlString) -> String {
    String::from_utf8_lossy(text).into_owned()
}

/// With one space between words, and without the characters that fill previews.
fn one_line(text: &str) -> String {
    let is_filler =
        |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{34f}' | '\u{feff}' | '\u{ad}');
    let visible: String = text.chars().filter(|&c| !is_filler(c)).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn short(text: &str) -> String {
    const MOST: usize = 60;
    let mut cut: String = text.chars().take(MOST).collect();
    if text.chars().count() > MOST {
        cut.push('…');
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_links_styles_and_how_the_mail_begins() {
        let markup = Markup::read(
            "<!doctype html><html lang=en><head><title>Not <b> this</title><style>p{display:flex}</style>\
             </head><body><div style='display:none'>Psst <i>secret</i></div>\n<p>Hello &amp; <A HREF=' https://a.example/?a=1&amp;b=2 '>\
             <img src=x alt='the logo'> <b>Join</b>\nnow</a> bye<!--[if mso]><table width=560><![endif]-->",
        );
        assert_eq!(markup.anchors.len(), 1);
        assert_eq!(markup.anchors[0].target.as_deref(), Some("https://a.example/?a=1&b=2"));
        assert_eq!(markup.anchors[0].text, "the logo Join now");
        assert_eq!(markup.opening, Some(Opening { text: "Psst".to_owned(), hidden: true }));
        assert_eq!(markup.styled(|one| one.property == "display"), ["<style> display: flex"]);
        assert!(markup.for_outlook.contains("<table width=560>"));
        assert!(markup.elements.iter().any(|one| one.name == "i" && one.hidden && one.in_body));
        assert!(markup.elements.iter().all(|one| one.in_body || IN_HEAD.contains(&&*one.name)));
    }

    #[test]
    fn tag_soup_is_read_to_its_end() {
        for html in
            ["<", "</", "<a href", "<a><a><a>x", "</p></p>", "<style>", "<!--", "<p style=", "&#x;"]
        {
            Markup::read(html);
        }
        let markup = Markup::read("<div hidden><p>a</div><p>b");
        let shown: Vec<bool> = markup.elements.iter().map(|one| one.hidden).collect();
        assert_eq!(shown, [true, true, false]);
    }
}
