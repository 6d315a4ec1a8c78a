//! What a dialect gives the dispatcher to turn Gemini's answers into its client's language: whole ones, streams piece by
//! piece, and errors. One is made for each request. Neither side knows the other beyond this page.

use bytes::Bytes;

use super::ApiError;
use crate::dispatch::judge::Outcome;
use crate::dispatch::upstream_error::UpstreamError;

/// Thought signatures by the id of the call that carries them.
pub type Signatures = Vec<(String, String)>;

pub trait Translation: Send + Sync {
    /// Encodes the whole body of a 2xx.
    fn whole(&self, body: &[u8]) -> Result<Translated, Untranslatable>;

    /// Whether its answer streams; else it is read whole.
    fn streams(&self) -> bool;

    /// For an answer that streams.
    fn stream(&self) -> Option<Box<dyn StreamTranslation>>;

    /// The body of an error answer. `error` is Google's own, where it was one.
    fn refusal(&self, status: u16, error: Option<&UpstreamError>, message: &str) -> Bytes;
}

#[derive(Debug, Default)]
pub struct Translated {
    pub body: Bytes,
    pub signatures: Signatures,
}

/// A 2xx that is no answer: what it says of key and upstream, and what the client gets if nobody else answers.
#[derive(Debug)]
pub struct Untranslatable {
    pub outcome: Outcome,
    pub status: u16,
    pub message: String,
    pub body: Bytes,
}

/// One answer that streams. After `finish` or `fail` nothing more is pushed.
pub trait StreamTranslation: Send + Sync {
    /// Reads a piece of Gemini's stream, cut anywhere; what follows from it for the client.
    fn push(&mut self, piece: &[u8]) -> Bytes;

    /// Gemini's stream ended in order.
    fn finish(&mut self) -> Bytes;

    /// Something else ended it.
    fn fail(&mut self, error: &ApiError) -> Bytes;

    /// Signatures of calls passed on since the last time.
    fn signatures(&mut self) -> Signatures;

    /// After `finish`: what was wrong with a stream that ended in an error found here.
    fn outcome(&self) -> Option<Outcome>;
}
