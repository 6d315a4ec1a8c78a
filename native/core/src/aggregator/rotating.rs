//! The rotating proxy as the user and the clock handle it: configured, switched by the setting, tested, probed. Every
//! result goes to the pools, which decide what it means.

use std::sync::Arc;

use super::Aggregator;
use super::edit::{Edited, Subject};
use super::probes::Probed;
use super::testing;
use crate::command::{Refusal, RefusalCode, Reply};
use crate::events::{Event, EventType, Level};
use crate::forward::Tunnelled;
use crate::forward::connect::{DialError, Trace};
use crate::pools::Pools;
use crate::proxies::rotating::{Mode, RotatingProxy, parse, warning};
use crate::proxies::url::ProxyUrl;
use crate::vault::EnteredRotating;

const NO_URL: &str =
    "There is no rotating proxy yet. Give its URL, for example user-rotate:password@host:port.";

/// `allowed` is the setting `rotatingProxy.enabled`.
pub(super) fn configure(
    pools: &mut Pools,
    url: Option<&str>,
    enabled: bool,
    allowed: bool,
) -> Result<Edited, Refusal> {
    let message = match (url.map(str::trim), pools.rotating.as_ref()) {
        (Some(""), _) if !enabled => {
            pools.rotating = None;
            "The rotating proxy is removed.".to_owned()
        }
        (None | Some(""), None) => return Err(Refusal::invalid("url", NO_URL)),
        (None | Some(""), Some(known)) => {
            let url = Arc::clone(&known.entered.url);
            set(pools, url, enabled, allowed)
        }
        (Some(text), _) => {
            let url = parse(text).map_err(|error| Refusal::invalid("url", error.to_string()))?;
            set(pools, Arc::new(url), enabled, allowed)
        }
    };
    Ok(Edited { subject: Subject::Rotating, message })
}

fn set(pools: &mut Pools, url: Arc<ProxyUrl>, enabled: bool, allowed: bool) -> String {
    let masked = url.masked();
    let mut words = vec![match (enabled, allowed) {
        (true, true) => format!("The rotating proxy {masked} is on: every key leaves through it."),
        (true, false) => format!(
            "The rotating proxy {masked} is saved and not used: the setting rotatingProxy.enabled is off. Switch it on."
        ),
        (false, _) => format!("The rotating proxy {masked} is off: each key leaves through its own proxy."),
    }];
    words.extend(warning(&url).map(str::to_owned));
    if url.sends_credentials_in_clear() {
        words.push("Its user name and password travel unencrypted to the proxy.".to_owned());
    }
    pools.rotating = Some(RotatingProxy::new(EnteredRotating { url, enabled }));
    words.join(" ")
}

impl Aggregator {
    pub(super) async fn test_rotating(&self) -> Result<Reply, Refusal> {
        let url = self.state.pools.lock().rotating.as_ref().map(|proxy| proxy.entered.url.clone());
        let url = url.ok_or_else(|| Refusal::new(RefusalCode::NotFound, NO_URL))?;
        let trace = Trace::on();
        let probed = self.probe_rotating(&url, &trace).await;
        let subject = testing::Subject {
            name: format!("The rotating proxy {}", url.masked()),
            short: "rotating proxy".to_owned(),
            id: None,
            url: &url,
        };
        Ok(self.proxy_tested(subject, probed, &trace))
    }

    /// The URL that the next round of probes tries: none while it is switched off, or refused until the user acts.
    pub(super) fn rotating_to_probe(&self) -> Option<Arc<ProxyUrl>> {
        let allowed = self.state.settings().rotating_proxy.enabled;
        let pools = self.state.pools.lock();
        let wanted = |proxy: &&RotatingProxy| {
            allowed && proxy.entered.enabled && !matches!(proxy.learned.mode, Mode::Refused(_))
        };
        pools.rotating.as_ref().filter(wanted).map(|proxy| proxy.entered.url.clone())
    }

    /// One tunnel through it, told to the pools unless it was replaced meanwhile.
    pub(super) async fn probe_rotating(&self, url: &Arc<ProxyUrl>, trace: &Trace) -> Probed {
        let meter = self.state.pools.lock().rotating.as_ref().map(|proxy| proxy.figures.meter.clone());
        let result = self.forwarder().probe(url, meter.unwrap_or_default(), trace).await;
        let (now, settings) = (self.state.now(), self.state.settings());
        let mut pools = self.state.pools.lock();
        let current = pools.rotating.as_ref().is_some_and(|proxy| proxy.is(url));
        let (probed, event) = match result {
            Ok(Tunnelled { after: latency, exit }) => (
                Probed::Works { latency, exit },
                if current { pools.rotating_probed(exit, now) } else { None },
            ),
            Err(DialError::Proxy(fault)) => {
                let event = if current { pools.rotating_faulty(&fault, &settings, now) } else { None };
                (Probed::Faulty(fault.words()), event)
            }
            Err(DialError::Upstream(fault)) => (Probed::UpstreamDown(fault.words()), None),
        };
        drop(pools);
        self.state.tell(event.into_iter().collect());
        probed
    }

    /// The setting `rotatingProxy.enabled` was changed.
    pub(super) fn tell_rotating_switch(&self) {
        let on = self.state.settings().rotating_proxy.enabled;
        let entered = self.state.pools.lock().rotating.as_ref().map(|proxy| proxy.entered.clone());
        let Some(entered) = entered.filter(|entered| entered.enabled) else { return };
        let what = match on {
            true => "on: every key leaves through it",
            false => "off, by the setting rotatingProxy.enabled: each key leaves through its own proxy",
        };
        let words = format!("The rotating proxy {} is {what}.", entered.url.masked());
        self.state.tell(vec![Event::new(EventType::RotatingChanged, Level::Info, self.state.now(), words)]);
        self.pool_changed.notify_one();
    }
}
