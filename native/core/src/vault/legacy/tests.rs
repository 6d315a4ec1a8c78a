//! Each earlier form becomes today's, once; interrupted anywhere it is taken over again without doubling anything; what
//! is wrong is named and the rest stands. Secrets are in no sentence.

use super::*;
use crate::settings::{LoadBalancingStrategy, ProxySettings};

type Store = HashMap<String, String>;

fn store_of(entries: &[(&str, &str)]) -> Store {
    entries.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

/// The first generation: a list of proxies, a proxy's URL beside each key, one key disabled, one without a proxy.
fn first() -> Store {
    store_of(&[
        ("geminiApiKeysIds", r#"["api-key-1","api-key-2","api-key-3"]"#),
        ("api-key-1", "test-key-alpha-0001"),
        ("api-key-2", "test-key-beta-0002\n"),
        ("api-key-3", "test-key-gamma-0003"),
        ("apiKeyStatus_api-key-1", r#"{"status":"available","proxy":"http://user:hidden@10.0.0.1:8080"}"#),
        (
            "apiKeyStatus_api-key-2",
            r#"{"status":"disabled","proxy":"socks5://10.0.0.9:1080/","usedHistory":[{"date":1,"rate":2}]}"#,
        ),
        (
            "geminiProxies",
            r#"["http://user:hidden@10.0.0.1:8080","socks5://10.0.0.2:1080","HTTP://user:hidden@10.0.0.1:8080"]"#,
        ),
        ("geminiRotatingProxy", "false"),
    ])
}

/// The second generation: pool and assignments by id, settings, and what it left lying of the first.
fn second() -> Store {
    let mut store = store_of(&[
        ("geminiApiKeysIds", r#"["api-key-1","api-key-2","api-key-3"]"#),
        ("api-key-1", "test-key-alpha-0001"),
        ("api-key-2", "test-key-beta-0002"),
        ("api-key-3", "test-key-gamma-0003"),
        (
            "geminiProxyPool",
            r#"{"proxies":[{"id":"proxy_1722972000000_ab12cd3","url":"http://user:hidden@10.0.0.1:8080","status":"error","errorCount":4,"createdAt":1},{"id":"proxy_1722972000000_zz12cd3","url":"socks5://10.0.0.2:1080","status":"active","errorCount":0}],"lastUpdated":5}"#,
        ),
        (
            "geminiProxyAssignments",
            r#"{"assignments":[{"keyId":"api-key-1","proxyId":"proxy_1722972000000_zz12cd3","assignedAt":7,"isManual":true,"lastUsed":9}],"lastUpdated":5}"#,
        ),
        (
            "apiKeyStatus_api-key-2",
            r#"{"status":"cooling_down","coolingDownUntil":5,"assignedProxyId":"proxy_1722972000000_ab12cd3","proxyAssignedAt":8}"#,
        ),
        ("apiKeyStatus_api-key-3", r#"{"status":"available","proxy":"http://removed.example:80"}"#),
        (
            "geminiProxySettings",
            r#"{"autoAssignmentEnabled":false,"loadBalancingStrategy":"round_robin","healthCheckInterval":30000,"maxErrorsBeforeDisable":5,"rebalanceThreshold":2}"#,
        ),
        ("proxyMigrationVersion", "1.0.0"),
    ]);
    store.insert("geminiProxies".to_owned(), r#"["http://removed.example:80"]"#.to_owned());
    store
}

/// Reads what the core would ask for, and nothing else.
fn open(store: &Store) -> Found {
    let mut known = Store::new();
    loop {
        let names = super::super::secrets::secret_names(&known);
        let brought: Store =
            names.into_iter().filter_map(|name| Some((name.clone(), store.get(&name)?.clone()))).collect();
        if brought.len() == known.len() {
            return read(&known, 1_000, &mut fastrand::Rng::with_seed(1));
        }
        known = brought;
    }
}

fn apply(store: &mut Store, writes: &[SecretWrite]) {
    for write in writes {
        match &write.value {
            Some(value) => store.insert(write.name.clone(), value.clone()),
            None => store.remove(&write.name),
        };
    }
}

/// Keys with the URL of their proxy and whether it was chosen by hand.
fn shape(entered: &Entered) -> Vec<(String, bool, Option<String>, bool)> {
    let url = |id: &ProxyId| {
        let proxy = entered.proxies.iter().find(|proxy| proxy.id == *id);
        proxy.map(|proxy| proxy.url.masked())
    };
    let keys = entered.keys.iter();
    keys.map(|key| {
        let entry = entered.assignments.iter().find(|entry| entry.key_id == key.id);
        let proxy = entry.and_then(|entry| entry.proxy_id.as_ref()).and_then(url);
        (key.id.to_string(), key.enabled, proxy, entry.is_some_and(|entry| entry.is_manual))
    })
    .collect()
}

fn says(found: &Found, words: &str) -> bool {
    found.warnings.iter().any(|warning| warning.contains(words))
}

#[test]
fn the_first_generation_is_taken_over() {
    let found = open(&first());
    let first_proxy = Some("http://user:••••@10.0.0.1:8080".to_owned());
    assert_eq!(
        shape(&found.entered),
        [
            ("api-key-1".to_owned(), true, first_proxy, true),
            ("api-key-2".to_owned(), false, Some("socks5://10.0.0.9:1080".to_owned()), true),
            ("api-key-3".to_owned(), true, None, false),
        ]
    );
    assert_eq!(found.entered.proxies.len(), 3, "the two of the list and the one of a key");
    assert_eq!(found.entered.keys[1].secret.expose(), "test-key-beta-0002");
    assert_eq!(found.warnings.len(), 1, "the disabled key: {:?}", found.warnings);
}

#[test]
fn the_second_generation_is_taken_over_and_what_it_had_removed_stays_removed() {
    let found = open(&second());
    assert_eq!(
        shape(&found.entered),
        [
            ("api-key-1".to_owned(), true, Some("socks5://10.0.0.2:1080".to_owned()), true),
            ("api-key-2".to_owned(), true, Some("http://user:••••@10.0.0.1:8080".to_owned()), false),
            ("api-key-3".to_owned(), true, None, false),
        ]
    );
    assert_eq!(found.entered.proxies[0].id, "proxy_1722972000000_ab12cd3".into(), "ids stay");
    assert!(found.entered.proxies.iter().all(|proxy| proxy.enabled), "an error is learned, not entered");
    assert_eq!(found.entered.proxies.len(), 2);
    assert_eq!(found.warnings, Vec::<String>::new());
    let hints = found.settings.unwrap();
    let mut settings = ProxySettings { rebalance_threshold: 4, ..ProxySettings::default() };
    hints.lay_under(&mut settings);
    let wanted = ProxySettings {
        auto_assignment: false,
        load_balancing_strategy: LoadBalancingStrategy::RoundRobin,
        health_check_interval_seconds: 30,
        max_errors_before_disable: 5,
        rebalance_threshold: 4,
        ..ProxySettings::default()
    };
    assert_eq!(settings, wanted, "what the user had set already stays");
}

#[test]
fn it_happens_once_and_the_old_goes_at_the_next_start() {
    for before in [first(), second()] {
        let mut store = before.clone();
        let found = open(&store);
        apply(&mut store, &found.writes);
        for (name, text) in &before {
            let kept = store.get(name) == Some(text) || store.get(&aside(name)) == Some(text);
            assert!(
                kept || text.ends_with('\n') || name == VERSION,
                "{name} is kept until the new is known to be whole"
            );
        }
        let again = open(&store);
        assert_eq!(again.entered, found.entered);
        assert_eq!((&again.warnings, &again.settings, again.notes.len()), (&vec![], &None, 0));
        assert!(again.writes.iter().all(|write| write.value.is_none()), "{:?}", again.writes);
        apply(&mut store, &again.writes);
        let last = open(&store);
        assert_eq!((last.entered, last.writes), (found.entered, vec![]));
        let mut names: Vec<&str> = store.keys().map(String::as_str).collect();
        names.sort_unstable();
        let wanted = ["api-key-1", "api-key-2", "api-key-3", "geminiApiKeyDetails", "geminiApiKeysIds"];
        assert_eq!(names[..5], wanted);
        assert_eq!(names[5..], ["geminiProxyAssignments", "geminiProxyPool", "proxyMigrationVersion"]);
    }
}

#[test]
fn stopped_after_any_write_the_next_start_ends_in_the_same_state() {
    for before in [first(), second()] {
        let wanted = open(&before);
        let mut done = before.clone();
        apply(&mut done, &wanted.writes);
        let deleting = open(&done).writes;
        for stop in 0..=wanted.writes.len() {
            let mut store = before.clone();
            apply(&mut store, &wanted.writes[..stop]);
            let found = open(&store);
            assert_eq!(shape(&found.entered), shape(&wanted.entered), "after {stop} writes");
            assert_eq!(found.entered.proxies.len(), wanted.entered.proxies.len(), "after {stop} writes");
            apply(&mut store, &found.writes);
            assert_eq!(shape(&open(&store).entered), shape(&wanted.entered), "after {stop} writes");
        }
        for stop in 0..=deleting.len() {
            let mut store = done.clone();
            apply(&mut store, &deleting[..stop]);
            let found = open(&store);
            assert_eq!(found.entered, wanted.entered, "after {stop} deletions");
            apply(&mut store, &found.writes);
            assert!(!store.keys().any(|name| name.starts_with(STATUS_PREFIX) || name.ends_with(ASIDE)));
        }
    }
}

#[test]
fn when_the_new_turns_out_damaged_the_old_serves_again() {
    let mut store = second();
    let wanted = open(&store);
    apply(&mut store, &wanted.writes);
    store.insert(PROXY_POOL.to_owned(), "{\"proxies\":".to_owned());
    let found = open(&store);
    assert_eq!(found.entered.proxies, wanted.entered.proxies);
    assert_eq!(found.entered.assignments, wanted.entered.assignments);
    apply(&mut store, &found.writes);
    assert_eq!(open(&store).warnings, Vec::<String>::new());
}

#[test]
fn wrong_items_are_named_and_the_rest_is_taken_over() {
    let mut store = first();
    store.insert(OLD_POOL.to_owned(), r#"["gopher://user:hidden@a:1", 5, "http://10.0.0.7:80"]"#.to_owned());
    store.insert("apiKeyStatus_api-key-1".to_owned(), r#"{"status":"avail"#.to_owned());
    store.insert(
        "apiKeyStatus_api-key-2".to_owned(),
        r#"{"status":7,"proxy":"http://user:hidden@"}"#.to_owned(),
    );
    store.insert(
        OLD_SETTINGS.to_owned(),
        r#"{"healthCheckInterval":5000,"rebalanceThreshold":3,"loadBalancingStrategy":"best"}"#.to_owned(),
    );
    store.insert(OLD_ROTATING.to_owned(), "true".to_owned());
    let found = open(&store);
    assert_eq!((found.entered.keys.len(), found.entered.proxies.len()), (3, 1));
    for words in [
        "Proxy 1 of",
        "Proxy 2 of",
        "\"api-key-1\"",
        "\"api-key-2\"",
        "healthCheckInterval",
        "loadBalancingStrategy",
        "took turns",
    ] {
        assert!(says(&found, words), "{words}: {:?}", found.warnings);
    }
    assert_eq!(found.warnings.len(), 7);
    let settings = found.settings.unwrap();
    assert_eq!((settings.rebalance_threshold, settings.health_check_interval_seconds), (Some(3), None));
    assert!(!found.warnings.concat().contains("hidden"));
}

#[test]
fn the_same_key_twice_is_kept_once() {
    let mut store = first();
    store.insert("api-key-3".to_owned(), "test-key-alpha-0001".to_owned());
    let found = open(&store);
    assert_eq!(found.entered.keys.len(), 2);
    assert!(says(&found, "same as"));
    apply(&mut store, &found.writes);
    assert!(store.contains_key("api-key-3"));
    let again = open(&store);
    apply(&mut store, &again.writes);
    assert!(!store.contains_key("api-key-3"));
    assert_eq!(open(&store).entered.keys.len(), 2);
}

#[test]
fn without_anything_old_nothing_is_written() {
    assert_eq!(open(&Store::new()), Found::default());
    let mut store = Store::new();
    let migrated = open(&first());
    apply(&mut store, &super::super::secrets::writes_between(&Entered::default(), &migrated.entered));
    let found = open(&store);
    assert_eq!((found.entered, found.writes, found.warnings), (migrated.entered, vec![], vec![]));
}
