//! The settings that chat and the completions before it share: sampling, lengths, stops, alternatives. What the two name
//! differently is read elsewhere.

use super::reading::{Object, Place, RequestError, passed};
use crate::dialect::json::{Kind, Node};
use crate::generate::request::{Config, Text};

/// Gemini's own limit; OpenAI's is four.
const MOST_STOPS: usize = 5;

pub fn read<'a>(body: &Object<'_, '_, 'a>) -> Result<Config<'a>, RequestError> {
    Ok(Config {
        temperature: body.number("temperature")?,
        top_p: body.number("top_p")?,
        // Not OpenAI's, but what many clients send to compatible endpoints.
        top_k: body.number("top_k")?,
        presence_penalty: body.number("presence_penalty")?,
        frequency_penalty: body.number("frequency_penalty")?,
        candidates: body.count("n", 1)?.filter(|count| *count > 1),
        seed: seed(body)?,
        stop: stops(body)?,
        ..Config::default()
    })
}

/// Gemini's seeds have 32 bits: of a longer one the lower bits count, so that equal seeds stay equal.
fn seed(body: &Object<'_, '_, '_>) -> Result<Option<i32>, RequestError> {
    Ok(body.whole("seed")?.map(|seed| seed as i32))
}

fn stops<'a>(body: &Object<'_, '_, 'a>) -> Result<Vec<Text<'a>>, RequestError> {
    let place = body.place("stop");
    let stops = match body.get("stop").map(|node| &node.kind) {
        None => Vec::new(),
        Some(Kind::Text(stop)) => vec![passed(stop)],
        Some(Kind::List(stops)) => {
            let text = |(index, node): (usize, &Node<'a>)| match &node.kind {
                Kind::Text(stop) => Ok(passed(stop)),
                _ => Err(Place::Item(&place, index).must_be("a string")),
            };
            stops.iter().enumerate().map(text).collect::<Result<_, _>>()?
        }
        Some(_) => return Err(place.must_be("a string or a list of strings")),
    };
    if stops.len() > MOST_STOPS {
        return Err(
            place.error(format!("Gemini takes {MOST_STOPS} stop texts at most; there are {}.", stops.len()))
        );
    }
    Ok(stops.into_iter().filter(|stop| !stop.is_empty()).collect())
}

/// Whether pieces are wanted as they come, and the usage with them.
pub fn streaming(body: &Object<'_, '_, '_>) -> Result<(bool, bool), RequestError> {
    let streams = body.bool("stream")?;
    let usage = match body.object("stream_options")? {
        Some(options) => options.bool("include_usage")?,
        None => false,
    };
    Ok((streams, streams && usage))
}

/// The call that answers in this way.
pub fn call(streams: bool) -> &'static str {
    if streams { "streamGenerateContent?alt=sse" } else { "generateContent" }
}

/// A field that Gemini has no counterpart for.
pub struct Refused {
    pub field: &'static str,
    /// Whether a value asks for nothing.
    pub harmless: fn(&Node<'_>) -> bool,
    /// What to do instead.
    pub instead: &'static str,
}

pub fn never(_: &Node<'_>) -> bool {
    false
}

pub fn is_empty(node: &Node<'_>) -> bool {
    node.as_object().is_some_and(<[_]>::is_empty)
}

pub fn refuse(body: &Object<'_, '_, '_>, refused: &[Refused]) -> Result<(), RequestError> {
    for Refused { field, harmless, instead } in refused {
        if let Some(node) = body.get(field)
            && !harmless(node)
        {
            return Err(body
                .place(field)
                .error(format!("`{field}` cannot be passed on to Gemini: {instead}")));
        }
    }
    Ok(())
}
