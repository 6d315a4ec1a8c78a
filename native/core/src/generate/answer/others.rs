//! Answers of Gemini's smaller calls: embeddings, Imagen's predictions, lists of models. As lenient as the rest.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::lenient::{list, or_default};
use super::{Text, Usage};

/// Of `batchEmbedContents` and `embedContent`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Embeddings<'a> {
    #[serde(borrow, deserialize_with = "list")]
    pub embeddings: Vec<Embedding<'a>>,
    #[serde(borrow)]
    pub embedding: Option<Embedding<'a>>,
    /// Newer embedding models give it, as far as is known.
    #[serde(alias = "usage_metadata", deserialize_with = "or_default")]
    pub usage_metadata: Option<Usage>,
    #[serde(borrow)]
    pub error: Option<&'a RawValue>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Embedding<'a> {
    /// A list of numbers.
    #[serde(borrow)]
    pub values: Option<&'a RawValue>,
}

/// Of Imagen's `predict`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Predictions<'a> {
    #[serde(borrow, deserialize_with = "list")]
    pub predictions: Vec<Prediction<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Prediction<'a> {
    #[serde(borrow, alias = "mime_type")]
    pub mime_type: Text<'a>,
    /// The JSON string with its quotes.
    #[serde(borrow, alias = "bytes_base64_encoded")]
    pub bytes_base64_encoded: Option<&'a RawValue>,
    #[serde(borrow, alias = "rai_filtered_reason")]
    pub rai_filtered_reason: Text<'a>,
    /// The prompt as Imagen rewrote it.
    #[serde(borrow)]
    pub prompt: Text<'a>,
}

/// One page of `models`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Models<'a> {
    #[serde(borrow, deserialize_with = "list")]
    pub models: Vec<Model<'a>>,
    #[serde(borrow, alias = "next_page_token")]
    pub next_page_token: Text<'a>,
    #[serde(borrow)]
    pub error: Option<&'a RawValue>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Model<'a> {
    /// `models/gemini-…`.
    #[serde(borrow)]
    pub name: Text<'a>,
    #[serde(borrow, alias = "display_name")]
    pub display_name: Text<'a>,
}
