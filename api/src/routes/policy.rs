//! `/v1/organizations/{id}/policy`: what an organization allows of its invitations.

use actix_web::HttpResponse;
use actix_web::web::{self, Path, ServiceConfig};
use domain::OrganizationPolicy;
use domain::policy::DomainRule;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{get, resource};
use crate::auth::Auth;
use crate::json::JsonBody;
use crate::openapi::params::OrganizationPath;
use crate::problem::{ApiError, FieldError};
use crate::state::State;

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    config.service(
        resource("/organizations/{organization}/policy", "GET, HEAD, PUT")
            .route(get().to(read))
            .route(web::put().to(replace)),
    );
}

/// What is to be allowed from now on; a field that is left out limits nothing.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = NewPolicy)]
#[serde(default, deny_unknown_fields)]
struct Fields {
    /// The only domains whose addresses can be invited; empty: all. `example.com` is that domain alone,
    /// `*.example.com` all below it.
    #[schema(max_items = 500, example = json!([]))]
    allowed_domains: Vec<String>,
    /// Domains whose addresses cannot be invited, each with all below it. They count more than the allowed
    /// ones.
    #[schema(max_items = 500, example = json!(["mail.example.net"]))]
    denied_domains: Vec<String>,
    /// Whether addresses that are meant to be thrown away are refused.
    #[schema(example = true)]
    refuse_disposable: bool,
    /// Whether addresses of a task, such as `postmaster@` or `noreply@`, are refused.
    #[schema(example = true)]
    refuse_role_addresses: bool,
    /// How many members and pending invitations there can be, both together; null: any number.
    #[schema(minimum = 1, maximum = 10_000_000, example = 50_000)]
    seat_limit: Option<u32>,
    /// After how many days an invitation that nobody has answered is mailed about again; empty: never.
    #[schema(max_items = 5, example = json!([3, 7]))]
    reminders: Vec<u16>,
}

/// Shows what an organization allows.
#[utoipa::path(
    get,
    path = "/v1/organizations/{organization}/policy",
    operation_id = "get_policy",
    tag = "Organizations",
    security(("bearer" = [])),
    params(OrganizationPath),
    responses((status = 200, description = "The policy.", body = OrganizationPolicy)),
    extensions(("x-problems" = json!(["forbidden", "not_found"]))),
)]
pub async fn read(auth: Auth, state: State, id: Path<String>) -> Result<HttpResponse, ApiError> {
    let id = auth.organization(&state.store, &id).await?.id;
    auth.require_admin()?;
    let policy = state.store.policy(id).await?.ok_or(ApiError::NotFound)?;
    Ok(HttpResponse::Ok().json(policy))
}

/// Replaces what an organization allows.
///
/// It holds for whoever is invited from now on, by any API; who is invited already can still accept.
#[utoipa::path(
    put,
    path = "/v1/organizations/{organization}/policy",
    operation_id = "replace_policy",
    tag = "Organizations",
    security(("bearer" = [])),
    params(OrganizationPath),
    request_body = Fields,
    responses((status = 200, description = "The policy.", body = OrganizationPolicy)),
    extensions(("x-problems" = json!(["forbidden", "not_found"]))),
)]
pub async fn replace(
    auth: Auth,
    state: State,
    id: Path<String>,
    body: JsonBody,
) -> Result<HttpResponse, ApiError> {
    let id = auth.organization(&state.store, &id).await?.id;
    auth.require_admin()?;
    let policy = validate(body.read::<Fields>().await?.value)?;
    if !state.store.set_policy(id, auth.actor(), policy.clone()).await? {
        return Err(ApiError::NotFound);
    }
    Ok(HttpResponse::Ok().json(policy))
}

fn validate(fields: Fields) -> Result<OrganizationPolicy, ApiError> {
    let mut errors = Vec::new();
    let allowed_domains = domains("allowed_domains", &fields.allowed_domains, &mut errors);
    let denied_domains = domains("denied_domains", &fields.denied_domains, &mut errors);
    for (at, rule) in denied_domains.iter().enumerate() {
        if !rule.is_exact() {
            let message = "must be a domain; all below it is denied as well";
            errors.push(FieldError::new(format!("denied_domains[{at}]"), message));
        }
    }
    if fields.seat_limit.is_some_and(|seats| !(1..=OrganizationPolicy::MOST_SEATS).contains(&seats))
    {
        errors.push(FieldError::new("seat_limit", "must be null or 1 to 10000000"));
    }
    let days = &fields.reminders;
    let in_order = days.windows(2).all(|pair| pair[0] < pair[1]);
    let fit = days.iter().all(|day| (1..=OrganizationPolicy::LAST_REMINDER).contains(day));
    if days.len() > OrganizationPolicy::MOST_REMINDERS || !in_order || !fit {
        let message = "must be at most 5 numbers of days from 1 to 365, each greater than the last";
        errors.push(FieldError::new("reminders", message));
    }
    if !errors.is_empty() {
        return Err(ApiError::Invalid(errors));
    }
    Ok(OrganizationPolicy {
        allowed_domains,
        denied_domains,
        refuse_disposable: fields.refuse_disposable,
        refuse_role_addresses: fields.refuse_role_addresses,
        seat_limit: fields.seat_limit,
        reminders: fields.reminders,
    })
}

fn domains(field: &str, given: &[String], errors: &mut Vec<FieldError>) -> Vec<DomainRule> {
    if given.len() > OrganizationPolicy::MOST_DOMAINS {
        errors.push(FieldError::new(field, "may have at most 500 domains"));
        return Vec::new();
    }
    let parse = |(at, text): (usize, &String)| {
        DomainRule::parse(text)
            .map_err(|error| errors.push(FieldError::new(format!("{field}[{at}]"), error)))
            .ok()
    };
    given.iter().enumerate().filter_map(parse).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn wrong(fields: Value) -> Vec<String> {
        match validate(serde_json::from_value(fields).unwrap()) {
            Err(ApiError::Invalid(errors)) => errors.into_iter().map(|error| error.field).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn all_that_is_wrong_is_named_at_once() {
        let all = json!({
            "allowed_domains": ["example.com", "com"], "denied_domains": ["*.example.com"],
            "seat_limit": 0, "reminders": [3, 3],
        });
        let named = ["allowed_domains[1]", "denied_domains[0]", "seat_limit", "reminders"];
        assert_eq!(wrong(all), named);
        for days in [json!([0]), json!([366]), json!([7, 3]), json!([1, 2, 3, 4, 5, 6])] {
            assert_eq!(wrong(json!({ "reminders": days })), ["reminders"]);
        }
        assert_eq!(validate(Fields::default()).unwrap(), OrganizationPolicy::default());
    }
}
