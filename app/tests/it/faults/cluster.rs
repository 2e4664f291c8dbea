//! A cluster of three brokers loses one node, and then its majority.

use super::operator::{outbox, until_published};
use super::{CALM, HASTE, NO_NET, Repeats, heals, record};
use crate::harness::block_on;
use crate::processes::TURN;
use crate::processes::fleet::Fleet;
use crate::servers::{OwnServer, eventually};

/// F22
#[test]
fn a_cluster_without_its_majority_confirms_nothing_and_loses_nothing() {
    const COUNT: usize = 30;
    block_on(async {
        let _turn = TURN.acquire().await;
        let first = OwnServer::start_installed("rabbitmq");
        let others = [OwnServer::join(&first), OwnServer::join(&first)];
        let mut fleet = Fleet::new(first.url.clone(), &[&HASTE[..], &CALM, &NO_NET].concat()).await;
        fleet.add_api().await;
        fleet.add_worker();
        fleet.invite(0..COUNT).await;
        fleet.until_mails(COUNT).await;
        let members = first.ctl(&["list_queues", "--no-table-headers", "members"]);
        for member in members.lines() {
            assert_eq!(member.matches("@localhost").count(), 3, "a queue has three homes");
        }
        // The majority is there: nobody notices.
        others[0].run("pause");
        fleet.invite(COUNT..2 * COUNT).await;
        fleet.until_mails(2 * COUNT).await;
        until_published(&fleet.apis[0]).await;
        // One of three can promise nothing.
        others[1].run("pause");
        fleet.invite(2 * COUNT..3 * COUNT).await;
        eventually("the relay has tried in vain", async || {
            let ready = fleet.apis[0].client.get("/readyz").await.unwrap().json();
            let late = ready["checks"]["outbox"]["lag_seconds"].as_i64().unwrap();
            (late >= 5).then_some(())
        })
        .await;
        assert!(outbox(&fleet.apis[0]).await >= 1);
        fleet.invite(3 * COUNT..4 * COUNT).await;
        assert!(fleet.sink.count() <= 2 * COUNT, "nothing new gets through");
        for node in &others {
            node.run("resume");
        }
        let tally = heals(&fleet).await;
        assert_eq!(tally.sent, 4 * COUNT + 1);
        record("F22", "a cluster of three loses its majority", &tally, &Repeats::None);
        fleet.end().await;
    });
}
