//! Every step that may come next in a world, and what it costs: nothing, a fault, or a command.

use domain::delivery::DeliveryEvent;
use domain::invitation::InvitationEvent;
use domain::{DeliveryState, Feedback, Generation, InvitationState, InvitationStatus};

use crate::rules::{Mutation, Rules};
use crate::work;
use crate::world::{Holder, LATER, Lock, NOW, Relay, Row, Step, Worker, World};

const TOLD: DeliveryEvent<'_> = DeliveryEvent::Feedback(Feedback::Delivered);

/// One step. The names of workers and relays are their places in the sorted world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    RelayClaims(usize),
    RelayPublishes(usize),
    RelayGetsNoConfirm { relay: usize, published: bool },
    RelaySettles(usize),
    RelayCrashes(usize),
    LockEnds(usize),
    WorkerFetches(usize),
    WorkerClaims(usize),
    WorkerLooksAtLease(usize),
    ServerTakes(usize),
    ServerTakesAndAnswerIsLost(usize),
    ServerIsLost(usize),
    ServerPutsOff(usize),
    ServerRefuses(usize),
    OurTrouble(usize),
    WorkerReports(usize),
    WorkerReportsAndHearsNothing(usize),
    WorkerAcknowledges(usize),
    WorkerCrashes(usize),
    BrokerLoses(usize),
    BrokerDoubles(usize),
    BrokerRedelivers(usize),
    LeaseEnds(Generation),
    Rescue(Generation),
    RetryIsDue(Generation),
    Requeue(Generation),
    RequeueTooEarly(Generation),
    Revoke,
    Resend,
    Accept,
    TimePasses,
    Expire,
    ProviderTells(Generation),
}

/// What may happen in `world`, with the world after it. `true` stands for what happens by itself;
/// the rest is faults and commands.
pub fn steps(world: &World, rules: &Rules) -> Vec<(Action, bool, World)> {
    let mut next = Next { world, rules, found: Vec::new() };
    for relay in 0..world.relays.len() {
        next.relay(relay);
    }
    for worker in 0..world.workers.len() {
        next.worker(worker);
    }
    next.broker();
    for delivery in &world.deliveries {
        next.time(delivery.generation);
        next.sweeps(delivery.generation);
    }
    next.people();
    next.found
}

pub struct Next<'a> {
    pub world: &'a World,
    pub rules: &'a Rules,
    found: Vec<(Action, bool, World)>,
}

impl Next<'_> {
    pub fn free(&mut self, action: Action, change: impl FnOnce(&mut World)) {
        let mut world = self.world.clone();
        change(&mut world);
        self.found.push((action, true, world.sorted()));
    }

    pub fn fault(&mut self, action: Action, change: impl FnOnce(&mut World)) {
        if let Some(faults_left) = self.world.faults_left.checked_sub(1) {
            let mut world = World { faults_left, ..self.world.clone() };
            change(&mut world);
            self.found.push((action, false, world.sorted()));
        }
    }

    fn command(&mut self, action: Action, change: impl FnOnce(&mut World)) {
        if let Some(commands_left) = self.world.commands_left.checked_sub(1) {
            let mut world = World { commands_left, ..self.world.clone() };
            change(&mut world);
            self.found.push((action, false, world.sorted()));
        }
    }

    fn relay(&mut self, at: usize) {
        let early = self.rules.lacks(Mutation::MarkBeforePublish);
        match self.world.relays[at] {
            Relay::Idle => {
                for (number, row) in self.world.outbox.iter().enumerate() {
                    if row.due && row.lock.is_none_or(|lock| lock.over) {
                        self.free(Action::RelayClaims(at), |world| {
                            let token = world.fresh_lock();
                            world.outbox[number].lock = Some(Lock { token, over: false });
                            world.relays[at] = Relay::Claimed(row.generation, token);
                            if early {
                                world.outbox.remove(number);
                            }
                        });
                    }
                }
            }
            Relay::Claimed(generation, token) => {
                self.free(Action::RelayPublishes(at), |world| {
                    world.queue.push(generation);
                    world.relays[at] = Relay::Published(token);
                });
                for published in [true, false] {
                    self.fault(Action::RelayGetsNoConfirm { relay: at, published }, |world| {
                        world.queue.extend(published.then_some(generation));
                        world.relays[at] = Relay::Unconfirmed(token);
                    });
                }
            }
            Relay::Published(token) => self.free(Action::RelaySettles(at), |world| {
                world.outbox.retain(|row| !is_locked_by(*row, token));
                world.relays[at] = Relay::Idle;
            }),
            Relay::Unconfirmed(token) => self.free(Action::RelaySettles(at), |world| {
                for row in world.outbox.iter_mut().filter(|row| is_locked_by(**row, token)) {
                    row.lock = None;
                }
                world.relays[at] = Relay::Idle;
            }),
        }
        if self.world.relays[at] != Relay::Idle {
            self.fault(Action::RelayCrashes(at), |world| world.relays[at] = Relay::Idle);
        }
    }

    fn worker(&mut self, at: usize) {
        match self.world.workers[at] {
            Worker::Idle => self.fetch(at),
            Worker::Busy { job, unacked, step } => {
                work::go_on(self, at, job, step);
                self.fault(Action::WorkerCrashes(at), |world| {
                    // Whether the mail was taken can no longer be learnt.
                    if work::may_have_sent(step) {
                        world.ambiguous[job as usize - 1] += 1;
                    }
                    world.queue.extend(unacked.then_some(job));
                    world.workers[at] = Worker::Idle;
                });
                if unacked {
                    self.fault(Action::BrokerRedelivers(at), |world| {
                        world.queue.push(job);
                        world.workers[at] = Worker::Busy { job, unacked: false, step };
                    });
                }
            }
        }
    }

    fn fetch(&mut self, at: usize) {
        let unacked = !self.rules.lacks(Mutation::AckBeforeReport);
        for (number, &job) in self.world.queue.iter().enumerate() {
            self.free(Action::WorkerFetches(at), |world| {
                world.queue.remove(number);
                world.workers[at] = Worker::Busy { job, unacked, step: Step::Fetched };
            });
        }
    }

    fn broker(&mut self) {
        for (number, &job) in self.world.queue.iter().enumerate() {
            self.fault(Action::BrokerDoubles(number), |world| world.queue.push(job));
            if self.rules.broker_loses {
                self.fault(Action::BrokerLoses(number), |world| {
                    world.queue.remove(number);
                });
            }
        }
        for (number, row) in self.world.outbox.iter().enumerate() {
            let Some(lock) = row.lock.filter(|lock| !lock.over) else { continue };
            let change = |world: &mut World| {
                world.outbox[number].lock = Some(Lock { over: true, ..lock });
            };
            // Only a relay that is slow lets its lock end; of one that is gone nothing else comes.
            if self.world.relays.iter().any(|relay| relay.token() == Some(lock.token)) {
                self.fault(Action::LockEnds(number), change);
            } else {
                self.free(Action::LockEnds(number), change);
            }
        }
    }

    fn time(&mut self, generation: Generation) {
        match self.world.delivery(generation).state {
            DeliveryState::Sending { attempt, lease_until } if lease_until == LATER => {
                let ours = |worker: &Worker| worker.attempt().is_some_and(|t| t.token == attempt);
                let holder = self.world.workers.iter().position(ours);
                let change = |world: &mut World| {
                    let state = DeliveryState::Sending { attempt, lease_until: NOW };
                    world.delivery_mut(generation).state = state;
                    if let Some(at) = holder {
                        work::falls_late(world, at, generation);
                    }
                };
                // Of a worker that is gone, the lease ends by itself.
                if holder.is_some() {
                    self.fault(Action::LeaseEnds(generation), change);
                } else {
                    self.free(Action::LeaseEnds(generation), change);
                }
            }
            DeliveryState::Retrying { next_attempt_at } if next_attempt_at == LATER => {
                let state = DeliveryState::Retrying { next_attempt_at: NOW };
                self.free(Action::RetryIsDue(generation), |world| due(world, generation, state));
            }
            DeliveryState::Uncertain { attempt, next_attempt_at } if next_attempt_at == LATER => {
                let state = DeliveryState::Uncertain { attempt, next_attempt_at: NOW };
                self.free(Action::RetryIsDue(generation), |world| due(world, generation, state));
            }
            _ => {}
        }
    }

    fn sweeps(&mut self, generation: Generation) {
        let world = self.world;
        let delivery = world.delivery(generation);
        let expired = DeliveryEvent::LeaseExpired { next_attempt_at: LATER };
        if delivery.clone().take(&expired) && !self.rules.lacks(Mutation::NoRescue) {
            self.free(Action::Rescue(generation), |world| {
                world.delivery_mut(generation).take(&expired);
                work::plan_or_cancel(world, generation);
            });
        }
        let waits = match delivery.state {
            DeliveryState::Queued => true,
            state => state.next_attempt_at() == Some(NOW),
        };
        let queued = world.outbox.iter().any(|row| row.generation == generation);
        if !waits || queued || self.rules.lacks(Mutation::NoRequeue) {
            return;
        }
        let requeue = |world: &mut World| {
            world.outbox.push(Row { generation, due: true, lock: None });
        };
        let at_work =
            |worker: &Worker| matches!(worker, Worker::Busy { job, .. } if *job == generation);
        let relayed = |relay: &Relay| matches!(relay, Relay::Claimed(g, _) if *g == generation);
        // Lost jobs are looked for after minutes; what ends overdue invitations comes sooner.
        let overdue = world.invitation.expires_at <= NOW && world.open(generation);
        let on_its_way = overdue
            || world.queue.contains(&generation)
            || world.workers.iter().any(at_work)
            || world.relays.iter().any(relayed);
        if on_its_way {
            self.fault(Action::RequeueTooEarly(generation), requeue);
        } else {
            self.free(Action::Requeue(generation), requeue);
        }
    }

    fn people(&mut self) {
        let world = self.world;
        let after = |event| world.invitation.clone().apply(event, NOW).ok();
        if let Some(revoked) = after(InvitationEvent::Revoke) {
            self.command(Action::Revoke, |world| close(world, self.rules, revoked.state));
        }
        let current = world.delivery(world.invitation.generation).state;
        let busy = matches!(current, DeliveryState::Sending { .. });
        if after(InvitationEvent::Resend).is_some() && !busy {
            self.command(Action::Resend, |world| {
                cancel_all(world);
                world.email_sent = false;
                world.plan_next_generation();
            });
        }
        let known = world.taken.iter().any(|(_, secret)| world.stored.token == Some(*secret));
        let accepted = after(InvitationEvent::Accept).map(|accepted| accepted.state);
        let forced = InvitationState::Accepted { at: NOW };
        let forced = self.rules.lacks(Mutation::AcceptFromAnyState).then_some(forced);
        if let (true, Some(accepted)) = (known, forced.or(accepted)) {
            self.command(Action::Accept, |world| close(world, self.rules, accepted));
        }
        if world.invitation.expires_at == LATER && world.open(world.invitation.generation) {
            self.command(Action::TimePasses, |world| world.invitation.expires_at = NOW);
        }
        // Only of a mail that was taken, and perhaps before anybody here knows that it was.
        for delivery in &world.deliveries {
            let generation = delivery.generation;
            let taken = world.taken.iter().any(|mail| mail.0 == generation);
            if taken && delivery.clone().take(&TOLD) {
                self.command(Action::ProviderTells(generation), |world| {
                    work::hear(world, generation, &TOLD);
                });
            }
        }
        if let Some(expired) = after(InvitationEvent::Expire) {
            self.free(Action::Expire, |world| close(world, self.rules, expired.state));
        }
    }
}

fn is_locked_by(row: Row, token: u8) -> bool {
    row.lock.is_some_and(|lock| lock.token == token)
}

/// A retry and its row in the outbox are due at the same moment.
fn due(world: &mut World, generation: Generation, state: DeliveryState) {
    world.delivery_mut(generation).state = state;
    for row in world.outbox.iter_mut().filter(|row| row.generation == generation) {
        row.due = true;
    }
}

/// The end of an invitation, in one transaction.
fn close(world: &mut World, rules: &Rules, state: InvitationState) {
    debug_assert!(state.status() != InvitationStatus::Pending);
    world.invitation.state = state;
    if !rules.lacks(Mutation::NoShredding) {
        world.stored.sealed = None;
    }
    cancel_all(world);
}

fn cancel_all(world: &mut World) {
    for delivery in &mut world.deliveries {
        delivery.take(&DeliveryEvent::Cancel);
    }
}
