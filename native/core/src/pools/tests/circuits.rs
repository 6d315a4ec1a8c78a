//! Keys that fail while others are served, keys that Google refused, models a key has not: who is let alone, who tries
//! again, and that nothing of it happens in an outage.

use super::*;
use crate::keys::circuit::Circuit;

fn pin(key: &str) -> Wish {
    Wish { pinned: Some(key.to_owned()), ..Wish::default() }
}

fn circuit(pools: &Pools, key: &str, now: Millis) -> Circuit {
    pools.keys.get(&key.into()).unwrap().learned.breaker.circuit(now)
}

fn score(pools: &Pools, key: &str) -> f64 {
    pools.keys.get(&key.into()).unwrap().learned.score.value()
}

/// One attempt with that key, with that outcome.
fn attempt(pools: &mut Pools, key: &str, outcome: &Outcome, now: Millis) -> Vec<Event> {
    let pick = pools.lease(&pin(key), &Settings::default(), now).unwrap();
    settle(pools, &pick, outcome, now)
}

/// Fails until its circuit opens, while `k2` is served; answers when it may be tried again.
fn fail_until_open(pools: &mut Pools, from: Millis) -> Millis {
    for now in from..from + 3 {
        attempt(pools, "k1", &refused(500, None), now);
        attempt(pools, "k2", &refused(200, None), now);
    }
    attempt(pools, "k2", &refused(200, None), from + 3);
    attempt(pools, "k1", &refused(500, None), from + 3);
    pools.keys.get(&"k1".into()).unwrap().learned.breaker.opens_until(from + 3).unwrap()
}

#[test]
fn a_key_that_fails_while_others_are_served_is_let_alone() {
    for outcome in [refused(500, None), refused(403, None), Outcome::TimedOut] {
        let mut pools = pools(2, 0);
        let mut told = Vec::new();
        for now in 0..4 {
            attempt(&mut pools, "k2", &refused(200, None), now);
            told.extend(attempt(&mut pools, "k1", &outcome, now).into_iter().map(|event| event.kind));
            if circuit(&pools, "k1", now) == Circuit::Open {
                break;
            }
        }
        assert_eq!(told, [EventType::KeyCooling], "{outcome:?}");
        assert_eq!(circuit(&pools, "k1", 4), Circuit::Open);
        assert!(score(&pools, "k1") < 0.7 && score(&pools, "k2") > 0.99);
        let chosen: Vec<_> = (0..4).map(|_| lease(&mut pools, 10).unwrap().key.to_string()).collect();
        assert_eq!(chosen, ["k2"; 4]);
        let out = pools.lease(&pin("k1"), &Settings::default(), 10).unwrap_err();
        assert!(matches!(out, NoKey::AllOut(out) if matches!(out[0].why, Why::Out(Out::Failing(..)))));
    }
}

#[test]
fn an_outage_opens_no_circuit_and_costs_no_health() {
    let mut pools = pools(2, 0);
    attempt(&mut pools, "k2", &refused(200, None), 0);
    for now in 1..50 {
        for key in ["k1", "k2"] {
            attempt(&mut pools, key, &refused(500, None), now);
        }
    }
    for key in ["k1", "k2"] {
        assert_eq!((circuit(&pools, key, 50), score(&pools, key)), (Circuit::Closed, 1.0));
        assert_eq!(pools.keys.get(&key.into()).unwrap().learned.failures, 0);
    }
}

#[test]
fn a_burst_of_503_touches_nobody_even_while_others_are_served() {
    let mut pools = pools(2, 2);
    for now in 0..100 {
        assert_eq!(attempt(&mut pools, "k1", &refused(503, None), now), []);
        attempt(&mut pools, "k2", &refused(200, None), now);
    }
    assert_eq!((circuit(&pools, "k1", 100), score(&pools, "k1")), (Circuit::Closed, 1.0));
}

#[test]
fn a_callers_mistakes_and_proxy_faults_touch_no_key() {
    for outcome in [refused(400, None), Outcome::CallerGone, Outcome::Proxy(ProxyFault::Refused)] {
        let mut pools = pools(2, 2);
        let before = pools.keys.get(&"k1".into()).unwrap().learned.clone();
        for now in 0..100 {
            attempt(&mut pools, "k1", &outcome, now);
            attempt(&mut pools, "k2", &refused(200, None), now);
        }
        let after = &pools.keys.get(&"k1".into()).unwrap().learned;
        assert_eq!(
            (&after.breaker, after.score, after.failures),
            (&before.breaker, before.score, 0),
            "{outcome:?}"
        );
    }
}

#[test]
fn half_open_lets_exactly_one_through_and_its_success_closes() {
    let mut pools = pools(2, 0);
    let until = fail_until_open(&mut pools, 0);
    let trial = pools.lease(&pin("k1"), &Settings::default(), until).unwrap();
    assert!(trial.trial);
    let second = pools.lease(&pin("k1"), &Settings::default(), until).unwrap_err();
    assert!(matches!(second, NoKey::AllOut(out) if out[0].why == Why::Out(Out::OnTrial)));
    let told = settle(&mut pools, &trial, &refused(200, None), until + 1);
    assert_eq!(told[0].kind, EventType::KeyAvailable);
    assert_eq!(circuit(&pools, "k1", until + 1), Circuit::Closed);
    assert!(!pools.lease(&pin("k1"), &Settings::default(), until + 1).unwrap().trial);
}

#[test]
fn a_session_that_was_taken_ends_the_trial_while_it_lasts() {
    let mut pools = pools(2, 0);
    let until = fail_until_open(&mut pools, 0);
    let settings = Settings::default();
    let mut session = pools.lease(&pin("k1"), &settings, until).unwrap();
    let told = pools.charge(&session, true, &judge(&refused(101, None)), &settings, until);
    session.trial = false;
    assert_eq!(told[0].kind, EventType::KeyAvailable);
    assert_eq!(circuit(&pools, "k1", until), Circuit::Closed);
    let in_flight = |pools: &Pools| pools.keys.get(&"k1".into()).unwrap().learned.in_flight;
    assert_eq!(in_flight(&pools), 1, "it lasts");
    settle(&mut pools, &session, &refused(101, None), until + 3_600_000);
    assert_eq!(in_flight(&pools), 0);
}

#[test]
fn a_trial_that_fails_opens_again_for_longer() {
    let mut pools = pools(2, 0);
    let until = fail_until_open(&mut pools, 0);
    attempt(&mut pools, "k2", &refused(200, None), until);
    attempt(&mut pools, "k1", &refused(500, None), until);
    let again = pools.keys.get(&"k1".into()).unwrap().learned.breaker.opens_until(until).unwrap();
    assert!((48_000..=72_000).contains(&(again - until)), "{}", again - until);
}

#[test]
fn a_trial_that_tells_nothing_leaves_the_next_one_free() {
    let mut pools = pools(2, 1);
    let until = fail_until_open(&mut pools, 0);
    for outcome in
        [Outcome::CallerGone, Outcome::Proxy(ProxyFault::Refused), refused(503, None), refused(500, None)]
    {
        // The upstream fails for all by now: even a 500 tells nothing.
        let pick = pools.lease(&pin("k1"), &Settings::default(), until + 120_000).unwrap();
        assert!(pick.trial, "{outcome:?}");
        settle(&mut pools, &pick, &outcome, until + 120_000);
    }
    let dropped = pools.lease(&pin("k1"), &Settings::default(), until + 120_000).unwrap();
    pools.release(&dropped, until + 120_000);
    assert!(pools.lease(&pin("k1"), &Settings::default(), until + 120_000).unwrap().trial);
}

#[test]
fn what_began_before_the_circuit_opened_neither_counts_nor_is_a_trial() {
    let mut pools = pools(2, 0);
    let early: Vec<_> = (0..5).map(|_| pools.lease(&pin("k1"), &Settings::default(), 0).unwrap()).collect();
    let until = fail_until_open(&mut pools, 1);
    for pick in &early[1..] {
        assert_eq!(settle(&mut pools, pick, &refused(500, None), 10), []);
    }
    assert_eq!(pools.keys.get(&"k1".into()).unwrap().learned.breaker.opens_until(10), Some(until));
    settle(&mut pools, &early[0], &refused(200, None), 11);
    assert_eq!(circuit(&pools, "k1", 11), Circuit::Closed, "it works after all");
}

#[test]
fn a_refused_key_is_tried_again_later_and_comes_back_when_google_takes_it() {
    let mut pools = pools(2, 0);
    let slow = pools.lease(&pin("k1"), &Settings::default(), 0).unwrap();
    assert_eq!(attempt(&mut pools, "k1", &refused(401, None), 0)[0].kind, EventType::KeyDisabled);
    assert_eq!(settle(&mut pools, &slow, &refused(200, None), 5), [], "older than the refusal");
    assert!(pools.lease(&pin("k1"), &Settings::default(), 400_000).is_err());
    let later = 800_000;
    assert_eq!(attempt(&mut pools, "k1", &refused(401, None), later), [], "said once");
    assert!(pools.lease(&pin("k1"), &Settings::default(), later + 900_000).is_err(), "twice as long");
    let told = attempt(&mut pools, "k1", &refused(200, None), later + 1_500_000);
    assert_eq!(told[0].kind, EventType::KeyAvailable);
    assert_eq!(pools.keys.get(&"k1".into()).unwrap().disabled(), None);
}

#[test]
fn a_quota_answer_to_a_refused_keys_trial_proves_that_it_is_valid() {
    let mut pools = pools(1, 0);
    attempt(&mut pools, "k1", &refused(401, None), 0);
    attempt(&mut pools, "k1", &refused(429, Some(5)), 900_000);
    assert_eq!(pools.keys.get(&"k1".into()).unwrap().disabled(), None);
    assert!(pools.lease(&pin("k1"), &Settings::default(), 905_000).is_ok());
}

#[test]
fn a_key_the_user_disabled_is_never_tried() {
    let mut pools = pools(1, 0);
    attempt(&mut pools, "k1", &refused(401, None), 0);
    pools.keys.set_enabled(&"k1".into(), false).unwrap();
    assert!(pools.lease(&pin("k1"), &Settings::default(), Millis::MAX / 2).is_err());
}

#[test]
fn enabling_by_hand_closes_the_circuit() {
    let mut pools = pools(2, 0);
    fail_until_open(&mut pools, 0);
    pools.forgive(&"k1".into());
    assert_eq!((circuit(&pools, "k1", 10), score(&pools, "k1")), (Circuit::Closed, 1.0));
}

#[test]
fn a_request_that_cannot_be_repeated_does_not_try_a_key_out() {
    let mut pools = pools(2, 0);
    let until = fail_until_open(&mut pools, 0);
    let careful = Wish { careful: true, ..Wish::default() };
    for _ in 0..5 {
        assert_eq!(pools.lease(&careful, &Settings::default(), until).unwrap().key, "k2".into());
    }
    pools.keys.set_enabled(&"k2".into(), false).unwrap();
    assert_eq!(
        pools.lease(&careful, &Settings::default(), until).unwrap().key,
        "k1".into(),
        "with nobody else it does"
    );
}

fn no_model(model: &str) -> Outcome {
    let message = format!("models/{model} is not found for API version v1beta");
    let error = UpstreamError { message, ..UpstreamError::default() };
    Outcome::Answered { status: 404, error: Some(Box::new(error)), retry_after: None }
}

#[test]
fn a_model_that_a_key_has_not_concerns_only_the_two() {
    let mut pools = pools(2, 0);
    let asked = Wish { pinned: Some("k1".to_owned()), ..for_model("pro") };
    let pick = pools.lease(&asked, &Settings::default(), 0).unwrap();
    assert_eq!(settle(&mut pools, &pick, &no_model("pro"), 0), []);
    let chosen = |pools: &mut Pools, model: &str| -> Vec<String> {
        let mut keys: Vec<_> = (0..4)
            .map(|_| pools.lease(&for_model(model), &Settings::default(), 1).unwrap().key.to_string())
            .collect();
        keys.sort();
        keys.dedup();
        keys
    };
    assert_eq!(chosen(&mut pools, "pro"), ["k2"]);
    assert_eq!(chosen(&mut pools, "flash"), ["k1", "k2"]);
    assert_eq!(score(&pools, "k1"), 1.0);
    let asked = Wish { tried: vec!["k2".into()], ..for_model("pro") };
    assert_eq!(
        pools.lease(&asked, &Settings::default(), 1).unwrap_err(),
        NoKey::AllTried,
        "asked in vain once"
    );
}

#[test]
fn keys_of_another_project_go_first() {
    let mut pools = pools(0, 0);
    for number in 1..=3 {
        let project = Some(if number < 3 { "a" } else { "b" }.to_owned());
        pools.keys.add(EnteredKey { project, ..entered_key(number) }).unwrap();
    }
    let wish = Wish { tried: vec!["k1".into()], tried_projects: vec!["a".to_owned()], ..Wish::default() };
    for _ in 0..3 {
        assert_eq!(pools.lease(&wish, &Settings::default(), 0).unwrap().key, "k3".into());
    }
    let wish = Wish { tried: vec!["k1".into(), "k3".into()], ..wish };
    assert_eq!(pools.lease(&wish, &Settings::default(), 0).unwrap().key, "k2".into());
}
