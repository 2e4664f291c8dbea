//! Calls of one kind form batches by themselves: what arrives while a batch is at work is the next
//! one. Nobody waits for a timer, and a call that finds nothing under way starts at once.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::yield_now;

/// What one caller asks for, and the way back to them. Dropped without an answer, the call fails.
pub struct Call<A, R> {
    /// The question.
    pub asks: A,
    answer: oneshot::Sender<R>,
}

/// Why a call got no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unanswered {
    /// As many wait as may: it was not begun.
    Full,
    /// Its batch has failed.
    Lost,
}

/// Where calls wait for their batch; cheap to clone.
pub struct Gathering<A, R>(Arc<Waiting<A, R>>);

struct Waiting<A, R> {
    queue: Mutex<Queue<A, R>>,
    /// How many batches may be at work at the same time, if there is [`ENOUGH`] for another: one that
    /// commits needs no processor, so that another can be written meanwhile.
    at_once: usize,
    /// How many calls may wait: in a queue that only grows, everybody would wait until nobody wants the
    /// answer any more.
    most: usize,
}

struct Queue<A, R> {
    calls: VecDeque<Call<A, R>>,
    working: usize,
}

/// The most calls of a batch: it bounds what a failure costs and how long rows stay locked.
const BATCH: usize = 256;
/// How many calls are worth a batch beside one that is at work. Fewer wait for its end, and cost less
/// in the one after it: most of what a small transaction takes is the same for a large one.
const ENOUGH: usize = 64;

impl<A, R> Gathering<A, R>
where
    A: Send + 'static,
    R: Send + 'static,
{
    /// No call, and no batch at work; any number of calls may wait.
    pub fn new(at_once: usize) -> Self {
        Self::bounded(at_once, usize::MAX)
    }

    /// No call, and no batch at work; so many calls may wait.
    pub fn bounded(at_once: usize, most: usize) -> Self {
        let queue = Mutex::new(Queue { calls: VecDeque::new(), working: 0 });
        Self(Arc::new(Waiting { queue, at_once, most }))
    }

    /// Waits until `work` has answered this question in some batch. A caller that goes away before
    /// its batch begins is passed over; after that the work is done whether they wait or not.
    ///
    /// # Errors
    /// [`Unanswered::Full`] at once if as many wait as may.
    pub async fn call<W, F>(&self, runtime: &Handle, asks: A, work: W) -> Result<R, Unanswered>
    where
        W: Fn(Vec<Call<A, R>>) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        if self.0.add(Call { asks, answer })? {
            let waiting = Arc::clone(&self.0);
            let batches = runtime.clone();
            runtime.spawn(async move {
                loop {
                    // Who is about to call as well, because the same woke them, is to be in it.
                    yield_now().await;
                    let Some(calls) = waiting.next_batch() else { break };
                    // In a task of its own: a panic costs its batch and no other.
                    drop(batches.spawn(work(calls)).await);
                }
            });
        }
        answered.await.map_err(|_| Unanswered::Lost)
    }
}

impl<A, R> Clone for Gathering<A, R> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<A, R> Call<A, R> {
    /// Answers; whether the caller is still there makes no difference.
    pub fn answer(self, answer: R) {
        drop(self.answer.send(answer));
    }
}

impl<A, R> Waiting<A, R> {
    /// Adds a call; `true` if somebody has to begin working.
    fn add(&self, call: Call<A, R>) -> Result<bool, Unanswered> {
        let mut queue = self.lock();
        if queue.calls.len() >= self.most {
            queue.calls.retain(|call| !call.answer.is_closed());
        }
        if queue.calls.len() >= self.most {
            return Err(Unanswered::Full);
        }
        queue.calls.push_back(call);
        let is_worth_it = queue.working == 0 || queue.calls.len() >= ENOUGH;
        let begins = is_worth_it && queue.working < self.at_once;
        queue.working += usize::from(begins);
        Ok(begins)
    }

    /// What has arrived so far; `None` if that is nothing, or too little while another batch is at work,
    /// and then whoever asked is done.
    fn next_batch(&self) -> Option<Vec<Call<A, R>>> {
        let mut queue = self.lock();
        queue.calls.retain(|call| !call.answer.is_closed());
        let size = queue.calls.len().min(BATCH);
        if size == 0 || (size < ENOUGH && queue.working > 1) {
            queue.working -= 1;
            return None;
        }
        Some(queue.calls.drain(..size).collect())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Queue<A, R>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::Semaphore;

    use super::*;

    type Numbers = Gathering<usize, usize>;

    /// Answers each with the size of its batch, once it is let through.
    async fn sizes(gate: Arc<Semaphore>, calls: Vec<Call<usize, usize>>) {
        let Ok(permit) = gate.acquire().await else { return };
        permit.forget();
        let size = calls.len();
        assert!(calls.iter().all(|call| call.asks != 13), "a batch with an unlucky number");
        for call in calls {
            call.answer(size);
        }
    }

    fn ask(
        numbers: &Numbers,
        gate: &Arc<Semaphore>,
        number: usize,
    ) -> tokio::task::JoinHandle<Result<usize, Unanswered>> {
        let (numbers, gate) = (numbers.clone(), Arc::clone(gate));
        tokio::spawn(async move {
            numbers
                .call(&Handle::current(), number, move |calls| sizes(Arc::clone(&gate), calls))
                .await
        })
    }

    async fn settle() {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn what_arrives_while_a_batch_is_at_work_is_the_next_one() {
        let (numbers, gate) = (Numbers::new(1), Arc::new(Semaphore::new(0)));
        let first = ask(&numbers, &gate, 1);
        settle().await;
        let rest = [2, 3, 4].map(|number| ask(&numbers, &gate, number));
        settle().await;
        gate.add_permits(2);
        assert_eq!(first.await.unwrap().unwrap(), 1);
        for call in rest {
            assert_eq!(call.await.unwrap().unwrap(), 3);
        }
    }

    #[tokio::test]
    async fn a_caller_that_goes_away_is_passed_over() {
        let (numbers, gate) = (Numbers::new(1), Arc::new(Semaphore::new(0)));
        let first = ask(&numbers, &gate, 1);
        settle().await;
        let (gone, stays) = (ask(&numbers, &gate, 2), ask(&numbers, &gate, 3));
        settle().await;
        gone.abort();
        settle().await;
        gate.add_permits(2);
        assert_eq!(first.await.unwrap().unwrap(), 1);
        assert_eq!(stays.await.unwrap().unwrap(), 1);
    }

    #[tokio::test]
    async fn only_so_many_wait_and_whoever_goes_away_makes_room() {
        let (numbers, gate) = (Numbers::bounded(1, 2), Arc::new(Semaphore::new(0)));
        let first = ask(&numbers, &gate, 1);
        settle().await;
        let (gone, stays) = (ask(&numbers, &gate, 2), ask(&numbers, &gate, 3));
        settle().await;
        let refused = ask(&numbers, &gate, 4).await.unwrap();
        assert_eq!(refused, Err(Unanswered::Full));
        gone.abort();
        settle().await;
        let late = ask(&numbers, &gate, 5);
        settle().await;
        gate.add_permits(2);
        assert_eq!(first.await.unwrap().unwrap(), 1);
        for call in [stays, late] {
            assert_eq!(call.await.unwrap().unwrap(), 2);
        }
    }

    #[tokio::test]
    async fn a_panic_costs_one_batch() {
        let (numbers, gate) = (Numbers::new(1), Arc::new(Semaphore::new(2)));
        assert_eq!(ask(&numbers, &gate, 13).await.unwrap(), Err(Unanswered::Lost));
        assert_eq!(ask(&numbers, &gate, 1).await.unwrap().unwrap(), 1);
    }

    #[tokio::test]
    async fn too_few_wait_for_the_batch_that_is_at_work() {
        let (numbers, gate) = (Numbers::new(2), Arc::new(Semaphore::new(0)));
        let first = ask(&numbers, &gate, 0);
        settle().await;
        let few = [1, 2].map(|number| ask(&numbers, &gate, number));
        settle().await;
        // Were the others in a batch of their own by now, this one would not be in it.
        let last = ask(&numbers, &gate, 3);
        settle().await;
        gate.add_permits(3);
        assert_eq!(first.await.unwrap().unwrap(), 1);
        for call in few.into_iter().chain([last]) {
            assert_eq!(call.await.unwrap().unwrap(), 3);
        }
    }

    #[tokio::test]
    async fn another_batch_works_beside_the_first_once_there_is_enough_for_it() {
        let (numbers, gate) = (Numbers::new(2), Arc::new(Semaphore::new(0)));
        let first = ask(&numbers, &gate, 0);
        settle().await;
        let many: Vec<_> = (100..100 + ENOUGH).map(|number| ask(&numbers, &gate, number)).collect();
        settle().await;
        // The second has begun, or these would be in it.
        let late = [1, 2].map(|number| ask(&numbers, &gate, number));
        settle().await;
        gate.add_permits(3);
        assert_eq!(first.await.unwrap().unwrap(), 1);
        for call in many {
            assert_eq!(call.await.unwrap().unwrap(), ENOUGH);
        }
        for call in late {
            assert_eq!(call.await.unwrap().unwrap(), 2);
        }
    }
}
