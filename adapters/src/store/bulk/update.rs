//! Changing many rows, each to values of its own.

use sea_orm::prelude::Expr;
use sea_orm::sea_query::{Func, IntoIden, Query, TableRef, UpdateStatement};
use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DatabaseTransaction, DbBackend, EntityName, ExprTrait,
    IdenStatic,
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
    let mut update = changes::<A>(&columns, &new)?;
    update.from(TableRef::FunctionCall(populated, NEW.into_iden())).and_where(guard(&new));
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
    let (id, changed): (Vec<_>, Vec<_>) = columns.iter().partition(|column| column.as_str() == ID);
    let [id] = id[..] else {
        return Err(StoreError::Database("a row that is to be changed has no id".to_owned()));
    };
    let mut update = Query::update();
    update
        .table(A::Entity::default())
        .values(changed.into_iter().map(|&column| (column, new(column))))
        .and_where(Expr::col((A::Entity::default(), *id)).eq(new(*id)));
    Ok(update)
}
