//! Endpoints that are told of events, and the telling: the same claim, lease and report as mails have,
//! one transaction each. A repeat is harmless here, so nothing is ever uncertain.

mod claim;
mod columns;
mod endpoint;
mod log;
mod replay;
mod report;
mod rescue;
mod reseal;
mod view;

pub use claim::ClaimedWebhook;
pub use endpoint::{NewWebhook, RotatedSecret, WebhookChange};
pub use log::WebhookLogFilter;
pub use view::{WebhookAttemptView, WebhookDeliveryView, WebhookStatus, WebhookView};
