//! What must hold at every step of a simulated world, checked against the truth and not against the judge. Each check
//! takes what was before and what is after; it changes nothing.

use std::collections::HashMap;

use aggregator_core::clock::Millis;
use aggregator_core::ids::{KeyId, ProxyId};
use aggregator_core::keys::circuit::Circuit;
use aggregator_core::pools::{Pick, Pools};
use aggregator_core::settings::Settings;

use crate::truth::Cause;

/// What is under way by the simulation's own count.
#[derive(Default)]
pub struct UnderWay {
    keys: HashMap<KeyId, u32>,
    proxies: HashMap<ProxyId, u32>,
    trials: HashMap<KeyId, u32>,
}

impl UnderWay {
    pub fn begin(&mut self, pick: &Pick) {
        *self.keys.entry(pick.key.clone()).or_default() += 1;
        *self.trials.entry(pick.key.clone()).or_default() += u32::from(pick.trial);
        if let Some(proxy) = &pick.proxy {
            *self.proxies.entry(proxy.id.clone()).or_default() += 1;
        }
    }

    pub fn end(&mut self, pick: &Pick) {
        let less = |count: Option<&mut u32>| {
            if let Some(count) = count {
                *count = count.saturating_sub(1);
            }
        };
        less(self.keys.get_mut(&pick.key));
        if pick.trial {
            less(self.trials.get_mut(&pick.key));
        }
        if let Some(proxy) = &pick.proxy {
            less(self.proxies.get_mut(&proxy.id));
        }
    }

    /// The key begins anew: what is on its way tries another one.
    pub fn clean(&mut self, key: &KeyId) {
        self.trials.remove(key);
    }

    /// The counters of the pools against this count.
    pub fn compare(&self, pools: &Pools) -> Option<String> {
        let key = pools.keys.iter().find_map(|key| {
            let (id, counted) = (&key.entered.id, key.learned.in_flight);
            let expected = self.keys.get(id).copied().unwrap_or(0);
            (counted != expected).then(|| format!("{expected} under way on {id}, counted {counted}"))
        });
        key.or_else(|| {
            pools.proxies.iter().find_map(|proxy| {
                let (id, counted) = (&proxy.entered.id, proxy.health.in_flight);
                let expected = self.proxies.get(id).copied().unwrap_or(0);
                (counted != expected).then(|| format!("{expected} under way over {id}, counted {counted}"))
            })
        })
    }
}

/// A key was picked: might it?
pub fn picked(
    before: &Pools,
    pick: &Pick,
    under_way: &UnderWay,
    settings: &Settings,
    now: Millis,
) -> Vec<String> {
    let mut wrong = Vec::new();
    let Some(key) = before.keys.get(&pick.key) else { return vec!["a key that is not there".to_owned()] };
    if let Some(out) = before.out(key, pick.model.as_deref(), now) {
        wrong.push(format!("{} was picked for {:?} though it is out: {out:?}", pick.key, pick.model));
    }
    if !key.entered.enabled {
        wrong.push(format!("{} was picked though the user disabled it", pick.key));
    }
    let resting = before.quotas.export(now).into_iter().find(|(project, resting)| {
        *project == key.quota_project()
            && (resting.model.is_none() || resting.model.as_deref() == pick.model.as_deref())
            && resting.until > now
    });
    if let Some(resting) = resting {
        wrong.push(format!("{} was picked while {resting:?}", pick.key));
    }
    if under_way.trials.get(&pick.key).is_some_and(|trials| *trials > 0) {
        wrong.push(format!("{} was picked while a trial of it is under way", pick.key));
    }
    if key.learned.breaker.circuit(now) != Circuit::Closed && !pick.trial {
        wrong.push(format!("{} was picked past its open circuit", pick.key));
    }
    let assignment = before.assignments.get(&pick.key);
    let may_go_direct = match assignment {
        Some(assignment) => assignment.proxy_id.is_none() && assignment.is_manual,
        None => before.proxies.is_empty() || !settings.proxy.auto_assignment,
    };
    let expected = assignment.and_then(|assignment| assignment.proxy_id.as_ref());
    match &pick.proxy {
        None if !may_go_direct => wrong.push(format!("{} went direct", pick.key)),
        Some(proxy) if Some(&proxy.id) != expected => {
            wrong.push(format!("{} went over {}, its proxy is {expected:?}", pick.key, proxy.id));
        }
        _ => {}
    }
    wrong
}

/// An attempt was settled: only the blamed entry may have changed.
pub fn settled(before: &Pools, after: &Pools, pick: &Pick, cause: Cause, now: Millis) -> Vec<String> {
    let mut wrong = Vec::new();
    for old in before.keys.iter().filter(|old| old.entered.id != pick.key) {
        if after.keys.get(&old.entered.id).map(|new| &new.learned) != Some(&old.learned) {
            wrong.push(format!("{cause:?} of {} changed {}", pick.key, old.entered.id));
        }
    }
    let own_proxy = pick.proxy.as_ref().map(|proxy| &proxy.id);
    for old in before.proxies.iter() {
        let id = &old.entered.id;
        let Some(new) = after.proxies.get(id) else { continue };
        let is_own = own_proxy == Some(id);
        if !is_own && new.health != old.health {
            wrong.push(format!("{cause:?} over {own_proxy:?} changed {id}"));
        }
        let charged = new.health.errors_in_row > old.health.errors_in_row;
        if is_own && charged && !matches!(cause, Cause::Proxy | Cause::Location) {
            wrong.push(format!("{cause:?} charged the proxy {id}"));
        }
        let same_server = pick.proxy.as_ref().is_some_and(|proxy| proxy.url == old.entered.url);
        let reached = !matches!(
            cause,
            Cause::Proxy
                | Cause::Location
                | Cause::Failure
                | Cause::Upstream
                | Cause::Unreached
                | Cause::CallerLeft
        );
        let failed_meanwhile = old.health.last_fault.is_some_and(|at| at > pick.begun);
        if is_own && same_server && failed_meanwhile && old.health.faulty && !new.health.faulty {
            wrong.push(format!("{cause:?} began before {id} failed and brought it back"));
        }
        if is_own && same_server && reached && !failed_meanwhile && new.health.errors_in_row != 0 {
            wrong.push(format!("{cause:?} came over {id} and does not count as its success"));
        }
    }
    let quota = matches!(cause, Cause::Quota | Cause::LateQuota);
    let (rests_before, rests_after) = (before.quotas.export(now), after.quotas.export(now));
    let ends = |rests: &[(String, aggregator_core::keys::quota::Resting)]| {
        let mut ends: Vec<_> = rests.iter().map(|(_, one)| (one.quota.clone(), one.until)).collect();
        ends.sort();
        ends
    };
    if !quota && ends(&rests_before) != ends(&rests_after) {
        wrong.push(format!("{cause:?} of {} changed what rests", pick.key));
    }
    wrong.extend(own_key(before, after, pick, cause, now));
    wrong
}

/// The key of the attempt: charged for its own faults only.
fn own_key(before: &Pools, after: &Pools, pick: &Pick, cause: Cause, now: Millis) -> Vec<String> {
    let (Some(old), Some(new)) = (before.keys.get(&pick.key), after.keys.get(&pick.key)) else {
        return Vec::new();
    };
    let (old, new) = (&old.learned, &new.learned);
    let mut wrong = Vec::new();
    let mut must = |holds: bool, what: &str| {
        if !holds {
            wrong.push(format!("{cause:?} {what} {}", pick.key));
        }
    };
    let own = matches!(
        cause,
        Cause::Quota | Cause::LateQuota | Cause::KeyRefused | Cause::Failure | Cause::ModelGone
    );
    must(own || new.failures == old.failures, "counts as a failure of");
    let newly_disabled = old.disabled_because.is_none() && new.disabled_because.is_some();
    must(!newly_disabled || cause == Cause::KeyRefused, "disabled");
    must(new.lacks == old.lacks || cause == Cause::ModelGone || new.lacks.is_empty(), "took a model from");
    let opened = new.breaker.opens_until(now) > old.breaker.opens_until(now);
    must(!opened || matches!(cause, Cause::KeyRefused | Cause::Failure), "opened the circuit of");
    let lowered = new.score.value() < old.score.value();
    must(!lowered || matches!(cause, Cause::KeyRefused | Cause::Failure), "lowered the score of");
    wrong
}
