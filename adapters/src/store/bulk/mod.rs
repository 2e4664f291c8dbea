//! Many rows in one statement, however many there are.
//!
//! PostgreSQL gets them as one JSON parameter: the statement's text is then always the same, so
//! that it is parsed and planned once per connection and not once per number of rows. SQLite runs
//! in this process, where a long list of values costs nothing more.

mod json;
mod update;

use sea_orm::prelude::Expr;
use sea_orm::sea_query::extension::postgres::PgFunc;
use sea_orm::sea_query::postgres_array::NotU8;
use sea_orm::sea_query::{Func, OnConflict, SelectStatement};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, EntityName,
    EntityTrait, ExprTrait, IdenStatic, IntoActiveModel, Iterable, Statement, Value,
};

use super::Result;

pub(super) use update::update;

type ColumnOf<A> = <<A as ActiveModelTrait>::Entity as EntityTrait>::Column;
type ModelOf<A> = <<A as ActiveModelTrait>::Entity as EntityTrait>::Model;

/// SQLite takes 32,766 values in a statement.
const SQLITE_VALUES: usize = 32_000;

/// Inserts rows, all of which have values for the same columns.
pub(super) async fn insert<A>(tx: &DatabaseTransaction, rows: Vec<A>) -> Result<()>
where
    A: ActiveModelTrait + Send + Sync,
{
    if tx.get_database_backend() == DbBackend::Postgres {
        if let Some(statement) = from_json(&rows, "")? {
            tx.execute_raw(statement).await?;
        }
        return Ok(());
    }
    for part in parts(rows) {
        A::Entity::insert_many(part).exec_without_returning(tx).await?;
    }
    Ok(())
}

/// The statement that inserts rows and answers with what `select` finds, whose `$2` is `value`; for
/// PostgreSQL. `None` if there are no rows.
pub(super) fn insert_and<A: ActiveModelTrait>(
    rows: &[A],
    select: &str,
    value: Value,
) -> Result<Option<Statement>> {
    let Some(mut statement) = from_json(rows, "")? else { return Ok(None) };
    statement.sql = format!("WITH added AS ({}) {select}", statement.sql);
    if let Some(values) = &mut statement.values {
        values.0.push(value);
    }
    Ok(Some(statement))
}

/// Inserts those rows that no unique index has already, and gives them back, in any order.
pub(super) async fn insert_new<A>(tx: &DatabaseTransaction, rows: Vec<A>) -> Result<Vec<ModelOf<A>>>
where
    A: ActiveModelTrait + Send + Sync,
    ModelOf<A>: IntoActiveModel<A>,
{
    if tx.get_database_backend() == DbBackend::Postgres {
        let Some(statement) = from_json(&rows, "ON CONFLICT DO NOTHING RETURNING *")? else {
            return Ok(Vec::new());
        };
        return Ok(A::Entity::find().from_raw_sql(statement).all(tx).await?);
    }
    let mut inserted = Vec::new();
    for part in parts(rows) {
        let insert = A::Entity::insert_many(part).on_conflict(skip());
        inserted.extend(insert.exec_with_returning(tx).await?);
    }
    Ok(inserted)
}

/// Inserts rows unless some unique index has one of them: then it is `false`, and the transaction
/// is to be rolled back.
pub(super) async fn insert_if_all_new<A>(tx: &DatabaseTransaction, rows: Vec<A>) -> Result<bool>
where
    A: ActiveModelTrait + Send + Sync,
{
    let count = rows.len() as u64;
    if tx.get_database_backend() == DbBackend::Postgres {
        let Some(statement) = from_json(&rows, "ON CONFLICT DO NOTHING")? else { return Ok(true) };
        return Ok(tx.execute_raw(statement).await?.rows_affected() == count);
    }
    let mut inserted = 0;
    for part in parts(rows) {
        let insert = A::Entity::insert_many(part).on_conflict(skip());
        inserted += insert.exec_without_returning(tx).await?;
    }
    Ok(inserted == count)
}

/// Whether a column holds one of the values; one parameter on PostgreSQL, for the same reason.
pub(super) fn is_any<C, V>(db: &impl ConnectionTrait, column: C, values: Vec<V>) -> Expr
where
    C: ColumnTrait,
    V: Into<Value> + NotU8,
{
    match db.get_database_backend() {
        DbBackend::Postgres => column.eq_any(values),
        _ => column.is_in(values),
    }
}

/// Whether a column holds one of what a query finds. PostgreSQL would rather read the whole table
/// beside it than look each one up: it is told to.
pub(super) fn is_any_of<C>(db: &impl ConnectionTrait, column: C, query: SelectStatement) -> Expr
where
    C: ColumnTrait,
{
    if db.get_database_backend() != DbBackend::Postgres {
        return column.in_subquery(query);
    }
    let found = Func::cust("ARRAY").arg(Expr::SubQuery(None, Box::new(query.into())));
    column.into_expr().eq(PgFunc::any(found))
}

/// Any conflict counts, whichever index has it.
fn skip() -> OnConflict {
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

/// The statement that inserts the rows, `None` if there are none. They are inserted in their order.
fn from_json<A: ActiveModelTrait>(rows: &[A], ending: &str) -> Result<Option<Statement>> {
    let Some(first) = rows.first() else { return Ok(None) };
    let columns = columns(first);
    let table = A::Entity::default();
    let table = EntityName::table_name(&table);
    let names: Vec<String> =
        columns.iter().map(|column| format!("\"{}\"", column.as_str())).collect();
    let names = names.join(", ");
    let sql = format!(
        "INSERT INTO \"{table}\" ({names}) SELECT {names} \
         FROM json_populate_recordset(NULL::\"{table}\", $1::json) {ending}"
    );
    let json = json::text(rows, &columns)?;
    Ok(Some(Statement::from_sql_and_values(DbBackend::Postgres, sql, [json.into()])))
}
