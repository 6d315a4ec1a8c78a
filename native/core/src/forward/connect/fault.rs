//! Why dialling failed, and on which side of the tunnel's end: the proxy's or the upstream's.
//! It must not decide what a fault costs anybody; it only keeps the two sides apart and gives the words.

use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

use crate::proxies::fault::ProxyFault;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UpstreamStage {
    Resolve,
    Connect,
    Tls,
}

impl UpstreamStage {
    fn words(self) -> &'static str {
        match self {
            Self::Resolve => "while its host name was looked up",
            Self::Connect => "while connecting to it",
            Self::Tls => "during the TLS handshake with it",
        }
    }
}

/// A failure that the upstream, its address or the way to it on a direct connection must answer for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpstreamFault {
    /// The address to dial makes no sense.
    BadTarget {
        reason: &'static str,
    },
    /// `through_proxy`: the proxy's scheme (socks4, socks5) wants the name resolved on this machine.
    Dns {
        reason: String,
        through_proxy: bool,
    },
    Refused,
    Timeout {
        stage: UpstreamStage,
        after: Duration,
    },
    Unreachable {
        stage: UpstreamStage,
        reason: String,
    },
    Closed {
        stage: UpstreamStage,
    },
    /// Certificate, alert or no TLS at all. Behind a proxy, a proxy that opens TLS itself looks the same.
    Tls {
        reason: String,
        through_proxy: bool,
    },
}

impl UpstreamFault {
    pub(super) fn from_io(stage: UpstreamStage, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::Refused,
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe => Self::Closed { stage },
            _ => Self::Unreachable { stage, reason: error.to_string() },
        }
    }

    /// Whole sentences: the cause, then what to do. The caller names the upstream in front.
    pub fn words(&self) -> String {
        match self {
            Self::BadTarget { reason } => {
                format!("The upstream's address cannot be used: {reason}. Correct the upstream base URL.")
            }
            Self::Dns { reason, through_proxy: false } => format!(
                "The upstream's host name could not be resolved ({reason}). Check the upstream base URL and the DNS \
                 settings."
            ),
            Self::Dns { reason, through_proxy: true } => format!(
                "The upstream's host name could not be resolved on this machine ({reason}). Check the DNS settings, \
                 or use socks5h or socks4a, which let the proxy resolve it."
            ),
            Self::Refused => {
                "The upstream refused the connection. Check the upstream base URL, its port included."
                    .to_owned()
            }
            Self::Timeout { stage, after } => format!(
                "The upstream did not answer within {} ms {}. Check the network, or give the key a proxy.",
                after.as_millis(),
                stage.words()
            ),
            Self::Unreachable { stage, reason } => {
                format!("The upstream could not be reached: {reason} {}. Check the network.", stage.words())
            }
            Self::Closed { stage } => format!(
                "The upstream closed the connection {}. Check the upstream base URL and the network.",
                stage.words()
            ),
            Self::Tls { reason, through_proxy: false } => format!(
                "TLS with the upstream failed: {reason}. Check the upstream base URL, and add its certificate \
                 authority to the trusted ones if it has its own."
            ),
            Self::Tls { reason, through_proxy: true } => format!(
                "TLS with the upstream through the proxy failed: {reason}. Check the upstream base URL; if the proxy \
                 opens TLS itself, add its certificate authority to the trusted ones."
            ),
        }
    }
}

impl fmt::Display for UpstreamFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words())
    }
}

impl Error for UpstreamFault {}

/// Everything up to and including the granted tunnel is the proxy's; the rest is the upstream's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DialError {
    Proxy(ProxyFault),
    Upstream(UpstreamFault),
}

impl From<ProxyFault> for DialError {
    fn from(fault: ProxyFault) -> Self {
        Self::Proxy(fault)
    }
}

impl From<UpstreamFault> for DialError {
    fn from(fault: UpstreamFault) -> Self {
        Self::Upstream(fault)
    }
}

impl fmt::Display for DialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Proxy(fault) => fault.fmt(f),
            Self::Upstream(fault) => fault.fmt(f),
        }
    }
}

impl Error for DialError {}
