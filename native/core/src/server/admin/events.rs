//! `/admin/events`: what happens, as server-sent events that can be resumed. A reader that comes first, too late or too
//! slowly gets the whole state as a `snapshot` event and goes on from there. What is kept for whom, the feed knows.
//!
//! Invariant: each stream holds one number and one piece of text, however slowly its client reads.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use serde::Serialize;
use tokio::sync::{mpsc, watch};

use super::answers::Answer;
use super::objects::{self, KeyObject, ProxyObject, RotatingObject};
use crate::dispatch::reply::ReplyBody;
use crate::events::{Event, EventType, Level};
use crate::feed::Since;
use crate::ids::{KeyId, ProxyId};
use crate::requests::RequestView;
use crate::state::State;

const HEARTBEAT: Duration = Duration::from_secs(15);
/// Events written at once.
const MOST_AT_ONCE: usize = 64;

/// An event as the stream tells it; `request` is the finished one.
#[derive(Serialize)]
pub struct EventObject<'a> {
    #[serde(rename = "type")]
    kind: EventType,
    at: u64,
    level: Level,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_id: Option<&'a KeyId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proxy_id: Option<&'a ProxyId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<&'a RequestView>,
}

/// The whole state, where events alone would leave a gap.
#[derive(Serialize)]
pub struct SnapshotObject {
    at: u64,
    keys: Vec<KeyObject>,
    proxies: Vec<ProxyObject>,
    rotating_proxy: RotatingObject,
}

/// `run` begins every id of this run, so that an id of another is known for what it is.
pub fn stream(state: &Arc<State>, run: &str, closing: watch::Receiver<bool>, headers: &HeaderMap) -> Answer {
    let (pieces, body) = mpsc::channel(1);
    let teller = Teller { state: Arc::clone(state), run: run.to_owned(), pieces };
    tokio::spawn(teller.tell(last_seen(headers, run), closing));
    let mut answer = Answer::new(ReplyBody::Told(body));
    let own = answer.headers_mut();
    own.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    own.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// The number in `Last-Event-ID`, if this run gave it.
fn last_seen(headers: &HeaderMap, run: &str) -> Option<u64> {
    let id = headers.get("last-event-id")?.to_str().ok()?;
    id.strip_prefix(run)?.strip_prefix('-')?.parse().ok()
}

struct Teller {
    state: Arc<State>,
    run: String,
    pieces: mpsc::Sender<Bytes>,
}

impl Teller {
    /// Until the client leaves or the endpoint stops.
    async fn tell(self, mut seen: Option<u64>, mut closing: watch::Receiver<bool>) {
        let mut reader = self.state.events.feed.read();
        loop {
            let since = seen.map_or(Since::Missed, |seen| reader.since(seen, MOST_AT_ONCE));
            let (text, last) = match since {
                Since::Missed => {
                    let newest = reader.newest();
                    (self.snapshot(newest), newest)
                }
                Since::Events(events) => match events.last() {
                    Some((last, _)) => (self.written(&events), *last),
                    None => {
                        let number = seen.unwrap_or_default();
                        tokio::select! {
                            () = reader.more_than(number) => continue,
                            () = tokio::time::sleep(HEARTBEAT) => (": here\n\n".to_owned(), number),
                            _ = closing.wait_for(|closing| *closing) => return,
                            () = self.pieces.closed() => return,
                        }
                    }
                },
            };
            seen = Some(last);
            tokio::select! {
                sent = self.pieces.send(text.into()) => if sent.is_err() { return },
                _ = closing.wait_for(|closing| *closing) => return,
            }
        }
    }

    fn written(&self, events: &[(u64, Arc<Event>)]) -> String {
        let mut text = String::new();
        for (number, event) in events {
            self.write(&mut text, *number, &name_of(event.kind), &object_of(event));
        }
        text
    }

    /// What happened after `newest` is told after it, even where it shows here already.
    fn snapshot(&self, newest: u64) -> String {
        let mut text = String::new();
        self.write(&mut text, newest, "snapshot", &snapshot_of(&self.state));
        text
    }

    fn write<T: Serialize>(&self, text: &mut String, number: u64, name: &str, value: &T) {
        let json = serde_json::to_string(value).unwrap_or_default();
        let _ = write!(text, "id: {}-{number}\nevent: {name}\ndata: {json}\n\n", self.run);
    }
}

pub(super) fn snapshot_of(state: &State) -> SnapshotObject {
    SnapshotObject {
        at: state.now(),
        keys: objects::keys(state).keys,
        proxies: objects::proxies(state).proxies,
        rotating_proxy: objects::rotating(state),
    }
}

pub(super) fn object_of(event: &Event) -> EventObject<'_> {
    EventObject {
        kind: event.kind,
        at: event.at,
        level: event.level,
        message: &event.message,
        key_id: event.key_id.as_ref(),
        proxy_id: event.proxy_id.as_ref(),
        request_id: event.request_id.as_deref(),
        request: event.request.as_deref(),
    }
}

/// As in the event's own JSON.
pub(super) fn name_of(kind: EventType) -> String {
    serde_json::to_string(&kind).unwrap_or_default().trim_matches('"').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_id_of_this_run_is_gone_on_from() {
        let of = |id: &str| {
            let headers = HeaderMap::from_iter([("last-event-id".parse().unwrap(), id.parse().unwrap())]);
            last_seen(&headers, "a1b2c3")
        };
        assert_eq!(of("a1b2c3-17"), Some(17));
        for other in ["", "17", "b1b2c3-17", "a1b2c3-", "a1b2c3-x", "a1b2c3--1"] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
