//! The rotating proxy among the pools: picks that take it, what their outcomes and its probes mean for it, and the words
//! for what changed. Its own rules are in `proxies/rotating`, the way of each key in `routing`.
//!
//! Invariant: a request that took the rotating proxy charges it and no proxy of the pool.

use std::net::IpAddr;

use smol_str::SmolStr;

use super::settle::Way;
use super::{Pick, PickedProxy, Pools};
use crate::clock::Millis;
use crate::dispatch::judge::{Blame, Outcome, Verdict};
use crate::events::{Event, EventType, Level};
use crate::proxies::exit::Exit;
use crate::proxies::fault::ProxyFault;
use crate::proxies::pool::ProxyServer;
use crate::proxies::rotating::{NAME, RotatingProxy, Turn};
use crate::settings::Settings;
use crate::vault::EnteredRotating;

impl PickedProxy {
    pub(super) fn of_pool(proxy: &ProxyServer) -> Self {
        let entered = &proxy.entered;
        let (id, name, url) = (entered.id.clone(), SmolStr::new(&entered.name), entered.url.clone());
        Self { id, name, url, rotating: false, exit: Exit::default() }
    }

    pub(super) fn rotating(proxy: &RotatingProxy) -> Self {
        let (id, name, url) = (NAME.into(), SmolStr::new_static(NAME), proxy.entered.url.clone());
        Self { id, name, url, rotating: true, exit: Exit::default() }
    }
}

impl Pick {
    /// The rotating proxy is what failed: another tunnel of it, or another way, may serve the same key.
    pub fn failed_by_rotating(&self, outcome: &Outcome) -> bool {
        matches!(outcome, Outcome::Proxy(_)) && self.proxy.as_ref().is_some_and(|proxy| proxy.rotating)
    }
}

impl Pools {
    pub(super) fn adopt_rotating(&mut self, entered: Option<EnteredRotating>) {
        match (&mut self.rotating, entered) {
            (Some(known), Some(new)) => known.replace_entered(new),
            (known, new) => *known = new.map(RotatingProxy::new),
        }
    }

    /// A pick leaves through it.
    pub(super) fn count_proxy(&mut self, proxy: Option<&PickedProxy>) {
        match (proxy, &mut self.rotating) {
            (Some(proxy), Some(rotating)) if proxy.rotating => rotating.learned.requests += 1,
            (Some(proxy), _) => {
                if let Some(server) = self.proxies.get_mut(&proxy.id) {
                    server.health.in_flight += 1;
                }
            }
            (None, _) => {}
        }
    }

    /// The rotating proxy, when the pick took it and it is still the same one.
    pub(super) fn rotating_of(&mut self, pick: &Pick) -> Option<&mut RotatingProxy> {
        let picked = pick.proxy.as_ref().filter(|proxy| proxy.rotating)?;
        self.rotating.as_mut().filter(|proxy| proxy.is(&picked.url))
    }

    /// The end of a request through it.
    pub(super) fn charge_rotating(
        &mut self,
        pick: &Pick,
        reached_upstream: bool,
        verdict: &Verdict,
        settings: &Settings,
        now: Millis,
    ) -> Option<Event> {
        let proxy = self.rotating_of(pick)?;
        let (words, retries) = (&verdict.reason, settings.rotating_proxy.max_retries);
        proxy.learned.failures += u64::from(matches!(verdict.blame, Blame::Proxy | Blame::ProxyOrUpstream));
        let turn = match verdict.blame {
            Blame::Proxy | Blame::ProxyOrUpstream if verdict.credentials_refused => proxy.refused(now, words),
            Blame::Proxy => proxy.failed(now, words, retries),
            Blame::ProxyOrUpstream => self.doubt_rotating(words, retries, now),
            _ => {
                if reached_upstream {
                    proxy.succeeded(pick.begun);
                }
                None
            }
        };
        turn.and_then(|turn| self.rotating_event(turn, now))
    }

    /// A failure behind it, as `doubt` is for a proxy of the pool.
    fn doubt_rotating(&mut self, words: &str, retries: u32, now: Millis) -> Option<Turn> {
        let before = self.rotating.as_mut()?.doubted(now, words);
        let counts = self.others_reached(Way::Rotating, before);
        let proxy = self.rotating.as_mut().filter(|_| counts)?;
        proxy.failed(now, words, retries)
    }

    /// A tunnel through it worked, for nobody's request; it left at `exit`, if the proxy told that.
    pub fn rotating_probed(&mut self, exit: Option<IpAddr>, now: Millis) -> Option<Event> {
        let proxy = self.rotating.as_mut()?;
        proxy.learned.exits.saw(exit);
        let turn = proxy.probed(now)?;
        self.rotating_event(turn, now)
    }

    /// A probe of it failed.
    pub fn rotating_faulty(&mut self, fault: &ProxyFault, settings: &Settings, now: Millis) -> Option<Event> {
        let proxy = self.rotating.as_mut()?;
        let (words, retries) = (fault.words(), settings.rotating_proxy.max_retries);
        let turn = match (fault.is_auth(), fault.may_be_upstream()) {
            (true, _) => proxy.refused(now, &words),
            (false, false) => proxy.failed(now, &words, retries),
            (false, true) => self.doubt_rotating(&words, retries, now),
        };
        self.rotating_event(turn?, now)
    }

    /// The user switched it on: whatever it was let alone for is over.
    pub fn forgive_rotating(&mut self, now: Millis) -> Option<Event> {
        let proxy = self.rotating.as_mut().filter(|proxy| proxy.entered.enabled)?;
        if proxy.forgive() { self.rotating_event(Turn::SwitchedOn, now) } else { None }
    }

    fn rotating_event(&self, turn: Turn, now: Millis) -> Option<Event> {
        let proxy = self.rotating.as_ref()?;
        let (url, error) =
            (proxy.entered.url.masked(), proxy.learned.last_error.as_deref().unwrap_or_default());
        let instead = match self.proxies.is_empty() {
            true => "no other proxy is there, and requests of keys that need one end in an error",
            false => "each key leaves through its own proxy",
        };
        let (level, words) = match turn {
            Turn::FellBack => (
                Level::Warn,
                format!(
                    "The rotating proxy {url} failed again and again. {error} Until it works again, {instead}."
                ),
            ),
            Turn::Refused => (
                Level::Warn,
                format!(
                    "The rotating proxy {url} is disabled until you change its URL or switch it on again. {error} \
                     Meanwhile {instead}."
                ),
            ),
            Turn::SwitchedOn => {
                (Level::Info, format!("The rotating proxy {url} is on again: every key leaves through it."))
            }
            Turn::Returned => {
                (Level::Info, format!("The rotating proxy {url} works again: every key leaves through it."))
            }
        };
        Some(Event::new(EventType::RotatingChanged, level, now, words))
    }
}
