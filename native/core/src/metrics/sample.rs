//! A copy of the figures at one moment, so that the lock is held for copying only and encoding takes its time without.
//!
//! Invariant: at most `MOST` series of keys and as many of proxies; what is beyond is added up under one name.

use crate::clock::Millis;
use crate::events::EventCounts;
use crate::figures::histogram::Histogram;
use crate::figures::meter::Reading;
use crate::figures::tallies::Tallies;
use crate::figures::{Figures, Outcomes};
use crate::keys::circuit::Circuit;
use crate::keys::{ApiKey, Out};
use crate::pools::Pools;
use crate::pools::figures::Balance;
use crate::proxies::pool::ProxyStatus;
use crate::proxies::rotating::NAME;
use crate::requests::traffic::Traffic;
use crate::state::State;
use crate::views::{HeldView, held};

/// Series of keys, and of ways out, with names of their own.
const MOST: usize = 500;
/// Those beyond, together.
const OTHERS: &str = "others";
/// Connections without a proxy.
const DIRECT: &str = "direct";

#[derive(Debug)]
pub(super) struct Sample {
    pub version: &'static str,
    pub keys: Vec<Series>,
    /// The pool's proxies, the rotating one and direct.
    pub ways: Vec<Series>,
    pub balance: Balance,
    pub direct_requests: u64,
    pub key_states: [(&'static str, u32); KEY_STATES.len()],
    pub proxy_states: [(&'static str, u32); PROXY_STATES.len()],
    pub tallies: Tallies,
    pub traffic: Traffic,
    pub under_way: u64,
    pub events: EventCounts,
    pub held: HeldView,
}

/// What a key may be in; one that rests serves the models whose quotas do not.
const KEY_STATES: [&str; 7] =
    ["available", "resting", "cooling", "failing", "on_trial", "refused", "disabled"];
const PROXY_STATES: [&str; 3] = ["active", "inactive", "error"];

/// One key or one way out.
#[derive(Clone, Debug, Default)]
pub(super) struct Series {
    pub id: String,
    pub name: String,
    pub outcomes: Outcomes,
    pub latency: Histogram,
    pub meter: Reading,
    pub error_rate: Option<f64>,
    pub in_flight: u32,
    pub serves: bool,
    /// A proxy's keys.
    pub assigned: u32,
    /// A key's requests without its proxy.
    pub direct: u64,
    /// A key's, as a number that grows with what is wrong.
    pub circuit: u8,
}

impl Sample {
    pub(super) fn take(state: &State) -> Self {
        let now = state.now();
        let pools = state.pools.lock();
        let (keys, ways) = (keys(&pools, now), ways(&pools, now));
        let key_states = tally(KEY_STATES, pools.keys.iter().map(|key| key_state(&pools, key, now)));
        let proxy_states = tally(PROXY_STATES, pools.proxies.iter().map(|proxy| proxy_state(proxy.status())));
        let (balance, of_pools, tallies) = (pools.balance(now), pools.held(), pools.tallies.clone());
        drop(pools);
        let traffic = state.log.traffic();
        Self {
            version: crate::VERSION,
            direct_requests: keys.iter().map(|key| key.direct).sum(),
            keys: bounded(keys),
            ways: bounded(ways),
            balance,
            key_states,
            proxy_states,
            tallies,
            under_way: state.log.under_way(&traffic),
            traffic,
            events: state.events.counts(),
            held: held(state, of_pools),
        }
    }
}

/// How many are in each state.
fn tally<const N: usize>(
    states: [&'static str; N],
    all: impl Iterator<Item = usize>,
) -> [(&'static str, u32); N] {
    let mut counts = states.map(|state| (state, 0));
    all.for_each(|state| counts[state].1 += 1);
    counts
}

/// The place in `KEY_STATES`.
fn key_state(pools: &Pools, key: &ApiKey, now: Millis) -> usize {
    match pools.out(key, None, now) {
        None => usize::from(pools.quotas.longest(&key.quota_project(), now).is_some()),
        Some(Out::Cooling(_)) => 2,
        Some(Out::Failing(..)) => 3,
        Some(Out::OnTrial) => 4,
        Some(Out::Disabled(_)) => 5,
        Some(Out::DisabledByUser) => 6,
    }
}

/// The place in `PROXY_STATES`.
fn proxy_state(status: ProxyStatus) -> usize {
    match status {
        ProxyStatus::Active => 0,
        ProxyStatus::Inactive => 1,
        ProxyStatus::Error => 2,
    }
}

fn keys(pools: &Pools, now: Millis) -> Vec<Series> {
    let series = pools.keys.iter().map(|key| Series {
        in_flight: key.learned.in_flight,
        serves: pools.out(key, None, now).is_none(),
        direct: key.learned.fallbacks,
        circuit: match key.learned.breaker.circuit(now) {
            Circuit::Closed => 0,
            Circuit::HalfOpen => 1,
            Circuit::Open => 2,
        },
        ..Series::of(key.entered.id.as_str(), &key.entered.name, &key.figures, now)
    });
    series.collect()
}

fn ways(pools: &Pools, now: Millis) -> Vec<Series> {
    let of_pool = pools.proxies.iter().map(|proxy| Series {
        in_flight: proxy.health.in_flight,
        serves: proxy.status() == ProxyStatus::Active,
        assigned: pools.assignments.count(&proxy.entered.id),
        ..Series::of(proxy.entered.id.as_str(), &proxy.entered.name, &proxy.figures, now)
    });
    let rotating = pools.rotating.iter().map(|rotating| Series {
        serves: rotating.serves(),
        ..Series::of(NAME, NAME, &rotating.figures, now)
    });
    let direct = Series { serves: true, ..Series::of(DIRECT, DIRECT, &pools.direct, now) };
    [direct].into_iter().chain(rotating).chain(of_pool).collect()
}

impl Series {
    fn of(id: &str, name: &str, figures: &Figures, now: Millis) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            outcomes: figures.outcomes,
            latency: figures.latency,
            meter: figures.meter.read(),
            error_rate: figures.error_rate(now),
            ..Self::default()
        }
    }

    fn add(&mut self, other: &Self) {
        self.outcomes.add(&other.outcomes);
        self.latency.add(&other.latency);
        self.meter.add(&other.meter);
        self.in_flight += other.in_flight;
        self.serves |= other.serves;
        self.assigned += other.assigned;
        self.direct += other.direct;
        self.circuit = self.circuit.max(other.circuit);
    }
}

fn bounded(mut series: Vec<Series>) -> Vec<Series> {
    if series.len() > MOST {
        let mut others = Series { id: OTHERS.to_owned(), name: OTHERS.to_owned(), ..Series::default() };
        series.drain(MOST - 1..).for_each(|one| others.add(&one));
        series.push(others);
    }
    series
}
