//! Words what one traced dial and its answer came to, as the stages of a test. Pure. It must not decide whose fault a
//! failure is, nor word the faults themselves: `proxies/fault.rs` and `forward/connect/fault.rs` do.

use std::net::IpAddr;
use std::time::Duration;

use crate::forward::connect::{Step, Taken};
use crate::proxies::url::{ProxyScheme, ProxyUrl};
use crate::tested::{TestStage, TestStageName};

/// The way that was tested.
pub(super) struct Way<'a> {
    pub proxy: Option<&'a ProxyUrl>,
    /// TLS is spoken to the upstream.
    pub tls: bool,
}

impl Way<'_> {
    /// The stages of the dial. `fault`: why it or what followed failed; it goes to the step that failed, to the lookup
    /// where the upstream's address was of no use, and is given back where the dial itself went well.
    pub fn stages(&self, steps: &[Taken], fault: Option<String>) -> (Vec<TestStage>, Option<String>) {
        let mut fault = fault;
        let mut stages: Vec<TestStage> = Vec::new();
        for taken in steps {
            let name = name_of(taken.step);
            let words = match taken.ok {
                true => self.words(name).to_owned(),
                false => fault.take().unwrap_or_default(),
            };
            let stage = TestStage { stage: name, ms: whole(taken.after), ok: taken.ok, words };
            match stages.iter_mut().find(|known| known.stage == name) {
                // Both lookups of socks4 and socks5.
                Some(known) => *known = TestStage { ms: known.ms + stage.ms, ..stage },
                None => stages.push(stage),
            }
        }
        if fault.is_some() && !self.is_whole(steps) {
            let ms = stages.first().map_or(0, |stage| stage.ms);
            let words = fault.take().unwrap_or_default();
            stages = vec![TestStage { stage: TestStageName::Dns, ms, ok: false, words }];
        }
        (stages, fault)
    }

    fn is_whole(&self, steps: &[Taken]) -> bool {
        let last = match (self.tls, self.proxy) {
            (true, _) => Step::SecureUpstream,
            (false, Some(_)) => Step::Tunnel,
            (false, None) => Step::ConnectUpstream,
        };
        steps.last().is_some_and(|taken| taken.step == last && taken.ok)
    }

    fn words(&self, name: TestStageName) -> &'static str {
        match name {
            TestStageName::Dns => self.lookup(),
            TestStageName::Connect => "Gemini's host took the connection.",
            TestStageName::ProxyConnect => "The proxy took the connection.",
            TestStageName::ProxyTls => "The proxy's certificate is trusted.",
            TestStageName::ProxyLogin if self.proxy.is_some_and(|proxy| proxy.username().is_some()) => {
                "The proxy accepted the credentials and opened a tunnel to Gemini."
            }
            TestStageName::ProxyLogin => "The proxy opened a tunnel to Gemini.",
            TestStageName::Tls => "Gemini's certificate is trusted.",
            TestStageName::Gemini => "",
        }
    }

    fn lookup(&self) -> &'static str {
        let Some(proxy) = self.proxy else { return "Gemini's host name is resolved on this machine." };
        let literal = proxy.host().parse::<IpAddr>().is_ok();
        let here = matches!(proxy.scheme(), ProxyScheme::Socks4 | ProxyScheme::Socks5);
        match (literal, here) {
            (true, true) => {
                "The proxy's address needs no lookup. Gemini's host name is resolved on this machine."
            }
            (true, false) => {
                "The proxy's address needs no lookup. Gemini's host name is resolved by the proxy."
            }
            (false, true) => "The proxy's host name and Gemini's are resolved on this machine.",
            (false, false) => {
                "The proxy's host name is resolved on this machine. Gemini's host name is resolved by the proxy."
            }
        }
    }
}

fn name_of(step: Step) -> TestStageName {
    match step {
        Step::ResolveUpstream | Step::ResolveProxy => TestStageName::Dns,
        Step::ConnectUpstream => TestStageName::Connect,
        Step::ConnectProxy => TestStageName::ProxyConnect,
        Step::SecureProxy => TestStageName::ProxyTls,
        Step::Tunnel => TestStageName::ProxyLogin,
        Step::SecureUpstream => TestStageName::Tls,
    }
}

/// `DNS 2 ms, proxy eu-1 31 ms, TLS 58 ms, Gemini 143 ms`: all that concerns the proxy is one figure.
pub(super) fn times(stages: &[TestStage], proxy: &str) -> String {
    let mut parts: Vec<(String, u64)> = Vec::new();
    for stage in stages {
        let label = match stage.stage {
            TestStageName::Dns => "DNS".to_owned(),
            TestStageName::Connect => "connection".to_owned(),
            TestStageName::ProxyConnect | TestStageName::ProxyTls | TestStageName::ProxyLogin => {
                proxy.to_owned()
            }
            TestStageName::Tls => "TLS".to_owned(),
            TestStageName::Gemini => "Gemini".to_owned(),
        };
        match parts.last_mut().filter(|(known, _)| *known == label) {
            Some((_, ms)) => *ms += stage.ms,
            None => parts.push((label, stage.ms)),
        }
    }
    let parts: Vec<String> = parts.into_iter().map(|(label, ms)| format!("{label} {ms} ms")).collect();
    parts.join(", ")
}

pub(super) fn whole(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
