//! Today's format: what is written is read back, interruptions leave a loadable state, and what is damaged is named
//! while the rest is loaded.

use std::collections::HashMap;
use std::sync::Arc;

use super::*;
use crate::proxies::url::ProxyUrl;
use crate::secret::Secret;
use crate::vault::{Assignment, EnteredKey, EnteredProxy};

fn key(id: &str) -> EnteredKey {
    EnteredKey {
        id: id.into(),
        name: format!("name of {id}"),
        secret: Secret::new(format!("test-key-of-{id}")),
        project: Some("p".to_owned()),
        weight: 2,
        cooldown_seconds: Some(5),
        enabled: false,
    }
}

fn sample() -> Entered {
    Entered {
        keys: vec![key("api-key-1"), key("api-key-2")],
        proxies: vec![EnteredProxy {
            id: "proxy_1_a".into(),
            name: "eu".to_owned(),
            url: Arc::new(ProxyUrl::parse("socks5://user:pass@127.0.0.1:1080").unwrap()),
            enabled: true,
        }],
        assignments: vec![Assignment {
            key_id: "api-key-1".into(),
            proxy_id: Some("proxy_1_a".into()),
            assigned_at: 7,
            is_manual: true,
            home: None,
        }],
        rotating: None,
    }
}

fn apply(stored: &mut HashMap<String, String>, writes: &[SecretWrite]) {
    for write in writes {
        match &write.value {
            Some(value) => stored.insert(write.name.clone(), value.clone()),
            None => stored.remove(&write.name),
        };
    }
}

#[test]
fn what_is_written_is_read_back() {
    let mut stored = HashMap::new();
    apply(&mut stored, &writes_between(&Entered::default(), &sample()));
    assert_eq!(load(&stored), Loaded { entered: sample(), ..Loaded::default() });
    for name in stored.keys() {
        assert!(secret_names(&stored).contains(name), "{name} is not asked for");
    }
}

#[test]
fn stopping_after_any_write_leaves_a_loadable_state() {
    let before = sample();
    let mut after = sample();
    after.keys.remove(0);
    after.keys.push(key("api-key-3"));
    let writes = writes_between(&before, &after);
    for stop in 0..=writes.len() {
        let mut stored = HashMap::new();
        apply(&mut stored, &writes_between(&Entered::default(), &before));
        apply(&mut stored, &writes[..stop]);
        let Loaded { entered: loaded, warnings, .. } = load(&stored);
        assert_eq!(warnings, Vec::<String>::new(), "after {stop} writes");
        assert_eq!(loaded.keys.len(), 2, "after {stop} writes");
    }
}

#[test]
fn a_removed_key_leaves_no_secret_behind() {
    let mut stored = HashMap::new();
    apply(&mut stored, &writes_between(&Entered::default(), &sample()));
    apply(&mut stored, &writes_between(&sample(), &Entered::default()));
    assert!(stored.values().all(|text| !text.contains("test-key") && !text.contains("pass")), "{stored:?}");
}

#[test]
fn damage_is_named_and_the_rest_is_loaded() {
    let mut stored = HashMap::new();
    apply(&mut stored, &writes_between(&Entered::default(), &sample()));
    stored.remove("api-key-2");
    stored.insert(
        PROXY_POOL.to_owned(),
        r#"{"proxies":[{"id":"a","url":"ftp://x:secret@h:1"},{"id":"b","url":"http://h:8080"}]}"#.to_owned(),
    );
    stored.insert(ASSIGNMENTS.to_owned(), "{".to_owned());
    stored.insert(KEY_DETAILS.to_owned(), "[]".to_owned());
    let Loaded { entered: loaded, warnings, .. } = load(&stored);
    assert_eq!((loaded.keys.len(), loaded.proxies.len(), loaded.assignments.len()), (1, 1, 0));
    assert_eq!(warnings.len(), 4);
    assert!(!warnings.concat().contains("secret@"), "{warnings:?}");
}

#[test]
fn an_assignment_that_names_no_proxy_pins_nothing() {
    let mut stored = HashMap::new();
    apply(&mut stored, &writes_between(&Entered::default(), &sample()));
    let text = stored[ASSIGNMENTS].replace("proxyId", "proxyIe");
    stored.insert(ASSIGNMENTS.to_owned(), text);
    let loaded = load(&stored);
    assert_eq!(loaded.entered.assignments, []);
    assert_eq!(loaded.warnings.len(), 1);
}
