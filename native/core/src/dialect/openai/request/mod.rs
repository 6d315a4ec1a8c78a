//! OpenAI requests, decoded.
