//! A proxy's address as the user wrote it, checked once and normalised: scheme, host, port, credentials.
//! It decides what a valid proxy URL is and how one may be shown; it must not know how a proxy is dialled,
//! stored or assigned. Errors and masked forms never carry a password.

use std::fmt;
use std::hash::{Hash, Hasher};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};
use url::Host;

mod error;
#[cfg(test)]
mod tests;

pub use error::ProxyUrlError;

/// A pasted document is not a proxy URL; long tokens used as user names are.
const MAX_URL_BYTES: usize = 4096;
/// tokio-socks writes user id and host name into one buffer of 513 bytes, so the user id leaves room for 255 of host.
const MAX_SOCKS4_USERID_BYTES: usize = 200;
/// RFC 1929 stores each length in one byte.
const MAX_SOCKS5_FIELD_BYTES: usize = 255;
const MAX_HOST_BYTES: usize = 253;
const MASK: &str = "••••";
/// Everything but RFC 3986's unreserved characters, so that the written form parses back to the same bytes.
const CREDENTIAL: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// `socks` is read as `Socks5` and never kept apart from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProxyScheme {
    Http,
    Https,
    Socks4,
    Socks4a,
    Socks5,
    Socks5h,
}

impl ProxyScheme {
    fn from_name(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "http" => Some(Self::Http),
            "https" => Some(Self::Https),
            "socks4" => Some(Self::Socks4),
            "socks4a" => Some(Self::Socks4a),
            "socks" | "socks5" => Some(Self::Socks5),
            "socks5h" => Some(Self::Socks5h),
            _ => None,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Socks4 => "socks4",
            Self::Socks4a => "socks4a",
            Self::Socks5 => "socks5",
            Self::Socks5h => "socks5h",
        }
    }

    pub fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
            Self::Socks4 | Self::Socks4a | Self::Socks5 | Self::Socks5h => 1080,
        }
    }

    fn is_http(self) -> bool {
        matches!(self, Self::Http | Self::Https)
    }
}

/// A valid, normalised proxy URL. Equality and hash compare the normal form with its credentials: two spellings of
/// one proxy are equal, the same server with another user is another proxy.
/// Invariant: `Debug` and `Display` are masked; the credentials leave only by `password()` and `to_secret_string()`.
#[derive(Clone)]
pub struct ProxyUrl {
    scheme: ProxyScheme,
    /// Lower-case ASCII; an IPv6 address without its brackets.
    host: String,
    port: u16,
    username: Option<String>,
    password: Option<SecretString>,
}

impl ProxyUrl {
    pub fn parse(input: &str) -> Result<Self, ProxyUrlError> {
        check_characters(input)?;
        let (scheme, rest) = split_scheme(input)?;
        let (authority, tail) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        // The last @ ends the credentials, as in browsers and curl: a raw @ in a password still works.
        let (userinfo, address) = match authority.rsplit_once('@') {
            Some((userinfo, address)) => (userinfo, address),
            None => ("", authority),
        };
        let (host, port) = split_address(address)?;
        let host = parse_host(host)?;
        let port = match port {
            Some(text) => parse_port(text)?,
            None => scheme.default_port(),
        };
        if !matches!(tail, "" | "/") {
            return Err(ProxyUrlError::UnexpectedPath);
        }
        let (username, password) = parse_userinfo(userinfo)?;
        check_credentials(scheme, username.as_deref(), password.as_deref())?;
        Ok(Self { scheme, host, port, username, password: password.map(SecretString::from) })
    }

    pub fn scheme(&self) -> ProxyScheme {
        self.scheme
    }

    /// Lower-case, an IPv6 address without brackets: ready for a resolver.
    pub fn host(&self) -> &str {
        &self.host
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Percent-decoded.
    pub fn username(&self) -> Option<&str> {
        self.username.as_deref()
    }

    /// Percent-decoded. Only an HTTP proxy may have a user name without one.
    pub fn password(&self) -> Option<&SecretString> {
        self.password.as_ref()
    }

    /// The same server for somebody without a user name and password.
    pub fn without_credentials(&self) -> Self {
        Self { username: None, password: None, ..self.clone() }
    }

    /// For people: `socks5://user:••••@host:1080`. A user name that stands alone before an HTTP proxy is usually a
    /// provider's token, so it is masked too.
    pub fn masked(&self) -> String {
        let who = match (&self.username, &self.password) {
            (None, _) => String::new(),
            (Some(_), None) if self.scheme.is_http() => format!("{MASK}@"),
            (Some(user), None) => format!("{}@", encode(user)),
            (Some(user), Some(_)) => format!("{}:{MASK}@", encode(user)),
        };
        self.written_with(&who)
    }

    /// For the vault only: the whole URL in normal form, credentials included; parses back to an equal value.
    pub fn to_secret_string(&self) -> SecretString {
        let who = match (&self.username, &self.password) {
            (None, _) => String::new(),
            (Some(user), None) => format!("{}@", encode(user)),
            (Some(user), Some(password)) => format!("{}:{}@", encode(user), encode(password.expose_secret())),
        };
        SecretString::from(self.written_with(&who))
    }

    /// Whether both name the same proxy with the same credentials, however they were spelled.
    pub fn same_proxy(&self, other: &Self) -> bool {
        self == other
    }

    /// True when anybody between here and the proxy can read the credentials: only https encrypts that stretch.
    pub fn sends_credentials_in_clear(&self) -> bool {
        self.username.is_some() && self.scheme != ProxyScheme::Https
    }

    fn written_with(&self, userinfo: &str) -> String {
        let (open, close) = if self.host.contains(':') { ("[", "]") } else { ("", "") };
        format!("{}://{userinfo}{open}{}{close}:{}", self.scheme.as_str(), self.host, self.port)
    }

    fn identity(&self) -> (ProxyScheme, &str, u16, Option<&str>, Option<&str>) {
        let password = self.password.as_ref().map(|secret| secret.expose_secret());
        (self.scheme, &self.host, self.port, self.username.as_deref(), password)
    }
}

impl PartialEq for ProxyUrl {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl Eq for ProxyUrl {}

impl Hash for ProxyUrl {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.identity().hash(state);
    }
}

impl fmt::Display for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProxyUrl({})", self.masked())
    }
}

impl std::str::FromStr for ProxyUrl {
    type Err = ProxyUrlError;

    fn from_str(input: &str) -> Result<Self, Self::Err> {
        Self::parse(input)
    }
}

fn check_characters(input: &str) -> Result<(), ProxyUrlError> {
    if input.is_empty() {
        return Err(ProxyUrlError::Empty);
    }
    if input.len() > MAX_URL_BYTES {
        return Err(ProxyUrlError::TooLong);
    }
    // A backslash counts as a slash in browsers and as a password character elsewhere: refused rather than guessed.
    if input.chars().any(|c| c.is_whitespace() || c.is_control() || c == '\\') {
        return Err(ProxyUrlError::ForbiddenCharacter);
    }
    Ok(())
}

fn split_scheme(input: &str) -> Result<(ProxyScheme, &str), ProxyUrlError> {
    let (name, rest) = input.split_once("://").ok_or(ProxyUrlError::MissingScheme)?;
    // `user:pa://ss@host` has no scheme either, and what stands before its :// must not be repeated.
    let well_formed = name.len() <= 16
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    if !well_formed {
        return Err(ProxyUrlError::MissingScheme);
    }
    match ProxyScheme::from_name(name) {
        Some(scheme) => Ok((scheme, rest)),
        None => Err(ProxyUrlError::UnknownScheme(name.to_ascii_lowercase())),
    }
}

/// Splits `host:port`; the brackets of an IPv6 address stay with the host.
fn split_address(address: &str) -> Result<(&str, Option<&str>), ProxyUrlError> {
    let after_brackets = address.rfind(']').map_or(0, |end| end + 1);
    let (host, port) = match address[after_brackets..].split_once(':') {
        Some((before, port)) => (&address[..after_brackets + before.len()], Some(port)),
        None => (address, None),
    };
    if host.is_empty() {
        return Err(ProxyUrlError::MissingHost);
    }
    Ok((host, port))
}

fn parse_host(text: &str) -> Result<String, ProxyUrlError> {
    match Host::parse(text).map_err(|_| ProxyUrlError::InvalidHost)? {
        Host::Ipv6(address) => Ok(address.to_string()),
        // The URL standard reads 10.1 or 0x7f.1 as addresses; here that is a typing error.
        Host::Ipv4(address) if text == address.to_string() => Ok(text.to_owned()),
        Host::Ipv4(_) => Err(ProxyUrlError::InvalidHost),
        Host::Domain(name) => {
            let labels = name.strip_suffix('.').unwrap_or(&name).split('.');
            let well_formed = name.len() <= MAX_HOST_BYTES
                && labels.into_iter().all(|label| {
                    (1..=63).contains(&label.len())
                        && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
                });
            if well_formed { Ok(name) } else { Err(ProxyUrlError::InvalidHost) }
        }
    }
}

fn parse_port(text: &str) -> Result<u16, ProxyUrlError> {
    let digits_only = text.bytes().all(|b| b.is_ascii_digit());
    match text.parse::<u16>() {
        Ok(port) if digits_only && port != 0 => Ok(port),
        _ => Err(ProxyUrlError::InvalidPort),
    }
}

/// An empty user name or password counts as none: `user:@host` says no more than `user@host`.
fn parse_userinfo(userinfo: &str) -> Result<(Option<String>, Option<String>), ProxyUrlError> {
    let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
    let (user, password) = (decode(user)?, decode(password)?);
    Ok((Some(user).filter(|u| !u.is_empty()), Some(password).filter(|p| !p.is_empty())))
}

fn check_credentials(
    scheme: ProxyScheme,
    username: Option<&str>,
    password: Option<&str>,
) -> Result<(), ProxyUrlError> {
    let user = username.unwrap_or_default();
    match scheme {
        ProxyScheme::Socks4 | ProxyScheme::Socks4a if password.is_some() => {
            Err(ProxyUrlError::Socks4Password)
        }
        ProxyScheme::Socks4 | ProxyScheme::Socks4a if user.len() > MAX_SOCKS4_USERID_BYTES => {
            Err(ProxyUrlError::Socks4UserIdTooLong)
        }
        _ if username.is_none() && password.is_some() => Err(ProxyUrlError::MissingUsername),
        ProxyScheme::Http | ProxyScheme::Https if user.contains(':') => Err(ProxyUrlError::ColonInUsername),
        ProxyScheme::Socks5 | ProxyScheme::Socks5h => match (username, password) {
            (Some(_), None) => Err(ProxyUrlError::Socks5NeedsBoth),
            (Some(u), Some(p)) if u.len().max(p.len()) > MAX_SOCKS5_FIELD_BYTES => {
                Err(ProxyUrlError::Socks5CredentialTooLong)
            }
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

fn decode(text: &str) -> Result<String, ProxyUrlError> {
    // The decoder would let a stray % through, and the password would silently be another one than meant.
    let stray_percent = text.bytes().enumerate().any(|(at, byte)| {
        byte == b'%'
            && !text.as_bytes().get(at + 1..at + 3).is_some_and(|h| h.iter().all(u8::is_ascii_hexdigit))
    });
    let decoded = percent_decode_str(text).decode_utf8().map_err(|_| ProxyUrlError::InvalidCredentials)?;
    if stray_percent || decoded.chars().any(char::is_control) {
        return Err(ProxyUrlError::InvalidCredentials);
    }
    Ok(decoded.into_owned())
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, CREDENTIAL).to_string()
}
