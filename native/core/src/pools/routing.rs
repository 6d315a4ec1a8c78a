//! How a key reaches the upstream: through its proxy, directly, or not at all. Pure; picks nobody and counts nothing.
//!
//! Invariant: a key goes direct only where the user chose it: a pinned "No Proxy", an empty pool, automatic assignment
//! switched off with none made by hand, or, while no proxy works, the policy `reassignThenDirect` or a word of the user.

use super::Why;
use crate::ids::{KeyId, ProxyId};
use crate::proxies::assign::ProxyAssignmentManager;
use crate::proxies::pool::{ProxyPoolManager, ProxyServer, ProxyStatus};

pub(super) enum Route<'a> {
    Direct,
    /// Direct although the key has a proxy: none works, and the user allowed it.
    Fallback,
    Through(&'a ProxyServer),
    Closed(Why),
}

/// The way out of each key, for one request.
pub(super) struct Routing<'a> {
    proxies: &'a ProxyPoolManager,
    assignments: &'a ProxyAssignmentManager,
    auto_assignment: bool,
    /// Proxies that failed this request.
    failed: &'a [ProxyId],
    direct_when_none_works: bool,
}

impl<'a> Routing<'a> {
    pub(super) fn new(
        proxies: &'a ProxyPoolManager,
        assignments: &'a ProxyAssignmentManager,
        auto_assignment: bool,
        allows_direct: bool,
        failed: &'a [ProxyId],
    ) -> Self {
        let works = |proxy: &ProxyServer| {
            proxy.status() == ProxyStatus::Active && !failed.contains(&proxy.entered.id)
        };
        Self {
            proxies,
            assignments,
            auto_assignment,
            failed,
            direct_when_none_works: allows_direct && !proxies.iter().any(works),
        }
    }

    pub(super) fn of(&self, key: &KeyId) -> Route<'a> {
        let Some(assignment) = self.assignments.get(key) else {
            let direct = self.proxies.is_empty() || !self.auto_assignment;
            return if direct { Route::Direct } else { Route::Closed(Why::NoProxyEnabled) };
        };
        let Some(id) = &assignment.proxy_id else { return Route::Direct };
        match self.proxies.get(id) {
            Some(proxy) if proxy.status() == ProxyStatus::Inactive => {
                Route::Closed(Why::ProxyDisabled(proxy.entered.name.clone()))
            }
            Some(_) if self.direct_when_none_works => Route::Fallback,
            Some(proxy) => Route::Through(proxy),
            None => Route::Closed(Why::NoProxyEnabled),
        }
    }

    /// Its proxy is in error, or failed this request.
    pub(super) fn is_faulty(&self, proxy: &ProxyServer) -> bool {
        proxy.health.faulty || self.failed.contains(&proxy.entered.id)
    }
}
