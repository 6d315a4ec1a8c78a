//! What finished requests add up to since the start, for metrics: by dialect how they ended and how long they took, by
//! model how they ended and what they cost. Each request counts once, however many attempts it took. Counted under the
//! lock that the last hour's minutes need anyway, without an allocation for a model that is known.
//!
//! Invariant: bounded: a fixed set of dialects and endings, and models as `Capped` keeps them. A name gets counts of its
//! own only when a request for it went out and was no mistake of the caller's, so that names somebody makes up fill no
//! places.

use std::time::Duration;

use super::ending::Ending;
use super::{DialectView, RequestView, TokensView};
use crate::figures::capped::Capped;
use crate::figures::histogram::Histogram;

/// The status of a session, which lasts for as long as its user talks.
const SESSION: u16 = 101;

pub type Endings = [u64; Ending::NAMED.len()];

#[derive(Clone, Debug, Default)]
pub struct Traffic {
    dialects: [OfDialect; DialectView::NAMED.len()],
    models: Capped<OfModel>,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct OfDialect {
    pub endings: Endings,
    /// From the request's head to the end of its answer; sessions left out.
    pub duration: Histogram,
    /// From the request's head to the beginning of its answer.
    pub first_byte: Histogram,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct OfModel {
    pub endings: Endings,
    pub tokens: TokensView,
}

impl Traffic {
    pub fn add(&mut self, request: &RequestView) {
        let ending = Ending::of(request);
        let dialect = &mut self.dialects[request.dialect as usize];
        dialect.endings[ending as usize] += 1;
        if request.status != SESSION {
            dialect.duration.observe(Duration::from_millis(request.duration_ms));
        }
        if let Some(wait) = request.first_byte_ms {
            dialect.first_byte.observe(Duration::from_millis(wait));
        }
        if let Some(model) = &request.model {
            let earned = !matches!(ending, Ending::Caller | Ending::Left | Ending::Unavailable);
            self.models.of(model, earned).add(ending, request.tokens);
        }
    }

    pub fn dialects(&self) -> impl Iterator<Item = (&'static str, &OfDialect)> {
        DialectView::NAMED.into_iter().map(|(dialect, word)| (word, &self.dialects[dialect as usize]))
    }

    pub fn models(&self) -> impl Iterator<Item = (&str, &OfModel)> {
        self.models.all()
    }

    /// All that ended.
    pub fn ended(&self) -> u64 {
        self.dialects.iter().flat_map(|one| one.endings).sum()
    }
}

impl OfModel {
    fn add(&mut self, ending: Ending, tokens: Option<TokensView>) {
        self.endings[ending as usize] += 1;
        if let Some(more) = tokens {
            let sum = &mut self.tokens;
            sum.input = sum.input.saturating_add(more.input);
            sum.output = sum.output.saturating_add(more.output);
            sum.cached = sum.cached.saturating_add(more.cached);
            sum.thought = sum.thought.saturating_add(more.thought);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::request;
    use super::*;

    fn asked(model: &str, status: u16) -> RequestView {
        RequestView { model: Some(model.into()), status, ..request(1) }
    }

    #[test]
    fn a_request_counts_once_for_its_dialect_and_once_for_its_model() {
        let mut traffic = Traffic::default();
        let tokens = TokensView { input: 7, output: 5, cached: 2, thought: 1 };
        traffic.add(&RequestView {
            tokens: Some(tokens),
            first_byte_ms: Some(40),
            duration_ms: 90,
            ..asked("m", 200)
        });
        traffic.add(&RequestView { dialect: DialectView::OpenAi, ..asked("m", 503) });
        let dialects: Vec<_> = traffic.dialects().map(|(name, one)| (name, one.endings)).collect();
        assert_eq!(dialects[0], ("gemini", [1, 0, 0, 0, 0, 0, 0, 0]));
        assert_eq!(dialects[1].1[Ending::Failed as usize], 1);
        let (_, model) = traffic.models().find(|(name, _)| *name == "m").unwrap();
        assert_eq!((model.endings.iter().sum::<u64>(), model.tokens), (2, tokens));
        assert_eq!(traffic.ended(), 2);
    }

    #[test]
    fn names_that_somebody_makes_up_fill_no_places() {
        let mut traffic = Traffic::default();
        (0..1_000).for_each(|number| traffic.add(&asked(&format!("made-up-{number}"), 404)));
        traffic.add(&asked("real", 200));
        let names: Vec<_> =
            traffic.models().map(|(name, one)| (name, one.endings.iter().sum::<u64>())).collect();
        assert_eq!(names, [("real", 1), ("other", 1_000)]);
    }

    #[test]
    fn a_sessions_length_is_no_latency() {
        let mut traffic = Traffic::default();
        traffic.add(&RequestView { duration_ms: 3_600_000, ..asked("live", 101) });
        assert_eq!(traffic.dialects().map(|(_, one)| one.duration.count()).sum::<u64>(), 0);
    }
}
