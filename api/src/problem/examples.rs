//! One error of each code, as the API's document shows them.

use std::time::Duration;

use actix_web::http::StatusCode;
use domain::{InvitationId, InvitationStatus, SuppressionReason};
use uuid::Uuid;

use super::{ApiError, FieldError, refusal};

/// The id of the invitation that the examples are about.
const INVITATION: Uuid = Uuid::from_u128(0x0193_7a5c_8f5e_7c52_9d0b_6f6d_2f0c_5a11);

/// Every error, with the parameters that an answer is likely to have.
pub fn one_of_each() -> Vec<ApiError> {
    use ApiError as E;
    let mut all = vec![
        E::BadRequest("The request cannot be understood.".to_owned()),
        E::MalformedJson("line 1, column 12".to_owned()),
        E::BadIdempotencyKey,
        E::Unauthorized,
        E::InvalidCredential,
        E::Forbidden,
        E::InstanceOnly,
        E::TokenOnly,
        E::NotFound,
        E::MethodNotAllowed("GET, HEAD, POST"),
        E::BodyTimeout,
        E::AlreadyPending(InvitationId::from_uuid(INVITATION)),
        E::AlreadyMember,
        E::SlugTaken,
        E::MemberOnlyInvited,
        E::NotPending(InvitationStatus::Accepted),
        E::SendingNow,
        E::NotScheduled,
        E::Gone(InvitationStatus::Accepted),
        E::Gone(InvitationStatus::Declined),
        E::Gone(InvitationStatus::Revoked),
        E::Gone(InvitationStatus::Expired),
        E::RoleNotGiven,
        E::TooLarge(32_768),
        E::UnsupportedMediaType("application/json"),
        E::Invalid(vec![FieldError::new("email", "is required")]),
        E::BatchRefused(vec![FieldError::new(
            "rows[2]",
            "already_member: Somebody with this address already belongs to the organization.",
        )]),
        E::TooManyRows(200_000),
        E::TooManyBatches(20),
        E::TemplateInvalid(vec![FieldError::new(
            "html",
            "line 3, column 12: there is no variable \"frist_name\" here",
        )]),
        E::NoSealKeys,
        E::FeedbackOff("feedback.ses_topics"),
        E::FeedbackForged("its signature is wrong"),
        E::IdempotencyKeyReused,
        E::Internal,
        E::Unavailable,
        E::KeysUnavailable,
        E::Busy,
        E::Timeout,
        E::Http(StatusCode::BAD_REQUEST),
        E::TooManyGuesses(Duration::from_secs(37)),
        E::Suppressed(SuppressionReason::HardBounce),
    ];
    all.extend(refusal::examples().into_iter().map(E::Refused));
    all
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Does not compile when a variant is new: give it the next number, and its example above.
    const fn number(error: &ApiError) -> usize {
        use ApiError as E;
        match error {
            E::BadRequest(_) => 0,
            E::MalformedJson(_) => 1,
            E::BadIdempotencyKey => 2,
            E::Unauthorized => 3,
            E::InvalidCredential => 4,
            E::Forbidden => 5,
            E::NotFound => 6,
            E::MethodNotAllowed(_) => 7,
            E::BodyTimeout => 8,
            E::AlreadyPending(_) => 9,
            E::AlreadyMember => 10,
            E::NotPending(_) => 11,
            E::SendingNow => 12,
            E::Gone(_) => 13,
            E::TooLarge(_) => 14,
            E::UnsupportedMediaType(_) => 15,
            E::Invalid(_) => 16,
            E::IdempotencyKeyReused => 17,
            E::Internal => 18,
            E::Unavailable => 19,
            E::Busy => 20,
            E::Timeout => 21,
            E::Http(_) => 22,
            E::InstanceOnly => 23,
            E::SlugTaken => 24,
            E::MemberOnlyInvited => 25,
            E::KeysUnavailable => 26,
            E::Refused(_) => 27,
            E::TooManyGuesses(_) => 28,
            E::TokenOnly => 29,
            E::NoSealKeys => 30,
            E::FeedbackOff(_) => 31,
            E::FeedbackForged(_) => 32,
            E::BatchRefused(_) => 33,
            E::TooManyRows(_) => 34,
            E::TooManyBatches(_) => 35,
            E::NotScheduled => 36,
            E::TemplateInvalid(_) => 37,
            E::Suppressed(_) => 38,
            E::RoleNotGiven => 39,
        }
    }

    #[test]
    fn no_variant_and_no_code_is_left_out_or_shown_twice() {
        let all = one_of_each();
        let numbers: BTreeSet<_> = all.iter().map(number).collect();
        assert_eq!(numbers, (0..=39).collect());
        let codes: BTreeSet<_> = all.iter().map(ApiError::code).collect();
        assert_eq!(codes.len(), all.len());
    }
}
