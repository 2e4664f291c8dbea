//! Everything that can go wrong with a request: the one table of statuses and codes.

mod examples;
mod refusal;
mod response;

use std::fmt::Display;
use std::time::Duration;

use actix_web::http::StatusCode;
use adapters::store::StoreError;
use domain::{InvitationId, InvitationStatus, SendRefusal, SuppressionReason};
use serde::Serialize;
use utoipa::ToSchema;

pub use examples::one_of_each;
pub use response::{MEDIA_TYPE, Problem, for_plain_errors, whole_seconds};

/// Why a request is not answered as it wishes. `Display` is the problem's `detail`.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The request cannot be understood.
    #[error("{0}")]
    BadRequest(String),
    /// The body is no JSON at all.
    #[error("The body is not valid JSON: {0}.")]
    MalformedJson(String),
    /// `Idempotency-Key` is no key.
    #[error("Idempotency-Key must be given once and have 1 to 255 visible ASCII characters.")]
    BadIdempotencyKey,
    /// No valid API key.
    #[error("Send a valid API key as \"Authorization: Bearer wlc_…\".")]
    Unauthorized,
    /// No invitation has this token or temporary password, or not any more.
    #[error("The link or temporary password is not valid. Ask for a new invitation.")]
    InvalidCredential,
    /// The key may only read.
    #[error("This API key may only read. Use a key with the role \"admin\".")]
    Forbidden,
    /// The key is good for one organization; this needs one for the whole instance.
    #[error(
        "This needs a key for the whole instance. Make one with \"welcomat keys create --instance\"."
    )]
    InstanceOnly,
    /// The key is good for one organization; this is about a person.
    #[error(
        "This needs a token (JWT) that speaks for a person. An API key shows its organization."
    )]
    TokenOnly,
    /// There is no such thing, or it is not the caller's.
    #[error("There is nothing at this address that you can see.")]
    NotFound,
    /// The address exists, the method does not.
    #[error("This address takes only {0}.")]
    MethodNotAllowed(&'static str),
    /// The body did not come in time.
    #[error("The body of the request did not arrive in time.")]
    BodyTimeout,
    /// One pending invitation an address.
    #[error("This address already has a pending invitation: {0}. Resend or revoke that one.")]
    AlreadyPending(InvitationId),
    /// Nobody is invited twice.
    #[error("Somebody with this address already belongs to the organization.")]
    AlreadyMember,
    /// Another organization goes by that name in addresses.
    #[error("Another organization has this slug. Choose another one.")]
    SlugTaken,
    /// Only members can be removed.
    #[error("This person is only invited so far. Revoke the invitation instead.")]
    MemberOnlyInvited,
    /// What the caller asks is possible only while the invitation is pending.
    #[error("The invitation is {} and cannot be changed any more.", .0.as_str())]
    NotPending(InvitationStatus),
    /// A worker holds the mail.
    #[error("The mail is being sent right now. Try again in a moment.")]
    SendingNow,
    /// What was scheduled is not any more.
    #[error("The mail does not wait for its moment any more. Look where it stands.")]
    NotScheduled,
    /// The invitation has ended in another way than the invitee wants.
    #[error("The invitation is {} and cannot be answered any more.", .0.as_str())]
    Gone(InvitationStatus),
    /// What the invitation gives cannot be given any more.
    #[error(
        "This invitation gives a role or permissions that cannot be given any more. Ask the person \
         who invited you."
    )]
    RoleNotGiven,
    /// A batch is all or nothing, and some of its rows cannot be invited; they are listed.
    #[error("Some rows cannot be invited now, so that nobody was. They are listed.")]
    BatchRefused(Vec<FieldError>),
    /// The batch has more rows than one may have.
    #[error("Such a batch may have at most {0} rows. Send it in parts.")]
    TooManyRows(u32),
    /// The organization has as many unfinished batches as it may have.
    #[error(
        "The organization has {0} unfinished batches, which is the most. Wait until one is done."
    )]
    TooManyBatches(u64),
    /// A limit on mails.
    #[error("{}", refusal::sentence(*.0))]
    Refused(SendRefusal),
    /// The address of a mail that only shows something is on the list of those that get none.
    #[error("{}", refusal::suppressed(*.0))]
    Suppressed(SuppressionReason),
    /// The client has tried too many secrets that do not exist.
    #[error("Too many links or passwords were wrong. Wait as long as Retry-After says.")]
    TooManyGuesses(Duration),
    /// The body is longer than the settings allow.
    #[error("The body may have at most {0} bytes.")]
    TooLarge(usize),
    /// The body is not of the type that is read here.
    #[error("Send the body as {0}, without Content-Encoding.")]
    UnsupportedMediaType(&'static str),
    /// Fields are missing or wrong; all of them are listed.
    #[error("One or more fields are missing or wrong.")]
    Invalid(Vec<FieldError>),
    /// A template that could not make a good mail; each part that is wrong is listed, with line and
    /// column.
    #[error("The template would not make a good mail.")]
    TemplateInvalid(Vec<FieldError>),
    /// A secret would have to be kept, and there is nothing to seal it with.
    #[error(
        "This process has no seal keys to keep a secret with. Set WELCOMAT_SEAL_KEYS to those of the workers."
    )]
    NoSealKeys,
    /// Nobody has set up this way of telling what became of mails.
    #[error("This is shut. To hear what became of mails this way, set {0}.")]
    FeedbackOff(&'static str),
    /// Somebody tells what became of mails, and does not prove who they are.
    #[error("It is not proven who says this: {0}.")]
    FeedbackForged(&'static str),
    /// The key was used for another request.
    #[error("This Idempotency-Key was used before with a different request.")]
    IdempotencyKeyReused,
    /// A fault of ours; what it is stays in the log.
    #[error("Something went wrong on our side. Nothing is known to be wrong with the request.")]
    Internal,
    /// The database cannot be asked at present.
    #[error("The service cannot reach its database. Try again in a moment.")]
    Unavailable,
    /// The issuer's keys, which would tell whether a token is good, cannot be had at present.
    #[error("The keys that this token is checked with cannot be fetched. Try again in a moment.")]
    KeysUnavailable,
    /// Too much is going on.
    #[error("The service is busy. Try again in a moment.")]
    Busy,
    /// The request took longer than the settings allow.
    #[error("The request took too long. It may or may not have had its effect.")]
    Timeout,
    /// An answer of the HTTP library itself.
    #[error("The request cannot be answered.")]
    Http(StatusCode),
}

/// A field and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// The field's path; empty for the body as a whole.
    #[schema(example = "email")]
    pub field: String,
    /// Completes "The field …".
    #[schema(example = "is required")]
    pub message: String,
}

impl FieldError {
    /// Says what is wrong with `field`.
    pub fn new(field: impl Into<String>, message: impl Display) -> Self {
        Self { field: field.into(), message: format!("{message}") }
    }
}

impl ApiError {
    /// The table: status and code of every error. The codes are part of the API.
    const fn entry(&self) -> (StatusCode, &'static str) {
        use StatusCode as S;
        match self {
            Self::BadRequest(_) => (S::BAD_REQUEST, "bad_request"),
            Self::MalformedJson(_) => (S::BAD_REQUEST, "malformed_json"),
            Self::BadIdempotencyKey => (S::BAD_REQUEST, "bad_idempotency_key"),
            Self::Unauthorized => (S::UNAUTHORIZED, "unauthorized"),
            Self::InvalidCredential => (S::UNAUTHORIZED, "invalid_credential"),
            Self::Forbidden => (S::FORBIDDEN, "forbidden"),
            Self::InstanceOnly => (S::FORBIDDEN, "instance_key_required"),
            Self::TokenOnly => (S::FORBIDDEN, "token_required"),
            Self::NotFound => (S::NOT_FOUND, "not_found"),
            Self::MethodNotAllowed(_) => (S::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::BodyTimeout => (S::REQUEST_TIMEOUT, "request_timeout"),
            Self::AlreadyPending(_) | Self::Gone(InvitationStatus::Pending) => {
                (S::CONFLICT, "invitation_pending")
            }
            Self::AlreadyMember => (S::CONFLICT, "already_member"),
            Self::SlugTaken => (S::CONFLICT, "slug_taken"),
            Self::MemberOnlyInvited => (S::CONFLICT, "member_only_invited"),
            Self::BatchRefused(_) => (S::CONFLICT, "batch_refused"),
            Self::TooManyRows(_) => (S::PAYLOAD_TOO_LARGE, "too_many_rows"),
            Self::TooManyBatches(_) => (S::TOO_MANY_REQUESTS, "too_many_batches"),
            Self::NotPending(_) => (S::CONFLICT, "invitation_not_pending"),
            Self::SendingNow => (S::CONFLICT, "sending_now"),
            Self::NotScheduled => (S::CONFLICT, "not_scheduled"),
            Self::Gone(InvitationStatus::Revoked) => (S::GONE, "invitation_revoked"),
            Self::Gone(InvitationStatus::Expired) => (S::GONE, "invitation_expired"),
            Self::Gone(InvitationStatus::Declined) => (S::GONE, "invitation_declined"),
            Self::Gone(InvitationStatus::Accepted) => (S::CONFLICT, "invitation_accepted"),
            Self::RoleNotGiven => (S::CONFLICT, "role_not_given"),
            Self::Refused(SendRefusal::Paused) => {
                (S::FORBIDDEN, refusal::code(SendRefusal::Paused))
            }
            Self::Refused(SendRefusal::Policy(why)) if why.is_about_address() => {
                (S::UNPROCESSABLE_ENTITY, why.as_str())
            }
            Self::Refused(SendRefusal::Policy(why)) => (S::CONFLICT, why.as_str()),
            Self::Refused(why) => (S::TOO_MANY_REQUESTS, refusal::code(*why)),
            Self::Suppressed(_) => (S::UNPROCESSABLE_ENTITY, "address_suppressed"),
            Self::TooManyGuesses(_) => (S::TOO_MANY_REQUESTS, "too_many_guesses"),
            Self::TooLarge(_) => (S::PAYLOAD_TOO_LARGE, "body_too_large"),
            Self::UnsupportedMediaType(_) => (S::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type"),
            Self::Invalid(_) => (S::UNPROCESSABLE_ENTITY, "validation_failed"),
            Self::TemplateInvalid(_) => (S::UNPROCESSABLE_ENTITY, "template_invalid"),
            Self::NoSealKeys => (S::SERVICE_UNAVAILABLE, "seal_keys_missing"),
            Self::FeedbackOff(_) => (S::NOT_FOUND, "feedback_off"),
            Self::FeedbackForged(_) => (S::FORBIDDEN, "feedback_forged"),
            Self::IdempotencyKeyReused => (S::UNPROCESSABLE_ENTITY, "idempotency_key_reused"),
            Self::Internal => (S::INTERNAL_SERVER_ERROR, "internal_error"),
            Self::Unavailable => (S::SERVICE_UNAVAILABLE, "unavailable"),
            Self::KeysUnavailable => (S::SERVICE_UNAVAILABLE, "token_keys_unavailable"),
            Self::Busy => (S::SERVICE_UNAVAILABLE, "busy"),
            Self::Timeout => (S::SERVICE_UNAVAILABLE, "timeout"),
            Self::Http(status) => (*status, "http_error"),
        }
    }

    /// The word for programs; see the table.
    pub const fn code(&self) -> &'static str {
        self.entry().1
    }

    /// After how long the same request may well succeed.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::SendingNow
            | Self::Unavailable
            | Self::KeysUnavailable
            | Self::Busy
            | Self::Timeout => Some(Duration::from_secs(1)),
            Self::TooManyBatches(_) => Some(Duration::from_secs(10)),
            Self::TooManyGuesses(wait)
            | Self::Refused(
                SendRefusal::Limit { retry_after: wait, .. }
                | SendRefusal::JustResent { retry_after: wait },
            ) => Some(*wait),
            _ => None,
        }
    }

    fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::NotFound,
            StatusCode::REQUEST_TIMEOUT => Self::BodyTimeout,
            StatusCode::INTERNAL_SERVER_ERROR => Self::Internal,
            other => Self::Http(other),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => {
                tracing::warn!(%error, "the store cannot answer");
                Self::Unavailable
            }
            StoreError::Busy => Self::Busy,
            StoreError::Inconsistent { .. }
            | StoreError::Forbidden(_)
            | StoreError::TooNew(_)
            | StoreError::Database(_) => {
                tracing::error!(%error, "the store failed");
                Self::Internal
            }
        }
    }
}
