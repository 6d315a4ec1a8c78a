//! Versions of what was entered, so that two people who edit at once cannot overwrite each other blindly: whoever changes
//! something may say which version he saw. A version is a keyed digest of the entry; what the system learns does not
//! change it, and neither do moves that the balancer makes. It knows nothing of HTTP.
//!
//! Invariant: the digest's key never leaves the process, so that a version tells nothing of a key or a password.

use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use secrecy::ExposeSecret;

use crate::backup::content::choice;
use crate::command::{Refusal, RefusalCode};
use crate::ids::{KeyId, ProxyId};
use crate::keys::ApiKey;
use crate::pools::Pools;
use crate::proxies::pool::ProxyServer;
use crate::proxies::url::ProxyUrl;

/// Of 32 bytes; two entries that differ share so many by chance once in 2^64.
const BYTES_SHOWN: usize = 8;

pub struct Versions(hmac::Key);

/// What a version is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    Key(KeyId),
    Keys,
    Proxy(ProxyId),
    Proxies,
    Rotating,
    All,
}

/// Carry a command out only if one of these versions is the present one.
#[derive(Clone, Debug)]
pub struct OnlyIf {
    pub about: About,
    pub versions: Vec<String>,
}

impl Versions {
    pub fn new(rng: &mut fastrand::Rng) -> Self {
        let mut seed = [0_u8; 32];
        if SystemRandom::new().fill(&mut seed).is_err() {
            rng.fill(&mut seed);
        }
        Self(hmac::Key::new(hmac::HMAC_SHA256, &seed))
    }

    /// `None` where there is no such entry.
    pub fn of(&self, about: &About, pools: &Pools) -> Option<String> {
        match about {
            About::Key(id) => pools.keys.get(id).map(|key| self.of_key(key, pools)),
            About::Proxy(id) => pools.proxies.get(id).map(|proxy| self.of_proxy(proxy)),
            About::Keys => Some(self.of_all(pools.keys.iter().map(|key| self.of_key(key, pools)))),
            About::Proxies => Some(self.of_all(pools.proxies.iter().map(|proxy| self.of_proxy(proxy)))),
            About::Rotating => Some(self.of_rotating(pools)),
            About::All => {
                let keys = pools.keys.iter().map(|key| self.of_key(key, pools));
                let proxies = pools.proxies.iter().map(|proxy| self.of_proxy(proxy));
                Some(self.of_all(keys.chain(proxies).chain([self.of_rotating(pools)])))
            }
        }
    }

    /// Refuses when the entry is there and has another version; an entry that is gone is the command's to tell of.
    pub fn check(&self, only_if: Option<&OnlyIf>, pools: &Pools) -> Result<(), Refusal> {
        let Some(only_if) = only_if else { return Ok(()) };
        match self.of(&only_if.about, pools) {
            Some(version) if !only_if.versions.contains(&version) => Err(Refusal::new(
                RefusalCode::Changed,
                "It was changed since you read it, and nothing was done now. Read it again, then decide anew.",
            )),
            _ => Ok(()),
        }
    }

    pub fn of_key(&self, key: &ApiKey, pools: &Pools) -> String {
        let entered = &key.entered;
        let mut digest = self.begin();
        digest.text(entered.id.as_str());
        digest.text(&entered.name);
        digest.text(entered.secret.expose());
        digest.text(entered.project.as_deref().unwrap_or_default());
        digest.number(entered.weight);
        digest.number(entered.cooldown_seconds.unwrap_or_default());
        digest.number(entered.enabled.into());
        // Only what was chosen by hand: the balancer's moves are nobody's edit.
        let by_hand = pools.assignments.get(&entered.id).map(choice).filter(|(_, is_manual)| *is_manual);
        digest.number(by_hand.is_some().into());
        digest.text(by_hand.and_then(|(proxy, _)| proxy).map_or("", ProxyId::as_str));
        digest.finish()
    }

    pub fn of_proxy(&self, proxy: &ProxyServer) -> String {
        let mut digest = self.begin();
        digest.text(proxy.entered.id.as_str());
        digest.text(&proxy.entered.name);
        digest.url(&proxy.entered.url);
        digest.number(proxy.entered.enabled.into());
        digest.finish()
    }

    pub fn of_rotating(&self, pools: &Pools) -> String {
        let mut digest = self.begin();
        if let Some(proxy) = &pools.rotating {
            digest.url(&proxy.entered.url);
            digest.number(proxy.entered.enabled.into());
        }
        digest.finish()
    }

    /// Of a list, by its entries' versions.
    pub fn of_all(&self, versions: impl IntoIterator<Item = String>) -> String {
        let mut digest = self.begin();
        versions.into_iter().for_each(|version| digest.text(&version));
        digest.finish()
    }

    fn begin(&self) -> Digest {
        Digest(hmac::Context::with_key(&self.0))
    }
}

struct Digest(hmac::Context);

impl Digest {
    /// With its length, so that two neighbours cannot be read as two others.
    fn text(&mut self, text: &str) {
        self.0.update(&text.len().to_le_bytes());
        self.0.update(text.as_bytes());
    }

    fn number(&mut self, number: u32) {
        self.0.update(&number.to_le_bytes());
    }

    fn url(&mut self, url: &ProxyUrl) {
        self.text(url.to_secret_string().expose_secret());
    }

    fn finish(self) -> String {
        self.0.sign().as_ref().iter().take(BYTES_SHOWN).map(|byte| format!("{byte:02x}")).collect()
    }
}
