//! One generate request and its answer, between the dialects: what a client asked in its own language becomes a
//! [`request::Generate`], `body` writes that as Gemini's JSON, and `answer` and `sse` read what Gemini says. No dialect,
//! key, proxy or connection is known here.

pub mod answer;
pub mod body;
pub mod opening;
pub mod pieces;
pub mod request;
pub mod sse;
