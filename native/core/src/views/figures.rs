//! Figures as a person sees them: of one key or one way out, of the balance between proxies, of the memory held. Built
//! on demand; counting is `figures`' part.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::clock::Millis;
use crate::figures::Figures;
use crate::figures::minutes::Minutes;
use crate::pools::Pools;
use crate::pools::figures::Held;
use crate::state::State;

/// Minutes of a sparkline.
const MINUTES_SHOWN: usize = 30;

/// Since the entry was loaded, where nothing else is said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct FiguresView {
    /// Attempts that ended; a request that went round takes several.
    #[ts(type = "number")]
    pub attempts: u64,
    /// Attempts of the last five minutes that failed by this entry's fault, 0 to 1; null when there was none.
    pub error_rate: Option<f64>,
    /// From an attempt to the beginning of its answer: half of them, and 95 of 100, are at most this slow, right to the
    /// histogram's bucket. null before the first answer.
    #[ts(type = "number | null")]
    pub latency_p50_ms: Option<u64>,
    #[ts(type = "number | null")]
    pub latency_p95_ms: Option<u64>,
    /// Bytes as they passed the socket, TLS and the proxy's own words included; probes too.
    #[ts(type = "number")]
    pub bytes_sent: u64,
    #[ts(type = "number")]
    pub bytes_received: u64,
    /// Connections made (behind a proxy: tunnels), and requests that found one open.
    #[ts(type = "number")]
    pub tunnels_opened: u64,
    #[ts(type = "number")]
    pub tunnels_reused: u64,
    pub minutes: MinutesView,
}

/// The last half hour, minute by minute, oldest first, the present one last; both are empty when nothing happened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct MinutesView {
    /// Attempts that ended.
    #[ts(type = "number[]")]
    pub attempts: Vec<u64>,
    /// Those of them that failed by this entry's fault.
    #[ts(type = "number[]")]
    pub failures: Vec<u64>,
}

/// How evenly the keys lie on the proxies that work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct BalanceView {
    /// Keys on the most loaded proxy less those on the least loaded one.
    pub spread_keys: u32,
    /// The same of requests in flight.
    pub spread_requests: u32,
    /// Keys that changed their proxy, by themselves or by hand.
    #[ts(type = "number")]
    pub moves: u64,
    #[ts(type = "number")]
    pub moves_last_hour: u64,
}

/// About how many bytes the core's structures hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct HeldView {
    pub keys: usize,
    pub proxies: usize,
    pub assignments: usize,
    /// Quotas at rest.
    pub rests: usize,
    /// Who owns which file, cache or batch.
    pub owners: usize,
    /// Thought signatures.
    pub signatures: usize,
    pub request_log: usize,
}

impl HeldView {
    /// Each with the word it goes by in metrics.
    pub fn named(&self) -> [(&'static str, usize); 7] {
        [
            ("keys", self.keys),
            ("proxies", self.proxies),
            ("assignments", self.assignments),
            ("rests", self.rests),
            ("owners", self.owners),
            ("signatures", self.signatures),
            ("request_log", self.request_log),
        ]
    }
}

pub fn figures(figures: &Figures, now: Millis) -> FiguresView {
    let meter = figures.meter.read();
    FiguresView {
        attempts: figures.outcomes.ended(),
        error_rate: figures.error_rate(now),
        latency_p50_ms: figures.latency.quantile_ms(0.5),
        latency_p95_ms: figures.latency.quantile_ms(0.95),
        bytes_sent: meter.sent,
        bytes_received: meter.received,
        tunnels_opened: meter.opened,
        tunnels_reused: meter.reused,
        minutes: minutes(&figures.minutes, now),
    }
}

fn minutes(minutes: &Minutes, now: Millis) -> MinutesView {
    let last = minutes.last(MINUTES_SHOWN, now);
    if last.iter().all(|(all, _)| *all == 0) {
        return MinutesView::default();
    }
    let (attempts, failures) = last.into_iter().unzip();
    MinutesView { attempts, failures }
}

pub fn balance(pools: &Pools, now: Millis) -> BalanceView {
    let balance = pools.balance(now);
    BalanceView {
        spread_keys: balance.spread.keys,
        spread_requests: balance.spread.requests,
        moves: balance.moves,
        moves_last_hour: balance.moves_last_hour,
    }
}

/// With what the other structures hold; `held` as the pools said, whose lock need not be held any more.
pub fn held(state: &State, held: Held) -> HeldView {
    HeldView {
        keys: held.keys,
        proxies: held.proxies,
        assignments: held.assignments,
        rests: held.rests,
        owners: state.affinity.held_bytes(),
        signatures: state.signatures.held_bytes(),
        request_log: state.log.held_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_are_shown_only_where_something_happened() {
        let mut counted = Minutes::default();
        assert_eq!(minutes(&counted, 0), MinutesView::default());
        counted.add(60_000 * 100, 3, 1);
        let shown = minutes(&counted, 60_000 * 101);
        assert_eq!((shown.attempts.len(), shown.failures.len()), (30, 30));
        assert_eq!((&shown.attempts[28..], &shown.failures[28..]), (&[3, 0][..], &[1, 0][..]));
        assert_eq!(minutes(&counted, 60_000 * 130), MinutesView::default(), "half an hour later");
    }
}
