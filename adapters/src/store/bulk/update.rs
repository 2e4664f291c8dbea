//! Changing many rows, each to values of its own.

use sea_orm::prelude::{Expr, Uuid};
use sea_orm::sea_query::{Func, IntoIden, Query, TableRef, UpdateStatement};
use sea_orm::{
    ActiveModelTrait, ActiveValue, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend,
    EntityName, ExprTrait, IdenStatic, Value,
};

use super::super::{Result, StoreError};
use super::{ColumnOf, columns, json};

/// What a guard gets the new value of a column from.
type New<'a, A> = &'a dyn Fn(ColumnOf<A>) -> Expr;

/// How the table of new values is called in a statement.
const NEW: &str = "new";
/// What rows are found by.
const ID: &str = "id";

/// Changes rows that have values for the same columns, each found by its `id`, if `guard` holds for
/// it; the guard may compare with the new values. Says how many were changed.
pub(in super::super) async fn update<A, G>(
    tx: &DatabaseTransaction,
    rows: Vec<A>,
    guard: G,
) -> Result<u64>
where
    A: ActiveModelTrait + Send + Sync,
    G: Fn(New<'_, A>) -> Expr,
{
    let statements = if tx.get_database_backend() == DbBackend::Postgres {
        all_at_once(&rows, guard)?
    } else {
        one_by_one(&rows, guard)?
    };
    let mut changed = 0;
    for statement in &statements {
        changed += tx.execute(statement).await?.rows_affected();
    }
    Ok(changed)
}

fn all_at_once<A, G>(rows: &[A], guard: G) -> Result<Vec<UpdateStatement>>
where
    A: ActiveModelTrait,
    G: Fn(New<'_, A>) -> Expr,
{
    let Some(first) = rows.first() else { return Ok(Vec::new()) };
    let columns = columns(first);
    let table = A::Entity::default();
    let kind = Expr::cust(format!("NULL::\"{}\"", EntityName::table_name(&table)));
    let json = Expr::val(json::text(rows, &columns)?).cast_as("json");
    let populated = Func::cust("json_populate_recordset").args([kind, json]);
    let new = |column: ColumnOf<A>| Expr::col((NEW, column));
    let id = id::<A>(&columns)?;
    let ids: Vec<Uuid> = rows.iter().filter_map(|row| uuid(row.get(id))).collect();
    let mut update = changes::<A>(&columns, &new)?;
    update
        .from(TableRef::FunctionCall(populated, NEW.into_iden()))
        // The same once more, in a form by which the index is used and not the whole table read.
        .and_where(id.eq_any(ids))
        .and_where(guard(&new));
    Ok(vec![update])
}

fn one_by_one<A, G>(rows: &[A], guard: G) -> Result<Vec<UpdateStatement>>
where
    A: ActiveModelTrait,
    G: Fn(New<'_, A>) -> Expr,
{
    let statement = |row: &A| {
        let new = |column: ColumnOf<A>| match row.get(column).into_value() {
            Some(value) => Expr::val(value),
            None => Expr::cust("NULL"),
        };
        let mut update = changes::<A>(&columns(row), &new)?;
        update.and_where(guard(&new));
        Ok(update)
    };
    rows.iter().map(statement).collect()
}

/// Sets all columns but the `id`, by which the row is found.
fn changes<A: ActiveModelTrait>(
    columns: &[ColumnOf<A>],
    new: New<'_, A>,
) -> Result<UpdateStatement> {
    let id = id::<A>(columns)?;
    let changed = columns.iter().filter(|column| column.as_str() != ID);
    let mut update = Query::update();
    update
        .table(A::Entity::default())
        .values(changed.map(|&column| (column, new(column))))
        .and_where(id.into_expr().eq(new(id)));
    Ok(update)
}

fn id<A: ActiveModelTrait>(columns: &[ColumnOf<A>]) -> Result<ColumnOf<A>> {
    let id = columns.iter().find(|column| column.as_str() == ID).copied();
    id.ok_or_else(|| StoreError::Database("a row that is to be changed has no id".to_owned()))
}

fn uuid(id: ActiveValue<Value>) -> Option<Uuid> {
    match id.into_value() {
        Some(Value::Uuid(id)) => id,
        _ => None,
    }
}
