//! What a scrape shows: the figures that requests left, bounded, without secrets.

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::clock::SystemClock;
use crate::dispatch::judge::Outcome;
use crate::fixtures::{entered_key, entered_proxy};
use crate::pools::{Pools, Wish};
use crate::settings::Settings;

fn state(keys: u32, proxies: u32) -> Arc<State> {
    let mut pools = Pools::new(fastrand::Rng::with_seed(1));
    (1..=proxies).for_each(|number| pools.proxies.add(entered_proxy(number)).unwrap());
    (1..=keys).for_each(|number| pools.keys.add(entered_key(number)).unwrap());
    pools.settle_assignments(&Settings::default(), 0);
    State::new(pools, Settings::default(), Arc::new(SystemClock))
}

fn serve(state: &Arc<State>, took: Duration) {
    let mut lease = state.lease(&Wish::default(), state.now()).unwrap();
    lease.answered(took);
    lease.pick.meters.opened();
    lease.pick.meters.sent(300);
    lease.settle(&Outcome::Answered { status: 200, error: None, retry_after: None });
}

#[test]
fn requests_show_on_their_key_and_on_their_proxy() {
    let state = state(1, 1);
    serve(&state, Duration::from_millis(80));
    let text = text(&state).unwrap();
    let has = |line: &str| assert!(text.lines().any(|one| one == line), "{line}\nin\n{text}");
    has("# TYPE gemini_aggregator_key_attempts_total counter");
    has("gemini_aggregator_key_attempts_total{key=\"k1\",name=\"key 1\",outcome=\"served\"} 1");
    has("gemini_aggregator_key_answer_seconds_bucket{key=\"k1\",name=\"key 1\",le=\"0.1\"} 1");
    has("gemini_aggregator_proxy_bytes_total{proxy=\"p1\",name=\"p1\",direction=\"sent\"} 300");
    has("gemini_aggregator_proxy_tunnels_opened_total{proxy=\"p1\",name=\"p1\"} 1");
    has("gemini_aggregator_proxy_assigned_keys{proxy=\"p1\",name=\"p1\"} 1.0");
    has("gemini_aggregator_proxy_attempts_total{proxy=\"direct\",name=\"direct\",outcome=\"served\"} 0");
    has("gemini_aggregator_balance_spread_keys 0.0");
    has("gemini_aggregator_direct_requests_total 0");
}

#[test]
fn a_multitude_is_added_up_and_nothing_is_lost() {
    let state = state(1_200, 0);
    (0..1_200).for_each(|_| serve(&state, Duration::from_millis(1)));
    let text = text(&state).unwrap();
    let served: Vec<u64> = text
        .lines()
        .filter(|line| {
            line.starts_with("gemini_aggregator_key_attempts_total") && line.contains("\"served\"")
        })
        .map(|line| line.rsplit(' ').next().unwrap().parse().unwrap())
        .collect();
    assert_eq!((served.len(), served.iter().sum()), (500, 1_200));
}

#[test]
fn no_secret_is_shown() {
    let state = state(3, 3);
    serve(&state, Duration::from_millis(1));
    let text = text(&state).unwrap();
    let pools = state.pools.lock();
    for key in pools.keys.iter() {
        assert!(!text.contains(key.entered.secret.expose()));
    }
    assert!(!text.contains("://"), "no URL of a proxy");
}
