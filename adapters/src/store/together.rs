//! Calls that share one transaction, and cannot fail one another.
//!
//! The shared transaction waits for no row: whoever needs one that somebody else has locked, or
//! cannot be answered beside the others for another reason, gets a transaction of their own. So does
//! everyone when the whole fails; then only the one that is to blame fails again.

use tokio::runtime::Handle;

use super::{Call, Result, StoreError};

/// What a transaction does about rows that another one has locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Locking {
    /// It goes on without them: it holds rows that others wait for.
    Skip,
    /// It waits for them.
    Wait,
}

/// What became of one call in a transaction of many.
pub(super) enum Answer<R> {
    /// This, once the transaction has committed.
    Known(Result<R>),
    /// Nothing yet: it needs a transaction of its own, which waits for locks.
    Alone,
}

impl Locking {
    /// What is known of somebody whose rows are not there, or not to be had without waiting.
    pub(super) fn unreached<R>(self, absent: R) -> Answer<R> {
        match self {
            Self::Skip => Answer::Alone,
            Self::Wait => Answer::Known(Ok(absent)),
        }
    }
}

/// Answers all calls. `work` gets what they ask for, and answers in that order.
pub(super) async fn answer<A, R, W, F>(runtime: Handle, calls: Vec<Call<A, R>>, work: W)
where
    A: Clone + Send + 'static,
    R: Send + 'static,
    W: Fn(Vec<A>, Locking) -> F + Clone + Send + 'static,
    F: Future<Output = Result<Vec<Answer<R>>>> + Send + 'static,
{
    let asks = calls.iter().map(|call| call.asks.clone()).collect();
    let alone = match work(asks, Locking::Skip).await {
        Ok(answers) => answer_known(calls, answers),
        Err(StoreError::Unavailable(why)) => {
            // Each would find out by itself, one time limit after the other.
            for call in calls {
                call.answer(Err(StoreError::Unavailable(why.clone())));
            }
            return;
        }
        Err(_) => calls,
    };
    for call in alone {
        let work = work.clone();
        runtime.spawn(async move {
            let answers = work(vec![call.asks.clone()], Locking::Wait).await;
            call.answer(answers.and_then(only));
        });
    }
}

/// Gives back whoever has to go alone.
fn answer_known<A, R>(calls: Vec<Call<A, R>>, answers: Vec<Answer<R>>) -> Vec<Call<A, R>> {
    let mut alone = Vec::new();
    for (call, answer) in calls.into_iter().zip(answers) {
        match answer {
            Answer::Known(answer) => call.answer(answer),
            Answer::Alone => alone.push(call),
        }
    }
    alone
}

fn only<R>(mut answers: Vec<Answer<R>>) -> Result<R> {
    match answers.pop() {
        Some(Answer::Known(answer)) => answer,
        // Nobody is lonelier than alone.
        Some(Answer::Alone) | None => Err(StoreError::Busy),
    }
}
