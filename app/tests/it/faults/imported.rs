//! With `broker.topology = "check"` the programs make no queue: what an operator has not made yet is
//! waited for.

use super::operator::Operator;
use super::{HASTE, NO_NET, Repeats, heals, record};
use crate::cli::welcomat;
use crate::harness::block_on;
use crate::processes::TURN;
use crate::processes::fleet::Fleet;
use crate::processes::process::{LOG_FILE, until_logged};

/// F59: nothing is there at first, and then not everything.
#[test]
fn what_an_operator_has_not_made_yet_is_named_and_waited_for() {
    const COUNT: usize = 10;
    block_on(async {
        let _turn = TURN.acquire().await;
        let mut fleet = Fleet::on_shared_broker(&[&HASTE[..], &NO_NET].concat()).await;
        let log = fleet.file("log");
        fleet.set("WELCOMAT_BROKER_TOPOLOGY", "check");
        fleet.set(LOG_FILE, log.to_str().unwrap());
        fleet.add_api().await;
        fleet.add_worker();
        fleet.invite(0..COUNT).await;
        let missing = "makes none: import deploy/rabbitmq/definitions.json";
        until_logged(&log, &["ERROR", "link=\"publisher\"", missing, "jobs.v1"]).await;
        until_logged(&log, &["ERROR", "link=\"jobs\"", missing]).await;
        import(&fleet);
        let operator = Operator::of(&fleet).await;
        fleet.until_mails(COUNT).await;
        operator.unbind().await;
        fleet.invite(COUNT..2 * COUNT).await;
        until_logged(&log, &["ERROR", "no queue bound", "{\"email\"}", "definitions.json"]).await;
        assert_eq!(fleet.sink.count(), COUNT);
        import(&fleet);
        let tally = heals(&fleet).await;
        assert_eq!(tally.sent, 2 * COUNT + 1);
        let what = "an operator makes queues and binding late";
        record("F59", what, &tally, &Repeats::None);
        fleet.end().await;
    });
}

/// Makes all that is missing, as an operator with the right to does.
fn import(fleet: &Fleet) {
    let folder = tempfile::tempdir().unwrap();
    let said = welcomat("doctor --output json")
        .env("WELCOMAT_DATA_DIR", folder.path().to_str().unwrap())
        .env("WELCOMAT_BROKER_URL", &fleet.amqp)
        .env("WELCOMAT_BROKER_PREFIX", &fleet.prefix)
        .run();
    assert!(said.out.contains("what is published is confirmed"), "{said:?}");
}
