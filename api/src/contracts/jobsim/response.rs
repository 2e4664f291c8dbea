//! What this contract answers: the page's schema, every key of it.

use adapters::store::OrganizationRef;
use domain::{Timestamp, UserId};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::contracts::headers;
use crate::contracts::invite::Answer;

/// The whole answer.
#[derive(Serialize)]
pub struct Response<'a> {
    user: User<'a>,
    organization_name: &'a str,
    email_sent: bool,
    temporary_password: Option<&'a str>,
}

#[derive(Serialize)]
struct User<'a> {
    username: &'a str,
    email: &'a str,
    organization_id: String,
    _id: UserId,
    full_name: String,
    role: &'static str,
    is_bot: bool,
    is_active: bool,
    avatar_url: Option<String>,
    bio: Option<String>,
    education: Vec<Education>,
    certifications: Vec<Certification>,
    hobbies: Vec<String>,
    career_goals: CareerGoals,
    created_at: Timestamp,
    updated_at: Timestamp,
    last_seen: Option<Timestamp>,
    metadata: Map<String, Value>,
}

#[derive(Serialize)]
struct Education {
    degree: String,
    field_of_study: String,
    university: String,
    graduation_year: String,
}

#[derive(Serialize)]
struct Certification {
    name: String,
    year: String,
    issuer: String,
}

#[derive(Serialize, Default)]
struct CareerGoals {
    dream_job: Option<String>,
    experience_level: Option<String>,
    career_goal: Option<String>,
    current_role: Option<String>,
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
