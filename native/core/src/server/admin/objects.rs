//! Keys, proxies and the rotating proxy as the admin API shows them: the fields that other programs rely on, and a
//! version each. Built from the views, under one lock of the pools; times are milliseconds since 1970.
//!
//! Invariant: like the views, objects hold no key and no password.

use serde::Serialize;

use super::answers::Fault;
use crate::clock::Millis;
use crate::command::Refusal;
use crate::ids::{KeyId, ProxyId};
use crate::keys::circuit::Circuit;
use crate::keys::{ApiKey, KeyError};
use crate::pools::Pools;
use crate::proxies::pool::{PoolError, ProxyServer};
use crate::state::State;
use crate::versions::Versions;
use crate::views::{
    KeyStatus, ProxyStatusView, RotatingMode, RotatingView, key_view, proxy_view, rotating_view,
};

const MINUTE: Millis = 60_000;

#[derive(Serialize)]
pub struct KeyObject {
    pub id: KeyId,
    name: String,
    status: KeyStatus,
    /// Why it is cooling down or disabled.
    status_reason: Option<String>,
    health_score: f64,
    circuit: Circuit,
    last_used: Option<Millis>,
    failure_count: u64,
    next_retry: Option<Millis>,
    weight: u32,
    project: Option<String>,
    cooldown_seconds: Option<u32>,
    proxy_id: Option<ProxyId>,
    proxy_assigned_at: Option<Millis>,
    is_manual: bool,
    current_requests: u32,
    cooling_down_until: Option<Millis>,
    used_history: Vec<UsedMinute>,
    masked_key: String,
    pub version: String,
}

/// One minute of the last half hour in which the key was used.
#[derive(Serialize)]
pub struct UsedMinute {
    at: Millis,
    attempts: u64,
    failures: u64,
}

#[derive(Serialize)]
pub struct ProxyObject {
    pub id: ProxyId,
    name: String,
    masked_url: String,
    status: ProxyStatusView,
    enabled: bool,
    assigned_key_count: u32,
    active_requests: u32,
    last_health_check: Option<Millis>,
    error_count: u32,
    last_error: Option<String>,
    latency_ms: Option<u64>,
    pub version: String,
}

#[derive(Serialize)]
pub struct RotatingObject {
    enabled: bool,
    mode: RotatingMode,
    /// null: there is none.
    masked_url: Option<String>,
    requests: u64,
    success_rate: Option<f64>,
    average_latency_ms: Option<u64>,
    addresses_seen: usize,
    last_address: Option<String>,
    last_error: Option<String>,
    last_health_check: Option<Millis>,
    pub version: String,
}

#[derive(Serialize)]
pub struct Keys {
    pub keys: Vec<KeyObject>,
    pub version: String,
}

#[derive(Serialize)]
pub struct Proxies {
    pub proxies: Vec<ProxyObject>,
    pub version: String,
}

pub fn keys(state: &State) -> Keys {
    let now = state.now();
    let pools = state.pools.lock();
    let keys: Vec<KeyObject> =
        pools.keys.iter().map(|key| key_object(key, &pools, &state.versions, now)).collect();
    let version = state.versions.of_all(keys.iter().map(|key| key.version.clone()));
    Keys { keys, version }
}

pub fn key(state: &State, id: &KeyId) -> Result<KeyObject, Fault> {
    let now = state.now();
    let pools = state.pools.lock();
    let found = pools.keys.get(id).map(|key| key_object(key, &pools, &state.versions, now));
    found.ok_or_else(|| Refusal::from(KeyError::NotFound(id.clone())).into())
}

pub fn proxies(state: &State) -> Proxies {
    let now = state.now();
    let pools = state.pools.lock();
    let proxies: Vec<ProxyObject> =
        pools.proxies.iter().map(|proxy| proxy_object(proxy, &pools, &state.versions, now)).collect();
    let version = state.versions.of_all(proxies.iter().map(|proxy| proxy.version.clone()));
    Proxies { proxies, version }
}

pub fn proxy(state: &State, id: &ProxyId) -> Result<ProxyObject, Fault> {
    let now = state.now();
    let pools = state.pools.lock();
    let found = pools.proxies.get(id).map(|proxy| proxy_object(proxy, &pools, &state.versions, now));
    found.ok_or_else(|| Refusal::from(PoolError::NotFound(id.clone())).into())
}

pub fn rotating(state: &State) -> RotatingObject {
    let (now, allowed) = (state.now(), state.settings().rotating_proxy.enabled);
    let pools = state.pools.lock();
    let version = state.versions.of_rotating(&pools);
    let view: Option<RotatingView> = pools.rotating.as_ref().map(|proxy| rotating_view(proxy, allowed, now));
    let Some(view) = view else { return no_rotating(version) };
    RotatingObject {
        enabled: view.enabled,
        mode: view.mode,
        masked_url: Some(view.masked_url),
        requests: view.requests,
        success_rate: view.success_rate,
        average_latency_ms: view.average_latency_ms,
        addresses_seen: view.addresses_seen,
        last_address: view.last_address,
        last_error: view.last_error,
        last_health_check: view.last_health_check,
        version,
    }
}

fn no_rotating(version: String) -> RotatingObject {
    RotatingObject {
        enabled: false,
        mode: RotatingMode::Off,
        masked_url: None,
        requests: 0,
        success_rate: None,
        average_latency_ms: None,
        addresses_seen: 0,
        last_address: None,
        last_error: None,
        last_health_check: None,
        version,
    }
}

fn key_object(key: &ApiKey, pools: &Pools, versions: &Versions, now: Millis) -> KeyObject {
    let view = key_view(key, pools, now);
    KeyObject {
        id: view.id,
        name: view.name,
        status: view.status,
        status_reason: view.status_reason,
        health_score: view.health_score,
        circuit: view.circuit,
        last_used: view.last_used,
        failure_count: view.failure_count,
        next_retry: view.next_retry,
        weight: view.weight,
        project: view.project,
        cooldown_seconds: key.entered.cooldown_seconds,
        proxy_id: view.proxy_id,
        proxy_assigned_at: view.proxy_assigned_at,
        is_manual: view.is_manual,
        current_requests: view.current_requests,
        cooling_down_until: view.cooling_down_until,
        used_history: used(&view.figures.minutes.attempts, &view.figures.minutes.failures, now),
        masked_key: view.masked_key,
        version: versions.of_key(key, pools),
    }
}

fn used(attempts: &[u64], failures: &[u64], now: Millis) -> Vec<UsedMinute> {
    let first = (now / MINUTE + 1).saturating_sub(attempts.len() as Millis);
    let minutes = (first..).zip(attempts.iter().zip(failures));
    minutes
        .filter(|(_, (attempts, _))| **attempts > 0)
        .map(|(minute, (attempts, failures))| UsedMinute {
            at: minute * MINUTE,
            attempts: *attempts,
            failures: *failures,
        })
        .collect()
}

fn proxy_object(proxy: &ProxyServer, pools: &Pools, versions: &Versions, now: Millis) -> ProxyObject {
    let view = proxy_view(proxy, pools, now);
    ProxyObject {
        id: view.id,
        name: view.name,
        masked_url: view.masked_url,
        status: view.status,
        enabled: view.enabled,
        assigned_key_count: view.assigned_key_count,
        active_requests: view.active_requests,
        last_health_check: view.last_health_check,
        error_count: view.error_count,
        last_error: view.last_error,
        latency_ms: view.latency_ms,
        version: versions.of_proxy(proxy),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_history_names_the_minutes_in_which_the_key_was_used() {
        let shown = used(&[0, 3, 0, 5], &[0, 1, 0, 0], 100 * MINUTE + 7);
        let told: Vec<_> = shown.iter().map(|one| (one.at / MINUTE, one.attempts, one.failures)).collect();
        assert_eq!(told, [(98, 3, 1), (100, 5, 0)]);
        assert!(used(&[], &[], 5).is_empty());
    }
}
