//! OpenAI requests, decoded: each endpoint's body becomes the target and body of one Gemini call and what its answer's
//! encoder must know. A request that cannot be said in Gemini's terms is refused with words; docs/openai.md has the
//! table. Nothing is sent here, and time and chance come from the caller.

pub mod chat;
pub mod completions;
mod content;
mod conversation;
pub mod embeddings;
mod format;
mod google;
pub mod images;
mod media;
mod messages;
mod model;
mod names;
mod options;
mod reading;
mod signing;
mod thinking;
mod tools;
mod translatable;

use bytes::Bytes;

use super::{Asked, FindSignature};
use crate::generate::request::Generate;
pub use reading::RequestError;
pub use translatable::{Translatable, decode};

/// What decoding needs to know beside the body.
pub struct Context<'c> {
    /// The model that the user's aliases put for a name.
    pub alias: &'c dyn Fn(&str) -> Option<String>,
    pub signature: FindSignature<'c>,
    /// See [`Asked::id`].
    pub id: String,
    /// See [`Asked::created`].
    pub created: u64,
}

/// A request to generate, ready to be sent.
#[derive(Debug)]
pub struct Decoded {
    /// Path and query: `/v1beta/models/m:generateContent`, or `:streamGenerateContent?alt=sse`.
    pub target: String,
    /// The model's name at Gemini, without `models/`.
    pub model: String,
    pub body: Vec<Bytes>,
    pub asked: Asked,
    /// The ids of the calls in the conversation, in order: they tell which key it was held with.
    pub calls: Vec<String>,
    pub conversation: Opening,
}

/// What a conversation is recognised by, and whether it is one that goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    pub hash: u64,
    pub goes_on: bool,
}

impl Opening {
    fn of(generate: &Generate<'_>) -> Self {
        Self { hash: generate.opening(), goes_on: generate.goes_on() }
    }
}
