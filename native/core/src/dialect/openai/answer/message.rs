//! Members of OpenAI's message that a delta has in the same form: calls of tools, media, and what only Gemini says.

use std::borrow::Cow;

use bytes::BytesMut;
use serde_json::value::RawValue;

use super::json::{compact, compact_as_string, inside, integer, name, raw, string};
use super::progress::{Media, Progress, Source};
use crate::dialect::openai::{Asked, OWN_CALL_ID};
use crate::generate::answer::FunctionCall;

/// Gemini's id of a call, or an own one.
pub fn call_id<'c>(call: &'c FunctionCall<'_>, ids: &mut dyn FnMut() -> String) -> Cow<'c, str> {
    match call.id.some() {
        Some(id) => Cow::Borrowed(id),
        None => Cow::Owned(format!("{OWN_CALL_ID}{}", ids())),
    }
}

/// `{…}`, one of `tool_calls`. A delta says its `index`, a message does not.
pub fn write_call(
    out: &mut BytesMut,
    index: Option<u32>,
    id: &str,
    call: &FunctionCall<'_>,
    signature: Option<&str>,
    asked: &Asked,
) {
    raw(out, "{");
    if let Some(index) = index {
        raw(out, "\"index\":");
        integer(out, index.into());
        raw(out, ",");
    }
    raw(out, "\"id\":");
    string(out, id);
    raw(out, ",\"type\":\"function\",\"function\":{");
    write_function(out, call, asked);
    raw(out, "}");
    write_extra(out, &mut false, signature, None);
    raw(out, "}");
}

/// `{…}`, the `function_call` of a message in the form before `tools`. The signature stands within it, so that it goes
/// wherever the call goes.
pub fn write_legacy_call(
    out: &mut BytesMut,
    call: &FunctionCall<'_>,
    signature: Option<&str>,
    asked: &Asked,
) {
    raw(out, "{");
    write_function(out, call, asked);
    write_extra(out, &mut false, signature, None);
    raw(out, "}");
}

/// The id by which the signature of such a call is kept.
pub fn legacy_id(call: &FunctionCall<'_>, asked: &Asked) -> String {
    asked.standing.id(&call.name, call.args.map_or("{}", RawValue::get))
}

fn write_function(out: &mut BytesMut, call: &FunctionCall<'_>, asked: &Asked) {
    raw(out, "\"name\":");
    string(out, asked.tool_names.get(&*call.name).map_or(&*call.name, String::as_str));
    raw(out, ",\"arguments\":");
    match call.args {
        Some(args) => compact_as_string(out, args),
        None => raw(out, "\"{}\""),
    }
}

/// `{…}`, one of `images`, in the form in which OpenRouter and LiteLLM give them.
pub fn write_image(out: &mut BytesMut, index: u32, media: &Media<'_>) {
    raw(out, "{\"type\":\"image_url\",\"image_url\":{\"url\":");
    write_address(out, media);
    raw(out, "},\"index\":");
    integer(out, index.into());
    raw(out, "}");
}

/// `{…}`, one of `files`, in the form in which OpenAI takes files.
pub fn write_file(out: &mut BytesMut, media: &Media<'_>) {
    raw(out, "{\"type\":\"file\",\"file\":{");
    let mut first = true;
    if let Some(file) = media.name {
        name(out, &mut first, "filename");
        string(out, file);
    }
    let is_address = matches!(media.source, Source::Address(_));
    name(out, &mut first, if is_address { "file_url" } else { "file_data" });
    write_address(out, media);
    raw(out, "}}");
}

/// The members of `audio`; `data` is base64 between quotes or what stands there of it. Gemini gives no transcript, and
/// what it gave can not be asked for again.
pub fn write_audio(out: &mut BytesMut, asked: &Asked, index: u32, mime_type: &str, data: &str) {
    raw(out, "{\"id\":\"audio_");
    raw(out, &asked.id);
    raw(out, "_");
    integer(out, index.into());
    raw(out, "\",\"data\":\"");
    raw(out, data);
    raw(out, "\",\"transcript\":\"\",\"expires_at\":");
    integer(out, asked.created);
    raw(out, ",\"mime_type\":");
    string(out, mime_type);
    raw(out, "}");
}

/// A data URL, its base64 copied as it is, or where a file lies.
fn write_address(out: &mut BytesMut, media: &Media<'_>) {
    match media.source {
        Source::Address(address) => string(out, address),
        Source::Data(data) => {
            string(out, &format!("data:{};base64,", media.mime_type));
            // Back over the closing quote: the data follows in the same string.
            out.truncate(out.len().saturating_sub(1));
            raw(out, inside(data).unwrap_or_default());
            raw(out, "\"");
        }
    }
}

/// `"extra_content":{"google":{…}}`, when there is anything: a signature, and of a choice that ends what only Gemini says.
pub fn write_extra(out: &mut BytesMut, first: &mut bool, signature: Option<&str>, ended: Option<&Progress>) {
    let was_first = *first;
    let begins = out.len();
    name(out, first, "extra_content");
    raw(out, "{\"google\":{");
    let mut empty = true;
    if let Some(signature) = signature {
        name(out, &mut empty, "thought_signature");
        string(out, signature);
    }
    if let Some(progress) = ended {
        write_end(out, &mut empty, progress);
    }
    raw(out, "}}");
    if empty {
        out.truncate(begins);
        *first = was_first;
    }
}

fn write_end(out: &mut BytesMut, first: &mut bool, progress: &Progress) {
    if let Some(ended) = progress.unusual_end() {
        name(out, first, if ended.prompt_blocked { "block_reason" } else { "finish_reason" });
        string(out, &ended.reason);
        if !ended.message.is_empty() {
            name(out, first, if ended.prompt_blocked { "block_message" } else { "finish_message" });
            string(out, &ended.message);
        }
    }
    if let Some(grounding) = &progress.grounding {
        name(out, first, "grounding_metadata");
        compact(out, grounding);
    }
    if !progress.citations.is_empty() {
        name(out, first, "citation_metadata");
        raw(out, "{\"citationSources\":[");
        for (at, source) in progress.citations.iter().enumerate() {
            raw(out, if at == 0 { "" } else { "," });
            compact(out, source);
        }
        raw(out, "]}");
    }
    if let Some(context) = &progress.url_context {
        name(out, first, "url_context_metadata");
        compact(out, context);
    }
}
