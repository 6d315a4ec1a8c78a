//! When the search goes on, after what pause, and when it must not: bounds on attempts and time, creating calls, waits.

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::dispatch::judge::judge;
use crate::dispatch::upstream_error::UpstreamError;
use crate::figures::meter::Meters;
use crate::pools::PickedProxy;
use crate::proxies::fault::ProxyFault;
use crate::secret::Secret;

fn search(creates: bool) -> Search {
    Search::new(Asked { creates, ..Asked::default() }, &Settings::default(), 1_000)
}

fn pick(key: &str) -> Pick {
    Pick {
        answered_after: None,
        meters: Meters::default(),
        key: key.into(),
        key_name: key.into(),
        secret: Secret::new("test-key"),
        proxy: None,
        model: None,
        begun: 0,
        trial: false,
        fallback: false,
    }
}

fn status(status: u16) -> Outcome {
    Outcome::Answered { status, error: None, retry_after: None }
}

fn failed(search: &mut Search, key: &str, outcome: &Outcome, now: Millis) -> Next {
    let verdict = judge(outcome);
    let attempt = Attempted { pick: &pick(key), outcome, verdict: &verdict, repeatable: true };
    search.failed(attempt, None, now, &mut fastrand::Rng::with_seed(1))
}

fn pause(next: Next, now: Millis) -> Millis {
    match next {
        Next::Again(at) => at - now,
        Next::GiveUp => panic!("gave up"),
    }
}

#[test]
fn another_key_asks_at_once_unless_the_upstream_fails() {
    let instantly = [status(429), status(401), Outcome::Proxy(ProxyFault::Refused), Outcome::TimedOut];
    for outcome in instantly {
        assert_eq!(failed(&mut search(false), "a", &outcome, 1_000), Next::Again(1_000), "{outcome:?}");
    }
    for outcome in [status(503), status(500), Outcome::Unreachable("no route".to_owned())] {
        let mut search = search(false);
        let pauses = [0, 1, 2].map(|_| pause(failed(&mut search, "a", &outcome, 1_000), 1_000));
        for (pause, middle) in pauses.into_iter().zip([250, 500, 1_000]) {
            assert!((middle * 8 / 10..=middle * 12 / 10).contains(&pause), "{outcome:?}: {pauses:?}");
        }
    }
}

#[test]
fn a_pause_the_upstream_asks_for_is_kept_or_handed_to_the_client() {
    let asks = |seconds| Outcome::Answered {
        status: 503,
        error: None,
        retry_after: Some(Duration::from_secs(seconds)),
    };
    assert_eq!(failed(&mut search(false), "a", &asks(8), 1_000), Next::Again(9_000));
    assert_eq!(failed(&mut search(false), "a", &asks(9), 1_000), Next::GiveUp);
}

#[test]
fn attempts_are_bounded() {
    let mut search = search(false);
    for key in ["a", "b", "c"] {
        assert_ne!(failed(&mut search, key, &status(429), 1_000), Next::GiveUp);
    }
    assert_eq!(failed(&mut search, "d", &status(429), 1_000), Next::GiveUp);
    assert_eq!(search.attempts(), 4);
}

#[test]
fn no_attempt_begins_after_twice_the_time_out() {
    let last = 1_000 + 2 * 300_000;
    assert_ne!(failed(&mut search(false), "a", &Outcome::TimedOut, last), Next::GiveUp);
    assert_eq!(failed(&mut search(false), "a", &Outcome::TimedOut, last + 1), Next::GiveUp);
    assert_eq!(failed(&mut search(false), "a", &status(503), last), Next::GiveUp, "the pause goes beyond it");
}

#[test]
fn a_callers_fault_and_a_body_that_is_gone_end_it() {
    for outcome in [status(400), status(404), Outcome::CallerGone, Outcome::BodyTooLarge] {
        assert_eq!(failed(&mut search(false), "a", &outcome, 1_000), Next::GiveUp, "{outcome:?}");
    }
    let verdict = judge(&status(429));
    let attempt = Attempted { pick: &pick("a"), outcome: &status(429), verdict: &verdict, repeatable: false };
    assert_eq!(search(false).failed(attempt, None, 1_000, &mut fastrand::Rng::new()), Next::GiveUp);
}

#[test]
fn what_creates_is_repeated_only_when_nothing_can_have_happened() {
    let goes_on = |outcome: Outcome| failed(&mut search(true), "a", &outcome, 1_000) != Next::GiveUp;
    for unprocessed in [status(429), status(401), status(403), Outcome::Proxy(ProxyFault::Refused)] {
        assert!(goes_on(unprocessed.clone()), "{unprocessed:?}");
    }
    assert!(goes_on(Outcome::Unreachable("no route".to_owned())));
    for unsure in [status(500), status(503), Outcome::TimedOut, Outcome::Interrupted("cut".to_owned())] {
        assert!(!goes_on(unsure.clone()), "{unsure:?}");
    }
}

#[test]
fn whoever_failed_is_known_to_the_next_pick() {
    let mut search = search(false);
    let (verdict, project) = (judge(&status(429)), "p".to_owned());
    let attempt = Attempted { pick: &pick("a"), outcome: &status(429), verdict: &verdict, repeatable: true };
    search.failed(attempt, Some(&project), 1_000, &mut fastrand::Rng::new());
    assert_eq!(search.wish().tried, ["a".into()]);
    assert_eq!(search.wish().tried_projects, ["p"]);
}

#[test]
fn the_same_keys_ask_again_of_an_upstream_that_says_it_fails_and_once_after_a_break() {
    let mut failing = search(false);
    failed(&mut failing, "a", &status(503), 1_000);
    assert_eq!(failing.without_key(&NoKey::AllTried, None, 1_000), Next::Again(1_000));
    assert!(failing.wish().tried.is_empty());
    failed(&mut failing, "a", &status(503), 1_000);
    assert_eq!(
        failing.without_key(&NoKey::AllTried, None, 1_000),
        Next::Again(1_000),
        "as long as attempts last"
    );

    let mut broken = search(false);
    let cut = Outcome::Interrupted("cut".to_owned());
    failed(&mut broken, "a", &cut, 1_000);
    assert_eq!(broken.without_key(&NoKey::AllTried, None, 1_000), Next::Again(1_000));
    failed(&mut broken, "a", &cut, 1_000);
    assert_eq!(broken.without_key(&NoKey::AllTried, None, 1_000), Next::GiveUp, "once");

    for other in [status(429), status(403), Outcome::TimedOut, Outcome::Proxy(ProxyFault::Refused)] {
        let mut search = search(false);
        failed(&mut search, "a", &other, 1_000);
        assert_eq!(search.without_key(&NoKey::AllTried, None, 1_000), Next::GiveUp, "{other:?}");
    }
    assert_eq!(search(false).without_key(&NoKey::AllTried, None, 1_000), Next::GiveUp);
}

#[test]
fn a_return_is_waited_for_only_as_long_as_the_settings_allow() {
    let settings = Settings { max_wait_seconds: 10, ..Settings::default() };
    let new = || Search::new(Asked::default(), &settings, 1_000);
    let out = NoKey::AllOut(Vec::new());
    assert_eq!(new().without_key(&out, Some(11_000), 1_000), Next::Again(11_000));
    assert_eq!(new().without_key(&out, Some(11_001), 1_000), Next::GiveUp);
    assert_eq!(new().without_key(&out, None, 1_000), Next::GiveUp);
    assert_eq!(new().without_key(&out, Some(11_000), 11_000), Next::GiveUp, "the time is over");
    let impatient = search(false).without_key(&out, Some(1_001), 1_000);
    assert_eq!(impatient, Next::GiveUp);
}

#[test]
fn quotas_are_the_reason_when_several_keys_met_them() {
    let mut search = search(false);
    failed(&mut search, "a", &status(429), 1_000);
    assert!(!search.quotas_are_the_reason(), "one key alone: Google's own words");
    failed(&mut search, "b", &status(429), 1_000);
    assert!(search.quotas_are_the_reason());
    failed(&mut search, "c", &status(503), 1_000);
    assert!(!search.quotas_are_the_reason());
}

fn rotating_failed(search: &mut Search, fault: ProxyFault, now: Millis) -> Next {
    let url = Arc::new(crate::proxies::rotating::parse("ada-rotate:secret@h:1").unwrap());
    let (id, name, exit) = ("rotating".into(), "rotating".into(), Default::default());
    let proxy = PickedProxy { id, name, url, rotating: true, exit };
    let (pick, outcome) = (Pick { proxy: Some(proxy), ..pick("a") }, Outcome::Proxy(fault));
    let verdict = judge(&outcome);
    let attempt = Attempted { pick: &pick, outcome: &outcome, verdict: &verdict, repeatable: true };
    search.failed(attempt, None, now, &mut fastrand::Rng::with_seed(1))
}

#[test]
fn a_fault_of_the_rotating_proxy_is_tried_again_with_the_same_key_after_growing_pauses() {
    let settings = Settings { max_attempts: 1, ..Settings::default() };
    for fault in [ProxyFault::Refused, ProxyFault::ConnectStatus { status: 502 }] {
        let mut search = Search::new(Asked::default(), &settings, 1_000);
        for middle in [250, 500] {
            let pause = pause(rotating_failed(&mut search, fault.clone(), 1_000), 1_000);
            assert!((middle * 8 / 10..=middle * 12 / 10).contains(&pause), "{pause}");
            assert!(!search.wish().without_rotating);
        }
        assert_eq!(rotating_failed(&mut search, fault, 1_000), Next::Again(1_000));
        let wish = search.wish();
        assert!(wish.without_rotating && wish.tried.is_empty() && wish.failed_proxies.is_empty());
        assert_eq!(wish.again, Some("a".into()));
        assert_eq!(failed(&mut search, "a", &status(503), 1_000), Next::GiveUp, "the one attempt allowed");
    }
}

#[test]
fn refused_credentials_are_not_tried_again() {
    let mut search = search(true);
    assert_eq!(rotating_failed(&mut search, ProxyFault::AuthRejected, 1_000), Next::Again(1_000));
    assert!(search.wish().without_rotating);
}

fn signature_refused() -> Outcome {
    let message = "Function call is missing a thought_signature in functionCall parts.".to_owned();
    let error = UpstreamError { message, status: "INVALID_ARGUMENT".to_owned(), ..UpstreamError::default() };
    Outcome::Answered { status: 400, error: Some(Box::new(error)), retry_after: None }
}

fn conversation_of(key: &str) -> Search {
    let asked = Asked { preferred: Some(key.into()), ..Asked::default() };
    Search::new(asked, &Settings::default(), 1_000)
}

#[test]
fn a_refused_signature_sends_the_conversation_to_its_own_key_once() {
    let mut search = conversation_of("a");
    failed(&mut search, "a", &status(503), 1_000);
    assert_eq!(failed(&mut search, "b", &signature_refused(), 1_000), Next::Again(1_000));
    assert_eq!(search.wish().pinned.as_deref(), Some("a"));
    assert!(!search.wish().tried.contains(&"a".into()), "though it had tried");
    assert_eq!(
        failed(&mut search, "a", &signature_refused(), 1_000),
        Next::GiveUp,
        "its own key says no, too"
    );
}

#[test]
fn a_refused_signature_of_the_own_key_or_of_nobodys_is_the_callers() {
    assert_eq!(failed(&mut conversation_of("a"), "a", &signature_refused(), 1_000), Next::GiveUp);
    assert_eq!(failed(&mut search(false), "b", &signature_refused(), 1_000), Next::GiveUp);
    let other = Outcome::Answered { status: 400, error: None, retry_after: None };
    assert_eq!(failed(&mut conversation_of("a"), "b", &other, 1_000), Next::GiveUp, "another mistake");
}

#[test]
fn a_conversation_stays_preferred_while_other_keys_try() {
    let mut search = conversation_of("a");
    failed(&mut search, "a", &status(429), 1_000);
    assert_eq!(search.wish().preferred, Some("a".into()));
}
