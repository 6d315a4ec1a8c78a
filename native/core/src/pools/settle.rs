//! The end of an attempt: the key and its proxy are free again, and whoever the verdict blames is charged. Also the
//! words for what changed. Who is to blame is the judge's decision, taken before.

use super::{Pick, Pools};
use crate::clock::Millis;
use crate::dispatch::judge::{Blame, Rest, RestLength, Verdict};
use crate::events::{Event, EventType, Level};
use crate::ids::ProxyId;
use crate::keys::pacific::next_midnight;
use crate::keys::quota::Resting;
use crate::proxies::pool::Turn;
use crate::settings::Settings;

/// How long a way to the upstream that worked counts as working still, in milliseconds: a round of health checks.
const MEANWHILE: Millis = 60_000;

impl Pools {
    /// Ends an attempt: no longer in flight, and whoever is blamed is charged.
    /// `reached_upstream` is the proof that the proxy did its part.
    pub fn settle(
        &mut self,
        pick: &Pick,
        reached_upstream: bool,
        verdict: &Verdict,
        settings: &Settings,
        now: Millis,
    ) -> Vec<Event> {
        let mut events = Vec::new();
        self.release(pick);
        match &pick.proxy {
            Some(proxy) => {
                let limit = settings.proxy.max_errors_before_disable;
                let turn = match verdict.blame {
                    Blame::Proxy => self.proxies.failed(&proxy.id, now, &verdict.reason, limit),
                    Blame::ProxyOrUpstream => self.doubt(&proxy.id, &verdict.reason, limit, now),
                    _ if reached_upstream => self.proxies.succeeded(&proxy.id, now, None),
                    _ => None,
                };
                events.extend(turn.map(|turn| self.proxy_event(&proxy.id, turn, now)));
            }
            None if reached_upstream => self.direct_reached = Some(now),
            None => {}
        }
        events.extend(self.charge_key(pick, verdict, now));
        events
    }

    /// A failure behind a proxy that answered.
    ///
    /// Invariant: it counts only while others reach the upstream; when the upstream itself is down, every proxy stays
    /// active and no key moves.
    pub fn doubt(&mut self, id: &ProxyId, words: &str, limit: u32, now: Millis) -> Option<Turn> {
        let since = now.saturating_sub(MEANWHILE);
        let others =
            self.proxies.another_reached(id, since) || self.direct_reached.is_some_and(|at| at >= since);
        if others {
            return self.proxies.failed(id, now, words, limit);
        }
        self.proxies.noted(id, now, words);
        None
    }

    /// The words for a proxy that failed or recovered, from probes and requests alike.
    pub fn proxy_event(&self, id: &ProxyId, turn: Turn, now: Millis) -> Event {
        let (name, error) = match self.proxies.get(id) {
            Some(proxy) => (proxy.entered.name.as_str(), proxy.health.last_error.clone().unwrap_or_default()),
            None => (id.as_str(), String::new()),
        };
        let event = match turn {
            Turn::Failed => Event::new(
                EventType::ProxyError,
                Level::Warn,
                now,
                format!("Proxy {name} is in error after repeated faults. {error}"),
            ),
            Turn::Recovered => {
                Event::new(EventType::ProxyRecovered, Level::Info, now, format!("Proxy {name} works again."))
            }
        };
        event.proxy(id)
    }

    pub fn release(&mut self, pick: &Pick) {
        if let Some(key) = self.keys.get_mut(&pick.key) {
            key.learned.in_flight = key.learned.in_flight.saturating_sub(1);
        }
        if let Some(proxy) = pick.proxy.as_ref().and_then(|proxy| self.proxies.get_mut(&proxy.id)) {
            proxy.health.in_flight = proxy.health.in_flight.saturating_sub(1);
        }
    }

    fn charge_key(&mut self, pick: &Pick, verdict: &Verdict, now: Millis) -> Option<Event> {
        let key = self.keys.get_mut(&pick.key)?;
        // The user may have replaced the key's text while the request was under way: the verdict is not about it.
        if key.entered.secret != pick.secret {
            return None;
        }
        let name = &key.entered.name;
        match verdict.blame {
            Blame::Key => {
                key.learned.failures += 1;
                let newly = key.learned.disabled_because.replace(verdict.reason.clone()).is_none();
                let words =
                    format!("Key \"{name}\" was refused by Google and is disabled: {}", verdict.reason);
                newly.then(|| Event::new(EventType::KeyDisabled, Level::Error, now, words).key(&pick.key))
            }
            Blame::Quota => {
                key.learned.failures += 1;
                if verdict.project.is_some() {
                    key.learned.project.clone_from(&verdict.project);
                }
                let (own, project) = (key.cooldown_millis(), key.quota_project().into_owned());
                let name = name.clone();
                let longest =
                    verdict.rests.iter().map(|rest| self.rest(pick, &project, rest, own, now)).max()?;
                let wait = longest.saturating_sub(now).div_ceil(1_000);
                let asked = pick.model.as_ref().map(|model| format!(" for {model}")).unwrap_or_default();
                let words = format!("Key \"{name}\" rests{asked} for {wait} s: {}", verdict.reason);
                Some(Event::new(EventType::KeyCooling, Level::Warn, now, words).key(&pick.key))
            }
            _ => None,
        }
    }

    /// Puts one quota to rest and answers until when.
    fn rest(&mut self, pick: &Pick, project: &str, rest: &Rest, own_cooldown: Millis, now: Millis) -> Millis {
        let (until, what) = match rest.length {
            RestLength::Named(delay) => {
                (now.saturating_add(delay.as_millis().try_into().unwrap_or(own_cooldown)), "Quota used up")
            }
            RestLength::Unnamed => (now.saturating_add(own_cooldown), "Quota used up"),
            RestLength::UntilDailyReset => (next_midnight(now), "Daily quota used up"),
            RestLength::NoQuota => (next_midnight(now), "No quota for this model"),
        };
        let asked = pick.model.as_ref().map(|model| format!(" for {model}")).unwrap_or_default();
        let named = if rest.quota.is_empty() { String::new() } else { format!(" ({})", rest.quota) };
        let resting = Resting {
            model: pick.model.clone(),
            quota: rest.quota.clone(),
            until,
            reason: format!("{what}{asked}{named}"),
        };
        self.quotas.rest(project, resting, now);
        until
    }
}
