//! RotatingProxy: the one proxy that all keys share while it is on, how its URL may be written, and what was learned of
//! it: faults in a row, figures, whether it serves. Pure: time is an argument, requests and probes report here; which
//! way a key takes is `pools/routing`'s part, opening tunnels is `forward`'s.
//!
//! Invariant: it serves, or keys go their individual ways; nothing here ever allows a direct connection.

use std::collections::HashSet;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use crate::clock::Millis;
use crate::figures::Figures;
use crate::proxies::url::{ProxyScheme, ProxyUrl, ProxyUrlError};
use crate::vault::EnteredRotating;

/// How it is called where a proxy's name stands: the header `x-aggregator-proxy`, the log.
pub const NAME: &str = "rotating";
const ENDING: &str = "-rotate";
/// A provider may have millions of addresses; whether it rotates shows long before this many.
pub const MOST_EXITS: usize = 1_000;

/// Why a text is no address of a rotating proxy, as a sentence without secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RotatingError {
    Url(ProxyUrlError),
    MissingPassword,
}

impl fmt::Display for RotatingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(error) => error.fmt(f),
            Self::MissingPassword => f.write_str(
                "The rotating proxy's URL has a user name and no password. Write it as user-rotate:password@host:port.",
            ),
        }
    }
}

impl std::error::Error for RotatingError {}

/// `user-rotate:password@host:port`, with or without a scheme; without one it is http.
pub fn parse(text: &str) -> Result<ProxyUrl, RotatingError> {
    let url = match ProxyUrl::parse(text) {
        Err(ProxyUrlError::MissingScheme) => ProxyUrl::parse(&format!("http://{text}")),
        parsed => parsed,
    }
    .map_err(RotatingError::Url)?;
    // SOCKS4 has user ids and no passwords.
    let may_lack_password = matches!(url.scheme(), ProxyScheme::Socks4 | ProxyScheme::Socks4a);
    if url.username().is_some() && url.password().is_none() && !may_lack_password {
        return Err(RotatingError::MissingPassword);
    }
    Ok(url)
}

/// What the user should know of a URL that is accepted.
pub fn warning(url: &ProxyUrl) -> Option<&'static str> {
    let unusual = url.username().is_some_and(|user| !user.ends_with(ENDING));
    unusual.then_some(
        "The user name of the rotating proxy does not end in \"-rotate\": check with the provider that each connection \
         gets another address.",
    )
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// It serves, where it is switched on.
    #[default]
    On,
    /// Faults in a row: keys go their individual ways until a probe succeeds.
    FallenBack,
    /// It refused the credentials, in these words: keys go their individual ways until the user does something.
    Refused(String),
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Learned {
    pub mode: Mode,
    pub errors_in_row: u32,
    pub requests: u64,
    /// Requests that reached the upstream, and those that a fault of the proxy ended.
    pub successes: u64,
    pub failures: u64,
    pub last_error: Option<String>,
    pub last_check: Option<Millis>,
    pub last_success: Option<Millis>,
    /// The last failure since the last success that may have been the upstream's.
    pub last_doubt: Option<Millis>,
    pub exits: Exits,
}

impl Learned {
    /// 0 to 1; `None` before the first request has ended.
    pub fn success_rate(&self) -> Option<f64> {
        let ended = self.successes + self.failures;
        (ended > 0).then(|| self.successes as f64 / ended as f64)
    }
}

/// The addresses from which its tunnels left, as far as it tells them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exits {
    seen: HashSet<IpAddr>,
    last: Option<IpAddr>,
}

impl Exits {
    pub fn saw(&mut self, exit: Option<IpAddr>) {
        self.last = exit.or(self.last);
        if self.seen.len() < MOST_EXITS {
            self.seen.extend(exit);
        }
    }

    /// How many different ones. With `MOST_EXITS` it may be more.
    pub fn count(&self) -> usize {
        self.seen.len()
    }

    pub fn last(&self) -> Option<IpAddr> {
        self.last
    }
}

/// What an observation changed that others want to hear of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    FellBack,
    Refused,
    Returned,
    /// By the user, after it had fallen back or was refused; nothing proves that it works.
    SwitchedOn,
}

#[derive(Clone, Debug)]
pub struct RotatingProxy {
    pub entered: EnteredRotating,
    pub learned: Learned,
    pub figures: Figures,
}

impl RotatingProxy {
    pub fn new(entered: EnteredRotating) -> Self {
        Self { entered, learned: Learned::default(), figures: Figures::default() }
    }

    /// Switched on by the user, and not let alone.
    pub fn serves(&self) -> bool {
        self.entered.enabled && self.learned.mode == Mode::On
    }

    /// Takes over what the user entered. Another URL is another proxy; any change gives it a new chance.
    pub fn replace_entered(&mut self, entered: EnteredRotating) {
        if entered.url != self.entered.url {
            self.learned = Learned::default();
            self.figures = Figures::default();
        } else if entered != self.entered {
            self.forgive();
        }
        self.entered = entered;
    }

    /// The user switched it on, or a test passed: whatever it was let alone for is over. Answers whether it was.
    pub fn forgive(&mut self) -> bool {
        self.learned.errors_in_row = 0;
        std::mem::take(&mut self.learned.mode) != Mode::On
    }

    /// A request that left at `begun` reached the upstream. That it did so then does not end a fall-back now.
    pub fn succeeded(&mut self, begun: Millis) {
        self.learned.successes += 1;
        self.learned.last_success = self.learned.last_success.max(Some(begun));
        self.learned.last_doubt = None;
        self.learned.errors_in_row = 0;
    }

    /// A fault of the proxy's own; more in a row than `max_retries` make it fall back.
    pub fn failed(&mut self, now: Millis, words: &str, max_retries: u32) -> Option<Turn> {
        self.noted(now, words);
        self.learned.errors_in_row = self.learned.errors_in_row.saturating_add(1);
        let falls = self.learned.mode == Mode::On && self.learned.errors_in_row > max_retries;
        if falls {
            self.learned.mode = Mode::FallenBack;
        }
        falls.then_some(Turn::FellBack)
    }

    /// It refused the credentials: another try changes nothing until the user does.
    pub fn refused(&mut self, now: Millis, words: &str) -> Option<Turn> {
        self.noted(now, words);
        let newly = !matches!(self.learned.mode, Mode::Refused(_));
        self.learned.mode = Mode::Refused(words.to_owned());
        newly.then_some(Turn::Refused)
    }

    /// A failure that may be the upstream's: shown, not counted. Answers when the one before it was.
    pub fn doubted(&mut self, now: Millis, words: &str) -> Option<Millis> {
        self.noted(now, words);
        self.learned.last_doubt.replace(now)
    }

    fn noted(&mut self, now: Millis, words: &str) {
        self.learned.last_error = Some(words.to_owned());
        self.learned.last_check = Some(now);
    }

    /// A tunnel through it just worked.
    pub fn probed(&mut self, now: Millis) -> Option<Turn> {
        self.learned.last_check = Some(now);
        self.learned.last_success = Some(now);
        self.learned.last_doubt = None;
        self.learned.last_error = None;
        self.forgive().then_some(Turn::Returned)
    }

    /// The clock was set back: what happened is as long ago as before.
    pub fn shift_back(&mut self, by: Millis) {
        self.figures.minutes.shift_back(by);
        let Learned { last_check, last_success, last_doubt, .. } = &mut self.learned;
        for at in [last_check, last_success, last_doubt].into_iter().flatten() {
            *at = at.saturating_sub(by);
        }
    }

    /// The same server with the same credentials as when that request began.
    pub fn is(&self, url: &Arc<ProxyUrl>) -> bool {
        self.entered.url == *url
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rotating() -> RotatingProxy {
        let url = Arc::new(parse("ada-rotate:secret@127.0.0.1:8080").unwrap());
        RotatingProxy::new(EnteredRotating { url, enabled: true })
    }

    #[test]
    fn the_providers_form_is_read_with_and_without_a_scheme() {
        let plain = parse("ada-rotate:secret@proxy.example:8080").unwrap();
        assert_eq!(plain, parse("http://ada-rotate:secret@proxy.example:8080").unwrap());
        assert_eq!(plain.scheme(), ProxyScheme::Http);
        assert_eq!(parse("socks5://ada-rotate:secret@h:1080").unwrap().scheme(), ProxyScheme::Socks5);
        assert!(parse("proxy.example:8080").is_ok(), "some providers know their customers by address");
    }

    #[test]
    fn what_cannot_be_used_is_said_without_the_password() {
        assert_eq!(parse("ada-rotate@h:8080"), Err(RotatingError::MissingPassword));
        assert_eq!(parse("http://ada-rotate:@h:8080"), Err(RotatingError::MissingPassword));
        for text in
            ["", "ada-rotate:hidden@h:99999", "ada-rotate:hidden@", "ftp://ada-rotate:hidden@h:1", "a b"]
        {
            let words = parse(text).unwrap_err().to_string();
            assert!(words.len() > 30 && !words.contains("hidden"), "{text}: {words}");
        }
    }

    #[test]
    fn another_user_name_is_accepted_with_a_warning() {
        assert_eq!(warning(&parse("ada-rotate:secret@h:1").unwrap()), None);
        assert_eq!(warning(&parse("h:1").unwrap()), None);
        assert!(warning(&parse("ada:secret@h:1").unwrap()).is_some_and(|words| words.contains("-rotate")));
    }

    #[test]
    fn faults_in_a_row_beyond_the_retries_fall_back_and_only_a_probe_returns() {
        let mut proxy = rotating();
        assert_eq!(proxy.failed(1, "refused", 2), None);
        proxy.succeeded(2);
        assert_eq!([3, 4].map(|now| proxy.failed(now, "refused", 2)), [None, None], "not in a row");
        assert_eq!(proxy.failed(5, "refused", 2), Some(Turn::FellBack));
        assert_eq!(proxy.failed(6, "refused", 2), None, "said once");
        proxy.succeeded(7);
        assert!(!proxy.serves(), "a request that began before proves nothing");
        assert_eq!(proxy.probed(8), Some(Turn::Returned));
        assert!(proxy.serves() && proxy.probed(9).is_none());
        assert_eq!(
            proxy.failed(10, "refused", 0),
            Some(Turn::FellBack),
            "without retries the first is enough"
        );
    }

    #[test]
    fn refused_credentials_last_until_the_user_changes_something() {
        let mut proxy = rotating();
        assert_eq!(proxy.refused(1, "wrong password"), Some(Turn::Refused));
        assert_eq!(proxy.refused(2, "wrong password"), None);
        let entered = proxy.entered.clone();
        proxy.replace_entered(entered.clone());
        assert!(!proxy.serves(), "an edit of something else");
        assert!(proxy.forgive() && proxy.serves());
        proxy.refused(3, "wrong password");
        proxy.replace_entered(EnteredRotating { url: Arc::new(parse("b-rotate:c@h:1").unwrap()), ..entered });
        assert!(proxy.serves());
        assert_eq!(proxy.learned, Learned::default(), "another proxy");
    }

    #[test]
    fn exits_are_counted_once_each_up_to_a_bound_and_forgotten_with_the_url() {
        let address = |number: u32| Some(IpAddr::from(number.to_be_bytes()));
        let mut proxy = rotating();
        let exits = &mut proxy.learned.exits;
        [address(1), address(2), None, address(1), None].into_iter().for_each(|exit| exits.saw(exit));
        assert_eq!((exits.count(), exits.last()), (2, address(1)));
        (0..2_000).for_each(|number| exits.saw(address(number)));
        assert_eq!((exits.count(), exits.last()), (MOST_EXITS, address(1_999)));
        let other = EnteredRotating { url: Arc::new(parse("b-rotate:c@h:1").unwrap()), enabled: true };
        proxy.replace_entered(other);
        assert_eq!(proxy.learned.exits, Exits::default());
    }

    #[test]
    fn figures_are_of_requests_that_ended() {
        let mut proxy = rotating();
        assert_eq!(proxy.learned.success_rate(), None);
        proxy.succeeded(1);
        proxy.learned.failures += 1;
        assert_eq!(proxy.learned.success_rate(), Some(0.5));
    }
}
