//! From nothing to an open tunnel through one proxy: its address, TCP, TLS for an https proxy, then the exchange
//! that its scheme names. It must not know what will flow through the tunnel.

use std::io;
use std::net::IpAddr;

use super::deadline::Deadline;
use super::fault::DialError;
use super::metered::Metered;
use super::prompt::Prompt;
use super::secure::{self, HandshakeProblem};
use super::stream::BoxedIo;
use super::target::Target;
use super::trace::{Step, Trace};
use super::{http_connect, socks, tcp};
use crate::figures::meter::Meters;
use crate::forward::tls::TlsConfigs;
use crate::joined::Joined;
use crate::proxies::fault::{ProxyFault, ProxyStage};
use crate::proxies::url::{ProxyScheme, ProxyUrl};

/// The connection to a proxy.
pub(super) type ProxySocket = Metered<Joined<Prompt>>;

pub(super) struct Tunnel {
    pub io: BoxedIo,
    /// Where it leaves the proxy, if that tells.
    pub exit: Option<IpAddr>,
}

pub(super) async fn open(
    proxy: &ProxyUrl,
    target: &Target,
    tls: &TlsConfigs,
    deadline: Deadline,
    meters: &Meters,
    trace: &Trace,
) -> Result<Tunnel, DialError> {
    match proxy.scheme() {
        ProxyScheme::Http => {
            let io = connect(proxy, deadline, meters, trace).await?;
            let asking = http_connect::ask(Box::new(io), proxy, target, deadline);
            Ok(trace.step(Step::Tunnel, asking).await?)
        }
        ProxyScheme::Https => {
            let io = connect(proxy, deadline, meters, trace).await?;
            let io = trace.step(Step::SecureProxy, secure_proxy(proxy, io, tls, deadline)).await?;
            Ok(trace.step(Step::Tunnel, http_connect::ask(io, proxy, target, deadline)).await?)
        }
        // What must be resolved here is resolved first: a name that does not exist costs the proxy no connection.
        ProxyScheme::Socks4 | ProxyScheme::Socks4a | ProxyScheme::Socks5 | ProxyScheme::Socks5h => {
            let destination = socks::destination(proxy.scheme(), target, deadline, trace).await?;
            let io = connect(proxy, deadline, meters, trace).await?;
            let io = trace.step(Step::Tunnel, socks::ask(io, proxy, destination, deadline)).await?;
            // SOCKS names the address on which the proxy's host sends, behind which a provider's exit may still lie.
            Ok(Tunnel { io: Box::new(io), exit: None })
        }
    }
}

async fn connect(
    proxy: &ProxyUrl,
    deadline: Deadline,
    meters: &Meters,
    trace: &Trace,
) -> Result<ProxySocket, ProxyFault> {
    let late = |stage| move |after| ProxyFault::Timeout { stage, after };
    let resolving = async {
        deadline
            .bound(tcp::resolve(proxy.host(), proxy.port()), late(ProxyStage::Resolve))
            .await?
            .map_err(|error| ProxyFault::Dns { reason: error.to_string() })
    };
    let addresses = trace.step(Step::ResolveProxy, resolving).await?;
    let connecting = async {
        deadline.bound(tcp::connect(addresses, deadline.left()), late(ProxyStage::Connect)).await?.map_err(
            |error| match error.kind() {
                io::ErrorKind::TimedOut => late(ProxyStage::Connect)(deadline.limit()),
                _ => ProxyFault::from_io(ProxyStage::Connect, &error),
            },
        )
    };
    let io = trace.step(Step::ConnectProxy, connecting).await?;
    Ok(Metered::new(Joined::at_once(Prompt::new(io)), meters))
}

async fn secure_proxy(
    proxy: &ProxyUrl,
    io: ProxySocket,
    tls: &TlsConfigs,
    deadline: Deadline,
) -> Result<BoxedIo, ProxyFault> {
    let stage = ProxyStage::Tls;
    let handshake = secure::handshake(&tls.http1, proxy.host(), io);
    match deadline.bound(handshake, |after| ProxyFault::Timeout { stage, after }).await? {
        Ok(secured) => Ok(Box::new(secured)),
        Err(HandshakeProblem::Lost(error)) => Err(ProxyFault::from_io(stage, &error)),
        Err(HandshakeProblem::Failed(reason)) => Err(ProxyFault::Tls { reason }),
    }
}
