//! What a client says to Google past OpenAI's fields. SDKs merge their `extra_body` into the body, so it arrives as the
//! field `google`; clients that follow Google's own examples send `extra_body.google` literally. Both are read here.

use super::reading::{Object, Place, RequestError};
use crate::dialect::json::Node;
use crate::generate::request::{Generate, Json};

/// Everything that may stand there, in Google's two spellings.
const KNOWN: [(&str, &str); 6] = [
    ("cached_content", "cachedContent"),
    ("media_resolution", "mediaResolution"),
    ("safety_settings", "safetySettings"),
    ("thinking_config", "thinkingConfig"),
    ("tools", "tools"),
    ("top_k", "topK"),
];

/// The field and where it stands.
pub fn find<'n, 'a>(
    body: &Object<'_, 'n, 'a>,
    extra: Option<&Object<'_, 'n, 'a>>,
) -> Result<Option<&'n Node<'a>>, RequestError> {
    match (body.get("google"), extra.and_then(|extra| extra.get("google"))) {
        (Some(_), Some(_)) => Err(Place::Field(&Place::Field(&Place::Body, "extra_body"), "google")
            .error("`google` and `extra_body.google` are the same; give one of them.")),
        (one, other) => Ok(one.or(other)),
    }
}

/// All but the thinking, which belongs together with `reasoning_effort`.
pub fn read<'a>(google: &Object<'_, '_, 'a>, generate: &mut Generate<'a>) -> Result<(), RequestError> {
    for name in google.names() {
        if !KNOWN.iter().any(|(snake, camel)| name == *snake || name == *camel) {
            let known: Vec<&str> = KNOWN.iter().map(|(snake, _)| *snake).collect();
            let place = google.place(name);
            return Err(place.error(format!("`{place}` is unknown; there are {}.", known.join(", "))));
        }
    }
    let name = |snake, camel| spelling(google, snake, camel);
    if let Some(name) = name("cached_content", "cachedContent")? {
        generate.cached_content = google.literal(name)?.map(|literal| super::reading::passed(&literal));
    }
    if let Some(name) = name("media_resolution", "mediaResolution")? {
        generate.config.media_resolution =
            google.literal(name)?.map(|literal| super::reading::passed(&literal));
    }
    if let Some(name) = name("safety_settings", "safetySettings")? {
        google.list(name)?;
        generate.safety = google.get(name).map(|node| Json::from(node.raw));
    }
    if let Some(name) = name("top_k", "topK")? {
        generate.config.top_k = google.number(name)?;
    }
    for (index, tool) in google.list("tools")?.unwrap_or_default().iter().enumerate() {
        let list = google.place("tools");
        let tool_at = Place::Item(&list, index);
        let fields = Object::of(tool, tool_at)?;
        if fields.get_either("function_declarations", "functionDeclarations")?.is_some() {
            return Err(
                tool_at.error("Functions are declared in `tools` of the request itself, as OpenAI has them.")
            );
        }
        generate.google_tools.push(Json::from(tool.raw));
    }
    Ok(())
}

/// Which of its two names a field has here, if it is here.
pub fn spelling(
    google: &Object<'_, '_, '_>,
    snake: &'static str,
    camel: &'static str,
) -> Result<Option<&'static str>, RequestError> {
    let found = google.get_either(snake, camel)?;
    Ok(found.map(|_| if google.get(snake).is_some() { snake } else { camel }))
}
