//! The rules for URLs, and a message with the older signature, which our other tests' library cannot make.

use super::*;

const MESSAGE: &str = include_str!("version_1.json");
const CERTIFICATE: &[u8] = include_bytes!("certificate.pem");

#[test]
fn only_hosts_of_sns_are_asked() {
    for good in [
        "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0.pem",
        "https://sns.cn-north-1.amazonaws.com.cn/?Action=ConfirmSubscription",
    ] {
        assert!(of_sns(good).is_some(), "{good}");
    }
    for bad in [
        "http://sns.us-east-1.amazonaws.com/x.pem",
        "https://sns.us-east-1.amazonaws.com.evil.example/x.pem",
        "https://sns.evil.example/x.pem",
        "https://evil.example/sns.us-east-1.amazonaws.com/x.pem",
        "https://sns.us-east-1.amazonaws.com:8443/x.pem",
        "https://sns.us-east-1.amazonaws.com@evil.example/x.pem",
        "https://a@sns.us-east-1.amazonaws.com/x.pem",
        "https://sns.a.b.amazonaws.com/x.pem",
        "https://sns..amazonaws.com/x.pem",
        "https://s3.us-east-1.amazonaws.com/x.pem",
        "x",
    ] {
        assert!(of_sns(bad).is_none(), "{bad}");
    }
}

#[tokio::test]
async fn the_older_signature_counts_as_well() {
    let mut notice: Notice = serde_json::from_str(MESSAGE).unwrap();
    let topics = [notice.topic_arn.clone()];
    let key = Arc::new(rsa_key(CERTIFICATE).unwrap());
    let keys = Mutex::new(vec![(notice.signing_cert_url.clone(), key)]);
    let sns = Sns { amazon: Amazon::Itself, keys };
    let signed_at: Timestamp = notice.timestamp.parse().unwrap();
    sns.prove(&notice, &topics, signed_at).await.unwrap();
    notice.signature_version = "2".to_owned();
    assert!(matches!(sns.prove(&notice, &topics, signed_at).await, Err(Refused::Forged(_))));
}

#[test]
fn what_is_no_certificate_has_no_key() {
    for garbage in [&b""[..], b"x", &CERTIFICATE[..600], &CERTIFICATE[100..]] {
        assert!(rsa_key(garbage).is_none());
    }
}
