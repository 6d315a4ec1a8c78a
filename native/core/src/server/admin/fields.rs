//! Reads what a caller gives: the fields of a JSON body and the parameters of a query, each against the list of its
//! route. Anything unknown, missing or of another kind is refused with its name. What fields mean is not known here.

use bytes::Bytes;
use http::header::{self, HeaderMap};
use http::{StatusCode, Uri};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::{Map, Value};

use super::answers::Fault;
use crate::server::client_body::ClientBody;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    /// A whole number that is not negative.
    Number,
    Flag,
}

/// One field of a body.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    pub name: &'static str,
    pub kind: Kind,
    pub required: bool,
    pub nullable: bool,
}

impl Field {
    pub const fn text(name: &'static str) -> Self {
        Self { name, kind: Kind::Text, required: false, nullable: false }
    }

    pub const fn number(name: &'static str) -> Self {
        Self { kind: Kind::Number, ..Self::text(name) }
    }

    pub const fn flag(name: &'static str) -> Self {
        Self { kind: Kind::Flag, ..Self::text(name) }
    }

    pub const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    pub const fn or_null(self) -> Self {
        Self { nullable: true, ..self }
    }

    fn check(&self, value: &Value) -> Result<(), Fault> {
        let (fits, wanted) = match self.kind {
            Kind::Text => (value.is_string(), "a text"),
            Kind::Flag => (value.is_boolean(), "true or false"),
            Kind::Number => (whole(value).is_some(), "a whole number from 0 to 4294967295"),
        };
        if fits || (self.nullable && value.is_null()) {
            return Ok(());
        }
        let or_null = if self.nullable { " or null" } else { "" };
        Err(Fault::invalid(self.name, format!("The field \"{}\" must be {wanted}{or_null}.", self.name)))
    }
}

/// JSON knows no whole numbers: `1.0` is one.
fn whole(value: &Value) -> Option<u32> {
    let number = value.as_u64().or_else(|| {
        let number = value.as_f64().filter(|number| number.fract() == 0.0 && *number >= 0.0)?;
        (number <= f64::from(u32::MAX)).then_some(number as u64)
    });
    number.and_then(|number| u32::try_from(number).ok())
}

/// The fields of one body, each of the kind that its route wants.
#[derive(Debug, Default)]
pub struct Fields(Map<String, Value>);

impl Fields {
    /// A route without fields needs no body.
    pub fn read(headers: &HeaderMap, body: &[u8], wanted: &[Field]) -> Result<Self, Fault> {
        let given = match (body.is_empty(), wanted.is_empty()) {
            (true, true) => Map::new(),
            (true, false) => {
                return Err(Fault::new(StatusCode::BAD_REQUEST, "The body is missing; send JSON."));
            }
            (false, _) => object(headers, body)?,
        };
        if let Some(unknown) = given.keys().find(|name| !wanted.iter().any(|field| field.name == *name)) {
            let names: Vec<&str> = wanted.iter().map(|field| field.name).collect();
            let words = match names.is_empty() {
                true => "This path takes no fields; leave the body out.".to_owned(),
                false => format!("There is no such field here; this path takes {}.", names.join(", ")),
            };
            return Err(Fault::invalid(unknown, words));
        }
        for field in wanted {
            match given.get(field.name) {
                Some(value) => field.check(value)?,
                None if field.required => {
                    let words = format!("The field \"{}\" is missing.", field.name);
                    return Err(Fault::invalid(field.name, words));
                }
                None => {}
            }
        }
        Ok(Self(given))
    }

    pub fn text(&mut self, name: &str) -> Option<String> {
        match self.0.remove(name) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    pub fn number(&self, name: &str) -> Option<u32> {
        self.0.get(name).and_then(whole)
    }

    pub fn flag(&self, name: &str) -> Option<bool> {
        self.0.get(name).and_then(Value::as_bool)
    }

    pub fn is_null(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(Value::is_null)
    }
}

fn object(headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>, Fault> {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = given.split(';').next().unwrap_or_default().trim();
    if !media.eq_ignore_ascii_case("application/json") {
        let words = "The body must be JSON, and the header Content-Type must say application/json.";
        return Err(Fault::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, words));
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(Fault::new(StatusCode::BAD_REQUEST, "The body must be a JSON object.")),
        // The parser's words may repeat a part of the body; where it is enough.
        Err(error) => {
            let words = format!("The body is not JSON: line {}, column {}.", error.line(), error.column());
            Err(Fault::new(StatusCode::BAD_REQUEST, words))
        }
    }
}

/// The whole body, up to `most` bytes.
pub async fn collect(body: ClientBody, most: usize) -> Result<Bytes, Fault> {
    match Limited::new(body, most).collect().await {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            let words = format!("The body is larger than this path takes, {} MiB.", most / (1024 * 1024));
            Err(Fault::new(StatusCode::PAYLOAD_TOO_LARGE, words))
        }
        Err(_) => Err(Fault::new(StatusCode::BAD_REQUEST, "The body broke off. Send the request again.")),
    }
}

/// The parameters of a query, each at most once and none unknown.
#[derive(Debug, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    pub fn read(uri: &Uri, wanted: &[&str]) -> Result<Self, Fault> {
        let mut given: Vec<(String, String)> = Vec::new();
        for (name, value) in url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
            if !wanted.contains(&&*name) {
                let words = match wanted.is_empty() {
                    true => "This path takes no parameters.".to_owned(),
                    false => format!("There is no such parameter; this path takes {}.", wanted.join(", ")),
                };
                return Err(Fault::invalid(&name, words));
            }
            if given.iter().any(|(known, _)| *known == name) {
                return Err(Fault::invalid(&name, "This parameter is given twice."));
            }
            given.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(given))
    }

    pub fn text(&self, name: &str) -> Option<String> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const WANTED: &[Field] =
        &[Field::text("key").required(), Field::number("weight"), Field::text("project").or_null()];

    fn json() -> HeaderMap {
        let value = HeaderValue::from_static("application/json; charset=utf-8");
        HeaderMap::from_iter([(header::CONTENT_TYPE, value)])
    }

    #[test]
    fn each_wrong_field_is_named() {
        for (body, path) in [
            (r#"{"key":1}"#, Some("key")),
            (r#"{"key":null}"#, Some("key")),
            (r#"{}"#, Some("key")),
            ("", None),
            (r#"{"key":"k","weight":-1}"#, Some("weight")),
            (r#"{"key":"k","weight":1.5}"#, Some("weight")),
            (r#"{"key":"k","weight":4294967296}"#, Some("weight")),
            (r#"{"key":"k","wieght":1}"#, Some("wieght")),
            (r#"["key"]"#, None),
            (r#"{"key":"secret"#, None),
        ] {
            let fault = Fields::read(&json(), body.as_bytes(), WANTED).unwrap_err();
            assert_eq!(fault.status, 400);
            let words = format!("{fault:?}");
            assert!(path.is_none_or(|path| words.contains(&format!("Some(\"{path}\")"))), "{body}: {words}");
            assert!(!words.contains("secret"), "{words}");
        }
    }

    #[test]
    fn fields_come_as_the_kind_that_was_wanted() {
        let body = br#"{"key":"k","weight":2.0,"project":null}"#;
        let mut fields = Fields::read(&json(), body, WANTED).unwrap();
        assert_eq!((fields.text("key"), fields.number("weight")), (Some("k".to_owned()), Some(2)));
        assert!(fields.is_null("project") && fields.text("project").is_none());
        let fault = Fields::read(&HeaderMap::new(), body, WANTED).unwrap_err();
        assert_eq!(fault.status, 415);
    }

    #[test]
    fn parameters_are_known_and_given_once() {
        let read = |query: &str| {
            let uri: Uri = format!("/admin/requests?{query}").parse().unwrap();
            Query::read(&uri, &["limit", "text"])
        };
        assert_eq!(read("limit=5&text=a%20b").unwrap().text("text").as_deref(), Some("a b"));
        assert!(read("limt=5").is_err() && read("limit=5&limit=6").is_err());
    }
}
