//! Name lookup and TCP connections, for proxies and direct upstreams alike.
//! It must not know which of the two it dials; the system's resolver is used, so hosts files and VPNs are respected.

use std::convert::Infallible;
use std::error::Error;
use std::future::{Ready, ready};
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use tokio::net::TcpStream;
use tower_service::Service;

/// Finds a dead peer of an idle connection before a request is sent on it, and of a silent Live session.
const KEEPALIVE: Duration = Duration::from_secs(60);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);

pub(super) async fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let addresses: Vec<SocketAddr> = tokio::net::lookup_host((host, port)).await?.collect();
    if addresses.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address"));
    }
    Ok(addresses)
}

/// Tries the addresses in turn, both families in parallel after a short head start (happy eyeballs), so that one dead
/// address does not eat the whole time. The addresses must share one port.
pub(super) async fn connect(addresses: Vec<SocketAddr>, within: Duration) -> io::Result<TcpStream> {
    let Some(port) = addresses.first().map(SocketAddr::port) else {
        return Err(io::Error::new(io::ErrorKind::NotFound, "there is no address to connect to"));
    };
    let mut connector = HttpConnector::new_with_resolver(Resolved(addresses));
    connector.set_nodelay(true);
    connector.set_keepalive(Some(KEEPALIVE));
    connector.set_keepalive_interval(Some(KEEPALIVE_INTERVAL));
    connector.set_connect_timeout(Some(within));
    // The connector takes its port from a URI; the host in it is a stand-in, since `Resolved` answers for any name.
    let stand_in = Uri::builder().scheme("http").authority(format!("resolved:{}", port)).path_and_query("/");
    let uri = stand_in.build().map_err(io::Error::other)?;
    match connector.call(uri).await {
        Ok(io) => Ok(io.into_inner()),
        Err(error) => Err(root_cause(&error)),
    }
}

/// The io error inside, kind and words, without the wrapper's "tcp connect error".
fn root_cause(error: &(dyn Error + 'static)) -> io::Error {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    match causes.filter_map(|cause| cause.downcast_ref::<io::Error>()).last() {
        Some(cause) => io::Error::new(cause.kind(), cause.to_string()),
        None => io::Error::other(error.to_string()),
    }
}

/// A resolver that already has the answer: lookup is a stage of its own, with its own fault.
#[derive(Clone)]
struct Resolved(Vec<SocketAddr>);

impl Service<Name> for Resolved {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Name) -> Self::Future {
        ready(Ok(self.0.clone().into_iter()))
    }
}
