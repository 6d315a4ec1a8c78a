//! Token counts in OpenAI's terms: what the model thought counts as completion, what its tools read counts as prompt.

use bytes::BytesMut;

use super::json::{integer, raw};
use crate::generate::answer::{ModalityCount, Usage};

/// The value of `usage` of chat and text completions.
pub fn write(out: &mut BytesMut, usage: &Usage) {
    let reasoning = usage.thoughts_token_count.unwrap_or(0);
    let (prompt, completion) = (prompt(usage), usage.candidates_token_count.unwrap_or(0) + reasoning);
    let total = usage.total_token_count.unwrap_or(prompt + completion);
    for (name, count) in [
        ("{\"prompt_tokens\":", prompt),
        (",\"completion_tokens\":", completion),
        (",\"total_tokens\":", total),
        (",\"prompt_tokens_details\":{\"cached_tokens\":", usage.cached_content_token_count.unwrap_or(0)),
        (",\"audio_tokens\":", of(&usage.prompt_tokens_details, "AUDIO")),
        ("},\"completion_tokens_details\":{\"reasoning_tokens\":", reasoning),
        (",\"audio_tokens\":", of(&usage.candidates_tokens_details, "AUDIO")),
    ] {
        raw(out, name);
        integer(out, count);
    }
    raw(out, "}}");
}

/// The value of `usage` of images.
pub fn write_for_images(out: &mut BytesMut, usage: &Usage) {
    let output = usage.candidates_token_count.unwrap_or(0) + usage.thoughts_token_count.unwrap_or(0);
    let (input, images) = (prompt(usage), of(&usage.prompt_tokens_details, "IMAGE"));
    for (name, count) in [
        ("{\"input_tokens\":", input),
        (",\"output_tokens\":", output),
        (",\"total_tokens\":", usage.total_token_count.unwrap_or(input + output)),
        (",\"input_tokens_details\":{\"text_tokens\":", input.saturating_sub(images)),
        (",\"image_tokens\":", images),
    ] {
        raw(out, name);
        integer(out, count);
    }
    raw(out, "}}");
}

/// Google's description of the total names no tokens of tools; that they belong to the prompt is inferred.
pub fn prompt(usage: &Usage) -> u64 {
    usage.prompt_token_count.unwrap_or(0) + usage.tool_use_prompt_token_count.unwrap_or(0)
}

fn of(counts: &[ModalityCount], modality: &str) -> u64 {
    let counts = counts.iter().filter(|count| count.modality == modality);
    counts.filter_map(|count| count.token_count).sum()
}
