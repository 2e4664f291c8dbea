//! What must hold in every world and over every step.

use domain::{DeliveryState, Generation, InvitationStatus};

use crate::steps::Action;
use crate::world::{Holder, NOW, World};

/// The promise that the step from `before` to `after` breaks, if any.
pub fn broken(before: &World, action: Action, after: &World) -> Option<&'static str> {
    [
        ("an invitation that has ended stays as it ended", invitation_stays(before, after)),
        (
            "a delivery that is settled stays as it was settled",
            deliveries_stay(before, action, after),
        ),
        ("only the holder of the attempt reports", only_the_holder_reports(before, action, after)),
        ("email_sent means that the mail server took this mail", sent_is_true(after)),
        ("a mail is repeated only after an ambiguous fault", repeats_are_excused(after)),
        ("every repeat carries the same secret", one_secret_each(after)),
        ("the link that was sent is the one that opens", links_open(after)),
        ("what has ended or is sent keeps no sealed secret", shredded(after)),
        ("nobody begins a mail for an invitation that is over", not_begun(before, after)),
    ]
    .into_iter()
    .find_map(|(promise, kept)| (!kept).then_some(promise))
}

/// The most often that one mail was taken.
pub fn copies(world: &World) -> usize {
    let counts = world.deliveries.iter().map(|delivery| taken(world, delivery.generation).count());
    counts.max().unwrap_or_default()
}

fn taken(world: &World, generation: Generation) -> impl Iterator<Item = u8> {
    let own = move |mail: &&(Generation, u8)| mail.0 == generation;
    world.taken.iter().filter(own).map(|mail| mail.1)
}

fn invitation_stays(before: &World, after: &World) -> bool {
    before.invitation.state.status() == InvitationStatus::Pending
        || before.invitation == after.invitation
}

/// What the other end tells changes one that was sent, and that it was sent not even then.
fn deliveries_stay(before: &World, action: Action, after: &World) -> bool {
    let told = matches!(action, Action::ProviderTells(_));
    let mut pairs = before.deliveries.iter().zip(&after.deliveries);
    pairs.all(|(before, after)| {
        let (was, is) = (before.state.status(), after.state.status());
        !was.is_settled() || before == after || (told && was.was_sent() && is.was_sent())
    })
}

/// A report by anyone else changes nothing at all.
fn only_the_holder_reports(before: &World, action: Action, after: &World) -> bool {
    let (Action::WorkerReports(at) | Action::WorkerReportsAndHearsNothing(at)) = action else {
        return true;
    };
    let Some(attempt) = before.workers[at].attempt() else { return true };
    let mut deliveries = before.deliveries.iter();
    let holds = deliveries.any(|delivery| delivery.holder() == Some(attempt.token));
    let database = |world: &World| {
        (
            world.invitation.clone(),
            world.email_sent,
            world.stored,
            world.deliveries.clone(),
            world.outbox.clone(),
        )
    };
    holds || database(before) == database(after)
}

fn sent_is_true(world: &World) -> bool {
    let arrived = |generation| taken(world, generation).next().is_some();
    let sent = |state: DeliveryState| state.status().was_sent();
    (!world.email_sent || arrived(world.invitation.generation))
        && world.deliveries.iter().all(|d| !sent(d.state) || arrived(d.generation))
}

fn repeats_are_excused(world: &World) -> bool {
    world.deliveries.iter().zip(&world.ambiguous).all(|(delivery, ambiguous)| {
        taken(world, delivery.generation).count() <= usize::from(*ambiguous) + 1
    })
}

fn one_secret_each(world: &World) -> bool {
    world.deliveries.iter().all(|delivery| {
        let first = taken(world, delivery.generation).next();
        taken(world, delivery.generation).all(|secret| Some(secret) == first)
    })
}

fn links_open(world: &World) -> bool {
    let stored = world.stored;
    taken(world, stored.generation).all(|secret| Some(secret) == stored.token)
}

fn shredded(world: &World) -> bool {
    let ended = world.invitation.state.status() != InvitationStatus::Pending;
    let newest = world.stored.generation;
    let sent = newest > 0 && world.delivery(newest).state.status().was_sent();
    world.stored.sealed.is_none() || !(ended || sent)
}

fn not_begun(before: &World, after: &World) -> bool {
    let over = before.invitation.state.status() != InvitationStatus::Pending
        || before.invitation.expires_at <= NOW;
    let begun = |world: &World| {
        let sending = |d: &&domain::Delivery| matches!(d.state, DeliveryState::Sending { .. });
        world.deliveries.iter().filter(sending).count()
    };
    !over || begun(after) <= begun(before)
}
