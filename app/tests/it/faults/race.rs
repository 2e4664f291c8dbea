//! Several relays over one outbox.

use super::operator::{Operator, outbox, until_published};
use super::proxy::{Mode, Proxy};
use super::{CALM, HASTE, NO_NET, Repeats, record};
use crate::harness::block_on;
use crate::processes::TURN;
use crate::processes::fleet::Fleet;

/// F51, C36
#[test]
fn four_relays_publish_each_row_once() {
    const COUNT: usize = 3000;
    block_on(async {
        let _turn = TURN.lock().await;
        // Late batches would rightly be published twice.
        let slow = [("WELCOMAT_BROKER_CONFIRM_TIMEOUT", "60s"), ("WELCOMAT_RELAY_LOCK", "90s")];
        let mut fleet =
            Fleet::on_shared_broker(&[&HASTE[..], &CALM, &NO_NET, &slow].concat()).await;
        let (proxy, url) = Proxy::before(&fleet.amqp, 5672).await;
        for _ in 0..4 {
            fleet.add_api_with(&[("WELCOMAT_BROKER_URL", &url)]).await;
        }
        let operator = Operator::of(&fleet).await;
        operator.until_waiting(0).await;
        proxy.set(Mode::Refuse);
        fleet.invite(0..COUNT).await;
        assert!(outbox(&fleet.apis[0]).await > 2000, "they have piled up");
        proxy.set(Mode::Pass);
        until_published(&fleet.apis[0]).await;
        // Without a worker every job is still there: none is missing and none is there twice.
        assert_eq!(operator.look().await, Some(u32::try_from(COUNT).unwrap()));
        (0..2).for_each(|_| fleet.add_worker());
        let tally = fleet.settled().await;
        assert_eq!(tally.sent, COUNT);
        record("F51", "four relays race for 3000 rows", &tally, &Repeats::None);
        fleet.end().await;
    });
}
