//! What the keys promise: what may be entered, what is forgotten when, and who is taken before whom.

use super::*;
use crate::fixtures::entered_key;

fn manager(count: u32) -> ApiKeyManager {
    let mut manager = ApiKeyManager::default();
    for number in 1..=count {
        manager.add(entered_key(number)).unwrap();
    }
    manager
}

#[test]
fn a_second_key_with_the_same_text_or_name_is_refused() {
    let mut keys = manager(1);
    let twin = EnteredKey { id: "x".into(), name: "other".to_owned(), ..entered_key(1) };
    assert_eq!(keys.add(twin), Err(KeyError::Duplicate("key 1".to_owned())));
    let namesake = EnteredKey { name: "key 1".to_owned(), ..entered_key(2) };
    assert_eq!(keys.add(namesake), Err(KeyError::NameTaken("key 1".to_owned())));
}

#[test]
fn a_refused_change_changes_nothing() {
    let mut keys = manager(2);
    let patch = KeyPatch { name: Some("new".to_owned()), weight: Some(0), ..KeyPatch::default() };
    assert_eq!(keys.modify(&"k1".into(), patch), Err(KeyError::WeightOutOfRange(0)));
    assert_eq!(keys.get(&"k1".into()).unwrap().entered, entered_key(1));
}

#[test]
fn a_new_text_forgets_the_old_verdict_but_not_the_requests_in_flight() {
    let mut keys = manager(1);
    let id = KeyId::from("k1");
    keys.get_mut(&id).unwrap().learned =
        Learned { disabled_because: Some("invalid".to_owned()), in_flight: 2, ..Learned::default() };
    let patch = KeyPatch { secret: Some(Secret::new("test-key-replacement")), ..KeyPatch::default() };
    keys.modify(&id, patch).unwrap();
    let key = keys.get(&id).unwrap();
    assert_eq!((key.disabled(), key.learned.in_flight), (None, 2));
}

#[test]
fn enabling_gives_a_refused_key_another_try() {
    let mut keys = manager(1);
    let id = KeyId::from("k1");
    keys.get_mut(&id).unwrap().learned.disabled_because = Some("invalid".to_owned());
    keys.set_enabled(&id, true).unwrap();
    assert_eq!(keys.get(&id).unwrap().disabled(), None);
}

#[test]
fn what_is_worse_weighs_more_than_all_that_is_less_bad() {
    let none = Rank::default();
    let lacks = Rank { lacks_model: true, ..none };
    let faulty = Rank { faulty_proxy: true, ..none };
    let risky = Rank { risky: true, ..none };
    let same = Rank { same_project: true, ..none };
    assert!(none < same && same < risky && risky < faulty && faulty < lacks);
    assert!(Rank { faulty_proxy: true, risky: true, same_project: true, ..none } < lacks);
}

#[test]
fn a_model_is_lacking_for_an_hour_and_only_that_model() {
    let mut keys = manager(1);
    let key = keys.get_mut(&"k1".into()).unwrap();
    key.learned.lack("pro", 1_000);
    assert!(key.lacks(Some("pro"), 3_600_999));
    assert!(
        !key.lacks(Some("pro"), 3_601_000) && !key.lacks(Some("flash"), 1_000) && !key.lacks(None, 1_000)
    );
    (0..100).for_each(|number| key.learned.lack(&format!("m{number}"), 1_000));
    assert_eq!(key.learned.lacks.len(), MOST_LACKING);
    assert!(key.lacks(Some("m99"), 1_000) && !key.lacks(Some("m0"), 1_000));
}

#[test]
fn a_higher_rank_serves_only_when_no_lower_one_can() {
    let mut keys = manager(3);
    let mut rng = fastrand::Rng::with_seed(1);
    let faulty = |faulty_proxy| Rank { faulty_proxy, ..Rank::default() };
    let second_is_healthy = |key: &ApiKey| Some(faulty(key.entered.name != "key 2"));
    for _ in 0..5 {
        let id = keys.select(KeySelection::RoundRobin, &mut rng, second_is_healthy);
        assert_eq!(id, Some("k2".into()));
    }
    let last = keys.select(KeySelection::RoundRobin, &mut rng, |key| {
        (key.entered.name != "key 2").then_some(faulty(true))
    });
    assert!(last.is_some());
}
