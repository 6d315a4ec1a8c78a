//! The vault copied as a whole: as texts for another window, and laid over a store that may hold an older copy of
//! everything. It must not know which window that is, nor how the texts travel.
//!
//! Invariant: as with every change, stopping after any of the writes leaves a store that loads.

use std::collections::{HashMap, HashSet};

use super::reading::is_reserved_name;
use super::{KEY_INDEX, ROTATING, SecretWrite, rotating, store, texts, writes_between};
use crate::vault::{Entered, legacy};

/// All of it as named texts, which `load` reads back.
pub fn texts_of(entered: &Entered) -> HashMap<String, String> {
    let writes = writes_between(&Entered::default(), entered);
    writes.into_iter().filter_map(|write| Some((write.name, write.value?))).collect()
}

/// The writes after which a store that holds `own` holds `entered` and no other key.
///
/// The index is written even where it is the same: in some editors each window has a copy of all secrets, and any one
/// write keeps the whole copy of the window that makes it.
pub fn writes_over(own: &HashMap<String, String>, entered: &Entered) -> Vec<SecretWrite> {
    let differs = |name: &str, text: &str| own.get(name).is_none_or(|there| there != text);
    let keys = entered.keys.iter().map(|key| (key.id.as_str(), key.secret.expose().to_owned()));
    let mut writes: Vec<SecretWrite> = keys
        .chain(texts(entered))
        .filter(|(name, text)| *name == KEY_INDEX || differs(name, text))
        .map(|(name, text)| store(name, text))
        .collect();
    let rotating = match rotating::write_between(&Entered::default(), entered) {
        None => own.contains_key(ROTATING).then(|| deletion(ROTATING)),
        Some(write) => {
            Some(write).filter(|write| write.value.as_deref() != own.get(ROTATING).map(String::as_str))
        }
    };
    writes.extend(rotating);
    writes.extend(legacy::missing_mark(own));
    let kept: HashSet<&str> = entered.keys.iter().map(|key| key.id.as_str()).collect();
    let gone = own.keys().filter(|name| !kept.contains(name.as_str()) && !is_reserved_name(name));
    writes.extend(gone.map(|name| deletion(name)));
    writes
}

fn deletion(name: &str) -> SecretWrite {
    SecretWrite { name: name.to_owned(), value: None }
}

#[cfg(test)]
mod tests {
    use super::super::load;
    use super::*;
    use crate::ids::{KeyId, ProxyId};
    use crate::proxies::url::ProxyUrl;
    use crate::secret::Secret;
    use crate::vault::{Assignment, EnteredKey, EnteredProxy, EnteredRotating};
    use std::sync::Arc;

    fn key(id: &str, text: &str) -> EnteredKey {
        EnteredKey {
            id: KeyId::from(id.to_owned()),
            name: format!("name of {id}"),
            secret: Secret::new(text),
            project: Some("p".to_owned()),
            weight: 3,
            cooldown_seconds: Some(7),
            enabled: id != "k2",
        }
    }

    fn entered() -> Entered {
        let url = |text: &str| Arc::new(ProxyUrl::parse(text).unwrap());
        let proxy = ProxyId::from("p1".to_owned());
        Entered {
            keys: vec![key("k1", "test-key-alpha-0001"), key("k2", "test-key-beta-0002")],
            proxies: vec![EnteredProxy {
                id: proxy.clone(),
                name: "one".to_owned(),
                url: url("http://user:word@127.0.0.1:9"),
                enabled: true,
            }],
            assignments: vec![Assignment {
                key_id: KeyId::from("k1".to_owned()),
                proxy_id: Some(proxy),
                assigned_at: 5,
                is_manual: true,
                home: None,
            }],
            rotating: Some(EnteredRotating { url: url("http://127.0.0.1:10"), enabled: false }),
        }
    }

    fn carried_out(own: &HashMap<String, String>, writes: &[SecretWrite]) -> HashMap<String, String> {
        let mut store = own.clone();
        for SecretWrite { name, value } in writes {
            match value {
                Some(text) => store.insert(name.clone(), text.clone()),
                None => store.remove(name),
            };
        }
        store
    }

    #[test]
    fn texts_load_back_whole() {
        let loaded = load(&texts_of(&entered()));
        assert_eq!((loaded.entered, loaded.warnings), (entered(), Vec::new()));
        assert_eq!(load(&texts_of(&Entered::default())).entered, Entered::default());
    }

    #[test]
    fn an_older_copy_becomes_this_vault_and_forgets_what_is_gone() {
        let mut older = entered();
        older.keys = vec![key("k1", "test-key-older-0009"), key("gone", "test-key-gone-0003")];
        older.proxies.clear();
        older.assignments.clear();
        let own = texts_of(&older);
        let after = carried_out(&own, &writes_over(&own, &entered()));
        assert_eq!(load(&after).entered, entered());
        assert!(!after.contains_key("gone"));
        let nothing = Entered::default();
        let emptied = carried_out(&after, &writes_over(&after, &nothing));
        assert_eq!(load(&emptied).entered, nothing);
        assert!(!emptied.contains_key("k1") && !emptied.contains_key(ROTATING));
    }

    #[test]
    fn every_prefix_loads_without_a_warning() {
        let own = texts_of(&entered());
        let mut newer = entered();
        newer.keys = vec![key("k1", "test-key-alpha-0001"), key("k3", "test-key-new-0004")];
        let writes = writes_over(&own, &newer);
        for count in 0..=writes.len() {
            assert_eq!(load(&carried_out(&own, &writes[..count])).warnings, Vec::<String>::new());
        }
    }

    #[test]
    fn an_equal_copy_is_still_kept_by_one_write() {
        let own = texts_of(&entered());
        let names: Vec<String> = writes_over(&own, &entered()).into_iter().map(|write| write.name).collect();
        assert_eq!(names, [KEY_INDEX]);
    }
}
