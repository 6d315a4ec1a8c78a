//! What can go wrong between here and the end of a proxy's tunnel, each class with words that say cause and remedy.
//! It must not know the proxy's URL (the caller puts the masked one in front) nor how a proxy is dialled.
//! Whether a fault costs the proxy its health is decided elsewhere; this file only says when the target may be
//! the cause instead.

use std::fmt;
use std::io;
use std::time::Duration;

/// The part of the way to the upstream during which a fault happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProxyStage {
    /// Looking up the proxy's own host name.
    Resolve,
    /// The TCP connection to the proxy.
    Connect,
    /// TLS with an https proxy.
    Tls,
    /// CONNECT or the SOCKS exchange.
    Handshake,
    /// The tunnel was granted; the upstream's TLS handshake runs through it.
    Tunnel,
}

impl ProxyStage {
    fn words(self) -> &'static str {
        match self {
            Self::Resolve => "while its host name was looked up",
            Self::Connect => "while connecting to it",
            Self::Tls => "during the TLS handshake with it",
            Self::Handshake => "while it was asked for a tunnel",
            Self::Tunnel => "after it had opened the tunnel, before the upstream's TLS handshake was done",
        }
    }

    fn timeout_remedy(self) -> &'static str {
        match self {
            Self::Resolve => "Check the DNS settings.",
            Self::Connect => "Check the address, the port and a firewall in between.",
            Self::Tls | Self::Handshake => {
                "Check that the URL's scheme is the one that the proxy speaks on this port, and that the proxy \
                 itself reaches the upstream."
            }
            Self::Tunnel => "Check that the proxy reaches the upstream.",
        }
    }
}

/// The refusals of SOCKS4 and SOCKS5 that say nothing about credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SocksReply {
    GeneralFailure,
    NotAllowed,
    NetworkUnreachable,
    HostUnreachable,
    ConnectionRefused,
    TtlExpired,
    CommandNotSupported,
    AddressTypeNotSupported,
    Other,
}

impl SocksReply {
    fn words(self) -> &'static str {
        match self {
            Self::GeneralFailure => {
                "The proxy answered with a general failure: it could not reach the upstream, or does not allow it."
            }
            Self::NotAllowed => {
                "The proxy's rules do not allow a connection to the upstream. Change its rules."
            }
            Self::NetworkUnreachable => "The proxy says that the upstream's network is unreachable.",
            Self::HostUnreachable => "The proxy says that the upstream's host is unreachable or unknown.",
            Self::ConnectionRefused => "The proxy says that the upstream refused the connection.",
            Self::TtlExpired => "The proxy's connection to the upstream expired on the way.",
            Self::CommandNotSupported => {
                "The proxy does not support opening connections (the SOCKS CONNECT command)."
            }
            Self::AddressTypeNotSupported => {
                "The proxy does not support this type of address. Try socks5h or socks4a, which send the host name."
            }
            Self::Other => "The proxy refused with a code that SOCKS does not define.",
        }
    }

    /// The proxy itself works and reports trouble beyond it. Not so `NotAllowed`: there the proxy is in the way.
    fn may_be_upstream(self) -> bool {
        matches!(
            self,
            Self::GeneralFailure
                | Self::NetworkUnreachable
                | Self::HostUnreachable
                | Self::ConnectionRefused
                | Self::TtlExpired
        )
    }
}

/// One class of failure of a proxy. Invariant: no variant carries credentials or a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProxyFault {
    /// The proxy's own host name could not be resolved.
    Dns {
        reason: String,
    },
    /// Nothing listens on the proxy's port.
    Refused,
    Timeout {
        stage: ProxyStage,
        after: Duration,
    },
    /// Any other input/output error: no route, network down, too many open files.
    Unreachable {
        stage: ProxyStage,
        reason: String,
    },
    /// TLS with an https proxy failed, its certificate included.
    Tls {
        reason: String,
    },
    /// Credentials are wanted and none are configured.
    AuthRequired,
    /// Credentials were sent and not accepted.
    AuthRejected,
    /// CONNECT was answered with a status other than 200.
    ConnectStatus {
        status: u16,
    },
    SocksRefused {
        reply: SocksReply,
    },
    /// socks4 carries IPv4 addresses only, and the upstream has none.
    NoIpv4,
    Closed {
        stage: ProxyStage,
    },
    Reset {
        stage: ProxyStage,
    },
    /// The answer was not of the protocol that the URL's scheme names.
    Protocol {
        expected: &'static str,
    },
}

impl ProxyFault {
    /// The class of an input/output error met at `stage`.
    pub fn from_io(stage: ProxyStage, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::Refused,
            io::ErrorKind::UnexpectedEof => Self::Closed { stage },
            io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => {
                Self::Reset { stage }
            }
            _ => Self::Unreachable { stage, reason: error.to_string() },
        }
    }

    /// Whole sentences: the cause, then what to do. The caller names the proxy in front.
    pub fn words(&self) -> String {
        match self {
            Self::Dns { reason } => {
                format!(
                    "The proxy's host name could not be resolved ({reason}). Check the name and the DNS settings."
                )
            }
            Self::Refused => {
                "The proxy refused the connection. Check that it runs and that the port is right.".to_owned()
            }
            Self::Timeout { stage, after } => {
                let (late, when) = (seconds(*after), stage.words());
                format!("The proxy did not answer within {late} {when}. {}", stage.timeout_remedy())
            }
            Self::Unreachable { stage, reason } => format!(
                "The proxy could not be reached: {reason} {}. Check the address and the network.",
                stage.words()
            ),
            Self::Tls { reason } => format!(
                "TLS with the proxy failed: {reason}. Check that it is an https proxy (else write http://), and add \
                 its certificate authority to the trusted ones if it has its own."
            ),
            Self::AuthRequired => {
                "The proxy asks for a user name and password, and its URL has none. Add them to the URL."
                    .to_owned()
            }
            Self::AuthRejected => {
                "The proxy did not accept the credentials. Check the user name and password in its URL."
                    .to_owned()
            }
            Self::ConnectStatus { status } => connect_status_words(*status),
            Self::SocksRefused { reply } => reply.words().to_owned(),
            Self::NoIpv4 => {
                "The upstream has no IPv4 address, and socks4 can carry no other. Use socks4a, socks5 or \
                             socks5h when the proxy speaks it."
                    .to_owned()
            }
            Self::Closed { stage: ProxyStage::Tunnel } => format!(
                "The proxy closed the connection {}. Its rules may forbid the upstream, or the upstream closed it.",
                ProxyStage::Tunnel.words()
            ),
            Self::Closed { stage } => format!(
                "The proxy closed the connection {}. Check the URL's scheme and the proxy's access rules.",
                stage.words()
            ),
            Self::Reset { stage } => format!(
                "The proxy broke the connection off {}. Check the URL's scheme and the proxy's access rules.",
                stage.words()
            ),
            Self::Protocol { expected } => format!(
                "The proxy's answer is not {expected}. Check that the URL's scheme is the one that the proxy speaks \
                 on this port."
            ),
        }
    }

    /// Credentials are at fault: another try changes nothing until the user edits the URL.
    pub fn is_auth(&self) -> bool {
        matches!(self, Self::AuthRequired | Self::AuthRejected)
    }

    /// The proxy answered, and what failed may lie behind it: blame it only when others reach the upstream meanwhile.
    pub fn may_be_upstream(&self) -> bool {
        match self {
            Self::ConnectStatus { status } => *status >= 500,
            Self::SocksRefused { reply } => reply.may_be_upstream(),
            Self::NoIpv4 => true,
            // Asked for a tunnel, an HTTP or SOCKS proxy stays silent while it dials an upstream that does not answer.
            Self::Timeout { stage, .. } => matches!(stage, ProxyStage::Handshake | ProxyStage::Tunnel),
            Self::Closed { stage } | Self::Reset { stage } | Self::Unreachable { stage, .. } => {
                *stage == ProxyStage::Tunnel
            }
            Self::Dns { .. }
            | Self::Refused
            | Self::Tls { .. }
            | Self::AuthRequired
            | Self::AuthRejected
            | Self::Protocol { .. } => false,
        }
    }
}

impl fmt::Display for ProxyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words())
    }
}

impl std::error::Error for ProxyFault {}

fn connect_status_words(status: u16) -> String {
    match status {
        403 | 405 => format!(
            "The proxy refused the tunnel with status {status}: its rules do not allow the upstream's host or port. \
             Change its rules."
        ),
        500.. => format!(
            "The proxy could not reach the upstream and answered with status {status}. Check the proxy's own network \
             and DNS."
        ),
        _ => format!(
            "The proxy refused the tunnel with status {status}. Check that it is a forward proxy that allows CONNECT."
        ),
    }
}

fn seconds(time: Duration) -> String {
    match time.subsec_millis() {
        0 if time.as_secs() == 1 => "1 second".to_owned(),
        0 => format!("{} seconds", time.as_secs()),
        _ => format!("{} ms", time.as_millis()),
    }
}
