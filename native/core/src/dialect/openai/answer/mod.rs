//! Answers in the OpenAI shape, encoded: a stream chunk by chunk as Gemini's events come, a whole answer at once, and the
//! smaller answers (embeddings, images, models). What was decided where the two APIs differ is in
//! docs/openai-answers.md. How a request was decoded is not known here but for [`super::Asked`].

mod fault;
mod json;
mod logprobs;
mod message;
mod progress;
pub mod stream;
mod usage;

pub use fault::Fault;
pub use stream::StreamEncoder;

/// Signatures of thoughts by the id of the call that carries them, for clients that drop them.
pub type Signatures = Vec<(String, String)>;
