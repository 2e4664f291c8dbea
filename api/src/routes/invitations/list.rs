//! `GET /v1/organizations/{id}/invitations`: the organization's invitations, newest first.

use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use adapters::store::{InvitationView, ListFilter};
use domain::{DeliveryStatus, EmailAddress, InvitationId, InvitationStatus, OrganizationId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::auth::Auth;
use crate::openapi::params::OrganizationPath;
use crate::problem::{ApiError, FieldError};
use crate::routes::page::{self, Page};
use crate::state::State;

/// Lists invitations.
///
/// Newest first, a page at a time; `next_cursor` says where the next page begins.
#[utoipa::path(
    get,
    path = "/v1/organizations/{organization}/invitations",
    operation_id = "list_invitations",
    tag = "Invitations",
    security(("bearer" = [])),
    params(OrganizationPath, Query),
    responses((status = 200, description = "A page of invitations.", body = List)),
    extensions(("x-problems" = json!(["bad_request", "not_found", "validation_failed"]))),
)]
pub async fn list(
    auth: Auth,
    state: State,
    request: HttpRequest,
    organization: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let organization = auth.organization(&state.store, &organization).await?.id;
    let (filter, page) = parse(request.query_string())?;
    Ok(HttpResponse::Ok().json(found(&state, organization, &filter, &page).await?))
}

/// A page of invitations, as asked for by what [`parse`] has read.
pub async fn found(
    state: &State,
    organization: OrganizationId,
    filter: &ListFilter,
    page: &Page<InvitationId>,
) -> Result<List, ApiError> {
    let rows = state.store.invitations(organization, filter).await?;
    let (data, next_cursor) = page.cut(rows, |row| row.id);
    Ok(List { data, next_cursor })
}

/// A page of invitations.
#[derive(Serialize, ToSchema)]
#[schema(as = InvitationList)]
pub struct List {
    /// At most as many as asked for.
    pub data: Vec<InvitationView>,
    /// The `cursor` of the next page; null on the last one.
    #[schema(example = json!(null))]
    pub next_cursor: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Query {
    /// Only invitations that stand there.
    #[param(value_type = Option<InvitationStatus>, nullable = false)]
    status: Option<String>,
    /// Only invitations whose newest mail stands there.
    #[param(value_type = Option<DeliveryStatus>, nullable = false)]
    delivery_status: Option<String>,
    /// Only invitations to this address, however it is spelled.
    #[param(nullable = false, format = Email, example = "ann@example.com")]
    email: Option<String>,
    /// How many to show; 50 without it.
    #[param(value_type = Option<u8>, nullable = false, minimum = 1, maximum = 100, default = 50)]
    limit: Option<String>,
    /// The `next_cursor` of the page before.
    #[param(value_type = Option<Uuid>, nullable = false)]
    cursor: Option<String>,
}

/// Reads the query: which invitations, and which page of them.
pub fn parse(query: &str) -> Result<(ListFilter, Page<InvitationId>), ApiError> {
    let query: Query = page::parse(query, "status, delivery_status, email, limit and cursor")?;
    let mut errors = Vec::new();
    let status = read(&mut errors, "status", query.status, |text| {
        InvitationStatus::parse(text)
            .ok_or_else(|| one_of(&InvitationStatus::ALL.map(InvitationStatus::as_str)))
    });
    let delivery_status = read(&mut errors, "delivery_status", query.delivery_status, |text| {
        DeliveryStatus::parse(text)
            .ok_or_else(|| one_of(&DeliveryStatus::ALL.map(DeliveryStatus::as_str)))
    });
    let email = read(&mut errors, "email", query.email, |text| {
        EmailAddress::parse(text).map_err(|error| error.to_string())
    });
    let page = Page::read(query.limit, query.cursor, &mut errors);
    if !errors.is_empty() {
        return Err(ApiError::Invalid(errors));
    }
    let (before, limit) = (page.after, page.rows());
    Ok((ListFilter { status, delivery_status, email, before, limit }, page))
}

fn read<T>(
    errors: &mut Vec<FieldError>,
    field: &str,
    given: Option<String>,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Option<T> {
    match parse(&given?) {
        Ok(value) => Some(value),
        Err(message) => {
            errors.push(FieldError::new(field, message));
            None
        }
    }
}

fn one_of(words: &[&str]) -> String {
    format!("must be one of {}", words.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_query_everything_is_listed() {
        let (filter, page) = parse("").unwrap_or_else(|_| panic!());
        assert!(filter.status.is_none() && filter.before.is_none());
        assert_eq!((filter.limit, page.limit), (51, 50));
    }

    #[test]
    fn filters_are_read() {
        let query = "status=pending&delivery_status=sent&email=a%40example.com&limit=100";
        let (filter, page) = parse(query).unwrap_or_else(|_| panic!());
        assert_eq!(filter.status, Some(InvitationStatus::Pending));
        assert_eq!(filter.delivery_status, Some(DeliveryStatus::Sent));
        assert_eq!(filter.email.unwrap().as_given(), "a@example.com");
        assert_eq!(page.limit, 100);
    }

    #[test]
    fn all_that_is_wrong_is_named_at_once() {
        let query = "status=open&delivery_status=x&email=x&limit=101&cursor=x";
        let Err(ApiError::Invalid(errors)) = parse(query) else { panic!() };
        let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["status", "delivery_status", "email", "limit", "cursor"]);
        assert!(matches!(parse("limit=0"), Err(ApiError::Invalid(_))));
        assert!(matches!(parse("offset=5"), Err(ApiError::BadRequest(_))));
    }
}
