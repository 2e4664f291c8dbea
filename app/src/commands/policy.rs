//! `welcomat policy`: what an organization allows of its invitations.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::client::table::{Column, Shape};
use crate::client::{ClientError, ClientOptions, Scope, Session};

const EXAMPLES: &str = "\
Examples:
  welcomat policy get
  welcomat policy set --allow example.com,*.example.com --seats 50
  welcomat policy set --remind 3,7 --refuse-disposable";
const GET_EXAMPLES: &str = "\
Examples:
  welcomat policy get --output json";
const SET_EXAMPLES: &str = "\
Examples:
  welcomat policy set --allow example.com,*.example.com --deny guests.example.com
  welcomat policy set --seats 50 --remind 3,7 --refuse-disposable
  welcomat policy set --allow= --seats 0 --remind=            No limits, no reminders any more";

const ONE: Shape = Shape {
    id: "/seat_limit",
    columns: &[
        Column::text("ALLOWED DOMAINS", "/allowed_domains"),
        Column::text("DENIED DOMAINS", "/denied_domains"),
        Column::text("REFUSE DISPOSABLE", "/refuse_disposable"),
        Column::text("REFUSE ROLE ADDRESSES", "/refuse_role_addresses"),
        Column::text("SEATS", "/seat_limit"),
        Column::text("REMINDERS", "/reminders"),
    ],
};

/// Arguments of the family.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct Policy {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    options: ClientOptions,
}

#[derive(Debug, Clone, Subcommand)]
enum Action {
    /// Show what is allowed.
    #[command(after_help = GET_EXAMPLES)]
    Get,
    /// Change what is allowed; what is not given stays as it is.
    #[command(after_help = SET_EXAMPLES)]
    Set(Change),
}

#[derive(Debug, Clone, Args)]
struct Change {
    /// The only domains to invite from, parted by commas; *.example.com is all below it; empty: all.
    #[arg(long, value_name = "DOMAIN", value_delimiter = ',')]
    allow: Option<Vec<String>>,
    /// Domains not to invite from, each with all below it; empty: none.
    #[arg(long, value_name = "DOMAIN", value_delimiter = ',')]
    deny: Option<Vec<String>>,
    /// Refuse addresses that are meant to be thrown away.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    refuse_disposable: Option<bool>,
    /// Refuse addresses of a task, such as postmaster@ or noreply@.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    refuse_role_addresses: Option<bool>,
    /// How many members and pending invitations there can be; 0: any number.
    #[arg(long, value_name = "COUNT")]
    seats: Option<u32>,
    /// After how many days to remind of an invitation, parted by commas; empty: never.
    #[arg(long, value_name = "DAYS", value_delimiter = ',')]
    remind: Option<Vec<String>>,
}

impl Change {
    fn apply(&self, policy: &mut Value) -> Result<(), ClientError> {
        let given = |list: &[String]| -> Vec<String> {
            list.iter().filter(|text| !text.trim().is_empty()).cloned().collect()
        };
        if let Some(domains) = &self.allow {
            policy["allowed_domains"] = given(domains).into();
        }
        if let Some(domains) = &self.deny {
            policy["denied_domains"] = given(domains).into();
        }
        if let Some(refuse) = self.refuse_disposable {
            policy["refuse_disposable"] = refuse.into();
        }
        if let Some(refuse) = self.refuse_role_addresses {
            policy["refuse_role_addresses"] = refuse.into();
        }
        if let Some(seats) = self.seats {
            policy["seat_limit"] = json!((seats > 0).then_some(seats));
        }
        if let Some(days) = &self.remind {
            let days: Result<Vec<u16>, _> =
                given(days).iter().map(|day| day.trim().parse()).collect();
            let wrong =
                |_| ClientError::Usage("--remind takes numbers of days, as in 3,7".to_owned());
            policy["reminders"] = days.map_err(wrong)?.into();
        }
        Ok(())
    }
}

/// Runs one of the family.
pub fn run(command: &Policy) -> Result<(), ClientError> {
    let session = Session::open(&command.options)?;
    let organization = session.organization(command.scope.organization.as_deref())?;
    let path = ["v1", "organizations", &organization, "policy"];
    let mut policy = session.api.get(&path, &[])?.body;
    if let Action::Set(change) = &command.action {
        change.apply(&mut policy)?;
        policy = session.api.put(&path, &policy)?.body;
    }
    session.output.object(&policy, &ONE)
}
