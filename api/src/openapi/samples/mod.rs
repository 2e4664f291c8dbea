//! Code samples for every operation, made from the document itself: complete programs.
//!
//! Whatever is the reader's own stands in the environment: `WELCOMAT_URL`, `WELCOMAT_API_KEY`, the
//! ids in the path and the secrets in the body. So a test can run exactly what is published.

mod curl;
mod go;
mod javascript;
mod literal;
mod python;
mod rust;

use serde_json::{Value, json};
use utoipa::Modify;
use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::{OpenApi, RefOr, Required};

use super::operations;

/// The body fields that are different for everybody, and the variables that stand for them.
const OWN_FIELDS: [(&str, &str); 3] = [
    ("token", "INVITATION_TOKEN"),
    ("temporary_password", "TEMPORARY_PASSWORD"),
    ("organizationId", "ORGANIZATION_ID"),
];

/// The variable that names a file.
const FILE: &str = "FILE";

/// What is called by programs that have it built in: nobody writes a call.
const NOT_FOR_READERS: &str = "Feedback";

/// Adds `x-codeSamples` to every operation that readers may want to call.
pub struct Samples;

impl Modify for Samples {
    fn modify(&self, document: &mut OpenApi) {
        for (path, item) in &mut document.paths.paths {
            for (method, operation) in operations(item) {
                let tags = operation.tags.as_deref().unwrap_or_default();
                if tags.iter().any(|tag| tag == NOT_FOR_READERS) {
                    continue;
                }
                let samples = samples(&Call::new(method, path, operation));
                let extensions = operation.extensions.get_or_insert_default();
                extensions.insert("x-codeSamples".to_owned(), samples);
            }
        }
    }
}

fn samples(call: &Call) -> Value {
    let all = [
        ("shell", "curl", curl::sample(call)),
        ("javascript", "JavaScript", javascript::sample(call)),
        ("python", "Python", python::sample(call)),
        ("go", "Go", go::sample(call)),
        ("rust", "Rust", rust::sample(call)),
    ];
    let entry = |(lang, label, source): (&str, &str, String)| json!({ "lang": lang, "label": label, "source": source.trim_end() });
    all.into_iter().map(entry).collect()
}

/// A request, as far as it is the same for everybody.
struct Call {
    method: &'static str,
    url: Text,
    headers: Vec<(String, Text)>,
    body: Option<Value>,
    /// The body is that of a file, which the variable [`FILE`] names.
    file: bool,
}

/// Text with variables in it.
type Text = Vec<Part>;

/// A piece of a text.
enum Part {
    Literal(String),
    /// The name of a variable in the environment.
    Variable(String),
}

impl Call {
    fn new(method: &'static str, path: &str, operation: &Operation) -> Self {
        let (body, file) = (body(operation), file(operation));
        let mut headers = Vec::new();
        if operation.security.is_some() {
            let value = vec![literal("Bearer "), variable("WELCOMAT_API_KEY")];
            headers.push(("Authorization".to_owned(), value));
        }
        for parameter in operation.parameters.iter().flatten() {
            if let RefOr::T(parameter) = parameter
                && matches!(parameter.parameter_in, ParameterIn::Header)
                && matches!(parameter.required, Required::True)
            {
                headers.push((parameter.name.clone(), vec![Part::Variable(name(&parameter.name))]));
            }
        }
        if body.is_some() {
            headers.push(("Content-Type".to_owned(), vec![literal("application/json")]));
        }
        if let Some(kind) = file {
            headers.push(("Content-Type".to_owned(), vec![literal(kind)]));
        }
        Self { method, url: url(path), headers, body, file: file.is_some() }
    }
}

/// The first example of the body.
fn body(operation: &Operation) -> Option<Value> {
    let RefOr::T(body) = operation.request_body.as_ref()? else { return None };
    let RefOr::T(content) = body.content.get("application/json")? else { return None };
    let named = content.examples.values().find_map(|example| match example {
        RefOr::T(example) => example.value.clone(),
        RefOr::Ref(_) => None,
    });
    content.example.clone().or(named)
}

/// What kind of file the body is, if it is no JSON.
fn file(operation: &Operation) -> Option<&str> {
    let RefOr::T(body) = operation.request_body.as_ref()? else { return None };
    let mut kinds = body.content.keys().map(String::as_str);
    if kinds.clone().any(|kind| kind == "application/json") { None } else { kinds.next() }
}

fn url(path: &str) -> Text {
    let mut url = vec![variable("WELCOMAT_URL")];
    for (number, piece) in path.split(['{', '}']).enumerate() {
        match number % 2 {
            0 if piece.is_empty() => {}
            0 => url.push(literal(piece)),
            // Words that say what they are.
            _ if piece == "locale" => url.push(literal("de")),
            _ if piece == "version" => url.push(literal("1")),
            _ => url.push(Part::Variable(format!("{}_ID", name(piece).trim_end_matches("_ID")))),
        }
    }
    url
}

/// `dead_letter`, `userId` or `x-session-token` as the name of a variable.
fn name(text: &str) -> String {
    let mut name = String::new();
    for c in text.trim_start_matches("x-").chars() {
        if c.is_ascii_uppercase() && name.ends_with(|last: char| last.is_ascii_uppercase()) {
            name.push('_');
        }
        name.push(if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' });
    }
    name
}

fn literal(text: &str) -> Part {
    Part::Literal(text.to_owned())
}

fn variable(name: &str) -> Part {
    Part::Variable(name.to_owned())
}

/// The names of all variables of a call, each once, in order of appearance.
fn variables(call: &Call) -> Vec<String> {
    let mut names = Vec::new();
    let texts = std::iter::once(&call.url).chain(call.headers.iter().map(|(_, value)| value));
    for part in texts.flatten() {
        if let Part::Variable(name) = part {
            names.push(name.clone());
        }
    }
    let fields = call.body.as_ref().and_then(Value::as_object).into_iter().flatten();
    names.extend(fields.filter_map(|(field, _)| own_field(field)).map(str::to_owned));
    names.extend(call.file.then(|| FILE.to_owned()));
    names
}

/// The variable that stands for a body field, if one does.
fn own_field(field: &str) -> Option<&'static str> {
    OWN_FIELDS.iter().find(|(known, _)| *known == field).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_named_after_what_they_stand_for() {
        for (text, expected) in [
            ("dead_letter", "DEAD_LETTER"),
            ("userId", "USER_ID"),
            ("x-session-token", "SESSION_TOKEN"),
        ] {
            assert_eq!(name(text), expected);
        }
    }
}
