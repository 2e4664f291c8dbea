//! The database: the only authority on what is true, on SQLite and PostgreSQL alike.
//!
//! Every change runs as one short transaction in a task of its own on the runtime that connected:
//! a caller that goes away cannot cancel it half-way, which would poison the pooled connection.

mod accept;
mod activity;
mod actor;
mod announce;
mod api_key;
mod audit;
mod back_up;
mod batches;
mod bootstrap;
mod branding;
mod bulk;
mod caller;
mod change;
mod claim;
mod claimable;
mod close;
mod connect;
mod consequences;
mod console;
mod convert;
mod create;
mod create_all;
mod dead_letter;
mod enlist;
mod error;
mod examine;
mod exchange;
mod expire;
mod feedback;
mod forget;
mod former;
mod idempotency;
mod intake;
mod invite;
mod issue_password;
mod late_answer;
mod limit;
mod locked;
mod lost;
mod members;
mod move_in;
mod new_link;
mod newcomers;
mod open_mails;
mod opened_page;
mod organizations;
mod outbox;
mod outlet;
mod own_invitations;
mod own_templates;
mod people;
mod plan;
mod policy;
mod pool;
mod read;
mod readdress;
mod remind;
mod report;
mod requeue;
mod reschedule;
mod rescue;
mod seats;
mod statuses;
mod still_given;
mod suppress;
mod suppressions;
mod test_mails;
mod together;
mod unwanted;
mod used;
mod view;
mod webhooks;
mod workers;
mod wrong_password;

use std::sync::Arc;

use futures_util::future::BoxFuture;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    AccessMode, ActiveModelTrait, DatabaseConnection, DatabaseTransaction, DbBackend, EntityTrait,
    IsolationLevel, SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, MutexGuard, Notify};

pub use accept::{AcceptOutcome, Accepted, Credential, OpenInvitation};
pub use activity::{Activity, Minute};
pub use actor::Actor;
pub use api_key::{ApiKeyView, NewApiKey};
pub use batches::{
    AtOnce, BatchDetail, BatchPace, BatchPlan, BatchProgress, BatchRowFilter, BatchRowView,
    BatchView, Begun, Explain, RowFault, RowRefusal, SentRow, Started,
};
pub use bootstrap::Bootstrap;
pub use branding::{BrandingChange, LogoChange, LogoFile, Look};
pub use caller::{Caller, OrganizationKey, OrganizationRef, UserRef};
pub use change::ChangeOutcome;
pub use claim::{Claimed, ClaimedMail, NewSecret};
pub use connect::DeliveryPolicy;
pub use create::{CreateOutcome, EarlySecret, NewInvitation, OnExisting};
pub use create_all::{BatchOutcome, BatchRow};
pub use dead_letter::DeadLetterView;
pub use error::StoreError;
pub use examine::{DatabaseReport, Tables};
pub use exchange::AnnouncementEntry;
pub use feedback::Told;
pub use idempotency::IdempotencyKey;
pub use members::{MemberView, RemoveOutcome};
pub use move_in::{MoveError, MovedTable};
pub use new_link::LinkRequest;
pub use open_mails::OpenMails;
pub use organizations::{
    NewOrganization, OrganizationChange, OrganizationOutcome, OrganizationView, RolesChange,
};
pub use outbox::{OutboxEntry, OutboxLag, Rank};
pub use outlet::Outlet;
pub use own_invitations::OwnInvitation;
pub use own_templates::{TemplateRow, TemplateSummary, TemplateVersion};
pub use people::{EraseOutcome, Erased, PersonExport, PersonMembership, PersonUser, Reach};
pub use read::ListFilter;
pub use suppressions::{Lifted, SuppressionView};
pub use test_mails::{ClaimedTestMail, NewTestMail, TestMailOutcome, TestMailView};
pub use used::Token;
pub use view::{AttemptView, DeliveryView, EventView, InvitationDetail, InvitationView};
pub use webhooks::{
    ClaimedWebhook, NewWebhook, RotatedSecret, WebhookAttemptView, WebhookChange,
    WebhookDeliveryView, WebhookLogFilter, WebhookStatus, WebhookView,
};

use crate::clock::Clock;
use crate::gathering;
use crate::metrics::Metrics;
use crate::settings::LimitSettings;
use crate::trace::{self, Tracer};
use domain::{DeliveryState, SecretHash, Timestamp};

use self::claim::Wanted;
use self::intake::Asked;
use self::report::Report;
use self::statuses::{Question, Statuses};

/// The database; cheap to clone.
#[derive(Clone)]
pub struct Store {
    db: DatabaseConnection,
    clock: Clock,
    policy: DeliveryPolicy,
    limits: Arc<LimitSettings>,
    runtime: Handle,
    /// SQLite has one writer: queueing for it here is fair, its own busy handler is not.
    writer: Option<Arc<Mutex<()>>>,
    outlet: Arc<Outlet>,
    gatherings: Gatherings,
    /// Rung when there is a batch to work on.
    bell: Arc<Notify>,
    metrics: Metrics,
    tracer: Tracer,
}

/// Calls that are answered together; each may fail by itself.
type Gathering<A, R> = gathering::Gathering<A, Result<R>>;
/// One of them.
type Call<A, R> = gathering::Call<A, Result<R>>;

/// Where calls wait for others of their kind.
#[derive(Clone)]
struct Gatherings {
    creates: Gathering<Arc<Asked>, CreateOutcome>,
    callers: Gathering<SecretHash, Option<Caller>>,
    claims: Gathering<Arc<Wanted>, Option<Claimed>>,
    reports: Gathering<Arc<Report>, Option<DeliveryState>>,
    statuses: Gathering<Arc<Question>, Statuses>,
}

impl Gatherings {
    /// While one batch commits, another can be written; SQLite has one writer.
    fn new(sqlite: bool, waiting: usize) -> Self {
        let writers = if sqlite { 1 } else { 2 };
        Self {
            creates: Gathering::bounded(writers, waiting),
            callers: Gathering::bounded(2, waiting),
            // As many as the worker has jobs in hand.
            // One at a time: what a larger batch saves is more than what it lets wait.
            claims: Gathering::new(1),
            reports: Gathering::new(1),
            statuses: Gathering::new(1),
        }
    }
}

/// How a transaction that ran without an error ends.
enum Verdict<T> {
    Commit(T),
    RollBack(T),
}

impl<T> Verdict<T> {
    fn map<U>(self, change: impl FnOnce(T) -> U) -> Verdict<U> {
        match self {
            Self::Commit(value) => Verdict::Commit(change(value)),
            Self::RollBack(value) => Verdict::RollBack(change(value)),
        }
    }
}

/// Inserts a row unless some unique index has it already; `true` if it was inserted.
async fn insert_if_new<A>(tx: &DatabaseTransaction, row: A) -> Result<bool>
where
    A: ActiveModelTrait + Send,
{
    // Without a named index: any conflict counts, and PostgreSQL waits for a rival that has not
    // committed yet instead of failing the transaction.
    let skip = OnConflict::new().do_nothing().to_owned();
    let insert = A::Entity::insert_many([row]).on_conflict(skip);
    Ok(insert.exec_without_returning(tx).await? == 1)
}

type Result<T, E = StoreError> = std::result::Result<T, E>;

impl Store {
    /// The clock that every stored time comes from; it follows the database's.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// What this process counts: kept here, because whoever counts has a store.
    pub const fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// What tells of spans; kept here for the same reason.
    pub const fn tracer(&self) -> &Tracer {
        &self.tracer
    }

    /// What the relay of this process gets its rows from.
    pub fn outlet(&self) -> Arc<Outlet> {
        Arc::clone(&self.outlet)
    }

    async fn read<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c DatabaseConnection, Timestamp) -> BoxFuture<'c, Result<T>>
            + Send
            + 'static,
    {
        let (db, now) = (self.db.clone(), self.clock.now());
        self.runtime.spawn(async move { work(&db, now).await }).await?
    }

    /// Reads several rows as they were at one moment: without it, an answer could say that a mail
    /// is sent and, from a row read a moment earlier, that it is not.
    async fn snapshot<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c DatabaseTransaction) -> BoxFuture<'c, Result<T>> + Send + 'static,
    {
        let db = self.db.clone();
        let reading = async move {
            let postgres = db.get_database_backend() == DbBackend::Postgres;
            // On SQLite every transaction reads one moment anyway, and the options are refused.
            let tx = db
                .begin_with_options(TransactionOptions {
                    isolation_level: postgres.then_some(IsolationLevel::RepeatableRead),
                    access_mode: postgres.then_some(AccessMode::ReadOnly),
                    sqlite_transaction_mode: None,
                })
                .await?;
            let result = work(&tx).await;
            tx.rollback().await?;
            result
        };
        self.runtime.spawn(reading).await?
    }

    async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c DatabaseTransaction, Timestamp) -> BoxFuture<'c, Result<Verdict<T>>>
            + Send
            + 'static,
    {
        let store = self.clone();
        // The new task belongs where this one does, if that is in a trace.
        let work = trace::carried().within(async move { store.transact(work).await });
        self.runtime.spawn(work).await?
    }

    /// Makes one statement, which is a transaction by itself: BEGIN and COMMIT of their own would be two
    /// more ways to the database and back.
    async fn write_alone<T, F>(&self, statement: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c DatabaseConnection, Timestamp) -> BoxFuture<'c, Result<T>>
            + Send
            + 'static,
    {
        let store = self.clone();
        let alone = async move {
            let _turn = store.turn().await;
            statement(&store.db, store.clock.now()).await
        };
        self.runtime.spawn(alone).await?
    }

    /// The right to write, where only one may.
    async fn turn(&self) -> Option<MutexGuard<'_, ()>> {
        match &self.writer {
            Some(writer) => Some(writer.lock().await),
            None => None,
        }
    }

    async fn transact<T, F>(&self, work: F) -> Result<T>
    where
        F: for<'c> FnOnce(&'c DatabaseTransaction, Timestamp) -> BoxFuture<'c, Result<Verdict<T>>>,
    {
        let _turn = self.turn().await;
        let options = TransactionOptions {
            // A deferred transaction that turns into a writer fails at once when another one is
            // active, without waiting its turn.
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let tx = self.db.begin_with_options(options).await?;
        // The time is taken once the lock is held, so that waiting for it makes no row look older.
        match work(&tx, self.clock.now()).await {
            Ok(Verdict::Commit(value)) => {
                tx.commit().await?;
                Ok(value)
            }
            Ok(Verdict::RollBack(value)) => {
                tx.rollback().await?;
                Ok(value)
            }
            Err(error) => {
                // The first error tells the story; a failing rollback only repeats it.
                drop(tx.rollback().await);
                Err(error)
            }
        }
    }
}
