//! Several of each, and none for a while: every invitation gets exactly one mail.

use std::time::Duration;

use adapters::clock::Clock;
use domain::Window;

use super::TURN;
use super::fleet::Fleet;
use super::record::{Repeats, record};
use crate::harness::block_on;
use crate::servers::eventually_within;

/// S1
#[test]
fn two_apis_and_three_workers_send_each_mail_once() {
    const COUNT: usize = 2000;
    block_on(async {
        let _turn = TURN.acquire().await;
        let mut fleet = Fleet::on_shared_broker(&[]).await;
        fleet.add_api().await;
        fleet.add_api().await;
        (0..3).for_each(|_| fleet.add_worker());
        fleet.invite(0..COUNT).await;
        fleet.until_all_sent(COUNT).await;
        let tally = fleet.settled().await;
        assert_eq!((tally.acknowledged, tally.sent), (COUNT, COUNT));
        record("S1", "two APIs and three workers at once", &tally, &Repeats::None);
        fleet.end().await;
    });
}

#[test]
fn two_apis_share_a_limit() {
    block_on(async {
        let _turn = TURN.acquire().await;
        // The processes cannot be given another clock: this must not begin just before midnight.
        let day = || Window::Day.rest(Clock::new().now()) > Duration::from_mins(2);
        eventually_within(Duration::from_mins(3), "a day that lasts", async || day().then_some(()))
            .await;
        let limit = [("WELCOMAT_LIMITS_ORGANIZATION_PER_DAY", "10")];
        let mut fleet = Fleet::on_shared_broker(&limit).await;
        fleet.add_api().await;
        fleet.add_api().await;
        let statuses = fleet.invite_at_once(50).await;
        let count = |wanted| statuses.iter().filter(|status| **status == wanted).count();
        assert_eq!((count(201), count(429)), (10, 40));
        assert_eq!(fleet.all().await.len(), 10);
        fleet.end().await;
    });
}

/// S2
#[test]
fn without_workers_invitations_wait_and_then_drain() {
    const COUNT: usize = 300;
    block_on(async {
        let _turn = TURN.acquire().await;
        let mut fleet = Fleet::on_shared_broker(&[]).await;
        fleet.add_api().await;
        fleet.add_worker();
        fleet.invite(0..COUNT / 3).await;
        fleet.until_all_sent(COUNT / 3).await;
        fleet.stop_workers();
        fleet.invite(COUNT / 3..COUNT).await;
        let all = fleet.all().await;
        let waiting = all.iter().filter(|found| found["delivery"]["status"] == "queued").count();
        assert_eq!((all.len(), waiting), (COUNT, COUNT - COUNT / 3));
        assert_eq!(fleet.sink.count(), COUNT / 3);
        (0..3).for_each(|_| fleet.add_worker());
        fleet.until_all_sent(COUNT).await;
        let tally = fleet.settled().await;
        assert_eq!((tally.acknowledged, tally.sent), (COUNT, COUNT));
        record("S2", "no worker for a while, then three", &tally, &Repeats::None);
        fleet.end().await;
    });
}
