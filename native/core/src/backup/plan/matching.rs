//! Finds for each entry of a backup the entry that is there: the one with the same text first, since a text may be there
//! only once, then the one with the same id. Knows nothing of what keys and proxies are.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

/// The places in `present` that belong to the entries of the backup, in their order.
/// Invariant: no place is given twice.
pub fn places<Id: Eq + Hash, Text: Eq + Hash>(
    present: &[(Id, Text)],
    wanted: &[(Id, Option<Text>)],
) -> Vec<Option<usize>> {
    let by_text: HashMap<&Text, usize> =
        present.iter().enumerate().map(|(place, (_, text))| (text, place)).collect();
    let by_id: HashMap<&Id, usize> = present.iter().enumerate().map(|(place, (id, _))| (id, place)).collect();
    let mut claimed = HashSet::new();
    let mut found: Vec<Option<usize>> = wanted
        .iter()
        .map(|(_, text)| {
            let place = *by_text.get(text.as_ref()?)?;
            claimed.insert(place).then_some(place)
        })
        .collect();
    for (found, (id, _)) in found.iter_mut().zip(wanted) {
        if found.is_none() {
            *found = by_id.get(id).copied().filter(|place| claimed.insert(*place));
        }
    }
    found
}

/// The id of an entry that is not there yet: the backup's, if it is one of `forms` and free, else a new one. An id of
/// any form could name another secret of the vault.
pub fn id_for<Id: Eq + Hash + Clone>(
    offered: &Id,
    text: &str,
    forms: &[&str],
    taken: &mut HashSet<Id>,
    mut mint: impl FnMut() -> Id,
) -> Id {
    const LONGEST: usize = 64;
    let tail = forms.iter().find_map(|form| text.strip_prefix(form));
    let well_formed = text.len() <= LONGEST
        && tail.is_some_and(|tail| {
            !tail.is_empty() && tail.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        });
    let mut id = if well_formed { offered.clone() } else { mint() };
    while !taken.insert(id.clone()) {
        id = mint();
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_text_wins_over_the_same_id() {
        let present = [("a", "X"), ("b", "Y"), ("c", "Z")];
        let wanted = [("a", Some("Y")), ("b", Some("X")), ("c", Some("new")), ("d", None), ("a", None)];
        assert_eq!(places(&present, &wanted), [Some(1), Some(0), Some(2), None, None]);
    }

    #[test]
    fn an_id_that_names_another_secret_is_not_taken() {
        let mut taken = HashSet::from(["key_1_b".to_owned()]);
        let mut minted = 0;
        let mut given = |text: &str| {
            id_for(&text.to_owned(), text, &["key_", "api-key-"], &mut taken, || {
                minted += 1;
                format!("new {minted}")
            })
        };
        assert_eq!(given("key_1_a"), "key_1_a");
        assert_eq!(given("geminiProxyPool"), "new 1");
        assert_eq!(given("key_1_b"), "new 2", "it is taken");
        assert_eq!(given("key_"), "new 3");
    }
}
