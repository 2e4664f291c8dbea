//! `/v1/organizations`: making, listing, reading and changing organizations.

use actix_web::web::{self, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use adapters::store::{
    NewOrganization, OrganizationChange, OrganizationOutcome, OrganizationView, RolesChange,
};
use domain::{MembershipRole, Name, NamePolicy, RolePolicy};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::page::{Page, PageQuery};
use super::{get, resource};
use crate::auth::Auth;
use crate::json::JsonBody;
use crate::openapi::params::OrganizationPath;
use crate::openapi::texts;
use crate::problem::{ApiError, FieldError};
use crate::state::State;

const MAX_ROLES: usize = 100;
const MAX_SLUG: usize = 64;

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(
            resource("/organizations", "GET, HEAD, POST")
                .route(get().to(list))
                .route(web::post().to(create)),
        )
        .service(
            resource("/organizations/{organization}", "GET, HEAD, PATCH")
                .route(get().to(read))
                .route(web::patch().to(change)),
        );
}

/// An organization to be made.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = NewOrganization)]
#[serde(deny_unknown_fields)]
struct NewFields {
    /// As people see it, in mails too: one line of at most 64 visible characters, and no link.
    #[schema(value_type = texts::Name, required, example = "Initech")]
    name: Option<String>,
    /// For addresses, and nobody else's; made from the name without it.
    #[schema(min_length = 1, max_length = 64, pattern = "^[a-z0-9-]+$")]
    slug: Option<String>,
    /// Whoever is invited without a role gets this one; `member` without it.
    #[schema(value_type = Option<texts::Role>, example = "member")]
    default_role: Option<String>,
    /// The only roles there are; any will do without it.
    #[schema(
        value_type = Option<Vec<texts::Role>>, min_items = 1, max_items = 100,
        example = json!(["member", "editor", "owner"]),
    )]
    roles: Option<Vec<String>>,
    /// Whether an operator vouches for it: then it is not treated as new, and never paused.
    #[schema(example = false)]
    trusted: Option<bool>,
}

/// What to change; a field that is left out stays as it is.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = OrganizationChange)]
#[serde(deny_unknown_fields)]
struct ChangedFields {
    /// As people see it, in mails too: one line of at most 64 visible characters, and no link.
    #[schema(value_type = Option<texts::Name>, example = "Initech")]
    name: Option<String>,
    /// Whoever is invited without a role gets this one.
    #[schema(value_type = Option<texts::Role>, example = "member")]
    default_role: Option<String>,
    /// The only roles there are; `null` lets any be used.
    #[serde(default, deserialize_with = "given")]
    #[schema(
        value_type = Option<Vec<texts::Role>>, min_items = 1, max_items = 100,
        example = json!(["member", "editor", "owner"]),
    )]
    #[expect(clippy::option_option, reason = "null and nothing are two things to say")]
    roles: Option<Option<Vec<String>>>,
    /// Whether an operator vouches for it, which takes a key for the whole instance. It is not
    /// treated as new any more, and may send again if it was paused.
    #[schema(example = true)]
    trusted: Option<bool>,
}

/// A page of organizations.
#[derive(Serialize, ToSchema)]
#[schema(as = OrganizationList)]
struct List {
    /// At most as many as asked for.
    data: Vec<OrganizationView>,
    /// The `cursor` of the next page; null on the last one.
    #[schema(example = json!(null))]
    next_cursor: Option<String>,
}

/// Makes an organization.
///
/// It takes a key for the whole instance, which also makes the organization's first key.
#[utoipa::path(
    post,
    path = "/v1/organizations",
    operation_id = "create_organization",
    tag = "Organizations",
    security(("bearer" = [])),
    request_body = NewFields,
    responses((
        status = 201,
        description = "The organization.",
        body = OrganizationView,
        headers(("Location" = String, description = "Where it can be read.")),
        links(("GetOrganization" = (
            operation_id = "get_organization",
            parameters(("organization" = "$response.body#/id")),
            description = "Reads it.",
        ))),
    )),
    extensions(("x-problems" = json!(["forbidden", "instance_key_required", "slug_taken"]))),
)]
pub async fn create(auth: Auth, state: State, body: JsonBody) -> Result<HttpResponse, ApiError> {
    auth.require_instance()?;
    let new = new(body.read::<NewFields>().await?.value, state.names)?;
    let view = done(state.store.create_organization(new).await?)?;
    Ok(HttpResponse::Created()
        .insert_header(("Location", format!("/v1/organizations/{}", view.id)))
        .json(view))
}

/// Lists organizations.
///
/// All of them, oldest first, with a key for the whole instance; your own with any other.
#[utoipa::path(
    get,
    path = "/v1/organizations",
    operation_id = "list_organizations",
    tag = "Organizations",
    security(("bearer" = [])),
    params(PageQuery),
    responses((status = 200, description = "A page of organizations.", body = List)),
    extensions(("x-problems" = json!(["bad_request", "validation_failed"]))),
)]
pub async fn list(
    auth: Auth,
    state: State,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let page = Page::by_number(request.query_string())?;
    let rows = if let Some(own) = &auth.0.organization {
        let own = state.store.organization(own.id).await?;
        own.into_iter().filter(|own| own.number > page.number()).collect()
    } else {
        state.store.organizations(page.number(), page.rows()).await?
    };
    let (data, next_cursor) = page.cut(rows, |row| row.number);
    Ok(HttpResponse::Ok().json(List { data, next_cursor }))
}

/// Shows an organization.
#[utoipa::path(
    get,
    path = "/v1/organizations/{organization}",
    operation_id = "get_organization",
    tag = "Organizations",
    security(("bearer" = [])),
    params(OrganizationPath),
    responses((status = 200, description = "The organization.", body = OrganizationView)),
    extensions(("x-problems" = json!(["not_found"]))),
)]
pub async fn read(auth: Auth, state: State, id: Path<String>) -> Result<HttpResponse, ApiError> {
    let id = auth.organization(&state.store, &id).await?.id;
    let found = state.store.organization(id).await?.ok_or(ApiError::NotFound)?;
    Ok(HttpResponse::Ok().json(found))
}

/// Changes an organization.
///
/// Its name, and which roles it gives. Whoever was invited with a role that it has dropped since cannot
/// accept; the invitation stays pending.
#[utoipa::path(
    patch,
    path = "/v1/organizations/{organization}",
    operation_id = "change_organization",
    tag = "Organizations",
    security(("bearer" = [])),
    params(OrganizationPath),
    request_body(
        content = ChangedFields,
        // Not `trusted`: that takes another key than the rest.
        examples(("name_and_roles" = (value = json!({
            "name": "Example Ltd", "default_role": "member", "roles": ["member", "editor", "owner"],
        })))),
    ),
    responses((status = 200, description = "The organization.", body = OrganizationView)),
    extensions(("x-problems" = json!(["forbidden", "instance_key_required", "not_found"]))),
)]
pub async fn change(
    auth: Auth,
    state: State,
    id: Path<String>,
    body: JsonBody,
) -> Result<HttpResponse, ApiError> {
    let id = auth.organization(&state.store, &id).await?.id;
    auth.require_admin()?;
    let change = changed(body.read::<ChangedFields>().await?.value, state.names)?;
    if change.trusted.is_some() {
        auth.require_instance()?;
    }
    let outcome = state.store.change_organization(id, auth.actor(), change).await?;
    Ok(HttpResponse::Ok().json(done(outcome)?))
}

fn done(outcome: OrganizationOutcome) -> Result<OrganizationView, ApiError> {
    match outcome {
        OrganizationOutcome::Done(view) => Ok(*view),
        OrganizationOutcome::NotFound => Err(ApiError::NotFound),
        OrganizationOutcome::SlugTaken => Err(ApiError::SlugTaken),
        OrganizationOutcome::DefaultRoleMissing => {
            let message = "must be one of roles";
            Err(ApiError::Invalid(vec![FieldError::new("default_role", message)]))
        }
    }
}

fn new(fields: NewFields, names: NamePolicy) -> Result<NewOrganization, ApiError> {
    let mut errors = Vec::new();
    if fields.name.is_none() {
        errors.push(FieldError::new("name", "is required"));
    }
    let name = name(fields.name, names, &mut errors);
    let slug = slug(fields.slug, &mut errors);
    let default = role("default_role", fields.default_role, &mut errors).unwrap_or_default();
    let allowed = fields.roles.map(|names| roles(names, &mut errors));
    match name {
        Some(name) if errors.is_empty() => {
            let trusted = fields.trusted.unwrap_or_default();
            Ok(NewOrganization { name, slug, roles: RolePolicy { default, allowed }, trusted })
        }
        _ => Err(ApiError::Invalid(errors)),
    }
}

fn changed(fields: ChangedFields, names: NamePolicy) -> Result<OrganizationChange, ApiError> {
    let mut errors = Vec::new();
    let change = OrganizationChange {
        name: name(fields.name, names, &mut errors),
        default_role: role("default_role", fields.default_role, &mut errors),
        roles: match fields.roles {
            None => RolesChange::Keep,
            Some(None) => RolesChange::Any,
            Some(Some(names)) => RolesChange::Only(roles(names, &mut errors)),
        },
        trusted: fields.trusted,
    };
    if errors.is_empty() { Ok(change) } else { Err(ApiError::Invalid(errors)) }
}

fn name(given: Option<String>, names: NamePolicy, errors: &mut Vec<FieldError>) -> Option<Name> {
    given.and_then(|text| {
        names.parse(&text).map_err(|error| errors.push(FieldError::new("name", error))).ok()
    })
}

/// A slug stands in addresses: what RFC 3986 §2.3 lets there without escaping.
fn slug(given: Option<String>, errors: &mut Vec<FieldError>) -> Option<String> {
    let text = given?;
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if !(1..=MAX_SLUG).contains(&text.len()) || !text.bytes().all(fits) {
        let message = "must be 1 to 64 lower-case letters, digits and dashes";
        errors.push(FieldError::new("slug", message));
    }
    Some(text)
}

fn role(
    field: &str,
    given: Option<String>,
    errors: &mut Vec<FieldError>,
) -> Option<MembershipRole> {
    given.and_then(|text| {
        MembershipRole::parse(&text)
            .map_err(|error| errors.push(FieldError::new(field, error)))
            .ok()
    })
}

fn roles(names: Vec<String>, errors: &mut Vec<FieldError>) -> Vec<MembershipRole> {
    if !(1..=MAX_ROLES).contains(&names.len()) {
        errors.push(FieldError::new("roles", "must be null or have 1 to 100 roles"));
        return Vec::new();
    }
    let parse = |(at, name)| role(&format!("roles[{at}]"), Some(name), errors);
    names.into_iter().enumerate().filter_map(parse).collect()
}

fn given<'de, D, T>(from: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(from).map(Some)
}

#[cfg(test)]
mod tests {
    use domain::LinkPolicy;
    use serde_json::{Value, json};

    use super::*;

    const NAMES: NamePolicy = NamePolicy { links: LinkPolicy::Refuse };

    fn wrong(fields: Value) -> Vec<String> {
        match new(serde_json::from_value(fields).unwrap(), NAMES) {
            Err(ApiError::Invalid(errors)) => errors.into_iter().map(|e| e.field).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn all_that_is_wrong_is_named_at_once() {
        assert_eq!(wrong(json!({})), ["name"]);
        let all = json!({"name": "", "slug": "A b", "default_role": " ", "roles": ["a", "b c"]});
        assert_eq!(wrong(all), ["name", "slug", "default_role", "roles[1]"]);
        assert_eq!(wrong(json!({"name": "A", "roles": []})), ["roles"]);
    }

    #[test]
    fn null_and_nothing_are_two_changes() {
        let read = |value: Value| changed(serde_json::from_value(value).unwrap(), NAMES).unwrap();
        assert_eq!(read(json!({})).roles, RolesChange::Keep);
        assert_eq!(read(json!({"roles": null})).roles, RolesChange::Any);
    }
}
