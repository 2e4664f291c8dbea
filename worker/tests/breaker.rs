//! The breaker, as a table: what it is told, second by second, and what it answers.

use std::time::Duration;

use domain::outcome::Enhanced;
use domain::{Phase, Reply, SendOutcome, Trouble};
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::time::Instant;
use worker::breaker::{Admission, Breaker, Lesson, Pass};

const SHORTEST: u64 = 10;
const LONGEST: u64 = 40;

/// A breaker, and a clock that only the test moves.
struct Bench {
    breaker: Breaker,
    now: Instant,
    rng: StdRng,
}

impl Bench {
    fn new() -> Self {
        let breaker = Breaker::new(Duration::from_secs(SHORTEST), Duration::from_secs(LONGEST));
        Self { breaker, now: Instant::now(), rng: StdRng::seed_from_u64(7) }
    }

    fn later(&mut self, seconds: f64) -> &mut Self {
        self.now += Duration::from_secs_f64(seconds);
        self
    }

    fn admit(&mut self) -> Admission {
        self.breaker.admit(self.now, &mut self.rng)
    }

    fn learn(&mut self, pass: Pass, outcome: &SendOutcome) -> Lesson {
        self.breaker.learn(pass, outcome, self.now, &mut self.rng)
    }

    /// Opens it; gives the pause until the probe.
    fn opened(&mut self) -> f64 {
        postponed(&self.learn(Pass::Regular, &ours("refused")))
    }

    fn is_open(&self) -> bool {
        self.breaker.trouble().is_some()
    }
}

fn ours(detail: &str) -> SendOutcome {
    SendOutcome::Ours(Trouble { phase: Phase::Connect, reply: None, detail: detail.to_owned() })
}

fn answered(phase: Phase, code: u16) -> SendOutcome {
    let reply = Reply { code, enhanced: Enhanced::parse("5.1.1").filter(|_| code == 550) };
    SendOutcome::from_reply(phase, reply, String::new())
}

#[track_caller]
fn postponed(lesson: &Lesson) -> f64 {
    let Lesson::Postpone(pause) = lesson else { panic!("{lesson:?}") };
    pause.as_secs_f64()
}

#[track_caller]
fn about(pause: f64, seconds: u64) {
    let seconds = Duration::from_secs(seconds).as_secs_f64();
    assert!((seconds * 0.8..=seconds * 1.2).contains(&pause), "{pause} is not about {seconds}");
}

#[test]
fn each_outcome_opens_closes_or_leaves_it() {
    let lost = |phase| SendOutcome::from_broken_conversation(phase, String::new());
    let unrenderable = lost(Phase::Render);
    // (outcome, opens a closed one, closes an open one)
    let table = [
        (SendOutcome::Sent, false, true),
        (answered(Phase::Recipient, 550), false, true),
        (answered(Phase::Data, 554), false, true),
        (answered(Phase::Recipient, 450), false, true),
        (answered(Phase::FinalDot, 354), false, true),
        (answered(Phase::MailFrom, 451), false, false),
        (lost(Phase::MailFrom), false, false),
        (lost(Phase::Recipient), false, false),
        (lost(Phase::FinalDot), false, false),
        (unrenderable, false, false),
        (answered(Phase::Greeting, 554), true, false),
        (answered(Phase::Auth, 535), true, false),
        (answered(Phase::MailFrom, 550), true, false),
        (answered(Phase::Recipient, 421), true, false),
        (lost(Phase::Connect), true, false),
        (lost(Phase::Tls), true, false),
    ];
    for (outcome, opens, closes) in table {
        let mut bench = Bench::new();
        let lesson = bench.learn(Pass::Regular, &outcome);
        assert_eq!(bench.is_open(), opens, "{outcome:?} on a closed breaker");
        assert_eq!(matches!(lesson, Lesson::Postpone(_)), opens, "{outcome:?}: {lesson:?}");

        let mut bench = Bench::new();
        let pause = bench.opened();
        assert_eq!(bench.later(pause).admit(), Admission::Go(Pass::Probe));
        let lesson = bench.learn(Pass::Probe, &outcome);
        assert_eq!(!bench.is_open(), closes, "{outcome:?} on an open breaker");
        assert_eq!(lesson == Lesson::Recovered, closes, "{outcome:?}: {lesson:?}");
    }
}

#[test]
fn pauses_double_up_to_the_longest_and_start_anew_after_success() {
    let mut bench = Bench::new();
    let mut pause = bench.opened();
    about(pause, 10);
    for seconds in [20, 40, 40, 40] {
        assert_eq!(bench.later(pause).admit(), Admission::Go(Pass::Probe));
        pause = postponed(&bench.learn(Pass::Probe, &ours("still")));
        about(pause, seconds);
    }
    assert_eq!(bench.breaker.trouble().unwrap().detail, "still");
    bench.later(pause).admit();
    assert_eq!(bench.learn(Pass::Probe, &SendOutcome::Sent), Lesson::Recovered);
    assert_eq!(bench.admit(), Admission::Go(Pass::Regular));
    about(bench.opened(), 10);
}

#[test]
fn while_it_is_open_mails_wait_a_little_longer_than_the_probe() {
    let mut bench = Bench::new();
    let probe = bench.opened();
    let Admission::Postpone { trouble, pause } = bench.admit() else { panic!("let through") };
    assert_eq!(trouble.detail, "refused");
    about(pause.as_secs_f64() - probe, SHORTEST);

    assert_eq!(bench.later(probe).admit(), Admission::Go(Pass::Probe));
    let Admission::Postpone { pause, .. } = bench.admit() else { panic!("two probes at once") };
    about(pause.as_secs_f64() - 10.0, SHORTEST);
}

#[test]
fn mails_that_were_on_their_way_do_not_lengthen_the_pause() {
    let mut bench = Bench::new();
    let probe = bench.opened();
    for _ in 0..5 {
        let pause = postponed(&bench.learn(Pass::Regular, &ours("the same")));
        about(pause - probe, SHORTEST);
    }
    assert_eq!(bench.breaker.trouble().unwrap().detail, "refused");
    // One of them got through after all: the server works.
    assert_eq!(bench.learn(Pass::Regular, &SendOutcome::Sent), Lesson::Recovered);
    assert!(!bench.is_open());
}

#[test]
fn a_probe_that_taught_nothing_leaves_its_turn_to_the_next_mail() {
    let mut bench = Bench::new();
    let pause = bench.opened();
    assert_eq!(bench.later(pause).admit(), Admission::Go(Pass::Probe));
    bench.breaker.release(Pass::Regular);
    assert!(matches!(bench.admit(), Admission::Postpone { .. }), "only the probe gives it back");
    bench.breaker.release(Pass::Probe);
    assert_eq!(bench.admit(), Admission::Go(Pass::Probe));
    let lost = SendOutcome::from_broken_conversation(Phase::Body, String::new());
    assert_eq!(bench.learn(Pass::Probe, &lost), Lesson::Nothing);
    assert_eq!(bench.admit(), Admission::Go(Pass::Probe));
}

#[test]
fn trouble_that_nobody_probes_is_forgotten() {
    let mut bench = Bench::new();
    let pause = bench.opened();
    assert!(!bench.breaker.forget_if_stale(bench.now));
    bench.later(pause + 79.0);
    assert!(!bench.breaker.forget_if_stale(bench.now));
    bench.later(2.0);
    assert_eq!(bench.admit(), Admission::Go(Pass::Probe));
    assert!(!bench.breaker.forget_if_stale(bench.now), "somebody is finding out");
    bench.breaker.release(Pass::Probe);
    assert!(bench.breaker.forget_if_stale(bench.now));
    assert_eq!(bench.admit(), Admission::Go(Pass::Regular));
}
