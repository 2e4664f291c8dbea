//! Images, and what mail readers take out of a mail.

use super::super::markup::Element;
use super::{EVERYWHERE, Level, Looked, OUTLOOK, Rule};

pub(super) const RULES: [Rule; 5] = [
    Rule {
        level: Level::Broken,
        title: "An image without a text",
        readers: "Readers that block images, and screen readers",
        why: "Many block images until they are asked for, and a screen reader has nothing to say but a file name.",
        advice: "Say in alt what the image says; alt=\"\" if it is decoration.",
        source: "https://www.w3.org/WAI/WCAG22/Understanding/non-text-content.html",
        places: |mail| tags(mail, |image| !image.attributes.contains_key("alt")),
    },
    Rule {
        level: Level::Different,
        title: "An image without a width",
        readers: OUTLOOK,
        why: "It ignores the width in CSS and draws the image as large as the file is.",
        advice: "Give it the attribute width, in pixels and without a unit.",
        source: "https://www.caniemail.com/features/css-width/",
        places: |mail| tags(mail, |image| image.pixels("width").is_none()),
    },
    Rule {
        level: Level::Broken,
        title: "An image format that is not shown",
        readers: "Outlook for Windows; SVG also Gmail",
        why: "They show neither SVG nor WebP.",
        advice: "Use PNG, JPEG or GIF.",
        source: "https://www.caniemail.com/features/image-svg/",
        places: |mail| {
            let drawn = mail.markup.shown("svg").map(|_| "<svg>".to_owned());
            tags(mail, |image| {
                let source = image.get("src").unwrap_or_default().to_lowercase();
                let path = source.split(['?', '#']).next().unwrap_or_default();
                [".svg", ".webp", ".avif"].iter().any(|end| path.ends_with(end))
                    || ["data:image/svg", "data:image/webp", "data:image/avif"]
                        .iter()
                        .any(|begin| source.starts_with(begin))
            })
            .into_iter()
            .chain(drawn)
            .collect()
        },
    },
    Rule {
        level: Level::Broken,
        title: "An image inside of the HTML",
        readers: "Outlook for Windows, Gmail",
        why: "They do not show data: images, and the mail gets long.",
        advice: "Put the image on a server, or into the mail as a part with a Content-ID.",
        source: "https://www.caniemail.com/features/image-base64/",
        places: |mail| {
            tags(mail, |image| image.get("src").is_some_and(|source| source.starts_with("data:")))
        },
    },
    Rule {
        level: Level::Broken,
        title: "Forms, scripts or media",
        readers: EVERYWHERE,
        why: "Nearly all take them out, for good reasons.",
        advice: "Link to a page that has them.",
        source: "https://www.caniemail.com/features/html-form/",
        places: |mail| {
            let taken = [
                "form", "input", "textarea", "select", "script", "iframe", "object", "video",
                "audio",
            ];
            let found = taken.iter().flat_map(|name| mail.markup.shown(name));
            found.map(|element| format!("<{}>", element.name)).collect()
        },
    },
];

fn tags(mail: &Looked<'_>, is: impl Fn(&Element) -> bool) -> Vec<String> {
    mail.markup.shown("img").filter(|image| is(image)).map(|image| image.tag("src")).collect()
}
