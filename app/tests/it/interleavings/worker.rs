//! A worker, one step at a time, with everything that can happen to it between two steps.

use std::time::Duration;

use adapters::secret::{Owner, Secret};
use adapters::store::Claimed;
use domain::job::JobV1;
use domain::{DeliveryState, Job, Phase, SendOutcome, Trouble};
use rand::RngExt;
use rand::rngs::StdRng;

use super::checks;
use super::lab::{LEASE, Lab, Taken, lock, unless_busy};

#[derive(Default)]
pub struct Worker {
    /// The job that the broker hands to somebody else if this worker dies.
    unacked: Option<Job>,
    step: Step,
    /// For how many turns it does nothing: a long pause of its process or machine.
    asleep: u32,
}

#[derive(Default)]
enum Step {
    #[default]
    Idle,
    Fetched(Job),
    Ready(Box<Claimed>, String),
    AtTheDot(Box<Claimed>, String),
    /// With the place in the log of the mail that was taken.
    Ended(Box<Claimed>, SendOutcome, Option<usize>),
}

impl Worker {
    pub fn is_busy(&self) -> bool {
        !matches!(self.step, Step::Idle)
    }

    /// Does one step, or crashes.
    pub async fn step(&mut self, lab: &Lab, rng: &mut StdRng) {
        if self.asleep > 0 && lab.faults {
            self.asleep -= 1;
            return;
        }
        if self.is_busy() && lab.dice(rng) {
            if rng.random_bool(0.4) {
                return self.crash(lab);
            }
        } else if self.is_busy() && lab.faults && rng.random_bool(0.1) {
            // Long enough for the lease to end and somebody else to begin.
            self.asleep = rng.random_range(3..16);
        }
        if lab.dice(rng) && rng.random_bool(0.3) {
            // The connection is gone: the broker hands the job to another one, this one goes on.
            lock(&lab.queue).extend(self.unacked.take());
        }
        self.step = match std::mem::take(&mut self.step) {
            Step::Idle => {
                if lab.dice(rng) {
                    late_report(lab, rng).await;
                }
                self.fetch(lab, rng)
            }
            Step::Fetched(job) => self.claim(lab, job).await,
            Step::Ready(claimed, secret) => look_at_lease(lab, claimed, secret),
            Step::AtTheDot(claimed, secret) => dot(lab, claimed, secret, rng),
            Step::Ended(claimed, outcome, taken) => {
                self.report(lab, claimed, outcome, taken, rng).await
            }
        };
    }

    /// Goes without a word, or so it seems: it may only be very slow, and report some day.
    pub fn crash(&mut self, lab: &Lab) {
        let (claimed, outcome) = match std::mem::take(&mut self.step) {
            Step::Idle | Step::Fetched(_) => (None, SendOutcome::Sent),
            Step::Ready(claimed, _) | Step::AtTheDot(claimed, _) => {
                (Some(claimed), SendOutcome::Deferred(trouble()))
            }
            Step::Ended(claimed, outcome, taken) => {
                if let Some(taken) = taken {
                    lock(&lab.mails)[taken].excused = true;
                }
                (Some(claimed), outcome)
            }
        };
        lock(&lab.lingering).extend(claimed.map(|claimed| (claimed, outcome)));
        lock(&lab.queue).extend(self.unacked.take());
    }

    fn fetch(&mut self, lab: &Lab, rng: &mut StdRng) -> Step {
        let mut queue = lock(&lab.queue);
        if queue.is_empty() {
            return Step::Idle;
        }
        // Any of them: order is not promised.
        let at = rng.random_range(0..queue.len());
        let job = queue.swap_remove(at);
        if lab.dice(rng) {
            queue.push(job);
        }
        self.unacked = Some(job);
        if lab.dice(rng) {
            self.unacked = None;
            return Step::Idle;
        }
        Step::Fetched(job)
    }

    async fn claim(&mut self, lab: &Lab, job: Job) -> Step {
        let Job::V1(JobV1::Email { delivery, generation }) = job else {
            panic!("there is no webhook in the laboratory")
        };
        let expected = checks::claim(lab, delivery, generation).await;
        let result = lab.store.claim(delivery, generation, LEASE, &lab.keys).await;
        let Some(claimed) = unless_busy(result) else { return Step::Fetched(job) };
        expected.compare(lab, claimed.is_some());
        if let Some(claimed) = claimed {
            lock(&lab.holders).insert(delivery, claimed.attempt);
            let owner = Owner { invitation: claimed.delivery.invitation, generation };
            let secret = Secret::open(&lab.keys, &claimed.sealed, owner).unwrap();
            Step::Ready(Box::new(claimed), secret.token.expose().to_owned())
        } else {
            self.unacked = None;
            Step::Idle
        }
    }

    async fn report(
        &mut self,
        lab: &Lab,
        claimed: Box<Claimed>,
        outcome: SendOutcome,
        taken: Option<usize>,
        rng: &mut StdRng,
    ) -> Step {
        let pause = Duration::from_secs(rng.random_range(5..60));
        let next = lab.clock.now() + pause;
        let expected = checks::report(lab, &claimed, &outcome, next).await;
        let valid_for = Duration::from_hours(24);
        let result = lab.store.report(&claimed, &outcome, next, valid_for).await;
        let Some(state) = unless_busy(result) else { return Step::Ended(claimed, outcome, taken) };
        expected.compare(lab, state.map(|state| state.status())).await;
        if lab.dice(rng) {
            // The answer got lost: it says the same once more.
            return Step::Ended(claimed, outcome, taken);
        }
        let known = matches!(state, Some(DeliveryState::Sent { .. }));
        if let Some(taken) = taken.filter(|_| !known) {
            excuse(lab, &claimed, taken).await;
        }
        self.unacked = None;
        Step::Idle
    }
}

/// One of those who were taken for dead says how its attempt ended, perhaps not for the first time.
async fn late_report(lab: &Lab, rng: &mut StdRng) {
    let lingering = lock(&lab.lingering).clone();
    let newest = lingering.len().min(8);
    if newest > 0 {
        let (claimed, outcome) = &lingering[lingering.len() - 1 - rng.random_range(0..newest)];
        let next = lab.clock.now() + Duration::from_secs(30);
        let expected = checks::report(lab, claimed, outcome, next).await;
        let result = lab.store.report(claimed, outcome, next, Duration::from_hours(24)).await;
        if let Some(state) = unless_busy(result) {
            expected.compare(lab, state.map(|state| state.status())).await;
        }
    }
}

/// The report of a mail that was taken did not count. Either an earlier one did, or the worker was
/// so slow that its lease had ended.
async fn excuse(lab: &Lab, claimed: &Claimed, taken: usize) {
    let DeliveryState::Sending { lease_until, .. } = claimed.delivery.state else {
        panic!("what is claimed is being sent")
    };
    let detail = lab.look(claimed.delivery.invitation).await;
    let mut mails = detail.deliveries.iter().map(|mail| &mail.delivery);
    let mail = mails.find(|mail| mail.id == claimed.delivery.id).unwrap();
    let late = lease_until <= lab.clock.now();
    // If somebody else has it by now, what is said of it is theirs.
    let own = lock(&lab.holders).get(&mail.id) == Some(&claimed.attempt);
    let said_before = own && mail.status.was_sent();
    let excused = lock(&lab.mails)[taken].excused;
    assert!(late || said_before || excused, "the report of a mail in time was refused: {mail:?}");
    if late && !said_before {
        lock(&lab.mails)[taken].excused = true;
    }
}

/// The worker stops itself before the dot once its lease is over.
fn look_at_lease(lab: &Lab, claimed: Box<Claimed>, secret: String) -> Step {
    match claimed.delivery.state {
        DeliveryState::Sending { lease_until, .. } if lab.clock.now() < lease_until => {
            Step::AtTheDot(claimed, secret)
        }
        _ => Step::Ended(claimed, SendOutcome::Deferred(trouble()), None),
    }
}

/// What the mail server makes of the mail, and what the worker hears of it.
fn dot(lab: &Lab, claimed: Box<Claimed>, secret: String, rng: &mut StdRng) -> Step {
    if lab.faults && rng.random_bool(0.25) {
        let outcome = match rng.random_range(0..4) {
            0 => SendOutcome::Ours(trouble()),
            1 => SendOutcome::Refused(trouble()),
            2 => SendOutcome::Uncertain(trouble()),
            _ => SendOutcome::Deferred(trouble()),
        };
        return Step::Ended(claimed, outcome, None);
    }
    let answer_is_lost = lab.dice(rng);
    let mut mails = lock(&lab.mails);
    mails.push(Taken {
        invitation: claimed.delivery.invitation,
        delivery: claimed.delivery.id,
        generation: claimed.delivery.generation,
        message_id: claimed.mail.message_id.clone(),
        secret,
        excused: answer_is_lost,
    });
    let outcome =
        if answer_is_lost { SendOutcome::Uncertain(trouble()) } else { SendOutcome::Sent };
    let taken = (outcome == SendOutcome::Sent).then_some(mails.len() - 1);
    Step::Ended(claimed, outcome, taken)
}

fn trouble() -> Trouble {
    Trouble { phase: Phase::FinalDot, reply: None, detail: "as the dice fell".to_owned() }
}
