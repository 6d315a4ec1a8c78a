//! What attempts add up to over all keys and ways, those included that are gone by now: how they ended, what was tried
//! again and why, and how often something was put to rest. Counted under the lock that settling holds; nothing decides
//! by it.
//!
//! Invariant: bounded: a fixed set of words, and Google's names of quotas as `Capped` keeps them.

use super::Outcomes;
use super::capped::Capped;

#[derive(Clone, Debug, Default)]
pub struct Tallies {
    pub attempts: Outcomes,
    /// Attempts after which another followed, by whom the first one's verdict blames.
    pub retries: Outcomes,
    pub cooldowns: Cooldowns,
}

/// Why a key, or a quota of its project, is let alone for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cooldown {
    Quota,
    DailyQuota,
    /// The project has no quota for the model at all.
    NoQuota,
    /// Its circuit opened: it failed while others were served.
    Failures,
    /// Google refused the key.
    Refusal,
}

impl Cooldown {
    /// Each with the word it goes by in metrics, in the order of the variants.
    const NAMED: [(Self, &'static str); 5] = [
        (Self::Quota, "quota"),
        (Self::DailyQuota, "daily_quota"),
        (Self::NoQuota, "no_quota"),
        (Self::Failures, "failures"),
        (Self::Refusal, "refusal"),
    ];
}

#[derive(Clone, Debug, Default)]
pub struct Cooldowns {
    counts: [u64; Cooldown::NAMED.len()],
    by_quota: Capped<u64>,
}

impl Cooldowns {
    pub fn count(&mut self, why: Cooldown) {
        self.counts[why as usize] += 1;
    }

    /// `quota` as Google names it; it may name none.
    pub fn count_quota(&mut self, why: Cooldown, quota: &str) {
        self.count(why);
        *self.by_quota.of(if quota.is_empty() { "unnamed" } else { quota }, true) += 1;
    }

    pub fn named(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Cooldown::NAMED.into_iter().map(|(why, word)| (word, self.counts[why as usize]))
    }

    pub fn quotas(&self) -> impl Iterator<Item = (&str, u64)> {
        self.by_quota.all().map(|(quota, count)| (quota, *count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cooldowns_are_counted_by_reason_and_by_quota() {
        let mut cooldowns = Cooldowns::default();
        cooldowns.count_quota(Cooldown::DailyQuota, "GenerateRequestsPerDay");
        cooldowns.count_quota(Cooldown::Quota, "");
        cooldowns.count(Cooldown::Refusal);
        let told: Vec<_> = cooldowns.named().filter(|(_, count)| *count > 0).collect();
        assert_eq!(told, [("quota", 1), ("daily_quota", 1), ("refusal", 1)]);
        let mut quotas: Vec<_> = cooldowns.quotas().filter(|(_, count)| *count > 0).collect();
        quotas.sort();
        assert_eq!(quotas, [("GenerateRequestsPerDay", 1), ("unnamed", 1)]);
    }
}
