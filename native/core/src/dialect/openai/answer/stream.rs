//! A stream of Gemini's, encoded event by event as OpenAI's: `chat.completion.chunk` or `text_completion` objects. One
//! event is held, never the answer. How bytes reach the client is not known here.
//!
//! Invariant: `[DONE]` follows only a whole answer, in which each candidate seen had a reason to end or the prompt was
//! blocked; any other stream ends in one error event, and nothing follows it. No reason to end is invented.

use bytes::BytesMut;

use super::fault::Fault;
use super::json::{integer, raw, string};
use super::logprobs::{write_chat, write_completion};
use super::message::{
    call_id, legacy_id, write_audio, write_call, write_extra, write_file, write_image, write_legacy_call,
};
use super::progress::{Ended, Piece, Progress, Source, What};
use super::{Signatures, json, usage};
use crate::dialect::ApiError;
use crate::dialect::openai::Asked;
use crate::dialect::openai::error::error_body;
use crate::generate::answer::{Answer, Candidate, LogprobsResult, Usage};
use crate::generate::sse::{SseReader, TooLong};

/// `ids` gives a fresh text for each call of a tool that Gemini gave no id.
pub struct StreamEncoder<I> {
    reader: SseReader,
    stream: Stream<I>,
}

struct Stream<I> {
    asked: Asked,
    ids: I,
    /// How each chunk begins, up to its choices.
    head: BytesMut,
    choices: Vec<Progress>,
    usage: Option<Usage>,
    blocked: Option<Ended>,
    learned: Signatures,
    fault: Option<Fault>,
    /// `[DONE]` or an error was written.
    over: bool,
}

impl<I: FnMut() -> String + Send> StreamEncoder<I> {
    pub fn new(asked: Asked, ids: I) -> Self {
        let head = head(&asked);
        let stream = Stream {
            asked,
            ids,
            head,
            choices: Vec::new(),
            usage: None,
            blocked: None,
            learned: Vec::new(),
            fault: None,
            over: false,
        };
        Self { reader: SseReader::default(), stream }
    }

    /// Reads a piece of Gemini's stream, cut anywhere, and writes what follows from it.
    pub fn push(&mut self, piece: &[u8], out: &mut BytesMut) {
        if self.stream.over {
            return;
        }
        let read = self.reader.push(piece, |event| self.stream.event(event, out));
        self.stream.check(read, out);
    }

    /// Gemini's stream ended without a fault of the connection.
    pub fn finish(&mut self, out: &mut BytesMut) {
        if self.stream.over {
            return;
        }
        let read = self.reader.end(|event| self.stream.event(event, out));
        self.stream.check(read, out);
        self.stream.finish(out);
    }

    /// Something else ended it: the connection broke off, or time ran out.
    pub fn fail(&mut self, error: &ApiError, out: &mut BytesMut) {
        self.stream.end_with(&error_body(error.status.as_u16(), None, &error.message), out);
    }

    /// Signatures of calls that were passed on since the last time.
    pub fn take_signatures(&mut self) -> Signatures {
        std::mem::take(&mut self.stream.learned)
    }

    /// What was wrong with the stream, if it ended in an error that was found here.
    pub fn fault(&self) -> Option<&Fault> {
        self.stream.fault.as_ref()
    }

    /// Token counts so far.
    pub fn usage(&self) -> Option<&Usage> {
        self.stream.usage.as_ref()
    }
}

fn head(asked: &Asked) -> BytesMut {
    let (prefix, object) =
        if asked.completion { ("cmpl-", "text_completion") } else { ("chatcmpl-", "chat.completion.chunk") };
    let mut head = BytesMut::new();
    raw(&mut head, "data: {\"id\":");
    string(&mut head, &format!("{prefix}{}", asked.id));
    raw(&mut head, ",\"object\":\"");
    raw(&mut head, object);
    raw(&mut head, "\",\"created\":");
    integer(&mut head, asked.created);
    raw(&mut head, ",\"model\":");
    string(&mut head, &asked.model);
    raw(&mut head, ",\"choices\":[");
    head
}

impl<I: FnMut() -> String> Stream<I> {
    fn check(&mut self, read: Result<(), TooLong>, out: &mut BytesMut) {
        if read == Err(TooLong) {
            self.give_up(Fault::TooLong, out);
        }
    }

    fn give_up(&mut self, fault: Fault, out: &mut BytesMut) {
        self.end_with(&fault.body(), out);
        self.fault.get_or_insert(fault);
    }

    fn end_with(&mut self, body: &str, out: &mut BytesMut) {
        if !std::mem::replace(&mut self.over, true) {
            raw(out, "data: ");
            raw(out, body);
            raw(out, "\n\n");
        }
    }

    fn event(&mut self, event: &[u8], out: &mut BytesMut) {
        // Gemini ends without a mark; a proxy of somebody's may add OpenAI's.
        if self.over || event.trim_ascii() == b"[DONE]" {
            return;
        }
        match Answer::parse(event) {
            Ok(answer) if answer.error.is_none() => self.answer(answer, out),
            _ => self.give_up(Fault::of(event), out),
        }
    }

    fn answer(&mut self, answer: Answer<'_>, out: &mut BytesMut) {
        if let Some(usage) = answer.usage_metadata {
            self.usage.get_or_insert_default().update(usage);
        }
        if let Some(blocked) = answer.prompt_feedback.as_ref().and_then(Ended::of) {
            self.blocked = Some(blocked);
        }
        for (candidate, position) in answer.candidates.iter().zip(0..) {
            self.candidate(candidate, candidate.index.unwrap_or(position), out);
        }
    }

    fn candidate(&mut self, candidate: &Candidate<'_>, index: u32, out: &mut BytesMut) {
        let at = self.choice(index, out);
        self.choices[at].note(candidate);
        // They belong to the event's text as a whole; its first chunk carries them.
        let mut logprobs = candidate.logprobs_result.as_ref();
        for part in &candidate.content.parts {
            let piece = self.choices[at].read(part);
            if self.is_told(&piece) {
                self.piece(at, &piece, logprobs.take(), out);
            }
        }
        if logprobs.is_some() {
            self.piece(at, &Piece { what: What::Text("".into()), signature: None }, logprobs, out);
        }
    }

    /// A text completion has room for text only.
    fn is_told(&self, piece: &Piece<'_>) -> bool {
        match piece.what {
            What::Text(_) => true,
            What::Nothing => piece.signature.is_some() && !self.asked.completion,
            _ => !self.asked.completion,
        }
    }

    /// Where the choice is in `choices`; its first chunk says whose words follow.
    fn choice(&mut self, index: u32, out: &mut BytesMut) -> usize {
        if let Some(at) = self.choices.iter().position(|choice| choice.index == index) {
            return at;
        }
        self.choices.push(Progress::new(index, &self.asked));
        if !self.asked.completion {
            self.begin(index, out);
            raw(out, "\"role\":\"assistant\",\"content\":\"\"},\"logprobs\":null");
            self.end(None, out);
        }
        self.choices.len() - 1
    }

    fn begin(&self, index: u32, out: &mut BytesMut) {
        out.extend_from_slice(&self.head);
        raw(out, "{\"index\":");
        integer(out, index.into());
        raw(out, if self.asked.completion { "" } else { ",\"delta\":{" });
    }

    fn end(&self, finish_reason: Option<&str>, out: &mut BytesMut) {
        raw(out, ",\"finish_reason\":");
        match finish_reason {
            Some(reason) => string(out, reason),
            None => raw(out, "null"),
        }
        raw(out, if self.asked.include_usage { "}],\"usage\":null}\n\n" } else { "}]}\n\n" });
    }

    fn piece(
        &mut self,
        at: usize,
        piece: &Piece<'_>,
        logprobs: Option<&LogprobsResult<'_>>,
        out: &mut BytesMut,
    ) {
        let index = self.choices[at].index;
        self.begin(index, out);
        if self.asked.completion {
            raw(out, ",\"text\":");
            string(out, if let What::Text(text) = &piece.what { text } else { "" });
            raw(out, ",\"logprobs\":");
            write_completion(out, logprobs, &mut self.choices[at].offset);
        } else {
            self.delta(index, piece, out);
            raw(out, "},\"logprobs\":");
            write_chat(out, logprobs);
        }
        self.end(None, out);
    }

    fn delta(&mut self, choice: u32, piece: &Piece<'_>, out: &mut BytesMut) {
        match &piece.what {
            What::Nothing => raw(out, "\"content\":\"\""),
            What::Text(text) => {
                raw(out, "\"content\":");
                string(out, text);
            }
            What::Thought(text) => {
                raw(out, "\"reasoning_content\":");
                string(out, text);
            }
            What::Call { call, .. } if self.asked.legacy_functions => {
                raw(out, "\"function_call\":");
                write_legacy_call(out, call, piece.signature, &self.asked);
                let learned = piece.signature.map(|text| (legacy_id(call, &self.asked), text.to_owned()));
                self.learned.extend(learned);
                return;
            }
            What::Call { index, call } => {
                let id = call_id(call, &mut self.ids);
                raw(out, "\"tool_calls\":[");
                write_call(out, Some(*index), &id, call, piece.signature, &self.asked);
                raw(out, "]");
                self.learned.extend(piece.signature.map(|text| (id.into_owned(), text.to_owned())));
                return;
            }
            What::Image { index, media } => {
                raw(out, "\"images\":[");
                write_image(out, *index, media);
                raw(out, "]");
            }
            What::File(media) => {
                raw(out, "\"files\":[");
                write_file(out, media);
                raw(out, "]");
            }
            What::Audio(media) => {
                let data = if let Source::Data(data) = media.source { json::inside(data) } else { None };
                raw(out, "\"audio\":");
                write_audio(out, &self.asked, choice, media.mime_type, data.unwrap_or_default());
            }
        }
        write_extra(out, &mut false, piece.signature, None);
    }

    fn finish(&mut self, out: &mut BytesMut) {
        if self.over {
            return;
        }
        if let Some(blocked) = self.blocked.take() {
            if self.choices.is_empty() {
                self.choice(0, out);
            }
            self.choices.iter_mut().for_each(|choice| choice.block(&blocked));
        }
        if let Some(fault) = self.shortfall() {
            return self.give_up(fault, out);
        }
        let mut choices = std::mem::take(&mut self.choices);
        choices.sort_by_key(|choice| choice.index);
        choices.iter().for_each(|choice| self.last_chunks(choice, out));
        if let Some(usage) = self.usage.as_ref().filter(|_| self.asked.include_usage) {
            out.extend_from_slice(&self.head);
            raw(out, "],\"usage\":");
            usage::write(out, usage);
            raw(out, "}\n\n");
        }
        raw(out, "data: [DONE]\n\n");
        self.over = true;
    }

    /// Why what came is no whole answer.
    fn shortfall(&self) -> Option<Fault> {
        if self.choices.is_empty() || self.choices.iter().any(|choice| choice.ended.is_none()) {
            return Some(Fault::EndedEarly);
        }
        Fault::if_all_gave_up(&self.choices)
    }

    fn last_chunks(&self, choice: &Progress, out: &mut BytesMut) {
        let reason = choice.finish_reason(&self.asked);
        if let Some(refusal) = choice.refusal().filter(|_| !self.asked.completion) {
            self.begin(choice.index, out);
            raw(out, "\"refusal\":");
            string(out, &refusal);
            raw(out, "},\"logprobs\":null");
            self.end(None, out);
        }
        self.begin(choice.index, out);
        if self.asked.completion {
            raw(out, ",\"text\":\"\"");
            write_extra(out, &mut false, None, Some(choice));
        } else {
            write_extra(out, &mut true, None, Some(choice));
            raw(out, "}");
        }
        raw(out, ",\"logprobs\":null");
        self.end(Some(reason), out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(pieces: &[&str]) -> (String, Option<Fault>) {
        let asked = Asked { model: "m".to_owned(), id: "1".to_owned(), created: 7, ..Asked::default() };
        let mut encoder = StreamEncoder::new(asked, || "id".to_owned());
        let mut out = BytesMut::new();
        pieces.iter().for_each(|piece| encoder.push(piece.as_bytes(), &mut out));
        encoder.finish(&mut out);
        (String::from_utf8(out.to_vec()).unwrap(), encoder.fault().cloned())
    }

    const TEXT: &str = "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Hi\"}]}}]}\r\n\r\n";
    const STOP: &str = "data: {\"candidates\":[{\"finishReason\":\"STOP\"}]}\r\n\r\n";

    #[test]
    fn a_whole_answer_ends_with_done() {
        let (text, fault) = encode(&[TEXT, STOP]);
        let chunk = |choice: &str| {
            format!(
                "data: {{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":7,\"model\":\"m\",\"choices\":[{choice}]}}\n\n"
            )
        };
        let expected = [
            chunk(
                r#"{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}"#,
            ),
            chunk(r#"{"index":0,"delta":{"content":"Hi"},"logprobs":null,"finish_reason":null}"#),
            chunk(r#"{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}"#),
            "data: [DONE]\n\n".to_owned(),
        ];
        assert_eq!((text, fault), (expected.concat(), None));
    }

    #[test]
    fn nothing_follows_an_error() {
        for pieces in [
            &[TEXT][..],
            &["data: {\"error\":{\"code\":503,\"message\":\"busy\"}}\n\n", TEXT, STOP],
            &[TEXT, "data: {nonsense\n\n", STOP],
            &[],
        ] {
            let (text, fault) = encode(pieces);
            let last = text.trim_end().rsplit("\n\n").next().unwrap();
            assert!(last.starts_with("data: {\"error\":{\"message\":") && fault.is_some(), "{text}");
            assert!(!text.contains("[DONE]") && !text.contains("\"finish_reason\":\""), "{text}");
            assert_eq!(text.matches("\"error\"").count(), 1);
        }
    }

    #[test]
    fn what_fails_outside_ends_the_stream_once() {
        let mut encoder = StreamEncoder::new(Asked::default(), String::new);
        let mut out = BytesMut::new();
        encoder.push(TEXT.as_bytes(), &mut out);
        out.clear();
        encoder.fail(&ApiError::new(http::StatusCode::GATEWAY_TIMEOUT, "Too slow."), &mut out);
        let expected = r#"data: {"error":{"message":"Too slow.","type":"server_error","param":null,"code":"deadline_exceeded"}}"#;
        assert_eq!(String::from_utf8(out.to_vec()).unwrap(), format!("{expected}\n\n"));
        encoder.push(STOP.as_bytes(), &mut out);
        encoder.finish(&mut out);
        assert_eq!(out.len(), expected.len() + 2);
    }
}
