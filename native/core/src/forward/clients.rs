//! Connections of its own for each pair of key and egress. Who is paired with whom is decided
//! elsewhere; this file only keeps the pairs apart and lets go of those no longer used.
//!
//! Invariant: a request through the rotating proxy has connections of its own, so that neither a tunnel nor a TLS session
//! is used twice: its provider gives each connection another address, and reuse would tie two together.
//! Invariant: connection pools are keyed by egress identity *and* key, so that no key's traffic rides on another's
//! tunnel, nor on a tunnel opened with credentials since changed.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::connect::{Connector, Route, Trace};
use super::lines::Lines;
use super::origin::Origin;
use super::tls::TlsConfigs;
use crate::figures::meter::Meters;
use crate::ids::{ById, KeyId, ProxyId};
use crate::pools::{Pick, PickedProxy};
use crate::proxies::url::ProxyUrl;

/// Key and egress, and whether HTTP/2 is held back, which cannot carry a WebSocket.
type Pair = (KeyId, Option<ProxyId>, bool);

struct Entry {
    url: Option<Arc<ProxyUrl>>,
    lines: Lines,
}

pub struct Clients {
    entries: Mutex<ById<Pair, Entry>>,
    origin: Arc<Origin>,
    tls: TlsConfigs,
    allow_h2: bool,
    connect_timeout: Duration,
}

impl Clients {
    pub fn new(origin: Arc<Origin>, tls: TlsConfigs, allow_h2: bool, connect_timeout: Duration) -> Self {
        Self { entries: Mutex::default(), origin, tls, allow_h2, connect_timeout }
    }

    /// `http1_only` matters on direct connections alone: behind a proxy HTTP/2 is never offered, and the connections are the
    /// same.
    pub fn for_pick(&self, pick: &Pick, http1_only: bool) -> Lines {
        if let Some(proxy) = pick.proxy.as_ref().filter(|proxy| proxy.rotating) {
            return self.build(Some(proxy), false, &pick.meters, None);
        }
        let http1_only = http1_only && self.allow_h2 && pick.proxy.is_none();
        let url = pick.proxy.as_ref().map(|proxy| &proxy.url);
        let pair = (pick.key.clone(), pick.proxy.as_ref().map(|proxy| proxy.id.clone()), http1_only);
        let mut entries = self.entries.lock();
        match entries.get(&pair) {
            Some(entry) if entry.url.as_ref() == url => entry.lines.clone(),
            _ => {
                let allow_h2 = !http1_only && self.allow_h2;
                let lines = self.build(pick.proxy.as_ref(), allow_h2, &pick.meters, None);
                entries.insert(pair, Entry { url: url.cloned(), lines: lines.clone() });
                lines
            }
        }
    }

    /// The same way with nothing open on it yet, and each step of the one connection recorded.
    pub fn fresh(&self, pick: &Pick, trace: &Trace) -> Lines {
        let allow_h2 = self.allow_h2 && pick.proxy.is_none();
        self.build(pick.proxy.as_ref(), allow_h2, &pick.meters, Some(trace))
    }

    /// Lets go of pairs that `kept` refuses; requests under way finish on the connections they hold.
    pub fn retain(&self, kept: impl Fn(&KeyId, Option<&ProxyId>) -> bool) {
        self.entries.lock().retain(|(key, proxy, _), _| kept(key, proxy.as_ref()));
    }

    fn build(
        &self,
        proxy: Option<&PickedProxy>,
        allow_h2: bool,
        meters: &Meters,
        trace: Option<&Trace>,
    ) -> Lines {
        let route = proxy.map_or(Route::Direct, |proxy| Route::Proxy(proxy.url.clone()));
        let connector = Connector::new(route, &self.tls, allow_h2, self.connect_timeout, meters.clone());
        let exit = proxy.map(|proxy| proxy.exit.clone()).unwrap_or_default();
        let once = trace.is_some() || proxy.is_some_and(|proxy| proxy.rotating);
        let connector = connector.telling(exit).traced(trace.cloned().unwrap_or_default());
        Lines::new(connector, self.origin.clone(), !once)
    }
}
