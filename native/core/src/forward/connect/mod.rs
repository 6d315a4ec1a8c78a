//! Opens one connection to the upstream: directly, or through the tunnel of one proxy, TLS included.
//! It owns what a route is, how long dialling may take and whose fault a failure is; it must not know keys, pools,
//! retries, or which route a request should take.
//! Invariant: the route alone decides the way. The environment's HTTP_PROXY and NO_PROXY are never consulted, and a
//! failing proxy never turns into a direct connection.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;

use crate::figures::meter::Meters;
use crate::forward::tls::TlsConfigs;
use crate::joined::Joined;
use crate::proxies::fault::{ProxyFault, ProxyStage};
use crate::proxies::url::ProxyUrl;

mod connector;
mod deadline;
mod fault;
mod http_connect;
mod metered;
mod prompt;
mod secure;
mod socks;
mod stream;
mod target;
mod tcp;
#[cfg(test)]
mod tests;
mod trace;
mod tunnel;

pub use connector::Connector;
pub use fault::{DialError, UpstreamFault, UpstreamStage};
pub use stream::{BoxedIo, Dialed, Io};
pub use target::Target;
pub use trace::{Step, Taken, Trace};

use deadline::Deadline;
use metered::Metered;
use secure::HandshakeProblem;
use tunnel::Tunnel;

/// The way to the upstream.
#[derive(Debug, Clone)]
pub enum Route {
    Direct,
    Proxy(Arc<ProxyUrl>),
}

/// Opens a connection to `target` that is ready for HTTP, within `connect_timeout` altogether.
/// h2 is offered only on a direct connection and when `allow_h2`: through proxies it was measured to stall 40 ms per
/// exchange, so behind one it is http/1.1. What passes the socket counts on `meters`; `trace` records the steps.
pub async fn dial(
    route: &Route,
    target: &Target,
    tls: &TlsConfigs,
    allow_h2: bool,
    connect_timeout: Duration,
    meters: &Meters,
    trace: &Trace,
) -> Result<Dialed, DialError> {
    let deadline = Deadline::start(connect_timeout);
    match route {
        Route::Direct => dial_direct(target, tls, allow_h2, deadline, meters, trace).await,
        Route::Proxy(proxy) => dial_through(proxy, target, tls, deadline, meters, trace).await,
    }
}

async fn dial_direct(
    target: &Target,
    tls: &TlsConfigs,
    allow_h2: bool,
    deadline: Deadline,
    meters: &Meters,
    trace: &Trace,
) -> Result<Dialed, DialError> {
    let io = Metered::new(Joined::at_once(connect_upstream(target, deadline, trace).await?), meters);
    if !target.tls {
        return Ok(Dialed::plain(Box::new(io)));
    }
    let config = if allow_h2 { &tls.h2 } else { &tls.http1 };
    let stage = UpstreamStage::Tls;
    let handshake = async {
        deadline
            .bound(secure::handshake(config, &target.host, io), |after| UpstreamFault::Timeout {
                stage,
                after,
            })
            .await?
            .map_err(|problem| match problem {
                HandshakeProblem::Lost(error) => UpstreamFault::from_io(stage, &error),
                HandshakeProblem::Failed(reason) => UpstreamFault::Tls { reason, through_proxy: false },
            })
    };
    let secured = trace.step(Step::SecureUpstream, handshake).await?;
    Ok(Dialed::secured(secured))
}

async fn connect_upstream(
    target: &Target,
    deadline: Deadline,
    trace: &Trace,
) -> Result<TcpStream, UpstreamFault> {
    let late = |stage| move |after| UpstreamFault::Timeout { stage, after };
    let resolving = async {
        deadline
            .bound(tcp::resolve(&target.host, target.port), late(UpstreamStage::Resolve))
            .await?
            .map_err(|error| UpstreamFault::Dns { reason: error.to_string(), through_proxy: false })
    };
    let addresses = trace.step(Step::ResolveUpstream, resolving).await?;
    let connecting = async {
        deadline.bound(tcp::connect(addresses, deadline.left()), late(UpstreamStage::Connect)).await?.map_err(
            |error| match error.kind() {
                std::io::ErrorKind::TimedOut => late(UpstreamStage::Connect)(deadline.limit()),
                _ => UpstreamFault::from_io(UpstreamStage::Connect, &error),
            },
        )
    };
    trace.step(Step::ConnectUpstream, connecting).await
}

/// A tunnel that was granted and is then closed or silent before the upstream's TLS handshake is done counts as the
/// proxy's fault, because some proxies grant first and dial afterwards; `ProxyFault::may_be_upstream` says that it is
/// not certain. A TLS answer that is wrong (certificate, alert, no TLS) is the upstream's.
async fn dial_through(
    proxy: &ProxyUrl,
    target: &Target,
    tls: &TlsConfigs,
    deadline: Deadline,
    meters: &Meters,
    trace: &Trace,
) -> Result<Dialed, DialError> {
    let Tunnel { io, exit } = tunnel::open(proxy, target, tls, deadline, meters, trace).await?;
    if !target.tls {
        return Ok(Dialed::plain(io).leaving_at(exit));
    }
    let stage = ProxyStage::Tunnel;
    let handshake = async {
        deadline
            .bound(secure::handshake(&tls.http1, &target.host, io), |after| ProxyFault::Timeout {
                stage,
                after,
            })
            .await?
            .map_err(|problem| match problem {
                HandshakeProblem::Lost(error) => DialError::Proxy(ProxyFault::from_io(stage, &error)),
                HandshakeProblem::Failed(reason) => UpstreamFault::Tls { reason, through_proxy: true }.into(),
            })
    };
    let secured = trace.step(Step::SecureUpstream, handshake).await?;
    Ok(Dialed::secured(secured).leaving_at(exit))
}
