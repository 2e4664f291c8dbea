//! The templates of organizations that this worker has compiled: a version never changes, so that it
//! is read and compiled once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use adapters::store::{Claimed, Store, StoreError, TemplateVersion};
use adapters::templates::{OwnTemplate, TemplateFault};
use domain::OrganizationId;
use tokio::task::spawn_blocking;

/// Versions that are kept; at more than this all are forgotten. A compiled one takes some ten times
/// the room of its text.
const MOST: usize = 128;

type Key = (OrganizationId, TemplateVersion);

/// A template of an organization's own.
pub struct Own {
    /// Which one.
    pub version: TemplateVersion,
    /// Ready to use, or why it is not.
    pub template: Result<OwnTemplate, String>,
}

/// Compiled versions.
#[derive(Default)]
pub struct OwnTemplates {
    compiled: Mutex<HashMap<Key, Arc<Own>>>,
}

impl OwnTemplates {
    /// The template that a mail is to be made from; `None` for the one that everybody has.
    pub async fn of(
        &self,
        store: &Store,
        claimed: &Claimed,
    ) -> Result<Option<Arc<Own>>, StoreError> {
        let Some(version) = &claimed.template else { return Ok(None) };
        let key = (claimed.mail.organization_id, version.clone());
        if let Some(known) = self.known(&key) {
            return Ok(Some(known));
        }
        let source = store.template_source(key.0, version.clone()).await?;
        // A version that is gone is not remembered: it says nothing about a later one.
        let Some(source) = source else {
            let gone = Own { version: version.clone(), template: Err("it is gone".to_owned()) };
            return Ok(Some(Arc::new(gone)));
        };
        let compiled = spawn_blocking(move || OwnTemplate::compile(&source)).await;
        let template = match compiled {
            Ok(compiled) => compiled.map_err(|faults| told(&faults)),
            Err(_) => Err("it cannot be read; this is a bug".to_owned()),
        };
        let own = Arc::new(Own { version: version.clone(), template });
        let mut all = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST {
            all.clear();
        }
        all.insert(key, Arc::clone(&own));
        Ok(Some(own))
    }

    fn known(&self, key: &Key) -> Option<Arc<Own>> {
        let all = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(key).map(Arc::clone)
    }
}

/// What is wrong, for people.
pub fn told(faults: &[TemplateFault]) -> String {
    let told = faults.iter().map(|fault| format!("{}: {fault}", fault.part.as_str()));
    told.collect::<Vec<_>>().join("; ")
}
