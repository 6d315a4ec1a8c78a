//! Media that clients attach: data URLs become inline data whose base64 is never touched, other addresses become
//! references that Google fetches, with a type guessed by the name's ending. Nothing is fetched here.

use std::borrow::Cow;

use super::reading::{Place, RequestError, passed};
use crate::dialect::json::{Literal, unescape};
use crate::generate::request::{Data, Text};

/// A data URL's head is short; a comma further on is not its.
const LONGEST_HEAD: usize = 256;
const IMAGE: &str = "image/jpeg";

/// Where Google keeps files that were uploaded; a bare id or `files/…` names one of them.
const FILES: &str = "https://generativelanguage.googleapis.com/v1beta/files/";

const TYPES: [(&str, &str); 38] = [
    ("png", "image/png"),
    ("jpg", IMAGE),
    ("jpeg", IMAGE),
    ("webp", "image/webp"),
    ("heic", "image/heic"),
    ("heif", "image/heif"),
    ("gif", "image/gif"),
    ("bmp", "image/bmp"),
    ("pdf", "application/pdf"),
    ("txt", "text/plain"),
    ("log", "text/plain"),
    ("md", "text/md"),
    ("html", "text/html"),
    ("htm", "text/html"),
    ("css", "text/css"),
    ("csv", "text/csv"),
    ("xml", "text/xml"),
    ("rtf", "text/rtf"),
    ("js", "text/javascript"),
    ("ts", "text/plain"),
    ("py", "text/x-python"),
    ("json", "application/json"),
    ("yaml", "text/plain"),
    ("yml", "text/plain"),
    ("wav", "audio/wav"),
    ("mp3", "audio/mp3"),
    ("aiff", "audio/aiff"),
    ("aac", "audio/aac"),
    ("ogg", "audio/ogg"),
    ("flac", "audio/flac"),
    ("m4a", "audio/m4a"),
    ("mp4", "video/mp4"),
    ("mpeg", "video/mpeg"),
    ("mpg", "video/mpg"),
    ("mov", "video/mov"),
    ("avi", "video/avi"),
    ("webm", "video/webm"),
    ("wmv", "video/wmv"),
];

/// `image_url.url`.
pub fn image<'a>(url: &Literal<'a>, place: &Place<'_>) -> Result<Data<'a>, RequestError> {
    if let Some(data) = data_url(url, place)? {
        return Ok(data);
    }
    let address = url.decode();
    if !is_address(&address) {
        return Err(place.error(format!(
            "`{place}` must be a data URL (`data:image/png;base64,…`) or an address that Google can fetch (https or gs)."
        )));
    }
    Ok(Data::File { uri: passed(url), mime: kind_of_address(&address, Some(IMAGE)) })
}

/// `input_audio`: bare base64 and its format.
pub fn audio<'a>(data: &Literal<'a>, format: &str, place: &Place<'_>) -> Result<Data<'a>, RequestError> {
    if let Some(data) = data_url(data, place)? {
        return Ok(data);
    }
    if !is_type(format) || format.contains('/') {
        return Err(place.error(format!("`{format}` is no format of audio; wav and mp3 are.")));
    }
    inline(format!("audio/{format}").into(), data.inside(), place)
}

/// `file.file_data`: a data URL, or bare base64 with a name that tells the type.
pub fn file<'a>(data: &Literal<'a>, name: Option<&str>, place: &Place<'_>) -> Result<Data<'a>, RequestError> {
    if let Some(data) = data_url(data, place)? {
        return Ok(data);
    }
    let mime = name.and_then(kind_of_name).ok_or_else(|| {
        place.error(format!(
            "The type of `{place}` is not known: send a data URL (`data:application/pdf;base64,…`), or a `filename` whose \
             ending tells it."
        ))
    })?;
    inline(mime.into(), data.inside(), place)
}

/// `file.file_id`: a file uploaded to Google, by its address, name or id.
pub fn uploaded<'a>(
    id: &Literal<'a>,
    name: Option<&str>,
    place: &Place<'_>,
) -> Result<Data<'a>, RequestError> {
    let written = id.decode();
    if is_address(&written) {
        let mime = name.and_then(kind_of_name).map(Cow::Borrowed);
        return Ok(Data::File { uri: passed(id), mime: mime.or_else(|| kind_of_address(&written, None)) });
    }
    let bare = written.strip_prefix("files/").unwrap_or(&written);
    if bare.is_empty()
        || !bare.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    {
        return Err(place
            .error(format!("`{written}` is no file of Gemini's; upload it there, its name is `files/…`.")));
    }
    Ok(Data::File {
        uri: Text::from(format!("{FILES}{bare}")),
        mime: name.and_then(kind_of_name).map(Cow::Borrowed),
    })
}

/// The data of a data URL; `None` when it is none.
fn data_url<'a>(url: &Literal<'a>, place: &Place<'_>) -> Result<Option<Data<'a>>, RequestError> {
    let inside = url.inside();
    if !inside.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:")) {
        return Ok(None);
    }
    let wrong = || {
        place.error(format!(
            "`{place}` must be like `data:image/png;base64,…`: a type, the word base64, a comma, the data."
        ))
    };
    let comma =
        memchr::memchr(b',', &inside.as_bytes()[..inside.len().min(LONGEST_HEAD)]).ok_or_else(wrong)?;
    let head = unescape(&inside[5..comma]);
    let (mime, parameters) = head.split_once(';').ok_or_else(wrong)?;
    if !is_type(mime) || parameters.rsplit(';').next().is_none_or(|last| last.trim() != "base64") {
        return Err(wrong());
    }
    inline(mime.to_ascii_lowercase().into(), &inside[comma + 1..], place).map(Some)
}

fn inline<'a>(mime: Cow<'a, str>, base64: &'a str, place: &Place<'_>) -> Result<Data<'a>, RequestError> {
    if base64.is_empty() {
        return Err(place.error(format!("`{place}` holds no data.")));
    }
    Ok(Data::Inline { mime, base64: Text::Written(base64) })
}

fn is_type(mime: &str) -> bool {
    !mime.is_empty() && mime.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/+-._".contains(&byte))
}

fn is_address(text: &str) -> bool {
    ["https://", "http://", "gs://"].iter().any(|scheme| text.starts_with(scheme))
}

/// Google knows the type of its own files, and of videos on YouTube.
fn kind_of_address(address: &str, otherwise: Option<&'static str>) -> Option<Cow<'static, str>> {
    let path = address.split(['?', '#']).next().unwrap_or(address);
    let its_own = path.contains("/files/") && path.contains("/v1") || path.contains("://www.youtube.com/");
    if its_own {
        return None;
    }
    kind_of_name(path).or(otherwise).map(Cow::Borrowed)
}

fn kind_of_name(name: &str) -> Option<&'static str> {
    let (_, ending) = name.rsplit_once('.')?;
    TYPES.iter().find(|(known, _)| ending.eq_ignore_ascii_case(known)).map(|(_, mime)| *mime)
}
