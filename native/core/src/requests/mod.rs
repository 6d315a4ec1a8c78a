//! What is kept of a request: who asked, every attempt's key and proxy, how it ended; and the record of one under way,
//! which enters the log when it ends. Names and figures only, never bodies, queries or secrets.

mod client;
pub mod ending;
pub mod filter;
pub mod log;
pub mod overview;
pub mod tokens;
pub mod traffic;

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use http::Method;
use memchr::memmem::Finder;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use ts_rs::TS;

use crate::clock::Millis;
use crate::dialect::Dialect;
use crate::events::{Event, EventManager, EventType, Level};
use crate::ids::{KeyId, ProxyId};
use crate::pools::Pick;
use crate::state::State;
pub use client::client_of;
pub use log::RequestLog;
pub use tokens::TokensView;

/// The status logged for a client that left before its answer was complete (nginx's number for it).
pub const CLIENT_CLOSED: u16 = 499;
const CLIENT_LEFT: &str = "The client closed the request before the answer was complete.";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AttemptView {
    pub key_id: KeyId,
    pub key_name: SmolStr,
    /// null = direct.
    pub proxy_id: Option<ProxyId>,
    pub proxy_name: Option<SmolStr>,
    /// It went direct although the key has a proxy: none worked, and the failure policy allows it.
    pub direct_fallback: bool,
    /// Upstream's status; null when no answer came.
    pub status: Option<u16>,
    /// What went wrong, in words; null when nothing did.
    pub error: Option<String>,
    #[ts(type = "number")]
    pub duration_ms: u64,
}

impl AttemptView {
    /// Takes the names out of `pick` when nobody else holds it any more.
    pub fn new(pick: Arc<Pick>, status: Option<u16>, error: Option<String>, duration_ms: u64) -> Self {
        let pick = Arc::unwrap_or_clone(pick);
        let (proxy_id, proxy_name) = pick.proxy.map(|proxy| (proxy.id, proxy.name)).unzip();
        Self {
            key_id: pick.key,
            key_name: pick.key_name,
            proxy_id,
            proxy_name,
            direct_fallback: pick.fallback,
            status,
            error,
            duration_ms,
        }
    }
}

/// The language a client speaks, as its path shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum DialectView {
    /// Live sessions too, and whatever is no other's.
    Gemini,
    OpenAi,
}

impl DialectView {
    /// Each with the word it goes by in metrics, in the order of the variants.
    pub const NAMED: [(Self, &'static str); 2] = [(Self::Gemini, "gemini"), (Self::OpenAi, "openai")];
}

impl From<Dialect> for DialectView {
    fn from(dialect: Dialect) -> Self {
        match dialect {
            Dialect::OpenAi => Self::OpenAi,
            Dialect::Gemini | Dialect::Anthropic | Dialect::Admin => Self::Gemini,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RequestView {
    pub id: SmolStr,
    #[ts(type = "number")]
    pub at: Millis,
    #[ts(type = "string")]
    pub method: Cow<'static, str>,
    /// Without the query.
    pub path: SmolStr,
    pub dialect: DialectView,
    pub model: Option<SmolStr>,
    /// The tool that asked, as the first word of its User-Agent says, such as `google-genai-sdk/1.2.0`.
    pub client: Option<SmolStr>,
    /// The status the client saw; 499 when it left first.
    pub status: u16,
    #[ts(type = "number")]
    pub duration_ms: u64,
    /// From the request's head to the beginning of the answer; null when the client left before.
    #[ts(type = "number | null")]
    pub first_byte_ms: Option<u64>,
    /// As the answer says; null when it says none, or could not be read in passing.
    pub tokens: Option<TokensView>,
    pub error: Option<String>,
    pub attempts: Vec<AttemptView>,
}

/// The record of a request under way. Finished or dropped, it enters the log exactly once.
pub struct OpenRequest {
    state: Arc<State>,
    /// Nobody else's before the end: written in place, and in the log without a copy.
    view: Arc<RequestView>,
    finished: bool,
}

/// What a client asks, before anything is decided about it.
pub struct Asking<'a> {
    pub id: SmolStr,
    pub dialect: Dialect,
    pub method: &'a Method,
    /// Without the query.
    pub path: &'a str,
    pub client: Option<SmolStr>,
}

impl OpenRequest {
    pub fn begin(state: &Arc<State>, asking: Asking<'_>) -> Self {
        let Asking { id, dialect, method, path, client } = asking;
        let view = RequestView {
            id,
            at: state.now(),
            method: name_of(method),
            path: path.into(),
            dialect: dialect.into(),
            model: model_of(path),
            client,
            status: CLIENT_CLOSED,
            duration_ms: 0,
            first_byte_ms: None,
            tokens: None,
            error: None,
            attempts: Vec::new(),
        };
        state.log.began();
        Self { state: Arc::clone(state), view: Arc::new(view), finished: false }
    }

    pub fn id(&self) -> &SmolStr {
        &self.view.id
    }

    /// As the path names it.
    pub fn model(&self) -> Option<&str> {
        self.view.model.as_deref()
    }

    /// Named by the body, where the path names none.
    pub fn asks_for(&mut self, model: Option<&str>) {
        let view = self.view();
        view.model = model.map(SmolStr::from).or(view.model.take());
    }

    pub fn attempts(&self) -> usize {
        self.view.attempts.len()
    }

    pub fn add_attempt(&mut self, attempt: AttemptView) {
        // One is the rule, and room for four would be kept with each.
        let attempts = &mut self.view().attempts;
        attempts.reserve_exact(1);
        attempts.push(attempt);
    }

    /// The answer begins now: what follows only adds to it.
    pub fn answer_begins(&mut self, now: Millis) {
        if self.view.first_byte_ms.is_none() {
            let waited = now.saturating_sub(self.view.at);
            self.view().first_byte_ms = Some(waited);
        }
    }

    /// What the answer cost, as far as it says so.
    pub fn used(&mut self, tokens: Option<TokensView>) {
        let view = self.view();
        view.tokens = tokens.or(view.tokens.take());
    }

    /// The answer was given whole (`error: None`) or ended in an error the client saw.
    pub fn finish(mut self, status: u16, error: Option<String>) {
        if status != CLIENT_CLOSED && self.view.first_byte_ms.is_none() {
            self.answer_begins(self.state.now());
        }
        self.finished = true;
        let view = self.view();
        view.status = status;
        view.error = error;
    }

    fn view(&mut self) -> &mut RequestView {
        Arc::make_mut(&mut self.view)
    }
}

impl Drop for OpenRequest {
    fn drop(&mut self) {
        let now = self.state.now();
        let left = (!self.finished).then(|| CLIENT_LEFT.to_owned());
        let view = self.view();
        view.duration_ms = now.saturating_sub(view.at);
        view.error = left.or(view.error.take());
        self.state.log.push(Arc::clone(&self.view), now);
        tell(&self.state.events, &self.view, now);
    }
}

fn tell(events: &EventManager, record: &Arc<RequestView>, now: Millis) {
    let event = |level| Event::new(EventType::RequestFinished, level, now, line(record)).request(record);
    if record.status >= 400 || record.error.is_some() {
        return events.publish(event(Level::Warn));
    }
    // To the log from here: it would have to listen for all of them to show those of one level.
    let (kind, request) = (EventType::RequestFinished.name(), record.id.as_str());
    tracing::debug!(event = kind, request, "{}", line(record));
    events.went_well(|| event(Level::Info));
}

/// `POST /v1/models/m:generateContent 200 35 ms [work → eu-1 → 429, home → us-1 → 200]`
fn line(view: &RequestView) -> String {
    // Written into one string piece by piece: it is made for every request.
    let mut line = String::with_capacity(160);
    let (status, took) = (view.status.to_string(), view.duration_ms.to_string());
    for piece in [&*view.method, " ", &view.path, " ", &status, " ", &took, " ms ["] {
        line.push_str(piece);
    }
    for (place, attempt) in view.attempts.iter().enumerate() {
        let proxy = match (&attempt.proxy_name, attempt.direct_fallback) {
            (Some(name), _) => name.as_str(),
            (None, true) => "direct, no proxy works",
            (None, false) => "direct",
        };
        let status = attempt.status.map(|status| status.to_string());
        let status = status.as_deref().unwrap_or("no answer");
        for piece in [if place > 0 { ", " } else { "" }, &attempt.key_name, " → ", proxy, " → ", status] {
            line.push_str(piece);
        }
        if let Some(words) = &attempt.error {
            [" (", words, ")"].into_iter().for_each(|piece| line.push_str(piece));
        }
    }
    line.push(']');
    if let Some(words) = &view.error {
        [" ", words].into_iter().for_each(|piece| line.push_str(piece));
    }
    line
}

fn name_of(method: &Method) -> Cow<'static, str> {
    match *method {
        Method::GET => Cow::Borrowed("GET"),
        Method::POST => Cow::Borrowed("POST"),
        _ => Cow::Owned(method.to_string()),
    }
}

/// Made once: making it costs more than a search.
static MODELS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("/models/"));

/// The `m` of `/v1beta/models/m:generateContent`.
fn model_of(path: &str) -> Option<SmolStr> {
    let at = MODELS.find(path.as_bytes())?;
    let model =
        path[at + MODELS.needle().len()..].split([':', '/']).next().filter(|model| !model.is_empty())?;
    Some(model.into())
}

#[cfg(test)]
pub(crate) mod fixtures;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_comes_from_the_path() {
        assert_eq!(
            model_of("/v1/models/gemini-3.8-flash:generateContent").as_deref(),
            Some("gemini-3.8-flash")
        );
        assert_eq!(model_of("/v1beta/models/m/operations/7").as_deref(), Some("m"));
        assert_eq!(model_of("/v1beta/models"), None);
    }
}
