//! How long each step of one dial took and which of them failed, for tests that the user asks for.
//! It only records: the same dial runs with and without it. It must not know keys, nor whose fault a failure is.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The upstream's name, on this machine.
    ResolveUpstream,
    ConnectUpstream,
    /// The proxy's own name.
    ResolveProxy,
    ConnectProxy,
    /// TLS with an https proxy.
    SecureProxy,
    /// CONNECT or the SOCKS exchange, credentials included.
    Tunnel,
    /// TLS with the upstream.
    SecureUpstream,
}

#[derive(Debug, Clone, Copy)]
pub struct Taken {
    pub step: Step,
    pub after: Duration,
    pub ok: bool,
}

#[derive(Debug, Default)]
struct Record {
    steps: Vec<Taken>,
    last: Option<Instant>,
}

/// Clones are the same record; one that is off keeps nothing.
#[derive(Debug, Clone, Default)]
pub struct Trace(Option<Arc<Mutex<Record>>>);

impl Trace {
    pub fn off() -> Self {
        Self(None)
    }

    pub fn on() -> Self {
        Self(Some(Arc::default()))
    }

    pub(super) async fn step<T, E>(
        &self,
        step: Step,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let Some(record) = &self.0 else { return work.await };
        let started = Instant::now();
        let result = work.await;
        let now = Instant::now();
        let mut record = record.lock();
        record.steps.push(Taken { step, after: now - started, ok: result.is_ok() });
        record.last = Some(now);
        result
    }

    /// In the order in which they ended.
    pub fn steps(&self) -> Vec<Taken> {
        self.0.as_ref().map(|record| record.lock().steps.clone()).unwrap_or_default()
    }

    /// When the last step ended.
    pub fn last(&self) -> Option<Instant> {
        self.0.as_ref().and_then(|record| record.lock().last)
    }
}
