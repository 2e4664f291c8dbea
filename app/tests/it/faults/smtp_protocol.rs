//! The mail server breaks the protocol around the final dot, where a mistake loses or repeats mail.

use std::time::Duration;

use crate::faults::mail::{ONE_SLOT, scripted};
use crate::faults::{Repeats, record};
use crate::harness::block_on;
use crate::processes::TURN;
use crate::servers::eventually;
use crate::smtp_script::{Act, At, Rule};

/// F37: an answer that came too late belongs to nobody.
#[test]
fn a_late_250_never_counts_for_the_next_mail() {
    block_on(async {
        let _turn = TURN.acquire().await;
        let (mut fleet, script) = scripted(&ONE_SLOT).await;
        // The first 250 would come as soon as another mail is tried over the same connection; the
        // second one when the client has lost its patience.
        script.add(Rule::new(At::Dot, Act::OneBehind).to(0).times(1));
        script.add(Rule::new(At::Dot, Act::Late(Duration::from_secs(3))).to(1).times(1));
        script.add(Rule::new(At::Dot, Act::Say("550 5.7.1 not wanted")).to(2));
        fleet.add_worker();
        fleet.invite(0..1).await;
        eventually("the dot of the first mail", async || {
            (script.fired(At::Dot) == 1).then_some(())
        })
        .await;
        fleet.invite(1..4).await;
        let tally = fleet.settled().await;
        assert_eq!(script.fired(At::Dot), 3);
        let refused = fleet.detail(2).await;
        assert_eq!(refused["delivery"]["reason"], "refused", "{refused}");
        let first = script.journal(|journal| {
            let of_it = journal.commands.iter().filter(|(connection, _)| *connection == 1);
            of_it.map(|(_, command)| command[..4].to_owned()).collect::<Vec<_>>()
        });
        assert_eq!(first, ["EHLO", "MAIL", "RCPT", "DATA"], "and nothing once it was in doubt");
        assert_eq!((tally.sent, tally.failed, tally.repeated), (3, 1, 2));
        record("F37", "250 to the dot after the client's patience", &tally, &Repeats::UpTo(2));
        fleet.end().await;
    });
}

/// F38: taken or not? The mail comes again, the same.
#[test]
fn a_connection_that_breaks_after_the_final_dot_repeats_the_same_mail() {
    block_on(async {
        let _turn = TURN.acquire().await;
        let (mut fleet, script) = scripted(&[]).await;
        for number in 0..5 {
            script.add(Rule::new(At::Dot, Act::Break).to(number).times(1));
            script.add(Rule::new(At::Dot, Act::Close).to(number + 5).times(1));
        }
        fleet.add_worker();
        fleet.invite(0..20).await;
        let tally = fleet.settled().await;
        assert_eq!(script.fired(At::Dot), 10);
        assert_eq!((tally.sent, tally.repeated), (20, 10), "each in doubt comes once more");
        record("F38", "the connection breaks after the final dot", &tally, &Repeats::UpTo(10));
        fleet.end().await;
    });
}

/// F39: only one answer to the dot means that the mail is in other hands.
#[test]
fn an_answer_at_the_wrong_moment_is_no_delivery() {
    block_on(async {
        let _turn = TURN.acquire().await;
        let (mut fleet, script) = scripted(&[]).await;
        for (number, at, said) in [
            (0, At::Data, "354 go on\r\n250 2.0.0 taken"),
            (1, At::Data, "250 2.0.0 taken"),
            (2, At::Dot, "354 go on"),
            (3, At::Dot, "251 2.1.5 forwarded"),
            (4, At::Dot, "220 hello"),
            (5, At::Dot, "2500 taken"),
            (6, At::Dot, "250-2.0.0 taken\r\n550 5.7.1 not wanted"),
        ] {
            script.add(Rule::new(at, Act::Say(said)).to(number).times(2));
        }
        fleet.add_worker();
        fleet.invite(0..10).await;
        let tally = fleet.settled().await;
        assert_eq!((script.fired(At::Data), script.fired(At::Dot)), (4, 10));
        assert_eq!(tally.sent, 10);
        let told = script.journal(|journal| journal.messages.iter().filter(|m| m.told).count());
        assert_eq!(told, 10, "each was sent because of a real 250");
        record("F39", "answers too early, and others than 250 to the dot", &tally, &Repeats::None);
        fleet.end().await;
    });
}
