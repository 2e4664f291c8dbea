//! The steps of a worker: claim with the secret, lease, dot, report, acknowledgement.

use domain::delivery::DeliveryEvent;
use domain::{DeliveryState, Generation};

use crate::rules::{Mutation, Rules};
use crate::steps::{Action, Next};
use crate::world::{End, Holder, LATER, NOW, Row, Secret, Step, Stored, Try, Worker, World};

/// What a worker that is at `step` of `job` may do next.
pub fn go_on(next: &mut Next<'_>, at: usize, job: Generation, step: Step) {
    let rules = next.rules;
    match step {
        Step::Fetched => {
            next.free(Action::WorkerClaims(at), |world| claim(world, rules, at, job));
        }
        Step::Ready(attempt, secret) => {
            let fenced = attempt.late && !rules.lacks(Mutation::NoSelfFence);
            let after = if fenced {
                Step::Ended(attempt, End::Deferred)
            } else {
                Step::AtTheDot(attempt, secret)
            };
            next.free(Action::WorkerLooksAtLease(at), |world| set(world, at, after));
            next.fault(Action::OurTrouble(at), |world| {
                set(world, at, Step::Ended(attempt, End::Ours));
            });
        }
        Step::AtTheDot(attempt, secret) => dot(next, at, job, attempt, secret),
        Step::Ended(attempt, end) => {
            next.free(Action::WorkerReports(at), |world| {
                report(world, rules, job, attempt, end);
                set(world, at, Step::Reported);
            });
            // It says it once more.
            next.fault(Action::WorkerReportsAndHearsNothing(at), |world| {
                report(world, rules, job, attempt, end);
            });
        }
        Step::Reported => next.free(Action::WorkerAcknowledges(at), |world| {
            world.workers[at] = Worker::Idle;
        }),
    }
}

/// What the mail server may do with a mail whose final dot is written.
fn dot(next: &mut Next<'_>, at: usize, job: Generation, attempt: Try, secret: Secret) {
    let end = |world: &mut World, end| set(world, at, Step::Ended(attempt, end));
    next.free(Action::ServerTakes(at), |world| {
        world.taken.push((job, secret));
        end(world, End::Sent);
    });
    next.fault(Action::ServerTakesAndAnswerIsLost(at), |world| {
        world.taken.push((job, secret));
        world.ambiguous[job as usize - 1] += 1;
        end(world, End::Uncertain);
    });
    let lost =
        if next.rules.lacks(Mutation::LostAnswerIsSent) { End::Sent } else { End::Uncertain };
    next.fault(Action::ServerIsLost(at), |world| end(world, lost));
    next.fault(Action::ServerPutsOff(at), |world| end(world, End::Deferred));
    next.fault(Action::ServerRefuses(at), |world| end(world, End::Refused));
}

/// One transaction: of many workers exactly one wins, and the secret is fixed.
fn claim(world: &mut World, rules: &Rules, at: usize, job: Generation) {
    let open = world.open(job) && world.invitation.expires_at > NOW;
    let open = open || rules.lacks(Mutation::ClaimOfAClosedInvitation);
    let token = world.fresh_attempt();
    let delivery = world.delivery_mut(job);
    let claimed =
        open && delivery.take(&DeliveryEvent::Claim { attempt: token, lease_until: LATER });
    let forced = open && !claimed && rules.lacks(Mutation::ClaimFromAnyState);
    if forced {
        delivery.state = DeliveryState::Sending { attempt: token, lease_until: LATER };
    }
    let attempt = Try { token, late: false };
    let step = if claimed || forced {
        let ready = |secret| Step::Ready(attempt, secret);
        secret(world, rules, job).map_or(Step::Ended(attempt, End::Ours), ready)
    } else {
        // What there is to do is done elsewhere: the job is spent.
        Step::Reported
    };
    set(world, at, step);
}

/// The first claim of a generation makes its secret, and all others get that one.
fn secret(world: &mut World, rules: &Rules, job: Generation) -> Option<Secret> {
    let fresh = world.fresh_secret();
    if world.stored.generation < job || rules.lacks(Mutation::LastSecretWins) {
        world.stored = Stored { generation: job, token: Some(fresh), sealed: Some(fresh) };
    }
    if rules.lacks(Mutation::SecretPerAttempt) { Some(fresh) } else { world.stored.sealed }
}

/// One transaction: the state, what follows from it, and the intent to try again.
fn report(world: &mut World, rules: &Rules, job: Generation, attempt: Try, end: End) {
    let mut token = attempt.token;
    let delivery = world.delivery_mut(job);
    if rules.lacks(Mutation::NoAttemptToken) {
        token = delivery.holder().unwrap_or(token);
    }
    if rules.lacks(Mutation::ReportToAnyState) {
        delivery.state = DeliveryState::Sending { attempt: token, lease_until: LATER };
    }
    let outcome = end.outcome();
    let report =
        DeliveryEvent::Report { attempt: token, outcome: &outcome, next_attempt_at: LATER };
    if !delivery.take(&report) {
        return;
    }
    plan_or_cancel(world, job);
    match world.delivery(job).state {
        DeliveryState::Sent { .. } => {
            world.email_sent |= world.invitation.generation == job;
            shred(world, job);
        }
        DeliveryState::Failed { .. } => shred(world, job),
        _ => {}
    }
}

/// One transaction: the other end tells of a mail, and what follows if that was not known.
pub fn hear(world: &mut World, generation: Generation, told: &DeliveryEvent<'_>) {
    let was_sent = world.delivery(generation).state.status().was_sent();
    if world.delivery_mut(generation).take(told) && !was_sent {
        world.email_sent |= world.invitation.generation == generation;
        shred(world, generation);
    }
}

/// After a try that did not settle it: one more, if anybody still waits for the mail.
pub fn plan_or_cancel(world: &mut World, generation: Generation) {
    if !world.open(generation) {
        world.delivery_mut(generation).take(&DeliveryEvent::Cancel);
    }
    if world.delivery(generation).state.next_attempt_at().is_some() {
        world.outbox.push(Row { generation, due: false, lock: None });
    }
}

fn shred(world: &mut World, generation: Generation) {
    if world.stored.generation == generation {
        world.stored.sealed = None;
    }
}

/// Whether the mail server may have the mail while the database does not know it.
pub const fn may_have_sent(step: Step) -> bool {
    matches!(step, Step::Ended(_, End::Sent))
}

/// The lease of a worker that still lives is over. If it cannot be stopped any more, or waits to
/// report, another one may send the same mail.
pub fn falls_late(world: &mut World, at: usize, generation: Generation) {
    let Worker::Busy { job, unacked, mut step } = world.workers[at] else { return };
    if matches!(step, Step::AtTheDot(..)) || may_have_sent(step) {
        world.ambiguous[generation as usize - 1] += 1;
    }
    match &mut step {
        Step::Ready(attempt, _) | Step::AtTheDot(attempt, _) | Step::Ended(attempt, _) => {
            attempt.late = true;
        }
        Step::Fetched | Step::Reported => {}
    }
    world.workers[at] = Worker::Busy { job, unacked, step };
}

fn set(world: &mut World, at: usize, after: Step) {
    if let Worker::Busy { step, .. } = &mut world.workers[at] {
        *step = after;
    }
}
