//! Rows as the database holds them, one table a file; no behaviour.
#![expect(
    missing_docs,
    reason = "the columns are described in ARCHITECTURE.md and in the domain types"
)]

pub mod announcement;
pub mod api_key;
pub mod attempt;
pub mod batch;
pub mod batch_row;
pub mod console_session;
pub mod dead_letter;
pub mod delivery;
pub mod event;
pub mod event_exchange;
pub mod former_token;
pub mod idempotency_key;
pub mod invitation;
pub mod logo;
pub mod membership;
pub mod organization;
pub mod outbox;
pub mod suppression;
pub mod tally;
pub mod template;
pub mod test_mail;
pub mod user;
pub mod webhook_attempt;
pub mod webhook_delivery;
pub mod webhook_endpoint;
pub mod worker;
