//! A module for Node.js 18 or newer, with the fetch that browsers have.

use super::literal::{Style, json_string, write};
use super::{Call, FILE, Part, variables};

const OBJECT: Style = Style {
    open: ["{", "["],
    close: ["}", "]"],
    words: ["false", "true", "null"],
    indent: "  ",
    string: json_string,
    variable: str::to_owned,
    last_comma: true,
};

/// Prints the answer's status and body, and fails unless it is a good one.
pub fn sample(call: &Call) -> String {
    let mut options = Vec::new();
    if call.method != "GET" {
        options.push(format!("  method: \"{}\",\n", call.method));
    }
    if !call.headers.is_empty() {
        let line = |(name, value)| format!("    \"{name}\": {},\n", template(value));
        let lines: String = call.headers.iter().map(|(n, v)| line((n, v))).collect();
        options.push(format!("  headers: {{\n{lines}  }},\n"));
    }
    if let Some(body) = &call.body {
        options.push(format!("  body: JSON.stringify({}),\n", write(body, &OBJECT, 1)));
    }
    if call.file {
        options.push(format!("  body: await readFile({FILE}),\n"));
    }
    let import = if call.file { "import { readFile } from \"node:fs/promises\";\n\n" } else { "" };
    let options =
        if options.is_empty() { String::new() } else { format!(", {{\n{}}}", options.concat()) };
    format!(
        "// Node.js 18 or newer; save as sample.mjs.\n\
         {import}const {{ {} }} = process.env;\n\n\
         const response = await fetch({}{options});\n\
         console.log(response.status, await response.text());\n\
         if (!response.ok) process.exitCode = 1;\n",
        variables(call).join(", "),
        template(&call.url),
    )
}

fn template(text: &[Part]) -> String {
    if let [Part::Variable(name)] = text {
        return name.clone();
    }
    if let [Part::Literal(text)] = text {
        return json_string(text);
    }
    let pieces = text.iter().map(|part| match part {
        Part::Literal(text) => text.clone(),
        Part::Variable(name) => format!("${{{name}}}"),
    });
    format!("`{}`", pieces.collect::<String>())
}
