//! What may happen to a delivery to an endpoint, state by state, and when it is tried again.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::time::Duration;

use chrono::TimeDelta;
use domain::event::{EventKind, TEST_TYPE, told_types};
use domain::webhook::{NotTaken, WebhookEvent};
use domain::{
    AttemptToken, RetryPolicy, Timestamp, WebhookDelivery, WebhookDeliveryId, WebhookDeliveryState,
    WebhookDeliveryStatus, WebhookDisabledReason, WebhookFailure, WebhookOutcome,
};
use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::StdRng;
use uuid::Uuid;

const OWN: u128 = 7;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
}

fn token(number: u128) -> AttemptToken {
    AttemptToken::from_uuid(Uuid::from_u128(number))
}

fn in_state(state: WebhookDeliveryState) -> WebhookDelivery {
    let id = WebhookDeliveryId::from_uuid(Uuid::from_u128(1));
    WebhookDelivery { id, generation: 3, attempts: 2, state }
}

fn states() -> [WebhookDeliveryState; 5] {
    [
        WebhookDeliveryState::Queued,
        WebhookDeliveryState::Sending { attempt: token(OWN), lease_until: at(0) },
        WebhookDeliveryState::Retrying { next_attempt_at: at(0) },
        WebhookDeliveryState::Delivered { at: at(-9) },
        WebhookDeliveryState::Failed { at: at(-9), reason: WebhookFailure::Gone },
    ]
}

fn not_taken(retry_after: Option<Duration>) -> WebhookOutcome {
    let detail = "answered with 500".to_owned();
    WebhookOutcome::NotTaken(NotTaken { status: Some(500), detail, retry_after })
}

#[test]
fn each_state_takes_what_the_diagram_says() {
    use WebhookDeliveryStatus::{Delivered, Failed, Queued, Retrying, Sending};
    let taken = WebhookOutcome::Taken { status: 204 };
    let claim = WebhookEvent::Claim { attempt: token(9), lease_until: at(60) };
    let report = |attempt| WebhookEvent::Report {
        attempt: token(attempt),
        outcome: &taken,
        next_attempt_at: Some(at(5)),
    };
    let put_off =
        |attempt| WebhookEvent::PutOff { attempt: token(attempt), next_attempt_at: at(5) };
    // By the order of `states`.
    let table = [
        ("claim", claim, [Some(Sending), None, Some(Sending), None, None]),
        ("report", report(OWN), [None, Some(Delivered), None, None, None]),
        ("a foreign report", report(8), [None; 5]),
        ("put off", put_off(OWN), [None, Some(Retrying), None, None, None]),
        ("a foreign put off", put_off(8), [None; 5]),
        ("lease expiry", WebhookEvent::LeaseExpired, [None, Some(Retrying), None, None, None]),
        ("give up", WebhookEvent::GiveUp, [Some(Failed), None, Some(Failed), None, None]),
        ("replay", WebhookEvent::Replay, [None, None, None, Some(Queued), Some(Queued)]),
    ];
    for (name, event, expected) in table {
        for (state, expected) in states().into_iter().zip(expected) {
            let next = in_state(state).apply(&event, at(0));
            let next = next.map(|next| next.state.status()).ok();
            assert_eq!(next, expected, "{name} in {state:?}");
        }
    }
}

#[test]
fn nothing_happens_before_its_time() {
    let claim = WebhookEvent::Claim { attempt: token(9), lease_until: at(60) };
    let [_, sending, retrying, ..] = states();
    assert!(in_state(retrying).apply(&claim, at(-1)).is_err());
    assert!(in_state(sending).apply(&WebhookEvent::LeaseExpired, at(-1)).is_err());
}

#[test]
fn a_report_ends_as_its_outcome_says() {
    let ours = WebhookOutcome::Ours { detail: "no key".to_owned() };
    let retrying = WebhookDeliveryState::Retrying { next_attempt_at: at(5) };
    let failed = |reason| WebhookDeliveryState::Failed { at: at(0), reason };
    for (outcome, next_attempt_at, attempts, expected) in [
        (
            WebhookOutcome::Taken { status: 200 },
            None,
            3,
            WebhookDeliveryState::Delivered { at: at(0) },
        ),
        (WebhookOutcome::Gone, Some(at(5)), 3, failed(WebhookFailure::Gone)),
        (not_taken(None), Some(at(5)), 3, retrying),
        (not_taken(None), None, 3, failed(WebhookFailure::Exhausted)),
        (ours, Some(at(5)), 2, retrying),
    ] {
        let [_, sending, ..] = states();
        let report =
            WebhookEvent::Report { attempt: token(OWN), outcome: &outcome, next_attempt_at };
        let next = in_state(sending).apply(&report, at(0)).unwrap();
        assert_eq!((next.attempts, next.state), (attempts, expected), "{outcome:?}");
    }
}

#[test]
fn a_replay_starts_from_the_beginning_with_the_same_id() {
    let [.., failed] = states();
    let before = in_state(failed);
    let after = before.clone().apply(&WebhookEvent::Replay, at(0)).unwrap();
    assert_eq!((after.id, after.generation, after.attempts), (before.id, 4, 0));
}

proptest! {
    #[test]
    fn the_next_attempt_waits_as_long_as_policy_and_endpoint_wish(
        attempts in 1_u32..40,
        wish in proptest::option::of(0_u64..200_000),
        since in 0_i64..300_000,
        seed: u64,
    ) {
        let policy = RetryPolicy::default();
        let outcome = not_taken(wish.map(Duration::from_secs));
        let pause = || policy.pause_after(attempts, &mut StdRng::seed_from_u64(seed));
        let rng = &mut StdRng::seed_from_u64(seed);
        let next = outcome.next_attempt_at(&policy, attempts, at(0), at(since), rng);
        let wish = Duration::from_secs(wish.unwrap_or_default().min(86_400));
        let expected = at(since) + pause().max(wish);
        let over = at(0) + TimeDelta::hours(72);
        prop_assert_eq!(next, (expected < over).then_some(expected));
    }
}

#[test]
fn others_are_told_of_what_happens_to_invitations() {
    let told: Vec<_> = told_types().collect();
    for wanted in [
        "created",
        "sent",
        "delivery_failed",
        "opened_page",
        "accepted",
        "declined",
        "revoked",
        "expired",
        "resent",
        "rescheduled",
        "reminder_sent",
        "address_changed",
        "delivered",
        "bounced",
        "complained",
    ] {
        assert!(told.contains(&format!("invitation.{wanted}").as_str()), "{wanted}");
    }
    let others: Vec<_> = told.iter().filter(|name| !name.starts_with("invitation.")).collect();
    assert_eq!(others, [&"batch.finished"], "what else concerns nobody outside");
    assert!(!told.contains(&TEST_TYPE));
    assert_eq!(EventKind::PasswordIssued.told_as(), None, "it is about a secret");
}

#[test]
fn every_word_is_read_back() {
    for status in WebhookDeliveryStatus::ALL {
        assert_eq!(WebhookDeliveryStatus::parse(status.as_str()), Some(status));
    }
    for reason in WebhookDisabledReason::ALL {
        assert_eq!(WebhookDisabledReason::parse(reason.as_str()), Some(reason));
    }
    for reason in WebhookFailure::ALL {
        assert_eq!(WebhookFailure::parse(reason.as_str()), Some(reason));
    }
}
