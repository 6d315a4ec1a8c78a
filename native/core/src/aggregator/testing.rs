//! Tests on demand: one real request with one key through its own egress, or one tunnel through one proxy, told stage
//! by stage. They take the same way as every request, over a connection opened for the test, so that each stage really
//! happens and a passed test means what it says. How stages are worded, `stages.rs` knows.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use http_body_util::{Either, Empty};

use super::Aggregator;
use super::probes::Probed;
use super::stages::{Way, times, whole};
use crate::command::{Refusal, RefusalCode, Reply};
use crate::dispatch::judge::{Blame, Outcome, Verdict};
use crate::events::{Event, EventType, Level};
use crate::forward::connect::Trace;
use crate::forward::headers::Encoding;
use crate::forward::{Answer, Outbound};
use crate::ids::{KeyId, ProxyId};
use crate::pools::{NoKey, Pick};
use crate::proxies::url::ProxyUrl;
use crate::refusal;
use crate::tested::{TestFault, TestStage, TestStageName, Tested};

/// Costs no quota and needs a valid key.
const TEST_TARGET: &str = "/v1beta/models?pageSize=1";

/// A proxy under test, as messages name it.
pub(super) struct Subject<'a> {
    /// Begins a sentence.
    pub name: String,
    pub short: String,
    pub id: Option<String>,
    pub url: &'a ProxyUrl,
}

impl Aggregator {
    pub(super) async fn test_key(&self, id: &KeyId) -> Result<Reply, Refusal> {
        let lease = self.state.lease_for_test(id).map_err(|no_key| match no_key {
            NoKey::UnknownPin(id) => {
                Refusal::new(RefusalCode::NotFound, format!("There is no key with the id \"{id}\"."))
            }
            other => Refusal::new(RefusalCode::Failed, refusal::no_key(&other, self.state.now()).message),
        })?;
        let call = Outbound {
            method: Method::GET,
            target: TEST_TARGET.to_owned(),
            parsed: None,
            headers: HeaderMap::new(),
            encoding: Encoding::Identity,
            opening: None,
        };
        let (started, trace, forwarder) = (Instant::now(), Trace::on(), self.forwarder());
        let body = Either::Right(Empty::<Bytes>::new());
        let answer = forwarder.attempt_traced(&lease.pick, &call, body, &trace).await;
        let waited = trace.last().unwrap_or(started).elapsed();
        let pick = lease.pick.clone();
        if let Ok(answer) = &answer {
            self.state.heard_date(answer.headers());
        }
        let outcome = match &answer {
            Ok(Answer::Flowing(response)) => {
                Outcome::Answered { status: response.status().as_u16(), error: None, retry_after: None }
            }
            Ok(Answer::Refused(refused)) => refused.outcome(),
            Err(outcome) => outcome.clone(),
        };
        let verdict = lease.settle(&outcome);
        let status = answer.as_ref().ok().map(Answer::status);
        let works = status.is_some_and(|status| status < StatusCode::BAD_REQUEST);
        let way = Way { proxy: pick.proxy.as_ref().map(|proxy| &*proxy.url), tls: forwarder.speaks_tls() };
        let (mut stages, unexplained) = way.stages(&trace.steps(), fault_words(&outcome));
        if status.is_some() || unexplained.is_some() {
            stages.push(gemini(status, &verdict, unexplained, waited));
        }
        if works {
            self.forgive(id, &pick.key_name);
        }
        let message = match status {
            Some(_) if works => worked(&pick, &stages),
            Some(status) => refused(&pick, status, &verdict),
            None => refusal::no_answer(&outcome, &pick).message,
        };
        let exit = pick.proxy.as_ref().and_then(|proxy| proxy.exit.told());
        Ok(Reply::Tested(Tested {
            works,
            message,
            id: Some(id.to_string()),
            fault: (!works).then(|| fault_of(verdict.blame)),
            stages,
            address: exit.map(|address| address.to_string()),
        }))
    }

    pub(super) async fn test_proxy(&self, id: &ProxyId) -> Result<Reply, Refusal> {
        let known = {
            let pools = self.state.pools.lock();
            pools.proxies.get(id).map(|proxy| (proxy.entered.name.clone(), proxy.entered.url.clone()))
        };
        let gone = || Refusal::new(RefusalCode::NotFound, format!("There is no proxy with the id \"{id}\"."));
        let (name, url) = known.ok_or_else(gone)?;
        let trace = Trace::on();
        let probed = self.probe(id, &trace).await.ok_or_else(gone)?;
        let subject = Subject {
            name: format!("Proxy {name}"),
            short: format!("proxy {name}"),
            id: Some(id.to_string()),
            url: &url,
        };
        Ok(self.proxy_tested(subject, probed, &trace))
    }

    /// Of a proxy only its own part is tested: up to TLS with Gemini, without a key.
    pub(super) fn proxy_tested(&self, subject: Subject<'_>, probed: Probed, trace: &Trace) -> Reply {
        let way = Way { proxy: Some(subject.url), tls: self.forwarder().speaks_tls() };
        let (fault, words, address) = match &probed {
            Probed::Works { exit, .. } => (None, None, *exit),
            Probed::Faulty(words) => (Some(TestFault::Proxy), Some(words.clone()), None),
            Probed::UpstreamDown(words) => (Some(TestFault::Upstream), Some(words.clone()), None),
        };
        let (stages, _) = way.stages(&trace.steps(), words);
        let name = &subject.name;
        let message = match probed {
            Probed::Works { latency, .. } => {
                let (ms, times) = (latency.as_millis(), times(&stages, &subject.short));
                format!("{name} works: a tunnel to Gemini took {ms} ms ({times}).")
            }
            Probed::Faulty(words) => format!("{name} failed. {words}"),
            Probed::UpstreamDown(words) => {
                format!("{name} answers, but the upstream behind it does not. {words}")
            }
        };
        let address = address.map(|address| address.to_string());
        Reply::Tested(Tested { works: fault.is_none(), message, id: subject.id, fault, stages, address })
    }

    /// A key that the upstream refused before and now takes serves again.
    fn forgive(&self, id: &KeyId, name: &str) {
        let now = self.state.now();
        let forgiven = self.state.pools.lock().works_after_all(id, now);
        if forgiven {
            let words = format!("Key \"{name}\" is valid again and serves.");
            let event = Event::new(EventType::KeyAvailable, Level::Info, self.state.now(), words).key(id);
            self.state.events.publish(event);
        }
    }
}

/// Why no answer came.
fn fault_words(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Proxy(fault) => Some(fault.words()),
        Outcome::Unreachable(words) | Outcome::Interrupted(words) => Some(words.clone()),
        Outcome::TimedOut => {
            Some("Gemini sent nothing for as long as the request time-out allows.".to_owned())
        }
        Outcome::Answered { .. } | Outcome::StreamError(_) | Outcome::CallerGone | Outcome::BodyTooLarge => {
            None
        }
    }
}

fn gemini(
    status: Option<StatusCode>,
    verdict: &Verdict,
    fault: Option<String>,
    after: Duration,
) -> TestStage {
    let words = match status.map(|status| status.as_u16()) {
        Some(status) if status < 400 => format!("Gemini answered {status}: it takes the key."),
        Some(status) => format!("Gemini answered {status}: {}", sentence(&verdict.reason)),
        None => fault.unwrap_or_default(),
    };
    let ok = status.is_some_and(|status| status < StatusCode::BAD_REQUEST);
    TestStage { stage: TestStageName::Gemini, ms: whole(after), ok, words }
}

fn worked(pick: &Pick, stages: &[TestStage]) -> String {
    let proxy = match &pick.proxy {
        None => String::new(),
        Some(proxy) if proxy.rotating => "rotating proxy".to_owned(),
        Some(proxy) => format!("proxy {}", proxy.name),
    };
    let (name, times) = (&pick.key_name, times(stages, &proxy));
    format!("Key \"{name}\" works: {times}.")
}

fn refused(pick: &Pick, status: StatusCode, verdict: &Verdict) -> String {
    let hint = match verdict.blame {
        Blame::Key => " Check the key in Google AI Studio, then enable it again.",
        Blame::Quota => " The key is valid; its quota is used up for now.",
        _ => "",
    };
    let way = match &pick.proxy {
        None => "directly".to_owned(),
        Some(proxy) if proxy.rotating => "through the rotating proxy".to_owned(),
        Some(proxy) => format!("through proxy {}", proxy.name),
    };
    let (name, status, reason) = (&pick.key_name, status.as_u16(), sentence(&verdict.reason));
    format!("Key \"{name}\": Gemini answered {status} {way}: {reason}{hint}")
}

fn fault_of(blame: Blame) -> TestFault {
    match blame {
        Blame::Key => TestFault::Key,
        Blame::Quota => TestFault::Quota,
        Blame::Proxy | Blame::ProxyOrUpstream => TestFault::Proxy,
        Blame::Model | Blame::KeyOrUpstream | Blame::Upstream | Blame::Caller | Blame::Nobody => {
            TestFault::Upstream
        }
    }
}

/// Google's texts end with a full stop or not.
fn sentence(text: &str) -> String {
    format!("{}.", text.trim_end_matches('.'))
}
