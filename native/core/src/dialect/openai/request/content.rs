//! The content of one message: a string, or a list of parts, as Gemini's parts. Which message it belongs to is known
//! by the caller.

use super::media;
use super::reading::{Object, Place, RequestError, passed};
use crate::dialect::json::{Kind, Node};
use crate::generate::request::{Data, Text};

/// What may stand in a content, by who wrote it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Author {
    User,
    Assistant,
    /// System, developer and tools: text only.
    Other,
}

/// Texts and media in order; texts without a letter are left out, since Gemini takes no empty parts.
pub fn read<'a>(node: &Node<'a>, place: Place<'_>, author: Author) -> Result<Vec<Data<'a>>, RequestError> {
    match &node.kind {
        Kind::Null => Ok(Vec::new()),
        Kind::Text(literal) => Ok(text(passed(literal)).into_iter().collect()),
        Kind::List(items) => {
            let mut parts = Vec::with_capacity(items.len());
            for (index, item) in items.iter().enumerate() {
                parts.extend(part(item, Place::Item(&place, index), author)?);
            }
            Ok(parts)
        }
        _ => Err(place.must_be("a string or a list of parts")),
    }
}

/// The same where only text may stand.
pub fn texts<'a>(node: &Node<'a>, place: Place<'_>) -> Result<Vec<Text<'a>>, RequestError> {
    let parts = read(node, place, Author::Other)?;
    Ok(parts
        .into_iter()
        .filter_map(|data| if let Data::Text(text) = data { Some(text) } else { None })
        .collect())
}

fn text(text: Text<'_>) -> Option<Data<'_>> {
    Some(text).filter(|text| !text.is_empty()).map(Data::Text)
}

fn part<'a>(node: &Node<'a>, at: Place<'_>, author: Author) -> Result<Option<Data<'a>>, RequestError> {
    let part = Object::of(node, at)?;
    let kind = part.required_literal("type")?.decode();
    match (kind.as_ref(), author) {
        ("text", _) => Ok(text(passed(&part.required_literal("text")?))),
        ("refusal", Author::Assistant) => Ok(text(passed(&part.required_literal("refusal")?))),
        ("image_url", Author::User) => image(&part).map(Some),
        ("input_audio", Author::User) => audio(&part).map(Some),
        ("file", Author::User) => file(&part).map(Some),
        (other, _) => Err(part.place("type").error(format!(
            "A part of type `{other}` cannot be sent to Gemini from here; {}.",
            match author {
                Author::User => "a user's parts are text, image_url, input_audio and file",
                Author::Assistant => "an assistant's parts are text and refusal",
                Author::Other => "only text may stand here, media belong into a message of the user",
            }
        ))),
    }
}

fn image<'a>(part: &Object<'_, '_, 'a>) -> Result<Data<'a>, RequestError> {
    let image = Object::of(part.required("image_url")?, part.place("image_url"))?;
    media::image(&image.required_literal("url")?, &image.place("url"))
}

fn audio<'a>(part: &Object<'_, '_, 'a>) -> Result<Data<'a>, RequestError> {
    let audio = Object::of(part.required("input_audio")?, part.place("input_audio"))?;
    let format = audio.required_literal("format")?.decode();
    media::audio(&audio.required_literal("data")?, &format, &audio.place("data"))
}

fn file<'a>(part: &Object<'_, '_, 'a>) -> Result<Data<'a>, RequestError> {
    let file = Object::of(part.required("file")?, part.place("file"))?;
    let name = file.str("filename")?;
    match (file.literal("file_data")?, file.literal("file_id")?) {
        (Some(data), None) => media::file(&data, name.as_deref(), &file.place("file_data")),
        (None, Some(id)) => media::uploaded(&id, name.as_deref(), &file.place("file_id")),
        _ => Err(file.at.error(format!("`{}` must have either `file_data` or `file_id`.", file.at))),
    }
}
