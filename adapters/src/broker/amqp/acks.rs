//! The messages of one channel that are in hand, and how they are acknowledged: those that are spent
//! at the same time together, and in one frame as far as nothing before them is still in hand.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use lapin::Acker;
use lapin::options::BasicAckOptions;
use lapin::types::DeliveryTag;
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::gathering::{Call, Gathering};

/// What is in hand of one channel.
pub(super) struct Acks {
    /// What must not be acknowledged together with something after it.
    in_hand: Mutex<BTreeSet<DeliveryTag>>,
    /// What is done; the answer is whether the broker was told.
    spent: Gathering<Spent, bool>,
    /// How long the broker has to be reached.
    limit: Duration,
}

/// A message that is done.
struct Spent {
    tag: DeliveryTag,
    acker: Acker,
}

impl Acks {
    pub(super) fn new(limit: Duration) -> Arc<Self> {
        Arc::new(Self { in_hand: Mutex::default(), spent: Gathering::new(1), limit })
    }

    /// A message has come. To be called in the order in which they come.
    pub(super) fn take(&self, tag: DeliveryTag) {
        self.in_hand().insert(tag);
    }

    /// The broker has this one back.
    pub(super) fn is_back(&self, tag: DeliveryTag) {
        self.in_hand().remove(&tag);
    }

    /// Acknowledges one message; false: that did not reach the broker, so it will come again.
    pub(super) async fn ack(self: &Arc<Self>, tag: DeliveryTag, acker: Acker) -> bool {
        let acks = Arc::clone(self);
        let tell = move |spent| Arc::clone(&acks).tell(spent);
        let told = self.spent.call(&Handle::current(), Spent { tag, acker }, tell).await;
        told.unwrap_or(false)
    }

    async fn tell(self: Arc<Self>, mut spent: Vec<Call<Spent, bool>>) {
        spent.sort_unstable_by_key(|call| call.asks.tag);
        let tags: Vec<_> = spent.iter().map(|call| call.asks.tag).collect();
        let alone = spent.split_off(self.together(&tags));
        let multiple = async {
            let Some(last) = spent.last() else { return };
            let reached = self.reach(&last.asks.acker, true).await;
            for call in spent {
                call.answer(reached);
            }
        };
        let each = alone.into_iter().map(async |call| {
            let reached = self.reach(&call.asks.acker, false).await;
            call.answer(reached);
        });
        tokio::join!(multiple, join_all(each));
    }

    /// How many of these, which are done and sorted, may go together.
    fn together(&self, spent: &[DeliveryTag]) -> usize {
        let mut in_hand = self.in_hand();
        for tag in spent {
            in_hand.remove(tag);
        }
        match in_hand.first() {
            Some(&first) => spent.partition_point(|&tag| tag < first),
            None => spent.len(),
        }
    }

    async fn reach(&self, acker: &Acker, multiple: bool) -> bool {
        let told = acker.ack(BasicAckOptions { multiple });
        // `Ok(false)` is no error to the library, but nothing was sent then.
        matches!(timeout(self.limit, told).await, Ok(Ok(true)))
    }

    fn in_hand(&self) -> MutexGuard<'_, BTreeSet<DeliveryTag>> {
        self.in_hand.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_hand_is_acknowledged_with_what_came_after_it() {
        let acks = Acks::new(Duration::ZERO);
        (1..=9).for_each(|tag| acks.take(tag));
        assert_eq!(acks.together(&[1, 2]), 2);
        assert_eq!(acks.together(&[4, 6]), 0);
        // What lay between is gone: three to five in one frame, though four is known by now.
        assert_eq!(acks.together(&[3, 5]), 2);
        acks.is_back(7);
        assert_eq!(acks.together(&[9]), 0);
        assert_eq!(acks.together(&[8]), 1);
    }
}
