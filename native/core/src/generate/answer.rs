//! What Gemini answers to a generate request, whole or as one event of a stream, read leniently: unknown fields and
//! parts are passed over, absent and null are the same. Texts borrow from what was received; what is only passed on
//! (arguments, media, grounding) stays the JSON it was. No dialect is known here.

mod lenient;
pub mod others;

pub use lenient::Text;

use serde::Deserialize;
use serde_json::value::RawValue;

use lenient::{count, list, number, or_default};

/// A `GenerateContentResponse`. Names are read in camelCase and snake_case.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Answer<'a> {
    #[serde(borrow, deserialize_with = "list")]
    pub candidates: Vec<Candidate<'a>>,
    #[serde(borrow, alias = "prompt_feedback")]
    pub prompt_feedback: Option<PromptFeedback<'a>>,
    #[serde(alias = "usage_metadata", deserialize_with = "or_default")]
    pub usage_metadata: Option<Usage>,
    /// Google ends some streams, and a few whole answers, with an error under a 200.
    #[serde(borrow)]
    pub error: Option<&'a RawValue>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Candidate<'a> {
    pub index: Option<u32>,
    #[serde(borrow, deserialize_with = "or_default")]
    pub content: Content<'a>,
    #[serde(borrow, alias = "finish_reason")]
    pub finish_reason: Text<'a>,
    #[serde(borrow, alias = "finish_message")]
    pub finish_message: Text<'a>,
    #[serde(borrow, alias = "logprobs_result")]
    pub logprobs_result: Option<LogprobsResult<'a>>,
    #[serde(borrow, alias = "grounding_metadata")]
    pub grounding_metadata: Option<&'a RawValue>,
    #[serde(borrow, alias = "citation_metadata")]
    pub citation_metadata: Option<Citations<'a>>,
    #[serde(borrow, alias = "url_context_metadata")]
    pub url_context_metadata: Option<&'a RawValue>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Content<'a> {
    #[serde(borrow, deserialize_with = "list")]
    pub parts: Vec<Part<'a>>,
}

/// One part. What it is shows in which of its fields is there.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Part<'a> {
    #[serde(borrow)]
    pub text: Text<'a>,
    /// `text` is a summary of the model's thoughts.
    #[serde(deserialize_with = "or_default")]
    pub thought: bool,
    #[serde(borrow, alias = "thought_signature")]
    pub thought_signature: Text<'a>,
    #[serde(borrow, alias = "function_call")]
    pub function_call: Option<FunctionCall<'a>>,
    #[serde(borrow, alias = "inline_data")]
    pub inline_data: Option<InlineData<'a>>,
    #[serde(borrow, alias = "file_data")]
    pub file_data: Option<FileData<'a>>,
    #[serde(borrow, alias = "executable_code")]
    pub executable_code: Option<ExecutableCode<'a>>,
    #[serde(borrow, alias = "code_execution_result")]
    pub code_execution_result: Option<CodeExecutionResult<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct FunctionCall<'a> {
    #[serde(borrow)]
    pub id: Text<'a>,
    #[serde(borrow)]
    pub name: Text<'a>,
    #[serde(borrow)]
    pub args: Option<&'a RawValue>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct InlineData<'a> {
    #[serde(borrow, alias = "mime_type")]
    pub mime_type: Text<'a>,
    #[serde(borrow, alias = "display_name")]
    pub display_name: Text<'a>,
    /// The JSON string with its quotes: base64 of up to many megabytes that is only passed on.
    #[serde(borrow)]
    pub data: Option<&'a RawValue>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FileData<'a> {
    #[serde(borrow, alias = "mime_type")]
    pub mime_type: Text<'a>,
    #[serde(borrow, alias = "file_uri")]
    pub file_uri: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ExecutableCode<'a> {
    #[serde(borrow)]
    pub language: Text<'a>,
    #[serde(borrow)]
    pub code: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct CodeExecutionResult<'a> {
    #[serde(borrow)]
    pub outcome: Text<'a>,
    #[serde(borrow)]
    pub output: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PromptFeedback<'a> {
    #[serde(borrow, alias = "block_reason")]
    pub block_reason: Text<'a>,
    #[serde(borrow, alias = "block_reason_message")]
    pub block_reason_message: Text<'a>,
}

/// Sources that the text repeats. Google's two APIs name the list differently.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Citations<'a> {
    #[serde(borrow, alias = "citation_sources", alias = "citations", deserialize_with = "list")]
    pub citation_sources: Vec<&'a RawValue>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LogprobsResult<'a> {
    #[serde(borrow, alias = "chosen_candidates", deserialize_with = "list")]
    pub chosen_candidates: Vec<TokenLogprob<'a>>,
    #[serde(borrow, alias = "top_candidates", deserialize_with = "list")]
    pub top_candidates: Vec<TopCandidates<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct TopCandidates<'a> {
    #[serde(borrow, deserialize_with = "list")]
    pub candidates: Vec<TokenLogprob<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TokenLogprob<'a> {
    #[serde(borrow)]
    pub token: Text<'a>,
    #[serde(alias = "log_probability", deserialize_with = "number")]
    pub log_probability: Option<f64>,
}

/// Token counts. A stream repeats and completes them, see [`Usage::update`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Usage {
    #[serde(alias = "prompt_token_count", deserialize_with = "count")]
    pub prompt_token_count: Option<u64>,
    #[serde(alias = "cached_content_token_count", deserialize_with = "count")]
    pub cached_content_token_count: Option<u64>,
    #[serde(alias = "candidates_token_count", deserialize_with = "count")]
    pub candidates_token_count: Option<u64>,
    #[serde(alias = "tool_use_prompt_token_count", deserialize_with = "count")]
    pub tool_use_prompt_token_count: Option<u64>,
    #[serde(alias = "thoughts_token_count", deserialize_with = "count")]
    pub thoughts_token_count: Option<u64>,
    #[serde(alias = "total_token_count", deserialize_with = "count")]
    pub total_token_count: Option<u64>,
    #[serde(alias = "prompt_tokens_details", deserialize_with = "or_default")]
    pub prompt_tokens_details: Vec<ModalityCount>,
    #[serde(alias = "candidates_tokens_details", deserialize_with = "or_default")]
    pub candidates_tokens_details: Vec<ModalityCount>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ModalityCount {
    #[serde(deserialize_with = "or_default")]
    pub modality: String,
    #[serde(alias = "token_count", deserialize_with = "count")]
    pub token_count: Option<u64>,
}

impl<'a> Answer<'a> {
    pub fn parse(json: &'a [u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(json)
    }
}

impl Usage {
    /// Counts are totals so far: what a later event says replaces, what it leaves out stays.
    pub fn update(&mut self, later: Self) {
        let newer = |mine: &mut Option<u64>, theirs: Option<u64>| *mine = theirs.or(*mine);
        newer(&mut self.prompt_token_count, later.prompt_token_count);
        newer(&mut self.cached_content_token_count, later.cached_content_token_count);
        newer(&mut self.candidates_token_count, later.candidates_token_count);
        newer(&mut self.tool_use_prompt_token_count, later.tool_use_prompt_token_count);
        newer(&mut self.thoughts_token_count, later.thoughts_token_count);
        newer(&mut self.total_token_count, later.total_token_count);
        if !later.prompt_tokens_details.is_empty() {
            self.prompt_tokens_details = later.prompt_tokens_details;
        }
        if !later.candidates_tokens_details.is_empty() {
            self.candidates_tokens_details = later.candidates_tokens_details;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    #[test]
    fn texts_borrow_unless_they_hold_escapes() {
        let json = br#"{"candidates":[{"content":{"parts":[{"text":"plain"},{"text":"a\nb"}]}}]}"#;
        let answer = Answer::parse(json).unwrap();
        let [plain, escaped] = &answer.candidates[0].content.parts[..] else { panic!() };
        assert!(matches!(plain.text.0, Cow::Borrowed("plain")));
        assert_eq!(&*escaped.text, "a\nb");
    }

    #[test]
    fn null_is_absent_and_what_is_not_known_is_passed_over() {
        let json = br#"{"candidates":[{"content":null,"finishReason":null,"index":null,"new":{"a":[1]}},
            {"content":{"parts":null}},{"content":{"parts":[{"new":1,"text":null,"inlineData":{"data":null}}]}}],
            "usageMetadata":null,"error":null,"new":null}"#;
        let answer = Answer::parse(json).unwrap();
        assert_eq!((answer.candidates.len(), answer.candidates[0].index), (3, None));
        assert!(answer.usage_metadata.is_none() && answer.error.is_none());
        assert!(
            answer.candidates[2].content.parts[0]
                .inline_data
                .as_ref()
                .is_some_and(|data| data.data.is_none())
        );
    }

    #[test]
    fn counts_come_in_any_form_and_later_ones_replace() {
        let usage = |json: &str| serde_json::from_str::<Usage>(json).unwrap();
        let mut sum = usage(r#"{"promptTokenCount":"7","thoughtsTokenCount":2,"totalTokenCount":9.0}"#);
        sum.update(usage(r#"{"candidates_token_count":4,"thoughtsTokenCount":null,"totalTokenCount":-1}"#));
        sum.update(usage(r#"{"totalTokenCount":1e300,"promptTokenCount":18446744073709551615}"#));
        let expected =
            r#"{"promptTokenCount":7,"candidatesTokenCount":4,"thoughtsTokenCount":2,"totalTokenCount":9}"#;
        assert_eq!(sum, usage(expected));
    }
}
