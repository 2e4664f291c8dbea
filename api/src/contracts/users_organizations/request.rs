//! What this contract takes, validated as zod would: every problem at once, in field order, with
//! JavaScript's idea of numbers (`1.0` is an integer) and of duplicate keys (the last one counts).

use std::collections::HashSet;
use std::fmt::Display;

use adapters::store::{MemberView, NewInvitation, OrganizationRef};
use domain::{EmailAddress, Permissions, Position};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::address;
use super::error::Refusal;
use crate::contracts::invite;
use crate::json;
use crate::state::AppState;

const MAX_EMAIL: usize = 250;
const MAX_IDS: usize = 1000;
/// JavaScript's `Number.MAX_SAFE_INTEGER`.
pub const MAX_SAFE: i64 = 9_007_199_254_740_991;

// Only the document takes it from here: the body is read field by field, for all problems at once.
/// Whom to invite, and as what.
#[derive(ToSchema)]
#[schema(as = UsersOrganizationsInvite, rename_all = "camelCase")]
#[expect(dead_code, reason = "only the document reads it")]
pub struct Request {
    /// Whom to invite.
    #[schema(
        max_length = 250,
        pattern = r"^(?!\.)(?!.*\.\.)([A-Za-z0-9_'+\-\.]*)[A-Za-z0-9_+-]@([A-Za-z0-9][A-Za-z0-9\-]*\.)+[A-Za-z]{2,}$",
        example = "test@mail.com"
    )]
    email: String,
    /// The person's role in the organization: your own number, 1 or 2.
    #[schema(minimum = 1, maximum = 2, example = 1)]
    scope: i32,
    /// What the person will be allowed to do.
    permissions: Granted,
    /// Your own number of the profession.
    #[schema(
        required = false, nullable = false,
        minimum = -9_007_199_254_740_991_i64, maximum = 9_007_199_254_740_991_i64,
        example = 1
    )]
    profession_id: Option<i64>,
}

/// Permissions by your own numbers. Duplicates are dropped.
#[derive(ToSchema)]
#[schema(as = UsersOrganizationsPermissions)]
#[expect(dead_code, reason = "only the document reads it")]
struct Granted {
    /// A group of permissions; 0 is none.
    #[schema(
        required = false, default = 0,
        minimum = -9_007_199_254_740_991_i64, maximum = 9_007_199_254_740_991_i64,
        example = 0
    )]
    group: i64,
    /// What the person may change.
    #[schema(required = false, default = json!([]), max_items = 1000, example = json!([1, 2]))]
    manage: Vec<i64>,
    /// What the person may read.
    #[schema(required = false, default = json!([]), max_items = 1000, example = json!([1, 2]))]
    read: Vec<i64>,
}

/// The body's fields.
#[derive(Debug)]
pub struct Wanted {
    email: EmailAddress,
    scope: i32,
    permissions: Permissions,
    profession_id: Option<i64>,
}

impl Wanted {
    /// Whether `acting` may give that much: nobody gives what they are known to lack.
    pub fn may_be_given_by(&self, acting: &MemberView) -> bool {
        acting.position.permissions.as_ref().is_none_or(|own| own.cover(&self.permissions))
    }

    /// The invitation that is meant.
    pub fn invitation(self, state: &AppState, organization: &OrganizationRef) -> NewInvitation {
        NewInvitation {
            position: Position {
                scope: Some(self.scope),
                permissions: Some(self.permissions),
                profession_id: self.profession_id,
                ..Position::default()
            },
            ..invite::usual(self.email, organization.roles.default.clone(), state)
        }
    }
}

/// Reads the body.
pub fn validate(text: &str) -> Result<Wanted, Refusal> {
    let fields = match serde_json::from_str(text) {
        Ok(Value::Object(fields)) => fields,
        Ok(_) => return Err(Refusal::Invalid(vec!["The body must be a JSON object.".to_owned()])),
        Err(error) => return Err(json::malformed(&error).into()),
    };
    let mut reader = Reader::default();
    let email = reader.email(fields.get("email"));
    let scope = reader.scope(fields.get("scope"));
    let permissions = reader.permissions(fields.get("permissions"));
    let profession_id = reader.integer("professionId", fields.get("professionId"));
    match (email, scope, permissions) {
        (Some(email), Some(scope), Some(permissions)) if reader.problems.is_empty() => {
            Ok(Wanted { email, scope, permissions, profession_id })
        }
        _ => Err(Refusal::Invalid(reader.problems)),
    }
}

/// Collects what is wrong while it reads one field after the other.
#[derive(Default)]
struct Reader {
    problems: Vec<String>,
}

impl Reader {
    fn email(&mut self, given: Option<&Value>) -> Option<EmailAddress> {
        let text = match given {
            None => return self.wrong("email", "is required"),
            Some(Value::String(text)) => text,
            Some(_) => return self.wrong("email", "must be a string"),
        };
        let fits = address::fits_the_pattern(text);
        // JavaScript counts in UTF-16.
        if text.encode_utf16().count() > MAX_EMAIL {
            self.note("email", format!("must have at most {MAX_EMAIL} characters"));
        }
        if !fits {
            return self.wrong("email", "must be an e-mail address such as test@mail.com");
        }
        match EmailAddress::parse(text) {
            Ok(email) => Some(email),
            Err(error) => self.wrong("email", error),
        }
    }

    fn scope(&mut self, given: Option<&Value>) -> Option<i32> {
        let Some(given) = given else { return self.wrong("scope", "is required") };
        match integer(given) {
            Ok(1) => Some(1),
            Ok(2) => Some(2),
            _ => self.wrong("scope", "must be 1 or 2"),
        }
    }

    fn permissions(&mut self, given: Option<&Value>) -> Option<Permissions> {
        let fields: &Map<String, Value> = match given {
            None => return self.wrong("permissions", "is required"),
            Some(Value::Object(fields)) => fields,
            Some(_) => return self.wrong("permissions", "must be an object"),
        };
        let group = self.integer("permissions.group", fields.get("group")).unwrap_or_default();
        let manage = self.ids("permissions.manage", fields.get("manage"));
        let read = self.ids("permissions.read", fields.get("read"));
        Some(Permissions { group, read, manage })
    }

    /// One that may be left out.
    fn integer(&mut self, field: &str, given: Option<&Value>) -> Option<i64> {
        match integer(given?) {
            Ok(number) => Some(number),
            Err(problem) => self.wrong(field, problem),
        }
    }

    /// Each once, in the order given.
    fn ids(&mut self, field: &str, given: Option<&Value>) -> Vec<i64> {
        let items = match given {
            None => return Vec::new(),
            Some(Value::Array(items)) if items.len() <= MAX_IDS => items,
            Some(Value::Array(_)) => {
                self.note(field, format!("must have at most {MAX_IDS} items"));
                return Vec::new();
            }
            Some(_) => {
                self.note(field, "must be an array");
                return Vec::new();
            }
        };
        let mut seen = HashSet::with_capacity(items.len());
        let mut ids = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            match integer(item) {
                Ok(id) if seen.insert(id) => ids.push(id),
                Ok(_) => {}
                Err(problem) => self.note(&format!("{field}[{index}]"), problem),
            }
        }
        ids
    }

    fn note(&mut self, field: &str, problem: impl Display) {
        self.problems.push(format!("{field}: {problem}"));
    }

    fn wrong<T>(&mut self, field: &str, problem: impl Display) -> Option<T> {
        self.note(field, problem);
        None
    }
}

/// An integer that JavaScript can tell from its neighbours, however it is written.
fn integer(value: &Value) -> Result<i64, String> {
    let Value::Number(number) = value else { return Err("must be an integer".to_owned()) };
    let found = match (number.as_i64(), number.as_f64()) {
        (Some(exact), _) => Some(exact),
        (None, Some(float)) if float.fract() != 0.0 => return Err("must be an integer".to_owned()),
        (None, float) => float.and_then(exact),
    };
    found
        .filter(|found| (-MAX_SAFE..=MAX_SAFE).contains(found))
        .ok_or_else(|| format!("must be between -{MAX_SAFE} and {MAX_SAFE}"))
}

/// A float without a fraction; `None` if it is too large to be told from its neighbours.
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "in range")]
fn exact(float: f64) -> Option<i64> {
    (float.abs() <= MAX_SAFE as f64).then_some(float as i64)
}
