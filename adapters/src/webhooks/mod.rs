//! Telling endpoints of events over HTTP, by Standard Webhooks.
//!
//! [`guard`] decides which address may be spoken to, [`signature`] proves who speaks, [`post`]
//! speaks. An endpoint's URL may hold a secret of its owner: it is in no log and in no error.

pub mod guard;
pub mod post;
pub mod signature;

pub use guard::{Guard, Names, RefusedUrl};
pub use post::{Letter, Poster};
pub use signature::WebhookSecret;
