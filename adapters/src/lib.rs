//! All input and output that the API and the worker share.

pub mod mailer;
