//! The request log: the last finished requests, and what they add up to minute by minute. Bounded in number; it decides
//! nothing. A store may take the requests out and give them back after a restart.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use smol_str::SmolStr;

use super::RequestView;
use super::overview::{Overview, OverviewView};
use super::traffic::Traffic;
use crate::clock::Millis;

pub struct RequestLog {
    finished: Mutex<Finished>,
    begun: AtomicU64,
}

/// Requests that ended, and what they add up to: one lock for all, since each that ends needs all of it.
struct Finished {
    ring: Ring,
    overview: Overview,
    traffic: Traffic,
}

struct Ring {
    size: usize,
    /// Invariant: the bytes of `newest_last`, kept so that asking costs nothing.
    bytes: usize,
    /// Grows with every request.
    revision: u64,
    newest_last: VecDeque<Arc<RequestView>>,
}

impl RequestLog {
    pub fn new(size: usize) -> Self {
        let ring = Ring { size, bytes: 0, revision: 0, newest_last: VecDeque::new() };
        let finished = Finished { ring, overview: Overview::default(), traffic: Traffic::default() };
        Self { finished: Mutex::new(finished), begun: AtomicU64::new(0) }
    }

    pub fn resize(&self, size: usize) {
        let mut finished = self.finished.lock();
        finished.ring.size = size;
        finished.ring.trim();
    }

    pub fn newest(&self, count: usize) -> Vec<Arc<RequestView>> {
        self.finished.lock().ring.newest_last.iter().rev().take(count).cloned().collect()
    }

    /// All of it, newest first. The lock is held for as long as it takes to clone the handles.
    pub fn all(&self) -> Vec<Arc<RequestView>> {
        self.newest(usize::MAX)
    }

    pub fn count(&self) -> usize {
        self.finished.lock().ring.newest_last.len()
    }

    pub fn overview(&self, now: Millis) -> OverviewView {
        self.finished.lock().overview.view(now)
    }

    /// Since the start; what is copied is small and bounded.
    pub fn traffic(&self) -> Traffic {
        self.finished.lock().traffic.clone()
    }

    /// Requests that began and have not ended, besides those that ended while `traffic` was copied.
    pub fn under_way(&self, traffic: &Traffic) -> u64 {
        self.begun.load(Ordering::Relaxed).saturating_sub(traffic.ended())
    }

    pub(crate) fn began(&self) {
        self.begun.fetch_add(1, Ordering::Relaxed);
    }

    /// About how many bytes the log holds.
    pub fn held_bytes(&self) -> usize {
        self.finished.lock().ring.bytes
    }

    pub(crate) fn push(&self, request: Arc<RequestView>, now: Millis) {
        let mut finished = self.finished.lock();
        finished.overview.add(&request, now);
        finished.traffic.add(&request);
        let ring = &mut finished.ring;
        ring.revision += 1;
        ring.bytes += bytes_of(&request);
        ring.newest_last.push_back(request);
        ring.trim();
    }

    /// Grows whenever there is something new to save.
    pub fn revision(&self) -> u64 {
        self.finished.lock().ring.revision
    }

    /// The oldest first, for a store.
    pub fn export(&self) -> Vec<Arc<RequestView>> {
        self.finished.lock().ring.newest_last.iter().cloned().collect()
    }

    /// What a store kept, oldest first, before all that has finished since. The minutes count it where it belongs.
    pub fn restore(&self, kept: Vec<Arc<RequestView>>, now: Millis) {
        let finished = &mut *self.finished.lock();
        let (ring, overview) = (&mut finished.ring, &mut finished.overview);
        let since = std::mem::take(&mut ring.newest_last);
        if since.is_empty() {
            let ended = |request: &RequestView| request.at.saturating_add(request.duration_ms).min(now);
            kept.iter().for_each(|request| overview.add(request, ended(request)));
        }
        ring.newest_last = kept.into_iter().chain(since).collect();
        ring.bytes = ring.newest_last.iter().map(|request| bytes_of(request)).sum();
        ring.trim();
    }
}

impl Ring {
    fn trim(&mut self) {
        while self.newest_last.len() > self.size {
            let Some(oldest) = self.newest_last.pop_front() else { return };
            self.bytes = self.bytes.saturating_sub(bytes_of(&oldest));
        }
    }
}

fn bytes_of(request: &RequestView) -> usize {
    // Short texts lie in the record itself.
    let text = |text: &SmolStr| if text.is_heap_allocated() { text.len() } else { 0 };
    let maybe = |one: &Option<SmolStr>| one.as_ref().map_or(0, text);
    let words = |words: &Option<String>| words.as_ref().map_or(0, String::len);
    let attempts = request
        .attempts
        .iter()
        .map(|one| size_of_val(one) + text(&one.key_name) + maybe(&one.proxy_name) + words(&one.error));
    let texts = text(&request.id) + text(&request.path) + maybe(&request.model) + maybe(&request.client);
    size_of_val(request) + texts + words(&request.error) + attempts.sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::request;
    use super::*;

    #[test]
    fn the_newest_are_kept_and_their_bytes_are_known() {
        let log = RequestLog::new(3);
        (1..=5).for_each(|number| log.push(Arc::new(request(number)), 0));
        let ids: Vec<String> = log.all().iter().map(|request| request.id.to_string()).collect();
        assert_eq!((ids, log.count()), (vec!["run-5".into(), "run-4".into(), "run-3".into()], 3));
        let counted: usize = log.all().iter().map(|request| bytes_of(request)).sum();
        assert_eq!(log.held_bytes(), counted);
        log.resize(0);
        assert_eq!((log.held_bytes(), log.count()), (0, 0));
        assert_eq!(log.overview(0).minutes[0].requests, 5, "counted even when it left the log");
    }

    #[test]
    fn what_a_store_kept_comes_before_what_was_asked_since() {
        let log = RequestLog::new(3);
        log.push(Arc::new(request(9)), 60_000);
        let kept = (1..=4).map(|number| Arc::new(request(number))).collect();
        log.restore(kept, 60_000);
        let ids: Vec<String> = log.export().iter().map(|request| request.id.to_string()).collect();
        assert_eq!(ids, ["run-3", "run-4", "run-9"]);
        let counted: usize = log.all().iter().map(|request| bytes_of(request)).sum();
        assert_eq!((log.held_bytes(), log.revision()), (counted, 1));
    }

    #[test]
    fn the_minutes_count_what_a_store_kept() {
        let log = RequestLog::new(3);
        log.restore(vec![Arc::new(request(1)), Arc::new(request(2))], 90_000);
        let minutes = log.overview(90_000).minutes;
        assert_eq!(minutes.iter().map(|minute| (minute.at, minute.requests)).collect::<Vec<_>>(), [(0, 2)]);
    }
}
