//! The proxies as a backup would have them. One whose credentials were left out keeps those that it has here.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::Restored;
use super::matching::{id_for, places};
use crate::backup::Backup;
use crate::backup::content::ProxyEntry;
use crate::backup::error::{BackupError, quoted};
use crate::clock::Millis;
use crate::ids::{ProxyId, mint};
use crate::keys::text::check_name;
use crate::proxies::url::ProxyUrl;
use crate::vault::EnteredProxy;

const FORMS: [&str; 1] = ["proxy_"];

pub fn restore(
    present: &[EnteredProxy],
    backup: &Backup,
    now: Millis,
    rng: &mut fastrand::Rng,
) -> Result<Restored<ProxyId, EnteredProxy>, BackupError> {
    let wanted = &backup.content.proxies;
    let urls: Vec<ProxyUrl> = wanted.iter().map(ProxyEntry::parsed).collect::<Result<_, _>>()?;
    let found = matches(present, wanted, &urls);
    let mut taken: HashSet<ProxyId> = present.iter().map(|proxy| proxy.id.clone()).collect();
    let (mut ids, mut notes) = (HashMap::new(), Vec::new());
    let mut restored: Vec<(Option<usize>, EnteredProxy)> = Vec::new();
    for ((entry, url), place) in wanted.iter().zip(urls).zip(&found) {
        let known = place.and_then(|place| present.get(place));
        let url = match (entry.credentials_left_out, known) {
            (false, _) => Arc::new(url),
            (true, Some(known)) => {
                if known.url.without_credentials() != url {
                    notes.push(format!("Proxy {} keeps its present address: the backup has another one, without its user name and password.", quoted(&entry.name)));
                }
                known.url.clone()
            }
            (true, None) => {
                notes.push(format!("Proxy {} was not added: its user name and password are not in the backup. Add it by hand.", quoted(&entry.name)));
                continue;
            }
        };
        let id = known.map(|proxy| proxy.id.clone()).unwrap_or_else(|| {
            id_for(&entry.id, entry.id.as_str(), &FORMS, &mut taken, || mint("proxy", now, rng).into())
        });
        ids.insert(entry.id.clone(), id.clone());
        restored.push((*place, EnteredProxy { id, name: entry.name.clone(), url, enabled: entry.enabled }));
    }
    let entries = merged(present, restored, backup.has_secrets);
    check(&entries)?;
    Ok(Restored { entries, ids, notes })
}

fn matches(present: &[EnteredProxy], wanted: &[ProxyEntry], urls: &[ProxyUrl]) -> Vec<Option<usize>> {
    let there: Vec<(&ProxyId, &ProxyUrl)> = present.iter().map(|proxy| (&proxy.id, &*proxy.url)).collect();
    let wanted: Vec<(&ProxyId, Option<&ProxyUrl>)> = wanted
        .iter()
        .zip(urls)
        .map(|(entry, url)| (&entry.id, (!entry.credentials_left_out).then_some(url)))
        .collect();
    places(&there, &wanted)
}

/// A whole backup says which proxies there are, another only what becomes of them.
fn merged(
    present: &[EnteredProxy],
    restored: Vec<(Option<usize>, EnteredProxy)>,
    whole: bool,
) -> Vec<EnteredProxy> {
    if whole {
        return restored.into_iter().map(|(_, proxy)| proxy).collect();
    }
    let mut entries = present.to_vec();
    for (place, proxy) in restored {
        match place.and_then(|place| entries.get_mut(place)) {
            Some(slot) => *slot = proxy,
            None => entries.push(proxy),
        }
    }
    entries
}

fn check(proxies: &[EnteredProxy]) -> Result<(), BackupError> {
    let refused = |proxy: &EnteredProxy, words: &str| {
        Err(BackupError::Entry(format!(
            "Proxy {} in the backup: {words} Nothing was changed.",
            quoted(&proxy.name)
        )))
    };
    let (mut names, mut urls) = (HashSet::new(), HashSet::new());
    for proxy in proxies {
        if let Err(words) = check_name(&proxy.name) {
            return refused(proxy, &words);
        }
        if !names.insert(&proxy.name) {
            return refused(proxy, "Another proxy has this name; rename that one first.");
        }
        if !urls.insert(&*proxy.url) {
            return refused(proxy, "Another proxy has this address.");
        }
    }
    Ok(())
}
