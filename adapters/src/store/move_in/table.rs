//! One table: copied, and compared.

use chrono::SubsecRound;
use futures_util::TryStreamExt;
use sea_orm::prelude::Uuid;
use sea_orm::sea_query::{OnConflict, ValueType};
use sea_orm::{
    ActiveModelTrait, EntityTrait, IdenStatic, IntoActiveModel, Iterable, ModelTrait,
    TransactionTrait, Value,
};
use sha2::{Digest, Sha256};

use super::{MoveError, MovedTable};
use crate::store::{Result, Store, StoreError, bulk, requeue};

/// Small enough for one statement, large enough to be fast.
const ROWS: usize = 500;

/// How many rows there are, and the sum of what each of them holds: in no order, because databases sort
/// text in different ways.
#[derive(Debug, Default, PartialEq, Eq)]
struct Contents {
    rows: u64,
    sum: u128,
}

/// Copies what is not there yet, and compares.
pub(super) async fn copy<E>(source: &Store, target: &Store) -> Result<MovedTable, MoveError>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel> + Sync,
    E::ActiveModel: ActiveModelTrait<Entity = E> + Send + Sync,
{
    let from = source.db.begin().await.map_err(StoreError::from)?;
    let mut rows = E::find().stream(&from).await.map_err(StoreError::from)?;
    let mut part = Vec::with_capacity(ROWS);
    loop {
        let row = rows.try_next().await.map_err(StoreError::from)?;
        let is_last = row.is_none();
        part.extend(row.map(|row| to_the_microsecond(row.into_active_model())));
        if part.len() == ROWS || (is_last && !part.is_empty()) {
            insert(target, std::mem::take(&mut part)).await?;
        }
        if is_last {
            break;
        }
    }
    drop(rows);
    from.rollback().await.map_err(StoreError::from)?;
    let name = E::default().table_name().to_owned();
    let (theirs, own) = (contents::<E>(source).await?, contents::<E>(target).await?);
    if theirs != own {
        return Err(MoveError::Different(name));
    }
    Ok(MovedTable { name, rows: own.rows })
}

async fn insert<A>(target: &Store, rows: Vec<A>) -> Result<()>
where
    A: ActiveModelTrait + Send + Sync,
    <A::Entity as EntityTrait>::Model: IntoActiveModel<A>,
{
    let tx = target.db.begin().await?;
    bulk::insert(&tx, rows, OnConflict::new().do_nothing().to_owned()).await?;
    tx.commit().await?;
    Ok(())
}

async fn contents<E>(store: &Store) -> Result<Contents>
where
    E: EntityTrait,
    E::Model: Sync,
{
    let mut rows = E::find().stream(&store.db).await?;
    let mut contents = Contents::default();
    while let Some(row) = rows.try_next().await? {
        if is_added::<E>(&row) {
            continue;
        }
        let mut hash = Sha256::new();
        for column in E::Column::iter() {
            hash.update(written(row.get(column)));
            hash.update([0]);
        }
        let digest: [u8; 32] = hash.finalize().into();
        let (half, _) = digest.split_at(16);
        let part = half.iter().fold(0_u128, |sum, byte| sum << 8 | u128::from(*byte));
        contents.rows += 1;
        contents.sum = contents.sum.wrapping_add(part);
    }
    Ok(contents)
}

/// Whether the row is none of those that are moved, but what an earlier move has queued again.
fn is_added<E>(row: &E::Model) -> bool
where
    E: EntityTrait,
{
    let id = |name| {
        let column = E::Column::iter().find(|column| column.as_str() == name)?;
        <Uuid as ValueType>::try_from(row.get(column)).ok()
    };
    let (own, subject) = (id("id"), id("subject_id"));
    own.zip(subject).is_some_and(|(own, subject)| requeue::is_of_a_move(own, subject))
}

/// SQLite keeps what is finer, PostgreSQL would round it.
fn to_the_microsecond<A: ActiveModelTrait>(mut row: A) -> A {
    for column in <A::Entity as EntityTrait>::Column::iter() {
        if let Some(value @ Value::ChronoDateTimeUtc(_)) = row.get(column).into_value() {
            row.set(column, truncated(value));
        }
    }
    row
}

fn truncated(value: Value) -> Value {
    match value {
        Value::ChronoDateTimeUtc(Some(at)) => at.trunc_subsecs(6).into(),
        other => other,
    }
}

/// The same text for the same value, whichever database it came from: one of them keeps the order of the
/// fields of JSON, the other sorts them.
fn written(value: Value) -> String {
    match value {
        Value::Json(Some(json)) => sorted(*json).to_string(),
        other => format!("{:?}", truncated(other)),
    }
}

fn sorted(json: serde_json::Value) -> serde_json::Value {
    use serde_json::Value as Json;
    match json {
        Json::Object(fields) => {
            let mut fields: Vec<_> =
                fields.into_iter().map(|(name, value)| (name, sorted(value))).collect();
            fields.sort_by(|one, other| one.0.cmp(&other.0));
            Json::Object(fields.into_iter().collect())
        }
        Json::Array(items) => Json::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_order_of_fields_makes_no_difference_and_all_else_does() {
        let text = |value| written(Value::Json(Some(Box::new(value))));
        assert_eq!(
            text(json!({"b": [{"d": 1, "c": 2}], "a": 1})),
            text(json!({"a": 1, "b": [{"c": 2, "d": 1}]}))
        );
        assert_ne!(text(json!([1, 2])), text(json!([2, 1])));
        assert_ne!(text(json!({"a": "1"})), text(json!({"a": 1})));
        assert_ne!(written(Value::String(None)), written(Value::String(Some(String::new()))));
    }
}
