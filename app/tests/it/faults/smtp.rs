//! The mail server says no: for now, for good, to this mail or to all of us.

use serde_json::{Value, json};

use crate::faults::mail::{path_of, scripted};
use crate::faults::{Repeats, record};
use crate::harness::block_on;
use crate::processes::TURN;
use crate::processes::fleet::Fleet;
use crate::servers::eventually;
use crate::smtp_script::{Act, At, Rule, SmtpScript};

/// F35: put off, each at its own moment, and tried again when its pause is over.
#[test]
fn a_temporary_no_in_any_phase_puts_the_mail_off_for_its_pause() {
    block_on(async {
        let _turn = TURN.acquire().await;
        let (mut fleet, script) = scripted(&[("WELCOMAT_RETRY_PAUSES", "2s")]).await;
        script.add(Rule::new(At::Mail, Act::Say("451 4.3.0 not now")));
        fleet.add_worker();
        fleet.invite(0..3).await;
        for number in 0..3 {
            put_off(&fleet, number, "mail_from", 451).await;
        }
        script.add(Rule::new(At::Rcpt, Act::Say("450 4.2.1 greylisted")).to(0));
        script.add(Rule::new(At::Data, Act::Say("451 4.3.2 busy")).to(1));
        script.add(Rule::new(At::Dot, Act::Say("452 4.2.2 no room")).to(2));
        script.release(At::Mail);
        put_off(&fleet, 0, "recipient", 450).await;
        put_off(&fleet, 1, "data", 451).await;
        put_off(&fleet, 2, "final_dot", 452).await;
        script.heal();
        let tally = fleet.settled().await;
        assert_eq!(tally.sent, 3);
        for at in [At::Mail, At::Rcpt, At::Data, At::Dot] {
            assert!(script.fired(at) > 0, "{at:?}");
        }
        record("F35", "4xx at MAIL, RCPT, DATA and the dot", &tally, &Repeats::None);
        fleet.end().await;
    });
}

/// Waits for an attempt that ended so, and checks when the next one is due.
async fn put_off(fleet: &Fleet, number: usize, phase: &str, code: u16) {
    let what = format!("n{number} is put off in {phase}");
    let (delivery, last) = eventually(&what, async || {
        let delivery = fleet.detail(number).await["deliveries"][0].clone();
        let last = delivery["attempts_log"].as_array().unwrap().last()?.clone();
        let so = delivery["status"] == "retrying" && last["phase"] == phase;
        (so && last["reply_code"] == code).then_some((delivery, last))
    })
    .await;
    // Two seconds, a fifth more or less; the report itself takes a moment.
    let pause = millis(&delivery["next_attempt_at"]) - millis(&last["finished_at"]);
    assert!((1000..=2400).contains(&pause), "{pause} ms: {delivery}");
}

fn millis(time: &Value) -> i64 {
    let time: domain::Timestamp = time.as_str().unwrap().parse().unwrap();
    time.timestamp_millis()
}

/// F36: whose fault it is decides who pays for it.
#[test]
fn a_final_no_fails_a_mail_only_if_it_is_about_that_mail() {
    block_on(async {
        let _turn = TURN.acquire().await;
        let (mut fleet, script) = scripted(&[]).await;
        fleet.set("WELCOMAT_MAIL_URL", &script.url_with("user:hunter2", "tls=none"));
        script.add(Rule::new(At::Rcpt, Act::Say("550 5.1.1 who?")).to(0));
        script.add(Rule::new(At::Rcpt, Act::Say("550 5.7.1 not wanted")).to(1));
        fleet.add_worker();
        fleet.invite(0..2).await;
        failed(&fleet, 0, "no_such_recipient").await;
        failed(&fleet, 1, "refused").await;
        // From here on it is about us, for two different reasons one after the other.
        script.add(Rule::new(At::Mail, Act::Say("550 5.7.1 you may not send")));
        fleet.invite(2..6).await;
        nobody_fails_while(&fleet, &script, At::Mail).await;
        script.add(Rule::new(At::Auth, Act::Say("535 5.7.8 wrong password")));
        script.release(At::Mail);
        nobody_fails_while(&fleet, &script, At::Auth).await;
        script.heal();
        let tally = fleet.settled().await;
        assert_eq!((tally.sent, tally.failed), (4, 2));
        record("F36", "5xx at RCPT, MAIL and AUTH", &tally, &Repeats::None);
        // Only an address that does not exist is never tried again.
        for (number, status) in [(0, "suppressed"), (1, "queued")] {
            let path = format!("{}/resend", path_of(&fleet.detail(number).await));
            let headers = [("Content-Type", "application/json")];
            let answer = fleet.apis[0].client.send("POST", &path, &headers, b"{}").await.unwrap();
            assert_eq!(answer.json()["delivery"]["status"], status, "{}", answer.text());
        }
        fleet.end().await;
    });
}

async fn failed(fleet: &Fleet, number: usize, reason: &str) {
    eventually(&format!("n{number} has failed"), async || {
        let delivery = fleet.detail(number).await["delivery"].clone();
        (delivery["status"] == "failed" && delivery["reason"] == reason).then_some(())
    })
    .await;
}

/// The server says no to all of us again and again: no mail pays for it, readiness tells it.
async fn nobody_fails_while(fleet: &Fleet, script: &SmtpScript, at: At) {
    eventually(&format!("{at:?} is refused three times"), async || {
        (script.fired(at) >= 3).then_some(())
    })
    .await;
    for number in 2..6 {
        eventually(&format!("n{number} waits without a used attempt"), async || {
            let delivery = fleet.detail(number).await["delivery"].clone();
            assert_ne!(delivery["status"], "failed", "{delivery}");
            (delivery["status"] == "retrying" && delivery["attempts"] == json!(0)).then_some(())
        })
        .await;
    }
}
