//! Answers in the OpenAI shape, encoded.
