//! Adds a pasted list of proxies: those that can be used in one change, the others told of line by line.

use super::Aggregator;
use super::edit::{self, Edited, Subject};
use crate::backup::diff::counted;
use crate::clock::Millis;
use crate::command::{ListedProxy, ListedResult, Refusal, RefusalCode, Reply};
use crate::pools::Pools;
use crate::proxies::list::{Listed, MOST, entries};

impl Aggregator {
    /// Invariant: one change for the whole list: saved and settled once, or not at all.
    pub(super) async fn add_proxies(&self, text: &str) -> Result<Reply, Refusal> {
        let listed: Vec<Listed<'_>> = entries(text).take(MOST + 1).collect();
        if listed.is_empty() {
            return Err(Refusal::invalid("text", "There is no proxy in the list; write one to a line."));
        }
        if listed.len() > MOST {
            let words = format!("The list has more than {MOST} proxies; add them in parts.");
            return Err(Refusal::invalid("text", words));
        }
        let mut results = Vec::new();
        self.edit(|pools, now| {
            results = listed.iter().map(|entry| add(pools, entry, now)).collect();
            Ok(Edited { subject: Subject::Nothing, message: String::new() })
        })
        .await?;
        let told = results.iter().map(|entry| (entry.line, entry.result, entry.message.as_str()));
        Ok(Reply::ProxiesListed { message: summary("proxy", told), entries: results })
    }
}

fn add(pools: &mut Pools, entry: &Listed<'_>, now: Millis) -> ListedProxy {
    let name = entry.name.map(str::to_owned);
    let line = entry.line;
    match edit::add_proxy(pools, entry.url, name, now) {
        Ok(Edited { subject, message }) => {
            let id = if let Subject::Proxy(id) = subject { Some(id) } else { None };
            ListedProxy { line, result: ListedResult::Added, message, id }
        }
        Err(refusal) => {
            let twin = refusal.code == RefusalCode::Duplicate && refusal.field.as_deref() == Some("url");
            let result = if twin { ListedResult::Duplicate } else { ListedResult::Refused };
            ListedProxy { line, result, message: refusal.message, id: None }
        }
    }
}

/// `2 proxies added, 1 was there already, 1 refused. Line 3: …`
pub(super) fn summary<'a>(
    noun: &str,
    results: impl Iterator<Item = (u32, ListedResult, &'a str)> + Clone,
) -> String {
    let count = |result| results.clone().filter(|(_, found, _)| *found == result).count();
    let mut parts = vec![format!("{} added", counted(count(ListedResult::Added), noun))];
    match count(ListedResult::Duplicate) {
        0 => {}
        1 => parts.push("1 was there already".to_owned()),
        twins => parts.push(format!("{twins} were there already")),
    }
    match count(ListedResult::Skipped) {
        0 => {}
        others => parts.push(format!("{} left out", counted(others, "line"))),
    }
    let first = results.clone().find(|(_, result, _)| *result == ListedResult::Refused);
    let Some((line, _, message)) = first else { return format!("{}.", parts.join(", ")) };
    parts.push(format!("{} refused", count(ListedResult::Refused)));
    format!("{}. Line {line}: {message}", parts.join(", "))
}
