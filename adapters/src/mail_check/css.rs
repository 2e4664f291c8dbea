//! As much of CSS as mails use: declarations, and style sheets as a list of them.

/// One property and its value, both in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Declaration {
    pub property: String,
    pub value: String,
}

/// What a style sheet says.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    /// Outside of at-rules: what every reader goes by.
    pub declarations: Vec<Declaration>,
    /// What at-rules begin with, such as `@media (max-width: 520px)`, in lower case. Their content is for
    /// readers that know them, and so for none of those that know little.
    pub at_rules: Vec<String>,
}

/// Reads a `style` attribute.
pub(super) fn declarations(text: &str) -> Vec<Declaration> {
    let text = without_comments(text);
    let mut rest = text.as_str();
    let mut found = Vec::new();
    while !rest.is_empty() {
        let end = position(rest, &[';']).unwrap_or(rest.len());
        if let Some((property, value)) = rest[..end].split_once(':') {
            let (property, value) = (property.trim().to_lowercase(), value.trim().to_lowercase());
            if !property.is_empty() && !value.is_empty() {
                found.push(Declaration { property, value });
            }
        }
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    found
}

/// Reads the content of a `style` element.
pub(super) fn sheet(text: &str) -> Sheet {
    let text = without_comments(text);
    let mut rest = text.as_str();
    let mut sheet = Sheet::default();
    while let Some(end) = position(rest, &['{', ';']) {
        let prelude = rest[..end].trim();
        let is_at_rule = prelude.starts_with('@');
        if is_at_rule {
            sheet.at_rules.push(prelude.to_lowercase());
        }
        let after = &rest[end + 1..];
        if rest[end..].starts_with(';') {
            rest = after;
            continue;
        }
        let close = block_end(after);
        if !is_at_rule {
            sheet.declarations.extend(declarations(&after[..close]));
        }
        rest = after.get(close + 1..).unwrap_or_default();
    }
    sheet
}

/// Where the block ends whose opening brace came before `text`.
fn block_end(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(next) = position(&text[at..], &['{', '}']) {
        at += next;
        match (text[at..].starts_with('{'), depth) {
            (true, _) => depth += 1,
            (false, 0) => return at,
            (false, _) => depth -= 1,
        }
        at += 1;
    }
    text.len()
}

/// The first of these characters, all ASCII, that is neither in a string nor in parentheses.
fn position(text: &str, wanted: &[char]) -> Option<usize> {
    let (mut quote, mut escaped, mut open) = (None, false, 0_usize);
    for (at, letter) in text.char_indices() {
        match (quote, letter) {
            _ if escaped => escaped = false,
            (_, '\\') => escaped = true,
            (Some(end), _) if letter == end => quote = None,
            (None, '"' | '\'') => quote = Some(letter),
            (None, '(') => open += 1,
            (None, ')') => open = open.saturating_sub(1),
            (None, _) if open == 0 && wanted.contains(&letter) => return Some(at),
            _ => {}
        }
    }
    None
}

fn without_comments(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("/*") {
        kept.push_str(before);
        kept.push(' ');
        rest = after.split_once("*/").map_or("", |(_, after)| after);
    }
    kept + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(declarations: &[Declaration]) -> Vec<String> {
        declarations.iter().map(|one| format!("{}={}", one.property, one.value)).collect()
    }

    #[test]
    fn a_semicolon_in_a_string_or_an_address_ends_nothing() {
        let found = declarations(
            "Color:RED;; background : url(data:image/png;base64,AA==) ; font-family:'a;b',\"c\\\";d\" ; x",
        );
        let expected = [
            "color=red",
            "background=url(data:image/png;base64,aa==)",
            "font-family='a;b',\"c\\\";d\"",
        ];
        assert_eq!(shown(&found), expected);
    }

    #[test]
    fn what_is_in_an_at_rule_is_not_for_all() {
        let sheet = sheet(
            "@import url(x.css); /* } */ .a, .b { display: flex } \
             @media (max-width: 520px) { .c { position: absolute } .d { color: red } } p { margin: 0; }",
        );
        assert_eq!(shown(&sheet.declarations), ["display=flex", "margin=0"]);
        assert_eq!(sheet.at_rules, ["@import url(x.css)", "@media (max-width: 520px)"]);
    }

    #[test]
    fn a_broken_sheet_is_read_to_its_end() {
        for text in
            ["", "}", "a{", "a{b:c", "@media{a{b:c}", "/*", "a{b:'", "{{{{", "ä{ö:ü}é", "\\"]
        {
            sheet(text);
            declarations(text);
        }
        assert_eq!(shown(&sheet("ä { ö: ü } é").declarations), ["ö=ü"]);
    }
}
