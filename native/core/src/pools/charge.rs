//! What a verdict does to the key of an attempt: it is disabled, rests, lacks a model, is let alone for a while, or is
//! proved to work. Also the words for what changed. Proxies are settled elsewhere.
//!
//! Invariant: only the blamed entry changes health.

use super::{Pick, Pools};
use crate::clock::Millis;
use crate::dispatch::judge::{Blame, Rest, RestLength, Verdict};
use crate::events::{Event, EventType, Level};
use crate::figures::tallies::Cooldown;
use crate::ids::KeyId;
use crate::keys::circuit::{Cause, Circuit};
use crate::keys::pacific::next_midnight;
use crate::keys::quota::Resting;
use crate::keys::{ApiKey, own_project};
use crate::settings::Settings;

/// How long others that were served count as served still, for the trial of a key, in milliseconds.
const MEANWHILE: Millis = 60_000;

impl Pools {
    /// The key of an attempt; `None` when it is gone, or has another text by now: then the verdict is not about it.
    pub(super) fn key_of(&mut self, pick: &Pick) -> Option<&mut ApiKey> {
        self.keys.get_mut(&pick.key).filter(|key| key.entered.secret == pick.secret)
    }

    pub(super) fn charge_key(
        &mut self,
        pick: &Pick,
        verdict: &Verdict,
        settings: &Settings,
        now: Millis,
    ) -> Option<Event> {
        self.learn_project(pick, verdict, now)?;
        if matches!(verdict.blame, Blame::Key | Blame::Quota | Blame::Model | Blame::KeyOrUpstream) {
            self.revision += 1;
        }
        match verdict.blame {
            Blame::Nobody => self.served(pick, now),
            Blame::Key => self.refused(pick, verdict, settings, now),
            Blame::Quota => {
                let back = self.proved_valid(pick, now);
                self.cool(pick, verdict, now).or(back)
            }
            Blame::Model => {
                let back = self.proved_valid(pick, now);
                if let (Some(model), Some(key)) = (&verdict.model, self.key_of(pick)) {
                    key.learned.lack(model, now);
                }
                back
            }
            Blame::KeyOrUpstream => self.doubt_key(pick, verdict, settings, now),
            Blame::Upstream => {
                self.recent.note(&pick.key, false, now);
                self.told_nothing(pick, now)
            }
            Blame::Proxy | Blame::ProxyOrUpstream | Blame::Caller => self.told_nothing(pick, now),
        }
    }

    /// Google has told whose key it is: what rested for the key alone rests for the project. `None` when the key of
    /// the attempt is gone.
    fn learn_project(&mut self, pick: &Pick, verdict: &Verdict, now: Millis) -> Option<()> {
        let key = self.key_of(pick)?;
        if let Some(project) =
            verdict.project.as_ref().filter(|_| key.known_project() != verdict.project.as_ref())
        {
            let before = key.quota_project().into_owned();
            key.learned.project = Some(project.clone());
            let after = key.quota_project().into_owned();
            if before == own_project(&pick.key) {
                self.quotas.rename(&before, &after, now);
            }
        }
        Some(())
    }

    fn served(&mut self, pick: &Pick, now: Millis) -> Option<Event> {
        self.recent.note(&pick.key, true, now);
        self.key_of(pick)?.learned.score.succeeded();
        self.proved_valid(pick, now)
    }

    /// Google took the key: whatever it was let alone for is over. A request that began before Google refused the key
    /// proves nothing against that refusal.
    fn proved_valid(&mut self, pick: &Pick, now: Millis) -> Option<Event> {
        let key = self.key_of(pick)?;
        if key.learned.disabled_because.is_some() && !pick.trial {
            return None;
        }
        let forgiven = key.learned.disabled_because.take().is_some();
        let closed = key.learned.breaker.succeeded() || forgiven;
        let words =
            || format!("Key \"{}\" is available again: a request with it succeeded.", key.entered.name);
        let event = || Event::new(EventType::KeyAvailable, Level::Info, now, words()).key(&pick.key);
        let told = closed.then(event);
        self.revision += u64::from(closed);
        told
    }

    /// A test proved that the key works. Answers whether it was let alone until now.
    pub fn works_after_all(&mut self, id: &KeyId, now: Millis) -> bool {
        let Some(key) = self.keys.get_mut(id) else { return false };
        let was_out = key.learned.disabled_because.is_some() || !key.learned.breaker.admits(now);
        key.learned.forgive();
        self.revision += u64::from(was_out);
        was_out
    }

    /// The attempt says nothing of the key; a trial is open again for the next.
    fn told_nothing(&mut self, pick: &Pick, now: Millis) -> Option<Event> {
        let key = self.key_of(pick).filter(|_| pick.trial)?;
        key.learned.breaker.inconclusive(now);
        None
    }

    fn refused(&mut self, pick: &Pick, verdict: &Verdict, settings: &Settings, now: Millis) -> Option<Event> {
        let mut rng = self.rng.fork();
        let key = self.key_of(pick)?;
        key.learned.failures += 1;
        key.learned.score.failed();
        let newly = key.learned.disabled_because.replace(verdict.reason.clone()).is_none();
        // One that is disabled already, and not on trial, was refused by requests that began before.
        if newly || pick.trial {
            key.learned.breaker.open(Cause::Refusal, &settings.monitoring, now, &mut rng);
        }
        let name = &key.entered.name;
        let words = format!("Key \"{name}\" was refused by Google and is disabled: {}", verdict.reason);
        if newly || pick.trial {
            self.tallies.cooldowns.count(Cooldown::Refusal);
        }
        newly.then(|| Event::new(EventType::KeyDisabled, Level::Error, now, words).key(&pick.key))
    }

    /// A failure that may be the key's.
    ///
    /// Invariant: it counts only while others are served; when the upstream fails for all, every key stays as it is.
    fn doubt_key(
        &mut self,
        pick: &Pick,
        verdict: &Verdict,
        settings: &Settings,
        now: Millis,
    ) -> Option<Event> {
        let (monitoring, mut rng) = (&settings.monitoring, self.rng.fork());
        self.recent.note(&pick.key, false, now);
        let key = self.keys.get_mut(&pick.key).filter(|key| key.entered.secret == pick.secret)?;
        if !pick.trial && key.learned.breaker.circuit(now) != Circuit::Closed {
            // It began before the circuit opened, and tells nothing new.
            return None;
        }
        let counted = key.learned.breaker.count_failure(monitoring, now);
        // A trial is the first attempt in a while: others are looked for in the last minute.
        let since = if pick.trial { now.saturating_sub(MEANWHILE) } else { counted.since };
        if !self.recent.others_served(&pick.key, since, 1) {
            return self.told_nothing(pick, now);
        }
        key.learned.failures += 1;
        key.learned.score.failed();
        key.learned.last_failure = Some(verdict.reason.clone());
        let proved = self.recent.others_served(&pick.key, since, monitoring.failure_threshold);
        let opens = pick.trial || (counted.enough && proved);
        if !opens {
            return None;
        }
        let cause = if key.learned.disabled_because.is_some() { Cause::Refusal } else { Cause::Failures };
        let until = key.learned.breaker.open(cause, monitoring, now, &mut rng);
        self.tallies.cooldowns.count(Cooldown::Failures);
        let wait = until.saturating_sub(now).div_ceil(1_000);
        let words = format!(
            "Key \"{}\" is let alone for {wait} s: it failed again and again while others were served ({}).",
            key.entered.name, verdict.reason
        );
        Some(Event::new(EventType::KeyCooling, Level::Warn, now, words).key(&pick.key))
    }

    fn cool(&mut self, pick: &Pick, verdict: &Verdict, now: Millis) -> Option<Event> {
        let key = self.key_of(pick)?;
        key.learned.failures += 1;
        let (own, project) = (key.cooldown_millis(), key.quota_project().into_owned());
        let name = key.entered.name.clone();
        let longest = verdict.rests.iter().map(|rest| self.rest(pick, &project, rest, own, now)).max()?;
        let wait = longest.saturating_sub(now).div_ceil(1_000);
        let asked = pick.model.as_ref().map(|model| format!(" for {model}")).unwrap_or_default();
        let words = format!("Key \"{name}\" rests{asked} for {wait} s: {}", verdict.reason);
        Some(Event::new(EventType::KeyCooling, Level::Warn, now, words).key(&pick.key))
    }

    /// Puts one quota to rest and answers until when.
    fn rest(&mut self, pick: &Pick, project: &str, rest: &Rest, own_cooldown: Millis, now: Millis) -> Millis {
        let (until, what) = match rest.length {
            RestLength::Named(delay) => {
                (now.saturating_add(delay.as_millis().try_into().unwrap_or(own_cooldown)), "Quota used up")
            }
            RestLength::Unnamed => (now.saturating_add(own_cooldown), "Quota used up"),
            RestLength::UntilDailyReset => (next_midnight(now), "Daily quota used up"),
            RestLength::NoQuota => (next_midnight(now), "No quota for this model"),
        };
        let why = match rest.length {
            RestLength::Named(_) | RestLength::Unnamed => Cooldown::Quota,
            RestLength::UntilDailyReset => Cooldown::DailyQuota,
            RestLength::NoQuota => Cooldown::NoQuota,
        };
        self.tallies.cooldowns.count_quota(why, &rest.quota);
        let daily = matches!(rest.length, RestLength::UntilDailyReset | RestLength::NoQuota);
        let named = if rest.quota.is_empty() { String::new() } else { format!(" ({})", rest.quota) };
        // An alias and the model behind it share the quota.
        let other = rest
            .model
            .as_ref()
            .filter(|model| pick.model.as_ref().is_some_and(|asked| asked != model.as_str()));
        for model in [pick.model.as_deref(), other.map(String::as_str)]
            .into_iter()
            .take(1 + usize::from(other.is_some()))
        {
            let asked = model.map(|model| format!(" for {model}")).unwrap_or_default();
            let resting = Resting {
                model: model.map(str::to_owned),
                quota: rest.quota.clone(),
                until,
                daily,
                reason: format!("{what}{asked}{named}"),
            };
            self.quotas.rest(project, resting, now);
        }
        until
    }
}
