//! Adds a pasted list of API keys: those that can be used in one change, the others told of row by row. How a list is
//! written `keys::list` knows; no answer says more of a key than its last four characters.

use super::Aggregator;
use super::edit::{self, Edited, NewKey, Subject};
use super::lists::summary;
use crate::clock::Millis;
use crate::command::{ListedKey, ListedResult, Refusal, RefusalCode, Reply};
use crate::keys::list::{self, Entry, ListedText, MOST, Row};
use crate::pools::Pools;

impl Aggregator {
    /// Invariant: one change for the whole list: saved and settled once, or not at all.
    pub(super) async fn add_keys(&self, text: &str) -> Result<Reply, Refusal> {
        let rows = list::rows(text).map_err(|error| Refusal::invalid("text", error.to_string()))?;
        if rows.is_empty() {
            return Err(Refusal::invalid("text", "There is no API key in the list; write one to a line."));
        }
        if rows.len() > MOST {
            let words = format!("The list has more than {MOST} keys; add them in parts.");
            return Err(Refusal::invalid("text", words));
        }
        let mut results = Vec::new();
        self.edit(|pools, now| {
            results = rows.into_iter().map(|row| add(pools, row, now)).collect();
            Ok(Edited { subject: Subject::Nothing, message: String::new() })
        })
        .await?;
        let told = results.iter().map(|entry| (entry.line, entry.result, entry.message.as_str()));
        Ok(Reply::KeysListed { message: summary("key", told), entries: results })
    }
}

fn add(pools: &mut Pools, row: Row, now: Millis) -> ListedKey {
    let line = row.line;
    let told = |result, message| ListedKey { line, result, message, id: None };
    match row.entry {
        Entry::Skipped(message) => told(ListedResult::Skipped, message),
        Entry::Refused(message) => told(ListedResult::Refused, message),
        Entry::Key(text) => match add_key(pools, *text, now) {
            Ok(Edited { subject: Subject::Key(id), message }) => {
                ListedKey { id: Some(id), ..told(ListedResult::Added, message) }
            }
            Ok(Edited { message, .. }) => told(ListedResult::Added, message),
            Err(refusal) => {
                let twin = refusal.code == RefusalCode::Duplicate && refusal.field.as_deref() == Some("key");
                let result = if twin { ListedResult::Duplicate } else { ListedResult::Refused };
                told(result, refusal.message)
            }
        },
    }
}

/// The key, and with it whatever else its row says.
fn add_key(pools: &mut Pools, text: ListedText, now: Millis) -> Result<Edited, Refusal> {
    let ListedText { key, name, project, weight, cooldown_seconds, disabled, proxy } = text;
    let added =
        edit::add_key(pools, NewKey { key, name, project, weight, cooldown_seconds, proxy_id: None }, now)?;
    let Subject::Key(id) = &added.subject else { return Ok(added) };
    let mut message = added.message;
    if disabled {
        edit::set_key_enabled(pools, id.clone(), false)?;
        message.push_str(" It is switched off, as the list says.");
    }
    if let Some(name) = proxy {
        let found = pools.proxies.iter().find(|proxy| proxy.entered.name == name);
        match found.map(|proxy| proxy.entered.id.clone()) {
            Some(proxy) => {
                edit::assign_proxy(pools, id.clone(), Some(proxy), now)?;
            }
            None => message
                .push_str(&format!(" No proxy is called \"{name}\"; its proxy is assigned automatically.")),
        }
    }
    Ok(Edited { subject: added.subject, message })
}
