//! The messages of one channel that are in hand, and how they are acknowledged: those that are spent
//! at the same time together, and in one frame as far as nothing before them is still in hand.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use lapin::Acker;
use lapin::options::BasicAckOptions;
use lapin::types::DeliveryTag;
use tokio::sync::oneshot;
use tokio::task::yield_now;
use tokio::time::timeout;

/// What is in hand of one channel.
pub(super) struct Acks {
    inner: Mutex<Inner>,
    /// How long the broker has to be reached.
    limit: Duration,
}

#[derive(Default)]
struct Inner {
    /// What must not be acknowledged together with something after it.
    in_hand: BTreeSet<DeliveryTag>,
    spent: Vec<Spent>,
    /// Whether somebody tells the broker already.
    telling: bool,
}

/// A message that is done, and who wants to know whether the broker was told.
struct Spent {
    tag: DeliveryTag,
    acker: Acker,
    told: oneshot::Sender<bool>,
}

impl Acks {
    pub(super) fn new(limit: Duration) -> Arc<Self> {
        Arc::new(Self { inner: Mutex::default(), limit })
    }

    /// A message has come. To be called in the order in which they come.
    pub(super) fn take(&self, tag: DeliveryTag) {
        self.lock().in_hand.insert(tag);
    }

    /// The broker has this one back.
    pub(super) fn is_back(&self, tag: DeliveryTag) {
        self.lock().in_hand.remove(&tag);
    }

    /// Acknowledges one message; false: that did not reach the broker, so it will come again.
    pub(super) async fn ack(self: &Arc<Self>, tag: DeliveryTag, acker: Acker) -> bool {
        let (told, answer) = oneshot::channel();
        if self.add(Spent { tag, acker, told }) {
            let acks = Arc::clone(self);
            tokio::spawn(async move {
                loop {
                    // Whoever was woken together with the first is to go together with it.
                    yield_now().await;
                    let Some((spent, together)) = acks.next() else { break };
                    acks.tell(spent, together).await;
                }
            });
        }
        answer.await.unwrap_or(false)
    }

    /// Adds one; `true` if somebody has to begin telling.
    fn add(&self, spent: Spent) -> bool {
        let mut inner = self.lock();
        inner.spent.push(spent);
        !std::mem::replace(&mut inner.telling, true)
    }

    /// What is spent by now, and how many of them may go together; `None` if nothing is.
    fn next(&self) -> Option<(Vec<Spent>, usize)> {
        let mut inner = self.lock();
        let mut spent = std::mem::take(&mut inner.spent);
        if spent.is_empty() {
            inner.telling = false;
            return None;
        }
        spent.sort_unstable_by_key(|spent| spent.tag);
        for Spent { tag, .. } in &spent {
            inner.in_hand.remove(tag);
        }
        let together = match inner.in_hand.first() {
            Some(&first) => spent.partition_point(|spent| spent.tag < first),
            None => spent.len(),
        };
        drop(inner);
        Some((spent, together))
    }

    async fn tell(&self, mut spent: Vec<Spent>, together: usize) {
        let alone = spent.split_off(together);
        let multiple = async {
            let Some(last) = spent.last() else { return };
            let reached = self.reach(&last.acker, true).await;
            for Spent { told, .. } in spent {
                let _ = told.send(reached);
            }
        };
        let each = alone.into_iter().map(|Spent { acker, told, .. }| async move {
            let _ = told.send(self.reach(&acker, false).await);
        });
        tokio::join!(multiple, join_all(each));
    }

    async fn reach(&self, acker: &Acker, multiple: bool) -> bool {
        let told = acker.ack(BasicAckOptions { multiple });
        // `Ok(false)` is no error to the library, but nothing was sent then.
        matches!(timeout(self.limit, told).await, Ok(Ok(true)))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use lapin::message::Delivery;

    use super::*;

    /// Of those spent, after so many have come: how many go in one frame, and how many alone.
    fn shares(acks: &Acks, spent: &[DeliveryTag]) -> (usize, usize) {
        for &tag in spent {
            let acker = Delivery::mock(tag, "x".into(), "y".into(), false, Vec::new()).acker;
            let told = oneshot::channel().0;
            acks.lock().spent.push(Spent { tag, acker, told });
        }
        let (spent, together) = acks.next().unwrap();
        (together, spent.len() - together)
    }

    #[test]
    fn nothing_in_hand_is_acknowledged_with_what_came_after_it() {
        let acks = Acks::new(Duration::ZERO);
        (1..=9).for_each(|tag| acks.take(tag));
        assert_eq!(shares(&acks, &[2, 1]), (2, 0));
        assert_eq!(shares(&acks, &[4, 6]), (0, 2));
        // What lay between is gone: three to five in one frame, though four is known by now.
        assert_eq!(shares(&acks, &[5, 3]), (2, 0));
        acks.is_back(7);
        assert_eq!(shares(&acks, &[9]), (0, 1));
        assert_eq!(shares(&acks, &[8]), (1, 0));
    }
}
