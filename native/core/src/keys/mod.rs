//! The keys: what the user entered of each, what the system learned, and which may serve the next request.
//! Knows nothing of proxies, sockets or storage; time and randomness are arguments.

pub mod circuit;
pub mod list;
pub mod pacific;
pub mod quota;
pub mod recent;
pub mod score;
pub mod select;
pub mod text;

use std::borrow::Cow;

use crate::clock::Millis;
use crate::figures::Figures;
use crate::ids::{InOrder, KeyId, restore_place};
use crate::secret::Secret;
use crate::settings::KeySelection;
use crate::vault::EnteredKey;
use circuit::Breaker;
use quota::Resting;
use score::Score;
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

/// A model that this key has not is asked for again after this long: accounts are given new ones.
const LACKS_FOR: Millis = 3_600_000;
/// Models remembered as lacking, for each key; the oldest go first.
const MOST_LACKING: usize = 64;

/// What the system learned of a key since it was loaded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Learned {
    /// The project that Google named for this key.
    pub project: Option<String>,
    /// Set when the upstream refused the key itself; cleared by the user enabling it or changing its text, and by a
    /// later request that succeeds.
    pub disabled_because: Option<String>,
    pub breaker: Breaker,
    pub score: Score,
    /// What the last failure said that was this key's.
    pub last_failure: Option<String>,
    /// Models that this key was refused, and until when that counts.
    pub lacks: Vec<(String, Millis)>,
    pub in_flight: u32,
    pub requests: u64,
    /// Requests that went direct although the key has a proxy.
    pub fallbacks: u64,
    pub failures: u64,
    pub last_used: Option<Millis>,
    pub(crate) turn: i64,
}

#[derive(Clone, Debug)]
pub struct ApiKey {
    pub entered: EnteredKey,
    pub learned: Learned,
    pub figures: Figures,
}

/// Why a key cannot serve now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Out {
    DisabledByUser,
    Disabled(String),
    Cooling(Resting),
    /// Its circuit is open until then, because of this.
    Failing(Millis, String),
    /// Its circuit is half-open, and another request is trying it.
    OnTrial,
}

impl ApiKey {
    pub fn new(entered: EnteredKey) -> Self {
        Self { entered, learned: Learned::default(), figures: Figures::default() }
    }

    /// Why the key is disabled, by the user or by a refusal of Google's; one that is refused may still be on trial.
    pub fn disabled(&self) -> Option<Out> {
        if !self.entered.enabled {
            return Some(Out::DisabledByUser);
        }
        self.learned.disabled_because.clone().map(Out::Disabled)
    }

    /// Why the key cannot serve now; `None` when it may as far as it alone is concerned. Quotas are the project's
    /// business, see `Pools::out`.
    pub fn out(&self, now: Millis) -> Option<Out> {
        if self.admits(now) {
            return None;
        }
        Some(self.disabled().unwrap_or_else(|| match self.learned.breaker.opens_until(now) {
            Some(until) => Out::Failing(until, self.learned.last_failure.clone().unwrap_or_default()),
            None => Out::OnTrial,
        }))
    }

    /// The question of every pick, without the reason.
    pub fn admits(&self, now: Millis) -> bool {
        self.entered.enabled && self.learned.breaker.admits(now)
    }

    /// Whether this key was lately refused that model.
    pub fn lacks(&self, model: Option<&str>, now: Millis) -> bool {
        let Some(model) = model else { return false };
        self.learned.lacks.iter().any(|(lacking, until)| lacking == model && *until > now)
    }

    /// Whose quotas this key uses: the project the user gave, the one Google named, else the key is its own.
    pub fn quota_project(&self) -> Cow<'_, str> {
        match self.known_project() {
            Some(project) => Cow::Borrowed(project),
            None => Cow::Owned(own_project(&self.entered.id)),
        }
    }

    /// Whose key it is with certainty: `None` while the project is not known.
    pub fn known_project(&self) -> Option<&String> {
        self.entered.project.as_ref().or(self.learned.project.as_ref())
    }

    /// About how many bytes this key holds beside its own size.
    pub fn held_bytes(&self) -> usize {
        let entered = self.entered.name.len() + self.entered.secret.expose().len();
        let lacks: usize =
            self.learned.lacks.iter().map(|(model, _)| model.len() + size_of::<(String, Millis)>()).sum();
        entered + lacks + self.figures.held_bytes()
    }

    pub fn cooldown_millis(&self) -> Millis {
        Millis::from(self.entered.cooldown_seconds.unwrap_or(DEFAULT_COOLDOWN_SECONDS)) * 1_000
    }
}

impl Learned {
    /// What was held against the key is forgotten: it is given another try.
    pub fn forgive(&mut self) {
        self.disabled_because = None;
        self.breaker = Breaker::default();
        self.score = Score::default();
        self.lacks.clear();
    }

    /// The clock was set back: what was to come is as far away as before.
    pub fn shift_back(&mut self, by: Millis) {
        self.breaker.shift_back(by);
        self.last_used = self.last_used.map(|at| at.saturating_sub(by));
        self.lacks.iter_mut().for_each(|(_, until)| *until = until.saturating_sub(by));
    }

    pub fn lack(&mut self, model: &str, now: Millis) {
        self.lacks.retain(|(lacking, until)| lacking != model && *until > now);
        if self.lacks.len() == MOST_LACKING {
            self.lacks.remove(0);
        }
        self.lacks.push((model.to_owned(), now.saturating_add(LACKS_FOR)));
    }
}

/// Stands for the project of a key that has none known.
pub fn own_project(id: &KeyId) -> String {
    format!("key:{id}")
}

/// All keys, in the order entered.
#[derive(Clone, Debug, Default)]
pub struct ApiKeyManager {
    keys: InOrder<KeyId, ApiKey>,
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
        self.keys.insert(entered.id.clone(), ApiKey::new(entered));
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

    /// Moves a key behind `after`; where that is gone, as near to `place` as can be.
    pub fn place(&mut self, id: &KeyId, place: usize, after: Option<&KeyId>) {
        restore_place(&mut self.keys, id, place, after);
    }

    /// Enabling also forgives: a key that the upstream refused is given another try.
    pub fn set_enabled(&mut self, id: &KeyId, enabled: bool) -> Result<(), KeyError> {
        let key = self.keys.get_mut(id).ok_or_else(|| KeyError::NotFound(id.clone()))?;
        key.entered.enabled = enabled;
        if enabled {
            key.learned.forgive();
        }
        Ok(())
    }

    /// Takes over what the user entered, keeping what was learned of every key whose text is unchanged.
    pub fn adopt(&mut self, entered: Vec<EnteredKey>) {
        let mut before = std::mem::take(&mut self.keys);
        for new in entered {
            let key = match before.swap_remove(&new.id) {
                Some(mut known) => {
                    let enabled_now = new.enabled && !known.entered.enabled;
                    known.replace_entered(new);
                    if enabled_now {
                        known.learned.forgive();
                    }
                    known
                }
                None => ApiKey::new(new),
            };
            self.keys.insert(key.entered.id.clone(), key);
        }
    }

    /// Chooses among the keys that `usable` accepts; those of the lowest rank win.
    /// Does not count the request: see `Pools::lease`.
    pub fn select(
        &mut self,
        strategy: KeySelection,
        rng: &mut fastrand::Rng,
        usable: impl Fn(&ApiKey) -> Option<Rank>,
    ) -> Option<KeyId> {
        let ranks: Vec<Option<Rank>> = self.keys.values().map(usable).collect();
        let best = ranks.iter().flatten().min()?;
        let places: Vec<usize> =
            (0..ranks.len()).filter(|&place| ranks[place].as_ref() == Some(best)).collect();
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
        Candidate {
            share: key.learned.score.share(key.entered.weight),
            in_flight: key.learned.in_flight,
            turn: key.learned.turn,
        }
    }

    fn check(&self, entered: &EnteredKey) -> Result<(), KeyError> {
        check_alone(entered)?;
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

/// What is right or wrong of a key whatever the others are.
pub fn check_alone(entered: &EnteredKey) -> Result<(), KeyError> {
    check_key_text(entered.secret.expose()).map_err(KeyError::Text)?;
    check_name(&entered.name).map_err(KeyError::Name)?;
    if !(1..=100).contains(&entered.weight) {
        return Err(KeyError::WeightOutOfRange(entered.weight));
    }
    if let Some(seconds) = entered.cooldown_seconds.filter(|seconds| !(1..=86_400).contains(seconds)) {
        return Err(KeyError::CooldownOutOfRange(seconds));
    }
    Ok(())
}

impl ApiKey {
    fn replace_entered(&mut self, entered: EnteredKey) {
        if self.entered.secret != entered.secret {
            let in_flight = self.learned.in_flight;
            self.learned = Learned { in_flight, ..Learned::default() };
            self.figures = Figures::default();
        }
        self.entered = entered;
    }
}

/// How gladly a key is taken: one with a higher rank serves only when none with a lower one can.
/// The order of the fields is the order of their weight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank {
    /// It was lately refused this model.
    pub lacks_model: bool,
    /// Its proxy is in error, or failed this request: better than no answer, worse than any other key.
    pub faulty_proxy: bool,
    /// On trial, and this request cannot be sent a second time.
    pub risky: bool,
    /// Another key asked last, and what failed had nothing to do with it.
    pub not_last: bool,
    /// Another key than the one its conversation was held with.
    pub elsewhere: bool,
    /// A key of the same project already failed this request.
    pub same_project: bool,
}

#[cfg(test)]
mod tests;
