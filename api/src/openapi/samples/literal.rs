//! A JSON value as an expression of a language.

use serde_json::Value;

use super::own_field;

/// How a language writes values.
pub struct Style {
    /// Stands before the fields of an object and the items of an array.
    pub open: [&'static str; 2],
    /// Stands after them.
    pub close: [&'static str; 2],
    /// false, true and null.
    pub words: [&'static str; 3],
    /// One level of indentation.
    pub indent: &'static str,
    /// A string, with its quotes.
    pub string: fn(&str) -> String,
    /// The value of a variable of the environment.
    pub variable: fn(&str) -> String,
    /// Whether the last field or item is followed by a comma.
    pub last_comma: bool,
}

/// A string as JSON writes it, which JavaScript, Python and Go read as well.
pub fn json_string(text: &str) -> String {
    Value::from(text).to_string()
}

/// Writes `value`, whose first line is already indented by `level`.
pub fn write(value: &Value, style: &Style, level: usize) -> String {
    let list = |kind: usize, entries: Vec<String>| {
        let (open, close) = (style.open[kind], style.close[kind]);
        if entries.is_empty() {
            return format!("{open}{close}");
        }
        let inner = style.indent.repeat(level + 1);
        let entries = entries.join(&format!(",\n{inner}"));
        let comma = if style.last_comma { "," } else { "" };
        format!("{open}\n{inner}{entries}{comma}\n{}{close}", style.indent.repeat(level))
    };
    match value {
        Value::Null => style.words[2].to_owned(),
        Value::Bool(truth) => style.words[usize::from(*truth)].to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => (style.string)(text),
        Value::Array(items) => {
            list(1, items.iter().map(|item| write(item, style, level + 1)).collect())
        }
        Value::Object(fields) => {
            let field = |(name, value): (&String, &Value)| {
                let value = match own_field(name) {
                    Some(variable) => (style.variable)(variable),
                    None => write(value, style, level + 1),
                };
                format!("{}: {value}", (style.string)(name))
            };
            list(0, fields.iter().map(field).collect())
        }
    }
}
