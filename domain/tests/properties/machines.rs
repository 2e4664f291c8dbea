//! Both state machines and the retry schedule under any sequence of events.

use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use domain::delivery::DeliveryEvent;
use domain::invitation::InvitationEvent;
use domain::{
    AttemptToken, Bounce, Delivery, DeliveryId, DeliveryState, FailureReason, Feedback, Invitation,
    InvitationId, InvitationState, InvitationStatus, Phase, RetryPolicy, SendOutcome, Timestamp,
    Trouble,
};
use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::StdRng;
use uuid::Uuid;

const START: Timestamp = DateTime::from_timestamp(1_800_000_000, 0).unwrap();

/// An event, when it happens after the one before, and the two numbers it may carry.
#[derive(Debug, Clone)]
struct Happening {
    event: u8,
    seconds: u32,
    token: u128,
    pause: u32,
}

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    let one = (0_u8..12, 0_u32..4000, 0_u128..3, 0_u32..9000);
    let one =
        one.prop_map(|(event, seconds, token, pause)| Happening { event, seconds, token, pause });
    prop::collection::vec(one, 0..60)
}

proptest! {
    #[test]
    fn a_delivery_keeps_its_promises(happenings in happenings()) {
        let mut delivery = fresh(START + TimeDelta::hours(3));
        let (mut now, mut before_claim) = (START, 0);
        for happening in &happenings {
            now += TimeDelta::seconds(happening.seconds.into());
            let outcome = outcome(happening.event);
            let event = event(happening, &outcome, now);
            let before = delivery.clone();
            let Ok(after) = delivery.clone().apply(&event, now) else { continue };
            prop_assert!(!before.state.status().is_settled(), "{:?} left by {event:?}", before.state);
            prop_assert_eq!(rest(&before), rest(&after), "what no event changes");
            match event {
                DeliveryEvent::Report { attempt, .. } => {
                    prop_assert_eq!(holder(&before), Some(attempt), "only the holder reports");
                    let used = if is_free(&outcome) { before.attempts.min(before_claim) } else { before.attempts };
                    prop_assert_eq!(after.attempts, used);
                }
                DeliveryEvent::Claim { .. } => {
                    prop_assert_eq!(after.attempts, before.attempts + 1);
                    let next = before.state.next_attempt_at();
                    prop_assert!(next.is_none_or(|next| next <= now), "never before it is due");
                    before_claim = before.attempts;
                }
                _ => prop_assert_eq!(after.attempts, before.attempts),
            }
            if let (DeliveryState::Retrying { next_attempt_at }, false) =
                (after.state, is_free(&outcome))
            {
                prop_assert!(next_attempt_at < after.give_up_at, "retried too late");
            }
            delivery = after;
        }
    }

    /// Providers promise no order, and say things twice.
    #[test]
    fn what_is_heard_of_a_mail_comes_to_the_same_in_any_order(
        heard in prop::collection::vec(0_usize..4, 0..6),
        again in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        from in 0_u8..4,
    ) {
        let before = Delivery { attempts: 1, state: out(from), ..fresh(START) };
        let hear = |all: &[usize]| {
            all.iter().fold(before.clone(), |delivery, &at| {
                let told = DeliveryEvent::Feedback(FEEDBACK[at]);
                delivery.clone().apply(&told, START).unwrap_or(delivery)
            })
        };
        let mut shuffled: Vec<usize> = heard.iter().rev().copied().collect();
        shuffled.extend(again.iter().filter(|_| !heard.is_empty()).map(|at| *at.get(&heard)));
        prop_assert_eq!(hear(&heard), hear(&shuffled));
        let after = hear(&heard).state.status();
        prop_assert!(heard.is_empty() || after.was_sent(), "{after:?}");
    }

    #[test]
    fn an_invitation_keeps_its_promises(happenings in happenings()) {
        let mut invitation = Invitation {
            id: InvitationId::from_uuid(Uuid::from_u128(1)),
            generation: 1,
            expires_at: START + TimeDelta::hours(3),
            state: InvitationState::Pending,
        };
        let mut now = START;
        for happening in &happenings {
            now += TimeDelta::seconds(happening.seconds.into());
            let event = [
                InvitationEvent::Resend,
                InvitationEvent::Expire,
                InvitationEvent::Resend,
                InvitationEvent::Accept,
                InvitationEvent::Decline,
                InvitationEvent::Revoke,
                InvitationEvent::Extend { expires_at: now + TimeDelta::hours(2) },
            ][usize::from(happening.event % 7)];
            let Ok(after) = invitation.clone().apply(event, now) else { continue };
            prop_assert_eq!(invitation.state, InvitationState::Pending, "left by {:?}", event);
            prop_assert_eq!(now >= after.expires_at, event == InvitationEvent::Expire);
            let resent = u32::from(event == InvitationEvent::Resend);
            prop_assert_eq!(after.generation, invitation.generation + resent);
            let pending = after.state.status() == InvitationStatus::Pending;
            let extended = match event {
                InvitationEvent::Extend { expires_at } => Some(expires_at),
                _ => None,
            };
            prop_assert_eq!(pending, resent == 1 || extended.is_some());
            let ends = extended.unwrap_or(invitation.expires_at);
            prop_assert_eq!((after.id, after.expires_at), (invitation.id, ends));
            invitation = after;
        }
    }

    /// A server that puts the mail off for ever: it is tried on schedule, then given up.
    #[test]
    fn the_schedule_ends_in_time(expires_in in 1_i64..400_000, seed: u64) {
        let policy = RetryPolicy::default();
        let expiry = START + TimeDelta::seconds(expires_in);
        let give_up_at = expiry.min(START + policy.give_up_after);
        let (mut delivery, mut now) = (fresh(give_up_at), START);
        let mut rng = StdRng::seed_from_u64(seed);
        let outcome = SendOutcome::Deferred(trouble());
        for attempt in 1_u32.. {
            prop_assert!(now < give_up_at && attempt < 30, "attempt {attempt} at {now}");
            let token = AttemptToken::from_uuid(Uuid::from_u128(attempt.into()));
            let claim = DeliveryEvent::Claim { attempt: token, lease_until: now };
            delivery = delivery.apply(&claim, now).unwrap();
            let pause = policy.pause_after(delivery.attempts, &mut rng);
            let step = policy.pauses[(attempt as usize - 1).min(policy.pauses.len() - 1)];
            let slack = Duration::from_millis(1);
            prop_assert!(pause + slack >= step.mul_f64(0.8) && pause <= step.mul_f64(1.2) + slack);
            let report =
                DeliveryEvent::Report { attempt: token, outcome: &outcome, next_attempt_at: now + pause };
            delivery = delivery.apply(&report, now).unwrap();
            match delivery.state {
                DeliveryState::Retrying { next_attempt_at } => now = next_attempt_at,
                state => {
                    let exhausted = FailureReason::Exhausted;
                    prop_assert_eq!(state, DeliveryState::Failed { at: now, reason: exhausted });
                    prop_assert!(now + pause >= give_up_at, "given up while there was time");
                    break;
                }
            }
        }
    }
}

const FEEDBACK: [Feedback; 4] = [
    Feedback::Delivered,
    Feedback::Bounced(Bounce::Soft),
    Feedback::Bounced(Bounce::Hard),
    Feedback::Complained,
];

/// A state in which the mail is out, or may be.
fn out(which: u8) -> DeliveryState {
    let attempt = AttemptToken::from_uuid(Uuid::from_u128(1));
    match which {
        0 => DeliveryState::Sent { at: START },
        1 => DeliveryState::Sending { attempt, lease_until: START },
        2 => DeliveryState::Retrying { next_attempt_at: START },
        _ => DeliveryState::Uncertain { attempt, next_attempt_at: START },
    }
}

fn event<'a>(happening: &Happening, outcome: &'a SendOutcome, now: Timestamp) -> DeliveryEvent<'a> {
    let attempt = AttemptToken::from_uuid(Uuid::from_u128(happening.token));
    let later = now + TimeDelta::seconds(happening.pause.into());
    match happening.event {
        0..3 => DeliveryEvent::Claim { attempt, lease_until: later },
        3 => DeliveryEvent::LeaseExpired { next_attempt_at: later },
        // Seldom, or hardly anything else would happen.
        4 if happening.token == 0 => DeliveryEvent::Cancel,
        _ => DeliveryEvent::Report { attempt, outcome, next_attempt_at: later },
    }
}

/// Whether an attempt that ends so uses none up.
const fn is_free(outcome: &SendOutcome) -> bool {
    matches!(outcome, SendOutcome::Ours(_) | SendOutcome::Parked(_) | SendOutcome::Crowded(_))
}

fn outcome(event: u8) -> SendOutcome {
    match event {
        6 => SendOutcome::Refused(trouble()),
        7 | 8 => SendOutcome::Uncertain(trouble()),
        9 => SendOutcome::Ours(trouble()),
        10 => SendOutcome::Sent,
        11 => SendOutcome::Parked(trouble()),
        12 => SendOutcome::Crowded(trouble()),
        _ => SendOutcome::Deferred(trouble()),
    }
}

fn trouble() -> Trouble {
    Trouble { phase: Phase::Recipient, reply: None, detail: String::new() }
}

fn fresh(give_up_at: Timestamp) -> Delivery {
    Delivery {
        id: DeliveryId::from_uuid(Uuid::from_u128(4)),
        invitation: InvitationId::from_uuid(Uuid::from_u128(3)),
        generation: 1,
        attempts: 0,
        give_up_at,
        state: DeliveryState::Queued,
    }
}

/// What no event changes.
fn rest(delivery: &Delivery) -> Delivery {
    Delivery { attempts: 0, state: DeliveryState::Queued, ..delivery.clone() }
}

fn holder(delivery: &Delivery) -> Option<AttemptToken> {
    match delivery.state {
        DeliveryState::Sending { attempt, .. } | DeliveryState::Uncertain { attempt, .. } => {
            Some(attempt)
        }
        _ => None,
    }
}
