//! The bytes that travel through the broker, as other releases have to read them.

use domain::job::{Job, JobError, JobV1};
use domain::{DeliveryId, Generation, TestMailId, WebhookDeliveryId};
use proptest::prelude::*;
use uuid::Uuid;

const ID: &str = "0199aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee";

fn email(id: u128, generation: Generation) -> Job {
    Job::V1(JobV1::Email { delivery: DeliveryId::from_uuid(Uuid::from_u128(id)), generation })
}

proptest! {
    #[test]
    fn a_job_survives_the_broker(id: u128, generation: Generation) {
        let job = email(id, generation);
        prop_assert_eq!(Job::decode(&job.encode()).unwrap(), job);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>) {
        let _ = Job::decode(&bytes);
    }
}

#[test]
fn version_1_keeps_its_bytes() {
    let job = email(0x0199_aaaa_bbbb_7ccc_8ddd_eeee_eeee_eeee, 3);
    let expected = format!(r#"{{"kind":"email","version":1,"id":"{ID}","generation":3}}"#);
    assert_eq!(String::from_utf8(job.encode()).unwrap(), expected);
}

#[test]
fn a_webhook_job_keeps_its_bytes_too() {
    let delivery =
        WebhookDeliveryId::from_uuid(Uuid::from_u128(0x0199_aaaa_bbbb_7ccc_8ddd_eeee_eeee_eeee));
    let job = Job::V1(JobV1::Webhook { delivery, generation: 2 });
    let expected = format!(r#"{{"kind":"webhook","version":1,"id":"{ID}","generation":2}}"#);
    assert_eq!(String::from_utf8(job.encode()).unwrap(), expected);
    assert_eq!(Job::decode(expected.as_bytes()).unwrap(), job);
}

#[test]
fn a_test_mail_keeps_its_bytes_too() {
    let mail = TestMailId::from_uuid(Uuid::from_u128(0x0199_aaaa_bbbb_7ccc_8ddd_eeee_eeee_eeee));
    let job = Job::V1(JobV1::TestMail { mail });
    let expected = format!(r#"{{"kind":"test_mail","version":1,"id":"{ID}","generation":1}}"#);
    assert_eq!(String::from_utf8(job.encode()).unwrap(), expected);
    assert_eq!(Job::decode(expected.as_bytes()).unwrap(), job);
}

#[test]
fn a_field_that_a_later_release_added_is_no_trouble() {
    let bytes =
        format!(r#"{{"kind":"email","version":1,"id":"{ID}","generation":3,"priority":"high"}}"#);
    let job = Job::decode(bytes.as_bytes()).unwrap();
    assert_eq!(job, email(0x0199_aaaa_bbbb_7ccc_8ddd_eeee_eeee_eeee, 3));
}

#[test]
fn a_job_from_a_later_release_is_named_as_such() {
    for (kind, version) in [("email", 2), ("email", 0), ("fax", 1)] {
        let bytes =
            format!(r#"{{"kind":"{kind}","version":{version},"id":"{ID}","generation":1}}"#);
        let error = Job::decode(bytes.as_bytes()).unwrap_err();
        let expected = matches!(&error, JobError::Unknown { kind: k, version: v } if k == kind && *v == version);
        assert!(expected, "{error}");
        assert!(error.to_string().contains("upgrade"), "{error}");
    }
}

#[test]
fn a_later_version_may_look_quite_different() {
    let bytes = br#"{"kind":"email","version":2,"deliveries":[]}"#;
    let error = Job::decode(bytes).unwrap_err();
    assert!(matches!(error, JobError::Unknown { version: 2, .. }), "{error}");
}

#[test]
fn everything_else_is_malformed() {
    let cases = [
        String::new(),
        "null".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        "\u{feff}{}".to_owned(),
        format!(r#"{{"kind":"email","version":1,"id":"{ID}"}}"#),
        format!(r#"{{"kind":"email","version":1,"id":"{ID}","generation":-1}}"#),
        format!(r#"{{"kind":"email","version":1,"id":"{ID}","generation":4294967296}}"#),
        r#"{"kind":"email","version":1,"id":"42","generation":1}"#.to_owned(),
        format!(r#"{{"kind":"email","version":"1","id":"{ID}","generation":1}}"#),
        format!(r#"{{"kind":"email","version":1,"id":"{ID}","generation":1}} trailing"#),
    ];
    for text in cases {
        let error = Job::decode(text.as_bytes()).unwrap_err();
        assert!(matches!(error, JobError::Malformed(_)), "{text}: {error}");
    }
}
