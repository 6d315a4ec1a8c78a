//! How a key reaches the upstream: through its proxy, directly, or not at all. Pure; picks nobody and counts nothing.
//!
//! Invariant: a key goes direct only where the user chose it: a pinned "No Proxy", an empty pool, automatic assignment
//! switched off with none made by hand, or, while no proxy works, the policy `reassignThenDirect` or a word of the user.
//! Invariant: direct is no way out of a rotating proxy that does not serve: with one switched on, an empty pool is no
//! choice of direct connections.

use super::Why;
use crate::ids::{KeyId, ProxyId};
use crate::proxies::assign::ProxyAssignmentManager;
use crate::proxies::pool::{ProxyPoolManager, ProxyServer, ProxyStatus};
use crate::proxies::rotating::{Mode, RotatingProxy};
use crate::settings::Settings;

pub(super) enum Route<'a> {
    Direct,
    /// Direct although the key has a proxy: none works, and the user allowed it.
    Fallback,
    Through(&'a ProxyServer),
    /// Through the rotating proxy, whatever its assignment.
    Rotating(&'a RotatingProxy),
    Closed(Why),
}

/// What the rotating proxy means for one request.
pub(super) enum Rotating<'a> {
    Off,
    /// Every key takes it.
    Serves(&'a RotatingProxy),
    /// It is switched on and does not serve; keys go their individual ways.
    Fails(&'a RotatingProxy),
}

impl<'a> Rotating<'a> {
    /// `failed`: it failed this very request for good.
    pub(super) fn of(proxy: Option<&'a RotatingProxy>, settings: &Settings, failed: bool) -> Self {
        match proxy.filter(|proxy| proxy.entered.enabled && settings.rotating_proxy.enabled) {
            None => Self::Off,
            Some(proxy) if proxy.serves() && !failed => Self::Serves(proxy),
            Some(proxy) => Self::Fails(proxy),
        }
    }
}

/// The way out of each key, for one request.
pub(super) struct Routing<'a> {
    proxies: &'a ProxyPoolManager,
    assignments: &'a ProxyAssignmentManager,
    rotating: Rotating<'a>,
    auto_assignment: bool,
    /// Proxies that failed this request.
    failed: &'a [ProxyId],
    direct_when_none_works: bool,
}

impl<'a> Routing<'a> {
    pub(super) fn new(
        proxies: &'a ProxyPoolManager,
        assignments: &'a ProxyAssignmentManager,
        rotating: Rotating<'a>,
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
            rotating,
            auto_assignment,
            failed,
            direct_when_none_works: allows_direct && !proxies.iter().any(works),
        }
    }

    pub(super) fn of(&self, key: &KeyId) -> Route<'a> {
        if let Rotating::Serves(proxy) = self.rotating {
            return Route::Rotating(proxy);
        }
        let Some(assignment) = self.assignments.get(key) else { return self.of_unassigned() };
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

    fn of_unassigned(&self) -> Route<'a> {
        let direct = self.proxies.is_empty() || !self.auto_assignment;
        match self.rotating {
            Rotating::Fails(_) if self.direct_when_none_works => Route::Fallback,
            Rotating::Fails(proxy) => Route::Closed(Why::NoRotating(reason(proxy))),
            _ if direct => Route::Direct,
            _ => Route::Closed(Why::NoProxyEnabled),
        }
    }

    /// Its proxy is in error, or failed this request.
    pub(super) fn is_faulty(&self, proxy: &ProxyServer) -> bool {
        proxy.health.faulty || self.failed.contains(&proxy.entered.id)
    }
}

fn reason(proxy: &RotatingProxy) -> String {
    match &proxy.learned.mode {
        Mode::Refused(words) => words.clone(),
        Mode::On | Mode::FallenBack => proxy.learned.last_error.clone().unwrap_or_default(),
    }
}
