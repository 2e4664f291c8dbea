//! A connection that is made anew for ever, and the list of all that are open.
//!
//! The library can reconnect by itself, but it hides the moment: a confirm neither comes nor
//! fails, and an ack from before can go to a message from after. A lost connection is thrown
//! away here with everything that hung on it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use lapin::tcp::OwnedTLSConfig;
use lapin::uri::AMQPUri;
use lapin::{Channel, Connection, ConnectionProperties, ErrorKind};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::topology::Names;
use crate::certificate;
use crate::settings::Topology;

/// How long one step of opening or closing may take.
pub(super) const STEP_TIMEOUT: Duration = Duration::from_secs(10);
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
/// How often the state of an idle connection is looked at.
const WATCH_INTERVAL: Duration = Duration::from_millis(500);
/// AMQP's words for a declaration that contradicts what is there, for what is not there, and for what
/// the log-in may not do.
pub(super) const PRECONDITION_FAILED: u16 = 406;
const NOT_FOUND: u16 = 404;
pub(super) const ACCESS_REFUSED: u16 = 403;
const MIN_PAUSE: f64 = 0.2;
const MAX_PAUSE: f64 = 10.0;
/// A connection that held this long was a good one; the pauses start small again.
const PROVEN: Duration = Duration::from_secs(10);
/// An attempt at a frozen server cannot be cancelled: the library's thread stays until the
/// socket dies. So no more than this many are ever under way, and a late success is used.
const MAX_ATTEMPTS: usize = 3;

#[derive(Debug, thiserror::Error)]
pub(super) enum LinkError {
    #[error(transparent)]
    Amqp(lapin::Error),
    #[error("{0}")]
    Certificate(String),
    #[error(
        "a queue or an exchange is not as it should be; once it is removed, it is declared as it \
         should be, or give this service a broker.prefix of its own: {0}"
    )]
    Different(lapin::Error),
    #[error(
        "a queue or an exchange is not as it should be, and broker.topology = \"check\" leaves it \
         alone: delete it and import deploy/rabbitmq/definitions.json: {0}"
    )]
    Wrong(lapin::Error),
    #[error(
        "a queue or an exchange is not there, and broker.topology = \"check\" makes none: import \
         deploy/rabbitmq/definitions.json, or let a log-in that may configure it declare it: {0}"
    )]
    Missing(lapin::Error),
    #[error("the broker did not answer in time")]
    Timeout,
    #[error("the attempt to connect was ended")]
    Ended(#[from] tokio::task::JoinError),
}

impl LinkError {
    /// Of an attempt to declare a queue or an exchange, or to find it.
    pub(super) fn of_topology(error: lapin::Error, topology: Topology) -> Self {
        match (code(&error), topology) {
            (Some(PRECONDITION_FAILED), Topology::Declare) => Self::Different(error),
            (Some(PRECONDITION_FAILED), Topology::Check) => Self::Wrong(error),
            _ => Self::of_use(error, topology),
        }
    }

    /// Of an attempt to use one.
    pub(super) fn of_use(error: lapin::Error, topology: Topology) -> Self {
        match (code(&error), topology) {
            (Some(NOT_FOUND), Topology::Check) => Self::Missing(error),
            _ => error.into(),
        }
    }

    /// `passing` is what happened if it may well pass by itself.
    pub(super) fn log(&self, link: &str, passing: &str) {
        match self {
            // Time does not heal it: an operator must.
            Self::Different(_) | Self::Wrong(_) | Self::Missing(_) | Self::Certificate(_) => {
                tracing::error!(link, error = %self, "the broker is of no use");
            }
            Self::Amqp(_) | Self::Timeout | Self::Ended(_) => {
                tracing::warn!(link, error = %self, "{passing}");
            }
        }
    }
}

impl From<lapin::Error> for LinkError {
    fn from(error: lapin::Error) -> Self {
        match certificate::trouble(certificate::Server::Broker, &error) {
            Some(trouble) => Self::Certificate(trouble),
            None => Self::Amqp(error),
        }
    }
}

/// The number that AMQP has for what the broker refused.
pub(super) fn code(error: &lapin::Error) -> Option<u16> {
    match error.kind() {
        ErrorKind::ProtocolError(said) => Some(said.get_id()),
        _ => None,
    }
}

/// What all connections of one broker have in common.
pub(super) struct Shared {
    pub(super) uri: AMQPUri,
    tls: OwnedTLSConfig,
    pub(super) names: Names,
    pub(super) confirm_timeout: Duration,
    pub(super) closed: CancellationToken,
    pub(super) tasks: TaskTracker,
    down: AtomicUsize,
    open: Mutex<Vec<Weak<Session>>>,
}

impl Shared {
    pub(super) fn new(
        uri: AMQPUri,
        tls: OwnedTLSConfig,
        names: Names,
        confirm_timeout: Duration,
    ) -> Self {
        Self {
            uri,
            tls,
            names,
            confirm_timeout,
            closed: CancellationToken::new(),
            tasks: TaskTracker::new(),
            down: AtomicUsize::new(0),
            open: Mutex::default(),
        }
    }

    /// One more connection, which the broker shows under this name.
    pub(super) fn connect(
        &self,
        name: &str,
    ) -> impl Future<Output = lapin::Result<Connection>> + Send + use<> {
        let (uri, tls) = (self.uri.clone(), self.tls.clone());
        let name = format!("welcomat {name}");
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        async move {
            let runtime = lapin::runtime::default_runtime()?;
            Connection::connect_uri_with_config(uri, properties, tls, runtime).await
        }
    }

    pub(super) fn is_connected(&self) -> bool {
        !self.closed.is_cancelled() && self.down.load(Ordering::Relaxed) == 0
    }

    /// Lets the tasks end, then says goodbye on every connection that is still open.
    pub(super) async fn close(&self) {
        self.closed.cancel();
        self.tasks.close();
        // A batch under way may still be confirmed; an unlucky one is published again.
        let _ = timeout(CLOSE_TIMEOUT, self.tasks.wait()).await;
        let open = std::mem::take(&mut *self.open.lock().unwrap_or_else(PoisonError::into_inner));
        let sessions = open.iter().filter_map(Weak::upgrade);
        futures_util::future::join_all(sessions.map(|session| async move { session.end().await }))
            .await;
    }

    /// One of the connections that are open now.
    pub(super) fn any_session(&self) -> Option<Arc<Session>> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.iter().filter_map(Weak::upgrade).find(|session| session.is_up())
    }

    fn remember(&self, session: &Arc<Session>) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|other| other.strong_count() > 0);
        open.push(Arc::downgrade(session));
    }
}

/// One open connection and its channel; both go when the last holder goes.
pub(super) struct Session {
    connection: Connection,
    pub(super) channel: Channel,
}

impl Session {
    /// Another channel, for what may fail without taking the first one along.
    pub(super) async fn side_channel(&self) -> lapin::Result<Channel> {
        self.connection.create_channel().await
    }

    /// Comes back when the connection or the channel is no more.
    pub(super) async fn lost(&self) {
        // The state is looked at, for a loss is told in different ways, and not always.
        while self.is_up() {
            tokio::time::sleep(WATCH_INTERVAL).await;
        }
    }

    pub(super) fn is_up(&self) -> bool {
        self.connection.status().connected() && self.channel.status().connected()
    }

    /// Closes politely, but not at any price.
    pub(super) async fn end(&self) {
        if !self.connection.status().connected() {
            return;
        }
        match timeout(CLOSE_TIMEOUT, self.connection.close(200, "done".into())).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "the connection was already going"),
            Err(_) => tracing::debug!("the broker did not confirm the end of the connection"),
        }
    }
}

/// Makes sessions, one after the other.
pub(super) struct Link {
    shared: Arc<Shared>,
    name: &'static str,
    attempts: JoinSet<lapin::Result<Connection>>,
    failures: i32,
    up_since: Option<Instant>,
}

impl Link {
    pub(super) fn new(shared: &Arc<Shared>, name: &'static str) -> Self {
        shared.down.fetch_add(1, Ordering::Relaxed);
        let shared = Arc::clone(shared);
        Self { shared, name, attempts: JoinSet::new(), failures: 0, up_since: None }
    }

    /// A fresh session with everything in its place; tries for ever, `None` once `stop` is asked.
    pub(super) async fn session(&mut self, stop: &CancellationToken) -> Option<Arc<Session>> {
        let stop = stop.clone();
        tokio::select! {
            biased;
            () = stop.cancelled() => None,
            session = self.connect_for_ever() => Some(session),
        }
    }

    async fn connect_for_ever(&mut self) -> Arc<Session> {
        loop {
            if self.failures > 0 {
                tokio::time::sleep(pause(self.failures)).await;
            }
            match self.open().await {
                Ok(session) => {
                    tracing::info!(link = self.name, "connected to the broker");
                    let session = Arc::new(session);
                    self.shared.remember(&session);
                    self.up_since = Some(Instant::now());
                    self.shared.down.fetch_sub(1, Ordering::Relaxed);
                    return session;
                }
                Err(error) => {
                    self.failures = self.failures.saturating_add(1);
                    error.log(self.name, "no connection to the broker yet");
                }
            }
        }
    }

    async fn open(&mut self) -> Result<Session, LinkError> {
        let connection = self.dial().await?;
        let prepare = async {
            let channel = connection.create_channel().await?;
            self.shared.names.prepare(&channel).await?;
            Ok::<_, LinkError>(channel)
        };
        let prepared = timeout(STEP_TIMEOUT, prepare).await;
        let channel = prepared.map_err(|_| LinkError::Timeout)??;
        Ok(Session { connection, channel })
    }

    async fn dial(&mut self) -> Result<Connection, LinkError> {
        if self.attempts.len() < MAX_ATTEMPTS {
            self.attempts.spawn(self.shared.connect(self.name));
        }
        let finished = timeout(STEP_TIMEOUT, self.attempts.join_next()).await;
        let finished = finished.map_err(|_| LinkError::Timeout)?;
        Ok(finished.ok_or(LinkError::Timeout)???)
    }

    /// Says that the session is of no use any more and throws it away.
    pub(super) fn lost(&mut self, session: Arc<Session>) {
        let Some(since) = self.up_since.take() else { return };
        self.shared.down.fetch_add(1, Ordering::Relaxed);
        self.failures = if since.elapsed() >= PROVEN { 1 } else { self.failures.saturating_add(1) };
        tracing::warn!(link = self.name, "lost the connection to the broker");
        // Not awaited: a server that does not answer must not hold up the next attempt.
        self.shared.tasks.spawn(async move { session.end().await });
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // A consumer that was stopped says nothing about the state of the others.
        if self.up_since.is_none() {
            self.shared.down.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// Random, so that a hundred workers do not come back in the same instant.
fn pause(failures: i32) -> Duration {
    let ceiling = (MIN_PAUSE * 2_f64.powi(failures.min(10))).min(MAX_PAUSE);
    Duration::from_secs_f64(rand::RngExt::random_range(&mut crate::rng(), MIN_PAUSE..=ceiling))
}
