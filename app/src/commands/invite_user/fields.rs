//! The body of an invitation: six fields, from standard input, shorthand and flags.

use clap::Args;
use clap::builder::PossibleValuesParser;
use serde_json::Value;

use crate::client::{ClientError, shorthand};

/// What a job title may be, word for word.
pub const JOB_TITLES: [&str; 8] = [
    "Data Engineer / Data Analysts",
    "Executive Team",
    "Finance / Accounting",
    "Founder",
    "Legal / Purchasing",
    "Management",
    "Sales / Marketing",
    "Software / Ops Engineer",
];
const NAMES: [&str; 6] = ["email", "firstName", "lastName", "jobTitle", "roleId", "organizationId"];
/// Below this, two names have little in common (Jaro similarity, 0 to 1), as clap has it.
const SIMILAR: f64 = 0.7;

/// The fields as flags.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Fields")]
pub struct Fields {
    /// Whom to invite.
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// The first name.
    #[arg(long, value_name = "NAME")]
    first_name: Option<String>,
    /// The last name.
    #[arg(long, value_name = "NAME")]
    last_name: Option<String>,
    /// The job function.
    #[arg(long, value_name = "TITLE", value_parser = PossibleValuesParser::new(JOB_TITLES))]
    job_title: Option<String>,
    /// The role in the organization; without it the organization's default role.
    #[arg(long, value_name = "ID")]
    role_id: Option<String>,
    /// The organization; without it the key's own.
    #[arg(long, value_name = "ID")]
    organization_id: Option<String>,
}

/// Puts a body together: shorthand changes what standard input says, flags have the last word.
pub fn body(mut body: Value, arguments: &[String], flags: &Fields) -> Result<Value, ClientError> {
    let text = arguments.join(" ");
    shorthand::apply(&text, &mut body).map_err(|error| ClientError::Usage(error.to_string()))?;
    let flags = [
        &flags.email,
        &flags.first_name,
        &flags.last_name,
        &flags.job_title,
        &flags.role_id,
        &flags.organization_id,
    ];
    for (name, given) in NAMES.into_iter().zip(flags) {
        if let Some(given) = given {
            body[name] = Value::from(given.as_str());
        }
    }
    check(&body).map_err(ClientError::Usage)?;
    Ok(body)
}

fn check(body: &Value) -> Result<(), String> {
    for (name, value) in body.as_object().into_iter().flatten() {
        if !NAMES.contains(&name.as_str()) {
            return Err(unknown("field", name, &NAMES));
        }
        if !value.is_string() {
            return Err(format!("{name} must be text; quote it, as in '{name}: \"{value}\"'"));
        }
    }
    if body.get("email").is_none() {
        return Err(
            "email is missing; give it as in `welcomat invite-user email: ann@example.com`"
                .to_owned(),
        );
    }
    match body.get("jobTitle").and_then(Value::as_str) {
        Some(title) if !JOB_TITLES.contains(&title) => Err(unknown("jobTitle", title, &JOB_TITLES)),
        _ => Ok(()),
    }
}

fn unknown(what: &str, given: &str, known: &[&str]) -> String {
    let similarity = |name: &str| strsim::jaro(&given.to_lowercase(), &name.to_lowercase());
    let nearest = known.iter().max_by(|a, b| similarity(a).total_cmp(&similarity(b)));
    let meant = nearest
        .filter(|name| similarity(name) > SIMILAR)
        .map_or(".".to_owned(), |name| format!("; did you mean {name:?}?"));
    format!("there is no {what} {given:?}{meant} Known are: {}", known.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_unknown_name_is_refused_with_the_one_that_was_meant() {
        for (given, meant) in [
            ("first_name", "did you mean \"firstName\"?"),
            ("mail", "did you mean \"email\"?"),
            ("organisationId", "did you mean \"organizationId\"?"),
            ("zzz", "there is no field \"zzz\". Known are: email,"),
        ] {
            let problem = check(&json!({ "email": "a@b.co", given: "x" })).unwrap_err();
            assert!(problem.contains(meant), "{problem}");
        }
    }
}
