//! The last events by number, for readers that come and go: each takes up where it left off, or learns that it missed
//! some. Readers hold a number, not a queue, so a slow one costs nothing. What events look like outside is not known here.
//!
//! Invariant: while nobody reads, an event costs one look at a flag.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::clock::Millis;
use crate::events::Event;

/// Events a reader may lag behind before it misses some.
const KEPT: usize = 1_024;
/// A reader that lost its connection finds everything as long as it comes back within this time.
const KEPT_WITHOUT_READERS: Millis = 10 * 60_000;

pub struct Feed {
    on: AtomicBool,
    ring: Mutex<Ring>,
    newest: watch::Sender<u64>,
}

#[derive(Default)]
struct Ring {
    /// Number of the newest event; the first is 1.
    newest: u64,
    /// Oldest first, the last of them `newest`.
    events: VecDeque<Arc<Event>>,
    readers: usize,
    /// When an event first came to no reader.
    alone_since: Option<Millis>,
}

/// What came after a number.
pub enum Since {
    Events(Vec<(u64, Arc<Event>)>),
    /// Not all of it is there any more, or it was never given.
    Missed,
}

impl Default for Feed {
    fn default() -> Self {
        Self { on: AtomicBool::new(false), ring: Mutex::default(), newest: watch::channel(0).0 }
    }
}

impl Feed {
    /// Somebody reads, or has lately.
    pub(crate) fn is_on(&self) -> bool {
        self.on.load(Ordering::Relaxed)
    }

    pub(crate) fn push(&self, event: &Arc<Event>) {
        if !self.is_on() {
            return;
        }
        let newest = {
            let mut ring = self.ring.lock();
            if ring.is_forgotten(event.at) {
                self.on.store(false, Ordering::Relaxed);
                return;
            }
            ring.push(Arc::clone(event));
            ring.newest
        };
        self.newest.send_replace(newest);
    }

    pub fn read(&self) -> Reader<'_> {
        let mut ring = self.ring.lock();
        ring.readers += 1;
        ring.alone_since = None;
        self.on.store(true, Ordering::Relaxed);
        drop(ring);
        Reader { feed: self, woken: self.newest.subscribe() }
    }
}

impl Ring {
    fn push(&mut self, event: Arc<Event>) {
        self.newest += 1;
        self.events.push_back(event);
        if self.events.len() > KEPT {
            self.events.pop_front();
        }
    }

    /// Without readers for long: forgets everything. A number is left out, so that who comes back knows.
    fn is_forgotten(&mut self, now: Millis) -> bool {
        if self.readers > 0 {
            return false;
        }
        let since = *self.alone_since.get_or_insert(now);
        if now.saturating_sub(since) < KEPT_WITHOUT_READERS {
            return false;
        }
        *self = Self { newest: self.newest + 1, ..Self::default() };
        true
    }

    fn since(&self, number: u64, most: usize) -> Since {
        let oldest = self.newest + 1 - self.events.len() as u64;
        if number + 1 < oldest || number > self.newest {
            return Since::Missed;
        }
        let skipped = (number + 1 - oldest) as usize;
        let found = self.events.iter().enumerate().skip(skipped).take(most);
        Since::Events(found.map(|(place, event)| (oldest + place as u64, Arc::clone(event))).collect())
    }
}

/// While it lives, events are kept.
pub struct Reader<'a> {
    feed: &'a Feed,
    woken: watch::Receiver<u64>,
}

impl Reader<'_> {
    /// The number of the newest event.
    pub fn newest(&self) -> u64 {
        self.feed.ring.lock().newest
    }

    /// At most `most` events after `number`.
    pub fn since(&self, number: u64, most: usize) -> Since {
        self.feed.ring.lock().since(number, most)
    }

    /// Returns once there is something new after `number`.
    pub async fn more_than(&mut self, number: u64) {
        // It fails only without a sender, which the feed itself holds.
        let _ = self.woken.wait_for(|newest| *newest > number).await;
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        let mut ring = self.feed.ring.lock();
        ring.readers = ring.readers.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::{EventType, Level};

    fn told(feed: &Feed, at: Millis, count: usize) {
        for number in 0..count {
            feed.push(&Arc::new(Event::new(EventType::KeyAdded, Level::Info, at, format!("{number}"))));
        }
    }

    fn numbers(since: Since) -> Option<Vec<u64>> {
        match since {
            Since::Events(events) => Some(events.into_iter().map(|(number, _)| number).collect()),
            Since::Missed => None,
        }
    }

    #[test]
    fn a_reader_takes_up_where_it_left_off() {
        let feed = Feed::default();
        told(&feed, 0, 3);
        let reader = feed.read();
        assert_eq!(reader.newest(), 0, "before the first reader nothing is kept");
        told(&feed, 0, 3);
        assert_eq!(numbers(reader.since(0, 2)), Some(vec![1, 2]));
        assert_eq!(numbers(reader.since(2, 9)), Some(vec![3]));
        assert_eq!(numbers(reader.since(3, 9)), Some(vec![]));
        assert_eq!(numbers(reader.since(4, 9)), None, "never given");
        drop(reader);
        told(&feed, 60_000, 1);
        assert_eq!(numbers(feed.read().since(3, 9)), Some(vec![4]));
    }

    #[test]
    fn who_is_too_slow_or_away_too_long_is_told_so() {
        let feed = Feed::default();
        let reader = feed.read();
        told(&feed, 0, KEPT + 2);
        assert_eq!(numbers(reader.since(1, 9)), None);
        assert_eq!(numbers(reader.since(2, 1)), Some(vec![3]));
        drop(reader);
        told(&feed, 1, 1);
        let last = feed.read().newest();
        told(&feed, KEPT_WITHOUT_READERS, 1);
        assert_eq!(numbers(feed.read().since(last, 9)), Some(vec![last + 1]), "a reader was here meanwhile");
        told(&feed, KEPT_WITHOUT_READERS, 1);
        told(&feed, 3 * KEPT_WITHOUT_READERS, 5);
        assert_eq!(numbers(feed.read().since(last + 2, 9)), None);
    }

    #[tokio::test]
    async fn a_waiting_reader_is_woken() {
        let feed = Feed::default();
        let mut reader = feed.read();
        tokio::join!(reader.more_than(0), async { told(&feed, 0, 1) });
        reader.more_than(0).await;
    }
}
