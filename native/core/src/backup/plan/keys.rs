//! The keys as a backup would have them. A key of a backup without secrets can only be one that is there.

use std::collections::{HashMap, HashSet};

use super::Restored;
use super::matching::{id_for, places};
use crate::backup::Backup;
use crate::backup::content::KeyEntry;
use crate::backup::error::{BackupError, quoted};
use crate::clock::Millis;
use crate::ids::{KeyId, mint};
use crate::keys::{KeyError, check_alone};
use crate::secret::Secret;
use crate::vault::EnteredKey;

/// Today's, and those of earlier versions.
const FORMS: [&str; 2] = ["key_", "api-key-"];

pub fn restore(
    present: &[EnteredKey],
    backup: &Backup,
    now: Millis,
    rng: &mut fastrand::Rng,
) -> Result<Restored<KeyId, EnteredKey>, BackupError> {
    let wanted = &backup.content.keys;
    let found = matches(present, backup);
    let mut taken: HashSet<KeyId> = present.iter().map(|key| key.id.clone()).collect();
    let mut ids = HashMap::new();
    let mut missing = Vec::new();
    let mut restored: Vec<(Option<usize>, EnteredKey)> = Vec::new();
    for (entry, place) in wanted.iter().zip(&found) {
        let known = place.and_then(|place| present.get(place));
        let Some(secret) = entry.key.as_ref().or(known.map(|key| &key.secret)) else {
            missing.push(quoted(&entry.name));
            continue;
        };
        let id = known.map(|key| key.id.clone()).unwrap_or_else(|| {
            id_for(&entry.id, entry.id.as_str(), &FORMS, &mut taken, || mint("key", now, rng).into())
        });
        ids.insert(entry.id.clone(), id.clone());
        restored.push((*place, entered(entry, id, secret.clone())));
    }
    let entries = if backup.has_secrets {
        restored.into_iter().map(|(_, key)| key).collect()
    } else {
        let mut entries = present.to_vec();
        for (place, key) in restored {
            if let Some(slot) = place.and_then(|place| entries.get_mut(place)) {
                *slot = key;
            }
        }
        entries
    };
    check(&entries)?;
    Ok(Restored { entries, ids, notes: without_text(&missing).into_iter().collect() })
}

fn matches(present: &[EnteredKey], backup: &Backup) -> Vec<Option<usize>> {
    let text = |secret: &Secret| match backup.has_secrets {
        true => secret.expose().to_owned(),
        false => secret.fingerprint(),
    };
    let there: Vec<(&KeyId, String)> = present.iter().map(|key| (&key.id, text(&key.secret))).collect();
    let wanted: Vec<(&KeyId, Option<String>)> = backup
        .content
        .keys
        .iter()
        .map(|key| (&key.id, key.key.as_ref().map(text).or_else(|| key.fingerprint.clone())))
        .collect();
    places(&there, &wanted)
}

fn entered(entry: &KeyEntry, id: KeyId, secret: Secret) -> EnteredKey {
    EnteredKey {
        id,
        name: entry.name.clone(),
        secret,
        project: entry.project.clone().filter(|project| !project.is_empty()),
        weight: entry.weight,
        cooldown_seconds: entry.cooldown_seconds,
        enabled: entry.enabled,
    }
}

/// What adding them one after another would check, without comparing each with each.
fn check(keys: &[EnteredKey]) -> Result<(), BackupError> {
    let refused = |key: &EnteredKey, error: KeyError| {
        let words = crate::command::Refusal::from(error).message;
        BackupError::Entry(format!("Key {} in the backup: {words} Nothing was changed.", quoted(&key.name)))
    };
    let (mut names, mut texts) = (HashSet::new(), HashMap::new());
    for key in keys {
        check_alone(key).map_err(|error| refused(key, error))?;
        if !names.insert(&key.name) {
            return Err(refused(key, KeyError::NameTaken(key.name.clone())));
        }
        if let Some(other) = texts.insert(key.secret.expose(), &key.name) {
            return Err(refused(key, KeyError::Duplicate(other.clone())));
        }
    }
    Ok(())
}

fn without_text(names: &[String]) -> Option<String> {
    const SHOWN: usize = 10;
    if names.is_empty() {
        return None;
    }
    let mut list = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        list += &format!(" and {} more", names.len() - SHOWN);
    }
    Some(format!(
        "The backup was made without secrets, so that these keys have no text and cannot be added: {list}. Add them by hand and restore again."
    ))
}
