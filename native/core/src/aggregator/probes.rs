//! Health probes of the proxies, the rotating one among them: a tunnel to the upstream's own host, on a jittered interval, at once for a new
//! proxy, and on demand. Results go to the pool; nothing here runs on a request's path.
//!
//! Invariant: a proxy is blamed for its own tunnel only; what may be the upstream's fault goes through
//! `Pools::doubt`.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::Aggregator;
use crate::forward::Tunnelled;
use crate::forward::connect::{DialError, Trace};
use crate::ids::ProxyId;
use crate::proxies::pool::ProxyStatus;

const AT_ONCE: usize = 8;

/// What a probe found, in words for the user.
pub enum Probed {
    Works {
        latency: Duration,
        /// Where the tunnel leaves the proxy, if that told it.
        exit: Option<IpAddr>,
    },
    Faulty(String),
    /// The tunnel stands, the upstream behind it does not answer.
    UpstreamDown(String),
}

impl Aggregator {
    /// Probes every enabled proxy round after round, and one that is new at once; ends when dropped.
    pub(super) async fn probe_forever(self: Arc<Self>) {
        let mut probed = HashSet::new();
        let mut rotating = None;
        let mut round_ends = tokio::time::Instant::now() + self.jittered_interval();
        loop {
            let enabled = self.enabled_proxies();
            let fresh = enabled.difference(&probed).cloned().collect();
            let wanted = self.rotating_to_probe();
            let new = wanted.clone().filter(|url| rotating.as_ref() != Some(url));
            tokio::join!(self.probe_all(fresh), async {
                if let Some(url) = new {
                    self.probe_rotating(&url, &Trace::off()).await;
                }
            });
            (probed, rotating) = (enabled, wanted);
            tokio::select! {
                () = tokio::time::sleep_until(round_ends) => {
                    probed.clear();
                    rotating = None;
                    round_ends = tokio::time::Instant::now() + self.jittered_interval();
                }
                () = self.pool_changed.notified() => {}
            }
        }
    }

    /// One probe, recorded in the pool and told to the events. `None` when the proxy is gone.
    pub(super) async fn probe(&self, id: &ProxyId, trace: &Trace) -> Option<Probed> {
        let (url, meter) = {
            let pools = self.state.pools.lock();
            let proxy = pools.proxies.get(id)?;
            (proxy.entered.url.clone(), proxy.figures.meter.clone())
        };
        let result = self.forwarder().probe(&url, meter, trace).await;
        let now = self.state.now();
        let limit = self.state.settings().proxy.max_errors_before_disable;
        let (probed, events) = {
            let mut pools = self.state.pools.lock();
            // Edited meanwhile: the result is about another server.
            if pools.proxies.get(id)?.entered.url != url {
                return None;
            }
            let (probed, turn) = match result {
                Ok(Tunnelled { after: latency, exit }) => {
                    let milliseconds = u64::try_from(latency.as_millis()).unwrap_or(u64::MAX);
                    (Probed::Works { latency, exit }, pools.proxies.succeeded(id, now, Some(milliseconds)))
                }
                Err(DialError::Proxy(fault)) => {
                    let words = fault.words();
                    let turn = match fault.may_be_upstream() {
                        true => pools.doubt(id, &words, limit, now),
                        false => pools.proxies.failed(id, now, &words, limit),
                    };
                    (Probed::Faulty(words), turn)
                }
                Err(DialError::Upstream(fault)) => (Probed::UpstreamDown(fault.words()), None),
            };
            let settings = self.state.settings();
            let events = turn.map(|turn| pools.turned(id, turn, &settings, now)).unwrap_or_default();
            (probed, events)
        };
        self.state.tell(events);
        Some(probed)
    }

    async fn probe_all(self: &Arc<Self>, ids: Vec<ProxyId>) {
        let places = Arc::new(Semaphore::new(AT_ONCE));
        let mut probes = JoinSet::new();
        for id in ids {
            let (this, places) = (Arc::clone(self), Arc::clone(&places));
            probes.spawn(async move {
                let Ok(_place) = places.acquire().await else { return };
                this.probe(&id, &Trace::off()).await;
            });
        }
        while probes.join_next().await.is_some() {}
    }

    fn enabled_proxies(&self) -> HashSet<ProxyId> {
        let pools = self.state.pools.lock();
        let enabled = pools.proxies.iter().filter(|proxy| proxy.status() != ProxyStatus::Inactive);
        enabled.map(|proxy| proxy.entered.id.clone()).collect()
    }

    /// ±10 %, so that many proxies and windows do not probe in step.
    fn jittered_interval(&self) -> Duration {
        let seconds = self.state.settings().proxy.health_check_interval_seconds;
        let part = self.state.pools.lock().rng.f64();
        Duration::from_secs(seconds).mul_f64(0.9 + 0.2 * part)
    }
}
