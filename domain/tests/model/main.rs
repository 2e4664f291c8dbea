//! Every interleaving of claim, report, rescue, relay, resend, revoke and acceptance, with two workers,
//! two relays, a broker that loses, doubles and reorders, and a mail server whose answers get lost.
//!
//! The states and what may follow from them are the domain's own; `steps` and `work` say how the
//! product uses them, as `adapters/src/store` and `worker/src/handle.rs` do. docs/reliability.md
//! tells what this shows and what it does not.

#![expect(clippy::expect_used, reason = "a model that cannot go on fails")]
#![expect(clippy::print_stdout, reason = "what was explored is shown with --nocapture")]

mod explore;
mod promises;
mod rules;
mod steps;
mod work;
mod world;

use explore::{Counterexample, Explored, explore};
use rules::Mutation::{
    self, AcceptFromAnyState, AckBeforeReport, ClaimFromAnyState, ClaimOfAClosedInvitation,
    LastSecretWins, LostAnswerIsSent, MarkBeforePublish, NoAttemptToken, NoRequeue, NoRescue,
    NoSelfFence, NoShredding, ReportToAnyState, SecretPerAttempt,
};
use rules::Rules;

const LOST: &str = "nothing is lost: without further faults every mail is settled";

#[test]
fn every_promise_holds_with_three_faults() {
    let explored = kept(&rules(3, 0, &[]));
    assert_eq!(explored.most_copies, 4, "each ambiguous fault may cost one repeat: {explored:?}");
}

#[test]
fn every_promise_holds_when_somebody_acts_between_two_faults() {
    kept(&rules(2, 1, &[]));
}

#[test]
fn every_promise_holds_when_somebody_acts_twice_around_a_fault() {
    kept(&rules(1, 2, &[]));
}

#[test]
fn without_a_fault_each_mail_is_taken_once() {
    assert_eq!(kept(&rules(0, 2, &[])).most_copies, 1);
}

/// Which promise breaks first without a guard, how many faults and commands that takes, and what else
/// has to be missing: the database stands behind the broker, so some guards are the second of two.
#[test]
fn without_a_guard_a_promise_breaks() {
    let table: [(&str, u8, u8, &[Mutation]); 15] = [
        ("only the holder of the attempt reports", 1, 0, &[NoAttemptToken]),
        ("a delivery that is settled stays as it was settled", 1, 0, &[ClaimFromAnyState]),
        ("only the holder of the attempt reports", 1, 0, &[ReportToAnyState]),
        ("nobody begins a mail for an invitation that is over", 0, 1, &[ClaimOfAClosedInvitation]),
        ("a mail is repeated only after an ambiguous fault", 1, 0, &[NoSelfFence]),
        ("the link that was sent is the one that opens", 1, 0, &[SecretPerAttempt]),
        ("the link that was sent is the one that opens", 2, 0, &[LastSecretWins]),
        ("email_sent means that the mail server took this mail", 1, 0, &[LostAnswerIsSent]),
        ("an invitation that has ended stays as it ended", 0, 2, &[AcceptFromAnyState]),
        ("what has ended or is sent keeps no sealed secret", 0, 1, &[NoShredding]),
        (LOST, 1, 0, &[NoRescue]),
        (LOST, 1, 0, &[NoRequeue]),
        (LOST, 1, 0, &[AckBeforeReport, NoRescue]),
        (LOST, 1, 0, &[AckBeforeReport, NoRequeue]),
        (LOST, 1, 0, &[MarkBeforePublish, NoRequeue]),
    ];
    for (promise, faults, commands, without) in table {
        let rules = rules(faults, commands, without);
        // The last two are to be found although the broker itself loses nothing.
        let rules = Rules { broker_loses: without.len() == 1, ..rules };
        match explore(&rules) {
            Ok(explored) => panic!("{without:?} is not missed: {explored:?}"),
            Err(broken) => {
                println!("without {without:?}: {}", told(&broken));
                assert_eq!(broken.promise, promise, "{without:?}: {}", told(&broken));
            }
        }
    }
}

/// Why acknowledging late matters less here than elsewhere: what a job asks for is in the database.
#[test]
fn an_early_acknowledgement_costs_time_and_loses_nothing() {
    kept(&rules(2, 0, &[AckBeforeReport]));
    kept(&rules(2, 0, &[MarkBeforePublish]));
    // A broker that loses nothing needs nobody to look for lost jobs, if every step keeps its order.
    kept(&Rules { broker_loses: false, ..rules(2, 0, &[NoRequeue]) });
}

fn rules(faults: u8, commands: u8, without: &[Mutation]) -> Rules {
    Rules { faults, commands, broker_loses: true, without: without.to_vec() }
}

fn kept(rules: &Rules) -> Explored {
    let explored = explore(rules).unwrap_or_else(|broken| panic!("{rules:?}\n{}", told(&broken)));
    println!("{rules:?}: {explored:?}");
    explored
}

fn told(broken: &Counterexample) -> String {
    format!("{}:\n{}", broken.promise, broken.trace)
}
