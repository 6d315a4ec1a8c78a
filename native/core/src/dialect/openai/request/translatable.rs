//! A request to any endpoint as one Gemini call, with the operation that its answer is encoded by. It only brings the
//! decoders of the endpoints to one form.

use bytes::Bytes;
use http::Method;

use super::{Context, Decoded, Opening, RequestError, chat, completions, embeddings, images};
use crate::dialect::openai::Endpoint;
use crate::dialect::openai::translation::Operation;

/// As many models as one page of Gemini's may hold: all there are.
const ALL_MODELS: &str = "/v1beta/models?pageSize=1000";

pub struct Translatable {
    pub method: Method,
    /// Path and query at Gemini.
    pub target: String,
    /// Whose quota it uses.
    pub model: Option<String>,
    pub body: Vec<Bytes>,
    /// See [`Decoded::calls`].
    pub calls: Vec<String>,
    pub conversation: Option<Opening>,
    pub operation: Operation,
    /// It leaves something behind or costs too much to be done twice: tried again only when provably unprocessed.
    pub creates: bool,
}

/// `aliases` are the names that the user gave to models.
pub fn decode<'s>(
    endpoint: &Endpoint,
    body: &Bytes,
    context: &Context<'_>,
    aliases: impl Iterator<Item = &'s String>,
) -> Result<Translatable, RequestError> {
    Ok(match endpoint {
        Endpoint::Chat => generate(chat::decode(body, context)?),
        Endpoint::Completions => generate(completions::decode(body, context)?),
        Endpoint::Embeddings => {
            let asked = embeddings::decode(body, context)?;
            let operation = Operation::Embeddings { model: asked.asked_model, base64: asked.base64 };
            post(asked.target, asked.model, asked.body, operation)
        }
        Endpoint::Images => {
            let asked = images::decode(body, context)?;
            let operation = Operation::Images { created: asked.created, as_url: asked.as_url };
            Translatable { creates: true, ..post(asked.target, asked.model, asked.body, operation) }
        }
        Endpoint::Models => {
            get(ALL_MODELS.to_owned(), Operation::Models { aliases: aliases.cloned().collect() })
        }
        Endpoint::Model(id) => {
            let model = (context.alias)(id).unwrap_or_else(|| id.clone());
            get(format!("/v1beta/models/{model}"), Operation::Model)
        }
    })
}

fn generate(decoded: Decoded) -> Translatable {
    let Decoded { target, model, body, asked, calls, conversation } = decoded;
    let conversation = Some(conversation);
    Translatable { calls, conversation, ..post(target, model, body, Operation::Generate(Box::new(asked))) }
}

fn post(target: String, model: String, body: Vec<Bytes>, operation: Operation) -> Translatable {
    Translatable { method: Method::POST, model: Some(model), body, ..get(target, operation) }
}

fn get(target: String, operation: Operation) -> Translatable {
    let (method, body, calls) = (Method::GET, Vec::new(), Vec::new());
    Translatable { method, target, model: None, body, calls, conversation: None, operation, creates: false }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::translation::Translation;

    #[test]
    fn pictures_come_in_the_form_that_was_asked_for() {
        let answer = br#"{"predictions":[{"mimeType":"image/png","bytesBase64Encoded":"aGk="}]}"#;
        for (format, expected) in [
            (r#","response_format":"url""#, r#"{"created":7,"data":[{"url":"data:image/png;base64,aGk="}]}"#),
            (r#","response_format":"b64_json""#, r#"{"created":7,"data":[{"b64_json":"aGk="}]}"#),
            ("", r#"{"created":7,"data":[{"b64_json":"aGk="}]}"#),
        ] {
            let body = Bytes::from(format!(r#"{{"model":"imagen-4.0","prompt":"a cat"{format}}}"#));
            let context = Context { alias: &|_| None, signature: &|_| None, id: String::new(), created: 7 };
            let asked = decode(&Endpoint::Images, &body, &context, std::iter::empty()).unwrap();
            assert_eq!(asked.operation.whole(answer).unwrap().body, expected);
        }
    }
}
