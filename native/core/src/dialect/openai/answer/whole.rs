//! One whole answer of Gemini's as one `chat.completion` or `text_completion`. It takes the same steps as the stream and
//! gathers what a client would gather from its chunks. Nothing is written unless there is an answer.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::BytesMut;
use serde_json::value::RawValue;

use super::fault::Fault;
use super::json::{inside, integer, name, raw, string};
use super::logprobs::{write_chat, write_completion};
use super::message::{
    call_id, legacy_id, write_audio, write_call, write_extra, write_file, write_image, write_legacy_call,
};
use super::progress::{Ended, Piece, Progress, Source, What};
use super::{Signatures, usage};
use crate::dialect::openai::Asked;
use crate::generate::answer::{Answer, FunctionCall, LogprobsResult, Usage};

/// What an encoded answer leaves to be kept.
#[derive(Debug, Default)]
pub struct Told {
    pub signatures: Signatures,
    pub usage: Option<Usage>,
}

/// Encodes the body of a 200. `ids` gives a fresh text for each call of a tool that Gemini gave no id.
pub fn whole(
    asked: &Asked,
    body: &[u8],
    ids: &mut dyn FnMut() -> String,
    out: &mut BytesMut,
) -> Result<Told, Fault> {
    let answer = match Answer::parse(body) {
        Ok(answer) if answer.error.is_none() => answer,
        _ => return Err(Fault::of(body)),
    };
    let mut told = Told::default();
    let mut choices = gather(asked, &answer, ids, &mut told.signatures);
    if let Some(blocked) = answer.prompt_feedback.as_ref().and_then(Ended::of) {
        if choices.is_empty() {
            choices.push(Choice::new(0, asked));
        }
        choices.iter_mut().for_each(|choice| choice.progress.block(&blocked));
    }
    if choices.is_empty() {
        return Err(Fault::Empty);
    }
    if let Some(fault) = Fault::if_all_gave_up(choices.iter().map(|choice| &choice.progress)) {
        return Err(fault);
    }
    choices.sort_by_key(|choice| choice.progress.index);
    write(asked, &mut choices, answer.usage_metadata.as_ref(), out);
    told.usage = answer.usage_metadata;
    Ok(told)
}

#[derive(Default)]
struct Choice<'p> {
    progress: Progress,
    content: String,
    reasoning: String,
    /// Members of lists, written as they came, with commas.
    calls: BytesMut,
    /// In place of them, in the form before `tools`.
    legacy_call: BytesMut,
    images: BytesMut,
    files: BytesMut,
    audio: Vec<&'p RawValue>,
    audio_type: &'p str,
    /// Of the last part that had one and is no call.
    signature: Option<&'p str>,
    logprobs: Option<&'p LogprobsResult<'p>>,
}

fn gather<'p>(
    asked: &Asked,
    answer: &'p Answer<'p>,
    ids: &mut dyn FnMut() -> String,
    learned: &mut Signatures,
) -> Vec<Choice<'p>> {
    let mut choices: Vec<Choice<'p>> = Vec::new();
    for (candidate, position) in answer.candidates.iter().zip(0..) {
        let mut choice = Choice::new(candidate.index.unwrap_or(position), asked);
        choice.progress.note(candidate);
        choice.logprobs = candidate.logprobs_result.as_ref();
        for part in &candidate.content.parts {
            let piece = choice.progress.read(part);
            choice.add(piece, asked, ids, learned);
        }
        choices.push(choice);
    }
    choices
}

impl<'p> Choice<'p> {
    fn new(index: u32, asked: &Asked) -> Self {
        Self { progress: Progress::new(index, asked), ..Self::default() }
    }

    fn add(
        &mut self,
        piece: Piece<'p>,
        asked: &Asked,
        ids: &mut dyn FnMut() -> String,
        learned: &mut Signatures,
    ) {
        match piece.what {
            What::Nothing => {}
            What::Text(text) => self.content.push_str(&text),
            What::Thought(text) => self.reasoning.push_str(text),
            What::Image { index, media } => write_image(next(&mut self.images), index, &media),
            What::File(media) => write_file(next(&mut self.files), &media),
            What::Audio(media) => {
                if let Source::Data(data) = media.source {
                    self.audio.push(data);
                }
                self.audio_type = media.mime_type;
            }
            What::Call { call, .. } => {
                let id = self.call(call, piece.signature, asked, ids);
                learned.extend(piece.signature.map(|signature| (id, signature.to_owned())));
                return;
            }
        }
        self.signature = piece.signature.or(self.signature);
    }

    /// The id by which its signature is kept.
    fn call(
        &mut self,
        call: &FunctionCall<'_>,
        signature: Option<&str>,
        asked: &Asked,
        ids: &mut dyn FnMut() -> String,
    ) -> String {
        if asked.legacy_functions {
            write_legacy_call(&mut self.legacy_call, call, signature, asked);
            return legacy_id(call, asked);
        }
        let id = call_id(call, ids);
        write_call(next(&mut self.calls), None, &id, call, signature, asked);
        id.into_owned()
    }

    fn write_message(&self, asked: &Asked, out: &mut BytesMut) {
        let refusal = self.progress.refusal();
        let lists = [("tool_calls", &self.calls), ("images", &self.images), ("files", &self.files)];
        let called = !self.legacy_call.is_empty();
        let others = called || lists.iter().any(|(_, list)| !list.is_empty()) || !self.audio.is_empty();
        raw(out, "{\"role\":\"assistant\",\"content\":");
        if self.content.is_empty() && (others || refusal.is_some()) {
            raw(out, "null");
        } else {
            string(out, &self.content);
        }
        raw(out, ",\"refusal\":");
        match refusal {
            Some(refusal) => string(out, &refusal),
            None => raw(out, "null"),
        }
        let mut first = false;
        if !self.reasoning.is_empty() {
            name(out, &mut first, "reasoning_content");
            string(out, &self.reasoning);
        }
        if called {
            name(out, &mut first, "function_call");
            out.extend_from_slice(&self.legacy_call);
        }
        for (member, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
            name(out, &mut first, member);
            raw(out, "[");
            out.extend_from_slice(list);
            raw(out, "]");
        }
        if !self.audio.is_empty() {
            name(out, &mut first, "audio");
            write_audio(out, asked, self.progress.index, self.audio_type, &joined(&self.audio));
        }
        write_extra(out, &mut first, self.signature, Some(&self.progress));
        raw(out, "}");
    }
}

/// The list, ready for its next member.
fn next(list: &mut BytesMut) -> &mut BytesMut {
    if !list.is_empty() {
        raw(list, ",");
    }
    list
}

/// Base64 of several pieces is not the base64 of the whole, so more than one is decoded and encoded again.
fn joined(pieces: &[&RawValue]) -> String {
    if let [only] = pieces {
        return inside(only).unwrap_or_default().to_owned();
    }
    let bytes = pieces.iter().filter_map(|piece| {
        let text: String = serde_json::from_str(piece.get()).ok()?;
        STANDARD.decode(text).ok()
    });
    STANDARD.encode(bytes.collect::<Vec<_>>().concat())
}

fn write(asked: &Asked, choices: &mut [Choice<'_>], usage: Option<&Usage>, out: &mut BytesMut) {
    let (prefix, object) =
        if asked.completion { ("cmpl-", "text_completion") } else { ("chatcmpl-", "chat.completion") };
    raw(out, "{\"id\":");
    string(out, &format!("{prefix}{}", asked.id));
    raw(out, ",\"object\":\"");
    raw(out, object);
    raw(out, "\",\"created\":");
    integer(out, asked.created);
    raw(out, ",\"model\":");
    string(out, &asked.model);
    raw(out, ",\"choices\":[");
    for (at, choice) in choices.iter_mut().enumerate() {
        raw(out, if at == 0 { "{\"index\":" } else { ",{\"index\":" });
        integer(out, choice.progress.index.into());
        if asked.completion {
            raw(out, ",\"text\":");
            string(out, &choice.content);
            write_extra(out, &mut false, None, Some(&choice.progress));
            raw(out, ",\"logprobs\":");
            write_completion(out, choice.logprobs, &mut choice.progress.offset);
        } else {
            raw(out, ",\"message\":");
            choice.write_message(asked, out);
            raw(out, ",\"logprobs\":");
            write_chat(out, choice.logprobs);
        }
        raw(out, ",\"finish_reason\":");
        string(out, choice.progress.finish_reason(asked));
        raw(out, "}");
    }
    raw(out, "]");
    if let Some(usage) = usage {
        raw(out, ",\"usage\":");
        usage::write(out, usage);
    }
    raw(out, "}");
}
