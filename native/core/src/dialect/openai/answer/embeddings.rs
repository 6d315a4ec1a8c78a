//! Embeddings of Gemini's in OpenAI's list: as numbers, copied as they came, or as base64 of little-endian 32-bit floats,
//! which OpenAI's clients ask for unless told otherwise.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{BufMut, BytesMut};

use super::fault::Fault;
use super::json::{compact, integer, raw, string};
use super::usage::prompt;
use crate::generate::answer::others::{Embedding, Embeddings};

/// Encodes the body of a 200; `model` as the client wrote it.
pub fn embeddings(model: &str, base64: bool, body: &[u8], out: &mut BytesMut) -> Result<(), Fault> {
    let answer: Embeddings<'_> = match serde_json::from_slice(body) {
        Ok(Embeddings { error: Some(_), .. }) | Err(_) => return Err(Fault::of(body)),
        Ok(answer) => answer,
    };
    let mut list = answer.embeddings;
    list.extend(answer.embedding);
    if list.is_empty() {
        return Err(Fault::Empty);
    }
    let mut data = BytesMut::new();
    for (index, embedding) in (0..).zip(&list) {
        raw(&mut data, if index == 0 { "" } else { "," });
        raw(&mut data, "{\"object\":\"embedding\",\"index\":");
        integer(&mut data, index);
        raw(&mut data, ",\"embedding\":");
        write(&mut data, embedding, base64)?;
        raw(&mut data, "}");
    }
    raw(out, "{\"object\":\"list\",\"data\":[");
    out.extend_from_slice(&data);
    raw(out, "],\"model\":");
    string(out, model);
    // Gemini's older embedding models count no tokens; OpenAI's clients expect a number.
    let tokens = answer.usage_metadata.as_ref().map_or(0, prompt);
    raw(out, ",\"usage\":{\"prompt_tokens\":");
    integer(out, tokens);
    raw(out, ",\"total_tokens\":");
    integer(out, tokens);
    raw(out, "}}");
    Ok(())
}

fn write(out: &mut BytesMut, embedding: &Embedding<'_>, base64: bool) -> Result<(), Fault> {
    let values = embedding.values.ok_or(Fault::Unreadable)?;
    if !base64 {
        compact(out, values);
        return Ok(());
    }
    let floats: Vec<f32> = serde_json::from_str(values.get()).map_err(|_| Fault::Unreadable)?;
    let bytes: Vec<u8> = floats.into_iter().flat_map(f32::to_le_bytes).collect();
    out.put_u8(b'"');
    raw(out, &STANDARD.encode(bytes));
    out.put_u8(b'"');
    Ok(())
}
