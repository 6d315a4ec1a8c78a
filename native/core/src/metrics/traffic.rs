//! The figures that belong to no single key or proxy, written out: requests by dialect and by model, attempts, retries,
//! rests, states and events. Names and help only; the copy they are read from is `sample`'s.
//!
//! Invariant: no cross product: each metric has at most two labels, and of them at most one (`model`) is open-ended.

use std::fmt;

use prometheus_client::encoding::DescriptorEncoder;

use super::sample::Sample;
use super::{counter, gauge, histogram};
use crate::events::EventType;
use crate::requests::ending::Ending;
use crate::requests::tokens::TokensView;
use crate::requests::traffic::Endings;

type TokensOf = fn(&TokensView) -> u64;

const NO_LABELS: [(&str, &str); 0] = [];

impl Sample {
    /// Requests as their clients see them.
    pub(super) fn requests(&self, out: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let by_dialect = self.traffic.dialects().flat_map(|(dialect, one)| {
            ended(&one.endings).map(move |(word, count)| ([("dialect", dialect), ("outcome", word)], count))
        });
        let help = "Requests that ended, by the client's dialect and how they ended for it.";
        counter(out, "requests", help, by_dialect)?;
        let under_way = [(NO_LABELS, self.under_way as f64)];
        gauge(
            out,
            "requests_in_flight",
            "Requests under way, those that wait for a key included.",
            under_way,
        )?;
        let durations = self.traffic.dialects().map(|(dialect, one)| ([("dialect", dialect)], &one.duration));
        let help = "From a request to the end of its answer; Live sessions left out.";
        histogram(out, "request_duration_seconds", help, durations)?;
        let waits = self.traffic.dialects().map(|(dialect, one)| ([("dialect", dialect)], &one.first_byte));
        histogram(out, "request_first_byte_seconds", "From a request to the beginning of its answer.", waits)
    }

    pub(super) fn models(&self, out: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let by_model = self.traffic.models().flat_map(|(model, one)| {
            ended(&one.endings).map(move |(word, count)| ([("model", model), ("outcome", word)], count))
        });
        let help = "Requests that ended, by the model asked for and how they ended for the client.";
        counter(out, "model_requests", help, by_model)?;
        let kinds: [(&str, &str, TokensOf); 4] = [
            ("tokens_input", "Tokens sent, those from a cache included.", |tokens| tokens.input),
            ("tokens_output", "Tokens that models wrote, their thoughts included.", |tokens| tokens.output),
            ("tokens_cached", "Tokens sent that came from a cache.", |tokens| tokens.cached),
            ("tokens_thought", "Tokens that models thought.", |tokens| tokens.thought),
        ];
        kinds.into_iter().try_for_each(|(name, help, of)| {
            let values = self.traffic.models().map(|(model, one)| ([("model", model)], of(&one.tokens)));
            counter(out, name, help, values)
        })
    }

    pub(super) fn attempts(&self, out: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let tallies = &self.tallies;
        let attempts = tallies.attempts.named().map(|(word, count)| ([("outcome", word)], count));
        counter(out, "attempts", "Attempts that ended, of all keys, by what ended them.", attempts)?;
        let blames = tallies.retries.named().into_iter().filter(|(word, _)| *word != "served");
        let retries = blames.map(|(word, count)| ([("blame", word)], count));
        counter(out, "retries", "Attempts after which another followed, by what they failed by.", retries)?;
        let reasons = tallies.cooldowns.named().map(|(reason, count)| ([("reason", reason)], count));
        let help = "How often a key, or a quota of its project, was put to rest, by the reason.";
        counter(out, "cooldowns", help, reasons)?;
        let quotas = tallies.cooldowns.quotas().map(|(quota, count)| ([("quota", quota)], count));
        counter(out, "quota_cooldowns", "How often a quota was put to rest, by Google's name of it.", quotas)
    }

    pub(super) fn states(&self, out: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let keys = self.key_states.map(|(state, count)| ([("state", state)], f64::from(count)));
        gauge(
            out,
            "keys",
            "Keys in each state; one that rests serves the models whose quotas do not.",
            keys,
        )?;
        let proxies = self.proxy_states.map(|(state, count)| ([("state", state)], f64::from(count)));
        gauge(out, "proxies", "Proxies of the pool in each state.", proxies)
    }

    pub(super) fn events(&self, out: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let kinds = EventType::NAMED.into_iter().zip(self.events.told);
        let told = kinds.map(|((_, kind), count)| ([("type", kind)], count));
        counter(out, "events", "What happened, by its kind.", told)?;
        let help = "Events that a listener missed because it fell behind.";
        counter(out, "events_missed", help, [(NO_LABELS, self.events.missed)])
    }
}

fn ended(endings: &Endings) -> impl Iterator<Item = (&'static str, u64)> {
    Ending::NAMED.into_iter().zip(*endings).map(|((_, word), count)| (word, count))
}
