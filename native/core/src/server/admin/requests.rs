//! `/admin/requests`: the request log, newest first, page by page. A cursor names the last request of a page, so that
//! the next one begins behind it however many requests have come since.

use std::sync::Arc;

use http::StatusCode;
use serde::Serialize;
use serde::de::IntoDeserializer;
use serde::de::value::StrDeserializer;

use super::answers::{Answer, Fault, object};
use super::fields::Query;
use crate::ids::{KeyId, ProxyId};
use crate::requests::RequestView;
use crate::requests::filter::{RequestFilter, page};
use crate::state::State;

const MOST: usize = 500;
const USUAL: usize = 100;
const MOST_CURSOR: usize = 64;

pub const PARAMETERS: &[&str] =
    &["limit", "cursor", "key_id", "proxy_id", "dialect", "model", "outcome", "text"];

#[derive(Serialize)]
pub struct Page {
    pub requests: Vec<Arc<RequestView>>,
    /// Give it as `cursor` for the next page; null: there is none.
    pub next_cursor: Option<String>,
    /// Held by the log, whatever the filter.
    pub total: usize,
}

pub fn list(state: &State, query: &Query) -> Result<Answer, Fault> {
    let limit = limit(query.text("limit"))?;
    let filter = RequestFilter {
        text: query.text("text"),
        outcome: one_of(query, "outcome")?,
        key_id: query.text("key_id").map(KeyId::from),
        proxy_id: query.text("proxy_id").map(ProxyId::from),
        model: query.text("model"),
        dialect: one_of(query, "dialect")?,
    };
    let after = query.text("cursor").map(cursor).transpose()?;
    let page = page_of(&state.log.all(), &filter, after.as_deref(), limit);
    Ok(object(StatusCode::OK, &page, None))
}

/// A request that has left the log had only older ones behind it, which have left, too.
fn page_of(all: &[Arc<RequestView>], filter: &RequestFilter, after: Option<&str>, limit: usize) -> Page {
    let begin = match after {
        None => 0,
        Some(id) => all.iter().position(|request| request.id == id).map_or(all.len(), |place| place + 1),
    };
    let (matched, requests) = page(all.get(begin..).unwrap_or_default(), filter, 0, limit);
    let last = requests.last().filter(|_| matched > requests.len());
    Page { next_cursor: last.map(|last| last.id.to_string()), requests, total: all.len() }
}

fn limit(text: Option<String>) -> Result<usize, Fault> {
    let Some(text) = text else { return Ok(USUAL) };
    let limit = text.parse().ok().filter(|limit| (1..=MOST).contains(limit));
    limit.ok_or_else(|| Fault::invalid("limit", format!("A page has 1 to {MOST} requests.")))
}

/// The id of a request, or what may have been one.
fn cursor(text: String) -> Result<String, Fault> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if (1..=MOST_CURSOR).contains(&text.len()) && text.bytes().all(fits) {
        return Ok(text);
    }
    Err(Fault::invalid("cursor", "This is no cursor. Give next_cursor of the page before, as it was."))
}

fn one_of<'de, T: serde::Deserialize<'de>>(query: &Query, name: &'static str) -> Result<Option<T>, Fault> {
    let Some(text) = query.text(name) else { return Ok(None) };
    let deserializer: StrDeserializer<'_, serde::de::value::Error> = text.as_str().into_deserializer();
    // The words of the error list what may be given.
    T::deserialize(deserializer).map(Some).map_err(|error| Fault::invalid(name, format!("{error}.")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::requests::fixtures::request;

    fn log(numbers: std::ops::RangeInclusive<u32>) -> Vec<Arc<RequestView>> {
        numbers.rev().map(|number| Arc::new(request(number))).collect()
    }

    fn ids(page: &Page) -> Vec<&str> {
        page.requests.iter().map(|request| request.id.as_str()).collect()
    }

    #[test]
    fn the_next_page_begins_behind_the_last_whatever_came_since() {
        let filter = RequestFilter::default();
        let first = page_of(&log(1..=5), &filter, None, 2);
        assert_eq!(ids(&first), ["run-5", "run-4"]);
        let second = page_of(&log(1..=9), &filter, first.next_cursor.as_deref(), 2);
        assert_eq!(ids(&second), ["run-3", "run-2"]);
        let last = page_of(&log(1..=9), &filter, second.next_cursor.as_deref(), 2);
        assert_eq!((ids(&last), last.next_cursor.is_none()), (vec!["run-1"], true));
        let late = page_of(&log(5..=9), &filter, second.next_cursor.as_deref(), 2);
        assert_eq!((ids(&late), late.next_cursor.is_none()), (vec![], true), "it has left the log");
    }

    #[test]
    fn what_is_no_number_cursor_or_word_is_refused() {
        assert!(limit(Some("0".into())).is_err() && limit(Some("501".into())).is_err());
        assert!(limit(Some("x".into())).is_err() && limit(Some("500".into())).is_ok());
        assert!(cursor("no cursor".into()).is_err() && cursor(String::new()).is_err());
        assert!(cursor("a1b2c3-17".into()).is_ok());
    }
}
