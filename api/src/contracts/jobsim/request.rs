//! What this contract takes, validated as Pydantic would: every error at once, in field order.

use adapters::store::{NewInvitation, OrganizationRef};
use domain::{EmailAddress, Name, Position};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::error::{Detail, Refusal};
use crate::contracts::invite;
use crate::problem::ApiError;
use crate::state::AppState;

const MAX_TEXT: usize = 200;

/// A member to be invited.
// Read field by field, for Pydantic's errors.
#[derive(ToSchema)]
#[schema(as = JobsimInvite)]
#[expect(dead_code, reason = "only the document reads it")]
pub struct Request {
    /// At least one visible character.
    #[schema(min_length = 1, example = "Ann")]
    first_name: String,
    /// At least one visible character.
    #[schema(min_length = 1, example = "Lee")]
    last_name: String,
    /// Whom to invite.
    #[schema(min_length = 3, example = "ann@example.com")]
    email: String,
    /// What the person does.
    #[schema(example = "Accountant")]
    job_title: Option<String>,
    /// Where.
    #[schema(example = "Finance")]
    department: Option<String>,
    /// Your own word for how far the person gets.
    #[schema(example = "basic")]
    access_level: Option<String>,
    /// Kept for you; a text or number that means yes or no will do.
    #[schema(required = false, default = true, example = true)]
    auto_assign_default_workdays: bool,
}

/// The body's fields.
#[derive(Debug)]
pub struct Wanted {
    first_name: Name,
    last_name: Name,
    email: EmailAddress,
    position: Position,
}

impl Wanted {
    /// The invitation that is meant.
    pub fn invitation(self, state: &AppState, organization: &OrganizationRef) -> NewInvitation {
        NewInvitation {
            first_name: Some(self.first_name),
            last_name: Some(self.last_name),
            position: self.position,
            ..invite::usual(self.email, organization.roles.default.clone(), state)
        }
    }
}

/// The body as it came. One of another type is not refused as such but has no fields.
pub fn text(read: Result<String, ApiError>) -> Result<String, Refusal> {
    match read {
        Err(ApiError::UnsupportedMediaType(_)) => {
            Err(Refusal::Invalid(vec![not_an_object(Value::Null)]))
        }
        read => Ok(read?),
    }
}

/// Reads the body.
pub fn validate(text: &str) -> Result<Wanted, Refusal> {
    let fields = match parse(text) {
        Ok(Value::Object(fields)) => fields,
        Ok(Value::Null) => return Err(Refusal::Invalid(vec![missing(&["body"], Value::Null)])),
        Ok(other) => return Err(Refusal::Invalid(vec![not_an_object(other)])),
        Err(error) => return Err(Refusal::Invalid(vec![malformed(text, &error)])),
    };
    let mut reader = Reader { fields: &fields, details: Vec::new() };
    let first_name = reader.name("first_name");
    let last_name = reader.name("last_name");
    let email = reader.email();
    let position = Position {
        job_title: reader.optional_text("job_title"),
        department: reader.optional_text("department"),
        access_level: reader.optional_text("access_level"),
        auto_assign_default_workdays: reader.flag("auto_assign_default_workdays"),
        ..Position::default()
    };
    match (first_name, last_name, email) {
        (Some(first_name), Some(last_name), Some(email)) if reader.details.is_empty() => {
            Ok(Wanted { first_name, last_name, email, position })
        }
        _ => Err(Refusal::Invalid(reader.details)),
    }
}

/// Collects what is wrong while it reads one field after the other.
struct Reader<'a> {
    fields: &'a Map<String, Value>,
    details: Vec<Detail>,
}

impl Reader<'_> {
    fn required(&mut self, field: &str, min_length: usize) -> Option<String> {
        match self.fields.get(field) {
            None => {
                // Pydantic shows the whole body here; what else is in it is nobody's business.
                self.details.push(missing(&["body", field], json!({})));
                None
            }
            Some(Value::String(text)) if text.trim().chars().count() < min_length => {
                let plural = if min_length == 1 { "" } else { "s" };
                self.wrong(
                    field,
                    "string_too_short",
                    format!("String should have at least {min_length} character{plural}"),
                    Some(json!({ "min_length": min_length })),
                );
                None
            }
            Some(Value::String(text)) => Some(text.clone()),
            Some(_) => {
                self.wrong(field, "string_type", "Input should be a valid string", None);
                None
            }
        }
    }

    fn name(&mut self, field: &str) -> Option<Name> {
        let text = self.required(field, 1)?;
        match Name::parse(&text) {
            Ok(name) => Some(name),
            Err(error) => self.worthless(field, &error.to_string()),
        }
    }

    fn email(&mut self) -> Option<EmailAddress> {
        let text = self.required("email", 3)?;
        match EmailAddress::parse(&text) {
            Ok(email) => Some(email),
            Err(error) => self.worthless("email", &error.to_string()),
        }
    }

    fn optional_text(&mut self, field: &str) -> Option<String> {
        match self.fields.get(field) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) if text.chars().any(char::is_control) => {
                self.worthless(field, "has a line break or another control character")
            }
            Some(Value::String(text)) if text.chars().count() > MAX_TEXT => {
                self.wrong(
                    field,
                    "string_too_long",
                    format!("String should have at most {MAX_TEXT} characters"),
                    Some(json!({ "max_length": MAX_TEXT })),
                );
                None
            }
            Some(Value::String(text)) => Some(text.clone()),
            Some(_) => {
                self.wrong(field, "string_type", "Input should be a valid string", None);
                None
            }
        }
    }

    /// Pydantic's lax booleans; true if there is none.
    fn flag(&mut self, field: &str) -> Option<bool> {
        let given = match self.fields.get(field) {
            None => return Some(true),
            Some(Value::Bool(flag)) => return Some(*flag),
            Some(Value::String(text)) => word(text),
            Some(Value::Number(number)) => number.as_f64().and_then(digit),
            Some(_) => {
                self.wrong(field, "bool_type", "Input should be a valid boolean", None);
                return None;
            }
        };
        if given.is_none() {
            let msg = "Input should be a valid boolean, unable to interpret input";
            self.wrong(field, "bool_parsing", msg, None);
        }
        given
    }

    /// A value of the right type that will not do.
    fn worthless<T>(&mut self, field: &str, error: &str) -> Option<T> {
        let ctx = json!({ "error": error });
        self.wrong(field, "value_error", format!("Value error, {error}"), Some(ctx));
        None
    }

    fn wrong(
        &mut self,
        field: &str,
        r#type: &'static str,
        msg: impl Into<String>,
        ctx: Option<Value>,
    ) {
        let input = self.fields.get(field).cloned().unwrap_or_default();
        let loc = vec!["body".into(), field.into()];
        self.details.push(Detail { r#type, loc, msg: msg.into(), input, ctx });
    }
}

fn parse(text: &str) -> serde_json::Result<Value> {
    // No body at all is a body that is null.
    if text.is_empty() { Ok(Value::Null) } else { serde_json::from_str(text) }
}

fn malformed(text: &str, error: &serde_json::Error) -> Detail {
    Detail {
        r#type: "json_invalid",
        loc: vec!["body".into(), position(text, error).into()],
        msg: "JSON decode error".to_owned(),
        input: json!({}),
        ctx: Some(json!({ "error": reason(error) })),
    }
}

/// Characters before the place where the text stops being JSON.
fn position(text: &str, error: &serde_json::Error) -> usize {
    let lines = text.split_inclusive('\n').take(error.line().saturating_sub(1));
    lines.map(|line| line.chars().count()).sum::<usize>() + error.column().saturating_sub(1)
}

/// The parser's words without its place, which `loc` has.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(reason, _)| reason.to_owned())
}

fn missing(loc: &[&str], input: Value) -> Detail {
    Detail {
        r#type: "missing",
        loc: loc.iter().map(|&part| part.into()).collect(),
        msg: "Field required".to_owned(),
        input,
        ctx: None,
    }
}

fn not_an_object(input: Value) -> Detail {
    Detail {
        r#type: "model_attributes_type",
        loc: vec!["body".into()],
        msg: "Input should be a valid dictionary or object to extract fields from".to_owned(),
        input,
        ctx: None,
    }
}

fn word(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "t" | "yes" | "y" | "on" => Some(true),
        "0" | "false" | "f" | "no" | "n" | "off" => Some(false),
        _ => None,
    }
}

#[expect(clippy::float_cmp, reason = "only exactly these two numbers are booleans")]
fn digit(number: f64) -> Option<bool> {
    if number == 1.0 {
        Some(true)
    } else if number == 0.0 {
        Some(false)
    } else {
        None
    }
}
