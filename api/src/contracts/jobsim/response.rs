//! What this contract answers: the page's schema, every key of it.

use adapters::store::OrganizationRef;
use domain::{Timestamp, UserId};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::contracts::headers;
use crate::contracts::invite::Answer;

/// The whole answer.
#[derive(Serialize, ToSchema)]
#[schema(as = JobsimInvited)]
pub struct Response<'a> {
    /// The invited person.
    user: User<'a>,
    /// The organization, as people see it.
    #[schema(example = "Acme")]
    organization_name: &'a str,
    /// Whether the SMTP server has taken the mail; false while that is not known yet, too.
    #[schema(example = true)]
    email_sent: bool,
    /// Only if it is known that no mail brings it, unless the operator wants otherwise.
    #[schema(example = json!(null))]
    temporary_password: Option<&'a str>,
}

/// The invited person.
#[derive(Serialize, ToSchema)]
#[schema(as = JobsimUser)]
struct User<'a> {
    /// What comes before the `@`, made different from all others.
    #[schema(example = "ann")]
    username: &'a str,
    /// As it was given.
    #[schema(example = "ann@example.com")]
    email: &'a str,
    /// The organization's id.
    #[schema(example = "01937a5c-1b2a-7b1e-8a55-0c1f3a9d7e42")]
    organization_id: String,
    /// The person's id.
    #[schema(value_type = String, example = "01937a5c-1b2a-7b20-9c11-4d8e6b0a2f37")]
    _id: UserId,
    /// First and last name.
    #[schema(example = "Ann Lee")]
    full_name: String,
    /// Always this.
    #[schema(example = "employee")]
    role: &'static str,
    /// Always false.
    #[schema(example = false)]
    is_bot: bool,
    /// False for somebody who was removed.
    #[schema(example = true)]
    is_active: bool,
    /// Not known here.
    #[schema(example = json!(null))]
    avatar_url: Option<String>,
    /// Not known here.
    #[schema(example = json!(null))]
    bio: Option<String>,
    /// Not known here.
    #[schema(example = json!([]))]
    education: Vec<Education>,
    /// Not known here.
    #[schema(example = json!([]))]
    certifications: Vec<Certification>,
    /// Not known here.
    #[schema(example = json!([]))]
    hobbies: Vec<String>,
    /// Not known here.
    career_goals: CareerGoals,
    /// When the person was first invited here.
    #[schema(value_type = DateTime<Utc>, example = "2026-11-24T09:31:02.114309Z")]
    created_at: Timestamp,
    /// When the membership last changed.
    #[schema(value_type = DateTime<Utc>, example = "2026-11-24T09:31:02.114309Z")]
    updated_at: Timestamp,
    /// Not known here.
    #[schema(value_type = Option<DateTime<Utc>>, example = json!(null))]
    last_seen: Option<Timestamp>,
    /// `invitation_id`, `invitation_status`, `delivery_status` and what the request said of the job.
    #[schema(value_type = Object, example = json!({"delivery_status": "sent", "job_title": "Accountant"}))]
    metadata: Map<String, Value>,
}

/// Never filled in.
#[derive(Serialize, ToSchema)]
#[schema(as = JobsimEducation)]
struct Education {
    /// A text.
    degree: String,
    /// A text.
    field_of_study: String,
    /// A text.
    university: String,
    /// A text.
    graduation_year: String,
}

/// Never filled in.
#[derive(Serialize, ToSchema)]
#[schema(as = JobsimCertification)]
struct Certification {
    /// A text.
    name: String,
    /// A text.
    year: String,
    /// A text.
    issuer: String,
}

/// Never filled in.
#[derive(Serialize, Default, ToSchema)]
#[schema(as = JobsimCareerGoals)]
struct CareerGoals {
    /// Null.
    #[schema(example = json!(null))]
    dream_job: Option<String>,
    /// Null.
    #[schema(example = json!(null))]
    experience_level: Option<String>,
    /// Null.
    #[schema(example = json!(null))]
    career_goal: Option<String>,
    /// Null.
    #[schema(example = json!(null))]
    current_role: Option<String>,
    /// Null.
    #[schema(example = json!(null))]
    department: Option<String>,
}

/// Says how things stand.
pub fn body<'a>(
    answer: &'a Answer,
    organization: &'a OrganizationRef,
    password: Option<&'a str>,
) -> Response<'a> {
    let Answer { invitation, member, .. } = answer;
    let names = [&invitation.first_name, &invitation.last_name];
    let names: Vec<_> = names.into_iter().flatten().map(String::as_str).collect();
    Response {
        user: User {
            username: &member.username,
            email: &invitation.email,
            organization_id: organization.id.to_string(),
            _id: member.user_id,
            full_name: names.join(" "),
            // The page knows no other.
            role: "employee",
            is_bot: false,
            is_active: member.deleted_at.is_none(),
            avatar_url: None,
            bio: None,
            education: Vec::new(),
            certifications: Vec::new(),
            hobbies: Vec::new(),
            career_goals: CareerGoals::default(),
            created_at: member.created_at,
            updated_at: member.updated_at,
            last_seen: None,
            metadata: metadata(answer),
        },
        organization_name: &organization.name,
        email_sent: invitation.email_sent,
        temporary_password: password,
    }
}

fn metadata(answer: &Answer) -> Map<String, Value> {
    let Answer { invitation, member, .. } = answer;
    let position = &member.position;
    let known = json!({
        "invitation_id": invitation.id,
        "invitation_status": invitation.status,
        "delivery_status": headers::email_status(invitation),
        "job_title": position.job_title,
        "department": position.department,
        "access_level": position.access_level,
        "auto_assign_default_workdays": position.auto_assign_default_workdays,
    });
    known.as_object().cloned().unwrap_or_default()
}
