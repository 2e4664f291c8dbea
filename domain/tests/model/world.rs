//! All that matters of the product at one moment: the rows of the database, what the broker holds,
//! how far relays and workers have come, and what the mail server has taken.
//!
//! Time is not counted. A deadline lies ahead (`LATER`) or is over (`NOW`), and each may pass at any
//! moment: that covers every schedule, every pause and every clock.

use chrono::DateTime;
use domain::delivery::DeliveryEvent;
use domain::{
    AttemptToken, Delivery, DeliveryId, DeliveryState, Generation, Invitation, InvitationId,
    InvitationState, InvitationStatus, Phase, SendOutcome, Timestamp, Trouble,
};
use uuid::Uuid;

pub const NOW: Timestamp = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
pub const LATER: Timestamp = DateTime::from_timestamp(1_800_000_060, 0).unwrap();
const NEVER: Timestamp = DateTime::from_timestamp(1_900_000_000, 0).unwrap();

/// A link token, told from others by its number.
pub type Secret = u8;

/// Everything; equal worlds have the same future. What has no order is kept sorted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct World {
    pub invitation: Invitation,
    pub email_sent: bool,
    pub stored: Stored,
    /// One for each generation.
    pub deliveries: Vec<Delivery>,
    pub outbox: Vec<Row>,
    pub relays: [Relay; 2],
    /// Jobs on their way; each names a generation.
    pub queue: Vec<Generation>,
    pub workers: [Worker; 2],
    /// What the mail server has taken: which mail, with which secret.
    pub taken: Vec<(Generation, Secret)>,
    /// For each generation, how often a repeat was excused.
    pub ambiguous: Vec<u8>,
    /// How much may still go wrong.
    pub faults_left: u8,
    /// How often people may still act.
    pub commands_left: u8,
}

/// What the invitation's row has of its secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stored {
    pub generation: Generation,
    /// What a link is recognized by.
    pub token: Option<Secret>,
    /// What the next attempt sends; shredded when there is none to come.
    pub sealed: Option<Secret>,
}

/// A row of the outbox that is not published yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Row {
    pub generation: Generation,
    pub due: bool,
    pub lock: Option<Lock>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lock {
    pub token: u8,
    pub over: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Relay {
    Idle,
    Claimed(Generation, u8),
    /// The broker has confirmed.
    Published(u8),
    /// The broker has not confirmed; it may have the job or not.
    Unconfirmed(u8),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Worker {
    Idle,
    /// With a job, and whether the broker still counts it as this worker's.
    Busy {
        job: Generation,
        unacked: bool,
        step: Step,
    },
}

/// How far a worker is with its job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    Fetched,
    /// Claimed, with the secret of its generation.
    Ready(Try, Secret),
    /// The mail is written and the lease was looked at: the final dot is next.
    AtTheDot(Try, Secret),
    Ended(Try, End),
    Reported,
}

/// An attempt as its worker knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Try {
    pub token: AttemptToken,
    /// Whether its lease is over, which the worker's own clock tells.
    pub late: bool,
}

/// How an attempt ended, as far as its worker knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum End {
    Sent,
    Refused,
    Deferred,
    Uncertain,
    Ours,
}

impl World {
    /// An invitation that was just recorded.
    pub fn new(faults_left: u8, commands_left: u8) -> Self {
        let invitation = Invitation {
            id: InvitationId::from_uuid(Uuid::from_u128(1)),
            generation: 0,
            expires_at: LATER,
            state: InvitationState::Pending,
        };
        let mut world = Self {
            invitation,
            email_sent: false,
            stored: Stored { generation: 0, token: None, sealed: None },
            deliveries: Vec::new(),
            outbox: Vec::new(),
            relays: [Relay::Idle; 2],
            queue: Vec::new(),
            workers: [Worker::Idle; 2],
            taken: Vec::new(),
            ambiguous: Vec::new(),
            faults_left,
            commands_left,
        };
        world.plan_next_generation();
        world
    }

    /// A delivery and its outbox row for one more generation.
    pub fn plan_next_generation(&mut self) {
        self.invitation.generation += 1;
        let generation = self.invitation.generation;
        self.deliveries.push(Delivery {
            id: DeliveryId::from_uuid(Uuid::from_u128(u128::from(generation))),
            invitation: self.invitation.id,
            generation,
            attempts: 0,
            give_up_at: NEVER,
            state: DeliveryState::Queued,
        });
        self.ambiguous.push(0);
        self.outbox.push(Row { generation, due: true, lock: None });
    }

    pub fn delivery(&self, generation: Generation) -> &Delivery {
        &self.deliveries[generation as usize - 1]
    }

    pub fn delivery_mut(&mut self, generation: Generation) -> &mut Delivery {
        &mut self.deliveries[generation as usize - 1]
    }

    /// Whether the mail of this generation is still wanted.
    pub fn open(&self, generation: Generation) -> bool {
        self.invitation.state.status() == InvitationStatus::Pending
            && self.invitation.generation == generation
    }

    /// Whether nothing more will happen by itself.
    pub fn settled(&self) -> bool {
        self.deliveries.iter().all(|delivery| delivery.state.status().is_settled())
    }

    /// A token that nobody has.
    pub fn fresh_attempt(&self) -> AttemptToken {
        let known = |token| {
            let held = |worker: &Worker| worker.attempt().is_some_and(|own| own.token == token);
            self.workers.iter().any(held)
                || self.deliveries.iter().any(|delivery| delivery.holder() == Some(token))
        };
        let token = |number: u8| AttemptToken::from_uuid(Uuid::from_u128(number.into()));
        token(first_without(|number| known(token(number))))
    }

    pub fn fresh_lock(&self) -> u8 {
        let held = |token| {
            self.outbox.iter().any(|row| row.lock.is_some_and(|lock| lock.token == token))
                || self.relays.iter().any(|relay| relay.token() == Some(token))
        };
        first_without(held)
    }

    pub fn fresh_secret(&self) -> Secret {
        let in_use = |secret| {
            [self.stored.token, self.stored.sealed].contains(&Some(secret))
                || self.taken.iter().any(|(_, taken)| *taken == secret)
                || self.workers.iter().any(|worker| worker.secret() == Some(secret))
        };
        first_without(in_use)
    }

    /// Puts what has no order into one: relays and workers are alike, and the broker reorders.
    pub fn sorted(mut self) -> Self {
        self.outbox.sort_unstable();
        self.queue.sort_unstable();
        self.relays.sort_unstable();
        self.workers.sort_unstable();
        self.taken.sort_unstable();
        self
    }
}

impl Worker {
    pub fn step(&self) -> Option<Step> {
        match *self {
            Self::Idle => None,
            Self::Busy { step, .. } => Some(step),
        }
    }

    pub fn attempt(&self) -> Option<Try> {
        match self.step()? {
            Step::Fetched | Step::Reported => None,
            Step::Ready(attempt, _) | Step::AtTheDot(attempt, _) | Step::Ended(attempt, _) => {
                Some(attempt)
            }
        }
    }

    fn secret(&self) -> Option<Secret> {
        match self.step()? {
            Step::Ready(_, secret) | Step::AtTheDot(_, secret) => Some(secret),
            Step::Fetched | Step::Ended(..) | Step::Reported => None,
        }
    }
}

impl Relay {
    pub const fn token(self) -> Option<u8> {
        match self {
            Self::Idle => None,
            Self::Claimed(_, token) | Self::Published(token) | Self::Unconfirmed(token) => {
                Some(token)
            }
        }
    }
}

impl End {
    pub fn outcome(self) -> SendOutcome {
        let trouble = Trouble { phase: Phase::FinalDot, reply: None, detail: String::new() };
        match self {
            Self::Sent => SendOutcome::Sent,
            Self::Refused => SendOutcome::Refused(trouble),
            Self::Deferred => SendOutcome::Deferred(trouble),
            Self::Uncertain => SendOutcome::Uncertain(trouble),
            Self::Ours => SendOutcome::Ours(trouble),
        }
    }
}

/// The smallest number that nobody has: worlds that differ only in such numbers become equal.
fn first_without(taken: impl Fn(u8) -> bool) -> u8 {
    (1..u8::MAX).find(|number| !taken(*number)).expect("a handful is in use")
}

/// Who may report on a delivery.
pub trait Holder {
    fn holder(&self) -> Option<AttemptToken>;
    /// Lets `event` happen, if it may.
    fn take(&mut self, event: &DeliveryEvent<'_>) -> bool;
}

impl Holder for Delivery {
    fn holder(&self) -> Option<AttemptToken> {
        match self.state {
            DeliveryState::Sending { attempt, .. } | DeliveryState::Uncertain { attempt, .. } => {
                Some(attempt)
            }
            _ => None,
        }
    }

    fn take(&mut self, event: &DeliveryEvent<'_>) -> bool {
        let next = self.clone().apply(event, NOW);
        next.is_ok_and(|next| {
            *self = next;
            true
        })
    }
}
