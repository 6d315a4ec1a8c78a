//! One candidate on its way to a choice: reads its parts one by one into pieces that a chunk or a message is written
//! from, and keeps what only the end can say. A stream and a whole answer go through the same steps, so they say the same.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::dialect::openai::Asked;
use crate::generate::answer::{Candidate, FunctionCall, InlineData, Part, PromptFeedback};

/// What one part is to a client.
pub struct Piece<'p> {
    pub what: What<'p>,
    /// Belongs to the call when it is one, else to the message.
    pub signature: Option<&'p str>,
}

pub enum What<'p> {
    Nothing,
    Text(Cow<'p, str>),
    Thought(&'p str),
    Call { index: u32, call: &'p FunctionCall<'p> },
    Image { index: u32, media: Media<'p> },
    Audio(Media<'p>),
    File(Media<'p>),
}

pub struct Media<'p> {
    pub mime_type: &'p str,
    pub name: Option<&'p str>,
    pub source: Source<'p>,
}

pub enum Source<'p> {
    /// A JSON string of base64.
    Data(&'p RawValue),
    Address(&'p str),
}

/// How a candidate ended: Google's reason and words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    pub reason: String,
    pub message: String,
    /// Not the candidate ended but the prompt was refused.
    pub prompt_blocked: bool,
}

#[derive(Default)]
pub struct Progress {
    pub index: u32,
    pub calls: u32,
    pub images: u32,
    /// Characters of text whose log probabilities were given, for text completions.
    pub offset: u64,
    /// Calls after the first are left out.
    one_call: bool,
    /// Anything but thoughts came.
    gave: bool,
    /// The text so far ends in the middle of a line.
    in_line: bool,
    pub ended: Option<Ended>,
    pub grounding: Option<Box<RawValue>>,
    pub url_context: Option<Box<RawValue>>,
    pub citations: Vec<Box<RawValue>>,
}

const WITHHELD: [&str; 6] = ["SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "LANGUAGE"];
/// Reasons that are Gemini's own failure, not an end of the answer.
const GAVE_UP: [&str; 6] = [
    "MALFORMED_FUNCTION_CALL",
    "MALFORMED_RESPONSE",
    "UNEXPECTED_TOOL_CALL",
    "TOO_MANY_TOOL_CALLS",
    "MISSING_THOUGHT_SIGNATURE",
    "OTHER",
];

impl Progress {
    pub fn new(index: u32, asked: &Asked) -> Self {
        Self { index, one_call: asked.one_call_at_most(), ..Self::default() }
    }

    /// Keeps what only the last chunk or the message as a whole can say.
    pub fn note(&mut self, candidate: &Candidate<'_>) {
        let reason = candidate.finish_reason.some().filter(|reason| *reason != "FINISH_REASON_UNSPECIFIED");
        if let Some(reason) = reason {
            self.ended = Some(Ended {
                reason: reason.to_owned(),
                message: candidate.finish_message.to_string(),
                prompt_blocked: false,
            });
        }
        // Google repeats both as they grow: the last counts.
        if let Some(grounding) = candidate.grounding_metadata {
            self.grounding = Some(grounding.to_owned());
        }
        if let Some(context) = candidate.url_context_metadata {
            self.url_context = Some(context.to_owned());
        }
        for source in candidate.citation_metadata.iter().flat_map(|citations| &citations.citation_sources) {
            if self.citations.iter().all(|known| known.get() != source.get()) {
                self.citations.push((*source).to_owned());
            }
        }
    }

    /// Ends with the prompt what did not end by itself.
    pub fn block(&mut self, feedback: &Ended) {
        self.ended.get_or_insert_with(|| feedback.clone());
    }

    pub fn read<'p>(&mut self, part: &'p Part<'p>) -> Piece<'p> {
        if part.function_call.is_some() && self.one_call && self.calls > 0 {
            // Its signature goes with it: no other part may carry that.
            return Piece { what: What::Nothing, signature: None };
        }
        let what = self.what(part);
        self.gave |= !matches!(what, What::Nothing | What::Thought(_));
        if let What::Text(text) = &what {
            self.in_line = !text.ends_with('\n');
        }
        Piece { what, signature: part.thought_signature.some() }
    }

    fn what<'p>(&mut self, part: &'p Part<'p>) -> What<'p> {
        if let Some(call) = &part.function_call {
            self.calls += 1;
            return What::Call { index: self.calls - 1, call };
        }
        if let Some(text) = part.text.some() {
            return if part.thought { What::Thought(text) } else { What::Text(Cow::Borrowed(text)) };
        }
        if let Some(code) = &part.executable_code {
            let language = code.language.to_ascii_lowercase();
            let language = if language == "language_unspecified" { "" } else { &*language };
            return What::Text(Cow::Owned(self.fenced(language, &code.code)));
        }
        if let Some(result) = &part.code_execution_result {
            return self.result(&result.outcome, &result.output);
        }
        let media = match (&part.inline_data, &part.file_data) {
            // Drafts of an image; the one that counts follows as an ordinary part.
            (Some(_), _) if part.thought => None,
            (Some(data), _) => inline(data),
            (None, Some(file)) => Some(Media {
                mime_type: &file.mime_type,
                name: None,
                source: Source::Address(&file.file_uri),
            }),
            (None, None) => None,
        };
        media.map_or(What::Nothing, |media| self.media(media))
    }

    fn media<'p>(&mut self, media: Media<'p>) -> What<'p> {
        match media.mime_type.split('/').next() {
            Some("image") => {
                self.images += 1;
                What::Image { index: self.images - 1, media }
            }
            Some("audio") if matches!(media.source, Source::Data(_)) => What::Audio(media),
            _ => What::File(media),
        }
    }

    /// What running the model's code printed; of a failure at least its name.
    fn result<'p>(&self, outcome: &'p str, output: &'p str) -> What<'p> {
        let failed = !matches!(outcome, "" | "OUTCOME_OK" | "OUTCOME_UNSPECIFIED");
        match (failed, output) {
            (false, "") => What::Nothing,
            (false, output) => What::Text(Cow::Owned(self.fenced("output", output))),
            (true, "") => What::Text(Cow::Owned(self.fenced("error", outcome))),
            (true, output) => What::Text(Cow::Owned(self.fenced("error", output))),
        }
    }

    /// A block of Markdown on lines of its own, its fence longer than any in it.
    fn fenced(&self, info: &str, content: &str) -> String {
        let longest = content.split(|c| c != '`').map(str::len).max().unwrap_or(0);
        let fence = "`".repeat(longest.max(2) + 1);
        let before = if self.in_line { "\n" } else { "" };
        let after = if content.is_empty() || content.ends_with('\n') { "" } else { "\n" };
        format!("{before}{fence}{info}\n{content}{after}{fence}\n")
    }

    /// OpenAI's name for how it ended. What Google adds later ends like an ordinary answer; its own name is passed on
    /// beside, see [`Self::unusual_end`].
    pub fn finish_reason(&self, asked: &Asked) -> &'static str {
        match &self.ended {
            _ if self.calls > 0 && asked.legacy_functions => "function_call",
            _ if self.calls > 0 && !asked.completion => "tool_calls",
            Some(ended) if ended.is_withheld() => "content_filter",
            Some(ended) if ended.reason == "MAX_TOKENS" => "length",
            _ => "stop",
        }
    }

    /// How it ended, when OpenAI's name does not say it all.
    pub fn unusual_end(&self) -> Option<&Ended> {
        self.ended
            .as_ref()
            .filter(|ended| ended.prompt_blocked || !matches!(&*ended.reason, "STOP" | "MAX_TOKENS"))
    }

    /// Words for a client to show in place of an answer that was withheld.
    pub fn refusal(&self) -> Option<String> {
        let ended = self.ended.as_ref().filter(|ended| !self.gave && ended.is_withheld())?;
        let what =
            if ended.prompt_blocked { "Gemini blocked the prompt" } else { "Gemini withheld its answer" };
        let space = if ended.message.is_empty() { "" } else { " " };
        Some(format!("{what}: {}.{space}{}", ended.reason, ended.message))
    }

    /// Gemini failed and nothing came of it.
    pub fn gave_up(&self) -> Option<&Ended> {
        let failed = |ended: &&Ended| !ended.prompt_blocked && GAVE_UP.contains(&&*ended.reason);
        self.ended.as_ref().filter(|_| !self.gave).filter(failed)
    }
}

impl Ended {
    pub fn of(feedback: &PromptFeedback<'_>) -> Option<Self> {
        let reason = feedback.block_reason.some()?.to_owned();
        Some(Self { reason, message: feedback.block_reason_message.to_string(), prompt_blocked: true })
    }

    /// Google keeps something back: its rules, not the model, ended it.
    pub fn is_withheld(&self) -> bool {
        let reason = self.reason.as_str();
        self.prompt_blocked || WITHHELD.contains(&reason) || reason.starts_with("IMAGE_")
    }
}

fn inline<'p>(data: &'p InlineData<'p>) -> Option<Media<'p>> {
    Some(Media {
        mime_type: &data.mime_type,
        name: data.display_name.some(),
        source: Source::Data(data.data?),
    })
}
