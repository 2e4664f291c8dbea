//! Many rows in one statement, however many there are.
//!
//! PostgreSQL gets an array for each column: the statement's text is then always the same, so that it
//! is parsed and planned once per connection and not once per number of rows. SQLite runs in this
//! process, where a long list of values costs nothing more.

mod arrays;
mod changes;
mod update;

use sea_orm::prelude::Expr;
use sea_orm::sea_query::extension::postgres::PgFunc;
use sea_orm::sea_query::postgres_array::NotU8;
use sea_orm::sea_query::{Func, InsertStatement, OnConflict, Query, SelectStatement};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait,
    ExprTrait, FromQueryResult, IntoActiveModel, Iterable, Value,
};

use super::{Result, StoreError};

pub(super) use changes::{Changes, Told};

type ColumnOf<A> = <<A as ActiveModelTrait>::Entity as EntityTrait>::Column;
type ModelOf<A> = <<A as ActiveModelTrait>::Entity as EntityTrait>::Model;
/// What a guard gets the new value of a column from.
type New<'a, A> = &'a dyn Fn(ColumnOf<A>) -> Expr;

/// How the table of new values is called in a statement.
const NEW: &str = "new";

/// SQLite takes 32,766 values in a statement.
const SQLITE_VALUES: usize = 32_000;

/// Inserts those rows that no unique index has already, and gives them back, in any order.
pub(super) async fn insert_new<A>(tx: &DatabaseTransaction, rows: Vec<A>) -> Result<Vec<ModelOf<A>>>
where
    A: ActiveModelTrait + Send + Sync,
    ModelOf<A>: IntoActiveModel<A>,
{
    insert(tx, rows, skip()).await
}

/// Inserts rows, does what is to be done about those that are there already, and gives back, in any
/// order, what was written.
pub(super) async fn insert<A>(
    tx: &DatabaseTransaction,
    rows: Vec<A>,
    on_conflict: OnConflict,
) -> Result<Vec<ModelOf<A>>>
where
    A: ActiveModelTrait + Send + Sync,
    ModelOf<A>: IntoActiveModel<A>,
{
    if tx.get_database_backend() == DbBackend::Postgres {
        let Some(mut insert) = from_arrays(rows, on_conflict)? else { return Ok(Vec::new()) };
        let written = tx.query_all(insert.returning_all()).await?;
        let written = written.iter().map(|row| ModelOf::<A>::from_query_result(row, ""));
        return Ok(written.collect::<Result<_, _>>()?);
    }
    let mut written = Vec::new();
    for part in parts(rows) {
        let insert = A::Entity::insert_many(part).on_conflict(on_conflict.clone());
        written.extend(insert.exec_with_returning(tx).await?);
    }
    Ok(written)
}

/// Whether a column holds one of the values.
///
/// PostgreSQL makes a plan for each execution as long as it believes that knowing the values is worth
/// it, and planning takes longer than looking up a few rows. So it does not get to see them.
pub(super) fn is_any<C, V>(db: &impl ConnectionTrait, column: C, values: Vec<V>) -> Expr
where
    C: ColumnTrait,
    V: Into<Value> + NotU8,
    Vec<V>: Into<Value>,
{
    match db.get_database_backend() {
        DbBackend::Postgres => is_in_array(column, values),
        _ => column.is_in(values),
    }
}

fn is_in_array<C: ColumnTrait>(column: C, values: impl Into<Value>) -> Expr {
    let unseen = Query::select().expr(Func::cust("unnest").arg(Expr::val(values))).to_owned();
    is_in_query(column, unseen)
}

/// Whether a column holds one of what a query finds. PostgreSQL would rather read the whole table
/// beside it than look each one up: it is told to.
pub(super) fn is_any_of<C>(db: &impl ConnectionTrait, column: C, query: SelectStatement) -> Expr
where
    C: ColumnTrait,
{
    match db.get_database_backend() {
        DbBackend::Postgres => is_in_query(column, query),
        _ => column.in_subquery(query),
    }
}

fn is_in_query<C: ColumnTrait>(column: C, query: SelectStatement) -> Expr {
    let found = Func::cust("ARRAY").arg(Expr::SubQuery(None, Box::new(query.into())));
    column.into_expr().eq(PgFunc::any(found))
}

/// Any conflict counts, whichever index has it.
pub(super) fn skip() -> OnConflict {
    OnConflict::new().do_nothing().to_owned()
}

fn parts<A: ActiveModelTrait>(rows: Vec<A>) -> impl Iterator<Item = Vec<A>> {
    let size = SQLITE_VALUES / ColumnOf::<A>::iter().count().max(1);
    let mut rows = rows.into_iter();
    std::iter::from_fn(move || {
        let part: Vec<A> = rows.by_ref().take(size).collect();
        (!part.is_empty()).then_some(part)
    })
}

/// The columns that a row has values for.
fn columns<A: ActiveModelTrait>(row: &A) -> Vec<ColumnOf<A>> {
    ColumnOf::<A>::iter().filter(|&column| !row.is_not_set(column)).collect()
}

/// The statement that inserts the rows in their order; `None` if there are none.
fn from_arrays<A: ActiveModelTrait>(
    rows: Vec<A>,
    on_conflict: OnConflict,
) -> Result<Option<InsertStatement>> {
    let Some(first) = rows.first() else { return Ok(None) };
    let columns = columns(first);
    let new = arrays::select(rows, &columns)?;
    let mut insert = Query::insert();
    insert.into_table(A::Entity::default()).columns(columns).on_conflict(on_conflict);
    let written = insert.select_from(new);
    // The columns are the same.
    written
        .map_err(|error| StoreError::Database(format!("an insert cannot be written: {error}")))?;
    Ok(Some(insert))
}

/// As PostgreSQL reads and writes bytes.
pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    let digits = bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]);
    ['\\', 'x'].into_iter().chain(digits).collect()
}
