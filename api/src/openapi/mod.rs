//! The OpenAPI document, made from the handlers' own annotations.
//!
//! A handler says what is its own with `#[utoipa::path]`; the modifiers here add what follows from
//! the rest of the code: `problems` the errors, `examples` the bodies.

mod examples;
pub mod params;
mod problems;
#[cfg(test)]
mod tests;

use utoipa::openapi::path::{HttpMethod, Operation, PathItem};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Components, OpenApi as Document, Server};
use utoipa::{Modify, OpenApi};

use self::examples::Examples;
use self::problems::Problems;
use crate::contracts::{doit, jobsim};
use crate::problem::Problem;
use crate::routes::{
    api_keys, dead_letters, health, inbox, invitations, me, members, organizations,
};

/// Paths, tags and schemas appear in this order.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Welcomat",
        description = "Invites people into organizations and knows whether the mail arrived.\n\n\
            An invitation is recorded and answered at once; its mail follows by itself. Where it \
            stands is in `delivery.status`, and `email_sent` is true once the SMTP server has \
            taken it. Errors are problem details (RFC 9457) whose `code` does not change.",
    ),
    paths(
        invitations::create::create,
        invitations::list::list,
        invitations::get::get,
        invitations::resend::resend,
        invitations::revoke::revoke,
        invitations::revoke::revoke_by_post,
        invitations::accept::accept,
        invitations::decline::decline,
        me::me,
        organizations::create,
        organizations::list,
        organizations::read,
        organizations::change,
        members::list,
        members::remove,
        api_keys::create,
        api_keys::list,
        api_keys::revoke,
        dead_letters::list,
        dead_letters::redrive,
        dead_letters::discard,
        jobsim::handle,
        doit::handle,
        inbox::list,
        inbox::raw,
        health::live,
        health::ready,
    ),
    components(schemas(Problem<'_>)),
    tags(
        (name = "Invitations", description = "Inviting people and following what becomes of it."),
        (name = "Acceptance", description = "The invitee's side. It needs no key: the secret from the mail is enough."),
        (name = "Account", description = "Who you are here."),
        (name = "Organizations", description = "The organizations of this instance."),
        (name = "Members", description = "Who belongs to an organization, or is invited to."),
        (name = "API keys", description = "The keys of your organization."),
        (name = "Dead letters", description = "Broker messages that nobody could process."),
        (name = "Contracts", description = "Public invite APIs that are served as drop-in: errors and bodies are theirs."),
        (name = "Inbox", description = "Mail that is captured instead of sent, for trying things out."),
        (name = "Health", description = "For balancers and operators."),
    ),
    modifiers(&Bearer, &Problems, &Examples),
)]
struct Api;

/// The document as JSON, for an API that is reached under `public_path`, which ends with a slash.
pub fn json(public_path: &str) -> Result<String, serde_json::Error> {
    let mut document = Api::openapi();
    document.servers = Some(vec![Server::new(public_path)]);
    document.to_pretty_json()
}

/// How callers say who they are.
struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut Document) {
        let mut bearer = Http::new(HttpAuthScheme::Bearer);
        bearer.description = Some(
            "An API key, which begins with `wlc_`, or a JWT of an issuer that the operator trusts."
                .to_owned(),
        );
        let components = document.components.get_or_insert_with(Components::new);
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    }
}

/// The operations of a path.
fn operations(item: &mut PathItem) -> impl Iterator<Item = (HttpMethod, &mut Operation)> {
    [
        (HttpMethod::Get, item.get.as_mut()),
        (HttpMethod::Post, item.post.as_mut()),
        (HttpMethod::Put, item.put.as_mut()),
        (HttpMethod::Patch, item.patch.as_mut()),
        (HttpMethod::Delete, item.delete.as_mut()),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation?)))
}
