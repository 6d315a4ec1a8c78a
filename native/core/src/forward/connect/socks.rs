//! The SOCKS exchanges (4, 4a, 5, 5h) over a TCP connection that is already there, spoken by tokio-socks.
//! It owns who resolves the upstream's name: this machine for socks4 and socks5, the proxy for socks4a and socks5h.
//! It must not know what flows through the tunnel.

use std::net::SocketAddr;

use secrecy::ExposeSecret;
use tokio_socks::tcp::{Socks4Stream, Socks5Stream};
use tokio_socks::{Error, TargetAddr};

use super::deadline::Deadline;
use super::fault::{DialError, UpstreamFault, UpstreamStage};
use super::target::Target;
use super::tcp;
use super::trace::{Step, Trace};
use super::tunnel::ProxySocket;
use crate::proxies::fault::{ProxyFault, ProxyStage, SocksReply};
use crate::proxies::url::{ProxyScheme, ProxyUrl};

const STAGE: ProxyStage = ProxyStage::Handshake;
/// The longest name that fits SOCKS5's length byte, and tokio-socks' buffer beside a SOCKS4 user id.
const MAX_NAME_BYTES: usize = 255;

/// What the proxy is asked to connect to. One address goes out, since the proxy connects: IPv4 first, because more
/// proxies have a way out for it.
pub(super) async fn destination<'a>(
    scheme: ProxyScheme,
    target: &'a Target,
    deadline: Deadline,
    trace: &Trace,
) -> Result<TargetAddr<'a>, DialError> {
    let literal = target.host.parse().ok().map(|ip| SocketAddr::new(ip, target.port));
    let only_ipv4 = matches!(scheme, ProxyScheme::Socks4 | ProxyScheme::Socks4a);
    let address = match (literal, scheme) {
        (Some(address), _) => address,
        (None, ProxyScheme::Socks4 | ProxyScheme::Socks5) => {
            let addresses = trace.step(Step::ResolveUpstream, resolve_here(target, deadline)).await?;
            let preferred = addresses.iter().find(|address| address.is_ipv4()).or(addresses.first());
            *preferred.ok_or(ProxyFault::NoIpv4)?
        }
        (None, _) if target.host.len() > MAX_NAME_BYTES => {
            return Err(UpstreamFault::BadTarget { reason: "its host name is longer than 255 bytes" }.into());
        }
        (None, _) => return Ok(TargetAddr::Domain(target.host.as_str().into(), target.port)),
    };
    if only_ipv4 && address.is_ipv6() {
        return Err(ProxyFault::NoIpv4.into());
    }
    Ok(TargetAddr::Ip(address))
}

async fn resolve_here(target: &Target, deadline: Deadline) -> Result<Vec<SocketAddr>, UpstreamFault> {
    let late = |after| UpstreamFault::Timeout { stage: UpstreamStage::Resolve, after };
    deadline
        .bound(tcp::resolve(&target.host, target.port), late)
        .await?
        .map_err(|error| UpstreamFault::Dns { reason: error.to_string(), through_proxy: true })
}

pub(super) async fn ask(
    io: ProxySocket,
    proxy: &ProxyUrl,
    destination: TargetAddr<'_>,
    deadline: Deadline,
) -> Result<ProxySocket, ProxyFault> {
    let exchange = async {
        match proxy.scheme() {
            ProxyScheme::Socks4 | ProxyScheme::Socks4a => ask_socks4(io, proxy, destination).await,
            _ => ask_socks5(io, proxy, destination).await,
        }
    };
    deadline
        .bound(exchange, |after| ProxyFault::Timeout { stage: STAGE, after })
        .await?
        .map_err(|error| fault_of(error, proxy))
}

async fn ask_socks4(
    io: ProxySocket,
    proxy: &ProxyUrl,
    destination: TargetAddr<'_>,
) -> Result<ProxySocket, Error> {
    let stream = match proxy.username() {
        Some(user) => Socks4Stream::connect_with_userid_and_socket(io, destination, user).await?,
        None => Socks4Stream::connect_with_socket(io, destination).await?,
    };
    Ok(stream.into_inner())
}

async fn ask_socks5(
    io: ProxySocket,
    proxy: &ProxyUrl,
    destination: TargetAddr<'_>,
) -> Result<ProxySocket, Error> {
    let stream = match (proxy.username(), proxy.password()) {
        (Some(user), Some(password)) => {
            let password = password.expose_secret();
            Socks5Stream::connect_with_password_and_socket(io, destination, user, password).await?
        }
        _ => Socks5Stream::connect_with_socket(io, destination).await?,
    };
    Ok(stream.into_inner())
}

fn fault_of(error: Error, proxy: &ProxyUrl) -> ProxyFault {
    let refused = |reply| ProxyFault::SocksRefused { reply };
    match error {
        Error::Io(error) => ProxyFault::from_io(STAGE, &error),
        Error::AuthorizationRequired
        | Error::NoAcceptableAuthMethods
        | Error::IdentdAuthFailure
        | Error::InvalidUserIdAuthFailure
            if proxy.username().is_none() =>
        {
            ProxyFault::AuthRequired
        }
        Error::NoAcceptableAuthMethods
        | Error::PasswordAuthFailure(_)
        | Error::IdentdAuthFailure
        | Error::InvalidUserIdAuthFailure => ProxyFault::AuthRejected,
        Error::GeneralSocksServerFailure => refused(SocksReply::GeneralFailure),
        Error::ConnectionNotAllowedByRuleset => refused(SocksReply::NotAllowed),
        Error::NetworkUnreachable => refused(SocksReply::NetworkUnreachable),
        Error::HostUnreachable => refused(SocksReply::HostUnreachable),
        Error::ConnectionRefused => refused(SocksReply::ConnectionRefused),
        Error::TtlExpired => refused(SocksReply::TtlExpired),
        Error::CommandNotSupported => refused(SocksReply::CommandNotSupported),
        Error::AddressTypeNotSupported => refused(SocksReply::AddressTypeNotSupported),
        // tokio-socks also says UnknownAuthMethod for a SOCKS5 reply code that it does not know.
        Error::UnknownError | Error::UnknownAuthMethod => refused(SocksReply::Other),
        _ => ProxyFault::Protocol { expected: "SOCKS" },
    }
}
