//! A copy of the figures at one moment, so that the lock is held for copying only and encoding takes its time without.
//!
//! Invariant: at most `MOST` series of keys and as many of proxies; what is beyond is added up under one name.

use crate::clock::Millis;
use crate::figures::histogram::Histogram;
use crate::figures::meter::Reading;
use crate::figures::{Figures, Outcomes};
use crate::pools::Pools;
use crate::pools::figures::Balance;
use crate::proxies::pool::ProxyStatus;
use crate::proxies::rotating::NAME;
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
    pub held: HeldView,
}

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
}

impl Sample {
    pub(super) fn take(state: &State) -> Self {
        let now = state.now();
        let pools = state.pools.lock();
        let (keys, ways) = (keys(&pools, now), ways(&pools, now));
        let (balance, of_pools) = (pools.balance(now), pools.held());
        drop(pools);
        let direct_requests = keys.iter().map(|key| key.direct).sum();
        let held = held(state, of_pools);
        Self {
            version: crate::VERSION,
            keys: bounded(keys),
            ways: bounded(ways),
            balance,
            direct_requests,
            held,
        }
    }
}

fn keys(pools: &Pools, now: Millis) -> Vec<Series> {
    let series = pools.keys.iter().map(|key| Series {
        in_flight: key.learned.in_flight,
        serves: pools.out(key, None, now).is_none(),
        direct: key.learned.fallbacks,
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
