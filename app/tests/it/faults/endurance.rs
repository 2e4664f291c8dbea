//! Answers without end and hundreds of broken conversations: the worker stays as small as it was.

use std::time::Duration;

use crate::faults::mail::scripted;
use crate::faults::{Repeats, record};
use crate::harness::block_on;
use crate::processes::TURN;
use crate::processes::fleet::Fleet;
use crate::processes::process::Footprint;
use crate::smtp_script::{Act, At, Rule};

/// Far more than a worker needs for some mails, far less than an endless answer would take.
const MOST_MORE_KIB: usize = 48 * 1024;
/// A connection for each slot, and some that are on their way out.
const MOST_MORE_DESCRIPTORS: usize = 24;

/// The worker's footprint once it has sent something.
async fn warm(fleet: &Fleet, numbers: std::ops::Range<usize>) -> Footprint {
    let count = numbers.len();
    fleet.invite(numbers).await;
    fleet.until_all_sent(count).await;
    fleet.workers[0].footprint()
}

fn assert_bounded(before: Footprint, after: Footprint) {
    assert!(after.kib < before.kib + MOST_MORE_KIB, "{before:?} {after:?}");
    let descriptors = before.descriptors + MOST_MORE_DESCRIPTORS;
    assert!(after.descriptors < descriptors, "{before:?} {after:?}");
}

/// F40: neither time nor memory can be had by answering slowly or for ever.
#[test]
fn an_answer_that_never_ends_costs_neither_memory_nor_a_slot() {
    block_on(async {
        let _turn = TURN.acquire().await;
        let (mut fleet, script) = scripted(&[]).await;
        fleet.add_worker();
        let before = warm(&fleet, 0..20).await;
        let byte_by_byte = Act::Trickle(Duration::from_secs(1));
        let mut number = 20;
        for act in [byte_by_byte, Act::EndlessLines, Act::EndlessLine] {
            for at in [At::Rcpt, At::Data, At::Dot] {
                script.add(Rule::new(at, act).to(number).times(2));
                number += 1;
            }
            for at in [At::Greeting, At::Ehlo, At::Mail] {
                script.add(Rule::new(at, act).times(2));
            }
        }
        fleet.invite(20..60).await;
        let sampling = async {
            let mut most = before;
            loop {
                let now = fleet.workers[0].footprint();
                most.kib = most.kib.max(now.kib);
                most.descriptors = most.descriptors.max(now.descriptors);
                assert_bounded(before, most);
                // The pace of the samples; nothing is waited for, `settled` ends them.
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let tally = tokio::select! {
            tally = fleet.settled() => tally,
            () = sampling => unreachable!("it samples for ever"),
        };
        for at in [At::Greeting, At::Ehlo, At::Mail, At::Rcpt, At::Data, At::Dot] {
            assert_eq!(script.fired(at), 6, "{at:?}");
        }
        assert_eq!(tally.sent, 60);
        // Only to the slow ones the message may have been taken.
        record("F40", "one byte a second, answers without end", &tally, &Repeats::UpTo(2));
        fleet.end().await;
    });
}

/// I9: what breaks is given back.
#[test]
fn hundreds_of_broken_conversations_leave_nothing_behind() {
    block_on(async {
        let _turn = TURN.acquire().await;
        let (mut fleet, script) = scripted(&[("WELCOMAT_RETRY_PAUSES", "200ms")]).await;
        fleet.add_worker();
        let before = warm(&fleet, 0..40).await;
        let broken = [
            (At::Rcpt, Act::Close),
            (At::Rcpt, Act::Say("rubbish")),
            (At::Data, Act::Break),
            (At::Data, Act::Say("451 4.3.2 busy")),
            (At::Body, Act::Break),
            (At::Mail, Act::EndlessLines),
            (At::Between, Act::Break),
        ];
        for (at, act) in broken {
            script.add(Rule::new(at, act).times(50));
        }
        for (at, act) in [
            (At::Greeting, Act::Break),
            (At::Ehlo, Act::Leave("421 4.3.2 closing")),
            (At::Mail, Act::Leave("421 4.3.2 closing")),
        ] {
            script.add(Rule::new(at, act).times(4));
        }
        fleet.invite(40..120).await;
        let tally = fleet.settled().await;
        let fired: usize =
            [At::Rcpt, At::Data, At::Body, At::Mail].iter().map(|at| script.fired(*at)).sum();
        assert!(fired >= 300, "{fired}");
        assert_eq!(tally.sent, 120);
        assert_bounded(before, fleet.workers[0].footprint());
        record("I9", "some 350 broken conversations", &tally, &Repeats::None);
        fleet.end().await;
    });
}
