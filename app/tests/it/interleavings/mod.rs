//! The real store under random interleavings of everything that uses it: workers that crash and
//! pause at any step, relays, a broker that loses, doubles and reorders, a mail server whose answers
//! get lost, sweeps, a clock that jumps ahead and back, and people who invite, resend, revoke and accept.
//!
//! `batches` are claims and reports that arrive at once, and what is wrong with one of them.
//!
//! `domain/tests/model` explores all interleavings of a model; this shows that the statements in
//! `adapters/src/store` keep to the same rules. Alone, each step is compared with what the domain says;
//! side by side, what must be true in the end.

mod batches;
mod checks;
pub mod lab;
mod others;
mod worker;

use std::sync::Arc;

use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};

use crate::harness::Stack;
use lab::Lab;
use others::{Relay, people, sweep};
use worker::Worker;

on_both_stacks!(one_after_the_other, side_by_side);

/// A seed that has failed once belongs here.
const SEEDS: [u64; 3] = [1, 2, 3_149_131_838_086_226_722];
const STEPS: usize = 1500;
const STEPS_EACH: usize = 100;

/// One scheduler gives turns to six workers, two relays, the sweeps and people.
async fn one_after_the_other(stack: Stack) {
    for seed in SEEDS.into_iter().chain([adapters::rng().random()]) {
        let _told = TellOnFailure(seed);
        let mut rng = StdRng::seed_from_u64(seed);
        let lab = Lab::open(stack, true).await;
        let mut workers: [Worker; 6] = Default::default();
        let mut relays: [Relay; 2] = Default::default();
        for _ in 0..STEPS {
            match rng.random_range(0..100) {
                0..58 => workers[rng.random_range(0..6)].step(&lab, &mut rng).await,
                58..74 => relays[rng.random_range(0..2)].step(&lab, &mut rng).await,
                74..84 => people(&lab, &mut rng).await,
                84..92 => sweep(&lab, &mut rng).await,
                _ => lab.jump(&mut rng),
            }
        }
        // Whoever has not reported by now never will.
        for worker in &mut workers {
            worker.crash(&lab);
        }
        Box::pin(end_well(lab)).await;
    }
}

/// The same all at once, each with its own dice: the database decides who comes first.
async fn side_by_side(stack: Stack) {
    let seed = adapters::rng().random();
    let _told = TellOnFailure(seed);
    let mut rng = StdRng::seed_from_u64(seed);
    let lab = Arc::new(Lab::open(stack, false).await);
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..16 {
        let (lab, mut rng) = (Arc::clone(&lab), StdRng::seed_from_u64(rng.next_u64()));
        tasks.spawn(async move {
            let (mut worker, mut relay) = (Worker::default(), Relay::default());
            for _ in 0..STEPS_EACH {
                match number {
                    0..9 => worker.step(&lab, &mut rng).await,
                    9..12 => relay.step(&lab, &mut rng).await,
                    12..14 => people(&lab, &mut rng).await,
                    14 => sweep(&lab, &mut rng).await,
                    _ => lab.jump(&mut rng),
                }
                tokio::task::yield_now().await;
            }
            worker.crash(&lab);
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
    Box::pin(end_well(Arc::into_inner(lab).expect("the tasks have ended"))).await;
}

/// Nothing more goes wrong: then every mail is settled within a few rounds, and all promises hold.
async fn end_well(mut lab: Lab) {
    let mut rng = StdRng::seed_from_u64(0);
    lab.faults = false;
    let (mut worker, mut relay) = (Worker::default(), Relay::default());
    for round in 0.. {
        lab.settle_time();
        lab.store.rescue(lab::PAUSE).await.unwrap();
        lab.store.expire_invitations(1000).await.unwrap();
        lab.store.requeue_lost(lab::LOST_AFTER).await.unwrap();
        while relay.is_busy() || lab.store.outbox_lag().await.unwrap().waiting > 0 {
            relay.step(&lab, &mut rng).await;
        }
        while worker.is_busy() || lab.has_jobs() {
            worker.step(&lab, &mut rng).await;
        }
        if lab.is_settled().await {
            break;
        }
        assert!(round < 10, "a mail is stuck although nothing goes wrong any more");
    }
    checks::in_the_end(&lab).await;
    lab.close().await;
}

/// Says with which seed a test failed.
struct TellOnFailure(u64);

impl Drop for TellOnFailure {
    fn drop(&mut self) {
        use std::io::Write;
        if std::thread::panicking() {
            let _ = writeln!(std::io::stderr(), "the seed was {}", self.0);
        }
    }
}
