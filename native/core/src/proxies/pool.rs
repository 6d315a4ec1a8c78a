//! ProxyPoolManager: the proxies the user entered and what was learned of each. Passive outcomes and probes both
//! report here; who is assigned to whom is `assign`'s part.

use std::sync::Arc;

use crate::clock::Millis;
use crate::figures::Figures;
use crate::ids::{InOrder, ProxyId, restore_place};
use crate::keys::text::check_name;
use crate::proxies::url::ProxyUrl;
use crate::vault::EnteredProxy;

/// Why a change to the pool is refused; words are made where it is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PoolError {
    Name(String),
    NameTaken(String),
    /// The same server with the same credentials is there, under this name.
    Duplicate(String),
    NotFound(ProxyId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyStatus {
    Active,
    /// Disabled by the user.
    Inactive,
    /// Faults in a row reached the limit; the next success ends it.
    Error,
}

/// What the system learned of a proxy since it was loaded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Health {
    /// Faults since the last success.
    pub errors_in_row: u32,
    pub last_error: Option<String>,
    pub last_check: Option<Millis>,
    pub last_success: Option<Millis>,
    /// The last failure that was its own.
    pub last_fault: Option<Millis>,
    /// The last failure since the last success that may have been the upstream's.
    pub last_doubt: Option<Millis>,
    /// Time to a usable tunnel, in milliseconds, when last probed.
    pub latency_ms: Option<u64>,
    pub faulty: bool,
    pub in_flight: u32,
}

#[derive(Clone, Debug)]
pub struct ProxyServer {
    pub entered: EnteredProxy,
    pub health: Health,
    pub figures: Figures,
}

impl ProxyServer {
    pub fn new(entered: EnteredProxy) -> Self {
        Self { entered, health: Health::default(), figures: Figures::default() }
    }

    pub fn status(&self) -> ProxyStatus {
        match (self.entered.enabled, self.health.faulty) {
            (false, _) => ProxyStatus::Inactive,
            (true, true) => ProxyStatus::Error,
            (true, false) => ProxyStatus::Active,
        }
    }
}

/// What an observation changed that others want to hear of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    Failed,
    Recovered,
}

#[derive(Clone, Debug, Default)]
pub struct ProxyPoolManager {
    proxies: InOrder<ProxyId, ProxyServer>,
}

impl ProxyPoolManager {
    pub fn get(&self, id: &ProxyId) -> Option<&ProxyServer> {
        self.proxies.get(id)
    }

    pub fn get_mut(&mut self, id: &ProxyId) -> Option<&mut ProxyServer> {
        self.proxies.get_mut(id)
    }

    /// By id, or by name when no id fits.
    pub fn find(&self, text: &str) -> Option<&ProxyServer> {
        self.proxies
            .get(&ProxyId::from(text))
            .or_else(|| self.iter().find(|proxy| proxy.entered.name == text))
    }

    pub fn iter(&self) -> impl Iterator<Item = &ProxyServer> {
        self.proxies.values()
    }

    pub fn is_empty(&self) -> bool {
        self.proxies.is_empty()
    }

    pub fn entered(&self) -> Vec<EnteredProxy> {
        self.iter().map(|proxy| proxy.entered.clone()).collect()
    }

    pub fn add(&mut self, entered: EnteredProxy) -> Result<(), PoolError> {
        self.check(&entered)?;
        self.proxies.insert(entered.id.clone(), ProxyServer::new(entered));
        Ok(())
    }

    /// A new URL makes a new server of it: what was learned of the old one is forgotten.
    pub fn update(
        &mut self,
        id: &ProxyId,
        name: Option<String>,
        url: Option<Arc<ProxyUrl>>,
        enabled: Option<bool>,
    ) -> Result<(), PoolError> {
        let proxy = self.proxies.get(id).ok_or_else(|| PoolError::NotFound(id.clone()))?;
        let mut entered = proxy.entered.clone();
        entered.name = name.unwrap_or(entered.name);
        entered.url = url.unwrap_or(entered.url);
        entered.enabled = enabled.unwrap_or(entered.enabled);
        self.check(&entered)?;
        if let Some(proxy) = self.proxies.get_mut(id) {
            proxy.replace_entered(entered);
        }
        Ok(())
    }

    pub fn remove(&mut self, id: &ProxyId) -> Result<ProxyServer, PoolError> {
        self.proxies.shift_remove(id).ok_or_else(|| PoolError::NotFound(id.clone()))
    }

    /// Moves a proxy behind `after`; where that is gone, as near to `place` as can be.
    pub fn place(&mut self, id: &ProxyId, place: usize, after: Option<&ProxyId>) {
        restore_place(&mut self.proxies, id, place, after);
    }

    /// Takes over what the user entered, keeping what was learned of every proxy whose URL is unchanged.
    pub fn adopt(&mut self, entered: Vec<EnteredProxy>) {
        let mut before = std::mem::take(&mut self.proxies);
        for new in entered {
            let proxy = match before.swap_remove(&new.id) {
                Some(mut known) => {
                    known.replace_entered(new);
                    known
                }
                None => ProxyServer::new(new),
            };
            self.proxies.insert(proxy.entered.id.clone(), proxy);
        }
    }

    /// A tunnel through the proxy worked; `latency_ms` where it was measured.
    pub fn succeeded(&mut self, id: &ProxyId, now: Millis, latency_ms: Option<u64>) -> Option<Turn> {
        let health = &mut self.proxies.get_mut(id)?.health;
        health.errors_in_row = 0;
        health.last_error = None;
        health.last_check = Some(now);
        health.last_success = Some(now);
        health.last_doubt = None;
        health.latency_ms = latency_ms.or(health.latency_ms);
        std::mem::take(&mut health.faulty).then_some(Turn::Recovered)
    }

    /// A request that left at `begun` reached the upstream.
    ///
    /// Invariant: an answer that was under way when the proxy failed does not bring it back; what it proves, to others as
    /// well, it proves for the time when it began.
    pub fn served(&mut self, id: &ProxyId, begun: Millis, now: Millis) -> Option<Turn> {
        if self.get(id)?.health.last_fault.is_some_and(|at| at > begun) {
            return None;
        }
        let before = self.get(id)?.health.last_success;
        let turn = self.succeeded(id, now, None);
        self.get_mut(id)?.health.last_success = before.max(Some(begun));
        turn
    }

    /// The proxy failed; at `limit` faults in a row it counts as faulty.
    pub fn failed(&mut self, id: &ProxyId, now: Millis, words: &str, limit: u32) -> Option<Turn> {
        let health = &mut self.proxies.get_mut(id)?.health;
        health.errors_in_row = health.errors_in_row.saturating_add(1);
        health.last_error = Some(words.to_owned());
        health.last_check = Some(now);
        health.last_fault = Some(now);
        let newly = health.errors_in_row >= limit && !health.faulty;
        health.faulty |= newly;
        newly.then_some(Turn::Failed)
    }

    /// A failure that may be the upstream's: shown, not counted. Answers when the one before it was.
    pub fn doubted(&mut self, id: &ProxyId, now: Millis, words: &str) -> Option<Millis> {
        let health = &mut self.proxies.get_mut(id)?.health;
        health.last_error = Some(words.to_owned());
        health.last_check = Some(now);
        health.last_doubt.replace(now)
    }

    /// Whether another proxy than `id` reached the upstream after `since`.
    pub fn another_reached(&self, id: Option<&ProxyId>, since: Millis) -> bool {
        let others = self.iter().filter(|other| id != Some(&other.entered.id));
        others.filter_map(|other| other.health.last_success).any(|at| at > since)
    }

    /// The clock was set back: what happened is as long ago as before.
    pub fn shift_back(&mut self, by: Millis) {
        for proxy in self.proxies.values_mut() {
            proxy.figures.minutes.shift_back(by);
            let health = &mut proxy.health;
            let times = [
                &mut health.last_check,
                &mut health.last_success,
                &mut health.last_fault,
                &mut health.last_doubt,
            ];
            for at in times.into_iter().flatten() {
                *at = at.saturating_sub(by);
            }
        }
    }

    fn check(&self, entered: &EnteredProxy) -> Result<(), PoolError> {
        check_name(&entered.name).map_err(PoolError::Name)?;
        for other in self.iter().filter(|other| other.entered.id != entered.id) {
            if other.entered.url == entered.url {
                return Err(PoolError::Duplicate(other.entered.name.clone()));
            }
            if other.entered.name == entered.name {
                return Err(PoolError::NameTaken(entered.name.clone()));
            }
        }
        Ok(())
    }
}

impl ProxyServer {
    fn replace_entered(&mut self, entered: EnteredProxy) {
        if self.entered.url != entered.url {
            self.health = Health { in_flight: self.health.in_flight, ..Health::default() };
            self.figures = Figures::default();
        }
        self.entered = entered;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool() -> ProxyPoolManager {
        let mut pool = ProxyPoolManager::default();
        pool.add(proxy("a", "http://127.0.0.1:8080")).unwrap();
        pool
    }

    fn proxy(id: &str, url: &str) -> EnteredProxy {
        EnteredProxy {
            id: id.into(),
            name: id.to_owned(),
            url: Arc::new(ProxyUrl::parse(url).unwrap()),
            enabled: true,
        }
    }

    #[test]
    fn the_same_server_written_otherwise_is_a_duplicate() {
        let mut pool = pool();
        pool.add(proxy("s", "socks://LOCALHOST:1080")).unwrap();
        let twin = pool.add(proxy("t", "socks5://localhost:1080/"));
        assert_eq!(twin, Err(PoolError::Duplicate("s".to_owned())));
    }

    #[test]
    fn faults_in_a_row_end_in_error_and_one_success_ends_it() {
        let mut pool = pool();
        let id = ProxyId::from("a");
        assert_eq!(pool.failed(&id, 1, "refused", 2), None);
        assert_eq!(pool.failed(&id, 2, "refused", 2), Some(Turn::Failed));
        assert_eq!(pool.failed(&id, 3, "refused", 2), None, "said once");
        assert_eq!(pool.get(&id).unwrap().status(), ProxyStatus::Error);
        assert_eq!(pool.succeeded(&id, 4, Some(12)), Some(Turn::Recovered));
        assert_eq!(pool.get(&id).unwrap().status(), ProxyStatus::Active);
    }

    #[test]
    fn a_new_url_starts_with_a_clean_record() {
        let mut pool = pool();
        let id = ProxyId::from("a");
        pool.failed(&id, 1, "refused", 1);
        pool.update(&id, None, Some(Arc::new(ProxyUrl::parse("http://127.0.0.1:8081").unwrap())), None)
            .unwrap();
        assert_eq!(pool.get(&id).unwrap().status(), ProxyStatus::Active);
    }
}
