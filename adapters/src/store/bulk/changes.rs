//! Changes that do not build on each other, of any tables: one statement on PostgreSQL, because each
//! way to the database and back takes longer than what it asks for.

use sea_orm::prelude::{Expr, Json, Uuid};
use sea_orm::sea_query::{
    CommonTableExpression, InsertStatement, Query, ReturningClause, SelectStatement,
    SubQueryStatement, UpdateStatement, WithClause,
};
use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, QueryTrait,
    UpdateMany, Value,
};

use super::super::Result;
use super::update::{all_at_once, one_by_one};
use super::{New, from_json, parts, skip};

/// What is to be changed, and how many rows that must be.
pub(in super::super) struct Changes {
    backend: DbBackend,
    changes: Vec<Change>,
}

struct Change {
    statement: Written,
    /// `None` if any number is right.
    rows: Option<u64>,
}

enum Written {
    Insert(InsertStatement),
    Update(UpdateStatement),
}

impl Changes {
    /// None yet.
    pub(in super::super) fn new(tx: &DatabaseTransaction) -> Self {
        Self { backend: tx.get_database_backend(), changes: Vec::new() }
    }

    /// Inserts rows, all of which have values for the same columns, and none of which may be in a
    /// unique index already.
    pub(in super::super) fn insert<A: ActiveModelTrait>(&mut self, rows: Vec<A>) -> Result<()> {
        self.add_rows(rows, true)
    }

    /// Inserts those rows that no unique index has already.
    pub(in super::super) fn insert_new<A: ActiveModelTrait>(&mut self, rows: Vec<A>) -> Result<()> {
        self.add_rows(rows, false)
    }

    fn add_rows<A: ActiveModelTrait>(&mut self, rows: Vec<A>, all_new: bool) -> Result<()> {
        let count = |rows: &[A]| all_new.then_some(rows.len() as u64);
        if self.backend == DbBackend::Postgres {
            if let Some(statement) = from_json(&rows, skip())? {
                self.add(Written::Insert(statement), count(&rows));
            }
            return Ok(());
        }
        for part in parts(rows) {
            let rows = count(&part);
            let insert = A::Entity::insert_many(part).on_conflict(skip());
            self.add(Written::Insert(insert.into_query()), rows);
        }
        Ok(())
    }

    /// Changes rows that have values for the same columns, each found by its `id`; `guard` must hold
    /// for each of them, and may compare with the new values.
    pub(in super::super) fn update<A, G>(&mut self, rows: &[A], guard: G) -> Result<()>
    where
        A: ActiveModelTrait,
        G: Fn(New<'_, A>) -> Expr,
    {
        if self.backend == DbBackend::Postgres {
            if let Some(statement) = all_at_once(rows, guard)? {
                self.add(Written::Update(statement), Some(rows.len() as u64));
            }
            return Ok(());
        }
        for statement in one_by_one(rows, guard)? {
            self.add(Written::Update(statement), Some(1));
        }
        Ok(())
    }

    /// Changes so many rows, all in the same way.
    pub(in super::super) fn set<E: EntityTrait>(&mut self, rows: usize, update: UpdateMany<E>) {
        self.add(Written::Update(update.into_query()), Some(rows as u64));
    }

    fn add(&mut self, statement: Written, rows: Option<u64>) {
        self.changes.push(Change { statement, rows });
    }

    /// Makes them. `false` if not each row could be: then the transaction is to be rolled back.
    pub(in super::super) async fn make(self, tx: &DatabaseTransaction) -> Result<bool> {
        if self.changes.is_empty() {
            return Ok(true);
        }
        if self.backend == DbBackend::Postgres {
            return Ok(at_once(tx, self.changes, None).await?.is_some());
        }
        for Change { statement, rows } in self.changes {
            let made = match statement {
                Written::Insert(insert) => tx.execute(&insert).await?,
                Written::Update(update) => tx.execute(&update).await?,
            };
            if rows.is_some_and(|rows| rows != made.rows_affected()) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Makes them on PostgreSQL, and gives what a query, whose `$1` is `of`, finds beside. `None` if
    /// not each row could be: then the transaction is to be rolled back.
    pub(in super::super) async fn make_and_find(
        self,
        tx: &DatabaseTransaction,
        query: &str,
        of: Vec<Uuid>,
    ) -> Result<Option<Vec<Json>>> {
        let found = format!("SELECT coalesce(json_agg(found), '[]') FROM ({query}) AS found");
        let found = Expr::cust_with_values(format!("({found})"), [Value::from(of)]);
        at_once(tx, self.changes, Some(found)).await
    }
}

/// What `find` finds, if anything is to be found; `None` if not all changes could be made.
async fn at_once(
    tx: &DatabaseTransaction,
    changes: Vec<Change>,
    find: Option<Expr>,
) -> Result<Option<Vec<Json>>> {
    let mut all = WithClause::new();
    let mut result = Query::select();
    let mut expected = Vec::new();
    for (at, Change { statement, rows }) in changes.into_iter().enumerate() {
        let name = format!("change_{at}");
        let statement: SubQueryStatement = match statement {
            Written::Insert(mut insert) => insert.returning(one()).to_owned().into(),
            Written::Update(mut update) => update.returning(one()).to_owned().into(),
        };
        let mut change = CommonTableExpression::new();
        change.table_name(name.clone()).column("one").query(statement);
        all.cte(change);
        if let Some(rows) = rows {
            result.expr(Expr::SubQuery(None, Box::new(count(name).into())));
            expected.push(rows);
        }
    }
    let finds = find.is_some();
    result.expr(find.unwrap_or_else(|| Expr::cust("1")));
    let Some(made) = tx.query_one(&all.query(result)).await? else { return Ok(None) };
    for (at, &rows) in expected.iter().enumerate() {
        if u64::try_from(made.try_get_by_index::<i64>(at)?) != Ok(rows) {
            return Ok(None);
        }
    }
    if !finds {
        return Ok(Some(Vec::new()));
    }
    match made.try_get_by_index(expected.len())? {
        Json::Array(found) => Ok(Some(found)),
        _ => Ok(Some(Vec::new())),
    }
}

fn one() -> ReturningClause {
    Query::returning().expr(Expr::cust("1"))
}

fn count(change: String) -> SelectStatement {
    Query::select().expr(Expr::cust("count(*)")).from(change).to_owned()
}
