//! The mail server is away, mute, rude at the end of a conversation, or not who it should be.

use serde_json::Value;

use crate::faults::mail::scripted;
use crate::faults::{Repeats, record, settles};
use crate::harness::{block_on, text};
use crate::processes::TURN;
use crate::processes::fleet::Fleet;
use crate::servers::eventually;
use crate::smtp_script::{Act, At, Rule, Tls};

/// Waits until so many mails wait, none has used up an attempt, and their story says why.
async fn all_wait(fleet: &Fleet, count: usize, why: &str) {
    eventually(&format!("{count} mails wait because of: {why}"), async || {
        let all = fleet.all().await;
        let waits = |found: &&Value| {
            let delivery = &found["delivery"];
            delivery["status"] == "retrying"
                && delivery["attempts"] == 0
                && delivery["detail"].as_str().is_some_and(|detail| detail.contains(why))
        };
        (all.iter().filter(waits).count() == count).then_some(())
    })
    .await;
}

/// F33: nobody there, or nobody of that name.
#[test]
fn without_a_mail_server_mails_wait_and_use_up_no_attempt() {
    block_on(async {
        let _turn = TURN.acquire().await;
        let (mut fleet, _script) = scripted(&[]).await;
        let sink = fleet.sink.url();
        fleet.set("WELCOMAT_MAIL_URL", &sink);
        fleet.sink.stop().await;
        fleet.add_worker();
        fleet.invite(0..20).await;
        all_wait(&fleet, 20, "connecting").await;
        fleet.sink.start_again().await;
        let tally = settles(&fleet).await;
        assert_eq!(tally.sent, 20);
        fleet.stop_workers();
        fleet.add_worker_with(&[("WELCOMAT_MAIL_URL", "smtp://mail.invalid:2525?tls=none")]);
        fleet.invite(20..40).await;
        all_wait(&fleet, 20, "connecting").await;
        fleet.stop_workers();
        fleet.add_worker();
        let tally = fleet.settled().await;
        assert_eq!(tally.sent, 40);
        let attempts = |found: &Value| found["delivery"]["attempts"] == 1;
        assert!(fleet.all().await.iter().all(attempts), "only the attempt that sent it counts");
        record("F33", "mail server refuses connections, has no name", &tally, &Repeats::None);
        fleet.end().await;
    });
}

/// F34: connected, and not a word.
#[test]
fn a_greeting_that_never_comes_frees_the_slot() {
    block_on(async {
        let _turn = TURN.acquire().await;
        let (mut fleet, script) = scripted(&[("WELCOMAT_MAIL_TIMEOUTS_COMMAND", "1s")]).await;
        script.add(Rule::new(At::Greeting, Act::Silence));
        fleet.add_worker();
        fleet.invite(0..20).await;
        eventually("more connections than slots", async || {
            (script.fired(At::Greeting) > 10).then_some(())
        })
        .await;
        all_wait(&fleet, 20, "waiting for the greeting").await;
        script.heal();
        let tally = settles(&fleet).await;
        assert_eq!(tally.sent, 20);
        record("F34", "the greeting never comes", &tally, &Repeats::None);
        fleet.end().await;
    });
}

/// F41: servers may hang up between two mails; that is no trouble to tell anybody about.
#[test]
fn a_server_that_hangs_up_between_mails_is_called_again() {
    block_on(async {
        let _turn = TURN.acquire().await;
        let (mut fleet, script) = scripted(&[("WELCOMAT_WORKER_CONCURRENCY", "2")]).await;
        for number in 0..30 {
            let act = [Act::Close, Act::Break, Act::Leave("421 4.4.2 idle too long")][number % 3];
            script.add(Rule::new(At::Between, act).to(number));
        }
        fleet.add_worker();
        fleet.invite(0..30).await;
        let tally = fleet.settled().await;
        assert_eq!((tally.sent, script.fired(At::Between)), (30, 30));
        assert_eq!(script.journal(|journal| journal.connections), 30);
        for number in 0..30 {
            let delivery = &fleet.detail(number).await["deliveries"][0];
            assert_eq!(delivery["attempts"], 1, "{delivery}");
            assert_eq!(delivery["attempts_log"].as_array().unwrap().len(), 0, "{delivery}");
        }
        record("F41", "the server hangs up after every mail", &tally, &Repeats::None);
        fleet.end().await;
    });
}

/// F42: no mail and no password over a line that others may read.
#[test]
fn where_tls_is_required_nothing_goes_out_without_it() {
    block_on(async {
        let _turn = TURN.acquire().await;
        let (mut fleet, script) = scripted(&[]).await;
        let certificate =
            concat!(env!("CARGO_MANIFEST_DIR"), "/../adapters/tests/support/tls/cert.pem");
        script.set_tls(Tls::Stripped);
        let trusting = script.url_with("user:hunter2", &format!("ca={certificate}"));
        fleet.add_worker_with(&[("WELCOMAT_MAIL_URL", &trusting)]);
        fleet.invite(0..10).await;
        all_wait(&fleet, 10, "no STARTTLS, which mail.url requires").await;
        let said = script.journal(|journal| journal.commands.clone());
        assert!(!said.is_empty());
        assert!(said.iter().all(|(_, command)| command.starts_with("EHLO ")), "{said:?}");
        // Whoever speaks in clear after the agreement may be somebody in between.
        script.add(Rule::new(At::StartTls, Act::Say("220 go\r\n250 AUTH PLAIN")).times(2));
        script.set_tls(Tls::Offered);
        let tally = fleet.settled().await;
        assert_eq!((tally.sent, script.fired(At::StartTls)), (10, 2));
        fleet.stop_workers();
        // The same server, to somebody who has no reason to believe it.
        let strict = script.url_with("user:hunter2", "tls=required");
        fleet.add_worker_with(&[("WELCOMAT_MAIL_URL", &strict)]);
        let logged_in = || {
            let is_log_in = |(_, command): &&(usize, String)| command.starts_with("AUTH");
            script.journal(|journal| journal.commands.iter().filter(is_log_in).count())
        };
        let before = logged_in();
        assert!(before > 0, "through TLS it logs in");
        fleet.invite(10..15).await;
        all_wait(&fleet, 5, "starting TLS").await;
        assert_eq!(logged_in(), before);
        fleet.stop_workers();
        fleet.add_worker_with(&[("WELCOMAT_MAIL_URL", &trusting)]);
        let tally = fleet.settled().await;
        assert_eq!(tally.sent, 15);
        assert_eq!(text(&fleet.detail(12).await["delivery"]["status"]), "sent");
        record("F42", "STARTTLS stripped, certificate not trusted", &tally, &Repeats::None);
        fleet.end().await;
    });
}
