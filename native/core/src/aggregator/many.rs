//! The user's changes to many keys or proxies at once, as pure functions on a copy of the pools: each entry is changed as
//! it would be alone, and one that cannot be changed refuses them all.

use std::collections::HashSet;
use std::hash::Hash;

use super::edit::{self, Edited, Subject};
use crate::backup::diff::counted;
use crate::clock::Millis;
use crate::command::{KeysAction, Refusal};
use crate::ids::{KeyId, ProxyId};
use crate::pools::Pools;

/// In place of a proxy's id: the balancer's choice.
const AUTOMATIC: &str = "auto";

pub fn edit_keys(
    pools: &mut Pools,
    ids: Vec<KeyId>,
    action: KeysAction,
    now: Millis,
) -> Result<Edited, Refusal> {
    let ids = each_once(ids, "Choose at least one key.")?;
    for id in ids.iter().cloned() {
        match &action {
            KeysAction::Enable => edit::set_key_enabled(pools, id, true),
            KeysAction::Disable => edit::set_key_enabled(pools, id, false),
            KeysAction::Remove => edit::remove_key(pools, id),
            KeysAction::Assign { proxy_id: Some(proxy) } if proxy.as_str() == AUTOMATIC => {
                edit::unassign_proxy(pools, id)
            }
            KeysAction::Assign { proxy_id } => edit::assign_proxy(pools, id, proxy_id.clone(), now),
        }?;
    }
    let keys = counted(ids.len(), "key");
    let (message, subject) = match action {
        KeysAction::Enable => (format!("{keys} enabled."), Subject::ForgivenKeys(ids)),
        KeysAction::Disable => (format!("{keys} disabled."), Subject::Nothing),
        KeysAction::Remove => (format!("{keys} removed."), Subject::Removed(None)),
        KeysAction::Assign { proxy_id } => (assigned(pools, &keys, proxy_id.as_ref()), Subject::Nothing),
    };
    Ok(Edited { subject, message })
}

pub fn remove_proxies(pools: &mut Pools, ids: Vec<ProxyId>) -> Result<Edited, Refusal> {
    let ids = each_once(ids, "Choose at least one proxy.")?;
    let message = format!("{} removed.", counted(ids.len(), "proxy"));
    for id in ids {
        edit::remove_proxy(pools, id)?;
    }
    Ok(Edited { subject: Subject::Removed(None), message })
}

fn assigned(pools: &Pools, keys: &str, proxy: Option<&ProxyId>) -> String {
    match proxy {
        None => format!("Now without a proxy: {keys}."),
        Some(proxy) if proxy.as_str() == AUTOMATIC => format!("Assigned automatically again: {keys}."),
        Some(proxy) => {
            let name = pools.proxies.get(proxy).map_or(proxy.as_str(), |proxy| proxy.entered.name.as_str());
            format!("Now through proxy {name}: {keys}.")
        }
    }
}

/// In the order given.
fn each_once<Id: Eq + Hash + Clone>(ids: Vec<Id>, none: &str) -> Result<Vec<Id>, Refusal> {
    let mut seen = HashSet::new();
    let ids: Vec<Id> = ids.into_iter().filter(|id| seen.insert(id.clone())).collect();
    if ids.is_empty() { Err(Refusal::invalid("ids", none)) } else { Ok(ids) }
}
