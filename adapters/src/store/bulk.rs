//! Many rows in one statement, however many there are.
//!
//! PostgreSQL gets them as one JSON parameter: the statement's text is then always the same, so
//! that it is parsed and planned once per connection and not once per number of rows. SQLite runs
//! in this process, where a long list of values costs nothing more.

use sea_orm::prelude::Expr;
use sea_orm::sea_query::OnConflict;
use sea_orm::sea_query::postgres_array::NotU8;
use sea_orm::{
    ActiveModelTrait, ActiveValue, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend,
    EntityName, EntityTrait, IdenStatic, IntoActiveModel, Iterable, Statement, Value,
};
use serde::ser::{Error, Serialize, SerializeMap, SerializeSeq, Serializer};

use super::{Result, StoreError};

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

/// The statement that inserts the rows, `None` if there are none. They are inserted in their order.
fn from_json<A: ActiveModelTrait>(rows: &[A], ending: &str) -> Result<Option<Statement>> {
    let Some(first) = rows.first() else { return Ok(None) };
    let columns: Vec<ColumnOf<A>> =
        ColumnOf::<A>::iter().filter(|&column| !first.is_not_set(column)).collect();
    let table = A::Entity::default();
    let table = EntityName::table_name(&table);
    let names: Vec<String> =
        columns.iter().map(|column| format!("\"{}\"", column.as_str())).collect();
    let names = names.join(", ");
    let sql = format!(
        "INSERT INTO \"{table}\" ({names}) SELECT {names} \
         FROM json_populate_recordset(NULL::\"{table}\", $1::json) {ending}"
    );
    let json = serde_json::to_string(&Rows { rows, columns: &columns })
        .map_err(|error| StoreError::Database(format!("{table}: {error}")))?;
    Ok(Some(Statement::from_sql_and_values(DbBackend::Postgres, sql, [json.into()])))
}

struct Rows<'a, A: ActiveModelTrait> {
    rows: &'a [A],
    columns: &'a [ColumnOf<A>],
}

struct Row<'a, A: ActiveModelTrait> {
    row: &'a A,
    columns: &'a [ColumnOf<A>],
}

struct Cell(Value);

impl<A: ActiveModelTrait> Serialize for Rows<'_, A> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rows = serializer.serialize_seq(Some(self.rows.len()))?;
        for row in self.rows {
            rows.serialize_element(&Row { row, columns: self.columns })?;
        }
        rows.end()
    }
}

impl<A: ActiveModelTrait> Serialize for Row<'_, A> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_map(Some(self.columns.len()))?;
        for &column in self.columns {
            match self.row.get(column) {
                ActiveValue::Set(value) | ActiveValue::Unchanged(value) => {
                    row.serialize_entry(column.as_str(), &Cell(value))?;
                }
                ActiveValue::NotSet => return Err(S::Error::custom("a row lacks a column")),
            }
        }
        row.end()
    }
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Value::Bool(value) => value.serialize(to),
            Value::Int(value) => value.serialize(to),
            Value::BigInt(value) => value.serialize(to),
            Value::String(value) => value.serialize(to),
            Value::Uuid(value) => value.serialize(to),
            Value::ChronoDateTimeUtc(value) => value.serialize(to),
            Value::Json(value) => value.serialize(to),
            Value::Bytes(value) => value.as_deref().map(hex).serialize(to),
            _ => Err(S::Error::custom("a column of a kind that no table has")),
        }
    }
}

/// As PostgreSQL reads bytes.
fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    let digits = bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]);
    ['\\', 'x'].into_iter().chain(digits).collect()
}
