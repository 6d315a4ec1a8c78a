//! Finds requests in the log: by text, how they ended, key, proxy, model and dialect. Pure: it is given the requests and
//! holds no lock.

use std::sync::Arc;

use serde::Deserialize;
use ts_rs::TS;

use super::{AttemptView, DialectView, RequestView};
use crate::ids::{KeyId, ProxyId};

/// Everything given must hold; nothing given fits every request.
#[derive(Clone, Debug, Default, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
#[ts(optional_fields)]
pub struct RequestFilter {
    /// Somewhere in path, model, id, client, error, or a key's or proxy's name; upper and lower case alike.
    pub text: Option<String>,
    pub outcome: Option<OutcomeFilter>,
    /// An attempt was made with this key.
    pub key_id: Option<KeyId>,
    /// An attempt was made through this proxy.
    pub proxy_id: Option<ProxyId>,
    /// This very model.
    pub model: Option<String>,
    pub dialect: Option<DialectView>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeFilter {
    All,
    /// It ended in an error, whosever.
    Failed,
    /// It took more than one attempt.
    Retried,
    /// An attempt went without a proxy.
    Direct,
}

/// One page of what fits, and how much fits in all.
pub fn page(
    requests: &[Arc<RequestView>],
    filter: &RequestFilter,
    offset: usize,
    limit: usize,
) -> (usize, Vec<Arc<RequestView>>) {
    let needle = Needle::new(filter.text.as_deref().unwrap_or_default());
    let (mut matched, mut rows) = (0, Vec::new());
    for request in requests.iter().filter(|request| fits(request, filter, &needle)) {
        if matched >= offset && rows.len() < limit {
            rows.push(Arc::clone(request));
        }
        matched += 1;
    }
    (matched, rows)
}

fn fits(request: &RequestView, filter: &RequestFilter, needle: &Needle) -> bool {
    let any = |test: &dyn Fn(&AttemptView) -> bool| request.attempts.iter().any(test);
    let outcome = match filter.outcome.unwrap_or(OutcomeFilter::All) {
        OutcomeFilter::All => true,
        OutcomeFilter::Failed => request.status >= 400 || request.error.is_some(),
        OutcomeFilter::Retried => request.attempts.len() > 1,
        OutcomeFilter::Direct => any(&|attempt| attempt.proxy_id.is_none()),
    };
    outcome
        && filter.dialect.is_none_or(|dialect| dialect == request.dialect)
        && filter.key_id.as_ref().is_none_or(|id| any(&|attempt| attempt.key_id == *id))
        && filter.proxy_id.as_ref().is_none_or(|id| any(&|attempt| attempt.proxy_id.as_ref() == Some(id)))
        && filter.model.as_deref().is_none_or(|model| request.model.as_deref() == Some(model))
        && says(request, needle)
}

fn says(request: &RequestView, needle: &Needle) -> bool {
    let maybe = |text: Option<&str>| text.is_some_and(|text| needle.is_in(text));
    needle.is_empty()
        || needle.is_in(&request.path)
        || needle.is_in(&request.id)
        || [request.model.as_deref(), request.client.as_deref(), request.error.as_deref()]
            .into_iter()
            .any(maybe)
        || request.attempts.iter().any(|attempt| {
            needle.is_in(&attempt.key_name)
                || maybe(attempt.proxy_name.as_deref())
                || maybe(attempt.error.as_deref())
        })
}

/// A text looked for, upper and lower case alike. Most texts are ASCII and are searched where they lie.
struct Needle {
    lower: String,
    ascii: bool,
}

impl Needle {
    fn new(text: &str) -> Self {
        let lower = text.trim().to_lowercase();
        Self { ascii: lower.is_ascii(), lower }
    }

    fn is_empty(&self) -> bool {
        self.lower.is_empty()
    }

    fn is_in(&self, text: &str) -> bool {
        let (Some(first), true) = (self.lower.bytes().next(), self.ascii && text.is_ascii()) else {
            return text.to_lowercase().contains(&self.lower);
        };
        let (text, length) = (text.as_bytes(), self.lower.len());
        memchr::memchr2_iter(first, first.to_ascii_uppercase(), text).any(|at| {
            let there = text.get(at..at + length);
            there.is_some_and(|there| there.eq_ignore_ascii_case(self.lower.as_bytes()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{attempt, request};
    use super::*;

    fn found(requests: &[Arc<RequestView>], filter: &str) -> Vec<String> {
        let filter: RequestFilter = serde_json::from_str(filter).unwrap();
        let (matched, rows) = page(requests, &filter, 0, 500);
        assert_eq!(matched, rows.len());
        rows.iter().map(|request| request.id.to_string()).collect()
    }

    fn some() -> Vec<Arc<RequestView>> {
        let failed = RequestView {
            status: 503,
            error: Some("No key can serve: Überlast.".to_owned()),
            attempts: Vec::new(),
            dialect: DialectView::OpenAi,
            path: "/v1/chat/completions".into(),
            ..request(2)
        };
        let retried = RequestView {
            model: Some("gemini-3.8-pro".into()),
            client: Some("OpenAI/JS".into()),
            attempts: vec![attempt("k1", Some("p1")), attempt("k2", Some("Berlin"))],
            ..request(3)
        };
        let direct = RequestView { attempts: vec![attempt("k3", None)], ..request(4) };
        [request(1), failed, retried, direct].into_iter().map(Arc::new).collect()
    }

    #[test]
    fn everything_given_must_hold() {
        for (filter, ids) in [
            ("{}", &["run-1", "run-2", "run-3", "run-4"][..]),
            (r#"{"outcome":"all","text":"  "}"#, &["run-1", "run-2", "run-3", "run-4"]),
            (r#"{"outcome":"failed"}"#, &["run-2"]),
            (r#"{"outcome":"retried"}"#, &["run-3"]),
            (r#"{"outcome":"direct"}"#, &["run-4"]),
            (r#"{"key_id":"k1"}"#, &["run-1", "run-3"]),
            (r#"{"proxy_id":"p1","model":"gemini-3.8-pro"}"#, &["run-3"]),
            (r#"{"model":"gemini"}"#, &[]),
            (r#"{"dialect":"openai"}"#, &["run-2"]),
            (r#"{"text":"CHAT/"}"#, &["run-2"]),
            (r#"{"text":"überlast"}"#, &["run-2"]),
            (r#"{"text":"openai/js"}"#, &["run-3"]),
            (r#"{"text":"berlin"}"#, &["run-3"]),
            (r#"{"text":"key of k3"}"#, &["run-4"]),
            (r#"{"text":"RUN-4"}"#, &["run-4"]),
            (r#"{"text":"3.8-PRO"}"#, &["run-3"]),
            (r#"{"text":"nowhere"}"#, &[]),
        ] {
            assert_eq!(found(&some(), filter), ids, "{filter}");
        }
        assert!(serde_json::from_str::<RequestFilter>(r#"{"outcom":"all"}"#).is_err());
    }

    #[test]
    fn a_page_begins_at_its_offset_and_says_how_much_there_is() {
        let all: Vec<_> = (0..10_000).map(|number| Arc::new(request(number))).collect();
        let filter = RequestFilter { text: Some("run-99".to_owned()), ..RequestFilter::default() };
        let (matched, rows) = page(&all, &filter, 2, 3);
        let ids: Vec<_> = rows.iter().map(|request| request.id.as_str()).collect();
        assert_eq!((matched, ids), (111, vec!["run-991", "run-992", "run-993"]));
        assert_eq!(page(&all, &filter, 200, 3).1.len(), 0);
    }
}
