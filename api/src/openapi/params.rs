//! The path parameters and header fields that several operations share.
#![expect(dead_code, reason = "these types are only read by the document")]

use utoipa::IntoParams;
use uuid::Uuid;

/// `…/organizations/{organization}/…`
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct OrganizationPath {
    /// The organization; that of the key, see `GET /v1/me`.
    #[param(example = "01937a5c-1b2a-7b1e-8a55-0c1f3a9d7e42")]
    organization: Uuid,
}

/// `…/organizations/{organization}/invitations/{invitation}…`
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct InvitationPath {
    /// The organization; that of the key, see `GET /v1/me`.
    #[param(example = "01937a5c-1b2a-7b1e-8a55-0c1f3a9d7e42")]
    organization: Uuid,
    /// The invitation.
    #[param(example = "01937a5c-8f5e-7c52-9d0b-6f6d2f0c5a11")]
    invitation: Uuid,
}

/// `…/organizations/{organization}/members/{user}`
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct MemberPath {
    /// The organization; that of the key, see `GET /v1/me`.
    #[param(example = "01937a5c-1b2a-7b1e-8a55-0c1f3a9d7e42")]
    organization: Uuid,
    /// The member's `user_id`.
    #[param(example = "01937a5c-1b2a-7b20-9c11-4d8e6b0a2f37")]
    user: Uuid,
}

/// `…/invite/{organization_id}`
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct InvitedToPath {
    /// The organization; that of the key, see `GET /v1/me`.
    #[param(example = "01937a5c-1b2a-7b1e-8a55-0c1f3a9d7e42")]
    organization_id: Uuid,
}

/// `…/rs/na/{userId}/invite`
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ActingUserPath {
    /// The number of the user who acts, an active member of the organization; see `user` in
    /// `GET /v1/me`.
    #[param(rename = "userId", example = 1)]
    user_id: i64,
}

/// `…/api-keys/{api_key}`
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ApiKeyPath {
    /// The key's id, not the key itself.
    #[param(example = "01937a5d-0c44-7f0a-b7d2-95c1e3a86b04")]
    api_key: Uuid,
}

/// `…/dead-letters/{dead_letter}…`
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct DeadLetterPath {
    /// The dead letter.
    #[param(example = "01937a61-77ab-7d15-a3f0-1c5e9b7d2046")]
    dead_letter: Uuid,
}

/// `…/organizations/{organization}/webhooks/{webhook}…`
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct WebhookPath {
    /// The organization; that of the key, see `GET /v1/me`.
    #[param(example = "01937a5c-1b2a-7b1e-8a55-0c1f3a9d7e42")]
    organization: Uuid,
    /// The webhook.
    #[param(example = "01937a70-5b1e-7c11-8f2a-6d0e4b9c3a71")]
    webhook: Uuid,
}

/// `…/organizations/{organization}/test-mails/{test_mail}`
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct TestMailPath {
    /// The organization; that of the key, see `GET /v1/me`.
    #[param(example = "01937a5c-1b2a-7b1e-8a55-0c1f3a9d7e42")]
    organization: Uuid,
    /// The test mail.
    #[param(example = "01937a90-2b3c-7d4e-8f50-6a7b8c9d0e1f")]
    test_mail: Uuid,
}

/// `…/webhooks/{webhook}/deliveries/{webhook_delivery}…`
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct WebhookDeliveryPath {
    /// The organization; that of the key, see `GET /v1/me`.
    #[param(example = "01937a5c-1b2a-7b1e-8a55-0c1f3a9d7e42")]
    organization: Uuid,
    /// The webhook.
    #[param(example = "01937a70-5b1e-7c11-8f2a-6d0e4b9c3a71")]
    webhook: Uuid,
    /// The delivery: the `webhook-id` of its requests.
    #[param(example = "01937a71-02c4-7d55-9e13-5a7f1c0b8e26")]
    webhook_delivery: Uuid,
}

/// `…/organizations/{organization}/batches/{batch}…`
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct BatchPath {
    /// The organization; that of the key, see `GET /v1/me`.
    #[param(example = "01937a5c-1b2a-7b1e-8a55-0c1f3a9d7e42")]
    organization: Uuid,
    /// The batch.
    #[param(example = "01937a80-1f2e-7b3c-9d4e-5f6a7b8c9d0e")]
    batch: Uuid,
}

/// `…/messages/{message}…`
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct MessagePath {
    /// The captured mail.
    #[param(example = "01937a5c-949a-7000-8000-000000000001")]
    message: Uuid,
}

/// Makes a request safe to repeat; an operation that reads it can refuse it.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub struct IdempotencyKey {
    /// A text of your choice. The same request with the same key has its effect once and is
    /// answered as the first time, for 24 hours.
    #[param(
        rename = "Idempotency-Key",
        required = false,
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = "^[!-~]+$",
        example = "order-4711"
    )]
    key: Option<String>,
}

/// Who acts, beside the key or token that lets them.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub struct SessionToken {
    /// An HS256 JWT, signed with `session_token_secret`, that says `userId` (as in the path),
    /// `sessionId`, `iat` and `exp`.
    #[param(
        rename = "x-session-token",
        example = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.c2lnbmF0dXJl"
    )]
    session_token: String,
}

/// How long the caller wants to wait for its mail.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub struct Prefer {
    /// `wait=N` (RFC 7240) holds the answer until the mail is out or N seconds have passed, at most
    /// 30; `respond-async` answers at once, as without it.
    #[param(rename = "Prefer", required = false, nullable = false, example = "wait=10")]
    preference: Option<String>,
}

/// `…/organizations/{organization}/templates/{locale}…`
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct TemplatePath {
    /// The organization; that of the key, see `GET /v1/me`.
    #[param(example = "01937a5c-1b2a-7b1e-8a55-0c1f3a9d7e42")]
    organization: Uuid,
    /// The language, such as `de` or `pt-BR`; `default` for each that has no template of its own.
    #[param(
        min_length = 2,
        max_length = 35,
        pattern = "^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$",
        example = "de"
    )]
    locale: String,
}

/// `…/organizations/{organization}/templates/{locale}/versions/{version}`
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct TemplateVersionPath {
    /// The organization; that of the key, see `GET /v1/me`.
    #[param(example = "01937a5c-1b2a-7b1e-8a55-0c1f3a9d7e42")]
    organization: Uuid,
    /// The language, such as `de` or `pt-BR`; `default` for each that has no template of its own.
    #[param(
        min_length = 2,
        max_length = 35,
        pattern = "^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$",
        example = "de"
    )]
    locale: String,
    /// The version.
    #[param(minimum = 1, maximum = 2_147_483_647, example = 1)]
    version: u32,
}
