//! What a backup promises: it comes back as it was, twice as well as once, and no damaged or foreign text does harm.

use std::collections::HashSet;
use std::sync::Arc;

use fastrand::Rng;

use super::content::{Content, choice};
use super::diff::Differences;
use super::error::BackupError;
use super::plan::{Plan, plan};
use super::seal::{CHEAP, SALT_BYTES};
use super::*;
use crate::fixtures::{entered_key, entered_proxy};
use crate::pools::Pools;
use crate::proxies::url::ProxyUrl;
use crate::settings::{FailurePolicy, LoadBalancingStrategy, Settings};
use crate::vault::{Assignment, Entered, EnteredRotating};

mod damage;

const NOW: Millis = 1_790_000_000_000;
const PASSPHRASE: &str = "correct horse battery";

fn pools(entered: &Entered) -> Pools {
    let mut pools = Pools::new(Rng::with_seed(1));
    pools.adopt(entered.clone());
    pools
}

fn assigned(key: u32, proxy: Option<u32>, is_manual: bool) -> Assignment {
    Assignment {
        key_id: id(key).as_str().into(),
        proxy_id: proxy.map(|number| format!("proxy_{number}").as_str().into()),
        assigned_at: 5,
        is_manual,
        home: None,
    }
}

fn id(key: u32) -> String {
    format!("key_{key}")
}

fn key(number: u32) -> crate::vault::EnteredKey {
    crate::vault::EnteredKey { id: id(number).as_str().into(), ..entered_key(number) }
}

fn proxy(number: u32) -> crate::vault::EnteredProxy {
    crate::vault::EnteredProxy {
        id: format!("proxy_{number}").as_str().into(),
        url: Arc::new(
            ProxyUrl::parse(&format!("http://user-{number}:secret-{number}@10.0.0.{number}:1")).unwrap(),
        ),
        ..entered_proxy(number)
    }
}

/// Three keys over two proxies: one automatic, one by hand, one pinned to none.
fn sample() -> Entered {
    let mut entered = Entered {
        keys: (1..=3).map(key).collect(),
        proxies: (1..=2).map(proxy).collect(),
        assignments: vec![assigned(1, Some(1), false), assigned(2, Some(2), true), assigned(3, None, true)],
        rotating: None,
    };
    entered.keys[0].weight = 7;
    entered.keys[1].project = Some("p-1".to_owned());
    entered.keys[2].cooldown_seconds = Some(9);
    entered.keys[2].enabled = false;
    entered
}

fn rotating(enabled: bool) -> EnteredRotating {
    let url = ProxyUrl::parse("http://user-rotate:secret-7@10.0.0.7:1").unwrap();
    EnteredRotating { url: Arc::new(url), enabled }
}

fn sealing() -> Sealing {
    Sealing { salt: [3; SALT_BYTES], cost: CHEAP }
}

fn whole(entered: &Entered) -> String {
    write(entered, NOW, Some((&Secret::new(PASSPHRASE), sealing()))).unwrap()
}

fn bare(entered: &Entered) -> String {
    write(entered, NOW, None).unwrap()
}

fn opened(text: &str) -> Result<Backup, BackupError> {
    read(text, Some(&Secret::new(PASSPHRASE)))
}

fn planned(state: &Entered, text: &str) -> Plan {
    plan(&pools(state), &opened(text).unwrap(), &Settings::default(), NOW).unwrap()
}

fn names(differences: &Differences) -> [Vec<&str>; 3] {
    [&differences.added, &differences.changed, &differences.removed]
        .map(|names| names.iter().map(String::as_str).collect())
}

fn without_times(mut entered: Entered) -> Entered {
    entered.assignments.iter_mut().for_each(|entry| entry.assigned_at = 0);
    entered
}

#[test]
fn with_a_passphrase_everything_comes_back_into_an_empty_state() {
    let restored = planned(&Entered::default(), &whole(&sample()));
    assert_eq!(without_times(restored.next.entered()), without_times(sample()));
    assert_eq!(restored.diff.keys.added, ["key 1", "key 2", "key 3"]);
    assert_eq!(
        restored.diff.assignments.added,
        ["key 1: p1", "key 2: p2 by hand", "key 3: No Proxy by hand"]
    );
}

#[test]
fn the_difference_names_what_comes_changes_and_goes() {
    let mut now = sample();
    now.keys.remove(0);
    now.assignments.remove(0);
    now.keys[0].name = "renamed".to_owned();
    now.keys[0].weight = 3;
    now.keys.push(key(9));
    now.proxies.push(proxy(9));
    let diff = planned(&now, &whole(&sample())).diff;
    assert_eq!(names(&diff.keys), [vec!["key 1"], vec!["renamed → key 2 (weight)"], vec!["key 9"]]);
    assert_eq!(names(&diff.proxies), [vec![], vec![], vec!["p9"]]);
    assert_eq!(
        diff.summary().unwrap(),
        "1 key added, 1 key changed, 1 key removed; 1 proxy removed; 1 assignment added"
    );
}

#[test]
fn without_a_passphrase_no_secret_is_in_the_text() {
    let text = bare(&sample());
    for number in 1..=3 {
        assert!(!text.contains(key(number).secret.expose()));
        assert!(!text.contains(&format!("secret-{number}")) && !text.contains(&format!("user-{number}")));
    }
    let encrypted = whole(&sample());
    assert!(!encrypted.contains("key 1") && !encrypted.contains("10.0.0.1"));
}

#[test]
fn without_secrets_it_mends_what_is_there_and_says_what_it_cannot() {
    let mut now = sample();
    now.keys.remove(0);
    now.assignments = vec![assigned(2, None, true), assigned(3, Some(1), true)];
    now.keys[0].name = "renamed".to_owned();
    now.keys[0].project = None;
    now.keys.push(key(9));
    // The same key text as in the backup under another id: a key entered again by hand.
    now.keys[1].id = "key_other".into();
    now.assignments[1].key_id = "key_other".into();
    let restored = planned(&now, &bare(&sample()));
    let after = restored.next.entered();
    assert_eq!(after.keys[0], sample().keys[1]);
    assert_eq!((after.keys[1].id.as_str(), after.keys[1].cooldown_seconds), ("key_other", Some(9)));
    assert_eq!(after.keys.len(), 3, "nothing is removed");
    assert_eq!(after.proxies, sample().proxies, "credentials stay");
    let places: Vec<_> = after.assignments.iter().take(2).map(choice).collect();
    assert_eq!(places, [(Some(&"proxy_2".into()), true), (None, true)]);
    assert!(
        restored.diff.notes.iter().any(|note| note.contains("have no text") && note.contains("\"key 1\""))
    );
}

#[test]
fn the_rotating_proxy_is_in_a_whole_backup_alone() {
    let (with, without) = (Entered { rotating: Some(rotating(true)), ..sample() }, sample());
    let restored = planned(&without, &whole(&with));
    assert_eq!(restored.next.entered().rotating, Some(rotating(true)));
    assert_eq!(restored.diff.summary().unwrap(), "rotating proxy added, switched on");
    let removed = planned(&with, &whole(&without));
    assert_eq!((removed.next.entered().rotating, removed.diff.rotating.as_deref()), (None, Some("removed")));
    let kept = planned(&with, &bare(&without));
    assert_eq!(kept.next.entered().rotating, Some(rotating(true)));
    assert!(!bare(&with).contains("10.0.0.7"));
}

#[test]
fn a_proxy_without_its_credentials_is_not_added() {
    let mut backed_up = sample();
    backed_up.proxies.push(entered_proxy(5));
    let restored = planned(&Entered::default(), &bare(&backed_up));
    assert_eq!(names(&restored.diff.proxies), [vec!["p5"], vec![], vec![]]);
    assert_eq!(restored.diff.notes.iter().filter(|note| note.contains("was not added")).count(), 2);
}

#[test]
fn a_key_away_from_its_failed_proxy_is_backed_up_as_that_proxys() {
    let mut away = sample();
    away.assignments[1] =
        Assignment { home: Some("proxy_2".into()), is_manual: false, ..assigned(2, Some(1), false) };
    let restored = planned(&Entered::default(), &whole(&away));
    assert_eq!(without_times(restored.next.entered()), without_times(sample()));
}

#[test]
fn two_keys_with_one_name_are_refused_and_nothing_is_planned() {
    let mut now = sample();
    now.keys.remove(0);
    now.keys.push(crate::vault::EnteredKey { name: "key 2".to_owned(), ..key(9) });
    now.keys[0].name = "renamed".to_owned();
    let backup = opened(&bare(&sample())).unwrap();
    let refused = plan(&pools(&now), &backup, &Settings::default(), NOW).err().unwrap().to_string();
    assert!(refused.contains("key 2") && refused.contains("Nothing was changed"), "{refused}");
}

/// Any state: keys, proxies, assignments of every kind, some of the proxies in error.
fn any_state(rng: &mut Rng) -> Pools {
    let mut entered = Entered::default();
    for number in (1..=12).filter(|_| rng.bool()).collect::<Vec<u32>>() {
        let mut key = key(number);
        key.weight = rng.u32(1..4);
        key.enabled = rng.u8(..4) > 0;
        if rng.u8(..4) == 0 {
            key.id = format!("key_{}", 20 + number).as_str().into();
        }
        entered.keys.push(key);
    }
    for number in (1..=5).filter(|_| rng.bool()).collect::<Vec<u32>>() {
        let mut proxy = if rng.bool() { proxy(number) } else { entered_proxy(number) };
        proxy.id = format!("proxy_{number}").as_str().into();
        proxy.enabled = rng.u8(..4) > 0;
        entered.proxies.push(proxy);
    }
    entered.rotating = rng.bool().then(|| rotating(rng.bool()));
    rng.shuffle(&mut entered.keys);
    for key in &entered.keys {
        let proxy = rng.choice(&entered.proxies).map(|proxy| proxy.id.clone());
        let is_manual = proxy.is_none() || rng.bool();
        let home = rng.choice(&entered.proxies).filter(|_| !is_manual && rng.u8(..4) == 0);
        let home = home.map(|proxy| proxy.id.clone());
        if rng.u8(..5) > 0 {
            let key_id = key.id.clone();
            entered.assignments.push(Assignment { key_id, proxy_id: proxy, assigned_at: 5, is_manual, home });
        }
    }
    let mut pools = Pools::new(rng.fork());
    pools.adopt(entered);
    for proxy in pools.proxies.entered() {
        if rng.u8(..4) == 0 {
            pools.proxies.failed(&proxy.id, NOW, "refused", 1);
        }
    }
    pools
}

fn any_settings(rng: &mut Rng) -> Settings {
    use LoadBalancingStrategy::{LeastLoaded, Random, RoundRobin};
    let mut settings = Settings::default();
    settings.proxy.auto_assignment = rng.u8(..4) > 0;
    settings.proxy.failure_policy =
        [FailurePolicy::Reassign, FailurePolicy::ReassignThenDirect, FailurePolicy::Fail][rng.usize(..3)];
    settings.proxy.load_balancing_strategy = [LeastLoaded, Random, RoundRobin][rng.usize(..3)];
    settings.proxy.rebalance_threshold = rng.u32(..3);
    settings
}

#[test]
fn restoring_a_second_time_changes_nothing_whatever_the_state() {
    for seed in 0..1_000 {
        let mut rng = Rng::with_seed(seed);
        let (saved, mut state, settings) = (any_state(&mut rng), any_state(&mut rng), any_settings(&mut rng));
        state.settle_assignments(&settings, NOW);
        let text = if rng.bool() { whole(&saved.entered()) } else { bare(&saved.entered()) };
        let backup = opened(&text).unwrap();
        let Ok(first) = plan(&state, &backup, &settings, NOW) else { continue };
        let after = first.next.entered();
        consistent(&after, seed);
        let second = plan(&first.next, &backup, &settings, NOW + 60_000).ok().unwrap();
        assert_eq!(second.next.entered(), after, "seed {seed}");
        assert_eq!(second.diff.summary(), None, "seed {seed}");
    }
}

/// What every other part relies on.
fn consistent(entered: &Entered, seed: u64) {
    let keys: HashSet<_> = entered.keys.iter().map(|key| &key.id).collect();
    let proxies: HashSet<_> = entered.proxies.iter().map(|proxy| &proxy.id).collect();
    let texts: HashSet<_> = entered.keys.iter().map(|key| key.secret.expose()).collect();
    let names: HashSet<_> = entered.keys.iter().map(|key| &key.name).collect();
    let all = entered.keys.len();
    assert_eq!((keys.len(), texts.len(), names.len()), (all, all, all), "seed {seed}");
    assert_eq!(proxies.len(), entered.proxies.len(), "seed {seed}");
    for entry in &entered.assignments {
        assert!(keys.contains(&entry.key_id), "seed {seed}");
        assert!(entry.proxy_id.as_ref().is_none_or(|proxy| proxies.contains(proxy)), "seed {seed}");
    }
}
