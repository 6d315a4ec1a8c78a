//! When a write goes out: at once or, on a runtime of one thread, when every task that is ready now has run. A write wakes a
//! peer that sleeps, which costs as much as the write itself; of writes right behind each other only the first finds it
//! asleep, and one core serves up to a tenth more requests so. What is written where is not known here.
//!
//! Invariant: whoever is told to wait with a write is woken for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use tokio::runtime::{Handle, RuntimeFlavor};

/// After so many polls a task has written what it has to write, if the system takes it: at the first one it may be told to
/// wait.
pub const POLLS_TO_WRITE: u8 = 2;

/// What is being worked on besides what is about to be written: something of it may be ready to write in the same turn.
#[derive(Clone, Default)]
pub struct UnderWay(Arc<AtomicUsize>);

/// Counts as long as it lives.
pub struct Working<'a>(&'a UnderWay);

impl UnderWay {
    pub fn begin(&self) -> Working<'_> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Working(self)
    }

    fn is_something(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

impl Drop for Working<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// One stream's. The default never waits; else each write waits once, so a long answer yields between its writes.
#[derive(Default)]
pub struct Turn {
    under_way: Option<UnderWay>,
    waited: bool,
}

impl Turn {
    /// Waits while something is `under_way`, on a runtime of one thread. Where there are more, queueing a task may wake another
    /// thread for it, and it was not measured to help.
    pub fn after(under_way: &UnderWay) -> Self {
        let one = Handle::try_current()
            .is_ok_and(|runtime| runtime.runtime_flavor() == RuntimeFlavor::CurrentThread);
        Self { under_way: one.then(|| under_way.clone()), waited: false }
    }

    /// Before each write: whether it may be made.
    pub fn poll_over(&mut self, context: &Context<'_>) -> Poll<()> {
        self.waited = !self.waited && self.under_way.as_ref().is_some_and(UnderWay::is_something);
        if self.waited {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(())
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::pin::Pin;

    use parking_lot::Mutex;
    use tokio::io::{AsyncWrite, AsyncWriteExt};
    use tokio::runtime::Builder;

    use super::*;
    use crate::joined::Joined;

    /// Says when it is written to.
    struct Telling(Diary, char);

    type Diary = Arc<Mutex<Vec<String>>>;

    impl AsyncWrite for Telling {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            self.0.lock().push(format!("{} writes", self.1));
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    /// Two tasks that are ready in the same turn, each with one piece of work and one write.
    fn written_by(mut runtime: Builder, under_way: &UnderWay) -> Vec<String> {
        let diary = Diary::default();
        runtime.build().unwrap().block_on(async {
            let task = |name| {
                let (diary, turn) = (Arc::clone(&diary), Turn::after(under_way));
                async move {
                    diary.lock().push(format!("{name} works"));
                    Joined::new(Telling(Arc::clone(&diary), name), turn).write_all(b"!").await.unwrap();
                }
            };
            let both = [tokio::spawn(task('a')), tokio::spawn(task('b'))];
            for one in both {
                one.await.unwrap();
            }
        });
        diary.lock().clone()
    }

    #[test]
    fn on_one_thread_the_writes_of_a_turn_come_after_its_work() {
        let under_way = UnderWay::default();
        let something = under_way.begin();
        let seen = written_by(Builder::new_current_thread(), &under_way);
        assert_eq!(seen, ["a works", "b works", "a writes", "b writes"]);
        drop(something);
        let alone = written_by(Builder::new_current_thread(), &under_way);
        assert_eq!(alone, ["a works", "a writes", "b works", "b writes"]);
    }

    #[test]
    fn with_more_threads_a_write_is_made_at_once() {
        let under_way = UnderWay::default();
        let _something = under_way.begin();
        let mut runtime = Builder::new_multi_thread();
        runtime.worker_threads(1);
        let seen = written_by(runtime, &under_way);
        // Which of the two begins is the scheduler's matter.
        for pair in seen.chunks(2) {
            assert_eq!(pair[1], pair[0].replace("works", "writes"));
        }
        assert_eq!(seen.len(), 4);
    }
}
