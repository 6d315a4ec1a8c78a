//! EventManager: what happened, told to whoever listens: the log, the addon's callback, the admin stream.
//! Publishing never waits and never fails; a listener that is too slow misses events and is told how many.
//!
//! Invariant: an event carries no secret; its message is a line fit for a log.
//! Invariant: a request that went well costs a count while nobody listens for such: not even its line is written.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use tokio::sync::{broadcast, watch};
use ts_rs::TS;

use crate::clock::Millis;
use crate::feed::Feed;
use crate::ids::{KeyId, ProxyId};
use crate::requests::RequestView;

/// Events a slow listener may lag behind before it misses some.
const BACKLOG: usize = 1_024;
/// The same for one that hears of no request that went well: of all else there is little.
const NOTABLE_BACKLOG: usize = 256;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

/// The kinds and their words stand in one list: a kind without a word, or beyond the counters, cannot be written.
macro_rules! event_types {
    ($($(#[doc = $doc:expr])* $kind:ident = $name:tt,)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
        pub enum EventType {
            $($(#[doc = $doc])* #[serde(rename = $name)] $kind,)*
        }

        impl EventType {
            /// Each with the word it goes by everywhere, in the order of the variants.
            pub const NAMED: [(Self, &'static str); [$($name),*].len()] = [$((Self::$kind, $name)),*];
        }
    };
}

event_types! {
    KeyAdded = "key.added",
    KeyUpdated = "key.updated",
    KeyRemoved = "key.removed",
    KeyCooling = "key.cooling",
    KeyAvailable = "key.available",
    KeyDisabled = "key.disabled",
    AssignmentChanged = "assignment.changed",
    PoolChanged = "pool.changed",
    ProxyError = "proxy.error",
    /// The last proxy that worked has failed, and nobody may go direct.
    ProxiesDown = "proxies.down",
    ProxyRecovered = "proxy.recovered",
    RotatingChanged = "rotating.changed",
    /// Keys moved to even the proxies out, or because one failed, came back or was changed.
    Rebalanced = "rebalanced",
    DirectUsed = "direct.used",
    RequestFinished = "request.finished",
    StateWarning = "state.warning",
    EndpointChanged = "endpoint.changed",
    /// The configuration was read anew: applied, or refused as it was.
    ConfigReloaded = "config.reloaded",
}

impl EventType {
    pub fn name(self) -> &'static str {
        Self::NAMED[self as usize].1
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Event {
    #[serde(rename = "type")]
    pub kind: EventType,
    #[ts(type = "number")]
    pub at: Millis,
    pub level: Level,
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub key_id: Option<KeyId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub proxy_id: Option<ProxyId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub request_id: Option<SmolStr>,
    /// The finished request itself, for those who show it; who wants less has its line and its id.
    #[serde(skip)]
    #[ts(skip)]
    pub request: Option<Arc<RequestView>>,
}

impl Event {
    pub fn new(kind: EventType, level: Level, at: Millis, message: impl Into<String>) -> Self {
        Self {
            kind,
            at,
            level,
            message: message.into(),
            key_id: None,
            proxy_id: None,
            request_id: None,
            request: None,
        }
    }

    pub fn key(mut self, id: &KeyId) -> Self {
        self.key_id = Some(id.clone());
        self
    }

    pub fn proxy(mut self, id: &ProxyId) -> Self {
        self.proxy_id = Some(id.clone());
        self
    }

    /// It happened on that request's way, and is not the request's own end.
    pub fn of_request(mut self, id: Option<&SmolStr>) -> Self {
        self.request_id = id.cloned();
        self
    }

    pub fn request(mut self, request: &Arc<RequestView>) -> Self {
        self.request_id = Some(request.id.clone());
        self.request = Some(Arc::clone(request));
        self
    }

    /// A request that went well: most events are, and most listeners do without.
    fn is_routine(&self) -> bool {
        self.kind == EventType::RequestFinished && self.level == Level::Info
    }
}

/// In the order of [`EventType::NAMED`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventCounts {
    pub told: [u64; EventType::NAMED.len()],
    pub missed: u64,
}

pub struct EventManager {
    events: broadcast::Sender<Arc<Event>>,
    notable: broadcast::Sender<Arc<Event>>,
    changes: watch::Sender<()>,
    revision: AtomicU64,
    told: [AtomicU64; EventType::NAMED.len()],
    missed: AtomicU64,
    /// The last of them by number, while somebody reads.
    pub feed: Feed,
}

impl Default for EventManager {
    fn default() -> Self {
        Self {
            events: broadcast::channel(BACKLOG).0,
            notable: broadcast::channel(NOTABLE_BACKLOG).0,
            changes: watch::channel(()).0,
            revision: AtomicU64::new(0),
            told: Default::default(),
            missed: AtomicU64::new(0),
            feed: Feed::default(),
        }
    }
}

impl EventManager {
    pub fn publish(&self, event: Event) {
        self.pass_on(Arc::new(event));
    }

    /// One that was published elsewhere.
    pub fn pass_on(&self, event: Arc<Event>) {
        self.told[event.kind as usize].fetch_add(1, Ordering::Relaxed);
        self.feed.push(&event);
        // An error only says that nobody listens.
        if !event.is_routine() {
            let _ = self.notable.send(Arc::clone(&event));
        }
        let _ = self.events.send(event);
        self.touch();
    }

    /// A request went well: `event` is made for those who listen, and only counted when nobody does.
    pub(crate) fn went_well(&self, event: impl FnOnce() -> Event) {
        if self.events.receiver_count() > 0 || self.feed.is_on() {
            return self.publish(event());
        }
        self.told[EventType::RequestFinished as usize].fetch_add(1, Ordering::Relaxed);
        self.touch();
    }

    /// Something a snapshot shows has changed without being worth an event (a request began, say).
    pub fn touch(&self) {
        self.revision.fetch_add(1, Ordering::Relaxed);
        // Waking nobody still costs eight locks, several times a request.
        if self.changes.receiver_count() > 0 {
            self.changes.send_replace(());
        }
    }

    /// A listener fell behind and missed that many.
    pub fn missed(&self, events: u64) {
        self.missed.fetch_add(events, Ordering::Relaxed);
    }

    /// How many of each kind were told, and how many listeners missed, since the start.
    pub fn counts(&self) -> EventCounts {
        let told = std::array::from_fn(|kind| self.told[kind].load(Ordering::Relaxed));
        EventCounts { told, missed: self.missed.load(Ordering::Relaxed) }
    }

    pub fn revision(&self) -> u64 {
        self.revision.load(Ordering::Relaxed)
    }

    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Event>> {
        self.events.subscribe()
    }

    /// All but requests that went well.
    pub fn subscribe_notable(&self) -> broadcast::Receiver<Arc<Event>> {
        self.notable.subscribe()
    }

    /// Wakes after any change; several changes may wake once.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_name_and_its_count() {
        let events = EventManager::default();
        for (place, (kind, name)) in EventType::NAMED.into_iter().enumerate() {
            assert_eq!((kind as usize, kind.name()), (place, name));
            assert_eq!(serde_json::to_value(kind).unwrap(), name);
            events.publish(Event::new(kind, Level::Info, 0, ""));
        }
        events.missed(3);
        assert_eq!(events.counts(), EventCounts { told: [1; EventType::NAMED.len()], missed: 3 });
    }

    #[test]
    fn a_request_that_went_well_is_always_counted_and_made_only_for_those_who_listen_for_it() {
        let events = EventManager::default();
        let well = || Event::new(EventType::RequestFinished, Level::Info, 0, "well");
        let mut notable = events.subscribe_notable();
        events.went_well(|| unreachable!("nobody listens"));
        let mut all = events.subscribe();
        events.went_well(well);
        events.publish(Event::new(EventType::RequestFinished, Level::Warn, 0, "failed"));
        assert_eq!(all.try_recv().unwrap().message, "well");
        assert_eq!(notable.try_recv().unwrap().message, "failed");
        assert_eq!(events.counts().told[EventType::RequestFinished as usize], 3);
    }
}
