//! Messages that are no jobs, and mails that cannot be made: they stop nobody.

use app::http::Client;
use serde_json::{Value, json};

use crate::faults::mail::{ONE_SLOT, journal, scripted};
use crate::faults::queue::{JOBS, Queues};
use crate::faults::{Repeats, record};
use crate::harness::{INSTANCE_KEY, block_on};
use crate::processes::TURN;
use crate::servers::eventually;

/// F44: what nobody understands is kept for people to see.
#[test]
fn messages_that_are_no_jobs_become_dead_letters_and_hold_nobody_up() {
    block_on(async {
        let _turn = TURN.acquire().await;
        let env = [("WELCOMAT_BOOTSTRAP_INSTANCE_KEY", INSTANCE_KEY)];
        let (mut fleet, _script) = scripted(&env).await;
        let queues = Queues::of(&fleet).await;
        fleet.add_worker();
        fleet.invite(0..5).await;
        fleet.until_all_sent(5).await;
        let id = "01890a5d-ac96-774b-bcce-b302099a8057";
        let job = |kind: &str, version: u32| {
            json!({"kind": kind, "version": version, "id": id, "generation": 1}).to_string()
        };
        let large = format!("{{\"kind\":\"{}", "x".repeat(1 << 20));
        let poison = ["not json".to_owned(), job("fax", 1), job("email", 9), large];
        for message in poison.iter().chain([&job("email", 1)]) {
            for _ in 0..3 {
                queues.publish(JOBS, message.as_bytes()).await;
            }
        }
        fleet.invite(5..30).await;
        let tally = fleet.settled().await;
        let instance = Client::new(fleet.apis[0].address, Some(INSTANCE_KEY.to_owned()));
        let letters = eventually("all letters are kept", async || {
            let letters = instance.get("/v1/dead-letters").await.unwrap().json();
            let letters = letters["data"].as_array().unwrap().clone();
            (letters.len() >= 3 * poison.len()).then_some(letters)
        })
        .await;
        // A job for a delivery that nobody knows is void, like one for a mail that is sent.
        assert_eq!(letters.len(), 3 * poison.len());
        for message in &poison {
            let kept = letters.iter().filter(|letter| letter["message"] == message.as_str());
            assert_eq!(kept.count(), 3);
        }
        assert_eq!(queues.waiting(JOBS).await, 0);
        let once = |row: &Value| row["delivery"]["attempts"] == 1;
        assert!(fleet.all().await.iter().all(once), "nobody had to try twice");
        record("F44", "messages that are no jobs", &tally, &Repeats::None);
        fleet.end().await;
    });
}

/// F45: one mail cannot be made, another one crashes its task.
#[test]
fn a_mail_that_cannot_be_made_fails_alone() {
    block_on(async {
        let _turn = TURN.acquire().await;
        // With one slot: it must survive the crash.
        let lease = ("WELCOMAT_WORKER_LEASE", "4s");
        let (mut fleet, _script) = scripted(&[ONE_SLOT[0], lease]).await;
        let folder = fleet.file("templates");
        std::fs::create_dir_all(folder.join("en/mail")).unwrap();
        let template = "{{#if (eq first_name \"Mallory\")}}{{nothing.of.that.name}}{{/if}}\n\
                        {{accept_url}}\n{{temporary_password}}\n";
        std::fs::write(folder.join("en/mail/invitation.text.txt.hbs"), template).unwrap();
        let written = fleet.file("journal");
        fleet.add_worker_with(&[
            ("WELCOMAT_TEMPLATES_DIR", folder.to_str().unwrap()),
            ("FAULT_POINT", "worker.claimed=panic@3"),
            ("FAULT_JOURNAL", written.to_str().unwrap()),
        ]);
        let invited = fleet.offer_named(0, "Mallory", &fleet.apis[0].client).await.unwrap();
        assert_eq!(invited.status, 201);
        fleet.invite(1..12).await;
        let tally = fleet.settled().await;
        assert_eq!(journal(&fleet), ["worker.claimed"], "one task crashed");
        assert_eq!((tally.sent, tally.failed), (11, 1));
        let failed = fleet.detail(0).await;
        assert_eq!(failed["delivery"]["reason"], "unrenderable", "{failed}");
        assert!(fleet.workers[0].ended().is_none(), "the worker lives");
        record("F45", "one mail cannot be rendered, one crashes its task", &tally, &Repeats::None);
        fleet.end().await;
    });
}
