//! ProxyLoadBalancer: the pure choices of where a key goes and which keys move when loads drift apart.
//! It sees loads, never keys' texts or sockets, and applies nothing itself.

use std::collections::HashMap;

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
    let mut loads = loads.to_vec();
    let mut movable = automatic.clone();
    let spread = |loads: &[Load]| {
        let most = loads.iter().map(|load| load.keys).max().unwrap_or(0);
        most - loads.iter().map(|load| load.keys).min().unwrap_or(0)
    };
    if spread(&loads) <= threshold.max(1) {
        return Vec::new();
    }
    let mut plan = Vec::new();
    while let Some((from, to)) = widest_pair(&loads, &movable) {
        let Some(key) = movable.get_mut(&loads[from].proxy).and_then(Vec::pop) else { break };
        loads[from].keys -= 1;
        loads[to].keys += 1;
        plan.push(Move { key, from: loads[from].proxy.clone(), to: loads[to].proxy.clone() });
    }
    plan
}

/// The fullest proxy that has an automatic key to give, and the emptiest, when they differ by two or more.
fn widest_pair(loads: &[Load], movable: &HashMap<ProxyId, Vec<KeyId>>) -> Option<(usize, usize)> {
    let gives = |place: &usize| movable.get(&loads[*place].proxy).is_some_and(|keys| !keys.is_empty());
    let from = (0..loads.len()).filter(gives).max_by_key(|&place| loads[place].keys)?;
    let to = (0..loads.len()).min_by_key(|&place| (loads[place].keys, !loads[place].https))?;
    (loads[from].keys >= loads[to].keys + 2).then_some((from, to))
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
}
