//! What AMQP headers say: where in a trace a job belongs, and, as JSON, the record of a dead letter.

use lapin::types::{AMQPValue, FieldTable};
use serde_json::{Map, Value};

use crate::trace::TraceContext;

const TRACEPARENT: &str = "traceparent";

/// What the publisher of a job says of its trace.
pub(in crate::broker) fn trace(headers: &FieldTable) -> Option<TraceContext> {
    TraceContext::parse(&headers.inner().get(TRACEPARENT).and_then(text)?)
}

/// The same for the publisher.
pub(super) fn of_trace(context: TraceContext) -> FieldTable {
    let mut headers = FieldTable::default();
    headers.insert(TRACEPARENT.into(), AMQPValue::LongString(context.to_string().into()));
    headers
}

/// Why the message died, in the broker's words.
pub(in crate::broker) fn death_reason(headers: &FieldTable) -> String {
    let first = headers.inner().get("x-first-death-reason").and_then(text);
    first.or_else(|| latest_reason(headers)).unwrap_or_else(|| "unknown".to_owned())
}

fn latest_reason(headers: &FieldTable) -> Option<String> {
    let AMQPValue::FieldArray(deaths) = headers.inner().get("x-death")? else { return None };
    let AMQPValue::FieldTable(latest) = deaths.as_slice().first()? else { return None };
    latest.inner().get("reason").and_then(text)
}

fn text(value: &AMQPValue) -> Option<String> {
    match value {
        AMQPValue::LongString(text) => Some(text.to_string()),
        AMQPValue::ShortString(text) => Some(text.to_string()),
        _ => None,
    }
}

/// All headers; bytes that are no UTF-8 are replaced, for this is to be read by people.
pub(in crate::broker) fn to_json(headers: &FieldTable) -> Value {
    let entries = headers.inner().iter();
    Value::Object(entries.map(|(key, value)| (key.to_string(), json(value))).collect::<Map<_, _>>())
}

fn json(value: &AMQPValue) -> Value {
    match value {
        AMQPValue::Boolean(value) => (*value).into(),
        AMQPValue::ShortShortInt(value) => (*value).into(),
        AMQPValue::ShortShortUInt(value) => (*value).into(),
        AMQPValue::ShortInt(value) => (*value).into(),
        AMQPValue::ShortUInt(value) => (*value).into(),
        AMQPValue::LongInt(value) => (*value).into(),
        AMQPValue::LongUInt(value) => (*value).into(),
        AMQPValue::LongLongInt(value) => (*value).into(),
        AMQPValue::Float(value) => (*value).into(),
        AMQPValue::Double(value) => (*value).into(),
        AMQPValue::DecimalValue(value) => format!("{}e-{}", value.value, value.scale).into(),
        AMQPValue::ShortString(value) => value.to_string().into(),
        AMQPValue::LongString(value) => String::from_utf8_lossy(value.as_bytes()).into(),
        AMQPValue::FieldArray(values) => values.as_slice().iter().map(json).collect(),
        AMQPValue::Timestamp(value) => (*value).into(),
        AMQPValue::FieldTable(table) => to_json(table),
        AMQPValue::ByteArray(bytes) => String::from_utf8_lossy(bytes.as_slice()).into(),
        AMQPValue::Void => Value::Null,
    }
}
