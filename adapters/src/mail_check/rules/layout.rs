//! Where things stand, and how they are decorated.

use super::super::css::Declaration;
use super::super::markup::Element;
use super::{Level, Looked, OUTLOOK, Rule};

pub(super) const RULES: [Rule; 11] = [
    Rule {
        level: Level::Broken,
        title: "Flexbox or grid",
        readers: OUTLOOK,
        why: "It does not know them: what is meant to stand side by side stands one below the other.",
        advice: "Put columns into the cells of a table.",
        source: "https://www.caniemail.com/features/css-display-flex/",
        places: |mail| {
            mail.markup.styled(|one| {
                one.property == "display"
                    && (one.value.contains("flex") || one.value.contains("grid"))
            })
        },
    },
    Rule {
        level: Level::Broken,
        title: "Positions",
        readers: "Outlook for Windows, Gmail",
        why: "They ignore position: what is meant to lie elsewhere stays in the text.",
        advice: "Leave it out, and order the content as it is to be read.",
        source: "https://www.caniemail.com/features/css-position/",
        places: |mail| {
            mail.markup.styled(|one| {
                one.property == "position" && !["static", "relative"].contains(&one.value.as_str())
            })
        },
    },
    Rule {
        level: Level::Different,
        title: "Floats",
        readers: OUTLOOK,
        why: "It ignores float.",
        advice: "Use the attribute align on a table or an image.",
        source: "https://www.caniemail.com/features/css-float/",
        places: |mail| mail.markup.styled(|one| one.property == "float" && one.value != "none"),
    },
    Rule {
        level: Level::Different,
        title: "A width limit that does not hold",
        readers: OUTLOOK,
        why: "It ignores max-width: on a wide screen the content fills the window.",
        advice: "Put a table with the attribute width around it, in a conditional comment: <!--[if mso]><table \
                 width=\"560\"><tr><td><![endif]-->.",
        source: "https://www.caniemail.com/features/css-max-width/",
        places: limits_without_width,
    },
    Rule {
        level: Level::Different,
        title: "Centred by margin",
        readers: OUTLOOK,
        why: "It does not know the margin auto: the content stands on the left.",
        advice: "Put it into a cell with the attribute align=\"center\".",
        source: "https://www.caniemail.com/features/css-margin/",
        places: |mail| {
            mail.markup.styled(|one| one.property.starts_with("margin") && has_word(one, "auto"))
        },
    },
    Rule {
        level: Level::Different,
        title: "Padding outside of a table cell",
        readers: OUTLOOK,
        why: "It knows padding in table cells alone: boxes and buttons become as small as their text.",
        advice: "Give the padding to the cell around it. For a button, a border of its colour on the link is \
                 as good as padding.",
        source: "https://www.caniemail.com/features/css-padding/",
        places: padding_outside_of_cells,
    },
    Rule {
        level: Level::Different,
        title: "A background image",
        readers: OUTLOOK,
        why: "It shows none; text in a light colour may then stand on white.",
        advice: "Set a background colour that the text can be read on, or draw the image with VML.",
        source: "https://www.caniemail.com/features/css-background-image/",
        places: |mail| {
            if mail.markup.for_outlook.contains("<v:") {
                return Vec::new();
            }
            mail.markup.styled(|one| {
                one.property.starts_with("background")
                    && (one.value.contains("url(") || one.value.contains("gradient("))
            })
        },
    },
    Rule {
        level: Level::Advice,
        title: "Round corners",
        readers: OUTLOOK,
        why: "It draws them square.",
        advice: "Nothing, if they may be square.",
        source: "https://www.caniemail.com/features/css-border-radius/",
        places: |mail| {
            mail.markup.styled(|one| {
                one.property.starts_with("border")
                    && one.property.ends_with("radius")
                    && one.value != "0"
            })
        },
    },
    Rule {
        level: Level::Different,
        title: "Shadows, opacity or transforms",
        readers: OUTLOOK,
        why: "It ignores them: what is meant to be pale, turned or set off is not.",
        advice: "Make sure that nothing depends on them; take a paler colour instead of opacity.",
        source: "https://www.caniemail.com/features/css-opacity/",
        places: |mail| {
            let known = ["box-shadow", "opacity", "transform", "filter", "animation"];
            mail.markup.styled(|one| known.contains(&one.property.as_str()) && one.value != "none")
        },
    },
    Rule {
        level: Level::Different,
        title: "Colours with transparency",
        readers: OUTLOOK,
        why: "It does not know rgba, hsla and their like, and drops the whole declaration.",
        advice: "Write the colour as six hexadecimal digits.",
        source: "https://www.caniemail.com/features/css-rgba/",
        places: |mail| {
            let known = ["rgba(", "hsl(", "hsla(", "oklch(", "color-mix("];
            mail.markup.styled(|one| known.iter().any(|function| one.value.contains(function)))
        },
    },
    Rule {
        level: Level::Different,
        title: "Values that are computed",
        readers: "Outlook for Windows, Gmail in part",
        why: "They do not know calc, var, min, max and clamp, nor the unit rem, and drop the whole declaration.",
        advice: "Write the value in px.",
        source: "https://www.caniemail.com/features/css-unit-calc/",
        places: |mail| mail.markup.styled(is_computed),
    },
];

fn has_word(one: &Declaration, word: &str) -> bool {
    one.value.split_whitespace().any(|found| found == word)
}

/// `max-width` on what has no width of its own, while there is no table for Outlook around it.
fn limits_without_width(mail: &Looked<'_>) -> Vec<String> {
    if mail.markup.for_outlook.contains("<table") {
        return Vec::new();
    }
    let is_limit = |one: &&Declaration| {
        one.property == "max-width" && one.value != "100%" && one.value != "none"
    };
    let shown = mail.markup.elements.iter().filter(|element| !element.hidden);
    let unlimited = shown.filter(|element| element.pixels("width").is_none());
    unlimited
        .flat_map(|element| element.style.iter().filter(is_limit).map(|one| element.with(one)))
        .collect()
}

fn padding_outside_of_cells(mail: &Looked<'_>) -> Vec<String> {
    let is_outside = |element: &&Element| {
        ["a", "p", "div", "span", "h1", "h2", "h3", "ul", "section"]
            .contains(&element.name.as_str())
            && !element.hidden
    };
    let is_padding = |one: &&Declaration| {
        let some = one.value.split_whitespace().any(|size| !size.starts_with('0'));
        one.property.starts_with("padding") && some
    };
    let outside = mail.markup.elements.iter().filter(is_outside);
    outside
        .flat_map(|element| element.style.iter().filter(is_padding).map(|one| element.with(one)))
        .collect()
}

fn is_computed(one: &Declaration) -> bool {
    let functions = ["calc(", "var(", "min(", "max(", "clamp("];
    let is_rem =
        |word: &str| word.strip_suffix("rem").is_some_and(|number| number.parse::<f32>().is_ok());
    functions.iter().any(|function| one.value.contains(function))
        || one.value.split_whitespace().any(is_rem)
}
