//! Log probabilities of tokens in both of OpenAI's shapes. Gemini gives a token as text only, so its bytes are those of
//! that text.

use std::fmt::Write;

use bytes::BytesMut;

use super::json::{integer, number, raw, string};
use crate::generate::answer::{LogprobsResult, TokenLogprob};

/// What OpenAI gives for a token too unlikely to say: JSON knows no infinity.
const UNLIKELY: f64 = -9999.0;

/// The value of a choice's `logprobs` in a chat completion.
pub fn write_chat(out: &mut BytesMut, result: Option<&LogprobsResult<'_>>) {
    let Some(result) = result else { return raw(out, "null") };
    raw(out, "{\"content\":[");
    for (at, chosen) in result.chosen_candidates.iter().enumerate() {
        raw(out, if at == 0 { "{" } else { ",{" });
        write_token(out, chosen);
        raw(out, ",\"top_logprobs\":[");
        for (rank, top) in top(result, at).iter().enumerate() {
            raw(out, if rank == 0 { "{" } else { ",{" });
            write_token(out, top);
            raw(out, "}");
        }
        raw(out, "]}");
    }
    raw(out, "],\"refusal\":null}");
}

fn write_token(out: &mut BytesMut, token: &TokenLogprob<'_>) {
    raw(out, "\"token\":");
    string(out, &token.token);
    raw(out, ",\"logprob\":");
    number(out, token.log_probability.unwrap_or(UNLIKELY));
    raw(out, ",\"bytes\":[");
    for (at, byte) in token.token.bytes().enumerate() {
        let _ = write!(out, "{}{byte}", if at == 0 { "" } else { "," });
    }
    raw(out, "]");
}

/// The value of a choice's `logprobs` in a text completion. `offset` is where its text begins, in characters, and moves on.
pub fn write_completion(out: &mut BytesMut, result: Option<&LogprobsResult<'_>>, offset: &mut u64) {
    let Some(result) = result else { return raw(out, "null") };
    let chosen = &result.chosen_candidates;
    let each = |out: &mut BytesMut, name: &str, write: &mut dyn FnMut(&mut BytesMut, usize)| {
        raw(out, name);
        for at in 0..chosen.len() {
            raw(out, if at == 0 { "" } else { "," });
            write(out, at);
        }
    };
    each(out, "{\"tokens\":[", &mut |out, at| string(out, &chosen[at].token));
    each(out, "],\"token_logprobs\":[", &mut |out, at| {
        number(out, chosen[at].log_probability.unwrap_or(UNLIKELY));
    });
    each(out, "],\"top_logprobs\":[", &mut |out, at| write_top(out, top(result, at)));
    each(out, "],\"text_offset\":[", &mut |out, at| {
        integer(out, *offset);
        *offset += chosen[at].token.chars().count() as u64;
    });
    raw(out, "]}");
}

fn write_top(out: &mut BytesMut, tokens: &[TokenLogprob<'_>]) {
    raw(out, "{");
    for (rank, token) in tokens.iter().enumerate() {
        raw(out, if rank == 0 { "" } else { "," });
        string(out, &token.token);
        raw(out, ":");
        number(out, token.log_probability.unwrap_or(UNLIKELY));
    }
    raw(out, "}");
}

fn top<'r, 'a>(result: &'r LogprobsResult<'a>, at: usize) -> &'r [TokenLogprob<'a>] {
    result.top_candidates.get(at).map(|top| top.candidates.as_slice()).unwrap_or_default()
}
