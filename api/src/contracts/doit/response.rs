//! What this contract answers: the page's schema; what was not provided is left out.

use domain::{OrganizationId, UserId};
use serde::Serialize;
use utoipa::ToSchema;

use super::request::JobTitle;
use crate::contracts::invite::Answer;

/// The whole answer.
#[derive(Serialize, ToSchema)]
#[schema(as = DoitInvited)]
pub struct Response<'a> {
    /// For people: whether a mail is on its way because of this request.
    #[schema(example = "The user is invited; the mail is on its way.")]
    message: &'static str,
    /// The invited user.
    user: User<'a>,
}

/// The invited user.
#[derive(Serialize, ToSchema)]
#[schema(as = DoitUser)]
#[serde(rename_all = "camelCase")]
struct User<'a> {
    /// The person's id.
    #[schema(value_type = String, example = "01937a5c-1b2a-7b20-9c11-4d8e6b0a2f37")]
    id: UserId,
    /// As it was given.
    #[schema(example = "ann@example.com")]
    email: &'a str,
    /// If provided during invitation.
    #[schema(nullable = false, example = "Ann")]
    #[serde(skip_serializing_if = "Option::is_none")]
    first_name: Option<&'a str>,
    /// If provided during invitation.
    #[schema(nullable = false, example = "Lee")]
    #[serde(skip_serializing_if = "Option::is_none")]
    last_name: Option<&'a str>,
    /// First and last name, if either was provided.
    #[schema(nullable = false, example = "Ann Lee")]
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<String>,
    /// If provided during invitation.
    #[schema(value_type = JobTitle, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    job_title: Option<JobTitle>,
    /// The role that the user will have.
    #[schema(example = "member")]
    role_id: &'a str,
    /// The organization that the user is invited to.
    #[schema(value_type = String, example = "01937a5c-1b2a-7b1e-8a55-0c1f3a9d7e42")]
    organization_id: OrganizationId,
    /// Always this.
    status: Status,
}

/// The page knows one.
#[derive(Serialize, ToSchema)]
#[schema(as = DoitStatus)]
#[serde(rename_all = "snake_case")]
enum Status {
    /// Not a member yet.
    Invited,
}

/// Says how things stand. Of a pending invitation, names and job are those it was made with.
pub fn body(answer: &Answer) -> Response<'_> {
    let Answer { invitation, member, .. } = answer;
    let names = [&invitation.first_name, &invitation.last_name];
    let names: Vec<_> = names.into_iter().flatten().map(String::as_str).collect();
    // Another contract may have recorded a job that this page does not know.
    let job_title = member.position.job_title.as_deref();
    let job_title = job_title.and_then(|title| serde_json::from_value(title.into()).ok());
    Response {
        message: if answer.mailed {
            "The user is invited; the mail is on its way."
        } else {
            "The user is invited already; no other mail is sent yet."
        },
        user: User {
            id: member.user_id,
            email: &invitation.email,
            first_name: invitation.first_name.as_deref(),
            last_name: invitation.last_name.as_deref(),
            display_name: (!names.is_empty()).then(|| names.join(" ")),
            job_title,
            role_id: &invitation.role,
            organization_id: invitation.organization_id,
            status: Status::Invited,
        },
    }
}
