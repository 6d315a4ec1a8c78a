//! The connector that hyper-util's client calls for each new connection of one egress.
//! It must not choose the route or pool anything: it holds one route, dials it, and counts what it opened.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use tower_service::Service;

use super::{DialError, Dialed, Route, Target, dial};
use crate::forward::tls::TlsConfigs;

/// Clones share the TLS session cache and the counter; separate connectors share neither.
#[derive(Clone)]
pub struct Connector {
    route: Route,
    tls: TlsConfigs,
    allow_h2: bool,
    connect_timeout: Duration,
    opened: Arc<AtomicU64>,
}

impl Connector {
    /// `opened` counts the connections (behind a proxy: tunnels) that were established.
    pub fn new(
        route: Route,
        tls: &TlsConfigs,
        allow_h2: bool,
        connect_timeout: Duration,
        opened: Arc<AtomicU64>,
    ) -> Self {
        Self {
            route,
            tls: tls.with_own_sessions(),
            allow_h2,
            connect_timeout,
            opened,
        }
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Dialed>;
    type Error = DialError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, DialError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), DialError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let Self {
            route,
            tls,
            allow_h2,
            connect_timeout,
            opened,
        } = self.clone();
        Box::pin(async move {
            let target = Target::from_uri(&uri)?;
            let dialed = dial(&route, &target, &tls, allow_h2, connect_timeout).await?;
            opened.fetch_add(1, Ordering::Relaxed);
            Ok(TokioIo::new(dialed))
        })
    }
}
