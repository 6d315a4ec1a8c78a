//! `POST /v1/images/generations`: Imagen's models are asked by `:predict`, Gemini's image models by generateContent.
//! Both give pictures as base64; whether the client gets it as such or as a data URL is for the answer's encoder.

use bytes::Bytes;

use super::Context;
use super::model::{Generation, Model};
use super::options::{self, Refused, never};
use super::reading::{Object, Place, RequestError, parse, passed, text_of};
use crate::dialect::json::Node;
use crate::generate::body;
use crate::generate::pieces::Pieces;
use crate::generate::request::{Config, Data, Generate, Role, Text, Turn};

const REFUSED: [Refused; 8] = [
    Refused {
        field: "background",
        harmless: |node| is(node, &["auto", "opaque"]),
        instead: "its pictures have no transparent parts. Leave it out.",
    },
    Refused {
        field: "stream",
        harmless: |node| node.as_bool() == Some(false),
        instead: "pictures come whole. Leave it out.",
    },
    Refused {
        field: "partial_images",
        harmless: |node| node.as_i64() == Some(0),
        instead: "pictures come whole. Leave it out.",
    },
    Refused {
        field: "style",
        harmless: |node| is(node, &["vivid"]),
        instead: "it has no such switch. Describe the style in the prompt.",
    },
    Refused { field: "frame_count", harmless: never, instead: "it draws single pictures. Leave it out." },
    Refused {
        field: "frame_duration_ms",
        harmless: never,
        instead: "it draws single pictures. Leave it out.",
    },
    Refused { field: "svg", harmless: never, instead: "it draws in pixels. Leave it out." },
    Refused { field: "google", harmless: never, instead: "it is read for chat only. Leave it out." },
];

/// What each family draws, widest last.
const IMAGEN_RATIOS: [(&str, f64); 5] =
    [("9:16", 9.0 / 16.0), ("3:4", 0.75), ("1:1", 1.0), ("4:3", 4.0 / 3.0), ("16:9", 16.0 / 9.0)];
const GEMINI_RATIOS: [(&str, f64); 8] = [
    ("9:16", 9.0 / 16.0),
    ("2:3", 2.0 / 3.0),
    ("3:4", 0.75),
    ("1:1", 1.0),
    ("4:3", 4.0 / 3.0),
    ("3:2", 1.5),
    ("16:9", 16.0 / 9.0),
    ("21:9", 21.0 / 9.0),
];

/// A picture to be drawn, ready to be sent, and what the answer's encoder must know.
#[derive(Debug)]
pub struct Images {
    pub target: String,
    /// The model's name at Gemini.
    pub model: String,
    pub body: Vec<Bytes>,
    /// Answered by `:predict` (`predictions[].bytesBase64Encoded`), else by generateContent (`inlineData`).
    pub predict: bool,
    /// A data URL in place of base64 alone.
    pub as_url: bool,
    /// See [`Context::created`].
    pub created: u64,
}

struct Size {
    ratio: &'static str,
    pixels: Option<&'static str>,
}

pub fn decode(body: &Bytes, context: &Context<'_>) -> Result<Images, RequestError> {
    let text = text_of(body)?;
    let tree = parse(text)?;
    let request = Object::of(&tree, Place::Body)?;
    let model = Model::read(&request, context)?;
    options::refuse(&request, &REFUSED)?;
    let prompt = passed(&request.required_literal("prompt")?);
    if prompt.is_empty() {
        return Err(request.place("prompt").error("The prompt says nothing; describe a picture."));
    }
    let predict = model.name.starts_with("imagen");
    let count = request.count("n", 1)?;
    let size = size(&request, &model, predict)?;
    let (target, body) = if predict {
        let kind = output_type(&request, &["png", "jpeg"])?;
        (model.target("predict"), imagen(&prompt, count, size.as_ref(), kind, body))
    } else {
        output_type(&request, &["png"])?;
        if count.is_some_and(|count| count > 1) {
            return Err(request.place("n").error(format!(
                "`n` must be 1 with `{}`: it draws one picture in a call, and a request is one call here. Send the request \
                 once for each picture, or take a model of Imagen, which draws several at once.",
                model.name
            )));
        }
        (model.target("generateContent"), gemini(prompt, size.as_ref(), body))
    };
    Ok(Images {
        target,
        body,
        predict,
        as_url: as_url(&request, &model)?,
        created: context.created,
        model: model.name,
    })
}

/// OpenAI's own models give addresses when they are called `dall-e-…` and base64 when they are not; a client that
/// asks for one of them (by an alias) reads what it gave.
fn as_url(request: &Object<'_, '_, '_>, model: &Model) -> Result<bool, RequestError> {
    match request.str("response_format")?.as_deref() {
        Some("url") => Ok(true),
        Some("b64_json") => Ok(false),
        Some(_) => Err(request.place("response_format").must_be("url or b64_json")),
        None => Ok(model.written.starts_with("dall-e")),
    }
}

fn is(node: &Node<'_>, words: &[&str]) -> bool {
    node.as_str().is_some_and(|word| words.contains(&word.as_ref()))
}

/// `1536x1024` as the nearest shape that the family draws, and how large, where it has more than one size.
fn size(request: &Object<'_, '_, '_>, model: &Model, predict: bool) -> Result<Option<Size>, RequestError> {
    let Some(written) = request.str("size")?.filter(|size| size != "auto") else { return Ok(None) };
    let side = |text: &str| text.parse::<u32>().ok().filter(|side| (1..=16_384).contains(side));
    let sides = written.split_once('x').and_then(|(width, height)| Some((side(width)?, side(height)?)));
    let (width, height) = sides
        .ok_or_else(|| request.place("size").must_be("auto, or a width and a height such as 1024x1024"))?;
    let shape = f64::from(width) / f64::from(height);
    let far = |ratio: f64| (shape / ratio).ln().abs();
    let ratios: &[(&str, f64)] = if predict { &IMAGEN_RATIOS } else { &GEMINI_RATIOS };
    let nearest = ratios.iter().min_by(|one, other| far(one.1).total_cmp(&far(other.1)));
    let sized = matches!(model.generation(), Generation::Levels { .. }) || model.name.starts_with("imagen-4");
    let pixels = match width.max(height) {
        _ if !sized => None,
        4_096.. if !predict => Some("4K"),
        2_048.. => Some("2K"),
        _ => None,
    };
    Ok(nearest.map(|(ratio, _)| Size { ratio, pixels }))
}

/// `output_format`, where it is not the one that comes anyway.
fn output_type(request: &Object<'_, '_, '_>, known: &[&str]) -> Result<Option<&'static str>, RequestError> {
    let compression = request.whole("output_compression")?.is_some_and(|percent| percent != 100);
    let format = request.str("output_format")?;
    let format = format.as_deref().unwrap_or("png");
    if !known.contains(&format) {
        return Err(request
            .place("output_format")
            .error(format!("This model draws {} here; leave `output_format` out.", known.join(" or "))));
    }
    if compression {
        return Err(request.place("output_compression").error(
            "`output_compression` cannot be passed on to Gemini: it has no such switch. Leave it out.",
        ));
    }
    Ok((format == "jpeg").then_some("image/jpeg"))
}

fn imagen(
    prompt: &Text<'_>,
    count: Option<i64>,
    size: Option<&Size>,
    kind: Option<&str>,
    source: &Bytes,
) -> Vec<Bytes> {
    let mut out = Pieces::new(source);
    out.object(|out| {
        out.key("instances").array(|out| out.object(|out| out.key("prompt").text(prompt)));
        out.key("parameters").object(|out| {
            out.key("sampleCount").json(&count.unwrap_or(1).to_string());
            if let Some(size) = size {
                out.key("aspectRatio").str(size.ratio);
                if let Some(pixels) = size.pixels {
                    out.key("sampleImageSize").str(pixels);
                }
            }
            if let Some(kind) = kind {
                out.key("outputOptions").object(|out| out.key("mimeType").str(kind));
            }
        });
    });
    out.finish()
}

fn gemini(prompt: Text<'_>, size: Option<&Size>, source: &Bytes) -> Vec<Bytes> {
    let config = Config {
        modalities: &["IMAGE"],
        aspect_ratio: size.map(|size| size.ratio),
        image_size: size.and_then(|size| size.pixels),
        ..Config::default()
    };
    let parts = vec![Data::Text(prompt).into()];
    body::write(
        &Generate { turns: vec![Turn { role: Role::User, parts }], config, ..Generate::default() },
        source,
    )
}
