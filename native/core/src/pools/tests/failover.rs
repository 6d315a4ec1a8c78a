//! What becomes of keys whose proxy fails, by policy: who moves, who waits, who goes direct, who comes back.

use super::*;
use crate::settings::FailurePolicy;

fn with(policy: FailurePolicy) -> Settings {
    let mut settings = Settings::default();
    settings.proxy.failure_policy = policy;
    settings
}

fn pin(key: &str) -> Wish {
    Wish { pinned: Some(key.to_owned()), ..Wish::default() }
}

fn proxy_of(pools: &Pools, key: &str) -> Option<String> {
    pools.assignments.get(&key.into())?.proxy_id.as_ref().map(ToString::to_string)
}

/// That key's proxy refuses connections until it counts as in error.
fn break_proxy_of(pools: &mut Pools, key: &str, settings: &Settings) -> Vec<Event> {
    (0..3)
        .flat_map(|now| {
            let pick = pools.lease(&pin(key), settings, now).unwrap();
            pools.settle(&pick, false, &judge(&Outcome::Proxy(ProxyFault::Refused)), settings, now)
        })
        .collect()
}

#[test]
fn keys_leave_a_failed_proxy_at_once_with_one_line_about_all_of_them() {
    let settings = with(FailurePolicy::Reassign);
    let mut pools = pools(6, 3);
    let events = break_proxy_of(&mut pools, "k1", &settings);
    let failed: Vec<_> = events.iter().filter(|event| event.kind == EventType::ProxyError).collect();
    assert_eq!(failed.len(), 1);
    assert!(failed[0].message.ends_with("2 keys moved to p2, p3."), "{}", failed[0].message);
    let counts = ["p1", "p2", "p3"].map(|id| pools.assignments.count(&id.into()));
    assert_eq!(counts, [0, 3, 3]);
    assert_eq!(events.iter().filter(|event| event.kind == EventType::AssignmentChanged).count(), 2);
    let pick = pools.lease(&pin("k1"), &settings, 9).unwrap();
    assert_ne!(pick.proxy.unwrap().id, "p1".into());
}

#[test]
fn under_fail_they_wait_for_their_proxy() {
    let settings = with(FailurePolicy::Fail);
    let mut pools = pools(2, 2);
    let events = break_proxy_of(&mut pools, "k1", &settings);
    assert_eq!(proxy_of(&pools, "k1").as_deref(), Some("p1"));
    assert!(events.iter().any(|event| event.message.contains("1 key on it wait for it")), "{events:?}");
    assert_eq!(pools.lease(&pin("k1"), &settings, 9).unwrap().proxy.unwrap().id, "p1".into());
}

#[test]
fn with_no_proxy_left_nobody_goes_direct_unless_the_user_allowed_it() {
    for policy in [FailurePolicy::Reassign, FailurePolicy::Fail] {
        let settings = with(policy);
        let mut pools = pools(2, 1);
        break_proxy_of(&mut pools, "k1", &settings);
        let pick = pools.lease(&pin("k1"), &settings, 9).unwrap();
        assert!(pick.proxy.is_some() && !pick.fallback, "{policy:?}");
    }
    let settings = with(FailurePolicy::ReassignThenDirect);
    let mut pools = pools(2, 1);
    break_proxy_of(&mut pools, "k1", &settings);
    let pick = pools.lease(&pin("k2"), &settings, 9).unwrap();
    assert!(pick.proxy.is_none() && pick.fallback);
    assert_eq!(pools.keys.get(&"k2".into()).unwrap().learned.fallbacks, 1);
    assert_eq!(proxy_of(&pools, "k2").as_deref(), Some("p1"), "it is still its proxy");
    pools.proxies.succeeded(&"p1".into(), 10, None);
    assert!(pools.lease(&pin("k2"), &settings, 11).unwrap().proxy.is_some(), "back as soon as it works");
}

#[test]
fn a_proxy_the_user_disabled_is_no_reason_to_go_direct() {
    let settings = with(FailurePolicy::ReassignThenDirect);
    let mut pools = pools(1, 1);
    pools.assignments.assign(&"k1".into(), Some("p1".into()), 0);
    pools.proxies.update(&"p1".into(), None, None, Some(false)).unwrap();
    pools.settle_assignments(&settings, 0);
    assert!(matches!(pools.lease(&pin("k1"), &settings, 0), Err(NoKey::AllOut(_))));
}

#[test]
fn a_key_placed_by_hand_comes_home_and_an_automatic_one_need_not() {
    let settings = with(FailurePolicy::Reassign);
    let mut pools = pools(2, 2);
    pools.assignments.assign(&"k1".into(), Some("p1".into()), 0);
    pools.assignments.assign(&"k2".into(), Some("p2".into()), 0);
    break_proxy_of(&mut pools, "k1", &settings);
    assert_eq!(proxy_of(&pools, "k1").as_deref(), Some("p2"));
    let away = pools.assignments.get(&"k1".into()).unwrap().clone();
    assert_eq!((away.is_manual, away.home), (false, Some("p1".into())));
    let turn = pools.proxies.succeeded(&"p1".into(), 50, None).unwrap();
    let events = pools.turned(&"p1".into(), turn, &settings, 50);
    assert!(events[0].message.ends_with("1 key moved to p1."), "{}", events[0].message);
    let home = pools.assignments.get(&"k1".into()).unwrap().clone();
    assert_eq!((home.proxy_id, home.is_manual, home.home), (Some("p1".into()), true, None));
}

#[test]
fn a_home_that_is_removed_is_forgotten() {
    let settings = with(FailurePolicy::Reassign);
    let mut pools = pools(1, 2);
    pools.assignments.assign(&"k1".into(), Some("p1".into()), 0);
    break_proxy_of(&mut pools, "k1", &settings);
    pools.proxies.remove(&"p1".into()).unwrap();
    pools.settle_assignments(&settings, 5);
    assert_eq!(pools.assignments.get(&"k1".into()).unwrap().home, None);
}

fn doubtful() -> Outcome {
    Outcome::Proxy(ProxyFault::ConnectStatus { status: 502 })
}

/// That key's proxy does its part.
fn succeed(pools: &mut Pools, key: &str, settings: &Settings, now: Millis) {
    let pick = pools.lease(&pin(key), settings, now).unwrap();
    let answered = Outcome::Answered { status: 200, error: None, retry_after: None };
    pools.settle(&pick, true, &judge(&answered), settings, now);
}

#[test]
fn an_upstream_that_goes_down_moves_nobody() {
    let settings = with(FailurePolicy::ReassignThenDirect);
    let mut pools = pools(4, 2);
    let before = pools.entered().assignments;
    ["k1", "k2"].into_iter().for_each(|key| succeed(&mut pools, key, &settings, 0));
    for now in 1..20 {
        for key in ["k1", "k2", "k3", "k4"] {
            let pick = pools.lease(&pin(key), &settings, now).unwrap();
            assert_eq!(pools.settle(&pick, false, &judge(&doubtful()), &settings, now), []);
            assert!(!pick.fallback);
        }
    }
    assert_eq!(pools.entered().assignments, before);
}

#[test]
fn when_the_last_proxy_fails_it_is_said_once_and_the_user_may_allow_direct_until_one_is_back() {
    let settings = with(FailurePolicy::Reassign);
    let mut pools = pools(2, 1);
    assert!(!pools.allow_direct_until_recovery(), "a proxy works");
    let events = break_proxy_of(&mut pools, "k1", &settings);
    assert_eq!(events.iter().filter(|event| event.kind == EventType::ProxiesDown).count(), 1);
    assert!(pools.allow_direct_until_recovery());
    let pick = pools.lease(&pin("k1"), &settings, 9).unwrap();
    assert!(pick.fallback);
    assert_eq!(pools.direct_event(&pick, 9).map(|event| event.kind), Some(EventType::DirectUsed));
    assert_eq!(pools.direct_event(&pick, 10), None, "told once a minute");
    let turn = pools.proxies.succeeded(&"p1".into(), 50, None).unwrap();
    pools.turned(&"p1".into(), turn, &settings, 50);
    break_proxy_of(&mut pools, "k1", &settings);
    assert!(!pools.lease(&pin("k1"), &settings, 99).unwrap().fallback, "the word was for that once");
}

#[test]
fn while_others_reach_the_upstream_the_failing_proxy_is_to_blame() {
    let settings = with(FailurePolicy::Reassign);
    let mut pools = pools(2, 2);
    for now in [1, 3, 5] {
        let pick = pools.lease(&pin("k1"), &settings, now).unwrap();
        assert_eq!(pools.settle(&pick, false, &judge(&doubtful()), &settings, now), []);
        succeed(&mut pools, "k2", &settings, now + 1);
    }
    let pick = pools.lease(&pin("k1"), &settings, 7).unwrap();
    let events = pools.settle(&pick, false, &judge(&doubtful()), &settings, 7);
    assert_eq!(events[0].kind, EventType::ProxyError);
    assert_eq!(proxy_of(&pools, "k1").as_deref(), Some("p2"));
}

#[test]
fn an_answer_that_was_under_way_when_its_proxy_failed_does_not_bring_it_back() {
    let settings = with(FailurePolicy::Reassign);
    let mut pools = pools(2, 2);
    pools.assignments.assign(&"k1".into(), Some("p1".into()), 0);
    let answered = judge(&Outcome::Answered { status: 200, error: None, retry_after: None });
    let late = pools.lease(&pin("k1"), &settings, 0).unwrap();
    break_proxy_of(&mut pools, "k1", &settings);
    assert_eq!(pools.settle(&late, true, &answered, &settings, 9), []);
    assert_eq!(proxy_of(&pools, "k1").as_deref(), Some("p2"));
}

#[test]
fn a_request_that_failed_behind_every_proxy_does_not_go_direct() {
    let settings = with(FailurePolicy::ReassignThenDirect);
    let mut pools = pools(3, 2);
    let wish = Wish { doubted_proxies: vec!["p1".into(), "p2".into()], ..Wish::default() };
    assert!(pools.lease(&wish, &settings, 0).unwrap().proxy.is_some());
}

#[test]
fn a_request_without_another_key_takes_its_own_key_another_way() {
    let settings = with(FailurePolicy::Reassign);
    let mut pools = pools(1, 2);
    let pick = pools.lease(&Wish::default(), &settings, 0).unwrap();
    let failed = pick.proxy.clone().unwrap().id;
    let (again, events) = pools.reroute(&pick, std::slice::from_ref(&failed), &settings, 0);
    assert!(again && events[0].kind == EventType::AssignmentChanged);
    let wish = Wish { failed_proxies: vec![failed.clone()], ..Wish::default() };
    let second = pools.lease(&wish, &settings, 0).unwrap().proxy.unwrap().id;
    assert_ne!(second, failed);
    let (again, _) = pools.reroute(&pick, &[failed.clone(), second.clone()], &settings, 0);
    assert!(!again, "no third way");
    let direct = with(FailurePolicy::ReassignThenDirect);
    assert!(pools.reroute(&pick, &[failed.clone(), second.clone()], &direct, 0).0);
    let wish = Wish { failed_proxies: vec![failed.clone(), second], ..Wish::default() };
    assert!(pools.lease(&wish, &direct, 0).unwrap().fallback);
    assert!(!pools.reroute(&pick, &[failed], &with(FailurePolicy::Fail), 0).0);
}

#[test]
fn a_choice_by_hand_outlives_the_proxy_that_stood_in() {
    let settings = with(FailurePolicy::Reassign);
    let mut pools = pools(1, 3);
    pools.assignments.assign(&"k1".into(), Some("p1".into()), 0);
    break_proxy_of(&mut pools, "k1", &settings);
    for _ in 0..2 {
        let stand_in = pools.assignments.get(&"k1".into()).unwrap().proxy_id.clone().unwrap();
        pools.proxies.remove(&stand_in).unwrap();
        pools.settle_assignments(&settings, 5);
    }
    let entry = pools.assignments.get(&"k1".into()).unwrap();
    assert_eq!(
        (entry.proxy_id.clone(), entry.is_manual),
        (Some("p1".into()), true),
        "with nobody left it waits"
    );
}
