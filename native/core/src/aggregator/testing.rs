//! Tests on demand: one real request with one key through its own egress, or one tunnel through one proxy. They
//! take the same way as every request, so that a passed test means what it says.

use std::time::Instant;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use http_body_util::{Either, Empty};

use super::Aggregator;
use super::probes::Probed;
use crate::command::{Refusal, RefusalCode, Reply};
use crate::dispatch::judge::{Blame, Outcome};
use crate::events::{Event, EventType, Level};
use crate::forward::headers::Encoding;
use crate::forward::{Answer, Outbound};
use crate::ids::{KeyId, ProxyId};
use crate::pools::NoKey;
use crate::refusal;

/// Costs no quota and needs a valid key.
const TEST_TARGET: &str = "/v1beta/models?pageSize=1";

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
            headers: HeaderMap::new(),
            encoding: Encoding::Identity,
            opening: None,
        };
        let started = Instant::now();
        let answer = self.forwarder().attempt(&lease.pick, &call, Either::Right(Empty::<Bytes>::new())).await;
        let pick = lease.pick.clone();
        let outcome = match &answer {
            Ok(Answer::Flowing(response)) => {
                Outcome::Answered { status: response.status().as_u16(), error: None, retry_after: None }
            }
            Ok(Answer::Refused(refused)) => refused.outcome(),
            Err(outcome) => outcome.clone(),
        };
        let verdict = lease.settle(&outcome);
        let way = match &pick.proxy {
            None => "directly".to_owned(),
            Some(proxy) if proxy.rotating => "through the rotating proxy".to_owned(),
            Some(proxy) => format!("through proxy {}", proxy.name),
        };
        match answer {
            Ok(Answer::Flowing(response)) if response.status() < StatusCode::BAD_REQUEST => {
                self.forgive(id, &pick.key_name);
                let milliseconds = started.elapsed().as_millis();
                let message =
                    format!("Key \"{}\" works: Gemini answered {way} in {milliseconds} ms.", pick.key_name);
                Ok(Reply::done_to(message, id))
            }
            Err(outcome) => {
                Err(Refusal::new(RefusalCode::Failed, refusal::no_answer(&outcome, &pick).message))
            }
            Ok(answer) => {
                let status = answer.status().as_u16();
                let hint = match verdict.blame {
                    Blame::Key => " Check the key in Google AI Studio, then enable it again.",
                    Blame::Quota => " The key is valid; its quota is used up for now.",
                    _ => "",
                };
                let words = format!(
                    "Key \"{}\": Gemini answered {status} {way}: {}{hint}",
                    pick.key_name,
                    sentence(&verdict.reason)
                );
                Err(Refusal::new(RefusalCode::Failed, words))
            }
        }
    }

    pub(super) async fn test_proxy(&self, id: &ProxyId) -> Result<Reply, Refusal> {
        let name = self.state.pools.lock().proxies.get(id).map(|proxy| proxy.entered.name.clone());
        let gone = || Refusal::new(RefusalCode::NotFound, format!("There is no proxy with the id \"{id}\"."));
        let name = name.ok_or_else(gone)?;
        match self.probe(id).await.ok_or_else(gone)? {
            Probed::Works { latency } => {
                let message =
                    format!("Proxy {name} works: a tunnel to Gemini took {} ms.", latency.as_millis());
                Ok(Reply::done_to(message, id))
            }
            Probed::Faulty(words) => {
                Err(Refusal::new(RefusalCode::Failed, format!("Proxy {name} failed. {words}")))
            }
            Probed::UpstreamDown(words) => Err(Refusal::new(
                RefusalCode::Failed,
                format!("Proxy {name} answers, but the upstream behind it does not. {words}"),
            )),
        }
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

/// Google's texts end with a full stop or not.
fn sentence(text: &str) -> String {
    format!("{}.", text.trim_end_matches('.'))
}
