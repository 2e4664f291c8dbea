//! Several relays over one outbox.

use super::operator::{Operator, outbox, until_broker_is, until_published};
use super::proxy::{Mode, Proxy};
use super::{CALM, HASTE, NO_NET, Repeats, record};
use crate::harness::block_on;
use crate::processes::TURN;
use crate::processes::fleet::Fleet;
use crate::processes::process::LOG_FILE;

/// F51, C36
#[test]
fn four_relays_publish_each_row_once() {
    const COUNT: usize = 3000;
    block_on(async {
        let _turn = TURN.acquire().await;
        let env = [
            // Late batches would rightly be published twice.
            ("WELCOMAT_BROKER_CONFIRM_TIMEOUT", "120s"),
            ("WELCOMAT_BROKER_HEARTBEAT", "120s"),
            ("WELCOMAT_RELAY_LOCK", "180s"),
            ("WELCOMAT_RELAY_BATCH", "20"),
            ("WELCOMAT_LOG_FILTER", "api::relay=debug"),
        ];
        let mut fleet = Fleet::on_shared_broker(&[&HASTE[..], &CALM, &NO_NET, &env].concat()).await;
        let (proxy, url) = Proxy::before(&fleet.amqp, 5672).await;
        let logs = ["1", "2", "3", "4"].map(|name| fleet.file(name));
        for log in &logs {
            let own = [("WELCOMAT_BROKER_URL", url.as_str()), (LOG_FILE, log.to_str().unwrap())];
            fleet.add_api_with(&own).await;
        }
        for api in &fleet.apis {
            until_broker_is(true, api).await;
        }
        let operator = Operator::of(&fleet).await;
        // All of them are connected and wait, each with a batch, for the same moment.
        proxy.set(Mode::Blackhole);
        fleet.invite(0..COUNT).await;
        assert!(outbox(&fleet.apis[0]).await > 2000, "they have piled up");
        proxy.set(Mode::Pass);
        until_published(&fleet.apis[0]).await;
        for log in &logs {
            let log = std::fs::read_to_string(log).unwrap();
            assert!(log.matches("relayed").count() > 1, "each takes part: {log}");
        }
        // Without a worker every job is still there: none is missing and none is there twice.
        assert_eq!(operator.look().await, Some(u32::try_from(COUNT).unwrap()));
        (0..2).for_each(|_| fleet.add_worker());
        let tally = fleet.settled().await;
        assert_eq!(tally.sent, COUNT);
        record("F51", "four relays race for 3000 rows", &tally, &Repeats::None);
        fleet.end().await;
    });
}
