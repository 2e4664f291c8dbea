//! What this contract takes: the page's six fields, each of them checked.

use adapters::store::{NewInvitation, OrganizationRef};
use domain::{EmailAddress, Name, Position};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::error::Refusal;
use crate::contracts::invite;
use crate::problem::{ApiError, FieldError};
use crate::state::AppState;

/// A user to be invited.
#[derive(ToSchema)]
#[schema(as = DoitInvite)]
#[expect(dead_code, reason = "only the document reads it; every field is read by hand")]
pub struct Request {
    /// Whom to invite.
    #[schema(format = "email", example = "ann@example.com")]
    email: String,
    /// For the greeting.
    #[schema(min_length = 1, example = "Ann")]
    #[serde(rename = "firstName")]
    first_name: Option<String>,
    /// For the address line.
    #[schema(min_length = 1, example = "Lee")]
    #[serde(rename = "lastName")]
    last_name: Option<String>,
    /// What the person does.
    #[serde(rename = "jobTitle")]
    job_title: Option<JobTitle>,
    /// One of the organization's roles; its default role without it.
    #[schema(example = "member")]
    #[serde(rename = "roleId")]
    role_id: Option<String>,
    /// The key's own organization without it.
    #[schema(value_type = Option<Uuid>, example = "01937a5c-1b2a-7b1e-8a55-0c1f3a9d7e42")]
    #[serde(rename = "organizationId")]
    organization_id: Option<String>,
}

/// What a user does: one of these eight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = DoitJobTitle)]
pub enum JobTitle {
    /// Data.
    #[serde(rename = "Data Engineer / Data Analysts")]
    Data,
    /// Executives.
    #[serde(rename = "Executive Team")]
    Executive,
    /// Finance.
    #[serde(rename = "Finance / Accounting")]
    Finance,
    /// A founder.
    Founder,
    /// Legal.
    #[serde(rename = "Legal / Purchasing")]
    Legal,
    /// Management.
    Management,
    /// Sales.
    #[serde(rename = "Sales / Marketing")]
    Sales,
    /// Engineering.
    #[serde(rename = "Software / Ops Engineer")]
    Engineer,
}

/// The body's fields.
#[derive(Debug)]
pub struct Wanted {
    email: EmailAddress,
    first_name: Option<Name>,
    last_name: Option<Name>,
    job_title: Option<JobTitle>,
    role_id: Option<String>,
    pub organization_id: Option<String>,
}

impl Wanted {
    /// The invitation that is meant.
    pub fn invitation(
        self,
        state: &AppState,
        organization: &OrganizationRef,
    ) -> Result<NewInvitation, Refusal> {
        let role = organization.roles.choose(self.role_id.as_deref());
        let role = role.map_err(|error| Refusal::Invalid(format!("roleId {error}")))?;
        let job_title = self.job_title.and_then(|title| serde_json::to_value(title).ok());
        Ok(NewInvitation {
            first_name: self.first_name,
            last_name: self.last_name,
            position: Position {
                job_title: job_title.as_ref().and_then(Value::as_str).map(str::to_owned),
                ..Position::default()
            },
            ..invite::usual(self.email, role, state)
        })
    }
}

/// Reads the body; what is wrong with it is told all at once.
pub fn read(text: &str) -> Result<Wanted, Refusal> {
    let Ok(body) = serde_json::from_str::<Value>(text) else {
        return Err(Refusal::Invalid("The body is not valid JSON".to_owned()));
    };
    let Value::Object(fields) = body else {
        return Err(Refusal::Invalid("The body must be a JSON object".to_owned()));
    };
    let mut reader = Reader { fields: &fields, errors: Vec::new() };
    if !fields.contains_key("email") {
        reader.errors.push(FieldError::new("email", "is required"));
    }
    let email = reader.parsed("email", EmailAddress::parse);
    let first_name = reader.parsed("firstName", Name::parse);
    let last_name = reader.parsed("lastName", Name::parse);
    let job_title = reader.job_title();
    let role_id = reader.text("roleId").map(str::to_owned);
    let organization_id = reader.text("organizationId").map(str::to_owned);
    match email {
        Some(email) if reader.errors.is_empty() => {
            Ok(Wanted { email, first_name, last_name, job_title, role_id, organization_id })
        }
        _ => Err(ApiError::Invalid(reader.errors).into()),
    }
}

/// Collects what is wrong while it reads one field after the other.
struct Reader<'a> {
    fields: &'a Map<String, Value>,
    errors: Vec<FieldError>,
}

impl<'a> Reader<'a> {
    fn text(&mut self, field: &str) -> Option<&'a str> {
        let given = self.fields.get(field)?;
        if given.is_null() && field != "email" {
            // As good as left out: many languages write a field that is not set so.
            return None;
        }
        if given.as_str().is_none() {
            self.errors.push(FieldError::new(field, "must be a string"));
        }
        given.as_str()
    }

    fn parsed<T, E: std::fmt::Display>(
        &mut self,
        field: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        match parse(self.text(field)?) {
            Ok(value) => Some(value),
            Err(error) => {
                self.errors.push(FieldError::new(field, error));
                None
            }
        }
    }

    fn job_title(&mut self) -> Option<JobTitle> {
        self.parsed("jobTitle", |text| {
            serde_json::from_value(text.into()).map_err(|_| {
                "must be one of Data Engineer / Data Analysts, Executive Team, Finance / \
                 Accounting, Founder, Legal / Purchasing, Management, Sales / Marketing, Software \
                 / Ops Engineer"
            })
        })
    }
}
