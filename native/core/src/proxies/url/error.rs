//! Why a text is no proxy URL, said in whole sentences with the remedy.
//! It must not know how a URL is parsed, and never holds what was parsed.

use std::fmt;

/// Why a text is no proxy URL. Invariant: no variant holds a part of the input in which credentials can hide;
/// only a well-formed scheme is repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProxyUrlError {
    Empty,
    TooLong,
    ForbiddenCharacter,
    MissingScheme,
    UnknownScheme(String),
    MissingHost,
    InvalidHost,
    InvalidPort,
    UnexpectedPath,
    InvalidCredentials,
    MissingUsername,
    ColonInUsername,
    Socks4Password,
    Socks4UserIdTooLong,
    Socks5NeedsBoth,
    Socks5CredentialTooLong,
}

impl fmt::Display for ProxyUrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "The proxy URL is empty. Write it as scheme://user:password@host:port.",
            Self::TooLong => "The proxy URL is longer than 4096 bytes. Write it as scheme://user:password@host:port.",
            Self::ForbiddenCharacter => {
                "The proxy URL contains a space, a line break, a backslash or a control character. Remove it, or \
                 percent-encode it when it belongs to the password (a space is %20, a backslash %5C)."
            }
            Self::MissingScheme => {
                "The proxy URL has no scheme. Begin it with http://, https://, socks4://, socks4a://, socks5:// or \
                 socks5h://."
            }
            Self::UnknownScheme(scheme) => {
                return write!(
                    f,
                    "The proxy URL's scheme \"{scheme}\" is not supported. Use http, https, socks, socks4, socks4a, \
                     socks5 or socks5h."
                );
            }
            Self::MissingHost => "The proxy URL has no host. Put the proxy's name or address before the port.",
            Self::InvalidHost => {
                "The proxy URL's host is neither a host name, an IPv4 address nor an IPv6 address in brackets. \
                 Correct it; if the user name or password contains @, / or :, percent-encode those (%40, %2F, %3A)."
            }
            Self::InvalidPort => {
                "The proxy URL's port is not a number from 1 to 65535. Correct it; if the user name or password \
                 contains /, ? or #, percent-encode those (%2F, %3F, %23), and put an IPv6 address in brackets."
            }
            Self::UnexpectedPath => {
                "The proxy URL has a path, query or fragment after the port. Remove it; if it belongs to the \
                 password, percent-encode / ? and # (%2F, %3F, %23)."
            }
            Self::InvalidCredentials => {
                "The proxy URL's user name or password is not valid once percent-decoded. Write a literal % as %25, \
                 and use no control characters."
            }
            Self::MissingUsername => {
                "The proxy URL has a password but no user name. Write user:password before the @, or remove both."
            }
            Self::ColonInUsername => {
                "The proxy URL's user name contains a colon, which an HTTP proxy cannot receive. Remove it from the \
                 user name."
            }
            Self::Socks4Password => {
                "The proxy URL gives a password, but SOCKS4 has none, only a user id. Remove the password, or use \
                 socks5 when the proxy speaks it."
            }
            Self::Socks4UserIdTooLong => "The proxy URL's SOCKS4 user id is longer than 200 bytes. Use a shorter one.",
            Self::Socks5NeedsBoth => {
                "The proxy URL gives a user name without a password, and SOCKS5 needs both or neither. Add the \
                 password, or remove the user name."
            }
            Self::Socks5CredentialTooLong => {
                "The proxy URL's user name or password is longer than the 255 bytes that SOCKS5 allows. Use a \
                 shorter one."
            }
        })
    }
}

impl std::error::Error for ProxyUrlError {}
