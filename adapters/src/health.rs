//! What a process knows about its own health beyond the database and the broker.

use std::sync::{Arc, PoisonError, RwLock};

/// Shared by the worker, which knows how sending goes, and the API, which shows it.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<RwLock<Option<String>>>);

impl Health {
    /// Notes why mail cannot be sent at present, or that it can.
    pub fn set_mail_trouble(&self, trouble: Option<String>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    /// Why mail cannot be sent at present; `None` if nothing is known against it.
    pub fn mail_trouble(&self) -> Option<String> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_what_is_known() {
        let health = Health::default();
        health.clone().set_mail_trouble(Some("connection refused".into()));
        assert_eq!(health.mail_trouble().as_deref(), Some("connection refused"));
        health.set_mail_trouble(None);
        assert_eq!(health.mail_trouble(), None);
    }
}
