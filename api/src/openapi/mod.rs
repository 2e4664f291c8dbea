//! The OpenAPI document, made from the handlers' own annotations.
//!
//! A handler says what is its own with `#[utoipa::path]`; the modifiers here add what follows from
//! the rest of the code: `problems` the errors, `contracts` the headers of others' shapes, `examples` the bodies, `samples` the code.

mod contracts;
mod examples;
pub mod params;
mod problems;
mod samples;
#[cfg(test)]
mod tests;
pub mod texts;

use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Components, OpenApi as Document, Server};
use utoipa::{Modify, OpenApi};

use self::contracts::Contracts;
use self::examples::Examples;
use self::problems::Problems;
use self::samples::Samples;
use crate::contracts::{doit, goldleaf, jobsim, users_organizations};
use crate::problem::Problem;
use crate::routes::invitations::credential::Either;
use crate::routes::{
    api_keys, batches, branding, dead_letters, events, health, inbox, invitations, me, members,
    metrics, organizations, people, policy, suppressions, templates, webhooks,
};

/// Paths and tags appear in this order.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Welcomat",
        description = "Invites people into organizations and knows whether the mail arrived.\n\n\
            An invitation is recorded and answered at once; its mail follows by itself. Where it \
            stands is in `delivery.status`, and `email_sent` is true once the SMTP server has \
            taken it. Errors are problem details (RFC 9457) whose `code` does not change.\n\n\
            The code samples are complete programs. They read what is your own from the \
            environment: `WELCOMAT_URL` (without a slash at the end), `WELCOMAT_API_KEY`, and the \
            ids and secrets that they name.",
    ),
    paths(
        invitations::create::create,
        invitations::list::list,
        invitations::get::get,
        invitations::extend::extend,
        invitations::address::change,
        invitations::resend::resend,
        invitations::schedule::schedule,
        invitations::revoke::revoke,
        invitations::revoke::revoke_by_post,
        invitations::accept::accept,
        invitations::decline::decline,
        batches::create::create,
        batches::read::list,
        batches::read::get,
        batches::read::rows,
        batches::csv::rows_as_csv,
        batches::steer::retry,
        batches::steer::cancel,
        me::me,
        me::invitations::list,
        organizations::create,
        organizations::list,
        organizations::read,
        organizations::change,
        policy::read,
        policy::replace,
        branding::manage::read,
        branding::manage::replace,
        branding::manage::clear,
        branding::logo::replace,
        branding::logo::remove,
        members::list,
        members::remove,
        suppressions::list,
        suppressions::add,
        suppressions::lift,
        people::export,
        people::erase,
        people::export_everywhere,
        people::erase_everywhere,
        api_keys::create,
        api_keys::list,
        api_keys::revoke,
        webhooks::manage::create,
        webhooks::manage::list,
        webhooks::manage::read,
        webhooks::manage::change,
        webhooks::manage::delete,
        webhooks::secret::rotate,
        webhooks::replay::test,
        webhooks::deliveries::list,
        webhooks::replay::one,
        webhooks::replay::failed,
        templates::manage::list,
        templates::manage::read,
        templates::manage::save,
        templates::manage::delete,
        templates::manage::original,
        templates::versions::list,
        templates::versions::read,
        templates::versions::roll_back,
        templates::preview::preview,
        templates::test_send::send,
        templates::test_send::read,
        templates::manage::retry,
        dead_letters::list,
        dead_letters::redrive,
        dead_letters::discard,
        events::ses::hear,
        events::sendgrid::hear,
        events::postmark::hear,
        events::mailgun::hear,
        events::dsn::hear,
        jobsim::handle,
        users_organizations::handle,
        doit::handle,
        goldleaf::invite_users,
        goldleaf::invite_users_below_api,
        inbox::messages::list,
        inbox::messages::raw,
        health::live,
        health::ready,
        metrics::show,
    ),
    // What paths name themselves is here already; not so what they have in responses of a type.
    components(schemas(
        Problem<'_>,
        goldleaf::Response<'_>,
        goldleaf::Invalid<'_>,
        goldleaf::Sentence,
    )),
    tags(
        (name = "Invitations", description = "Inviting people and following what becomes of it."),
        (name = "Batches", description = "Inviting many at once."),
        (name = "Acceptance", description = "The invitee's side. It needs no key: the secret from the mail is enough."),
        (name = "Account", description = "Who you are here."),
        (name = "Organizations", description = "The organizations of this instance."),
        (name = "Members", description = "Who belongs to an organization, or is invited to."),
        (name = "Suppressions", description = "Addresses that get no mail of an organization."),
        (name = "People", description = "What is held about one person, and forgetting them."),
        (name = "API keys", description = "The keys of your organization."),
        (name = "Webhooks", description = "Endpoints of yours that are told what happens, by Standard Webhooks."),
        (name = "Templates", description = "The mail in your own words, version by version."),
        (name = "Dead letters", description = "Broker messages that nobody could process."),
        (name = "Feedback", description = "What mail providers tell of mails that were sent. They call these; you set them up."),
        (name = "Contracts", description = "Public invite APIs that are served as drop-in: errors and bodies are theirs."),
        (name = "Inbox", description = "Mail that is captured instead of sent, for trying things out."),
        (name = "Health", description = "For balancers and operators."),
    ),
    modifiers(&Titles, &Bearer, &Either, &Problems, &Contracts, &Examples, &Samples),
)]
struct Api;

/// The document as JSON, for an API that is reached under `public_path`, which ends with a slash.
pub fn json(public_path: &str) -> Result<String, serde_json::Error> {
    let mut document = Api::openapi();
    let base = public_path.trim_end_matches('/');
    document.servers = Some(vec![Server::new(if base.is_empty() { "/" } else { base })]);
    document.to_pretty_json()
}

/// Makes titles of the first lines of doc comments, which are sentences.
struct Titles;

impl Modify for Titles {
    fn modify(&self, document: &mut Document) {
        for (_, item) in &mut document.paths.paths {
            for summary in operations(item).filter_map(|(_, operation)| operation.summary.as_mut())
            {
                summary.truncate(summary.trim_end_matches('.').len());
            }
        }
    }
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

/// The operations of a path, with their methods.
fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    [
        ("GET", item.get.as_mut()),
        ("POST", item.post.as_mut()),
        ("PUT", item.put.as_mut()),
        ("PATCH", item.patch.as_mut()),
        ("DELETE", item.delete.as_mut()),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation?)))
}
