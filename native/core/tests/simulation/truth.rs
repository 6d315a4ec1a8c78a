//! How things really are in one simulated world, whatever the core believes: which keys are good, which proxies work,
//! when the upstream is down. From it follows what an attempt comes to, and whose fault that is. Drawn from a seed.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use aggregator_core::clock::Millis;
use aggregator_core::dispatch::judge::Outcome;
use aggregator_core::pools::Pick;
use aggregator_core::proxies::fault::{ProxyFault, ProxyStage, SocksReply};
use fastrand::Rng;

use crate::bodies;
use crate::quotas::{Google, Limits};

pub const MODELS: [&str; 3] = ["pro", "flash", "lite"];

/// Why an attempt ended as it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    Served,
    Caller,
    CallerLeft,
    Quota,
    KeyRefused,
    ModelGone,
    /// A model under load, a connection that broke: nobody's.
    Upstream,
    /// No connection to the upstream: nobody's either.
    Unreached,
    /// A failure that looks the same whether the key or the upstream is to blame.
    Failure,
    Proxy,
    Location,
    /// A good beginning and an error at the end.
    LateQuota,
    LateBusy,
}

impl Cause {
    /// Whether something may have been made, had the request asked for it. An upstream that was not reached made nothing.
    pub fn may_have_processed(self) -> bool {
        !matches!(
            self,
            Self::Unreached
                | Self::Quota
                | Self::KeyRefused
                | Self::ModelGone
                | Self::Proxy
                | Self::Location
                | Self::Caller
        )
    }
}

pub struct End {
    pub cause: Cause,
    /// `None`: the client left, and nobody waits for an outcome.
    pub outcome: Option<Outcome>,
    pub takes: Millis,
}

#[derive(Clone, Debug)]
struct KeyTruth {
    project: String,
    valid: bool,
    fails: bool,
    lacks: Option<&'static str>,
}

#[derive(Clone, Debug)]
struct ProxyTruth {
    works: bool,
    banned: bool,
}

pub struct Truth {
    rng: Rng,
    google: Google,
    limits: HashMap<(String, &'static str), Limits>,
    /// By the text of the key and by the URL of the proxy: a new text is another key. Sorted, so that a seed repeats.
    keys: BTreeMap<String, KeyTruth>,
    proxies: BTreeMap<String, ProxyTruth>,
    projects: usize,
    pub upstream_down: bool,
}

impl Truth {
    pub fn new(mut rng: Rng) -> Self {
        let projects = rng.usize(1..5);
        let (google, limits) = Default::default();
        Self {
            rng,
            google,
            limits,
            keys: BTreeMap::new(),
            proxies: BTreeMap::new(),
            projects,
            upstream_down: false,
        }
    }

    /// The project of that key as Google knows it.
    pub fn project(&mut self, text: &str) -> String {
        self.key(text).project.clone()
    }

    /// Something changes on its own: a proxy fails or works again, a key is refused or heals, the upstream goes or comes.
    pub fn change(&mut self) {
        let what = self.rng.u8(..5);
        let mut proxies: Vec<_> = self.proxies.values_mut().collect();
        let mut keys: Vec<_> = self.keys.values_mut().collect();
        match what {
            0 | 1 if !proxies.is_empty() => {
                let at = self.rng.usize(..proxies.len());
                proxies[at].works = !proxies[at].works;
            }
            2 if !keys.is_empty() => {
                let at = self.rng.usize(..keys.len());
                keys[at].valid = !keys[at].valid;
            }
            3 if !keys.is_empty() => {
                let at = self.rng.usize(..keys.len());
                keys[at].fails = !keys[at].fails;
            }
            _ => self.upstream_down = !self.upstream_down && self.rng.u8(..3) == 0,
        }
    }

    pub fn proxy_fault(&mut self, url: &str) -> Option<ProxyFault> {
        let works = self.proxy(url).works;
        (!works).then(|| self.fault())
    }

    pub fn attempt(&mut self, pick: &Pick, now: Millis) -> End {
        if self.rng.u8(..20) == 0 {
            return End { cause: Cause::CallerLeft, outcome: None, takes: self.rng.u64(..3_000) };
        }
        let (cause, outcome) = self.outcome(pick, now);
        let takes = match outcome {
            Outcome::TimedOut => 10_000,
            _ => self.rng.u64(5..4_000),
        };
        End { cause, outcome: Some(outcome), takes }
    }

    fn outcome(&mut self, pick: &Pick, now: Millis) -> (Cause, Outcome) {
        if let Some(proxy) = &pick.proxy {
            let truth = self.proxy(&proxy.url.masked()).clone();
            if !truth.works {
                return (Cause::Proxy, Outcome::Proxy(self.fault()));
            }
            if truth.banned {
                return (Cause::Location, bodies::location());
            }
        }
        let key = self.key(pick.secret.expose()).clone();
        if self.upstream_down {
            return match self.rng.u8(..3) {
                0 => (Cause::Unreached, Outcome::Unreachable("down".to_owned())),
                1 => (Cause::Upstream, bodies::busy()),
                _ => self.failure(),
            };
        }
        if !key.valid {
            return (Cause::KeyRefused, bodies::key_invalid());
        }
        if key.fails && self.rng.u8(..4) > 0 {
            return self.failure();
        }
        if self.rng.u8(..15) == 0 {
            return (Cause::Caller, bodies::callers(self.rng.bool()));
        }
        let model = MODELS.into_iter().find(|model| pick.model.as_deref() == Some(*model)).unwrap_or("pro");
        if key.lacks == Some(model) {
            return (Cause::ModelGone, bodies::model_gone(model));
        }
        let limits = *self.limits.entry((key.project.clone(), model)).or_insert_with(|| Limits {
            minute: self.rng.u32(1..12),
            day: if self.rng.u8(..4) == 0 { self.rng.u32(5..40) } else { u32::MAX },
        });
        if let Err(used_up) = self.google.ask(&key.project, model, limits, now) {
            let named = self.rng.bool().then_some(key.project.as_str());
            return (Cause::Quota, used_up.outcome(named));
        }
        match self.rng.u8(..60) {
            0 => (Cause::LateQuota, bodies::late_quota(bodies::MINUTE_QUOTA, Duration::from_secs(20))),
            1 => (Cause::LateBusy, bodies::late_busy()),
            2 | 3 => (Cause::Upstream, bodies::busy()),
            4 => (Cause::Upstream, Outcome::Interrupted("cut".to_owned())),
            5 => self.failure(),
            _ => (Cause::Served, bodies::ok()),
        }
    }

    fn failure(&mut self) -> (Cause, Outcome) {
        (Cause::Failure, if self.rng.bool() { bodies::internal() } else { Outcome::TimedOut })
    }

    fn key(&mut self, text: &str) -> &KeyTruth {
        let (rng, projects) = (&mut self.rng, self.projects);
        self.keys.entry(text.to_owned()).or_insert_with(|| KeyTruth {
            project: format!("{}", 100 + rng.usize(..projects)),
            valid: rng.u8(..10) > 0,
            fails: rng.u8(..6) == 0,
            lacks: (rng.u8(..5) == 0).then(|| MODELS[rng.usize(..MODELS.len())]),
        })
    }

    fn proxy(&mut self, url: &str) -> &ProxyTruth {
        let rng = &mut self.rng;
        let drawn = || ProxyTruth { works: rng.u8(..4) > 0, banned: rng.u8(..12) == 0 };
        self.proxies.entry(url.to_owned()).or_insert_with(drawn)
    }

    /// One of every class.
    fn fault(&mut self) -> ProxyFault {
        let (words, after) = (|| "no".to_owned(), Duration::from_secs(10));
        let stage = [ProxyStage::Resolve, ProxyStage::Connect, ProxyStage::Tls, ProxyStage::Handshake];
        let stage = stage.get(self.rng.usize(..5)).copied().unwrap_or(ProxyStage::Tunnel);
        match self.rng.u8(..13) {
            0 => ProxyFault::Dns { reason: words() },
            1 => ProxyFault::Refused,
            2 => ProxyFault::Timeout { stage, after },
            3 => ProxyFault::Unreachable { stage, reason: words() },
            4 => ProxyFault::Tls { reason: words() },
            5 => ProxyFault::AuthRequired,
            6 => ProxyFault::AuthRejected,
            7 => ProxyFault::ConnectStatus { status: if self.rng.bool() { 403 } else { 502 } },
            8 => ProxyFault::SocksRefused { reply: SocksReply::GeneralFailure },
            9 => ProxyFault::NoIpv4,
            10 => ProxyFault::Closed { stage },
            11 => ProxyFault::Reset { stage },
            _ => ProxyFault::Protocol { expected: "HTTP" },
        }
    }
}
