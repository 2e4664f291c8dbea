//! The readers of requests, given whatever somebody may send: each answers, none panics, and no error
//! is laid at our own door. Compiled for tests and for the fuzzers in `fuzz/` alone.

use std::str::FromStr;
use std::time::Duration;

use actix_web::ResponseError;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use adapters::return_path::ReturnPath;
use adapters::seal::SealKeys;
use adapters::store::Told;
use domain::{InvitationId, LinkPolicy, NamePolicy, RolePolicy};

use crate::batch_file::Format;
use crate::contracts::{doit, goldleaf, jobsim, users_organizations};
use crate::feedback::{mailgun, postmark, report, sendgrid, ses, sns};
use crate::problem::ApiError;
use crate::routes::invitations::{fields, list};
use crate::{idempotency, json};
use serde_json::Value;

/// A body of a request to invite, for the native API and for each of the contracts.
pub fn create_body(text: &str) {
    let roles = RolePolicy::default();
    let week = Duration::from_hours(168);
    let native = json::parse(text).and_then(|body| {
        let names = NamePolicy { links: LinkPolicy::Defang };
        fields::validate(body, names, &roles, "en", week, week, chrono::DateTime::UNIX_EPOCH)
    });
    is_the_callers(native.map(|wanted| {
        // PostgreSQL takes no NUL, and the limits of the columns are those of the fields.
        let metadata = wanted.metadata.to_string();
        assert!(metadata.len() <= 4096 && !metadata.contains("\\u0000"), "{metadata}");
        assert!(wanted.locale.len() <= 35);
    }));
    is_the_callers(jobsim::request::validate(text));
    is_the_callers(users_organizations::request::validate(text));
    is_the_callers(doit::request::read(text));
    is_the_callers(goldleaf::request::validate(text, 100).map(|batch| {
        assert!(batch.people.len() <= batch.rows.len() && batch.rows.len() <= 100);
        assert!(batch.rows.iter().all(|row| row.person < batch.people.len()));
    }));
}

/// A query of the list of invitations, or an `Idempotency-Key`.
pub fn query(text: &str) {
    if let Ok((filter, page)) = list::parse(text) {
        assert!((1..=100).contains(&page.limit) && filter.limit <= 101);
        let cursor = filter.before.map(|id| id.to_string());
        let again = cursor.as_deref().map(InvitationId::from_str);
        assert_eq!(again.and_then(Result::ok), filter.before, "a cursor is read back");
    }
    is_the_callers(list::parse(text));
    let Ok(value) = HeaderValue::from_bytes(text.as_bytes()) else { return };
    let headers: HeaderMap =
        [(HeaderName::from_static("idempotency-key"), value)].into_iter().collect();
    match idempotency::key(&headers, "route", "body") {
        Ok(key) => assert_eq!(key.map(|key| key.key).as_deref(), Some(text)),
        Err(error) => assert!(matches!(error, ApiError::BadIdempotencyKey)),
    }
}

/// What somebody tells of a mail: an event in JSON, a message of Amazon SNS, or a mail that
/// reports a bounce or a complaint.
pub fn feedback(bytes: &[u8]) {
    let is_short = |told: &Told| assert!(told.delivery.to_string().len() == 36);
    if let Some((_, told)) = report::read(bytes, None) {
        is_short(&told);
    }
    let path = ReturnPath::parse("bounces@example.org").ok();
    let keys = SealKeys::parse("k:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=").ok();
    if let (Some(path), Some(keys)) = (&path, &keys) {
        assert!(
            report::read(bytes, Some((path, keys))).is_none(),
            "nobody can prove anything here"
        );
    }
    let Ok(event) = serde_json::from_slice::<Value>(bytes) else { return };
    let now = domain::Timestamp::from_timestamp(1_800_000_000, 0).unwrap_or_default();
    assert!(mailgun::prove("a key that nobody knows", &event, now).is_err());
    let told = [ses::read(&event), postmark::read(&event), mailgun::read(&event)];
    told.iter().flatten().for_each(is_short);
    if let Value::Array(events) = &event {
        sendgrid::read(events).iter().for_each(is_short);
    }
    let _ = serde_json::from_value::<sns::Notice>(event);
}

/// A file of people to invite, in each of the forms that one may have.
pub fn batch_file(bytes: &[u8]) {
    for format in [Format::Json, Format::Ndjson, Format::Csv] {
        let mut last = 0;
        let read = format.read(bytes, &mut |given| {
            assert!(given.email.chars().count() <= 320 && !given.email.contains(char::is_control));
            assert!(given.line >= last, "rows come in their order");
            last = given.line;
            Ok(())
        });
        is_the_callers(read);
    }
}

fn is_the_callers<T, E: ResponseError>(read: Result<T, E>) {
    if let Err(error) = read {
        let status = error.status_code();
        assert!(status.is_client_error(), "{status}: {error}");
        assert_eq!(error.error_response().status(), status);
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use serde_json::Map;

    use super::*;

    /// The words of all five bodies, so that something is behind them.
    const WORDS: &str = "email|first_name|last_name|firstName|lastName|role|roleId|locale|metadata|\
        job_title|jobTitle|access_level|auto_assign_default_workdays|scope|permissions|group|\
        manage|read|professionId|emailAddresses|password|organizationId|[a-z\u{0}]{0,3}";

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (0..3_i64).prop_map(Value::from),
            "[a-z0-9.+]{1,8}@[a-z]{1,5}\\.(com|de)".prop_map(Value::from),
            "\\PC{0,12}".prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 8, |inner| {
            let fields = vec((WORDS, inner.clone()), 0..8);
            let object = fields.prop_map(|fields| Value::Object(Map::from_iter(fields)));
            prop_oneof![vec(inner, 0..6).prop_map(Value::from), object]
        })
    }

    proptest! {
        #[test]
        fn every_body_is_answered(value in value(), text: String) {
            create_body(&value.to_string());
            create_body(&text);
            feedback(value.to_string().as_bytes());
            feedback(text.as_bytes());
            batch_file(value.to_string().as_bytes());
            batch_file(text.as_bytes());
        }

        /// Changed in one place or cut off, what is sent is still answered.
        #[test]
        fn every_event_is_read(seed in 0_usize..7, at: prop::sample::Index, byte: u8, cut: bool) {
            let mut bytes = seeds("feedback").remove(seed);
            let at = at.index(bytes.len());
            bytes[at] = byte;
            bytes.truncate(if cut { at } else { bytes.len() });
            feedback(&bytes);
        }

        #[test]
        fn every_query_is_answered(
            text: String,
            near in "((status|delivery_status|email|limit|cursor)=[a-z0-9%@.-]{0,40}&?){0,4}",
            id: u128,
        ) {
            query(&text);
            query(&near);
            query(&format!("cursor={}", uuid::Uuid::from_u128(id)));
        }
    }

    #[test]
    fn the_seeds_of_the_fuzzers_pass() {
        for (target, run) in [("create_body", create_body as fn(&str)), ("query", query)] {
            for seed in seeds(target) {
                run(&String::from_utf8_lossy(&seed));
            }
        }
        for (target, run) in [("feedback", feedback as fn(&[u8])), ("batch_file", batch_file)] {
            for seed in seeds(target) {
                run(&seed);
            }
        }
    }

    fn seeds(target: &str) -> Vec<Vec<u8>> {
        let folder = format!("{}/../fuzz/seeds/{target}", env!("CARGO_MANIFEST_DIR"));
        let files = std::fs::read_dir(folder).unwrap();
        files.map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect()
    }
}
