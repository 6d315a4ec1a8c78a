//! The user's changes to keys, proxies and assignments, as pure functions on a copy of the pools. What they make
//! is saved and taken over by the aggregator; a refusal leaves everything as it was.

use std::sync::Arc;

use crate::clock::Millis;
use crate::command::{NamedProxy, PlannedMove, Refusal, RefusalCode, Reply};
use crate::ids::{KeyId, ProxyId, mint};
use crate::keys::KeyPatch;
use crate::pools::Pools;
use crate::proxies::url::ProxyUrl;
use crate::secret::Secret;
use crate::settings::Settings;
use crate::vault::{EnteredKey, EnteredProxy};

/// What to tell the user once the change is safe.
pub struct Edited {
    pub subject: Subject,
    pub message: String,
}

pub enum Subject {
    Key(KeyId),
    /// Enabled by the user: what was learned against them is forgiven.
    ForgivenKeys(Vec<KeyId>),
    Proxy(ProxyId),
    /// Configured by the user: what was held against it is forgiven.
    Rotating,
    /// Something was removed and may be brought back; the id of the one, where it is one.
    Removed(Option<String>),
    /// Only the placing of keys is done anew.
    Nothing,
}

impl Subject {
    /// Of the one entry that was changed.
    pub fn id(self) -> Option<String> {
        match self {
            Self::Key(id) => Some(id.to_string()),
            Self::Proxy(id) => Some(id.to_string()),
            Self::Removed(id) => id,
            Self::ForgivenKeys(ids) => match ids.as_slice() {
                [id] => Some(id.to_string()),
                _ => None,
            },
            Self::Rotating | Self::Nothing => None,
        }
    }
}

pub struct NewKey {
    pub key: String,
    pub name: Option<String>,
    pub project: Option<String>,
    pub weight: Option<u32>,
    pub cooldown_seconds: Option<u32>,
    /// Chosen by hand.
    pub proxy_id: Option<ProxyId>,
}

pub fn add_key(pools: &mut Pools, new: NewKey, now: Millis) -> Result<Edited, Refusal> {
    let id = KeyId::from(mint("key", now, &mut pools.rng));
    let name = new
        .name
        .unwrap_or_else(|| free_name("Key", |name| pools.keys.iter().any(|key| key.entered.name == name)));
    let entered = EnteredKey {
        id: id.clone(),
        name: name.clone(),
        secret: Secret::new(new.key),
        project: new.project.filter(|project| !project.is_empty()),
        weight: new.weight.unwrap_or(1),
        cooldown_seconds: new.cooldown_seconds,
        enabled: true,
    };
    let masked = entered.secret.masked();
    pools.keys.add(entered)?;
    if let Some(proxy) = new.proxy_id {
        assign_proxy(pools, id.clone(), Some(proxy), now)?;
    }
    Ok(Edited { subject: Subject::Key(id), message: format!("Key \"{name}\" ({masked}) added.") })
}

pub fn modify_key(pools: &mut Pools, id: KeyId, patch: KeyPatch) -> Result<Edited, Refusal> {
    pools.keys.modify(&id, patch)?;
    let message = format!("Key \"{}\" changed.", pools.keys.name(&id));
    Ok(Edited { subject: Subject::Key(id), message })
}

pub fn remove_key(pools: &mut Pools, id: KeyId) -> Result<Edited, Refusal> {
    let key = pools.keys.remove(&id)?;
    let subject = Subject::Removed(Some(id.to_string()));
    Ok(Edited { subject, message: format!("Key \"{}\" removed.", key.entered.name) })
}

pub fn set_key_enabled(pools: &mut Pools, id: KeyId, enabled: bool) -> Result<Edited, Refusal> {
    pools.keys.set_enabled(&id, enabled)?;
    let name = pools.keys.name(&id);
    Ok(if enabled {
        Edited { subject: Subject::ForgivenKeys(vec![id]), message: format!("Key \"{name}\" enabled.") }
    } else {
        Edited { subject: Subject::Key(id), message: format!("Key \"{name}\" disabled.") }
    })
}

pub fn add_proxy(pools: &mut Pools, url: &str, name: Option<String>, now: Millis) -> Result<Edited, Refusal> {
    let url = parse(url)?;
    let taken = |name: &str| pools.proxies.iter().any(|proxy| proxy.entered.name == name);
    let name = name.unwrap_or_else(|| {
        let place = format!("{}:{}", url.host(), url.port());
        if taken(&place) { free_name(&place, taken) } else { place }
    });
    let id = ProxyId::from(mint("proxy", now, &mut pools.rng));
    let warning = match url.sends_credentials_in_clear() {
        true => {
            " Its user name and password travel unencrypted to the proxy; prefer an https proxy where there is one."
        }
        false => "",
    };
    let message = format!("Proxy {name} ({}) added.{warning}", url.masked());
    pools.proxies.add(EnteredProxy { id: id.clone(), name, url: Arc::new(url), enabled: true })?;
    Ok(Edited { subject: Subject::Proxy(id), message })
}

pub fn update_proxy(
    pools: &mut Pools,
    id: ProxyId,
    url: Option<&str>,
    name: Option<String>,
    enabled: Option<bool>,
) -> Result<Edited, Refusal> {
    let url = url.map(parse).transpose()?.map(Arc::new);
    pools.proxies.update(&id, name, url, enabled)?;
    let message = format!("Proxy {} changed.", proxy_name(pools, &id));
    Ok(Edited { subject: Subject::Proxy(id), message })
}

pub fn remove_proxy(pools: &mut Pools, id: ProxyId) -> Result<Edited, Refusal> {
    let proxy = pools.proxies.remove(&id)?;
    let subject = Subject::Removed(Some(id.to_string()));
    Ok(Edited { subject, message: format!("Proxy {} removed.", proxy.entered.name) })
}

pub fn assign_proxy(
    pools: &mut Pools,
    key: KeyId,
    proxy: Option<ProxyId>,
    now: Millis,
) -> Result<Edited, Refusal> {
    known_key(pools, &key)?;
    if let Some(id) = proxy.as_ref().filter(|id| pools.proxies.get(id).is_none()) {
        let words = format!("There is no proxy with the id \"{id}\".");
        return Err(Refusal {
            field: Some("proxy_id".to_owned()),
            ..Refusal::new(RefusalCode::NotFound, words)
        });
    }
    let name = pools.keys.name(&key);
    let message = match &proxy {
        Some(id) => format!("Key \"{name}\" now leaves through proxy {}.", proxy_name(pools, id)),
        None => format!("Key \"{name}\" now connects directly, without a proxy."),
    };
    pools.assignments.assign(&key, proxy, now);
    Ok(Edited { subject: Subject::Key(key), message })
}

pub fn unassign_proxy(pools: &mut Pools, key: KeyId) -> Result<Edited, Refusal> {
    known_key(pools, &key)?;
    pools.assignments.unassign(&key);
    let message = format!("The proxy of key \"{}\" is assigned automatically again.", pools.keys.name(&key));
    Ok(Edited { subject: Subject::Key(key), message })
}

pub fn rebalance(pools: &mut Pools, settings: &Settings, now: Millis) -> Edited {
    let message = match pools.rebalance(settings, now) {
        0 => "The keys are balanced already; none moved.".to_owned(),
        1 => "1 key moved to another proxy.".to_owned(),
        count => format!("{count} keys moved to other proxies."),
    };
    Edited { subject: Subject::Nothing, message }
}

/// What [`rebalance`] would do to these pools, changing nothing. `pools` are a copy, with the dice the change would have.
pub fn plan_rebalance(mut pools: Pools, settings: &Settings, now: Millis) -> Reply {
    let place =
        |pools: &Pools, key: &KeyId| pools.assignments.get(key).and_then(|entry| entry.proxy_id.clone());
    let ids: Vec<KeyId> = pools.keys.iter().map(|key| key.entered.id.clone()).collect();
    let before: Vec<Option<ProxyId>> = ids.iter().map(|id| place(&pools, id)).collect();
    let spread_before = pools.balance(now).spread.keys;
    rebalance(&mut pools, settings, now);
    pools.settle_assignments(settings, now);
    let named = |id: ProxyId| NamedProxy { name: proxy_name(&pools, &id), id };
    let moves: Vec<PlannedMove> = ids
        .into_iter()
        .zip(before)
        .filter_map(|(key_id, from)| {
            let to = place(&pools, &key_id).filter(|to| from.as_ref() != Some(to))?;
            let key_name = pools.keys.name(&key_id);
            Some(PlannedMove { key_id, key_name, from: from.map(named), to: named(to) })
        })
        .collect();
    let message = match moves.len() {
        0 => "The keys are balanced already; none would move.".to_owned(),
        1 => "1 key would move to another proxy.".to_owned(),
        count => format!("{count} keys would move to other proxies."),
    };
    Reply::RebalancePlan { message, moves, spread_before, spread_after: pools.balance(now).spread.keys }
}

fn parse(url: &str) -> Result<ProxyUrl, Refusal> {
    ProxyUrl::parse(url).map_err(|error| Refusal::invalid("url", error.to_string()))
}

fn known_key(pools: &Pools, id: &KeyId) -> Result<(), Refusal> {
    match pools.keys.get(id) {
        Some(_) => Ok(()),
        None => Err(crate::keys::KeyError::NotFound(id.clone()).into()),
    }
}

fn proxy_name(pools: &Pools, id: &ProxyId) -> String {
    pools.proxies.get(id).map_or_else(|| id.to_string(), |proxy| proxy.entered.name.clone())
}

/// `stem 1`, `stem 2`, … the first that nobody has.
fn free_name(stem: &str, taken: impl Fn(&str) -> bool) -> String {
    (1_u64..)
        .map(|number| format!("{stem} {number}"))
        .find(|name| !taken(name))
        .unwrap_or_else(|| stem.to_owned())
}
