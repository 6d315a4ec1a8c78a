//! What is asked of a model, in terms that every dialect can be decoded into. Long texts and media borrow from the
//! client's body, so that a large image is never copied on its way. What a field looks like on either wire is not known here.

use std::borrow::Cow;

/// A text on its way from one JSON to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Text<'a> {
    /// The inside of a JSON string as the client wrote it: its escapes are as good in Gemini's JSON as in theirs.
    Written(&'a str),
    /// To be escaped when it is written.
    Plain(Cow<'a, str>),
}

impl Text<'_> {
    pub fn is_empty(&self) -> bool {
        self.as_str().is_empty()
    }

    /// As it stands, escaped or not.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Written(text) => text,
            Self::Plain(text) => text,
        }
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self::Plain(Cow::Owned(text))
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self::Plain(Cow::Borrowed(text))
    }
}

/// One whole JSON value, written as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Json<'a>(pub Cow<'a, str>);

impl From<String> for Json<'_> {
    fn from(text: String) -> Self {
        Self(Cow::Owned(text))
    }
}

impl<'a> From<&'a str> for Json<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

/// One request to a model.
#[derive(Clone, Debug, Default)]
pub struct Generate<'a> {
    pub system: Vec<Part<'a>>,
    pub turns: Vec<Turn<'a>>,
    pub functions: Vec<Function<'a>>,
    /// Google's own tools (search, code execution), each an object as Gemini has it.
    pub google_tools: Vec<Json<'a>>,
    pub choice: Option<Choice<'a>>,
    pub safety: Option<Json<'a>>,
    pub cached_content: Option<Text<'a>>,
    pub config: Config<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    User,
    Model,
}

#[derive(Clone, Debug)]
pub struct Turn<'a> {
    pub role: Role,
    pub parts: Vec<Part<'a>>,
}

#[derive(Clone, Debug)]
pub struct Part<'a> {
    pub data: Data<'a>,
    /// What the model thought before it, sealed; it wants it back in its place.
    pub signature: Option<Text<'a>>,
}

impl<'a> From<Data<'a>> for Part<'a> {
    fn from(data: Data<'a>) -> Self {
        Self { data, signature: None }
    }
}

#[derive(Clone, Debug)]
pub enum Data<'a> {
    Text(Text<'a>),
    Inline { mime: Cow<'a, str>, base64: Text<'a> },
    File { uri: Text<'a>, mime: Option<Cow<'a, str>> },
    Call { id: Option<Text<'a>>, name: Text<'a>, args: Json<'a> },
    Answer { id: Option<Text<'a>>, name: Text<'a>, output: Output<'a> },
}

/// What a function gave back.
#[derive(Clone, Debug)]
pub enum Output<'a> {
    Object(Json<'a>),
    /// Pieces of one text.
    Text(Vec<Text<'a>>),
}

#[derive(Clone, Debug)]
pub struct Function<'a> {
    pub name: Text<'a>,
    pub description: Option<Text<'a>>,
    pub parameters: Option<Schema<'a>>,
}

/// A schema and the language that it is written in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Schema<'a> {
    JsonSchema(Json<'a>),
    /// Gemini's own, after OpenAPI 3.0.
    OpenApi(Json<'a>),
}

/// Which functions the model may or must call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice<'a> {
    Auto,
    Never,
    /// One at least; of these, where any are named.
    Must(Vec<Text<'a>>),
}

/// Numbers are kept as the client spelt them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config<'a> {
    pub temperature: Option<Json<'a>>,
    pub top_p: Option<Json<'a>>,
    pub top_k: Option<Json<'a>>,
    pub candidates: Option<i64>,
    pub max_tokens: Option<i64>,
    pub stop: Vec<Text<'a>>,
    pub seed: Option<i32>,
    pub presence_penalty: Option<Json<'a>>,
    pub frequency_penalty: Option<Json<'a>>,
    pub logprobs: Option<Logprobs>,
    pub thinking: Option<Thinking>,
    pub format: Format<'a>,
    pub modalities: &'static [&'static str],
    pub aspect_ratio: Option<&'static str>,
    pub image_size: Option<&'static str>,
    pub media_resolution: Option<Text<'a>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Logprobs {
    /// How many alternatives of each token.
    pub top: Option<i64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Thinking {
    pub amount: Option<Amount>,
    /// Summaries of the thoughts are part of the answer.
    pub shown: Option<bool>,
}

/// Invariant: a request says how much to think in one way only; Gemini refuses both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Amount {
    Budget(i64),
    Level(Cow<'static, str>),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Format<'a> {
    #[default]
    Text,
    Json(Option<Schema<'a>>),
}
