//! Server-Sent Events as Gemini writes them: bytes in, whole events out, however they were cut on the way. Bounded: an
//! event longer than the limit is an error. What an event says is not known here.
