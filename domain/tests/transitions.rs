//! Every state of an invitation and of a delivery against every event: what happens, or `-` for
//! "not allowed". The tables are the specification; the code has to agree with each cell.

use chrono::{DateTime, TimeDelta};
use domain::delivery::DeliveryEvent;
use domain::invitation::InvitationEvent;
use domain::{
    AttemptToken, Bounce, Delivery, DeliveryId, DeliveryState, DeliveryStatus, FailureReason,
    Feedback, Invitation, InvitationId, InvitationState, InvitationStatus, Phase, SendOutcome,
    Timestamp, Trouble,
};
use uuid::Uuid;

/// `overdue` is pending, its time has passed, and nothing has noticed that yet.
const INVITATION: &str = "
event     pending    overdue   accepted   declined   revoked   expired
accept    accepted   -         -          -          -         -
decline   declined   -         -          -          -         -
revoke    revoked    -         -          -          -         -
resend    pending    -         -          -          -         -
extend    pending    -         -          -          -         -
expire    -          expired   -          -          -         -
";

/// `lapsed` is sending with its lease over; `…_due` has reached its next attempt. A report of
/// `…_late` comes with a next attempt after the delivery is to be given up; a report of `stranger`
/// comes from an attempt that is not, or no longer, the delivery's own. `bounced_soft` is bounced, but
/// not for good.
const DELIVERY: &str = "
event                     queued     scheduled  scheduled_due  sending     lapsed      retrying    retrying_due  uncertain   uncertain_due  sent        delivered   bounced_soft  bounced     complained  failed  cancelled  suppressed
claim                     sending    -          sending        -           -           -           sending       -           sending        -           -           -             -           -           -       -          -
reschedule                -          scheduled  scheduled      -           -           -           -             -           -              -           -           -             -           -           -       -          -
reschedule_now            -          queued     queued         -           -           -           -             -           -              -           -           -             -           -           -       -          -
report_sent               -          -          -              sent        sent        -           -             sent        sent           -           -           -             -           -           -       -          -
report_no_such_recipient  -          -          -              failed      failed      -           -             failed      failed         -           -           -             -           -           -       -          -
report_refused            -          -          -              failed      failed      -           -             failed      failed         -           -           -             -           -           -       -          -
report_unrenderable       -          -          -              failed      failed      -           -             failed      failed         -           -           -             -           -           -       -          -
report_deferred           -          -          -              retrying    retrying    -           -             retrying    retrying       -           -           -             -           -           -       -          -
report_deferred_late      -          -          -              failed      failed      -           -             failed      failed         -           -           -             -           -           -       -          -
report_uncertain          -          -          -              uncertain   uncertain   -           -             uncertain   uncertain      -           -           -             -           -           -       -          -
report_uncertain_late     -          -          -              failed      failed      -           -             failed      failed         -           -           -             -           -           -       -          -
report_ours               -          -          -              retrying    retrying    -           -             retrying    retrying       -           -           -             -           -           -       -          -
report_ours_late          -          -          -              retrying    retrying    -           -             retrying    retrying       -           -           -             -           -           -       -          -
report_parked             -          -          -              retrying    retrying    -           -             retrying    retrying       -           -           -             -           -           -       -          -
report_parked_late        -          -          -              retrying    retrying    -           -             retrying    retrying       -           -           -             -           -           -       -          -
report_crowded            -          -          -              retrying    retrying    -           -             retrying    retrying       -           -           -             -           -           -       -          -
report_crowded_late       -          -          -              retrying    retrying    -           -             retrying    retrying       -           -           -             -           -           -       -          -
report_stranger           -          -          -              -           -           -           -             -           -              -           -           -             -           -           -       -          -
lease_expired             -          -          -              -           uncertain   -           -             -           -              -           -           -             -           -           -       -          -
cancel                    cancelled  cancelled  cancelled      -           -           cancelled   cancelled     cancelled   cancelled      -           -           -             -           -           -       -          -
told_delivered            -          -          -              delivered   delivered   delivered   delivered     delivered   delivered      delivered   -           -             -           -           -       -          -
told_soft_bounce          -          -          -              bounced     bounced     bounced     bounced       bounced     bounced        bounced     bounced     -             -           -           -       -          -
told_hard_bounce          -          -          -              bounced     bounced     bounced     bounced       bounced     bounced        bounced     bounced     bounced       -           -           -       -          -
told_complaint            -          -          -              complained  complained  complained  complained    complained  complained     complained  complained  complained    complained  -           -       -          -
";

const NOW: Timestamp = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
const LATER: Timestamp = DateTime::from_timestamp(1_800_000_000 + 5 * 60, 0).unwrap();
const GIVE_UP: Timestamp = DateTime::from_timestamp(1_800_000_000 + 72 * 3600, 0).unwrap();
const HOLDER: AttemptToken = AttemptToken::from_uuid(Uuid::from_u128(1));
const STRANGER: AttemptToken = AttemptToken::from_uuid(Uuid::from_u128(2));

#[test]
fn every_invitation_state_takes_exactly_the_events_in_the_table() {
    let differences = compare(INVITATION, |state, event| {
        let before = invitation(state);
        let generation = before.generation;
        let event = invitation_event(event);
        match before.apply(event, NOW) {
            Ok(after) => {
                let grew = after.generation - generation;
                assert_eq!(grew, u32::from(event == InvitationEvent::Resend), "generation");
                let closed = (after.state.status() != InvitationStatus::Pending).then_some(NOW);
                assert_eq!(after.state.closed_at(), closed, "the time it ended");
                Some(after.state.status().as_str())
            }
            Err(illegal) => {
                assert_eq!((illegal.id, illegal.event), (invitation(state).id, event));
                let expired_for_all = state == "overdue";
                let from = if expired_for_all { "expired" } else { state };
                assert_eq!(illegal.from.as_str(), from, "the state that is blamed");
                None
            }
        }
    });
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn every_delivery_state_takes_exactly_the_events_in_the_table() {
    let differences = compare(DELIVERY, |state, event| {
        let before = delivery(state);
        let attempts = before.attempts;
        let outcome = outcome(event);
        match before.clone().apply(&delivery_event(event, &outcome), NOW) {
            Ok(after) => {
                let used = match event {
                    "claim" => attempts + 1,
                    "report_ours"
                    | "report_ours_late"
                    | "report_parked"
                    | "report_parked_late"
                    | "report_crowded"
                    | "report_crowded_late" => attempts - 1,
                    _ => attempts,
                };
                assert_eq!(after.attempts, used, "attempts after {event} in {state}");
                let same = Delivery { attempts, state: before.state, ..after.clone() };
                assert_eq!(same, before);
                check_data(event, &after.state);
                check_sent_at(&before, &after.state);
                Some(after.state.status().as_str())
            }
            Err(illegal) => {
                assert_eq!(illegal.id, before.id);
                assert_eq!(illegal.from, before.state.status(), "the state that is blamed");
                assert_eq!(illegal.event, delivery_event(event, &outcome).name());
                None
            }
        }
    });
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn the_tables_have_every_state() {
    let words = |table: &'static str| table.split_whitespace().collect::<Vec<_>>();
    for status in InvitationStatus::ALL {
        assert!(words(INVITATION).contains(&status.as_str()), "{status:?}");
        assert_eq!(InvitationStatus::parse(status.as_str()), Some(status));
    }
    for status in DeliveryStatus::ALL {
        assert!(words(DELIVERY).contains(&status.as_str()), "{status:?}");
        assert_eq!(DeliveryStatus::parse(status.as_str()), Some(status));
    }
    assert_eq!(InvitationStatus::parse("Pending"), None);
    assert_eq!(DeliveryStatus::parse("delivering"), None);
}

#[test]
fn an_error_says_what_was_illegal() {
    let revoked = invitation("revoked").apply(InvitationEvent::Accept, NOW);
    let id = InvitationId::from_uuid(Uuid::from_u128(3));
    let told = revoked.map_err(|error| error.to_string());
    assert_eq!(told, Err(format!("invitation {id} is Revoked and cannot Accept")));

    let sent = delivery("sent").apply(&DeliveryEvent::Cancel, NOW);
    let id = DeliveryId::from_uuid(Uuid::from_u128(4));
    let told = sent.map_err(|error| error.to_string());
    assert_eq!(told, Err(format!("delivery {id} is Sent and cannot take cancel")));
}

/// What a state carries has to come from the event that led to it.
fn check_data(event: &str, state: &DeliveryState) {
    match *state {
        DeliveryState::Sending { attempt, lease_until } => {
            assert_eq!((attempt, lease_until), (STRANGER, LATER));
        }
        DeliveryState::Retrying { next_attempt_at } => {
            let next = if event.ends_with("_late") { GIVE_UP } else { LATER };
            assert_eq!(next_attempt_at, next);
        }
        DeliveryState::Uncertain { attempt, next_attempt_at } => {
            // The attempt stays known: its late report is still welcome.
            assert_eq!((attempt, next_attempt_at), (HOLDER, LATER));
        }
        DeliveryState::Failed { at, reason } => {
            let expected = match event {
                "report_no_such_recipient" => FailureReason::NoSuchRecipient,
                "report_refused" => FailureReason::Refused,
                "report_unrenderable" => FailureReason::Unrenderable,
                _ => FailureReason::Exhausted,
            };
            assert_eq!((at, reason), (NOW, expected));
        }
        DeliveryState::Sent { at }
        | DeliveryState::Cancelled { at }
        | DeliveryState::Delivered { at, .. }
        | DeliveryState::Complained { at, .. } => assert_eq!(at, NOW),
        DeliveryState::Bounced { at, bounce, .. } => {
            let hard = event == "told_hard_bounce";
            assert_eq!((at, bounce), (NOW, if hard { Bounce::Hard } else { Bounce::Soft }));
        }
        DeliveryState::Scheduled { send_at } => {
            assert_eq!((event, send_at), ("reschedule", LATER));
        }
        DeliveryState::Queued => assert_eq!(event, "reschedule_now"),
        DeliveryState::Suppressed { .. } => panic!("{event} must not lead to {state:?}"),
    }
}

/// What is heard later does not change when the mail was sent; if that was not known, it is known now.
fn check_sent_at(before: &Delivery, after: &DeliveryState) {
    let (DeliveryState::Delivered { sent_at, .. }
    | DeliveryState::Bounced { sent_at, .. }
    | DeliveryState::Complained { sent_at, .. }) = *after
    else {
        return;
    };
    let hour_ago = NOW - TimeDelta::hours(1);
    let expected = if before.state.status().was_sent() { hour_ago } else { NOW };
    assert_eq!(sent_at, expected, "from {before:?}");
}

#[test]
fn a_mail_that_never_left_is_not_told_of() {
    let before = Delivery { attempts: 0, ..delivery("retrying") };
    let told = DeliveryEvent::Feedback(Feedback::Delivered);
    assert!(before.apply(&told, NOW).is_err(), "all trouble so far was our own");
}

/// Tries each cell of `table` and tells which ones came out differently.
fn compare<'a>(
    table: &'a str,
    apply: impl Fn(&'a str, &'a str) -> Option<&'static str>,
) -> Vec<String> {
    let mut rows = table.trim().lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let states = rows.next().unwrap_or_default().split_off(1);
    let mut differences = Vec::new();
    for row in rows {
        let (event, cells) = (row[0], &row[1..]);
        assert_eq!(cells.len(), states.len(), "the row of {event} has a cell for each state");
        for (state, expected) in states.iter().zip(cells) {
            let actual = apply(state, event).unwrap_or("-");
            if actual != *expected {
                differences.push(format!("{event} in {state}: {actual}, not {expected}"));
            }
        }
    }
    differences
}

fn invitation(state: &str) -> Invitation {
    let at = NOW - TimeDelta::hours(1);
    Invitation {
        id: InvitationId::from_uuid(Uuid::from_u128(3)),
        generation: 1,
        // Over means over: the very moment no longer counts.
        expires_at: if state == "overdue" { NOW } else { LATER },
        state: match state {
            "pending" | "overdue" => InvitationState::Pending,
            "accepted" => InvitationState::Accepted { at },
            "declined" => InvitationState::Declined { at },
            "revoked" => InvitationState::Revoked { at },
            "expired" => InvitationState::Expired { at },
            other => panic!("no state is called {other}"),
        },
    }
}

fn invitation_event(name: &str) -> InvitationEvent {
    match name {
        "accept" => InvitationEvent::Accept,
        "decline" => InvitationEvent::Decline,
        "revoke" => InvitationEvent::Revoke,
        "resend" => InvitationEvent::Resend,
        "extend" => InvitationEvent::Extend { expires_at: LATER },
        "expire" => InvitationEvent::Expire,
        other => panic!("no event is called {other}"),
    }
}

fn delivery(state: &str) -> Delivery {
    let (attempt, at) = (HOLDER, NOW - TimeDelta::hours(1));
    Delivery {
        id: DeliveryId::from_uuid(Uuid::from_u128(4)),
        invitation: InvitationId::from_uuid(Uuid::from_u128(3)),
        generation: 1,
        attempts: 2,
        give_up_at: GIVE_UP,
        state: match state {
            "queued" => DeliveryState::Queued,
            "scheduled" => DeliveryState::Scheduled { send_at: LATER },
            "scheduled_due" => DeliveryState::Scheduled { send_at: NOW },
            "sending" => DeliveryState::Sending { attempt, lease_until: LATER },
            "lapsed" => DeliveryState::Sending { attempt, lease_until: NOW },
            "retrying" => DeliveryState::Retrying { next_attempt_at: LATER },
            "retrying_due" => DeliveryState::Retrying { next_attempt_at: NOW },
            "uncertain" => DeliveryState::Uncertain { attempt, next_attempt_at: LATER },
            "uncertain_due" => DeliveryState::Uncertain { attempt, next_attempt_at: NOW },
            "sent" => DeliveryState::Sent { at },
            "delivered" => DeliveryState::Delivered { sent_at: at, at },
            "bounced_soft" => DeliveryState::Bounced { sent_at: at, at, bounce: Bounce::Soft },
            "bounced" => DeliveryState::Bounced { sent_at: at, at, bounce: Bounce::Hard },
            "complained" => DeliveryState::Complained { sent_at: at, at },
            "failed" => DeliveryState::Failed { at, reason: FailureReason::Refused },
            "cancelled" => DeliveryState::Cancelled { at },
            "suppressed" => DeliveryState::Suppressed { at },
            other => panic!("no state is called {other}"),
        },
    }
}

fn delivery_event<'a>(name: &str, outcome: &'a SendOutcome) -> DeliveryEvent<'a> {
    match name {
        "claim" => DeliveryEvent::Claim { attempt: STRANGER, lease_until: LATER },
        "lease_expired" => DeliveryEvent::LeaseExpired { next_attempt_at: LATER },
        "cancel" => DeliveryEvent::Cancel,
        "reschedule" => DeliveryEvent::Reschedule { send_at: LATER },
        "reschedule_now" => DeliveryEvent::Reschedule { send_at: NOW },
        "told_delivered" => DeliveryEvent::Feedback(Feedback::Delivered),
        "told_soft_bounce" => DeliveryEvent::Feedback(Feedback::Bounced(Bounce::Soft)),
        "told_hard_bounce" => DeliveryEvent::Feedback(Feedback::Bounced(Bounce::Hard)),
        "told_complaint" => DeliveryEvent::Feedback(Feedback::Complained),
        "report_stranger" => {
            DeliveryEvent::Report { attempt: STRANGER, outcome, next_attempt_at: LATER }
        }
        _ => DeliveryEvent::Report {
            attempt: HOLDER,
            outcome,
            // The moment of giving up is itself too late.
            next_attempt_at: if name.ends_with("_late") { GIVE_UP } else { LATER },
        },
    }
}

fn outcome(event: &str) -> SendOutcome {
    let trouble = Trouble { phase: Phase::Recipient, reply: None, detail: String::new() };
    match event.trim_start_matches("report_").trim_end_matches("_late") {
        "no_such_recipient" => SendOutcome::NoSuchRecipient(trouble),
        "refused" => SendOutcome::Refused(trouble),
        "unrenderable" => SendOutcome::Unrenderable(trouble),
        "deferred" => SendOutcome::Deferred(trouble),
        "uncertain" => SendOutcome::Uncertain(trouble),
        "ours" => SendOutcome::Ours(trouble),
        "parked" => SendOutcome::Parked(trouble),
        "crowded" => SendOutcome::Crowded(trouble),
        _ => SendOutcome::Sent,
    }
}
