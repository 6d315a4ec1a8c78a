//! Answers in the OpenAI shape, encoded: a stream chunk by chunk as Gemini's events come, a whole answer at once, and the
//! smaller answers (embeddings, images, models). What was decided where the two APIs differ is in
//! docs/openai.md. How a request was decoded is not known here but for [`super::Asked`].

mod embeddings;
mod fault;
mod images;
mod json;
mod logprobs;
mod message;
mod models;
mod progress;
mod stream;
mod usage;
mod whole;

pub use embeddings::embeddings;
pub use fault::Fault;
pub use images::Images;
pub(super) use json::tokens;
pub use models::{ModelList, model};
pub use stream::StreamEncoder;
pub use whole::{Told, whole};

/// Signatures of thoughts by the id of the call that carries them, for clients that drop them.
pub type Signatures = Vec<(String, String)>;
