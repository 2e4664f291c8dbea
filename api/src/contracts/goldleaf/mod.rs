//! `POST /organization/users/invite`: many addresses at once, each with a password if need be.
//!
//! All or nothing: every entry is checked before anybody is invited. A given password is stored as
//! an Argon2id hash and goes nowhere else; the mail then has the link only.

mod document;
mod error;
mod password;
mod refused;
pub mod request;
mod response;

use std::time::Duration;

use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, middleware::from_fn};
use adapters::store::{BatchOutcome, IdempotencyKey, NewInvitation, OnExisting, OrganizationRef};
use domain::{CredentialPolicy, DeliveryStatus, InvitationId, OrganizationId};
use zeroize::Zeroizing;

pub use document::*;
pub use error::{Invalid, Sentence, answer};
pub use response::Response;

use self::error::Refusal;
use self::request::{Batch, Person, Row};
use self::response::{Outcome, Status};
use super::{headers, invite};
use crate::auth::{self, Auth};
use crate::json::RawBody;
use crate::prefer::Preference;
use crate::problem::ApiError;
use crate::routes::resource;
use crate::state::{AppState, State};
use crate::{deadline, idempotency};

/// Where it is served: as the page's heading has it, and as its code samples do.
pub const PATHS: [&str; 2] = ["/organization/users/invite", "/api/v1/organization/users/invite"];
/// Both are one: a request may be repeated at either.
const ROUTE: &str = "POST /organization/users/invite";
/// Enough for the longest address and password, and for what is around them.
const BYTES_PER_ADDRESS: usize = 512;
/// What a request may take beyond the usual, many times what it needs on an idle machine.
const TIME_PER_ADDRESS: Duration = Duration::from_millis(20);
/// The same for each password: an Argon2id hash keeps a core busy, and others want theirs.
const TIME_PER_PASSWORD: Duration = Duration::from_millis(200);

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(
            resource(PATHS[0], "POST")
                .route(web::post().to(invite_users))
                .wrap(from_fn(auth::authenticate)),
        )
        .service(
            resource(PATHS[1], "POST")
                .route(web::post().to(invite_users_below_api))
                .wrap(from_fn(auth::authenticate)),
        );
}

async fn handle(
    auth: Auth,
    state: State,
    request: HttpRequest,
    body: RawBody,
) -> Result<HttpResponse, Refusal> {
    auth.require_admin()?;
    let organization = auth.0.organization.as_ref().ok_or(Refusal::NoOrganization)?;
    let max_addresses = state.contracts.goldleaf.max_addresses;
    let limit = state.body_limit.max(max_addresses.saturating_mul(BYTES_PER_ADDRESS));
    let text = Zeroizing::new(body.read_up_to(limit).await?);
    let Batch { rows, people } = request::validate(&text, max_addresses)?;
    deadline::put_off(&request, time_for(&people));
    let (headers, hasher) = (request.headers(), &state.hasher);
    let key = idempotency::key_of_passwords(headers, ROUTE, organization.id, text, hasher).await?;
    let (outcomes, replayed) =
        invite_all(&state, &auth, organization, (&rows, people), key).await?;
    let preference = Preference::of(headers);
    let mailed = invitations(&outcomes, |status| status == Status::Invited);
    let mail = least_advanced(&state, organization.id, mailed, preference).await;
    let all = invitations(&outcomes, |_| true);
    let only = if let [only] = all[..] { Some(only) } else { None };
    let mut response = HttpResponse::Ok();
    let mail = mail.map_or(headers::SKIPPED, headers::word);
    headers::tell(&mut response, only, mail, replayed, preference);
    Ok(response.json(response::body(&rows, &outcomes)))
}

/// Bounded by the number of addresses that a request may have.
fn time_for(people: &[Person]) -> Duration {
    let with_password = people.iter().filter(|person| person.password.is_some()).count();
    let times = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let addresses = TIME_PER_ADDRESS.saturating_mul(times(people.len()));
    addresses.saturating_add(TIME_PER_PASSWORD.saturating_mul(times(with_password)))
}

/// What became of each person, and whether it did so at an earlier request.
async fn invite_all(
    state: &AppState,
    auth: &Auth,
    organization: &OrganizationRef,
    (rows, people): (&[Row], Vec<Person>),
    key: Option<IdempotencyKey>,
) -> Result<(Vec<Outcome>, bool), Refusal> {
    let earlier = match &key {
        // A client that gave up waiting for the hashes gets its answer without waiting again.
        Some(key) => {
            let earlier = state.store.earlier_batch(organization.id, key.clone()).await;
            earlier.map_err(ApiError::from)?
        }
        None => None,
    };
    let outcome = if let Some(earlier) = earlier {
        earlier
    } else {
        let hashes = password::hash_all(&state.hasher, &people).await?;
        let new = people.into_iter().zip(hashes);
        let new = new.map(|(person, hash)| invitation(state, organization, person, hash)).collect();
        let (store, actor) = (&state.store, auth.actor());
        let created = store.create_invitations(organization, actor, new, key, response::outcomes);
        created.await.map_err(ApiError::from)?
    };
    match outcome {
        BatchOutcome::Done(outcomes) => Ok((outcomes, false)),
        BatchOutcome::Replayed(first) => {
            let outcomes = serde_json::from_str(&first).map_err(|_| ApiError::Internal)?;
            Ok((outcomes, true))
        }
        BatchOutcome::KeyReused => Err(ApiError::IdempotencyKeyReused.into()),
        BatchOutcome::Refused(refused) => Err(refused::refusal(rows, &refused)),
    }
}

fn invitation(
    state: &AppState,
    organization: &OrganizationRef,
    person: Person,
    password_hash: Option<String>,
) -> NewInvitation {
    let usual = invite::usual(person.email, organization.roles.default.clone(), state);
    NewInvitation {
        // Whoever has a password already needs no second one in a mail.
        credential: match password_hash {
            Some(_) => CredentialPolicy::Link,
            None => usual.credential,
        },
        password_hash,
        on_existing: OnExisting::Ignore,
        ..usual
    }
}

fn invitations(outcomes: &[Outcome], of: fn(Status) -> bool) -> Vec<InvitationId> {
    let which = outcomes.iter().filter(|outcome| of(outcome.status));
    which.filter_map(|outcome| outcome.invitation_id).collect()
}

/// How the mail stands that is furthest from its reader: `sent` means that all are. A mail that
/// will not be sent hides those that are, and is hidden by those that still may be.
async fn least_advanced(
    state: &AppState,
    organization: OrganizationId,
    mailed: Vec<InvitationId>,
    preference: Preference,
) -> Option<DeliveryStatus> {
    let statuses = preference.all_settled(&state.store, organization, mailed).await;
    statuses.into_values().min_by_key(|status| match status {
        DeliveryStatus::Queued | DeliveryStatus::Scheduled => 0,
        DeliveryStatus::Sending => 1,
        DeliveryStatus::Retrying | DeliveryStatus::Uncertain => 2,
        DeliveryStatus::Failed | DeliveryStatus::Bounced => 3,
        DeliveryStatus::Suppressed => 4,
        DeliveryStatus::Cancelled => 5,
        DeliveryStatus::Sent | DeliveryStatus::Delivered | DeliveryStatus::Complained => 6,
    })
}
