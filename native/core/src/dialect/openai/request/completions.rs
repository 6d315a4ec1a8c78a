//! `POST /v1/completions`, the form before chat: one prompt into one generateContent.

use bytes::Bytes;

use super::super::Asked;
use super::model::Model;
use super::options::{self, Refused, is_empty};
use super::reading::{Object, Place, RequestError, parse, passed, text_of};
use super::{Context, Decoded, Opening};
use crate::dialect::json::{Kind, Node};
use crate::generate::body;
use crate::generate::request::{Config, Data, Generate, Logprobs, Role, Text, Turn};

const REFUSED: [Refused; 3] = [
    Refused {
        field: "echo",
        harmless: |node| node.as_bool() == Some(false),
        instead: "its answers do not repeat the prompt. Leave it out.",
    },
    Refused {
        field: "logit_bias",
        harmless: is_empty,
        instead: "it has no weights for single tokens. Leave it out.",
    },
    Refused {
        field: "suffix",
        harmless: |node| node.as_str().is_some_and(|text| text.is_empty()),
        instead: "it does not write between two texts. Say in the prompt what is to come after the answer.",
    },
];

pub fn decode(body: &Bytes, context: &Context<'_>) -> Result<Decoded, RequestError> {
    let text = text_of(body)?;
    let tree = parse(text)?;
    let request = Object::of(&tree, Place::Body)?;
    let model = Model::read(&request, context)?;
    options::refuse(&request, &REFUSED)?;
    let (streams, include_usage) = options::streaming(&request)?;
    let config = Config {
        max_tokens: request.count("max_tokens", 1)?,
        logprobs: request.count("logprobs", 0)?.map(|top| Logprobs { top: Some(top) }),
        ..options::read(&request)?
    };
    best_of(&request)?;
    let parts = vec![Data::Text(prompt(&request)?).into()];
    let generate = Generate { turns: vec![Turn { role: Role::User, parts }], config, ..Generate::default() };
    Ok(Decoded {
        conversation: Opening::of(&generate),
        target: model.target(options::call(streams)),
        body: body::write(&generate, body),
        asked: Asked {
            model: model.written,
            id: context.id.clone(),
            created: context.created,
            completion: true,
            streams,
            include_usage,
            ..Asked::default()
        },
        model: model.name,
        calls: Vec::new(),
    })
}

fn prompt<'a>(request: &Object<'_, '_, 'a>) -> Result<Text<'a>, RequestError> {
    let place = request.place("prompt");
    let node = request.required("prompt")?;
    let literal = match &node.kind {
        Kind::Text(prompt) => prompt,
        Kind::List(prompts) => match prompts.as_slice() {
            [Node { kind: Kind::Text(prompt), .. }] => prompt,
            [Node { kind: Kind::Number | Kind::List(_), .. }, ..] => {
                return Err(place.error("Gemini does not know OpenAI's tokens; send the prompt as text."));
            }
            _ => {
                return Err(
                    place.error("One request has one prompt here; send each prompt as a request of its own.")
                );
            }
        },
        _ => return Err(place.must_be("a string")),
    };
    let prompt = passed(literal);
    if prompt.is_empty() { Err(place.error("The prompt says nothing; send some text.")) } else { Ok(prompt) }
}

/// More candidates than are given back cost tokens for nothing here: Gemini does not rank them.
fn best_of(request: &Object<'_, '_, '_>) -> Result<(), RequestError> {
    let candidates = request.count("n", 1)?.unwrap_or(1);
    match request.count("best_of", 1)? {
        Some(best_of) if best_of != candidates => Err(request
            .place("best_of")
            .error("`best_of` cannot be passed on to Gemini: it does not rank its answers. Leave it out, or ask for `n`.")),
        _ => Ok(()),
    }
}
