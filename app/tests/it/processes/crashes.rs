//! A worker dies at the worst moment; the broker dies while people are invited.

use super::TURN;
use super::fleet::Fleet;
use crate::harness::block_on;
use crate::servers::OwnServer;

/// A worker that is gone is noticed within seconds instead of minutes.
const SHORT_LEASE: [(&str, &str); 7] = [
    ("WELCOMAT_MAIL_TIMEOUTS_FINAL_DOT", "2s"),
    ("WELCOMAT_WORKER_LEASE", "3s"),
    ("WELCOMAT_WORKER_RESCUE_INTERVAL", "300ms"),
    ("WELCOMAT_WORKER_CONCURRENCY", "8"),
    ("WELCOMAT_WORKER_REQUEUE_AFTER", "5s"),
    ("WELCOMAT_RETRY_UNCERTAIN_PAUSE", "500ms"),
    // Such a short lease leaves no time to wait for a connection that is held.
    ("WELCOMAT_RETRY_PAUSES", "500ms"),
];

#[test]
fn a_killed_worker_loses_nothing_and_repeats_the_same_mail() {
    const COUNT: usize = 60;
    block_on(async {
        let _turn = TURN.acquire().await;
        let mut fleet = Fleet::on_shared_broker(&SHORT_LEASE).await;
        fleet.add_api().await;
        fleet.add_worker();
        fleet.invite(0..COUNT / 2).await;
        fleet.until_mails(COUNT / 4).await;
        // From here on mails are taken, but no worker gets to know it.
        fleet.sink.hold(true);
        fleet.invite(COUNT / 2..COUNT).await;
        let before = fleet.sink.count();
        fleet.until_mails((before + 4).min(COUNT)).await;
        fleet.kill_workers();
        fleet.sink.hold(false);
        fleet.add_worker();
        fleet.until_all_sent(COUNT).await;
        let mails = fleet.mails();
        assert_eq!(mails.len(), COUNT, "nobody is left out");
        let repeated: Vec<_> = mails.values().filter(|mails| mails.len() > 1).collect();
        assert!(!repeated.is_empty(), "the worker died between the mail and its report");
        for mails in repeated {
            for mail in mails {
                assert_eq!(mail.message_id, mails[0].message_id);
                assert_eq!(mail.password(), mails[0].password());
                assert_eq!(mail.link(), mails[0].link());
            }
        }
        fleet.end().await;
    });
}

#[test]
fn without_a_broker_every_invitation_is_taken_and_sent_later() {
    const COUNT: usize = 50;
    block_on(async {
        let _turn = TURN.acquire().await;
        let broker = OwnServer::start("rabbitmq");
        let env = [
            ("WELCOMAT_BROKER_CONFIRM_TIMEOUT", "3s"),
            ("WELCOMAT_WORKER_RESCUE_INTERVAL", "300ms"),
            ("WELCOMAT_WORKER_REQUEUE_AFTER", "5s"),
        ];
        let mut fleet = Fleet::new(broker.url.clone(), &env).await;
        fleet.add_api().await;
        fleet.add_api().await;
        fleet.add_worker();
        let mut invited = 0;
        // RabbitMQ 3.10 writes down where a new quorum queue is only after minutes or when it stops:
        // the first kill takes the queue itself away, the second one does not.
        for end in ["kill", "stop", "kill"] {
            fleet.invite(invited..invited + COUNT).await;
            broker.run(end);
            let before = fleet.sink.count();
            fleet.invite(invited + COUNT..invited + 2 * COUNT).await;
            invited += 2 * COUNT;
            assert!(before < invited, "some had to wait");
            broker.run("start");
            fleet.until_all_sent(invited).await;
        }
        let tally = fleet.settled().await;
        assert_eq!((tally.sent, tally.lost, tally.repeated), (invited, 0, 0));
        #[cfg(feature = "failpoints")]
        {
            use crate::faults::{Repeats, record};
            record("F9", "the broker is killed while people are invited", &tally, &Repeats::None);
        }
        fleet.end().await;
    });
}
