//! ProxyAssignmentManager: which proxy each key leaves through. It keeps the assignments whole (no entry for a
//! key or proxy that is gone) and asks the balancer where keys go; it never opens a connection.
//!
//! Invariant: a manual assignment, a pinned "No Proxy" included, is moved by nobody but the user, unless its
//! proxy is removed from the pool, or fails and the failure policy moves keys; then it returns when the proxy does.

use std::collections::HashMap;

use crate::clock::Millis;
use crate::figures::balance::Moves;
use crate::ids::{ById, KeyId, ProxyId};
use crate::keys::ApiKeyManager;
use crate::proxies::balance::{Load, ProxyLoadBalancer, generate_rebalance_plan, is_uneven};
use crate::proxies::pool::{ProxyPoolManager, ProxyStatus};
use crate::proxies::url::ProxyScheme;
use crate::settings::{FailurePolicy, ProxySettings};
use crate::vault::Assignment;

#[derive(Clone, Debug, Default)]
pub struct ProxyAssignmentManager {
    by_key: ById<KeyId, Assignment>,
    /// Keys on each proxy.
    /// Invariant: always what a count of `by_key` would give; only `put`, `take` and `place` change the two.
    counts: ById<ProxyId, u32>,
    balancer: ProxyLoadBalancer,
    pub moves: Moves,
}

/// What placing keys needs of its surroundings.
pub struct Placing<'a> {
    pub keys: &'a ApiKeyManager,
    pub proxies: &'a ProxyPoolManager,
    pub settings: &'a ProxySettings,
    pub now: Millis,
}

impl ProxyAssignmentManager {
    pub fn get(&self, key: &KeyId) -> Option<&Assignment> {
        self.by_key.get(key)
    }

    /// In the order of the keys, so that equal states have equal texts in the vault.
    pub fn entered(&self, keys: &ApiKeyManager) -> Vec<Assignment> {
        keys.iter().filter_map(|key| self.get(&key.entered.id).cloned()).collect()
    }

    pub fn adopt(&mut self, assignments: Vec<Assignment>) {
        (self.by_key, self.counts) = (ById::default(), ById::default());
        assignments.into_iter().for_each(|entry| self.put(entry));
    }

    /// About how many bytes the assignments hold; ids are shared with the entries they name.
    pub fn held_bytes(&self) -> usize {
        self.by_key.capacity() * (size_of::<(KeyId, Assignment)>() + 1)
            + self.counts.capacity() * (size_of::<(ProxyId, u32)>() + 1)
            + self.moves.minutes.held_bytes()
    }

    pub fn count(&self, proxy: &ProxyId) -> u32 {
        self.counts.get(proxy).copied().unwrap_or(0)
    }

    /// By hand: stays until changed by hand. `None` pins "No Proxy".
    pub fn assign(&mut self, key: &KeyId, proxy: Option<ProxyId>, now: Millis) {
        self.put(Assignment {
            key_id: key.clone(),
            proxy_id: proxy,
            assigned_at: now,
            is_manual: true,
            home: None,
        });
    }

    /// As it was before something was removed.
    pub fn put_back(&mut self, entry: Assignment) {
        self.put(entry);
    }

    /// Forgets the assignment; the next [`settle`](Self::settle) places the key automatically.
    pub fn unassign(&mut self, key: &KeyId) {
        self.take(key);
    }

    fn put(&mut self, entry: Assignment) {
        let left = self.get(&entry.key_id).map(|old| old.proxy_id.clone());
        if left.is_some_and(|left| left != entry.proxy_id) {
            self.moves.count(entry.assigned_at);
        }
        self.take(&entry.key_id);
        entry.proxy_id.iter().for_each(|proxy| self.count_in(proxy.clone()));
        self.by_key.insert(entry.key_id.clone(), entry);
    }

    fn take(&mut self, key: &KeyId) {
        let proxy = self.by_key.remove(key).and_then(|entry| entry.proxy_id);
        proxy.iter().for_each(|proxy| self.count_out(proxy));
    }

    fn count_in(&mut self, proxy: ProxyId) {
        *self.counts.entry(proxy).or_default() += 1;
    }

    fn count_out(&mut self, proxy: &ProxyId) {
        let Some(count) = self.counts.get_mut(proxy) else { return };
        *count -= 1;
        if *count == 0 {
            self.counts.remove(proxy);
        }
    }

    /// Makes the assignments fit keys and pool: drops what points nowhere, places automatic keys that have no
    /// enabled proxy, and moves the fewest automatic keys when loads drift beyond the threshold.
    pub fn settle(&mut self, around: &Placing<'_>, rng: &mut fastrand::Rng) {
        self.drop_dangling(around);
        self.return_home(around);
        if around.settings.failure_policy != FailurePolicy::Fail {
            self.leave_failed(around, rng);
        }
        if !around.settings.auto_assignment {
            return;
        }
        self.place_unassigned(around, rng);
        self.rebalance(around);
    }

    fn drop_dangling(&mut self, around: &Placing<'_>) {
        let known = |proxy: &ProxyId| around.proxies.get(proxy).is_some();
        for entry in self.by_key.values_mut() {
            entry.home = entry.home.take().filter(known);
        }
        self.send_stranded_home(around);
        let fits = |entry: &Assignment| {
            around.keys.get(&entry.key_id).is_some()
                && match &entry.proxy_id {
                    Some(proxy) => around.proxies.get(proxy).is_some(),
                    None => entry.is_manual,
                }
        };
        let gone: Vec<KeyId> =
            self.by_key.values().filter(|entry| !fits(entry)).map(|entry| entry.key_id.clone()).collect();
        gone.iter().for_each(|key| self.take(key));
    }

    /// The proxy that a key was away on is removed: what was chosen by hand holds again, working or not.
    fn send_stranded_home(&mut self, around: &Placing<'_>) {
        let gone = |entry: &&Assignment| {
            entry.proxy_id.as_ref().is_some_and(|proxy| around.proxies.get(proxy).is_none())
        };
        let stranded: Vec<(KeyId, ProxyId)> = self
            .by_key
            .values()
            .filter(gone)
            .filter_map(|entry| Some((entry.key_id.clone(), entry.home.clone()?)))
            .collect();
        stranded.into_iter().for_each(|(key, home)| self.assign(&key, Some(home), around.now));
    }

    /// Keys placed by hand go back to their proxy once it works again.
    fn return_home(&mut self, around: &Placing<'_>) {
        let works = |proxy: &ProxyId| {
            around.proxies.get(proxy).is_some_and(|proxy| proxy.status() == ProxyStatus::Active)
        };
        let away: Vec<(KeyId, ProxyId)> = self
            .by_key
            .values()
            .filter_map(|entry| Some((entry.key_id.clone(), entry.home.clone().filter(works)?)))
            .collect();
        away.into_iter().for_each(|(key, home)| self.assign(&key, Some(home), around.now));
    }

    /// Keys of proxies in error go to proxies that work, as long as there is one.
    fn leave_failed(&mut self, around: &Placing<'_>, rng: &mut fastrand::Rng) {
        if !around.proxies.iter().any(|proxy| proxy.status() == ProxyStatus::Error) {
            return;
        }
        let failed =
            |id: &ProxyId| around.proxies.get(id).is_some_and(|proxy| proxy.status() == ProxyStatus::Error);
        let leaving: Vec<KeyId> = around
            .keys
            .iter()
            .map(|key| &key.entered.id)
            .filter(|key| self.get(key).and_then(|entry| entry.proxy_id.as_ref()).is_some_and(failed))
            .cloned()
            .collect();
        for key in leaving {
            self.move_off(&key, &[], around, rng);
        }
    }

    /// Moves one key to a proxy that works and is none of `avoided`; answers where, or `None` when there is none.
    pub fn move_off(
        &mut self,
        key: &KeyId,
        avoided: &[ProxyId],
        around: &Placing<'_>,
        rng: &mut fastrand::Rng,
    ) -> Option<ProxyId> {
        let before = self.get(key)?;
        let home = if before.is_manual { before.proxy_id.clone() } else { before.home.clone() };
        let mut loads = self.loads_of(ProxyStatus::Active, around);
        loads.retain(|load| !avoided.contains(&load.proxy) && before.proxy_id.as_ref() != Some(&load.proxy));
        let to = self.balancer.choose(around.settings.load_balancing_strategy, &loads, rng)?;
        self.put(Assignment {
            key_id: key.clone(),
            proxy_id: Some(to.clone()),
            assigned_at: around.now,
            is_manual: false,
            home,
        });
        Some(to)
    }

    fn place_unassigned(&mut self, around: &Placing<'_>, rng: &mut fastrand::Rng) {
        let mut loads = self.loads(around);
        for key in around.keys.iter().map(|key| &key.entered.id) {
            if self.get(key).is_some_and(|entry| entry.is_manual || self.is_enabled(entry, around)) {
                continue;
            }
            let chosen = self.balancer.choose(around.settings.load_balancing_strategy, &loads, rng);
            let Some(proxy) = chosen else { continue };
            let before = self.get(key).and_then(|entry| entry.proxy_id.clone());
            for load in &mut loads {
                load.keys += u32::from(load.proxy == proxy);
                load.keys -= u32::from(before.as_ref() == Some(&load.proxy));
            }
            self.place(key, proxy, around.now);
        }
    }

    /// Moves the fewest automatic keys that even the loads out, when they differ by more than the threshold; answers
    /// how many moved.
    pub fn rebalance(&mut self, around: &Placing<'_>) -> usize {
        let loads = self.loads(around);
        let threshold = around.settings.rebalance_threshold;
        if !is_uneven(&loads, threshold) {
            return 0;
        }
        let mut automatic: HashMap<ProxyId, Vec<KeyId>> = HashMap::new();
        for key in around.keys.iter().map(|key| &key.entered.id) {
            if let Some(Assignment { proxy_id: Some(proxy), is_manual: false, .. }) = self.get(key) {
                automatic.entry(proxy.clone()).or_default().push(key.clone());
            }
        }
        let plan = generate_rebalance_plan(&loads, &automatic, threshold);
        let count = plan.len();
        plan.into_iter().for_each(|step| self.place(&step.key, step.to, around.now));
        count
    }

    /// Automatically; where it belongs by hand is kept.
    fn place(&mut self, key: &KeyId, proxy: ProxyId, now: Millis) {
        let Some(entry) = self.by_key.get_mut(key) else {
            let key_id = key.clone();
            let entry =
                Assignment { key_id, proxy_id: Some(proxy), assigned_at: now, is_manual: false, home: None };
            return self.put(entry);
        };
        let left = entry.proxy_id.replace(proxy.clone());
        (entry.assigned_at, entry.is_manual) = (now, false);
        self.moves.count(now);
        self.count_in(proxy);
        left.iter().for_each(|proxy| self.count_out(proxy));
    }

    fn is_enabled(&self, entry: &Assignment, around: &Placing<'_>) -> bool {
        let proxy = entry.proxy_id.as_ref().and_then(|proxy| around.proxies.get(proxy));
        proxy.is_some_and(|proxy| proxy.entered.enabled)
    }

    /// The loads of the proxies that may take keys: active ones, or all enabled ones when none is active.
    fn loads(&self, around: &Placing<'_>) -> Vec<Load> {
        let active = self.loads_of(ProxyStatus::Active, around);
        if active.is_empty() { self.loads_of(ProxyStatus::Error, around) } else { active }
    }

    fn loads_of(&self, status: ProxyStatus, around: &Placing<'_>) -> Vec<Load> {
        let fitting = around.proxies.iter().filter(|proxy| proxy.status() == status);
        fitting
            .map(|proxy| Load {
                proxy: proxy.entered.id.clone(),
                keys: self.count(&proxy.entered.id),
                in_flight: proxy.health.in_flight,
                https: proxy.entered.url.scheme() == ProxyScheme::Https,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{entered_key, entered_proxy};

    struct Bench {
        keys: ApiKeyManager,
        proxies: ProxyPoolManager,
        settings: ProxySettings,
        assignments: ProxyAssignmentManager,
    }

    impl Bench {
        fn new(keys: u32, proxies: u32) -> Self {
            let mut bench = Self {
                keys: ApiKeyManager::default(),
                proxies: ProxyPoolManager::default(),
                settings: ProxySettings::default(),
                assignments: ProxyAssignmentManager::default(),
            };
            (1..=keys).for_each(|number| bench.add_key(number));
            (1..=proxies).for_each(|number| bench.add_proxy(number));
            bench.settle();
            bench
        }

        fn add_key(&mut self, number: u32) {
            self.keys.add(entered_key(number)).unwrap();
        }

        fn add_proxy(&mut self, number: u32) {
            self.proxies.add(entered_proxy(number)).unwrap();
        }

        fn settle(&mut self) {
            let around =
                Placing { keys: &self.keys, proxies: &self.proxies, settings: &self.settings, now: 1 };
            self.assignments.settle(&around, &mut fastrand::Rng::with_seed(1));
        }

        fn proxy_of(&self, key: &str) -> Option<String> {
            let entry = self.assignments.get(&key.into())?;
            entry.proxy_id.as_ref().map(ToString::to_string)
        }
    }

    #[test]
    fn each_new_key_goes_to_the_proxy_with_the_fewest() {
        let bench = Bench::new(2, 2);
        assert_eq!((bench.proxy_of("k1"), bench.proxy_of("k2")), (Some("p1".into()), Some("p2".into())));
    }

    #[test]
    fn a_proxy_added_later_takes_its_share() {
        let mut bench = Bench::new(4, 1);
        bench.add_proxy(2);
        bench.settle();
        assert_eq!((bench.assignments.count(&"p1".into()), bench.assignments.count(&"p2".into())), (2, 2));
    }

    #[test]
    fn manual_and_pinned_keys_stay_where_they_are() {
        let mut bench = Bench::new(3, 1);
        bench.assignments.assign(&"k1".into(), Some("p1".into()), 5);
        bench.assignments.assign(&"k2".into(), None, 5);
        bench.add_proxy(2);
        bench.settle();
        assert_eq!(bench.proxy_of("k1"), Some("p1".into()));
        assert_eq!(bench.proxy_of("k2"), None);
        assert!(bench.assignments.get(&"k2".into()).unwrap().is_manual);
    }

    #[test]
    fn unassigning_goes_back_to_automatic() {
        let mut bench = Bench::new(1, 1);
        bench.assignments.assign(&"k1".into(), None, 5);
        bench.assignments.unassign(&"k1".into());
        bench.settle();
        assert!(bench.assignments.get(&"k1".into()).is_some_and(|entry| !entry.is_manual));
        assert_eq!(bench.proxy_of("k1"), Some("p1".into()));
    }

    #[test]
    fn keys_of_a_removed_or_disabled_proxy_move_on() {
        let mut bench = Bench::new(2, 2);
        bench.proxies.update(&"p1".into(), None, None, Some(false)).unwrap();
        bench.settle();
        assert_eq!(bench.proxy_of("k1"), Some("p2".into()));
        bench.proxies.remove(&"p2".into()).unwrap();
        bench.settle();
        assert_eq!(bench.proxy_of("k1"), None, "nothing enabled is left");
    }

    #[test]
    fn without_auto_assignment_nobody_is_placed() {
        let mut bench = Bench::new(0, 2);
        bench.settings.auto_assignment = false;
        bench.add_key(1);
        bench.settle();
        assert_eq!(bench.proxy_of("k1"), None);
    }
}
