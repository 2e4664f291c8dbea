//! `/console/{organization}/invitations`: looking for invitations, and inviting somebody.

use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use adapters::store::{CreateOutcome, InvitationView, OrganizationRef};
use adapters::templates::{Choice, ConsolePage, Invitations, Typed};
use domain::{DeliveryStatus, InvitationStatus};
use serde::Deserialize;

use super::show::{again, asked, sentence};
use super::{Signed, Visitor, done, page};
use crate::problem::ApiError;
use crate::routes::invitations::fields::{self, Fields};
use crate::routes::invitations::list::{List, found, parse};
use crate::state::State;

/// The person to invite; browsers send empty fields, too.
#[derive(Deserialize)]
pub struct Person {
    email: String,
    first_name: String,
    last_name: String,
    role: String,
}

/// Lists those that were asked for, newest first.
pub async fn list(
    visitor: Visitor,
    state: State,
    request: HttpRequest,
    organization: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let organization = visitor.organization(&state, &organization).await?;
    let query = asked(request.query_string());
    let (filter, wanted) = parse(&query)?;
    let list = found(&state, organization.id, &filter, &wanted).await?;
    let shown = ConsolePage::Invitations(shown(&list, &query, None, Typed::default()));
    page(&state, &request, &visitor, Some(&organization), &shown)
}

/// Invites somebody, or says what is wrong.
pub async fn invite(
    state: State,
    organization: Path<String>,
    form: Signed<Person>,
) -> Result<HttpResponse, ApiError> {
    let Signed { visitor, fields } = form;
    let organization = visitor.organization(&state, &organization).await?;
    let problem = match create(&state, &visitor, &organization, &fields).await {
        Ok(id) => {
            let path = format!("/{}/invitations/{}", organization.id, id.id);
            return Ok(done(&state, &path, "invited"));
        }
        Err(ApiError::AlreadyPending(id)) => {
            let path = format!("/{}/invitations/{id}", organization.id);
            return Ok(done(&state, &path, "already-pending"));
        }
        Err(error) => error,
    };
    let (filter, wanted) = parse("")?;
    let list = found(&state, organization.id, &filter, &wanted).await?;
    let why = sentence(&problem);
    let Person { email, first_name, last_name, role } = fields;
    let typed = Typed { email, first_name, last_name, role };
    let shown = ConsolePage::Invitations(shown(&list, "", Some(&why), typed));
    again(&state, &visitor, &organization, &problem, &shown)
}

async fn create(
    state: &State,
    visitor: &Visitor,
    organization: &OrganizationRef,
    person: &Person,
) -> Result<InvitationView, ApiError> {
    let given = |text: &str| Some(text.to_owned()).filter(|text| !text.trim().is_empty());
    let wanted = Fields::of_person(
        given(&person.email),
        given(&person.first_name),
        given(&person.last_name),
        given(&person.role),
    );
    let (names, roles, locale) = (state.names, &organization.roles, &state.locale);
    let (expires_in, interval) = (state.invitation_expires_in, state.resend_interval);
    let now = state.store.clock().now();
    let wanted = fields::validate(wanted, names, roles, locale, expires_in, interval, now)?;
    let actor = visitor.auth.actor();
    match state.store.create_invitation(organization, actor, wanted, None).await? {
        CreateOutcome::Created(view) | CreateOutcome::Pending { invitation: view, .. } => Ok(*view),
        CreateOutcome::AlreadyPending(id) => Err(ApiError::AlreadyPending(id)),
        CreateOutcome::AlreadyMember => Err(ApiError::AlreadyMember),
        CreateOutcome::Refused(why) => Err(ApiError::Refused(why)),
        // Only a request with an idempotency key can be one.
        CreateOutcome::Replayed(_) | CreateOutcome::KeyReused => Err(ApiError::Internal),
    }
}

fn shown<'a>(
    list: &'a List,
    query: &str,
    problem: Option<&'a str>,
    typed: Typed,
) -> Invitations<'a> {
    let chosen: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap_or_default();
    let of = |name: &str| chosen.iter().find(|(key, _)| key == name).map(|(_, value)| value);
    let choices = |name: &str, words: &[&'static str]| {
        let choice = |word: &'static str| Choice {
            word,
            chosen: of(name).is_some_and(|chosen| chosen == word),
        };
        words.iter().copied().map(choice).collect()
    };
    let next = list.next_cursor.as_ref().map(|cursor| {
        let kept = query.split('&').filter(|part| !part.is_empty() && !part.starts_with("cursor="));
        let cursor = format!("cursor={cursor}");
        kept.chain([cursor.as_str()]).collect::<Vec<_>>().join("&")
    });
    Invitations {
        invitations: &list.data,
        statuses: choices("status", &InvitationStatus::ALL.map(InvitationStatus::as_str)),
        delivery_statuses: choices(
            "delivery_status",
            &DeliveryStatus::ALL.map(DeliveryStatus::as_str),
        ),
        email: of("email").cloned().unwrap_or_default(),
        next,
        problem,
        typed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_filled_in_is_not_asked_for() {
        assert_eq!(asked("status=pending&delivery_status=&email=&done=x"), "status=pending");
        assert_eq!(asked(""), "");
    }
}
