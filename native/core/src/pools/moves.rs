//! What a proxy that fails or recovers does to the keys: they leave it, or come back, at once and together, and one event
//! says so. Also the move of a single key whose request has no other way out. Nothing is stored here: the aggregator
//! saves assignments that changed.
//!
//! Invariant: requests under way finish on the proxy they started on; a move concerns the next pick only.

use std::collections::HashMap;

use super::routing::Rotating;
use super::{Pick, Pools};
use crate::clock::Millis;
use crate::events::{Event, EventType, Level};
use crate::ids::{KeyId, ProxyId};
use crate::proxies::assign::Placing;
use crate::proxies::pool::{ProxyStatus, Turn};
use crate::settings::{FailurePolicy, Settings};
use crate::vault::Assignment;

const DIRECT_TOLD_EVERY: Millis = 60_000;

/// A key that changed its proxy.
struct Moved {
    key: KeyId,
    to: Option<ProxyId>,
}

impl Pools {
    /// A proxy failed or recovered: keys move as the settings say.
    pub fn turned(&mut self, id: &ProxyId, turn: Turn, settings: &Settings, now: Millis) -> Vec<Event> {
        let (before, balance) = (self.assignments.entered(&self.keys), self.balance(now));
        self.settle_assignments(settings, now);
        let moved = self.moved_since(&before);
        let mut events = vec![self.proxy_event(id, turn, &moved, now)];
        events.extend(moved.iter().map(|one| self.moved_event(one, now)));
        events.extend(self.rebalanced_event(balance, now));
        match turn {
            Turn::Failed => events.extend(self.all_down_event(settings, now)),
            Turn::Recovered => self.direct_until_recovery = false,
        }
        events
    }

    /// Whether keys of failed proxies may go direct when no proxy works.
    pub(super) fn allows_direct(&self, settings: &Settings) -> bool {
        self.direct_until_recovery || settings.proxy.failure_policy == FailurePolicy::ReassignThenDirect
    }

    /// The user's word for this once: direct until a proxy is back. Answers whether no proxy works now; else nothing is
    /// allowed.
    pub fn allow_direct_until_recovery(&mut self) -> bool {
        let none_works = !self.proxies.is_empty() && !self.any_proxy_works();
        self.direct_until_recovery |= none_works;
        none_works
    }

    fn any_proxy_works(&self) -> bool {
        self.proxies.iter().any(|proxy| proxy.status() == ProxyStatus::Active)
    }

    fn all_down_event(&self, settings: &Settings, now: Millis) -> Option<Event> {
        let rotating = Rotating::of(self.rotating.as_ref(), settings, false);
        if self.any_proxy_works() || self.allows_direct(settings) || matches!(rotating, Rotating::Serves(_)) {
            return None;
        }
        let words = "No proxy works any more: requests of keys with a proxy end in an error until one is back. Nothing goes direct \
                     unless you allow it.";
        Some(Event::new(EventType::ProxiesDown, Level::Error, now, words))
    }

    /// A request has no other key left, and the proxy of this one failed it: the key moves on at once, or goes direct
    /// where that is allowed. Answers whether there is another way now, and what to tell.
    pub fn reroute(
        &mut self,
        pick: &Pick,
        failed: &[ProxyId],
        settings: &Settings,
        now: Millis,
    ) -> (bool, Vec<Event>) {
        let moves = settings.proxy.failure_policy != FailurePolicy::Fail;
        let of_pool = pick.proxy.as_ref().filter(|proxy| !proxy.rotating);
        let Some(proxy) = of_pool.filter(|_| moves || self.direct_until_recovery) else {
            return (false, Vec::new());
        };
        let on_it = self.assignments.get(&pick.key).and_then(|entry| entry.proxy_id.clone());
        if moves && on_it.as_ref() == Some(&proxy.id) {
            let around = Placing { keys: &self.keys, proxies: &self.proxies, settings: &settings.proxy, now };
            self.assignments.move_off(&pick.key, failed, &around, &mut self.rng);
        }
        let elsewhere = self.assignments.get(&pick.key).and_then(|entry| entry.proxy_id.clone());
        let moved = (elsewhere != on_it).then(|| Moved { key: pick.key.clone(), to: elsewhere.clone() });
        let another = elsewhere.is_some_and(|id| !failed.contains(&id));
        let works = |id: &ProxyId, status| status == ProxyStatus::Active && !failed.contains(id);
        let none_works = !self.proxies.iter().any(|proxy| works(&proxy.entered.id, proxy.status()));
        let direct = self.allows_direct(settings) && none_works;
        (another || direct, moved.iter().map(|one| self.moved_event(one, now)).collect())
    }

    /// What to tell of a pick that goes direct because no proxy works: each is in the log and counted, one a minute is
    /// told aloud.
    pub fn direct_event(&mut self, pick: &Pick, now: Millis) -> Option<Event> {
        let told = self.direct_told.is_some_and(|at| at <= now && now - at < DIRECT_TOLD_EVERY);
        if !pick.fallback || told {
            return None;
        }
        self.direct_told = Some(now);
        let words = format!(
            "No proxy works: key \"{}\" goes direct, as you allowed. Google sees this machine's own address until a proxy is \
             back.",
            pick.key_name
        );
        Some(Event::new(EventType::DirectUsed, Level::Warn, now, words).key(&pick.key))
    }

    fn moved_since(&mut self, before: &[Assignment]) -> Vec<Moved> {
        let after = self.assignments.entered(&self.keys);
        let old: HashMap<&KeyId, &Assignment> = before.iter().map(|entry| (&entry.key_id, entry)).collect();
        let changed = after.into_iter().filter(|new| {
            old.get(&new.key_id)
                .is_none_or(|old| (&old.proxy_id, old.is_manual) != (&new.proxy_id, new.is_manual))
        });
        changed.map(|entry| Moved { key: entry.key_id, to: entry.proxy_id }).collect()
    }

    fn moved_event(&self, moved: &Moved, now: Millis) -> Event {
        let (key, to) = (self.keys.name(&moved.key), self.proxy_name(moved.to.as_ref()));
        let words = format!("Key \"{key}\" is assigned to {to} automatically.");
        Event::new(EventType::AssignmentChanged, Level::Info, now, words).key(&moved.key)
    }

    /// One line for all of it: what failed, why, and where its keys are now.
    fn proxy_event(&self, id: &ProxyId, turn: Turn, moved: &[Moved], now: Millis) -> Event {
        let error =
            self.proxies.get(id).and_then(|proxy| proxy.health.last_error.clone()).unwrap_or_default();
        let (name, keys) = (self.proxy_name(Some(id)), keys_in_words(moved.len()));
        let event = match turn {
            Turn::Failed => {
                let waiting = self.assignments.count(id);
                let now_where = match (moved.is_empty(), waiting) {
                    (false, _) => format!(" {keys} moved to {}.", self.places(moved)),
                    (true, 0) => String::new(),
                    (true, count) => format!(" {} on it wait for it.", keys_in_words(count as usize)),
                };
                let words = format!("Proxy {name} is in error after repeated faults. {error}{now_where}");
                Event::new(EventType::ProxyError, Level::Warn, now, words)
            }
            Turn::Recovered if moved.is_empty() => {
                Event::new(EventType::ProxyRecovered, Level::Info, now, format!("Proxy {name} works again."))
            }
            Turn::Recovered => {
                let words = format!("Proxy {name} works again. {keys} moved to {}.", self.places(moved));
                Event::new(EventType::ProxyRecovered, Level::Info, now, words)
            }
        };
        event.proxy(id)
    }

    fn places(&self, moved: &[Moved]) -> String {
        let mut names: Vec<String> = moved.iter().map(|one| self.proxy_name(one.to.as_ref())).collect();
        names.sort();
        names.dedup();
        names.join(", ")
    }

    fn proxy_name(&self, id: Option<&ProxyId>) -> String {
        let Some(id) = id else { return "No Proxy".to_owned() };
        self.proxies.get(id).map_or_else(|| id.to_string(), |proxy| proxy.entered.name.clone())
    }
}

fn keys_in_words(count: usize) -> String {
    if count == 1 { "1 key".to_owned() } else { format!("{count} keys") }
}
