//! ProxyLoadBalancer: the pure choices of where a key goes and which keys move when loads drift apart.
//! It sees loads, never keys' texts or sockets, and applies nothing itself.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use crate::ids::{KeyId, ProxyId};
use crate::settings::LoadBalancingStrategy;

/// A proxy that may take keys: `keys` assigned, `in_flight` requests, `https` preferred at equal load.
#[derive(Clone, Debug)]
pub struct Load {
    pub proxy: ProxyId,
    pub keys: u32,
    pub in_flight: u32,
    pub https: bool,
}

/// One automatic key that should change its proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    pub key: KeyId,
    pub from: ProxyId,
    pub to: ProxyId,
}

#[derive(Clone, Debug, Default)]
pub struct ProxyLoadBalancer {
    turn: usize,
}

impl ProxyLoadBalancer {
    /// The proxy for a new key, or `None` when there is none to choose from.
    pub fn choose(
        &mut self,
        strategy: LoadBalancingStrategy,
        loads: &[Load],
        rng: &mut fastrand::Rng,
    ) -> Option<ProxyId> {
        let chosen = match strategy {
            LoadBalancingStrategy::LeastLoaded => {
                loads.iter().min_by_key(|load| (load.keys, load.in_flight, !load.https))
            }
            LoadBalancingStrategy::RoundRobin => {
                self.turn = self.turn.wrapping_add(1);
                loads.get(self.turn.wrapping_sub(1) % loads.len().max(1))
            }
            LoadBalancingStrategy::Random => loads.get(rng.usize(..loads.len().max(1))),
        };
        chosen.map(|load| load.proxy.clone())
    }
}

/// The fewest moves of automatic keys after which no two proxies differ by more than `threshold` keys (at least 1),
/// as far as the keys that stay allow.
///
/// Invariant: each move lowers the largest load and raises one at least two below it, so the plan ends and a second
/// plan on its result is empty.
pub fn generate_rebalance_plan(
    loads: &[Load],
    automatic: &HashMap<ProxyId, Vec<KeyId>>,
    threshold: u32,
) -> Vec<Move> {
    if !is_uneven(loads, threshold) {
        return Vec::new();
    }
    let mut scales = Scales::new(loads, automatic);
    std::iter::from_fn(|| scales.step(loads)).collect()
}

/// Whether two proxies differ by more than `threshold` keys (at least 1).
pub fn is_uneven(loads: &[Load], threshold: u32) -> bool {
    let most = loads.iter().map(|load| load.keys).max().unwrap_or(0);
    let least = loads.iter().map(|load| load.keys).min().unwrap_or(0);
    most - least > threshold.max(1)
}

/// The loads while a plan is made. Each heap may hold outdated entries, which are passed over when they come up, so a
/// step costs the logarithm of the number of proxies.
struct Scales {
    keys: Vec<u32>,
    movable: Vec<Vec<KeyId>>,
    fullest: BinaryHeap<(u32, Reverse<usize>)>,
    emptiest: BinaryHeap<Reverse<(u32, bool, usize)>>,
}

impl Scales {
    fn new(loads: &[Load], automatic: &HashMap<ProxyId, Vec<KeyId>>) -> Self {
        let movable =
            loads.iter().map(|load| automatic.get(&load.proxy).cloned().unwrap_or_default()).collect();
        let mut scales = Self {
            keys: loads.iter().map(|load| load.keys).collect(),
            movable,
            fullest: BinaryHeap::new(),
            emptiest: BinaryHeap::new(),
        };
        (0..loads.len()).for_each(|place| scales.weigh(place, loads));
        scales
    }

    /// From the fullest proxy that has an automatic key to give to the emptiest, when they differ by two or more.
    fn step(&mut self, loads: &[Load]) -> Option<Move> {
        let from = loop {
            let (keys, Reverse(place)) = self.fullest.pop()?;
            if self.keys[place] == keys && !self.movable[place].is_empty() {
                break place;
            }
        };
        let to = loop {
            let Reverse((keys, _, place)) = self.emptiest.pop()?;
            if self.keys[place] == keys {
                break place;
            }
        };
        if self.keys[from] < self.keys[to] + 2 {
            return None;
        }
        let key = self.movable[from].pop()?;
        self.keys[from] -= 1;
        self.keys[to] += 1;
        [from, to].into_iter().for_each(|place| self.weigh(place, loads));
        Some(Move { key, from: loads[from].proxy.clone(), to: loads[to].proxy.clone() })
    }

    fn weigh(&mut self, place: usize, loads: &[Load]) {
        self.fullest.push((self.keys[place], Reverse(place)));
        self.emptiest.push(Reverse((self.keys[place], !loads[place].https, place)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(proxy: &str, keys: u32, https: bool) -> Load {
        Load { proxy: proxy.into(), keys, in_flight: 0, https }
    }

    fn automatic(entries: &[(&str, &[&str])]) -> HashMap<ProxyId, Vec<KeyId>> {
        entries
            .iter()
            .map(|(proxy, keys)| (ProxyId::from(*proxy), keys.iter().map(|key| KeyId::from(*key)).collect()))
            .collect()
    }

    #[test]
    fn a_new_key_goes_where_fewest_are_and_to_https_at_a_tie() {
        let mut balancer = ProxyLoadBalancer::default();
        let mut rng = fastrand::Rng::with_seed(1);
        let loads = [load("full", 2, true), load("plain", 1, false), load("tls", 1, true)];
        let choice = balancer.choose(LoadBalancingStrategy::LeastLoaded, &loads, &mut rng);
        assert_eq!(choice, Some("tls".into()));
    }

    #[test]
    fn round_robin_visits_each_in_turn() {
        let mut balancer = ProxyLoadBalancer::default();
        let mut rng = fastrand::Rng::with_seed(1);
        let loads = [load("a", 0, false), load("b", 9, false)];
        let order: Vec<_> = (0..3)
            .filter_map(|_| balancer.choose(LoadBalancingStrategy::RoundRobin, &loads, &mut rng))
            .collect();
        assert_eq!(order, ["a".into(), "b".into(), "a".into()]);
    }

    #[test]
    fn no_proxy_means_no_choice() {
        let mut rng = fastrand::Rng::with_seed(1);
        for strategy in [
            LoadBalancingStrategy::LeastLoaded,
            LoadBalancingStrategy::RoundRobin,
            LoadBalancingStrategy::Random,
        ] {
            assert_eq!(ProxyLoadBalancer::default().choose(strategy, &[], &mut rng), None);
        }
    }

    #[test]
    fn a_plan_evens_out_and_then_rests() {
        let plan = generate_rebalance_plan(
            &[load("a", 4, false), load("b", 0, false)],
            &automatic(&[("a", &["1", "2", "3", "4"])]),
            1,
        );
        assert_eq!(plan.len(), 2);
        let rest = generate_rebalance_plan(
            &[load("a", 2, false), load("b", 2, false)],
            &automatic(&[("a", &["1", "2"]), ("b", &["3", "4"])]),
            1,
        );
        assert_eq!(rest, []);
    }

    #[test]
    fn manual_keys_stay_however_uneven() {
        let plan = generate_rebalance_plan(
            &[load("a", 5, false), load("b", 0, false)],
            &automatic(&[("a", &["only"])]),
            1,
        );
        assert_eq!(plan, [Move { key: "only".into(), from: "a".into(), to: "b".into() }]);
    }

    #[test]
    fn a_drift_within_the_threshold_moves_nobody() {
        let plan = generate_rebalance_plan(
            &[load("a", 3, false), load("b", 0, false)],
            &automatic(&[("a", &["1", "2", "3"])]),
            3,
        );
        assert_eq!(plan, []);
    }

    /// A pool by chance: every proxy with keys that stay and keys that may move.
    fn by_chance(rng: &mut fastrand::Rng) -> (Vec<Load>, HashMap<ProxyId, Vec<KeyId>>) {
        let mut automatic = HashMap::new();
        let loads = (0..rng.u32(1..12))
            .map(|proxy| {
                let id = ProxyId::from(format!("p{proxy}"));
                let (staying, moving) = (rng.u32(..5), rng.u32(..20));
                let keys = (0..moving).map(|key| KeyId::from(format!("p{proxy}k{key}"))).collect();
                automatic.insert(id.clone(), keys);
                Load { proxy: id, keys: staying + moving, in_flight: 0, https: rng.bool() }
            })
            .collect();
        (loads, automatic)
    }

    fn apply(plan: &[Move], loads: &mut [Load], automatic: &mut HashMap<ProxyId, Vec<KeyId>>) {
        for step in plan {
            let keys = automatic.get_mut(&step.from).unwrap();
            let place = keys.iter().position(|key| *key == step.key).expect("it is where the plan says");
            keys.remove(place);
            automatic.entry(step.to.clone()).or_default().push(step.key.clone());
            loads.iter_mut().find(|load| load.proxy == step.from).unwrap().keys -= 1;
            loads.iter_mut().find(|load| load.proxy == step.to).unwrap().keys += 1;
        }
    }

    #[test]
    fn every_plan_evens_out_as_far_as_it_can_with_the_fewest_moves_and_then_rests() {
        for seed in 0..3_000 {
            let mut rng = fastrand::Rng::with_seed(seed);
            let (mut loads, mut automatic) = by_chance(&mut rng);
            let threshold = rng.u32(..6);
            let before = loads.clone();
            let plan = generate_rebalance_plan(&loads, &automatic, threshold);
            apply(&plan, &mut loads, &mut automatic);
            let least = loads.iter().map(|load| load.keys).min().unwrap();
            if !plan.is_empty() {
                for load in &loads {
                    let stuck = automatic[&load.proxy].is_empty();
                    assert!(stuck || load.keys <= least + 1, "seed {seed}: {loads:?}");
                }
            }
            assert_eq!(generate_rebalance_plan(&loads, &automatic, threshold), [], "seed {seed}");
            // Whoever gave took nothing, whoever took gave nothing: no move was in vain.
            for (old, new) in before.iter().zip(&loads) {
                let moved =
                    |end: fn(&Move) -> &ProxyId| plan.iter().filter(|step| *end(step) == old.proxy).count();
                let (gave, took) = (moved(|step| &step.from), moved(|step| &step.to));
                assert!(gave == 0 || took == 0, "seed {seed}");
                assert_eq!(old.keys as usize + took, new.keys as usize + gave, "seed {seed}");
            }
        }
    }
}
