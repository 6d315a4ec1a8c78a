//! Dialling against small listeners on loopback that speak just enough of each protocol, well and badly.
//! What is asserted is what users rely on: what each proxy gets to see, what comes through, and whose fault a failure
//! is. Time is paused once the peer is known to stay silent; nothing sleeps.

mod connector;
mod direct;
mod http_proxy;
mod socks_proxy;
mod support;
