//! How this contract tells errors: a sentence and, if it is about addresses, which and why.

use std::fmt;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::contracts::headers;
use crate::problem::{ApiError, whole_seconds};

/// Why a request is not answered as it wishes.
#[derive(Debug)]
pub enum Refusal {
    /// What any request can meet.
    Api(ApiError),
    /// The key is good for every organization, and none is named.
    NoOrganization,
    /// Some of the addresses or passwords will not do.
    Invalid(Problems),
    /// Some of the addresses cannot get mail for so long.
    TooMany(Problems, Duration),
}

/// What is wrong with the list, in its order.
#[derive(Default)]
pub struct Problems {
    listed: Vec<Detail>,
    total: usize,
}

/// What is wrong with one entry of the list.
#[derive(Serialize, ToSchema)]
#[schema(as = GoldleafDetail)]
pub struct Detail {
    /// Its place in `emailAddresses`, from 0.
    #[schema(example = 3)]
    pub index: usize,
    /// What was given as its address; null if that is no text, or a long one.
    #[schema(example = "ann@example")]
    pub email: Option<String>,
    /// What is wrong, in a word for programs; it does not change.
    pub code: Code,
    /// What to do about it, for people. Never repeats a password.
    #[schema(example = "The address must name a full domain after the @, such as example.com.")]
    pub message: String,
}

/// What can be wrong with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = GoldleafCode)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// No mail can be sent to that.
    InvalidEmail,
    /// The entry has no address.
    MissingEmail,
    /// The entry is no object.
    NotAnObject,
    /// Address or password is no text.
    WrongType,
    /// The password is too short or lacks a kind of character.
    WeakPassword,
    /// The password is too long.
    PasswordTooLong,
    /// The address is there before, with another password.
    ConflictingPassword,
    /// The address, or its domain, gets no more invitations for now.
    TooManyMails,
    /// The organization does not invite such an address.
    AddressNotAllowed,
}

/// One sentence.
#[derive(Serialize, ToSchema)]
#[schema(as = GoldleafError)]
pub struct Sentence {
    /// For people.
    #[schema(example = "Not authenticated. Send a valid key as \"Authorization: Bearer …\".")]
    error: String,
}

/// One sentence, and what is wrong with the entries if it is about them.
#[derive(Serialize, ToSchema)]
#[schema(as = GoldleafInvalid)]
pub struct Invalid<'a> {
    /// For people.
    #[schema(example = "Nobody was invited: 1 problem, see details.")]
    error: String,
    /// Which entries, in order; at most 100.
    #[schema(required = false)]
    details: &'a [Detail],
}

/// Who sends a list of something else altogether does not want to read all of it again.
const LISTED: usize = 100;

impl Problems {
    /// Notes one more.
    pub fn add(&mut self, problem: Detail) {
        self.total += 1;
        if self.listed.len() < LISTED {
            self.listed.push(problem);
        }
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.total == 0
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.total {
            1 => write!(f, "Nobody was invited: 1 problem, see details."),
            2..=LISTED => write!(f, "Nobody was invited: {} problems, see details.", self.total),
            more => {
                write!(f, "Nobody was invited: {more} problems, the first {LISTED} in details.")
            }
        }
    }
}

impl fmt::Debug for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the addresses.
        write!(f, "Problems({})", self.total)
    }
}

/// Tells an error that any request can meet.
pub fn answer(error: &ApiError) -> HttpResponse {
    headers::of_error(error, status(error)).json(Sentence { error: sentence(error) })
}

/// The page knows only 400 for a request that is wrong.
fn status(error: &ApiError) -> StatusCode {
    match error.status_code() {
        StatusCode::UNPROCESSABLE_ENTITY | StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            StatusCode::BAD_REQUEST
        }
        status => status,
    }
}

fn sentence(error: &ApiError) -> String {
    match error {
        ApiError::Unauthorized => {
            "Not authenticated. Send a valid key as \"Authorization: Bearer …\".".to_owned()
        }
        ApiError::Forbidden => {
            "Only an admin can invite. Use a key with the role admin.".to_owned()
        }
        other => other.to_string(),
    }
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Api(error) => f.write_str(&sentence(error)),
            Self::NoOrganization => f.write_str(
                "This key is good for every organization. Use a key of the organization that \
                 invites.",
            ),
            Self::Invalid(problems) | Self::TooMany(problems, _) => problems.fmt(f),
        }
    }
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Api(error) => status(error),
            Self::NoOrganization => StatusCode::FORBIDDEN,
            Self::Invalid(_) => StatusCode::BAD_REQUEST,
            Self::TooMany(..) => StatusCode::TOO_MANY_REQUESTS,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        let error = self.to_string();
        match self {
            Self::Api(error) => answer(error),
            Self::NoOrganization => response.json(Sentence { error }),
            Self::Invalid(problems) => response.json(Invalid { error, details: &problems.listed }),
            Self::TooMany(problems, wait) => response
                .insert_header((RETRY_AFTER, whole_seconds(*wait)))
                .json(Invalid { error, details: &problems.listed }),
        }
    }
}
