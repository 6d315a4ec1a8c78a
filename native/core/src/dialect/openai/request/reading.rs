//! Reads the fields of a client's JSON objects and says, when one is not as it must be, which and where, in OpenAI's
//! way of naming places (`messages[3].content[0].type`). What the fields mean is not known here.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use bytes::Bytes;

use crate::dialect::json::{Kind, Literal, Node};
use crate::generate::request::{Json, Text};

/// Why a request is refused: OpenAI's 400 `invalid_request_error`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestError {
    /// The place, where there is one.
    pub param: Option<String>,
    /// Whole sentences: what, where, what to do.
    pub message: String,
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for RequestError {}

/// A place in the body; spelt out only when something is wrong there.
#[derive(Clone, Copy)]
pub enum Place<'p> {
    Body,
    Field(&'p Self, &'p str),
    Item(&'p Self, usize),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body => Ok(()),
            Self::Field(Self::Body, name) => f.write_str(name),
            Self::Field(parent, name) => write!(f, "{parent}.{name}"),
            Self::Item(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

impl Place<'_> {
    pub fn error(&self, message: impl Into<String>) -> RequestError {
        let param = Some(self.to_string()).filter(|place| !place.is_empty());
        RequestError { param, message: message.into() }
    }

    /// "`temperature` must be a number."
    pub fn must_be(&self, what: &str) -> RequestError {
        match self {
            Self::Body => self.error(format!("The body must be {what}.")),
            _ => self.error(format!("`{self}` must be {what}.")),
        }
    }
}

/// The body as text, then as a tree.
pub fn text_of(body: &Bytes) -> Result<&str, RequestError> {
    std::str::from_utf8(body).map_err(|error| {
        Place::Body.error(format!("The body is not UTF-8 text: byte {} is wrong.", error.valid_up_to()))
    })
}

pub fn parse(text: &str) -> Result<Node<'_>, RequestError> {
    Node::parse(text).map_err(|malformed| Place::Body.error(format!("The body is not JSON: {malformed}.")))
}

/// A string as it goes on to Gemini.
pub fn passed<'a>(literal: &Literal<'a>) -> Text<'a> {
    if literal.is_broken() { Text::Plain(literal.decode()) } else { Text::Written(literal.inside()) }
}

/// An object's fields; `null` counts as absent.
pub struct Object<'p, 'n, 'a> {
    fields: &'n [(Cow<'a, str>, Node<'a>)],
    pub at: Place<'p>,
}

impl<'p, 'n, 'a> Object<'p, 'n, 'a> {
    pub fn of(node: &'n Node<'a>, at: Place<'p>) -> Result<Self, RequestError> {
        let fields = node.as_object().ok_or_else(|| at.must_be("an object"))?;
        match twice(fields) {
            Some(name) => Err(Place::Field(&at, name)
                .error(format!("`{name}` is given twice in one object; give it once."))),
            None => Ok(Self { fields, at }),
        }
    }

    pub fn names(&self) -> impl Iterator<Item = &'n str> {
        self.fields.iter().filter(|(_, value)| !value.is_null()).map(|(name, _)| name.as_ref())
    }

    pub fn place<'s>(&'s self, name: &'s str) -> Place<'s> {
        Place::Field(&self.at, name)
    }

    pub fn get(&self, name: &str) -> Option<&'n Node<'a>> {
        self.fields.iter().find(|(key, value)| key == name && !value.is_null()).map(|(_, value)| value)
    }

    /// A field that Google's own clients spell in two ways.
    pub fn get_either(
        &self,
        snake: &'static str,
        camel: &'static str,
    ) -> Result<Option<&'n Node<'a>>, RequestError> {
        match (self.get(snake), self.get(camel)) {
            (Some(_), Some(_)) => {
                Err(self.place(camel).error(format!("`{snake}` and `{camel}` are the same field; give one.")))
            }
            (one, other) => Ok(one.or(other)),
        }
    }

    pub fn required(&self, name: &str) -> Result<&'n Node<'a>, RequestError> {
        self.get(name).ok_or_else(|| {
            let place = self.place(name);
            place.error(format!("`{place}` is missing."))
        })
    }

    fn read<T>(
        &self,
        name: &str,
        what: &str,
        read: impl FnOnce(&'n Node<'a>) -> Option<T>,
    ) -> Result<Option<T>, RequestError> {
        self.get(name).map(|node| read(node).ok_or_else(|| self.place(name).must_be(what))).transpose()
    }

    pub fn literal(&self, name: &str) -> Result<Option<Literal<'a>>, RequestError> {
        self.read(name, "a string", |node| match &node.kind {
            Kind::Text(literal) => Some(*literal),
            _ => None,
        })
    }

    pub fn str(&self, name: &str) -> Result<Option<Cow<'a, str>>, RequestError> {
        Ok(self.literal(name)?.map(|literal| literal.decode()))
    }

    pub fn required_literal(&self, name: &str) -> Result<Literal<'a>, RequestError> {
        self.required(name)?;
        self.literal(name)?.ok_or_else(|| self.place(name).must_be("a string"))
    }

    pub fn bool(&self, name: &str) -> Result<bool, RequestError> {
        Ok(self.read(name, "true or false", Node::as_bool)?.unwrap_or(false))
    }

    pub fn whole(&self, name: &str) -> Result<Option<i64>, RequestError> {
        self.read(name, "a whole number", Node::as_i64)
    }

    /// A whole number that is not too small to mean something.
    pub fn count(&self, name: &str, least: i64) -> Result<Option<i64>, RequestError> {
        match self.whole(name)? {
            Some(number) if number < least => Err(self.place(name).must_be(&format!("{least} or more"))),
            number => Ok(number),
        }
    }

    /// Any number, as it was spelt.
    pub fn number(&self, name: &str) -> Result<Option<Json<'a>>, RequestError> {
        self.read(name, "a number", |node| node.as_f64().map(|_| Json::from(node.raw)))
    }

    pub fn list(&self, name: &str) -> Result<Option<&'n [Node<'a>]>, RequestError> {
        self.read(name, "a list", Node::as_list)
    }

    pub fn object<'s>(&'s self, name: &'s str) -> Result<Option<Object<'s, 'n, 'a>>, RequestError> {
        self.get(name).map(|node| Object::of(node, self.place(name))).transpose()
    }
}

fn twice<'n>(fields: &'n [(Cow<'_, str>, Node<'_>)]) -> Option<&'n str> {
    const FEW: usize = 40;
    if fields.len() > FEW {
        let mut seen = HashSet::with_capacity(fields.len());
        return fields.iter().map(|(name, _)| name.as_ref()).find(|name| !seen.insert(*name));
    }
    let repeated = |(index, (name, _)): (usize, &'n (Cow<'_, str>, Node<'_>))| {
        fields[..index].iter().any(|(earlier, _)| earlier == name).then_some(name.as_ref())
    };
    fields.iter().enumerate().find_map(repeated)
}
