//! Pools: keys, proxies and assignments together, as plain data and pure functions. Picking a key for a request
//! and counting it is one step here, and so is charging the outcome to whoever is to blame (`settle`). No I/O, no clock.
//!
//! Invariant: whoever locks the pools never awaits while holding them (see `State`).

mod charge;
pub mod figures;
pub mod learned;
mod moves;
mod rotating;
mod routing;
mod settle;

use std::sync::Arc;
use std::time::Duration;

use smol_str::SmolStr;

use crate::clock::Millis;
use crate::figures::Figures;
use crate::figures::meter::Meters;
use crate::figures::tallies::Tallies;
use crate::ids::{KeyId, ProxyId};
use crate::keys::circuit::Circuit;
use crate::keys::quota::Quotas;
use crate::keys::recent::Recent;
use crate::keys::{ApiKey, ApiKeyManager, Out, Rank, own_project};
use crate::proxies::assign::{Placing, ProxyAssignmentManager};
use crate::proxies::exit::Exit;
use crate::proxies::pool::ProxyPoolManager;
use crate::proxies::rotating::RotatingProxy;
use crate::proxies::url::ProxyUrl;
use crate::secret::Secret;
use crate::settings::{ProxySettings, Settings};
use crate::vault::Entered;
use routing::{Rotating, Route, Routing};

/// Times are read before the lock is taken, so they may come a little out of order, in milliseconds.
const CLOCK_SLACK: Millis = 2_000;

#[derive(Clone, Debug, Default)]
pub struct Pools {
    pub keys: ApiKeyManager,
    pub proxies: ProxyPoolManager,
    pub assignments: ProxyAssignmentManager,
    pub rotating: Option<RotatingProxy>,
    pub quotas: Quotas,
    recent: Recent,
    /// Of connections without a proxy, whosever they are.
    pub direct: Figures,
    /// Of all attempts, whosever they were.
    pub tallies: Tallies,
    /// When a direct request last reached the upstream.
    direct_reached: Option<Millis>,
    /// When a direct request of a key with a proxy was last told of.
    direct_told: Option<Millis>,
    /// The user allowed direct connections until a proxy is back.
    direct_until_recovery: bool,
    /// The latest time seen, by which a clock that was set back is noticed.
    latest: Millis,
    /// Grows when something worth keeping was learned.
    revision: u64,
    pub rng: fastrand::Rng,
}

/// The proxy an attempt leaves through.
#[derive(Clone, Debug)]
pub struct PickedProxy {
    pub id: ProxyId,
    pub name: SmolStr,
    pub url: Arc<ProxyUrl>,
    /// It is the rotating proxy, none of the pool: every request opens a tunnel of its own.
    pub rotating: bool,
    /// Where its tunnel leaves the proxy, once that told it.
    pub exit: Exit,
}

/// One key with its egress, counted as in flight until settled.
#[derive(Clone, Debug)]
pub struct Pick {
    pub key: KeyId,
    pub key_name: SmolStr,
    pub secret: Secret,
    /// `None` is a direct connection.
    pub proxy: Option<PickedProxy>,
    /// The model asked for: quotas are held per model.
    pub model: Option<SmolStr>,
    pub begun: Millis,
    /// This request tries a key whose circuit is half-open.
    pub trial: bool,
    /// It goes direct although the key has a proxy, because none works and the user allowed it.
    pub fallback: bool,
    /// When the answer began, counted from the attempt's beginning.
    pub answered_after: Option<Duration>,
    /// What its connections count on.
    pub meters: Meters,
}

/// What a request asks of the choice.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// The client's request: what happens on its way is told with it.
    pub request: Option<SmolStr>,
    /// Key id or name that must serve.
    pub pinned: Option<String>,
    /// The model asked for, where the path names one.
    pub model: Option<SmolStr>,
    /// Keys that already tried this request.
    pub tried: Vec<KeyId>,
    /// Their projects, as far as they are known: keys of others are preferred.
    pub tried_projects: Vec<String>,
    /// Proxies that already failed it: their other keys serve only when no other proxy's can.
    pub failed_proxies: Vec<ProxyId>,
    /// Those behind which it failed, where the upstream may be the cause: no reason to go direct.
    pub doubted_proxies: Vec<ProxyId>,
    /// The key that asked last, unless that counts against it.
    pub again: Option<KeyId>,
    /// The rotating proxy failed it for good: keys go their individual ways.
    pub without_rotating: bool,
    /// The key that it had better go out with.
    pub preferred: Option<KeyId>,
    /// It cannot be sent a second time, so it had better not try a key that may fail.
    pub careful: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoKey {
    /// Nobody has entered a key.
    NoneAtAll,
    UnknownPin(String),
    /// Every key is out; each with its reason.
    AllOut(Vec<KeyOut>),
    /// Keys are there that could serve, but all of them have tried.
    AllTried,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyOut {
    pub name: String,
    pub why: Why,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    Out(Out),
    /// Its proxy is disabled; direct is not a fallback.
    ProxyDisabled(String),
    /// Proxies exist, none is enabled, and the key was not allowed to go direct.
    NoProxyEnabled,
    /// The rotating proxy does not serve, for this reason, and the key has no proxy of its own.
    NoRotating(String),
}

impl Pools {
    pub fn new(rng: fastrand::Rng) -> Self {
        Self { rng, ..Self::default() }
    }

    pub fn entered(&self) -> Entered {
        Entered {
            keys: self.keys.entered(),
            proxies: self.proxies.entered(),
            assignments: self.assignments.entered(&self.keys),
            rotating: self.rotating.as_ref().map(|proxy| proxy.entered.clone()),
        }
    }

    /// Takes over what the user entered and keeps what was learned of the entries that stay.
    pub fn adopt(&mut self, entered: Entered) {
        self.keys.adopt(entered.keys);
        self.proxies.adopt(entered.proxies);
        self.assignments.adopt(entered.assignments);
        self.adopt_rotating(entered.rotating);
    }

    /// Why this key cannot serve a request for `model` now; `None` when it can, its proxy aside.
    /// Times are compared here, at the pick, so no rest needs a timer.
    pub fn out(&self, key: &ApiKey, model: Option<&str>, now: Millis) -> Option<Out> {
        let holding = || self.quotas.holding(&key.quota_project(), model, now).cloned();
        key.out(now).or_else(|| holding().map(Out::Cooling))
    }

    /// The user enables a key: what was learned against it, and against its project, is forgotten.
    pub fn forgive(&mut self, id: &KeyId) {
        if let Some(key) = self.keys.get_mut(id) {
            key.learned.forgive();
            self.quotas.forget(&key.quota_project());
            self.revision += 1;
        }
    }

    /// Takes an edited copy over: what was entered comes from `next`, what was learned meanwhile stays. `renewed` are
    /// keys that are gone or have another text: rests of their own go with the old one.
    pub fn take_over(&mut self, next: Self, renewed: &[KeyId]) {
        renewed.iter().for_each(|id| self.quotas.forget(&own_project(id)));
        self.keys.adopt(next.keys.entered());
        self.proxies.adopt(next.proxies.entered());
        self.assignments = next.assignments;
        self.adopt_rotating(next.rotating.map(|proxy| proxy.entered));
        self.revision += 1;
    }

    /// Makes assignments fit after any change to keys or proxies.
    pub fn settle_assignments(&mut self, settings: &Settings, now: Millis) {
        let around = Placing { keys: &self.keys, proxies: &self.proxies, settings: &settings.proxy, now };
        self.assignments.settle(&around, &mut self.rng);
    }

    /// Evens automatic keys out, whatever the threshold; answers how many moved.
    pub fn rebalance(&mut self, settings: &Settings, now: Millis) -> usize {
        let even = ProxySettings { rebalance_threshold: 0, ..settings.proxy.clone() };
        let around = Placing { keys: &self.keys, proxies: &self.proxies, settings: &even, now };
        self.assignments.rebalance(&around)
    }

    /// Picks a key for one attempt and counts it, in one step.
    pub fn lease(&mut self, wish: &Wish, settings: &Settings, now: Millis) -> Result<Pick, NoKey> {
        if self.keys.is_empty() {
            return Err(NoKey::NoneAtAll);
        }
        let pinned = self.pinned(wish)?;
        let wanted = |key: &ApiKey| pinned.as_ref().is_none_or(|id| *id == key.entered.id);
        self.observe(now);
        let (auto, allowed) = (settings.proxy.auto_assignment, self.allows_direct(settings));
        let rotating = Rotating::of(self.rotating.as_ref(), settings, wish.without_rotating);
        let routing =
            Routing::new(&self.proxies, &self.assignments, rotating, auto, allowed, &wish.failed_proxies);
        let quotas = &self.quotas;
        let chosen = self.keys.select(settings.key_selection, &mut self.rng, |key| {
            let model = wish.model.as_deref();
            let may_serve = wanted(key) && !wish.tried.contains(&key.entered.id) && key.admits(now);
            if !may_serve || quotas.hold(key, model, now) {
                return None;
            }
            let faulty_proxy = match routing.of(&key.entered.id) {
                Route::Direct | Route::Fallback | Route::Rotating(_) => false,
                Route::Through(proxy) => {
                    routing.is_faulty(proxy) || wish.doubted_proxies.contains(&proxy.entered.id)
                }
                Route::Closed(_) => return None,
            };
            let lacks_model = key.lacks(model, now);
            // Such a key is asked by a request that has nobody else, so that a model new to it is found; never as well.
            if lacks_model && !wish.tried.is_empty() {
                return None;
            }
            Some(Rank {
                lacks_model,
                faulty_proxy,
                risky: wish.careful && key.learned.breaker.circuit(now) != Circuit::Closed,
                not_last: wish.again.as_ref().is_some_and(|last| *last != key.entered.id),
                elsewhere: wish.preferred.as_ref().is_some_and(|preferred| *preferred != key.entered.id),
                same_project: key
                    .known_project()
                    .is_some_and(|project| wish.tried_projects.contains(project)),
            })
        });
        match chosen {
            Some(id) => Ok(self.count(&id, wish, settings, now)),
            None => {
                let out = self.reasons(wanted, wish.model.as_deref(), settings, now);
                let all = self.keys.iter().filter(|key| wanted(key)).count();
                Err(if out.len() < all { NoKey::AllTried } else { NoKey::AllOut(out) })
            }
        }
    }

    fn routing<'a>(&'a self, wish: &'a Wish, settings: &Settings) -> Routing<'a> {
        let (auto, allowed) = (settings.proxy.auto_assignment, self.allows_direct(settings));
        let rotating = Rotating::of(self.rotating.as_ref(), settings, wish.without_rotating);
        Routing::new(&self.proxies, &self.assignments, rotating, auto, allowed, &wish.failed_proxies)
    }

    /// The key that must serve, if one must.
    fn pinned(&self, wish: &Wish) -> Result<Option<KeyId>, NoKey> {
        let Some(text) = &wish.pinned else { return Ok(None) };
        let key = self.keys.find(text).ok_or_else(|| NoKey::UnknownPin(text.clone()))?;
        Ok(Some(key.entered.id.clone()))
    }

    /// When a key returns for which a request that found none may wait: the earliest, and `None` when no rest ends
    /// it: keys are disabled, have no way out, or could serve and failed otherwise.
    pub fn earliest_return(&self, wish: &Wish, settings: &Settings, now: Millis) -> Option<Millis> {
        let pinned = self.pinned(wish).ok()?;
        let wanted = |key: &ApiKey| pinned.as_ref().is_none_or(|id| *id == key.entered.id);
        let out = self.reasons(wanted, wish.model.as_deref(), settings, now);
        let could_serve = self.keys.iter().filter(|key| wanted(key)).count() > out.len();
        let returns = out.iter().filter_map(|key| match &key.why {
            Why::Out(Out::Cooling(resting)) => Some(resting.until),
            _ => None,
        });
        returns.min().filter(|_| !could_serve)
    }

    /// Notices a clock that was set back, and moves what was learned along with it: a rest of a minute must not become
    /// one of days. A clock set forward ends rests early, which costs one refused request each.
    pub(crate) fn observe(&mut self, now: Millis) {
        let back = self.latest.saturating_sub(now);
        if back > CLOCK_SLACK {
            self.quotas.shift_back(back, now);
            self.proxies.shift_back(back);
            self.rotating.iter_mut().for_each(|proxy| proxy.shift_back(back));
            self.recent.clear();
            self.direct_reached = self.direct_reached.map(|at| at.saturating_sub(back));
            self.keys.iter_mut().for_each(|key| {
                key.learned.shift_back(back);
                key.figures.minutes.shift_back(back);
            });
            self.direct.minutes.shift_back(back);
            self.assignments.moves.minutes.shift_back(back);
        }
        if back > CLOCK_SLACK || now > self.latest {
            self.latest = now;
        }
    }

    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Picks this very key, available or not, to test it.
    pub fn lease_for_test(&mut self, id: &KeyId, settings: &Settings, now: Millis) -> Result<Pick, NoKey> {
        let Some(key) = self.keys.get(id) else { return Err(NoKey::UnknownPin(id.to_string())) };
        match self.routing(&Wish::default(), settings).of(id) {
            Route::Closed(why) => Err(NoKey::AllOut(vec![KeyOut { name: key.entered.name.clone(), why }])),
            Route::Direct | Route::Fallback | Route::Through(_) | Route::Rotating(_) => {
                Ok(self.count(id, &Wish::default(), settings, now))
            }
        }
    }

    fn count(&mut self, id: &KeyId, wish: &Wish, settings: &Settings, now: Millis) -> Pick {
        let (proxy, fallback) = match self.routing(wish, settings).of(id) {
            Route::Through(proxy) => (Some(PickedProxy::of_pool(proxy)), false),
            Route::Rotating(proxy) => (Some(PickedProxy::rotating(proxy)), false),
            Route::Fallback => (None, true),
            Route::Direct | Route::Closed(_) => (None, false),
        };
        self.count_proxy(proxy.as_ref());
        let meters = self.meters(id, proxy.as_ref());
        let (mut key_name, mut secret, mut trial) = (SmolStr::default(), None, false);
        if let Some(key) = self.keys.get_mut(id) {
            trial = key.learned.breaker.begin(now);
            key.learned.in_flight += 1;
            key.learned.requests += 1;
            key.learned.fallbacks += u64::from(fallback);
            key.learned.last_used = Some(now);
            key_name = SmolStr::new(&key.entered.name);
            secret = Some(key.entered.secret.clone());
        }
        Pick {
            key: id.clone(),
            key_name,
            secret: secret.unwrap_or_else(|| Secret::new("")),
            proxy,
            model: wish.model.clone(),
            begun: now,
            trial,
            fallback,
            answered_after: None,
            meters,
        }
    }

    fn reasons(
        &self,
        wanted: impl Fn(&ApiKey) -> bool,
        model: Option<&str>,
        settings: &Settings,
        now: Millis,
    ) -> Vec<KeyOut> {
        let wish = Wish::default();
        let routing = self.routing(&wish, settings);
        let key_out = |key: &ApiKey| {
            let why = match self.out(key, model, now) {
                Some(out) => Why::Out(out),
                None => match routing.of(&key.entered.id) {
                    Route::Closed(why) => why,
                    Route::Direct | Route::Fallback | Route::Through(_) | Route::Rotating(_) => return None,
                },
            };
            Some(KeyOut { name: key.entered.name.clone(), why })
        };
        self.keys.iter().filter(|key| wanted(key)).filter_map(key_out).collect()
    }
}

#[cfg(test)]
mod tests;
