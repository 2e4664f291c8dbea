//! Rows as PostgreSQL's `json_populate_recordset` reads them.

use sea_orm::{ActiveModelTrait, ActiveValue, EntityName, IdenStatic, Value};
use serde::ser::{Error, Serialize, SerializeMap, SerializeSeq, Serializer};

use super::super::{Result, StoreError};
use super::ColumnOf;

/// The text of these columns of the rows, which must have values for them.
pub(super) fn text<A: ActiveModelTrait>(rows: &[A], columns: &[ColumnOf<A>]) -> Result<String> {
    serde_json::to_string(&Rows { rows, columns }).map_err(|error| {
        let table = A::Entity::default();
        let table = EntityName::table_name(&table);
        StoreError::Database(format!("{table}: {error}"))
    })
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

/// As PostgreSQL reads and writes bytes.
pub(in super::super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    let digits = bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]);
    ['\\', 'x'].into_iter().chain(digits).collect()
}
