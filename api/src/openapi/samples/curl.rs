//! A command for any shell: curl 7.82 or newer.

use super::literal::{Style, json_string, write};
use super::{Call, FILE, Part};

const JSON: Style = Style {
    open: ["{", "["],
    close: ["}", "]"],
    words: ["false", "true", "null"],
    indent: "  ",
    // Both leave the single quotes that stand around the whole body, and come back.
    string: |text| json_string(text).replace('\'', r"'\''"),
    variable: |name| format!("\"'\"${name}\"'\""),
    last_comma: false,
};

/// Prints the answer's head and body, and fails unless it is a good one.
pub fn sample(call: &Call) -> String {
    let mut lines = vec![format!("curl --include --fail-with-body {}", quoted(&call.url))];
    if call.method != "GET" {
        lines.push(format!("--request {}", call.method));
    }
    for (name, value) in &call.headers {
        lines.push(format!("--header {}", quoted_after(&format!("{name}: "), value)));
    }
    if let Some(body) = &call.body {
        lines.push(format!("--data '{}'", write(body, &JSON, 0)));
    }
    if call.file {
        lines.push(format!("--data-binary \"@${FILE}\""));
    }
    lines.join(" \\\n  ")
}

fn quoted(text: &[Part]) -> String {
    quoted_after("", text)
}

/// In double quotes, in which the shell puts variables.
fn quoted_after(start: &str, text: &[Part]) -> String {
    let pieces = text.iter().map(|part| match part {
        Part::Literal(text) => text.clone(),
        Part::Variable(name) => format!("${name}"),
    });
    format!("\"{start}{}\"", pieces.collect::<String>())
}
