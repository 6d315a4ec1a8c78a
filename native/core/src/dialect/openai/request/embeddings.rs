//! `POST /v1/embeddings`: one text or many into one batchEmbedContents.

use bytes::Bytes;

use super::Context;
use super::model::Model;
use super::options::{self, Refused, never};
use super::reading::{Object, Place, RequestError, parse, passed, text_of};
use crate::dialect::json::{Kind, Node};
use crate::generate::pieces::Pieces;
use crate::generate::request::Text;

const REFUSED: [Refused; 2] = [
    Refused { field: "google", harmless: never, instead: "it is read for chat only. Leave it out." },
    Refused { field: "extra_body", harmless: never, instead: "it is read for chat only. Leave it out." },
];

/// Texts to be embedded, ready to be sent, and what the answer's encoder must know.
#[derive(Debug)]
pub struct Embeddings {
    pub target: String,
    /// The model's name at Gemini.
    pub model: String,
    /// As the client wrote it: the answer repeats it.
    pub asked_model: String,
    pub body: Vec<Bytes>,
    /// `encoding_format`: numbers as base64 of little-endian floats, or as JSON.
    pub base64: bool,
    /// How many texts.
    pub count: usize,
}

pub fn decode(body: &Bytes, context: &Context<'_>) -> Result<Embeddings, RequestError> {
    let text = text_of(body)?;
    let tree = parse(text)?;
    let request = Object::of(&tree, Place::Body)?;
    let model = Model::read(&request, context)?;
    options::refuse(&request, &REFUSED)?;
    let base64 = match request.str("encoding_format")?.as_deref() {
        None | Some("float") => false,
        Some("base64") => true,
        Some(_) => return Err(request.place("encoding_format").must_be("float or base64")),
    };
    let dimensions = request.count("dimensions", 1)?;
    let texts = input(&request)?;
    Ok(Embeddings {
        target: model.target("batchEmbedContents"),
        body: write(&model, &texts, dimensions, body),
        base64,
        count: texts.len(),
        asked_model: model.written,
        model: model.name,
    })
}

fn input<'a>(request: &Object<'_, '_, 'a>) -> Result<Vec<Text<'a>>, RequestError> {
    let place = request.place("input");
    let node = request.required("input")?;
    match &node.kind {
        Kind::Text(_) => Ok(vec![one(node, &place)?]),
        Kind::List(items) if items.is_empty() => {
            Err(place.error("`input` is empty; send at least one text."))
        }
        Kind::List(items) => {
            items.iter().enumerate().map(|(index, item)| one(item, &Place::Item(&place, index))).collect()
        }
        _ => Err(place.must_be("a string or a list of strings")),
    }
}

fn one<'a>(node: &Node<'a>, place: &Place<'_>) -> Result<Text<'a>, RequestError> {
    match &node.kind {
        Kind::Text(text) if text.inside().is_empty() => Err(place.error(format!("`{place}` is an empty text."))),
        Kind::Text(text) => Ok(passed(text)),
        Kind::Number | Kind::List(_) => Err(place.error(
            "Gemini does not know OpenAI's tokens; send texts. (LangChain: `check_embedding_ctx_length=False`.)",
        )),
        _ => Err(place.must_be("a string")),
    }
}

fn write(model: &Model, texts: &[Text<'_>], dimensions: Option<i64>, source: &Bytes) -> Vec<Bytes> {
    let name = model.resource();
    let mut out = Pieces::new(source);
    out.object(|out| {
        out.key("requests").list(texts, |out, text| {
            out.object(|out| {
                out.key("model").str(&name);
                out.key("content").object(|out| {
                    out.key("parts").array(|out| out.object(|out| out.key("text").text(text)));
                });
                if let Some(dimensions) = dimensions {
                    out.key("outputDimensionality").json(&dimensions.to_string());
                }
            });
        });
    });
    out.finish()
}
