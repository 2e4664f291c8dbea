//! A program for Rust with the crate ureq.

use super::literal::{Style, write};
use super::{Call, FILE, Part};

const JSON: Style = Style {
    open: ["{", "["],
    close: ["}", "]"],
    words: ["false", "true", "null"],
    indent: "    ",
    string: |text| format!("{text:?}"),
    variable: var,
    last_comma: true,
};

/// Prints the answer's status and body; `ureq` gives an error unless it is a good one.
pub fn sample(call: &Call) -> String {
    let (packages, json) = match &call.body {
        Some(_) => ("ureq@3 serde_json@1", "\n\nuse serde_json::json;"),
        None => ("ureq@3", ""),
    };
    let mut lines = vec![
        format!("// cargo add {packages}\nuse std::env::var;{json}\n"),
        "fn main() -> Result<(), Box<dyn std::error::Error>> {".to_owned(),
    ];
    if let Some(body) = &call.body {
        lines.push(format!("    let body = json!({});", write(body, &JSON, 1)));
    }
    if call.file {
        lines.push(format!("    let body = std::fs::read({})?;", var(FILE)));
    }
    lines.push(format!("    let url = {};", format_of(&call.url)));
    let function = call.method.to_ascii_lowercase();
    lines.push(format!("    let mut response = ureq::{function}(url)"));
    for (name, value) in &call.headers {
        lines.push(format!("        .header({name:?}, {})", format_of(value)));
    }
    let send = match (&call.body, call.method) {
        (Some(_), _) => "        .send(body.to_string())?;",
        (None, _) if call.file => "        .send(&body)?;",
        (None, "GET" | "DELETE") => "        .call()?;",
        (None, _) => "        .send_empty()?;",
    };
    lines.push(send.to_owned());
    lines.push("    let answer = response.body_mut().read_to_string()?;".to_owned());
    lines.push("    println!(\"{} {answer}\", response.status().as_u16());".to_owned());
    lines.push("    Ok(())\n}\n".to_owned());
    lines.join("\n")
}

fn format_of(text: &[Part]) -> String {
    match text {
        [Part::Literal(text)] => return format!("{text:?}"),
        [Part::Variable(name)] => return var(name),
        _ => {}
    }
    let (mut pattern, mut values) = (String::new(), String::new());
    for part in text {
        match part {
            Part::Literal(text) => pattern += text,
            Part::Variable(name) => {
                pattern += "{}";
                values += ", ";
                values += &var(name);
            }
        }
    }
    format!("format!(\"{pattern}\"{values})")
}

fn var(name: &str) -> String {
    format!("var(\"{name}\")?")
}
