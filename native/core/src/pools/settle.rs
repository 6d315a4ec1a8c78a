//! The end of an attempt: the key and its proxy are free again, and whoever the verdict blames is charged: a proxy
//! here, a key in `charge`. Who is to blame is the judge's decision, taken before.

use super::{Pick, Pools};
use crate::clock::Millis;
use crate::dispatch::judge::{Blame, Verdict};
use crate::events::Event;
use crate::figures::Of;
use crate::ids::ProxyId;
use crate::proxies::pool::Turn;
use crate::settings::Settings;

/// A way to the upstream by which something failed.
#[derive(Clone, Copy)]
pub(super) enum Way<'a> {
    OfPool(&'a ProxyId),
    Rotating,
}

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
        self.count_out(pick, verdict.blame, now);
        self.charge(pick, reached_upstream, verdict, settings, now)
    }

    /// Charges whoever is blamed; the attempt is in flight still.
    pub fn charge(
        &mut self,
        pick: &Pick,
        reached_upstream: bool,
        verdict: &Verdict,
        settings: &Settings,
        now: Millis,
    ) -> Vec<Event> {
        let mut events = Vec::new();
        self.observe(now);
        match &pick.proxy {
            Some(proxy) if proxy.rotating => {
                events.extend(self.charge_rotating(pick, reached_upstream, verdict, settings, now));
            }
            Some(proxy) => {
                let limit = settings.proxy.max_errors_before_disable;
                let turn = match verdict.blame {
                    Blame::Proxy => self.proxies.failed(&proxy.id, now, &verdict.reason, limit),
                    Blame::ProxyOrUpstream => self.doubt(&proxy.id, &verdict.reason, limit, now),
                    _ if reached_upstream => self.proxies.served(&proxy.id, pick.begun, now),
                    _ => None,
                };
                if let Some(turn) = turn {
                    events.extend(self.turned(&proxy.id, turn, settings, now));
                }
            }
            None if reached_upstream => self.direct_reached = self.direct_reached.max(Some(pick.begun)),
            None => {}
        }
        events.extend(self.charge_key(pick, verdict, settings, now));
        events
    }

    /// A failure behind a proxy that answered.
    pub fn doubt(&mut self, id: &ProxyId, words: &str, limit: u32, now: Millis) -> Option<Turn> {
        let before = self.proxies.doubted(id, now, words);
        let counts = self.others_reached(Way::OfPool(id), before);
        if counts { self.proxies.failed(id, now, words, limit) } else { None }
    }

    /// Whether a failure behind `way`, which may be the upstream's, is its own. `before` is its last such failure.
    ///
    /// Invariant: it counts only when others reached the upstream after this way's failure before it; when the
    /// upstream itself is down, every proxy stays active, the rotating one serves and no key moves. Successes from
    /// before prove nothing: all ways have some when the upstream stops. Where there is no other way, nothing counts.
    pub(super) fn others_reached(&self, way: Way<'_>, before: Option<Millis>) -> bool {
        let Some(before) = before else { return false };
        let (id, rotating) = match way {
            Way::OfPool(id) => (Some(id), self.rotating.as_ref()),
            Way::Rotating => (None, None),
        };
        let rotating = rotating.and_then(|proxy| proxy.learned.last_success);
        self.proxies.another_reached(id, before)
            || [self.direct_reached, rotating].into_iter().flatten().any(|at| at > before)
    }

    /// Ends an attempt that told nothing: nobody is charged.
    pub fn release(&mut self, pick: &Pick, now: Millis) {
        let blame = if pick.answered_after.is_some() { Blame::Nobody } else { Blame::Caller };
        self.count_out(pick, blame, now);
        if let Some(key) = self.key_of(pick).filter(|_| pick.trial) {
            key.learned.breaker.inconclusive(now);
        }
    }

    fn count_out(&mut self, pick: &Pick, blame: Blame, now: Millis) {
        if let Some(key) = self.keys.get_mut(&pick.key) {
            key.learned.in_flight = key.learned.in_flight.saturating_sub(1);
        }
        self.tallies.attempts.count(blame);
        if let Some(key) = self.key_of(pick) {
            key.figures.ended(Of::Key, blame, pick.answered_after, now);
        }
        if let Some(rotating) = self.rotating_of(pick).filter(|_| pick.answered_after.is_some()) {
            rotating.learned.exits.saw(pick.proxy.as_ref().and_then(|proxy| proxy.exit.told()));
        }
        if let Some(figures) = self.figures_of_way(pick) {
            figures.ended(Of::Way, blame, pick.answered_after, now);
        }
        let of_pool = pick.proxy.as_ref().filter(|proxy| !proxy.rotating);
        if let Some(proxy) = of_pool.and_then(|proxy| self.proxies.get_mut(&proxy.id)) {
            proxy.health.in_flight = proxy.health.in_flight.saturating_sub(1);
        }
    }
}
