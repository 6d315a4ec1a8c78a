//! What Gemini answers to a generate request, whole or as one event of a stream, read leniently: unknown fields and
//! parts are passed over. No dialect is known here.
