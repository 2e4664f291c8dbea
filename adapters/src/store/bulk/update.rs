//! Changing many rows, each to values of its own.

use sea_orm::prelude::Expr;
use sea_orm::sea_query::{IntoIden, Query, TableRef, UpdateStatement};
use sea_orm::{ActiveModelTrait, ColumnTrait, ExprTrait, IdenStatic};

use super::super::{Result, StoreError};
use super::{ColumnOf, NEW, New, arrays, columns};

/// What rows are found by.
const ID: &str = "id";

/// One statement for all rows, `None` if there are none: on PostgreSQL.
pub(super) fn all_at_once<A, G>(rows: Vec<A>, guard: G) -> Result<Option<UpdateStatement>>
where
    A: ActiveModelTrait,
    G: Fn(New<'_, A>) -> Expr,
{
    let Some(first) = rows.first() else { return Ok(None) };
    let columns = columns(first);
    let new = |column: ColumnOf<A>| Expr::col((NEW, column));
    let mut update = changes::<A>(&columns, &new)?;
    let rows = arrays::select(rows, &columns)?;
    update.from(TableRef::SubQuery(Box::new(rows), NEW.into_iden())).and_where(guard(&new));
    Ok(Some(update))
}

/// A statement for each row: on SQLite, where a statement costs next to nothing.
pub(super) fn one_by_one<A, G>(rows: &[A], guard: G) -> Result<Vec<UpdateStatement>>
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
