//! What a person may see of the state: plain serialisable views, whole and free of secrets. Built on demand from
//! the state; nothing here decides or changes anything.
//!
//! Invariant: keys and proxy passwords never enter a view; `masked_key` and `masked_url` stand for them.

mod figures;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::clock::Millis;
use crate::ids::{KeyId, ProxyId};
use crate::keys::circuit::Circuit;
use crate::keys::{ApiKey, Out};
use crate::pools::Pools;
use crate::proxies::pool::{ProxyServer, ProxyStatus};
use crate::proxies::rotating::{Mode, RotatingProxy};
use crate::requests::RequestView;
use crate::requests::overview::OverviewView;
use crate::settings::LocalAuth;
use crate::state::State;
pub use figures::{BalanceView, FiguresView, HeldView, MinutesView, held};

/// Requests in one snapshot; the log itself holds more.
const REQUESTS_SHOWN: usize = 50;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EndpointView {
    Stopped,
    Starting,
    Listening { url: String, port: u16, local_auth: LocalAuth },
    Failed { message: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum KeyStatus {
    Available,
    CoolingDown,
    Disabled,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct KeyView {
    pub id: KeyId,
    pub name: String,
    pub masked_key: String,
    pub status: KeyStatus,
    /// Why it is cooling or disabled, in words; null while available.
    pub status_reason: Option<String>,
    /// Milliseconds since 1970, as every time here.
    #[ts(type = "number | null")]
    pub cooling_down_until: Option<Millis>,
    pub circuit: Circuit,
    /// Moving average of how its attempts went, 0 to 1.
    pub health_score: f64,
    /// When a key with an open circuit is tried again.
    #[ts(type = "number | null")]
    pub next_retry: Option<Millis>,
    pub enabled: bool,
    pub project: Option<String>,
    pub weight: u32,
    /// null = no proxy: the panel shows "No Proxy".
    pub proxy_id: Option<ProxyId>,
    #[ts(type = "number | null")]
    pub proxy_assigned_at: Option<Millis>,
    pub is_manual: bool,
    pub current_requests: u32,
    #[ts(type = "number")]
    pub request_count: u64,
    #[ts(type = "number")]
    pub failure_count: u64,
    /// Requests that went direct although the key has a proxy.
    #[ts(type = "number")]
    pub direct_count: u64,
    /// The proxy chosen by hand that this key is away from while it fails.
    pub home_proxy_id: Option<ProxyId>,
    #[ts(type = "number | null")]
    pub last_used: Option<Millis>,
    pub figures: FiguresView,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename = "ProxyStatus")]
pub enum ProxyStatusView {
    Active,
    Inactive,
    Error,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct ProxyView {
    pub id: ProxyId,
    pub name: String,
    /// Without the password; the user name is kept.
    pub masked_url: String,
    pub status: ProxyStatusView,
    pub enabled: bool,
    pub assigned_key_count: u32,
    pub active_requests: u32,
    #[ts(type = "number | null")]
    pub last_health_check: Option<Millis>,
    /// Faults since the last success.
    pub error_count: u32,
    pub last_error: Option<String>,
    /// To a usable tunnel, when last probed.
    #[ts(type = "number | null")]
    pub latency_ms: Option<u64>,
    pub figures: FiguresView,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum RotatingMode {
    /// Switched off: each key leaves through its own proxy.
    Off,
    /// Every key leaves through it.
    On,
    /// It failed again and again: each key leaves through its own proxy until a probe succeeds.
    FallenBack,
    /// It refused the credentials; the same until its URL is changed or it is switched on again.
    Refused,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct RotatingView {
    /// Switched on by the user, whether it serves or not.
    pub enabled: bool,
    pub mode: RotatingMode,
    /// Without the password; the user name is kept.
    pub masked_url: String,
    #[ts(type = "number")]
    pub requests: u64,
    /// 0 to 1; null before the first request has ended.
    pub success_rate: Option<f64>,
    /// From a request to the beginning of its answer; null before the first answer.
    #[ts(type = "number | null")]
    pub average_latency_ms: Option<u64>,
    /// Different addresses from which it said that its tunnels left, up to 1000; 0 when it says none.
    pub addresses_seen: usize,
    pub last_address: Option<String>,
    pub last_error: Option<String>,
    #[ts(type = "number | null")]
    pub last_health_check: Option<Millis>,
    pub figures: FiguresView,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Snapshot {
    /// Grows with every change.
    #[ts(type = "number")]
    pub revision: u64,
    pub version: String,
    pub endpoint: EndpointView,
    pub keys: Vec<KeyView>,
    pub proxies: Vec<ProxyView>,
    /// null: none was ever entered.
    pub rotating: Option<RotatingView>,
    /// Of connections without a proxy, whosever they are.
    pub direct: FiguresView,
    pub balance: BalanceView,
    pub held_bytes: HeldView,
    /// By how much this machine's clock is ahead of Gemini's, by its last answer; left out before the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "number")]
    pub clock_skew_ms: Option<i64>,
    /// Newest first, at most 50 here.
    pub requests: Vec<Arc<RequestView>>,
    /// How many the log holds; `ListRequests` gives them all.
    pub request_count: usize,
    pub overview: OverviewView,
}

pub fn snapshot(state: &State, endpoint: EndpointView) -> Snapshot {
    let now = state.now();
    let revision = state.events.revision();
    let requests = state.log.newest(REQUESTS_SHOWN);
    let rotating_allowed = state.settings().rotating_proxy.enabled;
    let pools = state.pools.lock();
    let snapshot = Snapshot {
        revision,
        version: crate::VERSION.to_owned(),
        endpoint,
        keys: pools.keys.iter().map(|key| key_view(key, &pools, now)).collect(),
        proxies: pools.proxies.iter().map(|proxy| proxy_view(proxy, &pools, now)).collect(),
        rotating: pools.rotating.as_ref().map(|proxy| rotating_view(proxy, rotating_allowed, now)),
        direct: figures::figures(&pools.direct, now),
        balance: figures::balance(&pools, now),
        held_bytes: HeldView::default(),
        clock_skew_ms: state.clock_skew(),
        requests,
        request_count: state.log.count(),
        overview: state.log.overview(now),
    };
    let of_pools = pools.held();
    drop(pools);
    Snapshot { held_bytes: held(state, of_pools), ..snapshot }
}

pub(crate) fn key_view(key: &ApiKey, pools: &Pools, now: Millis) -> KeyView {
    // Any model at rest is shown; requests for the others still go.
    let rests = || pools.quotas.longest(&key.quota_project(), now).cloned().map(Out::Cooling);
    let failing = || key.out(now).filter(|out| matches!(out, Out::Failing(..)));
    let out = key.disabled().or_else(failing).or_else(rests);
    let (status, status_reason, cooling_down_until) = match out {
        None => (KeyStatus::Available, None, None),
        Some(Out::DisabledByUser) => (KeyStatus::Disabled, Some("Disabled by you".to_owned()), None),
        Some(Out::Disabled(reason)) => (KeyStatus::Disabled, Some(reason), None),
        Some(Out::Cooling(resting)) => (KeyStatus::CoolingDown, Some(resting.reason), Some(resting.until)),
        Some(Out::Failing(until, reason)) => (KeyStatus::CoolingDown, Some(reason), Some(until)),
        Some(Out::OnTrial) => (KeyStatus::Available, None, None),
    };
    let assignment = pools.assignments.get(&key.entered.id);
    KeyView {
        id: key.entered.id.clone(),
        name: key.entered.name.clone(),
        masked_key: key.entered.secret.masked(),
        status,
        status_reason,
        cooling_down_until,
        circuit: key.learned.breaker.circuit(now),
        health_score: key.learned.score.value(),
        next_retry: key.learned.breaker.opens_until(now),
        enabled: key.entered.enabled,
        project: key.entered.project.clone().or_else(|| key.learned.project.clone()),
        weight: key.entered.weight,
        proxy_id: assignment.and_then(|entry| entry.proxy_id.clone()),
        proxy_assigned_at: assignment.map(|entry| entry.assigned_at),
        is_manual: assignment.is_some_and(|entry| entry.is_manual),
        current_requests: key.learned.in_flight,
        request_count: key.learned.requests,
        failure_count: key.learned.failures,
        direct_count: key.learned.fallbacks,
        home_proxy_id: assignment.and_then(|entry| entry.home.clone()),
        last_used: key.learned.last_used,
        figures: figures::figures(&key.figures, now),
    }
}

pub(crate) fn proxy_view(proxy: &ProxyServer, pools: &Pools, now: Millis) -> ProxyView {
    ProxyView {
        id: proxy.entered.id.clone(),
        name: proxy.entered.name.clone(),
        masked_url: proxy.entered.url.masked(),
        status: match proxy.status() {
            ProxyStatus::Active => ProxyStatusView::Active,
            ProxyStatus::Inactive => ProxyStatusView::Inactive,
            ProxyStatus::Error => ProxyStatusView::Error,
        },
        enabled: proxy.entered.enabled,
        assigned_key_count: pools.assignments.count(&proxy.entered.id),
        active_requests: proxy.health.in_flight,
        last_health_check: proxy.health.last_check,
        error_count: proxy.health.errors_in_row,
        last_error: proxy.health.last_error.clone(),
        latency_ms: proxy.health.latency_ms,
        figures: figures::figures(&proxy.figures, now),
    }
}

pub(crate) fn rotating_view(proxy: &RotatingProxy, allowed: bool, now: Millis) -> RotatingView {
    let enabled = allowed && proxy.entered.enabled;
    RotatingView {
        enabled,
        mode: match (&proxy.learned.mode, enabled) {
            (_, false) => RotatingMode::Off,
            (Mode::On, true) => RotatingMode::On,
            (Mode::FallenBack, true) => RotatingMode::FallenBack,
            (Mode::Refused(_), true) => RotatingMode::Refused,
        },
        masked_url: proxy.entered.url.masked(),
        requests: proxy.learned.requests,
        success_rate: proxy.learned.success_rate(),
        average_latency_ms: proxy.figures.latency.average_ms(),
        last_error: proxy.learned.last_error.clone(),
        last_health_check: proxy.learned.last_check,
        addresses_seen: proxy.learned.exits.count(),
        last_address: proxy.learned.exits.last().map(|address| address.to_string()),
        figures: figures::figures(&proxy.figures, now),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::clock::SystemClock;
    use crate::dispatch::judge::Blame;
    use crate::figures::Of;
    use crate::fixtures::{entered_key, entered_proxy};
    use crate::requests::fixtures::request;
    use crate::settings::Settings;

    #[test]
    fn a_thousand_busy_keys_fit_into_a_megabyte() {
        let (settings, now) = (Settings::default(), crate::clock::Clock::now(&SystemClock));
        let mut pools = Pools::new(fastrand::Rng::with_seed(1));
        (1..=1_000).for_each(|number| pools.keys.add(entered_key(number)).unwrap());
        (1..=20).for_each(|number| pools.proxies.add(entered_proxy(number)).unwrap());
        pools.settle_assignments(&settings, now);
        for minutes in 0..30 {
            let at = now - (29 - minutes) * 60_000;
            let all = pools.keys.iter_mut().map(|key| &mut key.figures);
            all.for_each(|figures| (0..12).for_each(|_| figures.ended(Of::Key, Blame::Nobody, None, at)));
        }
        let state = State::new(pools, settings, Arc::new(SystemClock));
        (0..500).for_each(|number| {
            state.log.push(Arc::new(request(number)), now - 3_000_000 + u64::from(number) * 6_000)
        });
        let started = Instant::now();
        let shown = snapshot(&state, EndpointView::Stopped);
        let text = serde_json::to_string(&shown).unwrap();
        println!("{} bytes in {:?}", text.len(), started.elapsed());
        assert_eq!((shown.keys.len(), shown.requests.len(), shown.request_count), (1_000, 50, 500));
        assert!(shown.overview.minutes.len() >= 50 && shown.keys[7].figures.minutes.attempts[29] == 12);
        assert!(text.len() < 1_000_000, "{} bytes", text.len());
    }
}
