//! A program for Go that needs nothing but its standard library.

use super::literal::{Style, json_string, write};
use super::{Call, FILE, Part};

const MAP: Style = Style {
    open: ["map[string]any{", "[]any{"],
    close: ["}", "}"],
    words: ["false", "true", "nil"],
    indent: "\t",
    string: json_string,
    variable: getenv,
    last_comma: true,
};
/// Prints the answer's status and body, and fails unless it is a good one.
pub fn sample(call: &Call) -> String {
    let mut lines = Lines(vec!["package main\n\nimport (".to_owned()]);
    if call.body.is_some() {
        lines.add("\t\"bytes\"\n\t\"encoding/json\"");
    }
    if call.file {
        lines.add("\t\"bytes\"");
    }
    lines.add("\t\"fmt\"\n\t\"io\"\n\t\"log\"\n\t\"net/http\"\n\t\"os\"\n)\n\nfunc main() {");
    let mut body = "nil";
    if let Some(value) = &call.body {
        lines.add_fallible(format!("\tbody, err := json.Marshal({})", write(value, &MAP, 1)));
        body = "bytes.NewReader(body)";
    }
    if call.file {
        lines.add_fallible(format!("\tbody, err := os.ReadFile({})", getenv(FILE)));
        body = "bytes.NewReader(body)";
    }
    lines.add(format!("\turl := {}", sum(&call.url)));
    let method = call.method;
    lines.add_fallible(format!("\trequest, err := http.NewRequest(\"{method}\", url, {body})"));
    for (name, value) in &call.headers {
        lines.add(format!("\trequest.Header.Set(\"{name}\", {})", sum(value)));
    }
    lines.add_fallible("\tresponse, err := http.DefaultClient.Do(request)");
    lines.add("\tdefer response.Body.Close()");
    lines.add_fallible("\tanswer, err := io.ReadAll(response.Body)");
    lines.add("\tfmt.Println(response.StatusCode, string(answer))");
    lines.add("\tif response.StatusCode >= 400 {\n\t\tos.Exit(1)\n\t}\n}\n");
    lines.0.join("\n")
}

struct Lines(Vec<String>);

impl Lines {
    fn add(&mut self, lines: impl Into<String>) {
        self.0.push(lines.into());
    }

    fn add_fallible(&mut self, line: impl Into<String>) {
        self.add(line);
        self.add("\tif err != nil {\n\t\tlog.Fatal(err)\n\t}");
    }
}

fn sum(text: &[Part]) -> String {
    let pieces = text.iter().map(|part| match part {
        Part::Literal(text) => json_string(text),
        Part::Variable(name) => getenv(name),
    });
    pieces.collect::<Vec<_>>().join(" + ")
}

fn getenv(name: &str) -> String {
    format!("os.Getenv(\"{name}\")")
}
