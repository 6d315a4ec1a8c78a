//! OpenAI answers from Gemini's: pairs of files to read (`tests/golden/openai/answer`), and properties that hold for any
//! answer, on seeded ones. `OPENAI_ANSWERS` sets how many; a failure names its seed. `OPENAI_ANSWERS_WRITE=1` writes the
//! expected files anew, to be read before they are committed.
#![cfg(test)]

mod client;
mod golden;
mod made;
mod pretty;
mod properties;
