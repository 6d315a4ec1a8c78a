//! What a pick and a settlement promise to the rest of the core: who is chosen, who is charged, who never is.

mod circuits;
mod clock;
mod failover;
mod figures;
mod rotating;

use std::time::Duration;

use super::*;
use crate::dispatch::judge::{Outcome, judge};
use crate::dispatch::upstream_error::{UpstreamError, Violation};
use crate::events::{Event, EventType};
use crate::fixtures::{entered_key, entered_proxy};
use crate::proxies::fault::ProxyFault;
use crate::proxies::pool::ProxyStatus;
use crate::vault::EnteredKey;

fn pools(keys: u32, proxies: u32) -> Pools {
    let mut pools = Pools::new(fastrand::Rng::with_seed(1));
    for number in 1..=proxies {
        pools.proxies.add(entered_proxy(number)).unwrap();
    }
    for number in 1..=keys {
        pools.keys.add(entered_key(number)).unwrap();
    }
    pools.settle_assignments(&Settings::default(), 0);
    pools
}

fn lease(pools: &mut Pools, now: Millis) -> Result<Pick, NoKey> {
    pools.lease(&Wish::default(), &Settings::default(), now)
}

fn settle(pools: &mut Pools, pick: &Pick, outcome: &Outcome, now: Millis) -> Vec<Event> {
    pools.settle(pick, outcome.reached_upstream(), &judge(outcome), &Settings::default(), now)
}

fn refused(status: u16, retry: Option<u64>) -> Outcome {
    let error = UpstreamError { retry_delay: retry.map(Duration::from_secs), ..UpstreamError::default() };
    Outcome::Answered { status, error: Some(Box::new(error)), retry_after: None }
}

#[test]
fn keys_take_turns_each_through_its_own_proxy() {
    let mut pools = pools(2, 2);
    let picks: Vec<_> = (0..4).map(|_| lease(&mut pools, 1).unwrap()).collect();
    let pairs: Vec<_> =
        picks.iter().map(|pick| format!("{} {}", pick.key, pick.proxy.as_ref().unwrap().id)).collect();
    assert_eq!(pairs, ["k1 p1", "k2 p2", "k1 p1", "k2 p2"]);
}

#[test]
fn a_429_rests_the_key_for_the_time_named_and_no_other() {
    let mut pools = pools(2, 0);
    let pick = lease(&mut pools, 0).unwrap();
    settle(&mut pools, &pick, &refused(429, Some(30)), 1_000);
    for _ in 0..3 {
        assert_eq!(lease(&mut pools, 30_999).unwrap().key, "k2".into());
    }
    let names: Vec<_> = (0..2).map(|_| lease(&mut pools, 31_000).unwrap().key.to_string()).collect();
    assert!(names.contains(&"k1".to_owned()));
}

#[test]
fn a_later_shorter_wait_does_not_shorten_a_known_one() {
    let mut pools = pools(1, 0);
    let (first, second) = (lease(&mut pools, 0).unwrap(), lease(&mut pools, 0).unwrap());
    settle(&mut pools, &first, &refused(429, Some(60)), 0);
    settle(&mut pools, &second, &refused(429, Some(1)), 0);
    assert!(matches!(lease(&mut pools, 59_999), Err(NoKey::AllOut(_))));
}

#[test]
fn an_invalid_key_is_disabled_and_a_changed_text_is_not_charged() {
    let mut pools = pools(1, 0);
    let stale = lease(&mut pools, 0).unwrap();
    let fresh =
        crate::keys::KeyPatch { secret: Some(Secret::new("test-key-replaced")), ..Default::default() };
    pools.keys.modify(&"k1".into(), fresh).unwrap();
    assert_eq!(settle(&mut pools, &stale, &refused(401, None), 0), []);
    let pick = lease(&mut pools, 0).unwrap();
    let events = settle(&mut pools, &pick, &refused(401, None), 0);
    assert_eq!(events[0].kind, EventType::KeyDisabled);
    assert!(matches!(lease(&mut pools, 0), Err(NoKey::AllOut(_))));
}

#[test]
fn a_proxy_fault_charges_the_proxy_alone() {
    let mut pools = pools(1, 1);
    for _ in 0..3 {
        let pick = lease(&mut pools, 0).unwrap();
        settle(&mut pools, &pick, &Outcome::Proxy(ProxyFault::Refused), 0);
    }
    let key = pools.keys.get(&"k1".into()).unwrap();
    assert_eq!((key.learned.failures, pools.out(key, None, 0)), (0, None));
    assert_eq!(pools.proxies.get(&"p1".into()).unwrap().status(), ProxyStatus::Error);
}

#[test]
fn an_upstream_outage_charges_nobody() {
    let mut pools = pools(1, 1);
    for outcome in [refused(503, None), Outcome::TimedOut, Outcome::Interrupted("cut".to_owned())] {
        let pick = lease(&mut pools, 0).unwrap();
        assert_eq!(settle(&mut pools, &pick, &outcome, 0), []);
    }
    assert_eq!(pools.out(pools.keys.get(&"k1".into()).unwrap(), None, 0), None);
    assert_eq!(pools.proxies.get(&"p1".into()).unwrap().status(), ProxyStatus::Active);
}

fn fails_behind_the_proxy(pools: &mut Pools, key: &str, now: Millis) {
    let pin = Wish { pinned: Some(key.to_owned()), ..Wish::default() };
    let pick = pools.lease(&pin, &Settings::default(), now).unwrap();
    settle(pools, &pick, &Outcome::Proxy(ProxyFault::ConnectStatus { status: 502 }), now);
}

#[test]
fn while_nobody_reaches_the_upstream_no_proxy_is_in_error() {
    let mut pools = pools(2, 2);
    for now in 0..10 {
        fails_behind_the_proxy(&mut pools, "k1", now);
        fails_behind_the_proxy(&mut pools, "k2", now);
    }
    for proxy in pools.proxies.iter() {
        assert_eq!(proxy.status(), ProxyStatus::Active);
        assert!(proxy.health.last_error.is_some(), "it is shown all the same");
    }
}

#[test]
fn nothing_stays_in_flight_after_settling() {
    let mut pools = pools(1, 1);
    let pick = lease(&mut pools, 0).unwrap();
    assert_eq!(pools.keys.get(&"k1".into()).unwrap().learned.in_flight, 1);
    settle(&mut pools, &pick, &refused(200, None), 0);
    assert_eq!(pools.keys.get(&"k1".into()).unwrap().learned.in_flight, 0);
    assert_eq!(pools.proxies.get(&"p1".into()).unwrap().health.in_flight, 0);
}

#[test]
fn a_key_whose_proxy_is_disabled_never_goes_direct() {
    let mut pools = pools(1, 1);
    pools.assignments.assign(&"k1".into(), Some("p1".into()), 0);
    pools.proxies.update(&"p1".into(), None, None, Some(false)).unwrap();
    pools.settle_assignments(&Settings::default(), 0);
    let expected = KeyOut { name: "key 1".to_owned(), why: Why::ProxyDisabled("p1".to_owned()) };
    assert_eq!(lease(&mut pools, 0).unwrap_err(), NoKey::AllOut(vec![expected]));
}

#[test]
fn an_automatic_key_waits_when_no_proxy_is_enabled() {
    let mut pools = pools(0, 1);
    pools.proxies.update(&"p1".into(), None, None, Some(false)).unwrap();
    pools.keys.add(entered_key(1)).unwrap();
    pools.settle_assignments(&Settings::default(), 0);
    assert!(matches!(lease(&mut pools, 0), Err(NoKey::AllOut(out)) if out[0].why == Why::NoProxyEnabled));
}

#[test]
fn a_pinned_key_serves_or_nobody_does() {
    let mut pools = pools(2, 0);
    let pin = |text: &str| Wish { pinned: Some(text.to_owned()), ..Wish::default() };
    assert_eq!(pools.lease(&pin("key 2"), &Settings::default(), 0).unwrap().key, "k2".into());
    assert_eq!(pools.lease(&pin("k2"), &Settings::default(), 0).unwrap().key, "k2".into());
    let unknown = pools.lease(&pin("k9"), &Settings::default(), 0).unwrap_err();
    assert_eq!(unknown, NoKey::UnknownPin("k9".to_owned()));
}

fn for_model(model: &str) -> Wish {
    Wish { model: Some(model.into()), ..Wish::default() }
}

#[test]
fn a_model_at_rest_leaves_the_key_free_for_others() {
    let mut pools = pools(1, 0);
    let settings = Settings::default();
    let pick = pools.lease(&for_model("pro"), &settings, 0).unwrap();
    settle(&mut pools, &pick, &refused(429, Some(30)), 0);
    assert!(matches!(pools.lease(&for_model("pro"), &settings, 29_999), Err(NoKey::AllOut(_))));
    assert!(pools.lease(&for_model("flash"), &settings, 0).is_ok());
    assert!(pools.lease(&for_model("pro"), &settings, 30_000).is_ok());
}

#[test]
fn keys_of_one_project_rest_together_whoever_named_it() {
    let mut pools = pools(0, 0);
    for number in 1..=3 {
        let project = (number < 3).then(|| "projects/7".to_owned());
        pools.keys.add(EnteredKey { project, ..entered_key(number) }).unwrap();
    }
    let settings = Settings::default();
    let pin = |key: &str| Wish { pinned: Some(key.to_owned()), ..for_model("pro") };
    let pick = pools.lease(&pin("k1"), &settings, 0).unwrap();
    settle(&mut pools, &pick, &refused(429, Some(30)), 0);
    assert!(matches!(pools.lease(&pin("k2"), &settings, 0), Err(NoKey::AllOut(_))), "the same project");
    let third = pools.lease(&pin("k3"), &settings, 0).unwrap();
    let error = UpstreamError { consumer: Some("projects/7".to_owned()), ..UpstreamError::default() };
    settle(
        &mut pools,
        &third,
        &Outcome::Answered { status: 429, error: Some(Box::new(error)), retry_after: None },
        0,
    );
    assert!(matches!(pools.lease(&pin("k3"), &settings, 0), Err(NoKey::AllOut(_))));
    assert_eq!(pools.keys.get(&"k3".into()).unwrap().quota_project(), "projects/7");
}

#[test]
fn a_daily_quota_rests_until_midnight_in_los_angeles() {
    let mut pools = pools(1, 0);
    let settings = Settings::default();
    // 2026-07-15T12:00Z; midnight there is 07:00Z.
    let (noon, midnight) = (1_784_116_800_000, 1_784_185_200_000);
    let pick = pools.lease(&for_model("pro"), &settings, noon).unwrap();
    let violation =
        Violation { quota: "GenerateRequestsPerDay-FreeTier".to_owned(), value: Some(50), model: None };
    let error = UpstreamError {
        retry_delay: Some(Duration::from_secs(37)),
        violations: vec![violation],
        ..UpstreamError::default()
    };
    settle(
        &mut pools,
        &pick,
        &Outcome::Answered { status: 429, error: Some(Box::new(error)), retry_after: None },
        noon,
    );
    assert!(matches!(pools.lease(&for_model("pro"), &settings, midnight - 1), Err(NoKey::AllOut(_))));
    assert!(pools.lease(&for_model("pro"), &settings, midnight).is_ok());
}

#[test]
fn a_replaced_key_does_not_serve_the_rest_of_the_old_one() {
    let mut pools = pools(1, 0);
    let pick = lease(&mut pools, 0).unwrap();
    settle(&mut pools, &pick, &refused(429, Some(30)), 0);
    let mut next = pools.clone();
    let fresh =
        crate::keys::KeyPatch { secret: Some(Secret::new("test-key-replaced")), ..Default::default() };
    next.keys.modify(&"k1".into(), fresh).unwrap();
    pools.take_over(next, &["k1".into()]);
    assert!(lease(&mut pools, 1).is_ok());
}

#[test]
fn a_request_may_wait_only_for_rests() {
    let settings = Settings::default();
    let mut pools = pools(2, 0);
    let wish = for_model("pro");
    assert_eq!(pools.earliest_return(&wish, &settings, 0), None, "somebody can serve");
    for seconds in [30, 20] {
        let pick = pools.lease(&wish, &settings, 0).unwrap();
        settle(&mut pools, &pick, &refused(429, Some(seconds)), 0);
    }
    assert_eq!(pools.earliest_return(&wish, &settings, 0), Some(20_000));
    pools.keys.set_enabled(&"k2".into(), false).unwrap();
    assert_eq!(pools.earliest_return(&wish, &settings, 0), Some(30_000), "not for a disabled key");
    pools.keys.set_enabled(&"k1".into(), false).unwrap();
    assert_eq!(pools.earliest_return(&wish, &settings, 0), None);
}

#[test]
fn enabling_a_key_by_hand_ends_its_rest() {
    let mut pools = pools(1, 0);
    let pick = lease(&mut pools, 0).unwrap();
    settle(&mut pools, &pick, &refused(429, Some(30)), 0);
    pools.forgive(&"k1".into());
    assert!(lease(&mut pools, 1).is_ok());
}

#[test]
fn a_conversation_goes_out_with_its_key_while_that_can_serve() {
    let mut pools = pools(3, 0);
    let wish = Wish { preferred: Some("k2".into()), ..Wish::default() };
    let settings = Settings::default();
    for _ in 0..3 {
        assert_eq!(pools.lease(&wish, &settings, 1).unwrap().key, "k2".into());
    }
    let pick = pools.lease(&wish, &settings, 1).unwrap();
    settle(&mut pools, &pick, &refused(429, Some(30)), 1_000);
    assert_ne!(pools.lease(&wish, &settings, 2_000).unwrap().key, "k2".into(), "another serves meanwhile");
    assert_eq!(pools.lease(&wish, &settings, 31_001).unwrap().key, "k2".into());
}
