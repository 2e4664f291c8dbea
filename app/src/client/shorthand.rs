//! Restish shorthand: an object written on the command line, such as `email: a@b.co, age: 5`.
//!
//! A subset of <https://github.com/danielgtaylor/shorthand>, and a superset of JSON objects. Keys
//! may be paths (`a.b: 1`, `a{b: 1}`, `tags[]: new`); what is neither quoted nor a JSON literal is
//! text. Files (`@name`), comments, indexes and patches beyond appending are not supported.

#[cfg(test)]
mod tests;

use serde_json::{Map, Number, Value};

/// Deeper than any request body, far from the end of the stack.
const MAX_DEPTH: usize = 32;
/// More than a command line usually carries, in bytes.
const MAX_LENGTH: usize = 64 * 1024;

/// Why a text is no shorthand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the arguments are not valid shorthand at character {at}: {problem}")]
pub struct ShorthandError {
    at: usize,
    problem: String,
}

/// Applies `text` to `body`: what it sets replaces what is there, `[]` appends.
pub fn apply(text: &str, body: &mut Value) -> Result<(), ShorthandError> {
    let mut reader = Reader { text, at: 0, depth: 0 };
    if text.len() > MAX_LENGTH {
        return Err(reader.wrong(format!("only {MAX_LENGTH} bytes are read")));
    }
    reader.skip_blank();
    let end = reader.take('{').then_some('}');
    reader.fields(body, end)?;
    reader.skip_blank();
    if reader.rest().is_empty() { Ok(()) } else { Err(reader.wrong("nothing may follow here")) }
}

struct Reader<'a> {
    text: &'a str,
    /// In bytes.
    at: usize,
    /// How many objects and lists are around this place.
    depth: usize,
}

/// One step from a value to a value inside it.
enum Step {
    Key(String),
    Append,
}

impl Reader<'_> {
    /// Reads fields into `object`, up to and with `end` or to the end of the text.
    fn fields(&mut self, object: &mut Value, end: Option<char>) -> Result<(), ShorthandError> {
        while !self.ends(end)? {
            let path = self.path()?;
            let depth = path.len();
            self.enter(depth)?;
            if self.take('{') {
                self.fields(place(object, &path), Some('}'))?;
            } else if self.take(':') {
                let value = self.value(end.is_some())?;
                *place(object, &path) = value;
            } else {
                return Err(self.wrong("a key must be followed by a colon and a value"));
            }
            self.depth -= depth;
            self.separator(end)?;
        }
        if !object.is_object() {
            *object = Value::Object(Map::new());
        }
        Ok(())
    }

    fn list(&mut self) -> Result<Value, ShorthandError> {
        let mut list = Vec::new();
        while !self.ends(Some(']'))? {
            list.push(self.value(true)?);
            self.separator(Some(']'))?;
        }
        Ok(Value::Array(list))
    }

    fn path(&mut self) -> Result<Vec<Step>, ShorthandError> {
        let mut path = vec![Step::Key(self.key()?)];
        loop {
            if self.take('.') {
                path.push(Step::Key(self.key()?));
            } else if self.take('[') {
                if !self.take(']') {
                    return Err(self.wrong("after a key only [] (append) is supported"));
                }
                path.push(Step::Append);
            } else {
                self.skip_space();
                return Ok(path);
            }
        }
    }

    fn key(&mut self) -> Result<String, ShorthandError> {
        if self.peek() == Some('"') {
            return self.quoted();
        }
        let key = self.until(|c| matches!(c, '.' | ':' | '[' | ']' | '{' | '}' | ',' | '\n' | '"'));
        if key.is_empty() { Err(self.wrong("a key is missing")) } else { Ok(key) }
    }

    fn value(&mut self, nested: bool) -> Result<Value, ShorthandError> {
        self.enter(1)?;
        self.skip_blank();
        let value = match self.peek() {
            Some('{') => {
                self.at += 1;
                let mut object = Value::Null;
                self.fields(&mut object, Some('}'))?;
                object
            }
            Some('[') => {
                self.at += 1;
                self.list()?
            }
            Some('"') => Value::String(self.quoted()?),
            Some('@') => {
                return Err(self.wrong("files (@name) are not supported; quote a text with @"));
            }
            _ => {
                let ends = |c| matches!(c, ',' | '\n') || (nested && matches!(c, '}' | ']'));
                let text = self.until(ends);
                if text.is_empty() {
                    return Err(self.wrong("a value is missing; an empty text is written \"\""));
                }
                literal(text)
            }
        };
        self.depth -= 1;
        Ok(value)
    }

    /// A text in the quotes and with the escapes of JSON.
    fn quoted(&mut self) -> Result<String, ShorthandError> {
        let mut escaped = true; // The opening quote.
        for (offset, c) in self.rest().char_indices() {
            if c == '"' && !escaped {
                let end = self.at + offset + 1;
                let text = serde_json::from_str(&self.text[self.at..end]).map_err(|_| {
                    self.wrong(
                        "the quoted text has a line break or an escape that JSON does not know",
                    )
                });
                self.at = end;
                return text;
            }
            escaped = c == '\\' && !escaped;
        }
        Err(self.wrong("the closing quote is missing"))
    }

    /// Whether the object or list ends here; passes its closing bracket.
    fn ends(&mut self, end: Option<char>) -> Result<bool, ShorthandError> {
        self.skip_blank();
        match end {
            Some(end) if self.rest().is_empty() => Err(self.wrong(format!("{end} is missing"))),
            Some(end) => Ok(self.take(end)),
            None => Ok(self.rest().is_empty()),
        }
    }

    /// A comma, a line break, or the end.
    fn separator(&mut self, end: Option<char>) -> Result<(), ShorthandError> {
        let start = self.at;
        self.skip_blank();
        let parted = self.take(',') || self.text[start..self.at].contains('\n');
        let next = self.peek();
        if parted || next.is_none() || next == end {
            return Ok(());
        }
        Err(self.wrong("a comma must stand between values"))
    }

    fn enter(&mut self, levels: usize) -> Result<(), ShorthandError> {
        self.depth += levels;
        if self.depth > MAX_DEPTH {
            return Err(self.wrong(format!("values may be nested {MAX_DEPTH} levels deep")));
        }
        Ok(())
    }

    /// Reads on to the first character that `ends` it, without blanks at the end.
    fn until(&mut self, ends: impl Fn(char) -> bool) -> String {
        self.skip_space();
        let rest = self.rest();
        let text = &rest[..rest.find(ends).unwrap_or(rest.len())];
        let (length, text) = (text.len(), text.trim().to_owned());
        self.at += length;
        text
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\r']).len();
    }

    fn skip_blank(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn wrong(&self, problem: impl Into<String>) -> ShorthandError {
        let at = self.text[..self.at].chars().count() + 1;
        ShorthandError { at, problem: problem.into() }
    }
}

/// The place that `path` leads to; what is in its way is replaced.
fn place<'v>(value: &'v mut Value, path: &[Step]) -> &'v mut Value {
    path.iter().fold(value, |value, step| match step {
        Step::Key(key) => {
            if !value.is_object() {
                *value = Value::Object(Map::new());
            }
            &mut value[key.as_str()]
        }
        Step::Append => {
            let mut list = value.as_array_mut().map(std::mem::take).unwrap_or_default();
            list.push(Value::Null);
            let end = list.len() - 1;
            *value = Value::Array(list);
            &mut value[end]
        }
    })
}

/// What an unquoted text means.
fn literal(text: String) -> Value {
    match text.as_str() {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        "null" => Value::Null,
        _ => match serde_json::from_str::<Number>(&text) {
            // serde_json rounds fractions in the last digit.
            Ok(number) if number.is_f64() => text.parse::<f64>().map_or(Value::Null, Value::from),
            Ok(number) => Value::Number(number),
            Err(_) => Value::String(text),
        },
    }
}
