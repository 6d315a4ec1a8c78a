//! The OpenAI dialect: requests decoded into `generate`'s terms and other Gemini calls, answers encoded back, streaming
//! as pieces arrive. Keys, proxies, retries and connections are not known here.

pub mod answer;
mod endpoint;
pub mod error;
mod legacy;
pub mod request;
pub mod schema;
pub mod translation;

pub use endpoint::Endpoint;
pub use legacy::Standing;

use std::collections::HashMap;
use std::sync::Arc;

/// Begins the ids of calls that Gemini gave none: an id that begins so means nothing to Gemini.
pub const OWN_CALL_ID: &str = "call_agg_";

/// What the encoder of an answer must know of its request.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// As the client wrote it: answers repeat it.
    pub model: String,
    /// The answer's id without its prefix, unique for each request.
    pub id: String,
    /// Seconds since 1970.
    pub created: u64,
    /// Legacy `/v1/completions`: `text_completion` objects.
    pub completion: bool,
    pub streams: bool,
    /// `stream_options.include_usage`.
    pub include_usage: bool,
    /// `parallel_tool_calls: false`, which Gemini has no word for: at most the first call of a choice is passed on.
    pub one_call: bool,
    /// The request had `functions`, the form before `tools`: a call is the message's `function_call`.
    pub legacy_functions: bool,
    /// Where the answer's call stands, if it makes one.
    pub standing: Standing,
    /// Names of tools that Gemini does not take were changed: what it calls them → what the client calls them.
    pub tool_names: HashMap<String, String>,
}

impl Asked {
    /// A message in the form before `tools` has room for one call.
    fn one_call_at_most(&self) -> bool {
        self.one_call || self.legacy_functions
    }
}

/// The thought signature that belongs to a call's id, where the client dropped it.
pub type FindSignature<'a> = &'a dyn Fn(&str) -> Option<Arc<str>>;
