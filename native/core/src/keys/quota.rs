//! Which quotas rest, and until when: held per project and model, since Google's limits apply to a project and not
//! to a key. Keys of one project therefore rest together. Plain data; `now` is an argument and there are no timers.
//!
//! Invariant: a known rest is never shortened by a later answer that names a shorter one.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::ApiKey;
use super::pacific::next_midnight;
use crate::clock::Millis;

/// Far above what one project meets; the oldest ends go first.
const MOST_PER_PROJECT: usize = 256;

/// One quota at rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resting {
    /// `None`: whatever is asked of the project.
    pub model: Option<String>,
    pub quota: String,
    pub until: Millis,
    /// It ends with the day in Los Angeles, and not after a length of time.
    pub daily: bool,
    /// For the panel and errors, one clause.
    pub reason: String,
}

#[derive(Clone, Debug, Default)]
pub struct Quotas {
    by_project: HashMap<String, Vec<Resting>>,
}

impl Quotas {
    /// About how many bytes the rests hold.
    pub fn held_bytes(&self) -> usize {
        let texts =
            |one: &Resting| one.quota.len() + one.reason.len() + one.model.as_ref().map_or(0, String::len);
        let each = self.by_project.iter().map(|(project, rests)| {
            project.len() + rests.capacity() * size_of::<Resting>() + rests.iter().map(texts).sum::<usize>()
        });
        each.sum::<usize>() + self.by_project.capacity() * (size_of::<(String, Vec<Resting>)>() + 1)
    }

    pub fn rest(&mut self, project: &str, resting: Resting, now: Millis) {
        let known = self.by_project.entry(project.to_owned()).or_default();
        known.retain(|old| old.until > now);
        match known.iter_mut().find(|old| old.model == resting.model && old.quota == resting.quota) {
            Some(old) if old.until < resting.until => *old = resting,
            Some(_) => {}
            None => known.push(resting),
        }
        if known.len() > MOST_PER_PROJECT {
            known.sort_by_key(|old| std::cmp::Reverse(old.until));
            known.truncate(MOST_PER_PROJECT);
        }
    }

    /// Whether this key must not be asked for `model` now. The question of every pick, so it costs nothing while
    /// nothing rests.
    pub fn hold(&self, key: &ApiKey, model: Option<&str>, now: Millis) -> bool {
        !self.by_project.is_empty() && self.holding(&key.quota_project(), model, now).is_some()
    }

    /// The rest that keeps a request for `model` from this project longest; `None` when it may go.
    pub fn holding(&self, project: &str, model: Option<&str>, now: Millis) -> Option<&Resting> {
        let concerns = |resting: &&Resting| resting.model.is_none() || resting.model.as_deref() == model;
        self.resting(project, now).filter(concerns).max_by_key(|resting| resting.until)
    }

    /// The rest that ends last, of any model: what a panel shows of the project's keys.
    pub fn longest(&self, project: &str, now: Millis) -> Option<&Resting> {
        self.resting(project, now).max_by_key(|resting| resting.until)
    }

    /// What rested under one name of a project rests under another: Google has told whose key it is.
    pub fn rename(&mut self, from: &str, to: &str, now: Millis) {
        for resting in self.by_project.remove(from).unwrap_or_default() {
            self.rest(to, resting, now);
        }
    }

    pub fn forget(&mut self, project: &str) {
        self.by_project.remove(project);
    }

    /// Drops what is over and names the projects in which nothing rests any more.
    pub fn returned(&mut self, now: Millis) -> Vec<String> {
        let mut free = Vec::new();
        self.by_project.retain(|project, known| {
            known.retain(|resting| resting.until > now);
            if known.is_empty() {
                free.push(project.clone());
            }
            !known.is_empty()
        });
        free
    }

    /// The clock was set back to `now`: what was to come is as far away as before, and the day ends when it ends.
    pub fn shift_back(&mut self, by: Millis, now: Millis) {
        for resting in self.by_project.values_mut().flatten() {
            resting.until = match resting.daily {
                true => next_midnight(now),
                false => resting.until.saturating_sub(by),
            };
        }
    }

    /// All that rests, by project, to be kept over a restart.
    pub fn export(&self, now: Millis) -> Vec<(String, Resting)> {
        let mut all: Vec<_> = self
            .by_project
            .keys()
            .flat_map(|project| self.resting(project, now).map(|one| (project.clone(), one.clone())))
            .collect();
        all.sort_by(|(one, a), (other, b)| (one, a.until).cmp(&(other, b.until)));
        all
    }

    fn resting(&self, project: &str, now: Millis) -> impl Iterator<Item = &Resting> {
        self.by_project.get(project).into_iter().flatten().filter(move |resting| resting.until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resting(model: Option<&str>, quota: &str, until: Millis) -> Resting {
        let model = model.map(str::to_owned);
        Resting { model, quota: quota.to_owned(), until, daily: false, reason: "used up".to_owned() }
    }

    fn until(quotas: &Quotas, model: Option<&str>, now: Millis) -> Option<Millis> {
        quotas.holding("p", model, now).map(|resting| resting.until)
    }

    #[test]
    fn a_model_at_rest_leaves_the_others_free() {
        let mut quotas = Quotas::default();
        quotas.rest("p", resting(Some("pro"), "minute", 100), 0);
        assert_eq!(until(&quotas, Some("pro"), 99), Some(100));
        assert_eq!(until(&quotas, Some("pro"), 100), None, "over");
        assert_eq!(until(&quotas, Some("flash"), 0), None);
        assert_eq!(quotas.holding("other", Some("pro"), 0), None);
        assert_eq!(quotas.longest("p", 0).map(|resting| resting.until), Some(100));
    }

    #[test]
    fn a_rest_without_a_model_holds_everything_and_the_longest_counts() {
        let mut quotas = Quotas::default();
        quotas.rest("p", resting(None, "", 50), 0);
        quotas.rest("p", resting(Some("pro"), "day", 500), 0);
        quotas.rest("p", resting(Some("pro"), "minute", 60), 0);
        assert_eq!(until(&quotas, Some("flash"), 0), Some(50));
        assert_eq!(until(&quotas, Some("pro"), 0), Some(500));
        assert_eq!(until(&quotas, None, 0), Some(50));
    }

    #[test]
    fn a_known_rest_is_never_shortened() {
        let mut quotas = Quotas::default();
        quotas.rest("p", resting(Some("pro"), "minute", 100), 0);
        quotas.rest("p", resting(Some("pro"), "minute", 40), 0);
        assert_eq!(until(&quotas, Some("pro"), 0), Some(100));
        quotas.rest("p", resting(Some("pro"), "minute", 200), 0);
        assert_eq!(until(&quotas, Some("pro"), 0), Some(200));
    }

    #[test]
    fn projects_that_are_free_again_are_named_once() {
        let mut quotas = Quotas::default();
        quotas.rest("p", resting(Some("pro"), "minute", 100), 0);
        assert_eq!(quotas.returned(99), Vec::<String>::new());
        assert_eq!(quotas.returned(100), ["p"]);
        assert_eq!(quotas.returned(100), Vec::<String>::new());
    }

    #[test]
    fn a_clock_set_back_keeps_the_length_of_a_rest_and_the_end_of_a_day() {
        let mut quotas = Quotas::default();
        let days = 3 * 24 * 3_600_000;
        // 2026-07-15T12:00Z; midnight in Los Angeles is 07:00Z.
        let (noon, midnight) = (1_784_116_800_000, 1_784_185_200_000);
        quotas.rest("p", resting(Some("pro"), "minute", noon + days + 30_000), noon + days);
        let daily = Resting { daily: true, ..resting(Some("flash"), "day", midnight + days) };
        quotas.rest("p", daily, noon + days);
        quotas.shift_back(days, noon);
        assert_eq!(until(&quotas, Some("pro"), noon), Some(noon + 30_000));
        assert_eq!(until(&quotas, Some("flash"), noon), Some(midnight));
    }

    #[test]
    fn what_is_exported_rests_again_elsewhere() {
        let (mut quotas, mut again) = (Quotas::default(), Quotas::default());
        quotas.rest("p", resting(Some("pro"), "minute", 100), 0);
        quotas.rest("q", resting(None, "", 50), 0);
        let kept = quotas.export(50);
        assert_eq!(kept, [("p".to_owned(), resting(Some("pro"), "minute", 100))], "what is over is not kept");
        kept.into_iter().for_each(|(project, resting)| again.rest(&project, resting, 50));
        assert_eq!(until(&again, Some("pro"), 99), Some(100));
    }

    #[test]
    fn a_project_that_is_told_later_takes_the_rests_over() {
        let mut quotas = Quotas::default();
        quotas.rest("key:1", resting(Some("pro"), "minute", 100), 0);
        quotas.rename("key:1", "p", 0);
        quotas.rename("nobody", "p", 0);
        assert_eq!(until(&quotas, Some("pro"), 0), Some(100));
        assert_eq!(quotas.holding("key:1", Some("pro"), 0), None);
    }

    #[test]
    fn a_flood_of_quotas_stays_bounded() {
        let mut quotas = Quotas::default();
        for number in 0..1_000 {
            quotas.rest("p", resting(Some("pro"), &number.to_string(), 1_000 + number), 0);
        }
        assert_eq!(quotas.resting("p", 0).count(), MOST_PER_PROJECT);
        assert_eq!(until(&quotas, Some("pro"), 0), Some(1_999));
    }
}
