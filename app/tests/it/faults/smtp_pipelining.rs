//! The mail server takes several commands at once, and trouble comes in their midst.

use crate::faults::mail::scripted;
use crate::faults::{Repeats, record};
use crate::harness::block_on;
use crate::processes::TURN;
use crate::processes::fleet::Fleet;
use crate::servers::eventually;
use crate::smtp_script::{Act, At, Pipelining, Rule, SmtpScript, Tls};

const CERTIFICATE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../adapters/tests/support/tls/cert.pem");

/// As [`scripted`], over this line to a server that takes several commands at once.
async fn pipelined(tls: Tls) -> (Fleet, SmtpScript) {
    let (mut fleet, script) = scripted(&[]).await;
    script.set_pipelining(Pipelining::Offered);
    if tls == Tls::Offered {
        script.set_tls(tls);
        let url = script.url_with("user:hunter2", &format!("ca={CERTIFICATE}"));
        fleet.set("WELCOMAT_MAIL_URL", &url);
    }
    (fleet, script)
}

/// Each answer counts in its own phase, whoever was asked together with whom.
#[test]
fn answers_that_come_together_mean_what_they_mean_one_by_one() {
    for (number, tls, line) in [("F53a", Tls::None, "plain"), ("F53b", Tls::Offered, "TLS")] {
        block_on(async {
            let _turn = TURN.acquire().await;
            let (mut fleet, script) = pipelined(tls).await;
            // 354 all the same (RFC 2920 §3.1): there is nobody to send a message to.
            script.add(Rule::new(At::Rcpt, Act::Say("550 5.1.1 who?")).to(0));
            script.add(Rule::new(At::Rcpt, Act::Say("450 4.2.1 greylisted")).to(1).times(1));
            script.add(Rule::new(At::Data, Act::Say("554 5.7.1 not wanted")).to(2));
            script.add(Rule::new(At::Dot, Act::Say("550 5.7.1 not wanted")).to(3));
            // Somewhere in the message, and after it.
            script.add(Rule::new(At::Body, Act::Break).times(1));
            script.add(Rule::new(At::Dot, Act::Break).to(4).times(1));
            fleet.add_worker();
            fleet.invite(0..30).await;
            let tally = fleet.settled().await;
            assert_eq!((tally.sent, tally.failed), (27, 3));
            for (number, reason) in [(0, "no_such_recipient"), (2, "refused"), (3, "refused")] {
                assert_eq!(fleet.detail(number).await["delivery"]["reason"], reason);
            }
            for (at, times) in [(At::Rcpt, 2), (At::Data, 1), (At::Body, 1), (At::Dot, 2)] {
                assert_eq!(script.fired(at), times, "{at:?}");
            }
            let (connections, mails, pipelined) = script.journal(|journal| {
                let mails = journal.commands.iter().filter(|(_, line)| line.starts_with("MAIL"));
                (journal.connections, mails.count(), journal.pipelined)
            });
            // Behind RSET or MAIL come the others of the same mail.
            assert_eq!(pipelined, 3 * mails - connections, "all of them came together");
            assert_eq!(tally.repeated, 1, "whose answer to the dot was lost");
            let fault = format!("trouble among pipelined commands, {line}");
            record(number, &fault, &tally, &Repeats::UpTo(1));
            fleet.end().await;
        });
    }
}

/// What is out of step is never a success, and the mail comes again.
#[test]
fn a_server_that_loses_count_of_the_commands_has_not_taken_the_mail() {
    for (number, tls, line) in [("F54a", Tls::None, "plain"), ("F54b", Tls::Offered, "TLS")] {
        block_on(async {
            let _turn = TURN.acquire().await;
            let (mut fleet, script) = pipelined(tls).await;
            for (number, at, act) in [
                (0, At::Rcpt, Act::Close),
                (1, At::Rcpt, Act::Say("250 2.1.5 ok\r\n250 2.1.5 ok")),
                (2, At::Rcpt, Act::Say("rubbish")),
                (3, At::Data, Act::Break),
                (4, At::Data, Act::Say("250 2.0.0 taken")),
                (5, At::Data, Act::Say("354 go on\r\n250 2.0.0 taken")),
                (6, At::Dot, Act::Say("354 go on")),
            ] {
                script.add(Rule::new(at, act).to(number).times(1));
            }
            fleet.add_worker();
            fleet.invite(0..7).await;
            let tally = fleet.settled().await;
            assert_eq!(tally.sent, 7);
            for (at, times) in [(At::Rcpt, 3), (At::Data, 3), (At::Dot, 1)] {
                assert_eq!(script.fired(at), times, "{at:?}");
            }
            let told = script.journal(|j| j.messages.iter().filter(|m| m.told).count());
            assert_eq!(told, 7, "each was sent because of a real 250");
            let fault = format!("pipelined commands answered out of step, {line}");
            record(number, &fault, &tally, &Repeats::None);
            fleet.end().await;
        });
    }
}

/// It would never get a mail if it went on getting all commands at once.
#[test]
fn a_server_that_loses_pipelined_commands_gets_one_at_a_time() {
    block_on(async {
        let _turn = TURN.acquire().await;
        let (mut fleet, script) = pipelined(Tls::None).await;
        script.set_pipelining(Pipelining::Lost);
        fleet.set("WELCOMAT_MAIL_TIMEOUTS_COMMAND", "1s");
        fleet.add_worker();
        fleet.invite(0..20).await;
        let tally = fleet.settled().await;
        assert_eq!(tally.sent, 20);
        let first = eventually("somebody waited in vain", async || {
            let all = fleet.all().await;
            all.into_iter().find(|found| found["delivery"]["attempts"] == 2)
        })
        .await;
        let number = first["email"].as_str().unwrap()[1..].split('@').next().unwrap();
        let delivery = fleet.detail(number.parse().unwrap()).await["deliveries"][0].clone();
        assert_eq!(delivery["attempts_log"][0]["phase"], "recipient", "{delivery}");
        record("F55", "PIPELINING offered, commands thrown away", &tally, &Repeats::None);
        fleet.end().await;
    });
}
