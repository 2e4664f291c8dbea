//! Rows as PostgreSQL reads them from its parameters: an array for each column.

use sea_orm::prelude::Expr;
use sea_orm::sea_query::{CaseStatement, Func, FunctionCall, Query, SelectStatement};
use sea_orm::{ActiveModelTrait, ActiveValue, ColumnTrait, EntityName, IdenStatic, Value};

use super::super::{Result, StoreError};
use super::ColumnOf;

/// How the arrays are called in a statement.
const GIVEN: &str = "given";

/// One column of all rows. The library has no arrays with nulls.
struct Cells {
    /// Empty if each is null: the database fills up what is shorter than the rest with nulls. Else
    /// something stands where nothing is.
    values: Value,
    /// Which of them are null; empty if none or each is.
    absent: Value,
}

/// What gives these columns of the rows, which must have values for them. The text is the same however
/// many rows there are, and whatever is in them.
pub(super) fn select<A: ActiveModelTrait>(
    mut rows: Vec<A>,
    columns: &[ColumnOf<A>],
) -> Result<SelectStatement> {
    let (mut given, mut all) = (Query::select(), Query::select());
    for &column in columns {
        let Cells { values, absent } = Cells::of(&mut rows, column)?;
        given.expr_as(unnest(values), column);
        if !column.def().is_null() {
            all.column(column);
            continue;
        }
        let is_absent = format!("no_{}", column.as_str());
        given.expr_as(unnest(absent), is_absent.clone());
        let value = CaseStatement::new()
            .case(Expr::col(is_absent), Expr::cust("NULL"))
            .finally(Expr::col(column));
        all.expr_as(value, column);
    }
    all.from_subquery(given, GIVEN);
    Ok(all)
}

fn unnest(array: Value) -> FunctionCall {
    Func::cust("unnest").arg(Expr::val(array))
}

impl Cells {
    /// Takes them out of the rows.
    fn of<A: ActiveModelTrait>(rows: &mut [A], column: ColumnOf<A>) -> Result<Self> {
        let values: Option<Vec<Value>> =
            rows.iter_mut().map(|row| value(row.take(column))).collect();
        let nullable = column.def().is_null();
        let complete = |values: &Vec<Value>| nullable || values.iter().all(Value::is_some);
        let Some(mut values) = values.filter(complete) else {
            let (table, column) = (A::Entity::default(), column.as_str());
            let table = EntityName::table_name(&table);
            return Err(StoreError::Database(format!("{table}: a row lacks its {column}")));
        };
        let kind = values.first().map_or(Value::Bool(None), Value::as_null).array_type();
        let mut absent = Vec::new();
        match values.iter().find(|value| value.is_some()).cloned() {
            None => values.clear(),
            Some(_) if values.iter().all(Value::is_some) => {}
            Some(filler) => {
                absent.extend(values.iter().map(|value| Value::from(!value.is_some())));
                for value in values.iter_mut().filter(|value| !value.is_some()) {
                    *value = filler.clone();
                }
            }
        }
        let absent = Value::Array(Value::Bool(None).array_type(), Some(Box::new(absent)));
        Ok(Self { values: Value::Array(kind, Some(Box::new(values))), absent })
    }
}

fn value(cell: ActiveValue<Value>) -> Option<Value> {
    match cell {
        ActiveValue::Set(value) | ActiveValue::Unchanged(value) => Some(value),
        ActiveValue::NotSet => None,
    }
}
