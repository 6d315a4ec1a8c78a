//! A gate before something that is polled far more often than anything happens to it, because it shares a task with what
//! is polled: it opens only when a waker that was handed in behind it has been called. What lies behind is not known here.
//!
//! Invariant: a call of the waker between two looks is never lost: it is remembered, and passed on to the task.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use parking_lot::Mutex;

pub struct Gate {
    bell: Arc<Bell>,
    /// Rings the bell. Made once, so that whoever keeps it sees the same one at every poll.
    waker: Waker,
}

struct Bell {
    rung: AtomicBool,
    /// The task that polled last.
    task: Mutex<Waker>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rung.store(true, Ordering::Release);
        // Not under the lock: a runtime that ends may let go of the task, and of all that it holds, right here.
        let task = self.task.lock().clone();
        task.wake();
    }
}

/// Open, for the first poll.
impl Default for Gate {
    fn default() -> Self {
        let bell = Arc::new(Bell { rung: AtomicBool::new(true), task: Mutex::new(Waker::noop().clone()) });
        Self { waker: Waker::from(Arc::clone(&bell)), bell }
    }
}

impl Gate {
    /// Something was done to what lies behind, of which no waker tells.
    pub fn open(&self) {
        self.bell.rung.store(true, Ordering::Release);
    }

    /// Nobody is woken until the next poll, which comes anyway; a bell rung meanwhile is remembered.
    pub fn mute(&self) {
        let mut task = self.bell.task.lock();
        if !task.will_wake(Waker::noop()) {
            task.clone_from(Waker::noop());
        }
    }

    /// What to poll with, if there is reason to. The task of `context` is woken when there is next time.
    pub fn pass(&self, context: &Context<'_>) -> Option<Context<'_>> {
        {
            let mut task = self.bell.task.lock();
            if !task.will_wake(context.waker()) {
                task.clone_from(context.waker());
            }
        }
        // After the task is known: a bell rung in between wakes it.
        self.bell.rung.swap(false, Ordering::AcqRel).then(|| Context::from_waker(&self.waker))
    }
}

/// A future behind a gate of its own.
pub struct Gated<F> {
    gate: Gate,
    future: Pin<Box<F>>,
}

impl<F: Future> Gated<F> {
    pub fn new(future: F) -> Self {
        Self { gate: Gate::default(), future: Box::pin(future) }
    }
}

impl<F: Future> Future for Gated<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.get_mut();
        match this.gate.pass(context) {
            Some(mut inner) => this.future.as_mut().poll(&mut inner),
            None => Poll::Pending,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::task::ready;

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn what_lies_behind_is_polled_only_when_something_happened() {
        let (send, mut receive) = oneshot::channel::<u8>();
        let polls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&polls);
        let mut gated = Gated::new(std::future::poll_fn(move |context| {
            counted.fetch_add(1, Ordering::Relaxed);
            Poll::Ready(ready!(Pin::new(&mut receive).poll(context)).unwrap_or_default())
        }));
        let mut look = || Pin::new(&mut gated).poll(&mut Context::from_waker(Waker::noop()));
        assert!((0..5).all(|_| look().is_pending()));
        assert_eq!(polls.load(Ordering::Relaxed), 1);
        send.send(7).unwrap();
        assert_eq!(look(), Poll::Ready(7));
        assert_eq!(polls.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn the_task_that_polled_last_is_woken() {
        let (send, receive) = oneshot::channel::<u8>();
        let mut gated = Gated::new(receive);
        assert!(Pin::new(&mut gated).poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let waiting = tokio::spawn(gated);
        tokio::task::yield_now().await;
        send.send(7).unwrap();
        assert_eq!(waiting.await.unwrap(), Ok(7));
    }
}
