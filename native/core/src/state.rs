//! What every request shares: the pools behind one short lock, the clock, the settings in force, the events,
//! the request log and who owns which resource. A `Lease` is one attempt's claim on a key and its egress.
//!
//! Invariant: every lease settles exactly once: by a verdict, or on drop when the client has gone.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::HeaderMap;
use parking_lot::{Mutex, RwLock};
use smol_str::SmolStr;
use tokio::sync::Notify;

use crate::affinity::Affinity;
use crate::clock::{Clock, Millis};
use crate::dialect::translation::Signatures;
use crate::dispatch::judge::{Outcome, Verdict, judge};
use crate::dispatch::search::{Attempted, Next, Search};
use crate::events::{Event, EventManager, EventType};
use crate::ids::KeyId;
use crate::metrics::HostFigures;
use crate::pools::{NoKey, Pick, Pools, Wish};
use crate::requests::RequestLog;
use crate::settings::Settings;
use crate::signatures::SignatureCache;
use crate::skew::skew;
use crate::versions::Versions;

/// Clocks do not drift apart within a minute.
const DATE_HOLDS: Millis = 60_000;

/// By how many milliseconds this machine's clock was ahead of the upstream's, and when that was heard.
#[derive(Clone, Copy)]
struct Heard {
    skew: i64,
    at: Millis,
}

pub struct State {
    /// A plain mutex: held for a pick or a settlement, microseconds, never across an await.
    pub pools: Mutex<Pools>,
    pub events: EventManager,
    pub log: RequestLog,
    pub affinity: Affinity,
    pub signatures: SignatureCache,
    pub clock: Arc<dyn Clock>,
    /// Keys moved by themselves: their assignments want to be saved.
    pub moved: Notify,
    /// What only the host can count, for metrics.
    pub host: OnceLock<HostFigures>,
    settings: RwLock<Arc<Settings>>,
    clock_skew: Mutex<Option<Heard>>,
    pub versions: Versions,
}

impl State {
    pub fn new(mut pools: Pools, settings: Settings, clock: Arc<dyn Clock>) -> Arc<Self> {
        let versions = Versions::new(&mut pools.rng);
        Arc::new(Self {
            versions,
            pools: Mutex::new(pools),
            events: EventManager::default(),
            log: RequestLog::new(settings.request_log.size),
            affinity: Affinity::default(),
            signatures: SignatureCache::default(),
            clock,
            moved: Notify::new(),
            host: OnceLock::new(),
            settings: RwLock::new(Arc::new(settings)),
            clock_skew: Mutex::default(),
        })
    }

    pub fn now(&self) -> Millis {
        self.clock.now()
    }

    pub fn settings(&self) -> Arc<Settings> {
        self.settings.read().clone()
    }

    pub fn set_settings(&self, settings: Settings) {
        self.log.resize(settings.request_log.size);
        *self.settings.write() = Arc::new(settings);
        self.events.touch();
    }

    /// A key and its egress for one attempt.
    pub fn lease(self: &Arc<Self>, wish: &Wish, now: Millis) -> Result<Lease, NoKey> {
        let settings = self.settings();
        let (pick, direct) = {
            let mut pools = self.pools.lock();
            let pick = pools.lease(wish, &settings, now)?;
            let direct = pools.direct_event(&pick, now);
            (pick, direct)
        };
        if let Some(event) = direct {
            self.events.publish(event.of_request(wish.request.as_ref()));
        }
        Ok(self.hold(pick, wish.request.clone()))
    }

    /// The upstream's answer says what time it is there; the last word stands.
    pub fn heard_date(&self, headers: &HeaderMap) {
        let now = self.now();
        if let Some(skew) = skew(headers, now) {
            *self.clock_skew.lock() = Some(Heard { skew, at: now });
        }
    }

    /// The same for every answer that passes: a date is read once a minute, or when this machine's clock has jumped.
    pub fn date_passes(&self, headers: &HeaderMap, now: Millis) {
        let lately = self.clock_skew.lock().is_some_and(|heard| now.abs_diff(heard.at) < DATE_HOLDS);
        if !lately {
            self.heard_date(headers);
        }
    }

    /// By how many milliseconds this machine's clock is ahead of the upstream's, where one was heard.
    pub fn clock_skew(&self) -> Option<i64> {
        self.clock_skew.lock().map(|heard| heard.skew)
    }

    /// See `Pools::earliest_return`.
    pub fn earliest_return(&self, wish: &Wish) -> Option<Millis> {
        let settings = self.settings();
        self.pools.lock().earliest_return(wish, &settings, self.now())
    }

    /// Publishes what pools have to tell, and has moves saved.
    pub fn tell(&self, events: Vec<Event>) {
        if events.iter().any(|event| event.kind == EventType::AssignmentChanged) {
            self.moved.notify_one();
        }
        events.into_iter().for_each(|event| self.events.publish(event));
        self.events.touch();
    }

    /// The same for what a request met on its way.
    fn tell_of(&self, request: Option<&SmolStr>, events: Vec<Event>) {
        self.tell(events.into_iter().map(|event| event.of_request(request)).collect());
    }

    /// See `Pools::reroute`.
    pub fn reroute(&self, pick: &Pick, wish: &Wish) -> bool {
        let settings = self.settings();
        let (again, events) = self.pools.lock().reroute(pick, &wish.failed_proxies, &settings, self.now());
        self.tell_of(wish.request.as_ref(), events);
        again
    }

    /// See `Search::failed`.
    pub fn after_failure(&self, search: &mut Search, attempt: Attempted<'_>) -> Next {
        let mut pools = self.pools.lock();
        let project = pools.keys.get(&attempt.pick.key).and_then(|key| key.known_project().cloned());
        let blame = attempt.verdict.blame;
        let next = search.failed(attempt, project.as_ref(), self.now(), &mut pools.rng);
        if matches!(next, Next::Again(_)) {
            pools.tallies.retries.count(blame);
        }
        next
    }

    /// This very key, available or not, to test it.
    pub fn lease_for_test(self: &Arc<Self>, id: &KeyId) -> Result<Lease, NoKey> {
        let settings = self.settings();
        let pick = self.pools.lock().lease_for_test(id, &settings, self.now())?;
        Ok(self.hold(pick, None))
    }

    fn hold(self: &Arc<Self>, pick: Pick, request: Option<SmolStr>) -> Lease {
        self.events.touch();
        Lease { pick: Arc::new(pick), state: Arc::clone(self), request, settled: false }
    }
}

pub struct Lease {
    pub pick: Arc<Pick>,
    state: Arc<State>,
    request: Option<SmolStr>,
    settled: bool,
}

impl Lease {
    /// An answer to this key named these resources: they are its project's.
    pub fn learn(&self, names: BTreeSet<String>) {
        if !names.is_empty() {
            self.state.affinity.learn(names, &self.pick.key, self.state.now());
        }
    }

    /// An answer with this key carried these thought signatures.
    pub fn learn_signatures(&self, signatures: Signatures) {
        if !signatures.is_empty() {
            self.state.signatures.learn(signatures, &self.pick.key, self.state.now());
        }
    }

    /// The upstream took a session that may last for hours. What that proves is known now: a key on trial serves again,
    /// and nobody waits for the session's end to hear it. The lease goes on.
    pub fn taken(&mut self) {
        let outcome = Outcome::Answered { status: 101, error: None, retry_after: None };
        let settings = self.state.settings();
        let now = self.state.now();
        let events = self.state.pools.lock().charge(&self.pick, true, &judge(&outcome), &settings, now);
        Arc::make_mut(&mut self.pick).trial = false;
        self.state.tell_of(self.request.as_ref(), events);
    }

    /// The answer to this attempt began after that time.
    pub fn answered(&mut self, after: Duration) {
        Arc::make_mut(&mut self.pick).answered_after = Some(after);
    }

    /// Judges the outcome, charges the blamed entry and tells the events.
    pub fn settle(mut self, outcome: &Outcome) -> Verdict {
        self.settled = true;
        let verdict = judge(outcome);
        let settings = self.state.settings();
        let now = self.state.now();
        let events =
            self.state.pools.lock().settle(&self.pick, outcome.reached_upstream(), &verdict, &settings, now);
        self.state.tell_of(self.request.as_ref(), events);
        verdict
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if !self.settled {
            self.state.pools.lock().release(&self.pick, self.state.now());
            self.state.events.touch();
        }
    }
}
