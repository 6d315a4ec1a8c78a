//! The difference between two states of what the user entered, as events. Every change, whoever made it, is told
//! from here, so that no path can change something silently.

use crate::clock::Millis;
use crate::events::{Event, EventType, Level};
use crate::vault::{Assignment, Entered};

pub fn between(before: &Entered, after: &Entered, now: Millis) -> Vec<Event> {
    let info = |kind, words: String| Event::new(kind, Level::Info, now, words);
    let mut events = Vec::new();
    let (old_keys, new_keys) = (before.keys_by_id(), after.keys_by_id());
    for key in &after.keys {
        match old_keys.get(&key.id) {
            None => {
                events.push(info(EventType::KeyAdded, format!("Key \"{}\" added.", key.name)).key(&key.id))
            }
            Some(old) if *old != key => {
                events
                    .push(info(EventType::KeyUpdated, format!("Key \"{}\" changed.", key.name)).key(&key.id));
            }
            Some(_) => {}
        }
    }
    for key in before.keys.iter().filter(|old| !new_keys.contains_key(&old.id)) {
        events.push(info(EventType::KeyRemoved, format!("Key \"{}\" removed.", key.name)).key(&key.id));
    }
    if before.proxies != after.proxies {
        let words = match after.proxies.len() {
            1 => "The proxy pool changed: 1 proxy.".to_owned(),
            count => format!("The proxy pool changed: {count} proxies."),
        };
        events.push(info(EventType::PoolChanged, words));
    }
    if before.rotating != after.rotating {
        events.push(info(EventType::RotatingChanged, rotating_words(after)));
    }
    let (placed, proxies) = (before.assignments_by_key(), after.proxies_by_id());
    let is_new = |entry: &&Assignment| {
        let old = placed.get(&entry.key_id);
        old.is_none_or(|old| (&old.proxy_id, old.is_manual) != (&entry.proxy_id, entry.is_manual))
    };
    events.extend(after.assignments.iter().filter(is_new).map(|entry| {
        let key = new_keys.get(&entry.key_id).map_or("?", |key| key.name.as_str());
        let proxy = entry.proxy_id.as_ref().and_then(|id| proxies.get(id));
        let proxy = proxy.map_or("No Proxy", |proxy| proxy.name.as_str());
        let how = if entry.is_manual { "by hand" } else { "automatically" };
        info(EventType::AssignmentChanged, format!("Key \"{key}\" is assigned to {proxy} {how}."))
            .key(&entry.key_id)
    }));
    events
}

fn rotating_words(after: &Entered) -> String {
    match &after.rotating {
        None => "The rotating proxy is removed: each key leaves through its own proxy.".to_owned(),
        Some(proxy) => {
            let now = match proxy.enabled {
                true => "on: every key leaves through it",
                false => "off: each key leaves through its own proxy",
            };
            format!("The rotating proxy {} is {now}.", proxy.url.masked())
        }
    }
}
