//! OpenAI requests as Gemini gets them. `tests/golden/openai/request` holds pairs of files that show the translation
//! case by case; beside them, requests made up by chance are held against Gemini's types, and docs/openai.md against
//! what is really done with each field.

#![cfg(test)]

mod cost;
mod gemini;
mod golden;
mod random;
mod table;
mod world;
