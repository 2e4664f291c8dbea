//! What this contract takes: a list of addresses, all of them right.

use std::collections::HashMap;

use domain::EmailAddress;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::error::{Code, Detail, Problems, Refusal};
use super::password::{self, Refused};
use crate::json;
use crate::problem::ApiError;

/// People to be invited.
// Read entry by entry, for all problems at once.
#[derive(ToSchema)]
#[schema(as = GoldleafInvite, rename_all = "camelCase")]
#[expect(dead_code, reason = "only the document reads it")]
pub struct Request {
    /// Whom to invite; an address that is there twice is invited once.
    #[schema(min_items = 1)]
    email_addresses: Vec<Entry>,
}

/// One of those to invite.
#[derive(ToSchema)]
#[schema(as = GoldleafAddress)]
#[expect(dead_code, reason = "only the document reads it")]
struct Entry {
    /// The address.
    #[schema(example = "ann@example.com")]
    email: String,
    /// The first password of somebody who has none yet: with an upper-case and a lower-case letter,
    /// a digit and a special character. The mail then has the link only.
    #[schema(min_length = 8, max_length = 128, example = "Correct-Horse-7")]
    password: Option<String>,
}

/// A list that is right.
pub struct Batch {
    /// One for each entry of the request.
    pub rows: Vec<Row>,
    /// Each address once.
    pub people: Vec<Person>,
}

/// An entry of the request.
pub struct Row {
    /// The address as it was given.
    pub email: String,
    /// Who of [`Batch::people`] that is.
    pub person: usize,
}

/// Somebody to invite.
pub struct Person {
    /// The address as it was given first.
    pub email: EmailAddress,
    /// The password that was given for it, if any was.
    pub password: Option<Zeroizing<String>>,
}

const EXAMPLE: &str = "Send {\"emailAddresses\": [{\"email\": \"ann@example.com\"}]}.";
/// No address is longer (RFC 5321 §4.5.3.1.3); what is may be anything.
const MAX_SHOWN: usize = 254;

/// Reads the body: either every entry of it is right, or all that is wrong is told.
pub fn validate(text: &str, max_addresses: usize) -> Result<Batch, Refusal> {
    let entries = entries(text, max_addresses)?;
    let mut reader = Reader::default();
    for (index, entry) in entries.into_iter().enumerate() {
        reader.read(index, entry);
    }
    if reader.problems.is_empty() {
        Ok(Batch { rows: reader.rows, people: reader.people })
    } else {
        Err(Refusal::Invalid(reader.problems))
    }
}

/// The list, of the right length.
fn entries(text: &str, max_addresses: usize) -> Result<Vec<Value>, ApiError> {
    let refuse = |why: &str| Err(ApiError::BadRequest(format!("{why} {EXAMPLE}")));
    let mut fields = match serde_json::from_str(text) {
        Ok(Value::Object(fields)) => fields,
        Ok(_) => return refuse("The body must be a JSON object."),
        Err(_) if text.is_empty() => return refuse("The body is empty."),
        Err(error) => return Err(json::malformed(&error)),
    };
    match fields.remove("emailAddresses") {
        Some(Value::Array(entries)) if entries.is_empty() => {
            refuse("emailAddresses is empty; name at least one address.")
        }
        Some(Value::Array(entries)) if entries.len() > max_addresses => {
            Err(ApiError::BadRequest(format!(
                "emailAddresses has {} entries, and a request may have at most {max_addresses}. \
                 Send several requests.",
                entries.len()
            )))
        }
        Some(Value::Array(entries)) => Ok(entries),
        Some(_) => refuse("emailAddresses must be a list of objects."),
        None if is_schema(&fields) => {
            refuse("The body is the JSON schema of a request, and has no emailAddresses itself.")
        }
        None => refuse("emailAddresses is missing."),
    }
}

/// The page's code samples send the schema of the body in place of a body.
fn is_schema(fields: &Map<String, Value>) -> bool {
    let kind = fields.get("type").and_then(Value::as_str);
    kind == Some("object") && fields.get("properties").is_some_and(Value::is_object)
}

/// Collects people and problems while it reads one entry after the other.
#[derive(Default)]
struct Reader {
    rows: Vec<Row>,
    people: Vec<Person>,
    /// Where in `people` a normalized address is.
    known: HashMap<String, usize>,
    problems: Problems,
}

/// What stands in a field; null is as good as nothing.
enum Field {
    Absent,
    /// Wiped after use: it may be a password.
    Text(Zeroizing<String>),
    Other,
}

impl From<Option<Value>> for Field {
    fn from(value: Option<Value>) -> Self {
        match value {
            None | Some(Value::Null) => Self::Absent,
            Some(Value::String(text)) => Self::Text(Zeroizing::new(text)),
            Some(_) => Self::Other,
        }
    }
}

impl Reader {
    fn read(&mut self, index: usize, entry: Value) {
        let Value::Object(mut fields) = entry else {
            let message = "The entry must be an object with the field email.";
            return self.wrong(index, None, Code::NotAnObject, message);
        };
        let password = Field::from(fields.remove("password"));
        let email = Field::from(fields.remove("email"));
        let shown = match &email {
            Field::Text(text) if text.chars().count() <= MAX_SHOWN => Some(text.to_string()),
            _ => None,
        };
        let email = email_of(&email);
        let password = password_of(password);
        match (email, password) {
            (Ok(email), Ok(password)) => self.add(index, shown, email, password),
            (email, password) => {
                for (code, message) in [email.err(), password.err()].into_iter().flatten() {
                    self.wrong(index, shown.clone(), code, message);
                }
            }
        }
    }

    /// One person for one address: the first spelling of it counts, and the one password that there
    /// is.
    fn add(
        &mut self,
        index: usize,
        shown: Option<String>,
        email: EmailAddress,
        password: Option<Zeroizing<String>>,
    ) {
        let given = email.as_given().to_owned();
        let next = self.people.len();
        let person = *self.known.entry(email.normalized()).or_insert(next);
        match self.people.get_mut(person) {
            None => self.people.push(Person { email, password }),
            Some(Person { password: known @ None, .. }) => *known = password,
            Some(Person { password: Some(known), .. }) => {
                if password.is_some_and(|password| password != *known) {
                    let message = "The same address is there before with another password.";
                    self.wrong(index, shown, Code::ConflictingPassword, message);
                }
            }
        }
        self.rows.push(Row { email: given, person });
    }

    fn wrong(
        &mut self,
        index: usize,
        email: Option<String>,
        code: Code,
        message: impl Into<String>,
    ) {
        self.problems.add(Detail { index, email, code, message: message.into() });
    }
}

fn email_of(given: &Field) -> Result<EmailAddress, (Code, String)> {
    match given {
        Field::Absent => Err((Code::MissingEmail, "The entry must have an email.".to_owned())),
        Field::Other => Err((Code::WrongType, "email must be a text.".to_owned())),
        Field::Text(text) => EmailAddress::parse(text)
            .map_err(|error| (Code::InvalidEmail, format!("The address {error}."))),
    }
}

fn password_of(given: Field) -> Result<Option<Zeroizing<String>>, (Code, String)> {
    match given {
        Field::Absent => Ok(None),
        Field::Other => Err((Code::WrongType, "password must be a text.".to_owned())),
        Field::Text(text) => match password::check(&text) {
            Ok(()) => Ok(Some(text)),
            Err(refused) => {
                let code = match refused {
                    Refused::Weak(_) => Code::WeakPassword,
                    Refused::TooLong => Code::PasswordTooLong,
                };
                Err((code, format!("The password {refused}.")))
            }
        },
    }
}
