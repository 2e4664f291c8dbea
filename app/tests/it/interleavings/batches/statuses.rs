//! Questions after mails that are asked at once.

use std::collections::BTreeMap;

use domain::{DeliveryStatus, InvitationId, OrganizationId};
use futures_util::future::join_all;

use super::{SIZE, claim, invite, on_one_thread};
use crate::harness::Stack;

on_both_stacks!(everyone_is_told_of_their_own_mails);

async fn everyone_is_told_of_their_own_mails(stack: Stack) {
    on_one_thread(stack, async |lab| {
        let made = invite(&lab, SIZE).await;
        claim(&lab, [made[0].1]).await;
        let all: Vec<InvitationId> = made.iter().map(|(id, _)| *id).collect();
        let stranger = OrganizationId::new(lab.clock.now(), &mut adapters::rng());
        let unknown = InvitationId::new(lab.clock.now(), &mut adapters::rng());
        let ask = |(organization, ids): (OrganizationId, &[InvitationId])| {
            lab.store.delivery_statuses(organization, ids.to_vec())
        };
        let questions =
            [(lab.organization, &all[..2]), (stranger, &all[..]), (lab.organization, &[unknown])];
        let answers = join_all(questions.map(ask)).await;
        let answers: Vec<BTreeMap<_, _>> =
            answers.into_iter().map(|found| found.unwrap().into_iter().collect()).collect();
        let own = [(all[0], DeliveryStatus::Sending), (all[1], DeliveryStatus::Queued)];
        assert_eq!(answers, [own.into_iter().collect(), BTreeMap::new(), BTreeMap::new()]);
        lab
    })
    .await;
}
