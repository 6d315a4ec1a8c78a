//! What finished requests add up to, minute by minute, for the last hour. It counts each request once, however many
//! attempts it took; what single keys and proxies did is counted by `figures`. Time is an argument.
//!
//! Invariant: at most an hour of minutes is kept, and a minute in which nothing happened takes no room.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::RequestView;
use super::ending::Ending;
use crate::clock::Millis;

const MINUTE: Millis = 60_000;
const KEPT: Millis = 60;

/// The last hour.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct OverviewView {
    /// Only those in which a request finished, oldest first.
    pub minutes: Vec<MinuteView>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct MinuteView {
    /// When it began.
    #[ts(type = "number")]
    pub at: Millis,
    /// Requests that finished in it, those whose client left included.
    #[ts(type = "number")]
    pub requests: u64,
    /// Of them those that ended in an error which is not the caller's: a status of 500 or more, 429, 401 or 403 where the
    /// upstream gave it to a key (a wrong local token is the caller's), and answers that began well and broke off. 400,
    /// 404 and 499 are the caller's.
    #[ts(type = "number")]
    pub errors: u64,
    #[ts(type = "number")]
    pub tokens_in: u64,
    /// What the models thought included.
    #[ts(type = "number")]
    pub tokens_out: u64,
    /// From a request to the beginning of its answer, on average over the requests without error; null without one.
    #[ts(type = "number | null")]
    pub latency_ms: Option<u64>,
}

#[derive(Debug, Default)]
pub(super) struct Overview {
    /// Oldest first.
    kept: VecDeque<Minute>,
}

#[derive(Debug, Default)]
struct Minute {
    /// Minutes since 1970.
    at: Millis,
    requests: u64,
    errors: u64,
    tokens_in: u64,
    tokens_out: u64,
    answered: u64,
    waited: u64,
}

impl Overview {
    pub fn add(&mut self, request: &RequestView, now: Millis) {
        let newest = now / MINUTE;
        // A clock that was set back: what lies in the future is no part of the last hour.
        while self.kept.back().is_some_and(|minute| minute.at > newest) {
            self.kept.pop_back();
        }
        if self.kept.back().is_none_or(|minute| minute.at < newest) {
            self.kept.push_back(Minute { at: newest, ..Minute::default() });
        }
        if let Some(minute) = self.kept.back_mut() {
            minute.count(request);
        }
        while self.kept.front().is_some_and(|minute| minute.at + KEPT <= newest) {
            self.kept.pop_front();
        }
    }

    pub fn view(&self, now: Millis) -> OverviewView {
        let newest = now / MINUTE;
        let shown = self.kept.iter().filter(|minute| minute.at <= newest && minute.at + KEPT > newest);
        OverviewView { minutes: shown.map(Minute::view).collect() }
    }
}

impl Minute {
    fn count(&mut self, request: &RequestView) {
        let failed = Ending::of(request).is_error();
        self.requests += 1;
        self.errors += u64::from(failed);
        if let Some(tokens) = &request.tokens {
            self.tokens_in += tokens.input;
            self.tokens_out += tokens.output;
        }
        if let (false, Some(wait)) = (failed || request.status >= 400, request.first_byte_ms) {
            self.answered += 1;
            self.waited += wait;
        }
    }

    fn view(&self) -> MinuteView {
        MinuteView {
            at: self.at * MINUTE,
            requests: self.requests,
            errors: self.errors,
            tokens_in: self.tokens_in,
            tokens_out: self.tokens_out,
            latency_ms: self.waited.checked_div(self.answered),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::TokensView;
    use super::super::fixtures::request;
    use super::*;

    fn ended(status: u16) -> RequestView {
        RequestView { status, ..request(1) }
    }

    #[test]
    fn the_callers_mistakes_are_no_errors() {
        let errors = |request: RequestView| {
            let mut overview = Overview::default();
            overview.add(&request, 0);
            overview.view(0).minutes[0].errors
        };
        for status in [429, 401, 403, 500, 502, 503, 504] {
            assert_eq!(errors(ended(status)), 1, "{status}");
        }
        for status in [200, 204, 101, 304, 400, 404, 413, 499] {
            assert_eq!(errors(ended(status)), 0, "{status}");
        }
        for status in [401, 403] {
            let by_us = RequestView { attempts: Vec::new(), ..ended(status) };
            assert_eq!(errors(by_us), 0, "the local token was wrong");
        }
        assert_eq!(errors(RequestView { error: Some("It broke off.".to_owned()), ..ended(200) }), 1);
    }

    #[test]
    fn an_hour_of_minutes_adds_up() {
        let mut overview = Overview::default();
        let tokens = Some(TokensView { input: 7, output: 3, cached: 1, thought: 2 });
        let wait = |wait, status| RequestView { first_byte_ms: Some(wait), tokens, ..ended(status) };
        overview.add(&wait(100, 200), MINUTE);
        overview.add(&wait(300, 200), MINUTE + 1);
        overview.add(&wait(9_000, 503), 2 * MINUTE - 1);
        overview.add(&wait(5, 404), 5 * MINUTE);
        let minute = |at, requests, errors, latency_ms| MinuteView {
            at: at * MINUTE,
            requests,
            errors,
            tokens_in: 7 * requests,
            tokens_out: 3 * requests,
            latency_ms,
        };
        assert_eq!(overview.view(6 * MINUTE).minutes, [minute(1, 3, 1, Some(200)), minute(5, 1, 0, None)]);
        assert_eq!(overview.view(61 * MINUTE).minutes, [minute(5, 1, 0, None)], "the first is an hour ago");
        (0..500).for_each(|at| overview.add(&ended(200), at * MINUTE));
        assert_eq!((overview.view(499 * MINUTE).minutes.len(), overview.kept.len()), (60, 60));
        overview.add(&ended(200), 3 * MINUTE);
        assert_eq!(overview.view(3 * MINUTE).minutes.len(), 1, "a clock that was set back");
    }
}
