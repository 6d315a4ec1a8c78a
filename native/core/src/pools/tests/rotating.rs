//! The rotating proxy among the pools: which way keys take while it is on, falls back or is refused, and who is charged.

use std::sync::Arc;

use super::*;
use crate::proxies::fault::ProxyFault;
use crate::proxies::rotating::{Mode, parse};
use crate::settings::FailurePolicy;
use crate::vault::EnteredRotating;

fn entered(enabled: bool) -> EnteredRotating {
    EnteredRotating { url: Arc::new(parse("ada-rotate:secret@127.0.0.1:8080").unwrap()), enabled }
}

fn rotating(keys: u32, proxies: u32) -> Pools {
    let mut pools = pools(keys, proxies);
    pools.adopt_rotating(Some(entered(true)));
    pools
}

fn ways(pools: &mut Pools, settings: &Settings) -> Vec<String> {
    let way = |pick: Pick| match (&pick.proxy, pick.fallback) {
        (Some(proxy), _) => proxy.name.to_string(),
        (None, true) => "fallback".to_owned(),
        (None, false) => "direct".to_owned(),
    };
    (0..4).filter_map(|_| pools.lease(&Wish::default(), settings, 1).ok().map(way)).collect()
}

fn fail(pools: &mut Pools, fault: ProxyFault, now: Millis) -> Vec<Event> {
    let pick = lease(pools, now).unwrap();
    assert!(pick.proxy.as_ref().unwrap().rotating);
    settle(pools, &pick, &Outcome::Proxy(fault), now)
}

fn mode(pools: &Pools) -> Mode {
    pools.rotating.as_ref().unwrap().learned.mode.clone()
}

#[test]
fn while_on_every_key_takes_it_and_assignments_stay() {
    let settings = Settings::default();
    let mut pools = rotating(2, 2);
    let before = pools.entered().assignments;
    assert_eq!(ways(&mut pools, &settings), ["rotating"; 4]);
    pools.settle_assignments(&settings, 2);
    assert_eq!(pools.entered().assignments, before);
    assert!(pools.proxies.iter().all(|proxy| proxy.health.in_flight == 0), "counted nowhere else");
    pools.adopt_rotating(Some(entered(false)));
    assert_eq!(ways(&mut pools, &settings), ["p1", "p2", "p1", "p2"]);
}

#[test]
fn the_setting_keeps_it_unused() {
    let mut settings = Settings::default();
    settings.rotating_proxy.enabled = false;
    assert_eq!(ways(&mut rotating(2, 2), &settings), ["p1", "p2", "p1", "p2"]);
}

#[test]
fn faults_beyond_the_retries_fall_back_with_one_event_and_a_probe_returns() {
    let mut pools = rotating(2, 2);
    assert_eq!(fail(&mut pools, ProxyFault::Refused, 1), []);
    assert_eq!(fail(&mut pools, ProxyFault::Refused, 2), []);
    let started = lease(&mut pools, 3).unwrap();
    let events = fail(&mut pools, ProxyFault::Refused, 3);
    assert_eq!(events.len(), 1);
    assert_eq!((events[0].kind, mode(&pools)), (EventType::RotatingChanged, Mode::FallenBack));
    assert!(events[0].message.contains("each key leaves through its own proxy"), "{}", events[0].message);
    assert_eq!(ways(&mut pools, &Settings::default()).len(), 4);
    let answered = Outcome::Answered { status: 200, error: None, retry_after: None };
    settle(&mut pools, &started, &answered, 4);
    assert_eq!(mode(&pools), Mode::FallenBack, "a request that began before does not bring it back");
    let back = pools.rotating_probed(None, 5).unwrap();
    assert_eq!((back.kind, mode(&pools)), (EventType::RotatingChanged, Mode::On));
    assert_eq!(ways(&mut pools, &Settings::default()), ["rotating"; 4]);
    assert!(
        pools.proxies.iter().all(|proxy| proxy.health.errors_in_row == 0),
        "no proxy of the pool is charged"
    );
    assert!(pools.keys.iter().all(|key| key.learned.failures == 0), "no key either");
}

#[test]
fn direct_is_no_way_out_of_it_unless_the_user_chose_it() {
    let mut pools = rotating(2, 0);
    for now in 1..=3 {
        fail(&mut pools, ProxyFault::Refused, now);
    }
    let no_key = lease(&mut pools, 4).unwrap_err();
    let NoKey::AllOut(out) = no_key else { panic!("{no_key:?}") };
    assert!(out.iter().all(|key| matches!(&key.why, Why::NoRotating(words) if words.contains("refused"))));
    assert!(pools.lease_for_test(&"k1".into(), &Settings::default(), 4).is_err());
    pools.assignments.assign(&"k2".into(), None, 5);
    assert_eq!(ways(&mut pools, &Settings::default()), ["direct"; 4], "the one pinned to No Proxy");
    let mut settings = Settings::default();
    settings.proxy.failure_policy = FailurePolicy::ReassignThenDirect;
    assert!(ways(&mut pools, &settings).contains(&"fallback".to_owned()));
    settings = Settings::default();
    settings.proxy.auto_assignment = false;
    let mut unassigned = rotating(1, 0);
    (1..=3).for_each(|now| drop(fail(&mut unassigned, ProxyFault::Refused, now)));
    assert_eq!(ways(&mut unassigned, &settings), Vec::<String>::new());
}

#[test]
fn one_request_that_had_enough_goes_its_own_way_while_the_others_stay() {
    let mut pools = rotating(1, 1);
    let wish = Wish { without_rotating: true, ..Wish::default() };
    assert_eq!(pools.lease(&wish, &Settings::default(), 1).unwrap().proxy.unwrap().id, "p1".into());
    assert_eq!(ways(&mut pools, &Settings::default()), ["rotating"; 4]);
}

#[test]
fn refused_credentials_disable_it_until_the_user_acts() {
    let mut pools = rotating(1, 1);
    let events = fail(&mut pools, ProxyFault::AuthRejected, 1);
    assert!(events[0].message.contains("user name and password"), "{}", events[0].message);
    assert!(matches!(mode(&pools), Mode::Refused(_)));
    assert_eq!(ways(&mut pools, &Settings::default()), ["p1"; 4]);
    let entered = pools.entered();
    pools.adopt(entered);
    assert!(matches!(mode(&pools), Mode::Refused(_)), "another edit changes nothing");
    assert!(pools.forgive_rotating(2).is_some());
    assert_eq!(ways(&mut pools, &Settings::default()), ["rotating"; 4]);
}

fn doubtful() -> ProxyFault {
    ProxyFault::ConnectStatus { status: 502 }
}

/// Requests and probes fail behind it by turns.
fn fail_behind(pools: &mut Pools, from: Millis, times: u64) {
    for now in from..from + times {
        match now % 2 {
            0 => assert_eq!(fail(pools, doubtful(), now), []),
            _ => assert_eq!(pools.rotating_faulty(&doubtful(), &Settings::default(), now), None),
        }
    }
}

#[test]
fn an_upstream_that_stops_costs_it_nothing_whoever_was_served_just_before() {
    let mut pools = rotating(1, 1);
    pools.proxies.succeeded(&"p1".into(), 9, None);
    pools.direct_reached = Some(9);
    fail_behind(&mut pools, 10, 10);
    let learned = &pools.rotating.as_ref().unwrap().learned;
    assert_eq!((&learned.mode, learned.errors_in_row, learned.failures), (&Mode::On, 0, 5));
    assert!(learned.last_error.is_some(), "it is shown");
    assert_eq!(ways(&mut pools, &Settings::default()), ["rotating"; 4]);
}

#[test]
fn failures_between_which_others_reach_the_upstream_are_its_own() {
    for probes in [false, true] {
        let mut pools = rotating(1, 1);
        fail(&mut pools, doubtful(), 1);
        for now in [10, 20, 30] {
            assert_eq!(mode(&pools), Mode::On);
            match probes {
                true => drop(pools.proxies.succeeded(&"p1".into(), now, None)),
                false => pools.direct_reached = Some(now),
            }
            fail(&mut pools, doubtful(), now + 1);
            fail_behind(&mut pools, now + 2, if now < 30 { 3 } else { 0 });
        }
        assert_eq!(mode(&pools), Mode::FallenBack);
    }
}

#[test]
fn its_own_success_ends_the_doubt_and_says_nothing_of_later() {
    let mut pools = rotating(1, 1);
    let early = lease(&mut pools, 1).unwrap();
    fail(&mut pools, doubtful(), 2);
    settle(&mut pools, &early, &Outcome::Answered { status: 200, error: None, retry_after: None }, 3);
    let learned = &pools.rotating.as_ref().unwrap().learned;
    assert_eq!((learned.last_success, learned.last_doubt), (Some(1), None));
    pools.proxies.succeeded(&"p1".into(), 4, None);
    fail(&mut pools, doubtful(), 5);
    assert_eq!(pools.rotating.as_ref().unwrap().learned.errors_in_row, 0, "the first since");
    assert_eq!(pools.doubt(&"p1".into(), "502", 1, 6), None);
    assert_eq!(pools.doubt(&"p1".into(), "502", 1, 7), None, "nor of a proxy of the pool");
}

#[test]
fn alone_it_stays_on_when_the_upstream_stops_and_falls_back_when_it_is_dead_itself() {
    let mut pools = rotating(1, 0);
    fail_behind(&mut pools, 1, 20);
    assert_eq!(mode(&pools), Mode::On);
    let stage = crate::proxies::fault::ProxyStage::Connect;
    let dead = [
        ProxyFault::Refused,
        ProxyFault::Dns { reason: "no such host".to_owned() },
        ProxyFault::Timeout { stage, after: Duration::from_secs(10) },
    ];
    let turns: Vec<_> = (30..).zip(dead).map(|(now, fault)| fail(&mut pools, fault, now).len()).collect();
    assert_eq!((turns, mode(&pools)), (vec![0, 0, 1], Mode::FallenBack));
}

#[test]
fn an_exit_is_learned_of_an_answered_request_and_by_a_probe() {
    let mut pools = rotating(1, 0);
    let (mut first, mut second) = (lease(&mut pools, 1).unwrap(), lease(&mut pools, 1).unwrap());
    let address = |last: u8| std::net::IpAddr::from([203, 0, 113, last]);
    first.proxy.as_ref().unwrap().exit.tell(address(1));
    let exits = |pools: &Pools| {
        let exits = &pools.rotating.as_ref().unwrap().learned.exits;
        (exits.count(), exits.last())
    };
    assert_eq!(exits(&pools), (0, None));
    for pick in [&mut first, &mut second] {
        pick.answered_after = Some(Duration::ZERO);
        pools.release(pick, 2);
    }
    assert_eq!(exits(&pools), (1, Some(address(1))), "the second tunnel told nothing");
    pools.rotating_probed(Some(address(2)), 3);
    assert_eq!(exits(&pools), (2, Some(address(2))));
}

#[test]
fn an_outcome_of_another_url_says_nothing() {
    let mut pools = rotating(1, 1);
    let pick = lease(&mut pools, 1).unwrap();
    let url = Arc::new(parse("ada-rotate:new@127.0.0.1:8080").unwrap());
    pools.adopt_rotating(Some(EnteredRotating { url, enabled: true }));
    assert_eq!(settle(&mut pools, &pick, &Outcome::Proxy(ProxyFault::AuthRejected), 2), []);
    assert_eq!(mode(&pools), Mode::On);
}
