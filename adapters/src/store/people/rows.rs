//! Finding rows by what stands in their texts, on both databases.

use sea_orm::prelude::Expr;
use sea_orm::sea_query::Func;
use sea_orm::{ColumnTrait, Condition, DbBackend, ExprTrait};

/// Whether a column is one of these texts, which are in lower case.
pub(super) fn is<C: ColumnTrait>(column: C, texts: &[String]) -> Expr {
    Expr::expr(Func::lower(column.into_expr())).is_in(texts.iter().cloned())
}

/// Whether one of these texts, in lower case, stands somewhere in a column. Reads all rows that it is
/// asked of.
pub(super) fn names<C: ColumnTrait>(backend: DbBackend, column: C, texts: &[String]) -> Condition {
    // Not LIKE: an address may hold its wildcards.
    let function = if backend == DbBackend::Postgres { "strpos" } else { "instr" };
    texts.iter().fold(Condition::any(), |any, text| {
        let lower = Expr::expr(Func::lower(column.into_expr()));
        any.add(Expr::expr(Func::cust(function).args([lower, Expr::val(text.as_str())])).gt(0))
    })
}
