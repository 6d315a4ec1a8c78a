//! Writes a [`super::request::Generate`] as the JSON of Gemini's `v1beta` generateContent, in pieces: large media are
//! slices of the client's own body. It decides nothing.
