//! Changes that do not build on each other, of any tables: one statement on PostgreSQL, because each
//! way to the database and back takes longer than what it asks for.

use std::sync::{Arc, OnceLock};

use sea_orm::prelude::{Expr, Json};
use sea_orm::sea_query::{
    CommonTableExpression, InsertStatement, OnConflict, Query, SelectStatement, SubQueryStatement,
    UpdateStatement, WithClause, WithQuery,
};
use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, IdenStatic,
    QueryTrait, UpdateMany, Value,
};

use super::super::{Result, StoreError};
use super::update::{all_at_once, one_by_one};
use super::{ColumnOf, New, from_arrays, parts, skip};

/// What is to be changed, and how many rows that must be.
pub(in super::super) struct Changes {
    backend: DbBackend,
    changes: Vec<Change>,
}

struct Change {
    statement: Written,
    /// `None` if any number is right.
    rows: Option<u64>,
    /// Who wants to know what was written.
    told: Option<Telling>,
}

/// What is to be told of the rows that a change has written.
struct Telling {
    told: Told,
    columns: Vec<String>,
    /// Of which rows; of all if none is given.
    only: Option<Expr>,
}

/// What a change has written: rows as JSON, in any order. Nothing before the change is made.
#[derive(Clone, Default)]
pub(in super::super) struct Told(Arc<OnceLock<Vec<Json>>>);

impl Told {
    /// The rows.
    pub(in super::super) fn rows(&self) -> &[Json] {
        self.0.get().map_or(&[], Vec::as_slice)
    }
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
            let count = count(&rows);
            if let Some(statement) = from_arrays(rows, skip())? {
                self.add(Written::Insert(statement), count);
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

    /// Inserts rows, does what is to be done about those that are there already, and tells these
    /// columns of what was written, `only` of some rows; `None`, and nothing is to be inserted, where one
    /// statement cannot do that beside others. Without `only`, rows may be left as they are.
    pub(in super::super) fn insert_and_tell<A: ActiveModelTrait>(
        &mut self,
        rows: Vec<A>,
        on_conflict: OnConflict,
        columns: &[ColumnOf<A>],
        only: Option<Expr>,
    ) -> Result<Option<Told>> {
        if self.backend != DbBackend::Postgres {
            return Ok(None);
        }
        let told = Told::default();
        // Where not all are told, nobody else would see that one is missing.
        let count = only.is_some().then_some(rows.len() as u64);
        if let Some(insert) = from_arrays(rows, on_conflict)? {
            let columns = columns.iter().map(|column| column.as_str().to_owned()).collect();
            let told = Some(Telling { told: told.clone(), columns, only });
            self.changes.push(Change { statement: Written::Insert(insert), rows: count, told });
        }
        Ok(Some(told))
    }

    /// Changes rows that have values for the same columns, each found by its `id`; `guard` must hold
    /// for each of them, and may compare with the new values.
    pub(in super::super) fn update<A, G>(&mut self, rows: Vec<A>, guard: G) -> Result<()>
    where
        A: ActiveModelTrait,
        G: Fn(New<'_, A>) -> Expr,
    {
        if self.backend == DbBackend::Postgres {
            let count = rows.len() as u64;
            if let Some(statement) = all_at_once(rows, guard)? {
                self.add(Written::Update(statement), Some(count));
            }
            return Ok(());
        }
        for statement in one_by_one(&rows, guard)? {
            self.add(Written::Update(statement), Some(1));
        }
        Ok(())
    }

    /// Changes so many rows, all in the same way.
    pub(in super::super) fn set<E: EntityTrait>(&mut self, rows: usize, update: UpdateMany<E>) {
        self.add(Written::Update(update.into_query()), Some(rows as u64));
    }

    /// Changes whatever rows there are, all in the same way.
    pub(in super::super) fn set_any<E: EntityTrait>(&mut self, update: UpdateMany<E>) {
        self.add(Written::Update(update.into_query()), None);
    }

    fn add(&mut self, statement: Written, rows: Option<u64>) {
        self.changes.push(Change { statement, rows, told: None });
    }

    /// Makes them. `false` if not each row could be: then the transaction is to be rolled back.
    pub(in super::super) async fn make(self, tx: &DatabaseTransaction) -> Result<bool> {
        if self.changes.is_empty() {
            return Ok(true);
        }
        if self.backend == DbBackend::Postgres {
            return Ok(at_once(tx, self.changes, None).await?.is_some());
        }
        for Change { statement, rows, .. } in self.changes {
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

    /// Makes them on PostgreSQL, and gives what a query, whose `$1`, `$2` and so on are `of`, finds
    /// beside. `None` if not each row could be: then the transaction is to be rolled back.
    pub(in super::super) async fn make_and_find(
        self,
        tx: &DatabaseTransaction,
        query: &str,
        of: Vec<Value>,
    ) -> Result<Option<Vec<Json>>> {
        let found = format!("SELECT coalesce(json_agg(found), '[]') FROM ({query}) AS found");
        let found = Expr::cust_with_values(format!("({found})"), of);
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
    let (mut counted, mut telling) = (Vec::new(), Vec::new());
    for (at, Change { statement, rows, told }) in changes.into_iter().enumerate() {
        let name = format!("change_{at}");
        let returning = match &told {
            Some(telling) => Query::returning().columns(telling.columns.clone()),
            None => Query::returning().expr(Expr::cust("1")),
        };
        let statement: SubQueryStatement = match statement {
            Written::Insert(mut insert) => {
                insert.returning(returning);
                insert.into()
            }
            Written::Update(mut update) => {
                update.returning(returning);
                update.into()
            }
        };
        let mut change = CommonTableExpression::new();
        change.table_name(name.clone()).query(statement);
        all.cte(change);
        counted.push((told.is_some(), name.clone(), rows));
        telling.extend(told.map(|told| (told, name)));
    }
    // They are read in this order, and a change is made when it is read: what is told comes last of all.
    counted.sort_by_key(|&(is_told, ..)| is_told);
    let mut expected = Vec::new();
    for (_, name, rows) in counted {
        let Some(rows) = rows else { continue };
        result.expr(Expr::SubQuery(None, Box::new(count(name).into())));
        expected.push(rows);
    }
    for (Telling { only, .. }, name) in &telling {
        let rows = Expr::cust(format!("coalesce(json_agg({name}), '[]')"));
        let mut told = Query::select().expr(rows).from(name.clone()).to_owned();
        if let Some(only) = only {
            told.and_where(only.clone());
        }
        result.expr(Expr::SubQuery(None, Box::new(told.into())));
    }
    let finds = find.is_some();
    result.expr(find.unwrap_or_else(|| Expr::cust("1")));
    // Not by `WithClause::query`, which copies all of it, and all rows with it.
    let mut statement = WithQuery::new();
    statement.with_clause(all).query(result);
    let Some(made) = tx.query_one(&statement).await? else { return Ok(None) };
    for (at, &rows) in expected.iter().enumerate() {
        if u64::try_from(made.try_get_by_index::<i64>(at)?) != Ok(rows) {
            return Ok(None);
        }
    }
    let array = |at| match made.try_get_by_index(at)? {
        Json::Array(found) => Ok(found),
        _ => Ok::<_, StoreError>(Vec::new()),
    };
    for (at, (Telling { told, .. }, _)) in telling.iter().enumerate() {
        // Once each: whoever was told waits for nothing else.
        let _ = told.0.set(array(expected.len() + at)?);
    }
    if finds { array(expected.len() + telling.len()).map(Some) } else { Ok(Some(Vec::new())) }
}

fn count(change: String) -> SelectStatement {
    Query::select().expr(Expr::cust("count(*)")).from(change).to_owned()
}
