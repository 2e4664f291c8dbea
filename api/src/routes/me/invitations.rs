//! `GET /v1/me/invitations`: what the person behind a token is invited to, by whichever organization.

use std::str::FromStr;

use actix_web::{HttpRequest, HttpResponse};
use adapters::store::OwnInvitation;
use domain::InvitationId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::auth::Auth;
use crate::problem::{ApiError, FieldError};
use crate::state::State;

const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 100;

/// Lists your own invitations.
///
/// What the person is invited to that the token speaks for, by every organization; open invitations
/// only, newest first. For a product that shows them in its own pages. To accept one takes the link in
/// its mail: that proves the address. An API key belongs to one organization and shows nothing of others.
#[utoipa::path(
    get,
    path = "/v1/me/invitations",
    operation_id = "list_own_invitations",
    tag = "Account",
    security(("bearer" = [])),
    params(Query),
    responses((status = 200, description = "A page of invitations.", body = List)),
    extensions(("x-problems" = json!(["bad_request", "token_required", "validation_failed"]))),
)]
pub async fn list(
    auth: Auth,
    state: State,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let person = auth.person()?;
    let (before, limit) = parse(request.query_string())?;
    // Somebody whom only the issuer knows is invited nowhere.
    let mut data = match person {
        None => Vec::new(),
        Some(person) => {
            // One more than asked for tells whether there is a next page.
            let rows = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
            state.store.invitations_of(person, before, rows).await?
        }
    };
    let more = data.len() > limit;
    data.truncate(limit);
    let next_cursor = data.last().filter(|_| more).map(|last| last.id.to_string());
    Ok(HttpResponse::Ok().json(List { data, next_cursor }))
}

/// A page of the caller's own invitations.
#[derive(Serialize, ToSchema)]
#[schema(as = OwnInvitationList)]
struct List {
    /// At most as many as asked for.
    data: Vec<OwnInvitation>,
    /// The `cursor` of the next page; null on the last one.
    #[schema(example = json!(null))]
    next_cursor: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Query {
    /// How many to show; 50 without it.
    #[param(value_type = Option<u8>, nullable = false, minimum = 1, maximum = 100, default = 50)]
    limit: Option<String>,
    /// The `next_cursor` of the page before.
    #[param(value_type = Option<Uuid>, nullable = false)]
    cursor: Option<String>,
}

fn parse(query: &str) -> Result<(Option<InvitationId>, usize), ApiError> {
    let query: Query = serde_urlencoded::from_str(query).map_err(|_| {
        ApiError::BadRequest("The query may have limit and cursor, each once.".to_owned())
    })?;
    let limit = query.limit.map_or(Some(DEFAULT_LIMIT), |text| {
        text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit))
    });
    let before = query.cursor.map(|text| InvitationId::from_str(&text)).transpose();
    match (limit, before) {
        (Some(limit), Ok(before)) => Ok((before, limit)),
        (limit, before) => {
            let limit_wrong = format!("must be a number from 1 to {MAX_LIMIT}");
            let errors = [
                limit.is_none().then(|| FieldError::new("limit", limit_wrong)),
                before
                    .err()
                    .map(|_| FieldError::new("cursor", "must be a next_cursor of this list")),
            ];
            Err(ApiError::Invalid(errors.into_iter().flatten().collect()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_limit_and_cursor() {
        let id = "01937a5c-8f5e-7c52-9d0b-6f6d2f0c5a11";
        let (before, limit) = parse(&format!("limit=7&cursor={id}")).unwrap();
        assert_eq!((before.unwrap().to_string().as_str(), limit), (id, 7));
        assert_eq!(parse("").unwrap(), (None, 50));
        let Err(ApiError::Invalid(errors)) = parse("limit=0&cursor=x") else { panic!() };
        assert_eq!(errors.len(), 2);
        assert!(matches!(parse("status=pending"), Err(ApiError::BadRequest(_))));
    }
}
