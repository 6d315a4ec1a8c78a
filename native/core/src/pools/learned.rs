//! What the pools learned, as plain data to be kept over a restart: rests, circuits, scores, what Google refused. No
//! counters of requests in flight, nothing the user entered, no secret; a key is recognised by a fingerprint of its text.

use serde::{Deserialize, Serialize};

use super::Pools;
use crate::clock::Millis;
use crate::ids::KeyId;
use crate::keys::circuit::Breaker;
use crate::keys::quota::Resting;
use crate::keys::score::Score;
use crate::keys::{ApiKey, Learned, own_project};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LearnedPools {
    /// The latest time seen when this was written: a clock set back meanwhile is noticed by it.
    pub at: Millis,
    pub keys: Vec<LearnedKey>,
    pub rests: Vec<LearnedRest>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LearnedKey {
    pub id: KeyId,
    pub fingerprint: String,
    #[serde(default)]
    pub project: Option<String>,
    #[serde(default)]
    pub disabled_because: Option<String>,
    #[serde(default)]
    pub breaker: Breaker,
    #[serde(default)]
    pub score: Score,
    #[serde(default)]
    pub last_failure: Option<String>,
    #[serde(default)]
    pub lacks: Vec<(String, Millis)>,
    #[serde(default)]
    pub requests: u64,
    #[serde(default)]
    pub failures: u64,
    #[serde(default)]
    pub last_used: Option<Millis>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LearnedRest {
    pub project: String,
    #[serde(flatten)]
    pub resting: Resting,
}

impl Pools {
    pub fn export(&self, now: Millis) -> LearnedPools {
        let rest = |(project, resting)| LearnedRest { project, resting };
        LearnedPools {
            at: self.latest.max(now),
            keys: self.keys.iter().map(learned_key).collect(),
            rests: self.quotas.export(now).into_iter().map(rest).collect(),
        }
    }

    /// Takes over what an earlier run learned of the keys that are still there with the same text.
    pub fn restore(&mut self, learned: LearnedPools, now: Millis) {
        self.latest = learned.at;
        let mut others = Vec::new();
        for kept in learned.keys {
            match self.keys.get_mut(&kept.id) {
                Some(key) if key.entered.secret.fingerprint() == kept.fingerprint => {
                    restore_key(key, kept, now)
                }
                _ => others.push(own_project(&kept.id)),
            }
        }
        for LearnedRest { project, resting } in learned.rests {
            if others.contains(&project) {
                continue;
            }
            // Kept whole, however old: the shift below decides what is over.
            self.quotas.rest(&project, resting, 0);
        }
        self.observe(now);
    }
}

fn learned_key(key: &ApiKey) -> LearnedKey {
    let learned = &key.learned;
    LearnedKey {
        id: key.entered.id.clone(),
        fingerprint: key.entered.secret.fingerprint(),
        project: learned.project.clone(),
        disabled_because: learned.disabled_because.clone(),
        breaker: learned.breaker.clone(),
        score: learned.score,
        last_failure: learned.last_failure.clone(),
        lacks: learned.lacks.clone(),
        requests: learned.requests,
        failures: learned.failures,
        last_used: learned.last_used,
    }
}

fn restore_key(key: &mut ApiKey, kept: LearnedKey, now: Millis) {
    key.learned = Learned {
        project: kept.project,
        disabled_because: kept.disabled_because,
        breaker: kept.breaker.without_probe(now),
        score: kept.score,
        last_failure: kept.last_failure,
        lacks: kept.lacks,
        requests: kept.requests,
        failures: kept.failures,
        last_used: kept.last_used,
        ..key.learned.clone()
    };
}
