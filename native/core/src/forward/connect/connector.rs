//! Opens each new connection of one egress.
//! It must not choose the route or pool anything: it holds one route, dials it, and counts what it opened.

use std::time::Duration;

use super::{DialError, Dialed, Route, Target, Trace, dial};
use crate::figures::meter::Meters;
use crate::forward::tls::TlsConfigs;
use crate::proxies::exit::Exit;

/// Clones share the TLS session cache; separate connectors do not.
#[derive(Clone)]
pub struct Connector {
    route: Route,
    tls: TlsConfigs,
    allow_h2: bool,
    connect_timeout: Duration,
    meters: Meters,
    exit: Exit,
    trace: Trace,
}

impl Connector {
    /// Its connections count on `meters`.
    pub fn new(
        route: Route,
        tls: &TlsConfigs,
        allow_h2: bool,
        connect_timeout: Duration,
        meters: Meters,
    ) -> Self {
        let (tls, exit, trace) = (tls.with_own_sessions(), Exit::default(), Trace::off());
        Self { route, tls, allow_h2, connect_timeout, meters, exit, trace }
    }

    /// `exit` is told where its tunnel leaves the proxy: for a connector that opens one alone.
    pub fn telling(self, exit: Exit) -> Self {
        Self { exit, ..self }
    }

    /// `trace` records its dials: for a connector that opens one alone.
    pub fn traced(self, trace: Trace) -> Self {
        Self { trace, ..self }
    }

    /// One connection to `target`, counted.
    pub async fn open(&self, target: &Target) -> Result<Dialed, DialError> {
        let Self { route, tls, allow_h2, connect_timeout, meters, exit, trace } = self;
        let dialed = dial(route, target, tls, *allow_h2, *connect_timeout, meters, trace).await?;
        meters.opened();
        dialed.exit().into_iter().for_each(|address| exit.tell(address));
        Ok(dialed)
    }
}
