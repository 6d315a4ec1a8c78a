//! The decisions of the attempt loop: who may serve next, whether a failed request goes round once more and after what
//! pause, how long it may wait for a key. Pure: the dispatcher does the attempts and the waiting, a simulation can too.
//!
//! Invariant: a call that creates something is repeated only when it was provably not processed.
//! Invariant: attempts and the time in which they may begin are bounded.

use smol_str::SmolStr;

use super::judge::{Blame, Outcome, Verdict};
use crate::clock::Millis;
use crate::ids::KeyId;
use crate::keys::circuit::jittered;
use crate::pools::{NoKey, Pick, Wish};
use crate::settings::Settings;

/// First pause after an upstream that failed, in milliseconds; it doubles with each.
const FIRST_PAUSE: Millis = 250;
/// Longest pause, our own or one the upstream asks for: whoever is told to wait longer is told so.
const LONGEST_PAUSE: Millis = 8_000;
/// No attempt begins later than this many request time-outs after the first: the second may just have run into one.
const TIMEOUTS: Millis = 2;

/// What the search has to know of a request.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The request's id.
    pub request: Option<SmolStr>,
    /// Key id or name that must serve.
    pub pinned: Option<String>,
    /// The key that the conversation was held with: it is taken when it can serve.
    pub preferred: Option<KeyId>,
    pub model: Option<SmolStr>,
    /// It leaves something behind.
    pub creates: bool,
}

/// The search for a key that serves one request, from attempt to attempt.
#[derive(Clone, Debug)]
pub struct Search {
    wish: Wish,
    creates: bool,
    attempts: u32,
    most: u32,
    /// How often a request that the rotating proxy failed may try it again.
    most_retries: u32,
    /// How often the rotating proxy failed it; such attempts use up neither a key nor the attempts allowed.
    rotating_faults: u32,
    /// No attempt begins after this.
    ends: Millis,
    /// The latest return of a key that is worth waiting for.
    waiting_ends: Millis,
    pauses: u32,
    asked_again: bool,
    last: Option<Last>,
}

#[derive(Clone, Copy, Debug)]
struct Last {
    blame: Blame,
    broke_off: bool,
    /// The upstream answered that it fails: the same key may ask again.
    upstream_failed: bool,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Look for a key, not before that time.
    Again(Millis),
    GiveUp,
}

impl Search {
    pub fn new(asked: Asked, settings: &Settings, now: Millis) -> Self {
        let timeout = settings.upstream.request_timeout_seconds.saturating_mul(1_000);
        let waiting = settings.max_wait_seconds.saturating_mul(1_000);
        Self {
            wish: Wish {
                request: asked.request,
                pinned: asked.pinned,
                preferred: asked.preferred,
                model: asked.model,
                careful: asked.creates,
                ..Wish::default()
            },
            creates: asked.creates,
            attempts: 0,
            most: settings.max_attempts,
            most_retries: settings.rotating_proxy.max_retries,
            rotating_faults: 0,
            ends: now.saturating_add(timeout.saturating_mul(TIMEOUTS)).saturating_add(waiting),
            waiting_ends: now.saturating_add(waiting),
            pauses: 0,
            asked_again: false,
            last: None,
        }
    }

    pub fn wish(&self) -> &Wish {
        &self.wish
    }

    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// An attempt failed. `project` is its key's, as far as it is known.
    pub fn failed(
        &mut self,
        attempt: Attempted<'_>,
        project: Option<&String>,
        now: Millis,
        rng: &mut fastrand::Rng,
    ) -> Next {
        let Attempted { pick, outcome, verdict, repeatable } = attempt;
        self.attempts += 1;
        self.last = Some(Last {
            blame: verdict.blame,
            broke_off: matches!(outcome, Outcome::Interrupted(_)),
            upstream_failed: matches!(outcome, Outcome::Answered { status: 500.., .. }),
        });
        if self.goes_to_its_owner(pick, verdict, repeatable) {
            return Next::Again(now);
        }
        let rotating_failed = pick.failed_by_rotating(outcome);
        self.rotating_faults += u32::from(rotating_failed);
        let again = verdict.retry
            && self.attempts - self.rotating_faults < self.most
            && repeatable
            && (!self.creates || provably_unprocessed(outcome));
        if !again {
            return Next::GiveUp;
        }
        if rotating_failed {
            return self.after_rotating(pick, verdict, now, rng);
        }
        self.wish.again = None;
        self.wish.tried.push(pick.key.clone());
        match (verdict.blame, &pick.proxy) {
            (Blame::Proxy, Some(proxy)) => self.wish.failed_proxies.push(proxy.id.clone()),
            (Blame::ProxyOrUpstream, Some(proxy)) => self.wish.doubted_proxies.push(proxy.id.clone()),
            _ => self.wish.tried_projects.extend(project.cloned()),
        }
        let Some(pause) = self.pause(outcome, verdict, rng) else { return Next::GiveUp };
        let begins = now.saturating_add(pause);
        if begins > self.ends { Next::GiveUp } else { Next::Again(begins) }
    }

    /// Google refused a thought signature, and the key that the conversation was held with has not been asked: it may,
    /// once.
    fn goes_to_its_owner(&mut self, pick: &Pick, verdict: &Verdict, repeatable: bool) -> bool {
        if !verdict.signature_refused || !repeatable || self.attempts >= self.most {
            return false;
        }
        let Some(owner) = self.wish.preferred.take().filter(|owner| *owner != pick.key) else { return false };
        // It may have tried before, and failed for another reason.
        self.wish.tried.retain(|key| *key != owner);
        self.wish.pinned = Some(owner.to_string());
        true
    }

    /// The rotating proxy failed the request: its key tries again by a new tunnel, each time after a longer pause, and
    /// goes its individual way when that was enough.
    fn after_rotating(
        &mut self,
        pick: &Pick,
        verdict: &Verdict,
        now: Millis,
        rng: &mut fastrand::Rng,
    ) -> Next {
        self.wish.again = Some(pick.key.clone());
        if verdict.credentials_refused || self.rotating_faults > self.most_retries {
            self.wish.without_rotating = true;
            return Next::Again(now);
        }
        let doubled = FIRST_PAUSE.saturating_mul(1 << (self.rotating_faults - 1).min(10));
        let begins = now.saturating_add(jittered(doubled.min(LONGEST_PAUSE), rng));
        if begins > self.ends { Next::GiveUp } else { Next::Again(begins) }
    }

    /// No key could be had. `returns` is when the earliest is back, of those it may wait for.
    pub fn without_key(&mut self, no_key: &NoKey, returns: Option<Millis>, now: Millis) -> Next {
        let next = match returns.filter(|until| *until <= self.waiting_ends && now < self.waiting_ends) {
            _ if self.asks_once_more(no_key) => Next::Again(now),
            Some(until) => Next::Again(until),
            None => Next::GiveUp,
        };
        if next != Next::GiveUp {
            self.wish.tried.clear();
            self.wish.tried_projects.clear();
            self.wish.failed_proxies.clear();
            self.wish.doubted_proxies.clear();
        }
        next
    }

    /// Whether the proxy of the last key is what failed: with another way out that key may serve.
    pub fn wants_another_route(&self) -> bool {
        self.last.is_some_and(|last| last.blame == Blame::Proxy)
    }

    /// That key has another way out now.
    pub fn rerouted(&mut self, key: &KeyId) {
        self.wish.tried.retain(|tried| tried != key);
    }

    /// Whether the quotas of several keys are the reason that nobody serves: their own words say more than the last
    /// refusal of Google's.
    pub fn quotas_are_the_reason(&self) -> bool {
        self.attempts > 1 && self.last.is_some_and(|last| last.blame == Blame::Quota)
    }

    /// With nobody else left the same keys may ask again: of an upstream that answers that it fails, and once when the
    /// connection ended before an answer, which is often an idle one that the other side was just closing.
    fn asks_once_more(&mut self, no_key: &NoKey) -> bool {
        let Some(last) = self.last.filter(|_| *no_key == NoKey::AllTried) else { return false };
        let once = last.broke_off && !self.asked_again;
        self.asked_again |= once;
        once || last.upstream_failed
    }

    /// How long to wait before the next attempt; `None` when that is too long. Another key may ask at once, unless it
    /// is the upstream that fails: then it is spared.
    fn pause(&mut self, outcome: &Outcome, verdict: &Verdict, rng: &mut fastrand::Rng) -> Option<Millis> {
        if !matches!(outcome, Outcome::Answered { status: 500.., .. } | Outcome::Unreachable(_)) {
            return Some(0);
        }
        let own = FIRST_PAUSE.saturating_mul(1 << self.pauses.min(10)).min(LONGEST_PAUSE);
        self.pauses += 1;
        let asked =
            verdict.pause.map_or(0, |pause| Millis::try_from(pause.as_millis()).unwrap_or(Millis::MAX));
        let longest = jittered(own, rng).max(asked);
        (asked <= LONGEST_PAUSE).then_some(longest)
    }
}

/// A failed attempt, as the search sees it.
#[derive(Clone, Copy, Debug)]
pub struct Attempted<'a> {
    pub pick: &'a Pick,
    pub outcome: &'a Outcome,
    pub verdict: &'a Verdict,
    /// The request's body is still there to be sent again.
    pub repeatable: bool,
}

/// No byte was sent, or the upstream refused the request by its status. A 5xx proves nothing.
fn provably_unprocessed(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Proxy(_) | Outcome::Unreachable(_) => true,
        Outcome::Answered { status, .. } => (400..500).contains(status),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
