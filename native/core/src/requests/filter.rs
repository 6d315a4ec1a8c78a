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
        && filter.model.as_ref().is_none_or(|model| request.model.as_ref() == Some(model))
        && says(request, needle)
}

fn says(request: &RequestView, needle: &Needle) -> bool {
    let maybe = |text: &Option<String>| text.as_ref().is_some_and(|text| needle.is_in(text));
    needle.is_empty()
        || needle.is_in(&request.path)
        || needle.is_in(&request.id)
        || [&request.model, &request.client, &request.error].into_iter().any(maybe)
        || request.attempts.iter().any(|attempt| {
            needle.is_in(&attempt.key_name) || maybe(&attempt.proxy_name) || maybe(&attempt.error)
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
        if self.ascii && text.is_ascii() {
            let sought = self.lower.as_bytes();
            return text.as_bytes().windows(sought.len()).any(|part| part.eq_ignore_ascii_case(sought));
        }
        text.to_lowercase().contains(&self.lower)
    }
}
