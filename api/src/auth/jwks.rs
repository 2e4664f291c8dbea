//! The issuer's public keys: loaded from a URL or a file, kept, and loaded again when they are old
//! or when a token names a key that is not among them.
//!
//! Loading never happens on a thread that answers requests, and never twice at once. While the
//! source is away, the last set counts.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use adapters::download::download;
use adapters::settings::JwksSource;
use jsonwebtoken::Algorithm;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::Instant;

use super::public_key::{PublicKey, read_keys};
use super::token_error::{TokenConfigError, TokenError};

/// At most so often is the source asked, whatever the tokens of strangers name.
const PAUSE: Duration = Duration::from_secs(10);
/// How long a URL may take to give all of its document.
const DEADLINE: Duration = Duration::from_secs(5);
/// Ten times what large issuers publish.
const MAX_BYTES: u64 = 256 * 1024;

/// The keys; cheap to clone.
#[derive(Clone)]
pub(super) struct KeySet(Arc<Inner>);

struct Inner {
    source: JwksSource,
    refresh: Duration,
    loaded: RwLock<Option<Loaded>>,
    /// When loading was last begun. Whoever loads holds it meanwhile.
    tried: Arc<Mutex<Option<Instant>>>,
}

#[derive(Clone)]
struct Loaded {
    keys: Arc<[Arc<PublicKey>]>,
    at: Instant,
}

impl KeySet {
    /// Reads a file at once, so that a start with a wrong one fails; a URL only when it is needed.
    pub fn open(source: JwksSource, refresh: Duration) -> Result<Self, TokenConfigError> {
        let mut loaded = None;
        if let JwksSource::File(path) = &source {
            let keys = read_file(path).and_then(|document| read_keys(&document));
            let keys =
                keys.map_err(|problem| TokenConfigError::File { path: path.to_owned(), problem })?;
            loaded = Some(Loaded::new(keys, Instant::now()));
        }
        let tried = Arc::new(Mutex::new(loaded.as_ref().map(|loaded| loaded.at)));
        Ok(Self(Arc::new(Inner { source, refresh, loaded: RwLock::new(loaded), tried })))
    }

    /// The key that a token names; without a name, the only one for its algorithm.
    pub async fn find(
        &self,
        algorithm: Algorithm,
        id: Option<&str>,
    ) -> Result<Arc<PublicKey>, TokenError> {
        let loaded = self.0.loaded();
        if let Some(key) = loaded.as_ref().and_then(|loaded| loaded.find(algorithm, id)) {
            if loaded.is_some_and(|loaded| loaded.at.elapsed() >= self.0.refresh) {
                self.load_ahead();
            }
            return Ok(key);
        }
        // Many may wait here for one load; the others find that it has just been done.
        if let Some(load) = self.begin(Arc::clone(&self.0.tried).lock_owned().await) {
            // It has its own deadline, and goes on if this request is given up.
            let _ = load.await;
        }
        let loaded = self.0.loaded().ok_or(TokenError::KeysUnavailable)?;
        loaded.find(algorithm, id).ok_or(TokenError::UnknownKey)
    }

    /// Begins to load the set, unless somebody is at it.
    pub fn load_ahead(&self) {
        if let Ok(tried) = Arc::clone(&self.0.tried).try_lock_owned() {
            drop(self.begin(tried));
        }
    }

    /// Begins to load the set, unless that was tried a moment ago.
    fn begin(&self, mut tried: OwnedMutexGuard<Option<Instant>>) -> Option<JoinHandle<()>> {
        if tried.is_some_and(|at| at.elapsed() < PAUSE) {
            return None;
        }
        let now = Instant::now();
        *tried = Some(now);
        let inner = Arc::clone(&self.0);
        Some(spawn_blocking(move || {
            inner.load(now);
            drop(tried);
        }))
    }
}

impl Inner {
    fn load(&self, now: Instant) {
        let document = match &self.source {
            JwksSource::Url(url) => {
                download(url, MAX_BYTES, DEADLINE).map_err(|error| error.to_string())
            }
            JwksSource::File(path) => read_file(path),
        };
        match document.and_then(|document| read_keys(&document)) {
            Ok(keys) => {
                tracing::debug!(keys = keys.len(), "the keys for tokens are loaded");
                let mut loaded = self.loaded.write().unwrap_or_else(PoisonError::into_inner);
                *loaded = Some(Loaded::new(keys, now));
            }
            Err(problem) => {
                tracing::warn!("jwks: {} {problem}; keys known before still count", self.source);
            }
        }
    }

    fn loaded(&self) -> Option<Loaded> {
        self.loaded.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Loaded {
    fn new(keys: Vec<PublicKey>, at: Instant) -> Self {
        Self { keys: keys.into_iter().map(Arc::new).collect(), at }
    }

    /// A token may leave out the name only where there is one candidate (OpenID Connect Core §10.1).
    fn find(&self, algorithm: Algorithm, id: Option<&str>) -> Option<Arc<PublicKey>> {
        let mut fitting = self
            .keys
            .iter()
            .filter(|key| key.algorithm == algorithm && (id.is_none() || key.id.as_deref() == id));
        let first = fitting.next()?;
        (id.is_some() || fitting.next().is_none()).then(|| Arc::clone(first))
    }
}

fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    let unreadable = |error: std::io::Error| format!("cannot be read: {error}");
    // A pipe would block for ever.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err("is no regular file".into());
    }
    let mut document = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(MAX_BYTES + 1).read_to_end(&mut document).map_err(unreadable)?;
    if document.len() as u64 > MAX_BYTES {
        return Err(format!("is longer than {MAX_BYTES} bytes"));
    }
    Ok(document)
}
