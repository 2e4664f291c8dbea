//! A program for Python 3 that needs nothing but its standard library.

use super::literal::{Style, json_string, write};
use super::{Call, FILE, Part};

const DICT: Style = Style {
    open: ["{", "["],
    close: ["}", "]"],
    words: ["False", "True", "None"],
    indent: "    ",
    string: json_string,
    variable: |name| format!("env[\"{name}\"]"),
    last_comma: true,
};

/// Prints the answer's status and body; `urlopen` raises unless it is a good one.
pub fn sample(call: &Call) -> String {
    let mut arguments = vec![template(&call.url), format!("method=\"{}\"", call.method)];
    if !call.headers.is_empty() {
        let line = |(name, value): &(String, Vec<Part>)| {
            format!("        \"{name}\": {},\n", template(value))
        };
        let lines: String = call.headers.iter().map(line).collect();
        arguments.push(format!("headers={{\n{lines}    }}"));
    }
    if let Some(body) = &call.body {
        arguments.push(format!("data=json.dumps({}).encode()", write(body, &DICT, 1)));
    }
    if call.file {
        arguments.push(format!("data=open(env[\"{FILE}\"], \"rb\").read()"));
    }
    let json = if call.body.is_some() { "import json\n" } else { "" };
    format!(
        "{json}import urllib.request\n\
         from os import environ as env\n\n\
         request = urllib.request.Request(\n    {},\n)\n\
         with urllib.request.urlopen(request) as response:\n    \
             print(response.status, response.read().decode())\n",
        arguments.join(",\n    "),
    )
}

fn template(text: &[Part]) -> String {
    if let [Part::Literal(text)] = text {
        return json_string(text);
    }
    let pieces = text.iter().map(|part| match part {
        Part::Literal(text) => text.clone(),
        Part::Variable(name) => format!("{{env['{name}']}}"),
    });
    format!("f\"{}\"", pieces.collect::<String>())
}
