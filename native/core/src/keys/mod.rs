//! The keys: what the user entered of each, what the system learned, and which may serve the next request.
//! Knows nothing of proxies, sockets or storage; time and randomness are arguments.

pub mod pacific;
pub mod quota;
pub mod select;
pub mod text;

use std::borrow::Cow;

use indexmap::IndexMap;

use crate::clock::Millis;
use crate::ids::KeyId;
use crate::secret::Secret;
use crate::settings::KeySelection;
use crate::vault::EnteredKey;
use quota::Resting;
use select::{Candidate, choose};
use text::{KeyTextError, check_key_text, check_name};

/// Wait after a refusal that names no delay, in seconds, unless the key has its own.
pub const DEFAULT_COOLDOWN_SECONDS: u32 = 60;

/// Why a change to the keys is refused; words are made where it is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyError {
    Text(KeyTextError),
    Name(String),
    NameTaken(String),
    WeightOutOfRange(u32),
    CooldownOutOfRange(u32),
    /// The same key text is already there, under this name.
    Duplicate(String),
    NotFound(KeyId),
}

/// A change to one key; `None` leaves a field as it is. An empty project clears it.
#[derive(Clone, Debug, Default)]
pub struct KeyPatch {
    pub secret: Option<Secret>,
    pub name: Option<String>,
    pub project: Option<String>,
    pub weight: Option<u32>,
    pub cooldown_seconds: Option<u32>,
}

/// What the system learned of a key since it was loaded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Learned {
    /// The project that Google named for this key.
    pub project: Option<String>,
    /// Set when the upstream refused the key itself; cleared by the user enabling it or changing its text.
    pub disabled_because: Option<String>,
    pub in_flight: u32,
    pub requests: u64,
    pub failures: u64,
    pub last_used: Option<Millis>,
    turn: i64,
}

#[derive(Clone, Debug)]
pub struct ApiKey {
    pub entered: EnteredKey,
    pub learned: Learned,
}

/// Why a key cannot serve now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Out {
    DisabledByUser,
    Disabled(String),
    Cooling(Resting),
}

impl ApiKey {
    /// Why the key is disabled; `None` when it may serve as far as it alone is concerned. Quotas are the project's
    /// business, see `Pools::out`.
    pub fn disabled(&self) -> Option<Out> {
        if !self.entered.enabled {
            return Some(Out::DisabledByUser);
        }
        self.learned.disabled_because.clone().map(Out::Disabled)
    }

    /// The question of every pick, without the reason.
    pub fn is_enabled(&self) -> bool {
        self.entered.enabled && self.learned.disabled_because.is_none()
    }

    /// Whose quotas this key uses: the project the user gave, the one Google named, else the key is its own.
    pub fn quota_project(&self) -> Cow<'_, str> {
        match self.entered.project.as_ref().or(self.learned.project.as_ref()) {
            Some(project) => Cow::Borrowed(project),
            None => Cow::Owned(own_project(&self.entered.id)),
        }
    }

    pub fn cooldown_millis(&self) -> Millis {
        Millis::from(self.entered.cooldown_seconds.unwrap_or(DEFAULT_COOLDOWN_SECONDS)) * 1_000
    }
}

/// Stands for the project of a key that has none known.
pub fn own_project(id: &KeyId) -> String {
    format!("key:{id}")
}

/// All keys, in the order entered.
#[derive(Clone, Debug, Default)]
pub struct ApiKeyManager {
    keys: IndexMap<KeyId, ApiKey>,
}

impl ApiKeyManager {
    pub fn get(&self, id: &KeyId) -> Option<&ApiKey> {
        self.keys.get(id)
    }

    pub fn get_mut(&mut self, id: &KeyId) -> Option<&mut ApiKey> {
        self.keys.get_mut(id)
    }

    /// The name, or the id of a key that is gone.
    pub fn name(&self, id: &KeyId) -> String {
        self.get(id).map_or_else(|| id.to_string(), |key| key.entered.name.clone())
    }

    /// By id, or by name when no id fits.
    pub fn find(&self, text: &str) -> Option<&ApiKey> {
        self.keys.get(&KeyId::from(text)).or_else(|| self.iter().find(|key| key.entered.name == text))
    }

    pub fn iter(&self) -> impl Iterator<Item = &ApiKey> {
        self.keys.values()
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut ApiKey> {
        self.keys.values_mut()
    }

    pub fn len(&self) -> usize {
        self.keys.len()
    }

    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub fn entered(&self) -> Vec<EnteredKey> {
        self.iter().map(|key| key.entered.clone()).collect()
    }

    pub fn add(&mut self, entered: EnteredKey) -> Result<(), KeyError> {
        self.check(&entered)?;
        self.keys.insert(entered.id.clone(), ApiKey { entered, learned: Learned::default() });
        Ok(())
    }

    /// A new text makes a new key of it: what was learned of the old text is forgotten.
    pub fn modify(&mut self, id: &KeyId, patch: KeyPatch) -> Result<(), KeyError> {
        let key = self.keys.get(id).ok_or_else(|| KeyError::NotFound(id.clone()))?;
        let mut entered = key.entered.clone();
        if let Some(secret) = patch.secret {
            entered.secret = secret;
        }
        if let Some(name) = patch.name {
            entered.name = name;
        }
        if let Some(project) = patch.project {
            entered.project = Some(project).filter(|text| !text.is_empty());
        }
        entered.weight = patch.weight.unwrap_or(entered.weight);
        entered.cooldown_seconds = patch.cooldown_seconds.or(entered.cooldown_seconds);
        self.check(&entered)?;
        if let Some(key) = self.keys.get_mut(id) {
            key.replace_entered(entered);
        }
        Ok(())
    }

    pub fn remove(&mut self, id: &KeyId) -> Result<ApiKey, KeyError> {
        self.keys.shift_remove(id).ok_or_else(|| KeyError::NotFound(id.clone()))
    }

    /// Enabling also forgives: a key that the upstream refused is given another try.
    pub fn set_enabled(&mut self, id: &KeyId, enabled: bool) -> Result<(), KeyError> {
        let key = self.keys.get_mut(id).ok_or_else(|| KeyError::NotFound(id.clone()))?;
        key.entered.enabled = enabled;
        if enabled {
            key.learned.disabled_because = None;
        }
        Ok(())
    }

    /// Takes over what the user entered, keeping what was learned of every key whose text is unchanged.
    pub fn adopt(&mut self, entered: Vec<EnteredKey>) {
        let mut before = std::mem::take(&mut self.keys);
        for new in entered {
            let key = match before.shift_remove(&new.id) {
                Some(mut known) => {
                    let enabled_now = new.enabled && !known.entered.enabled;
                    known.replace_entered(new);
                    if enabled_now {
                        known.learned.disabled_because = None;
                    }
                    known
                }
                None => ApiKey { entered: new, learned: Learned::default() },
            };
            self.keys.insert(key.entered.id.clone(), key);
        }
    }

    /// Chooses among the keys that `usable` accepts; the first tier with a usable key wins.
    /// Does not count the request: see `Pools::lease`.
    pub fn select(
        &mut self,
        strategy: KeySelection,
        rng: &mut fastrand::Rng,
        usable: impl Fn(&ApiKey) -> Option<Tier>,
    ) -> Option<KeyId> {
        let tiers: Vec<Option<Tier>> = self.keys.values().map(usable).collect();
        let best = tiers.iter().flatten().min()?;
        let places: Vec<usize> =
            (0..tiers.len()).filter(|&place| tiers[place].as_ref() == Some(best)).collect();
        let mut candidates: Vec<Candidate> = places.iter().map(|&place| self.candidate(place)).collect();
        let chosen = choose(strategy, &mut candidates, rng)?;
        for (place, candidate) in places.iter().zip(&candidates) {
            if let Some((_, key)) = self.keys.get_index_mut(*place) {
                key.learned.turn = candidate.turn;
            }
        }
        self.keys.get_index(*places.get(chosen)?).map(|(id, _)| id.clone())
    }

    fn candidate(&self, place: usize) -> Candidate {
        let key = &self.keys[place];
        Candidate { weight: key.entered.weight, in_flight: key.learned.in_flight, turn: key.learned.turn }
    }

    fn check(&self, entered: &EnteredKey) -> Result<(), KeyError> {
        check_key_text(entered.secret.expose()).map_err(KeyError::Text)?;
        check_name(&entered.name).map_err(KeyError::Name)?;
        if !(1..=100).contains(&entered.weight) {
            return Err(KeyError::WeightOutOfRange(entered.weight));
        }
        if let Some(seconds) = entered.cooldown_seconds.filter(|seconds| !(1..=86_400).contains(seconds)) {
            return Err(KeyError::CooldownOutOfRange(seconds));
        }
        for other in self.iter().filter(|other| other.entered.id != entered.id) {
            if other.entered.secret == entered.secret {
                return Err(KeyError::Duplicate(other.entered.name.clone()));
            }
            if other.entered.name == entered.name {
                return Err(KeyError::NameTaken(entered.name.clone()));
            }
        }
        Ok(())
    }
}

impl ApiKey {
    fn replace_entered(&mut self, entered: EnteredKey) {
        if self.entered.secret != entered.secret {
            let in_flight = self.learned.in_flight;
            self.learned = Learned { in_flight, ..Learned::default() };
        }
        self.entered = entered;
    }
}

/// Keys of a later tier serve only when no key of an earlier one can.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    Healthy,
    /// Its proxy is in error: better than no answer, worse than any other key.
    FaultyProxy,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::entered_key;

    fn manager(count: u32) -> ApiKeyManager {
        let mut manager = ApiKeyManager::default();
        for number in 1..=count {
            manager.add(entered_key(number)).unwrap();
        }
        manager
    }

    #[test]
    fn a_second_key_with_the_same_text_or_name_is_refused() {
        let mut keys = manager(1);
        let twin = EnteredKey { id: "x".into(), name: "other".to_owned(), ..entered_key(1) };
        assert_eq!(keys.add(twin), Err(KeyError::Duplicate("key 1".to_owned())));
        let namesake = EnteredKey { name: "key 1".to_owned(), ..entered_key(2) };
        assert_eq!(keys.add(namesake), Err(KeyError::NameTaken("key 1".to_owned())));
    }

    #[test]
    fn a_refused_change_changes_nothing() {
        let mut keys = manager(2);
        let patch = KeyPatch { name: Some("new".to_owned()), weight: Some(0), ..KeyPatch::default() };
        assert_eq!(keys.modify(&"k1".into(), patch), Err(KeyError::WeightOutOfRange(0)));
        assert_eq!(keys.get(&"k1".into()).unwrap().entered, entered_key(1));
    }

    #[test]
    fn a_new_text_forgets_the_old_verdict_but_not_the_requests_in_flight() {
        let mut keys = manager(1);
        let id = KeyId::from("k1");
        keys.get_mut(&id).unwrap().learned =
            Learned { disabled_because: Some("invalid".to_owned()), in_flight: 2, ..Learned::default() };
        let patch = KeyPatch { secret: Some(Secret::new("test-key-replacement")), ..KeyPatch::default() };
        keys.modify(&id, patch).unwrap();
        let key = keys.get(&id).unwrap();
        assert_eq!((key.disabled(), key.learned.in_flight), (None, 2));
    }

    #[test]
    fn enabling_gives_a_refused_key_another_try() {
        let mut keys = manager(1);
        let id = KeyId::from("k1");
        keys.get_mut(&id).unwrap().learned.disabled_because = Some("invalid".to_owned());
        keys.set_enabled(&id, true).unwrap();
        assert_eq!(keys.get(&id).unwrap().disabled(), None);
    }

    #[test]
    fn a_later_tier_serves_only_when_no_earlier_one_can() {
        let mut keys = manager(3);
        let mut rng = fastrand::Rng::with_seed(1);
        let second_is_healthy =
            |key: &ApiKey| Some(if key.entered.name == "key 2" { Tier::Healthy } else { Tier::FaultyProxy });
        for _ in 0..5 {
            let id = keys.select(KeySelection::RoundRobin, &mut rng, second_is_healthy);
            assert_eq!(id, Some("k2".into()));
        }
        let last = keys.select(KeySelection::RoundRobin, &mut rng, |key| {
            (key.entered.name != "key 2").then_some(Tier::FaultyProxy)
        });
        assert!(last.is_some());
    }
}
