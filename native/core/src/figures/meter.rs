//! What goes through the tunnels of one key or one way out: bytes as they pass the socket (TLS and the proxy's own words
//! included, which is what a provider counts), tunnels opened, and requests that found one open. Connections count here
//! as they work, so it is atomics; everything else about figures is plain data.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Debug, Default)]
pub struct Meter {
    sent: AtomicU64,
    received: AtomicU64,
    opened: AtomicU64,
    reused: AtomicU64,
}

/// What a meter says at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Bytes towards the upstream.
    pub sent: u64,
    pub received: u64,
    /// Connections ready for a request; behind a proxy each is a tunnel.
    pub opened: u64,
    /// Requests that were answered on a connection which an earlier one had opened.
    pub reused: u64,
}

impl Reading {
    pub fn add(&mut self, other: &Self) {
        self.sent += other.sent;
        self.received += other.received;
        self.opened += other.opened;
        self.reused += other.reused;
    }
}

impl Meter {
    pub fn read(&self) -> Reading {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Reading {
            sent: of(&self.sent),
            received: of(&self.received),
            opened: of(&self.opened),
            reused: of(&self.reused),
        }
    }
}

/// The meters that one connection counts on: its key's and its way's; a probe belongs to no key.
#[derive(Clone, Debug, Default)]
pub struct Meters {
    pub key: Option<Arc<Meter>>,
    pub way: Option<Arc<Meter>>,
}

impl Meters {
    pub fn sent(&self, bytes: usize) {
        self.count(|meter| &meter.sent, bytes as u64);
    }

    pub fn received(&self, bytes: usize) {
        self.count(|meter| &meter.received, bytes as u64);
    }

    pub fn opened(&self) {
        self.count(|meter| &meter.opened, 1);
    }

    pub fn reused(&self) {
        self.count(|meter| &meter.reused, 1);
    }

    fn count(&self, counter: impl Fn(&Meter) -> &AtomicU64, by: u64) {
        [&self.key, &self.way].into_iter().flatten().for_each(|meter| {
            counter(meter).fetch_add(by, Ordering::Relaxed);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_counts_for_its_key_and_its_way() {
        let (key, way) = (Arc::<Meter>::default(), Arc::<Meter>::default());
        let both = Meters { key: Some(Arc::clone(&key)), way: Some(Arc::clone(&way)) };
        let probe = Meters { key: None, way: Some(Arc::clone(&way)) };
        both.opened();
        both.sent(100);
        both.received(30);
        both.reused();
        probe.opened();
        probe.sent(7);
        assert_eq!(key.read(), Reading { sent: 100, received: 30, opened: 1, reused: 1 });
        assert_eq!(way.read(), Reading { sent: 107, received: 30, opened: 2, reused: 1 });
    }
}
