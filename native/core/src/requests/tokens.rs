//! The token counts of an answer as a person sees them. Reading them out of answers is `forward::tail`'s part.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::generate::answer::Usage;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TokensView {
    /// What was sent, tools' results and what came from a cache included.
    #[ts(type = "number")]
    pub input: u64,
    /// What the model wrote, its thoughts included.
    #[ts(type = "number")]
    pub output: u64,
    /// The part of `input` that came from a cache.
    #[ts(type = "number")]
    pub cached: u64,
    /// The part of `output` that the model thought.
    #[ts(type = "number")]
    pub thought: u64,
}

impl From<&Usage> for TokensView {
    fn from(usage: &Usage) -> Self {
        let count = |count: Option<u64>| count.unwrap_or(0);
        let thought = count(usage.thoughts_token_count);
        let asked = count(usage.prompt_token_count);
        Self {
            input: asked.saturating_add(count(usage.tool_use_prompt_token_count)),
            output: count(usage.candidates_token_count).saturating_add(thought),
            cached: count(usage.cached_content_token_count),
            thought,
        }
    }
}
