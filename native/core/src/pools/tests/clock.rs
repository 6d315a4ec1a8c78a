//! Rests and circuits over a restart and over a clock that jumps days either way: nothing becomes longer than it was,
//! nothing that still holds is lost.

use super::*;

const DAY: Millis = 24 * 3_600_000;
/// 2026-07-15T12:00Z; midnight in Los Angeles is 07:00Z.
const NOON: Millis = 1_784_116_800_000;
const MIDNIGHT: Millis = 1_784_185_200_000;

fn daily() -> Outcome {
    let violation = Violation { quota: "RequestsPerDay".to_owned(), value: Some(50), model: None };
    let error = UpstreamError { violations: vec![violation], ..UpstreamError::default() };
    Outcome::Answered { status: 429, error: Some(Box::new(error)), retry_after: None }
}

/// `minute` rests for 30 s, `day` until midnight, seen at `now`.
fn resting(now: Millis) -> Pools {
    let mut pools = pools(1, 0);
    for (model, outcome) in [("minute", refused(429, Some(30))), ("day", daily())] {
        let pick = pools.lease(&for_model(model), &Settings::default(), now).unwrap();
        settle(&mut pools, &pick, &outcome, now);
    }
    pools
}

fn rests(pools: &mut Pools, model: &str, now: Millis) -> bool {
    let answer = pools.lease(&for_model(model), &Settings::default(), now);
    if let Ok(pick) = &answer {
        pools.release(pick, now);
    }
    answer.is_err()
}

#[test]
fn a_clock_set_back_three_days_leaves_each_rest_its_length() {
    let mut pools = resting(NOON + 3 * DAY);
    assert!(rests(&mut pools, "minute", NOON));
    assert!(rests(&mut pools, "minute", NOON + 29_000) && !rests(&mut pools, "minute", NOON + 30_000));
    assert!(rests(&mut pools, "day", MIDNIGHT - 1) && !rests(&mut pools, "day", MIDNIGHT));
}

#[test]
fn a_clock_set_forward_three_days_ends_rests_and_starts_none() {
    let mut pools = resting(NOON);
    assert!(!rests(&mut pools, "minute", NOON + 3 * DAY) && !rests(&mut pools, "day", NOON + 3 * DAY));
}

#[test]
fn forward_and_back_again_changes_nothing_for_good() {
    let mut pools = resting(NOON);
    assert!(!rests(&mut pools, "day", NOON + 3 * DAY));
    let pick = pools.lease(&for_model("minute"), &Settings::default(), NOON + 3 * DAY).unwrap();
    settle(&mut pools, &pick, &refused(429, Some(30)), NOON + 3 * DAY);
    assert!(rests(&mut pools, "minute", NOON + 1_000), "refused a second ago, whatever the clock says");
    assert!(!rests(&mut pools, "minute", NOON + 31_000));
}

#[test]
fn times_read_a_little_out_of_order_are_no_jump() {
    let mut pools = resting(NOON);
    assert!(rests(&mut pools, "minute", NOON - 1_500));
    assert!(rests(&mut pools, "minute", NOON + 29_999), "not moved by what was no jump");
}

fn again(kept: learned::LearnedPools, now: Millis) -> Pools {
    let kept: learned::LearnedPools = serde_json::from_str(&serde_json::to_string(&kept).unwrap()).unwrap();
    let mut pools = pools(1, 0);
    pools.restore(kept, now);
    pools
}

#[test]
fn a_restart_keeps_what_still_holds() {
    let kept = resting(NOON).export(NOON + 1_000);
    let mut pools = again(kept.clone(), NOON + 5_000);
    assert!(rests(&mut pools, "minute", NOON + 29_999) && !rests(&mut pools, "minute", NOON + 30_000));
    assert!(rests(&mut pools, "day", MIDNIGHT - 1) && !rests(&mut pools, "day", MIDNIGHT));
    let mut later = again(kept.clone(), NOON + 3 * DAY);
    assert!(!rests(&mut later, "minute", NOON + 3 * DAY) && !rests(&mut later, "day", NOON + 3 * DAY));
    let mut earlier = again(kept, NOON - 3 * DAY);
    assert!(rests(&mut earlier, "minute", NOON - 3 * DAY + 28_000), "29 s were left");
    assert!(!rests(&mut earlier, "minute", NOON - 3 * DAY + 29_000));
    assert!(
        rests(&mut earlier, "day", MIDNIGHT - 3 * DAY - 1) && !rests(&mut earlier, "day", MIDNIGHT - 3 * DAY)
    );
}

#[test]
fn a_restart_keeps_what_google_refused_but_not_for_another_text() {
    let mut pools = pools(1, 0);
    let pick = lease(&mut pools, NOON).unwrap();
    settle(&mut pools, &pick, &refused(429, Some(60)), NOON);
    let pick = lease(&mut pools, NOON + 60_000).unwrap();
    settle(&mut pools, &pick, &refused(401, None), NOON + 60_000);
    let pick_again = settle(&mut pools, &pick, &refused(429, Some(600)), NOON + 60_000);
    assert_eq!(pick_again[0].kind, EventType::KeyCooling);
    let kept = pools.export(NOON + 61_000);
    let same = again(kept.clone(), NOON + 62_000);
    assert!(matches!(same.keys.get(&"k1".into()).unwrap().disabled(), Some(Out::Disabled(_))));
    let mut other = Pools::new(fastrand::Rng::with_seed(1));
    other.keys.add(EnteredKey { secret: Secret::new("test-key-of-another-text"), ..entered_key(1) }).unwrap();
    other.restore(kept, NOON + 62_000);
    assert!(lease(&mut other, NOON + 62_000).is_ok(), "neither the refusal nor the rest is about this text");
}

#[test]
fn what_is_kept_names_no_key() {
    let text = serde_json::to_string(&resting(NOON).export(NOON)).unwrap();
    assert!(!text.contains(entered_key(1).secret.expose()), "{text}");
}
