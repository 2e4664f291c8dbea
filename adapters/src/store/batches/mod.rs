//! Batches: many invitations asked for at once, whose rows are kept first and invited after.
//!
//! A batch is `receiving` while its rows arrive, and nobody sees it. The transaction that makes it
//! `working` is what the caller is answered after; from then on each row is invited in the same
//! transaction that writes down what became of it. So a crash at any point neither loses a row nor
//! invites it twice, and several processes share a batch by the lock on its row.

mod actor;
mod at_once;
mod counts;
mod forget;
mod pace;
mod read;
mod receive;
mod spans;
mod steer;
mod view;
mod wanted;
mod work;

use domain::{InvitationId, SendRefusal};
use entity::{batch, batch_row};
use sea_orm::prelude::Uuid;
use sea_orm::sea_query::{LockBehavior, LockType};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, QueryFilter,
    QuerySelect,
};

use super::Result;
use super::create::NewInvitation;
use super::together::Locking;

pub use at_once::AtOnce;
pub use pace::{BatchPace, BatchProgress};
pub use read::BatchRowFilter;
pub use receive::{BatchPlan, Begun, Started};
pub use view::{BatchDetail, BatchRowView, BatchView};

/// The status of a batch whose rows are still arriving: none that anybody sees.
const RECEIVING: &str = "receiving";

/// A row as it was sent.
#[derive(Debug)]
pub struct SentRow {
    /// The line of the file that it begins in; its number where there are no lines.
    pub line: u32,
    /// The address as it was given, if there was one.
    pub email: String,
    /// Whom it invites, or why that cannot be said.
    pub wanted: Result<Box<NewInvitation>, RowFault>,
}

/// What is wrong with a row, as the API tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowFault {
    /// The word for programs.
    pub code: &'static str,
    /// A sentence for people.
    pub detail: String,
}

/// Why a row that makes sense is not invited.
#[derive(Debug, Clone, Copy)]
pub enum RowRefusal {
    /// The address has this open invitation.
    Pending(InvitationId),
    /// The address belongs to an active member.
    Member,
    /// A mail must not be sent, or not now.
    Limit(SendRefusal),
    /// A fault of ours.
    Ours,
}

/// How the API tells a refusal.
pub type Explain = fn(RowRefusal) -> RowFault;

/// Locks a batch that is past receiving until the end of the transaction: whoever changes rows that
/// wait holds this lock. `None` if there is none, or, when not waiting, somebody else is at it.
async fn lock(
    tx: &DatabaseTransaction,
    id: Uuid,
    locking: Locking,
) -> Result<Option<batch::Model>> {
    let mut query = batch::Entity::find_by_id(id).filter(batch::Column::Status.ne(RECEIVING));
    // On SQLite the transaction is the only writer already.
    if tx.get_database_backend() == DbBackend::Postgres {
        query = match locking {
            Locking::Wait => query.lock(LockType::Update),
            Locking::Skip => query.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked),
        };
    }
    Ok(query.one(tx).await?)
}

/// Rows of a batch that stand so.
fn rows_of(id: Uuid, status: domain::BatchRowStatus) -> sea_orm::Select<batch_row::Entity> {
    batch_row::Entity::find()
        .filter(batch_row::Column::BatchId.eq(id))
        .filter(batch_row::Column::Status.eq(status.as_str()))
}
