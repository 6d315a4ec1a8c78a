//! The user's edits while requests are under way, applied as the core applies them: on a copy, then taken over. What is
//! edited is drawn; what follows from it is not known here.

use std::sync::Arc;

use aggregator_core::clock::Millis;
use aggregator_core::ids::{KeyId, ProxyId};
use aggregator_core::keys::KeyPatch;
use aggregator_core::pools::Pools;
use aggregator_core::proxies::url::ProxyUrl;
use aggregator_core::secret::Secret;
use aggregator_core::settings::Settings;
use aggregator_core::vault::{EnteredKey, EnteredProxy};
use fastrand::Rng;

/// Numbers what is entered, so that nothing is ever entered twice.
#[derive(Default)]
pub struct User {
    entered: usize,
}

impl User {
    pub fn add_key(&mut self, pools: &mut Pools, project: Option<String>, rng: &mut Rng) {
        let number = self.next();
        let key = EnteredKey {
            id: format!("k{number}").into(),
            name: format!("key {number}"),
            secret: Secret::new(text(number)),
            project,
            weight: rng.u32(1..5),
            cooldown_seconds: rng.bool().then(|| rng.u32(1..100)),
            enabled: true,
        };
        pools.keys.add(key).expect("a key that is new");
    }

    pub fn add_proxy(&mut self, pools: &mut Pools) {
        let number = self.next();
        let (id, url) = (format!("p{number}"), Arc::new(url(number)));
        let proxy = EnteredProxy { id: id.as_str().into(), name: id, url, enabled: true };
        pools.proxies.add(proxy).expect("a proxy that is new");
    }

    /// One edit; answers the key that starts clean by it.
    pub fn edit(
        &mut self,
        pools: &mut Pools,
        settings: &Settings,
        now: Millis,
        rng: &mut Rng,
    ) -> Option<KeyId> {
        let mut next = pools.clone();
        let keys: Vec<KeyId> = next.keys.iter().map(|key| key.entered.id.clone()).collect();
        let proxies: Vec<ProxyId> = next.proxies.iter().map(|proxy| proxy.entered.id.clone()).collect();
        let key = (!keys.is_empty()).then(|| keys[rng.usize(..keys.len())].clone());
        let proxy = (!proxies.is_empty()).then(|| proxies[rng.usize(..proxies.len())].clone());
        let (mut clean, mut forgiven) = (None, false);
        match (rng.u8(..9), key, proxy) {
            (0, _, _) => self.add_key(&mut next, None, rng),
            (1, _, _) => self.add_proxy(&mut next),
            (2, Some(key), _) if keys.len() > 1 => {
                next.keys.remove(&key).expect("it is there");
                clean = Some(key);
            }
            (3, Some(key), _) => {
                let secret = Some(Secret::new(text(self.next())));
                next.keys.modify(&key, KeyPatch { secret, ..KeyPatch::default() }).expect("a valid text");
                clean = Some(key);
            }
            (4, Some(key), _) => next.keys.set_enabled(&key, false).expect("it is there"),
            (5, Some(key), _) => {
                next.keys.set_enabled(&key, true).expect("it is there");
                (clean, forgiven) = (Some(key), true);
            }
            (6, _, Some(proxy)) => drop(next.proxies.remove(&proxy)),
            (7, _, Some(proxy)) => {
                let url = rng.bool().then(|| Arc::new(url(self.next())));
                next.proxies.update(&proxy, None, url, Some(rng.bool())).expect("it is there");
            }
            (_, Some(key), proxy) => next.assignments.assign(&key, proxy, now),
            _ => {}
        }
        next.settle_assignments(settings, now);
        let renewed: Vec<KeyId> = clean.iter().filter(|_| !forgiven).cloned().collect();
        pools.take_over(next, &renewed);
        if let Some(key) = clean.as_ref().filter(|_| forgiven) {
            pools.forgive(key);
        }
        clean
    }

    fn next(&mut self) -> usize {
        self.entered += 1;
        self.entered
    }
}

fn text(number: usize) -> String {
    format!("text-of-a-key-{number:05}")
}

fn url(number: usize) -> ProxyUrl {
    ProxyUrl::parse(&format!("http://127.0.0.1:{}", 9_000 + number)).expect("a proxy URL")
}
