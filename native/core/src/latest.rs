//! A map that keeps the latest of its entries, a bounded number: what was put longest ago is the first to go. Putting,
//! finding and letting go take the same short time however many there are, for it happens under a lock on a request's
//! way. Knows nothing of what it keeps.

use std::borrow::Borrow;
use std::hash::Hash;

use hashlink::LinkedHashMap;

/// Holds `MOST` entries at most.
pub struct Latest<K, V, const MOST: usize> {
    entries: LinkedHashMap<K, V>,
}

impl<K: Eq + Hash, V, const MOST: usize> Default for Latest<K, V, MOST> {
    fn default() -> Self {
        Self { entries: LinkedHashMap::new() }
    }
}

impl<K: Eq + Hash, V, const MOST: usize> Latest<K, V, MOST> {
    /// Now the latest, whether it was there before or not; gives what it was.
    pub fn put(&mut self, key: K, value: V) -> Option<V> {
        let before = self.entries.insert(key, value);
        if self.entries.len() > MOST {
            self.entries.pop_front();
        }
        before
    }

    pub fn get<Q>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.entries.get(key)
    }

    pub fn retain(&mut self, mut keeps: impl FnMut(&V) -> bool) {
        self.entries.retain(|_, value| keeps(value));
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The oldest first.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.entries.iter()
    }

    /// `older` in order and then what is here already, which counts where both have a key.
    pub fn put_before(&mut self, older: impl IntoIterator<Item = (K, V)>) {
        let learned = std::mem::take(&mut self.entries);
        older.into_iter().chain(learned).for_each(|(key, value)| {
            self.put(key, value);
        });
    }

    /// About how many bytes the entries take, without what they point at.
    pub fn held_bytes(&self) -> usize {
        self.entries.capacity() * size_of::<(K, V)>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(latest: &Latest<u8, char, 3>) -> String {
        latest.iter().map(|(key, value)| format!("{key}{value}")).collect()
    }

    #[test]
    fn the_one_put_longest_ago_goes_first() {
        let mut latest = Latest::default();
        assert_eq!(
            [(1, 'a'), (2, 'b'), (1, 'c')].map(|(key, value)| latest.put(key, value)),
            [None, None, Some('a')]
        );
        assert_eq!((kept(&latest), latest.get(&1)), ("2b1c".to_owned(), Some(&'c')));
        latest.put(3, 'd');
        latest.put(4, 'e');
        assert_eq!((kept(&latest), latest.len()), ("1c3d4e".to_owned(), 3));
        latest.retain(|value| *value != 'd');
        assert_eq!(kept(&latest), "1c4e");
    }

    #[test]
    fn what_is_older_comes_before_and_does_not_count_against_what_is_here() {
        let mut latest = Latest::default();
        latest.put(1, 'n');
        latest.put(2, 'n');
        latest.put_before([(7, 'o'), (1, 'o'), (8, 'o')]);
        assert_eq!(kept(&latest), "8o1n2n", "the oldest of all are beyond the bound");
    }
}
