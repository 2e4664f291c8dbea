//! Several of each, and none for a while: every invitation gets exactly one mail.

use super::TURN;
use super::fleet::Fleet;
use crate::harness::block_on;

#[test]
fn two_apis_and_three_workers_send_each_mail_once() {
    const COUNT: usize = 2000;
    block_on(async {
        let _turn = TURN.lock().await;
        let mut fleet = Fleet::on_shared_broker(&[]).await;
        fleet.add_api().await;
        fleet.add_api().await;
        (0..3).for_each(|_| fleet.add_worker());
        fleet.invite(0..COUNT).await;
        fleet.until_all_sent(COUNT).await;
        let mails = fleet.mails();
        assert_eq!(mails.len(), COUNT);
        for (recipient, mails) in mails {
            assert_eq!(mails.len(), 1, "{recipient}");
        }
        fleet.end().await;
    });
}

#[test]
fn without_workers_invitations_wait_and_then_drain() {
    const COUNT: usize = 300;
    block_on(async {
        let _turn = TURN.lock().await;
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
        assert!(fleet.mails().values().all(|mails| mails.len() == 1));
        assert_eq!(fleet.mails().len(), COUNT);
        fleet.end().await;
    });
}
