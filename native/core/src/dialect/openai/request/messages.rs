//! OpenAI's messages, one after the other, into a conversation: who says what, which call is which, and where its
//! thought signature comes from.

use std::borrow::Cow;

use super::super::FindSignature;
use super::content::{self, Author};
use super::conversation::{Conversation, Misplaced};
use super::names::Names;
use super::reading::{Object, Place, RequestError, passed};
use crate::dialect::json::{Kind, Node};
use crate::generate::request::{Data, Json, Output, Part, Text};

/// Longer results of tools stay text, so that they are not copied.
const WORTH_READING: usize = 64 * 1024;
/// Google's JSON reader gives up at a hundred levels of its own, two for each of these.
const DEEPEST: usize = 32;

pub struct Reader<'r, 'a> {
    pub conversation: Conversation<'a>,
    pub names: &'r mut Names<'a>,
    pub signature: FindSignature<'r>,
}

impl<'a> Reader<'_, 'a> {
    pub fn read(&mut self, messages: &[Node<'a>], place: Place<'_>) -> Result<(), RequestError> {
        for (index, message) in messages.iter().enumerate() {
            self.message(&Object::of(message, Place::Item(&place, index))?)?;
        }
        let last = Place::Item(&place, messages.len().saturating_sub(1));
        self.settle(&last)
    }

    fn message(&mut self, message: &Object<'_, '_, 'a>) -> Result<(), RequestError> {
        let role = message.required_literal("role")?.decode();
        if !matches!(role.as_ref(), "tool" | "function") {
            self.settle(&message.at)?;
        }
        match role.as_ref() {
            "system" | "developer" => {
                let texts = content::texts(message.required("content")?, message.place("content"))?;
                self.conversation.system.extend(texts.into_iter().map(|text| Part::from(Data::Text(text))));
                Ok(())
            }
            "user" => {
                let content = message.required("content")?;
                self.conversation.user(content::read(content, message.place("content"), Author::User)?);
                Ok(())
            }
            "assistant" => self.assistant(message),
            "tool" => self.tool(message),
            "function" => self.function(message),
            other => Err(message.place("role").error(format!(
                "`{other}` is no role; there are system, developer, user, assistant, tool and function."
            ))),
        }
    }

    fn settle(&mut self, before: &Place<'_>) -> Result<(), RequestError> {
        self.conversation.settle().map_err(|call| {
            before.error(format!(
                "The assistant's call `{call}` has no answer: before the next message each call needs a message of role \
                 `tool` with its `tool_call_id`."
            ))
        })
    }

    fn assistant(&mut self, message: &Object<'_, '_, 'a>) -> Result<(), RequestError> {
        if message.get("audio").is_some() {
            return Err(message.place("audio").error(
                "Spoken answers are kept by OpenAI and not known here; send the answer's transcript as `content`.",
            ));
        }
        let mut parts: Vec<Part<'a>> = match message.get("content") {
            Some(content) => content::read(content, message.place("content"), Author::Assistant)?,
            None => message.literal("refusal")?.map(|text| Data::Text(passed(&text))).into_iter().collect(),
        }
        .into_iter()
        .map(Part::from)
        .collect();
        if let Some(signature) = carried_signature(message)? {
            match parts.last_mut() {
                Some(part) => part.signature = Some(signature),
                // Gemini may seal an empty text at an answer's end.
                None => parts.push(Part { data: Data::Text("".into()), signature: Some(signature) }),
            }
        }
        self.conversation.model(parts);
        self.calls(message)
    }

    fn calls(&mut self, message: &Object<'_, '_, 'a>) -> Result<(), RequestError> {
        let list = message.place("tool_calls");
        for (index, call) in message.list("tool_calls")?.unwrap_or_default().iter().enumerate() {
            let call = Object::of(call, Place::Item(&list, index))?;
            let id = call.required_literal("id")?.decode();
            let Some(function) = call.object("function")? else {
                return Err(call.at.error(format!(
                    "`{}` is no call of a function; calls of other kinds cannot be sent to Gemini.",
                    call.at
                )));
            };
            let signature = match carried_signature(&call)? {
                None => (self.signature)(&id).map(|signature| Text::from(signature.to_string())),
                carried => carried,
            };
            self.call(Some(id), &function, signature)?;
        }
        match message.object("function_call")? {
            Some(function) => {
                let signature = carried_signature(&function)?;
                self.call(None, &function, signature)
            }
            None => Ok(()),
        }
    }

    fn call(
        &mut self,
        id: Option<Cow<'a, str>>,
        function: &Object<'_, '_, 'a>,
        signature: Option<Text<'a>>,
    ) -> Result<(), RequestError> {
        let name = named(function)?;
        let args = arguments(function)?;
        self.conversation.call(id, self.names.of(name), args, signature);
        Ok(())
    }

    fn tool(&mut self, message: &Object<'_, '_, 'a>) -> Result<(), RequestError> {
        let id = message.required_literal("tool_call_id")?.decode();
        let output = output(message)?;
        self.conversation.answer(&id, output).map_err(|why| {
            let place = message.place("tool_call_id");
            place.error(match why {
                Misplaced::NoSuchCall => format!(
                    "`{id}` is no call of the assistant's message right before; an answer follows the message whose \
                     `tool_calls` it answers."
                ),
                Misplaced::AnsweredTwice => format!("The call `{id}` is answered twice; answer it once."),
            })
        })
    }

    fn function(&mut self, message: &Object<'_, '_, 'a>) -> Result<(), RequestError> {
        let name = named(message)?;
        let output = output(message)?;
        let gemini = self.names.of(name.clone());
        self.conversation.answer_by_name(&gemini, output).map_err(|_| {
            message.place("name").error(format!(
                "`{name}` was not called by the assistant's message right before, or is answered twice."
            ))
        })
    }
}

/// A function's name, which must be one.
pub fn named<'a>(object: &Object<'_, '_, 'a>) -> Result<Cow<'a, str>, RequestError> {
    let name = object.required_literal("name")?.decode();
    if name.is_empty() { Err(object.place("name").must_be("a name")) } else { Ok(name) }
}

/// Google's own carrier of signatures in OpenAI's form.
fn carried_signature<'a>(object: &Object<'_, '_, 'a>) -> Result<Option<Text<'a>>, RequestError> {
    let Some(extra) = object.object("extra_content")? else { return Ok(None) };
    let Some(google) = extra.object("google")? else { return Ok(None) };
    let signature = google.literal("thought_signature")?;
    Ok(signature.filter(|signature| !signature.inside().is_empty()).map(|signature| passed(&signature)))
}

/// The arguments of a call, an object in a string. What is no object came from another model: it is handed on under a
/// name, since Gemini takes nothing but objects.
fn arguments<'a>(function: &Object<'_, '_, 'a>) -> Result<Json<'a>, RequestError> {
    let written = match function.get("arguments").map(|node| &node.kind) {
        None => return Ok(Json::from("{}")),
        Some(Kind::Text(written)) => written,
        Some(_) => {
            let arguments = function.place("arguments");
            return Err(arguments.error(format!("`{arguments}` must be a string that holds a JSON object.")));
        }
    };
    let text = written.decode();
    if text.trim_ascii().is_empty() {
        return Ok(Json::from("{}"));
    }
    if is_plain_object(&text) {
        return Ok(Json(text));
    }
    Ok(Json::from(format!("{{\"arguments\":{}}}", serde_json::Value::from(text))))
}

/// What a tool gave: a small JSON object is handed on as one, everything else as text.
fn output<'a>(message: &Object<'_, '_, 'a>) -> Result<Output<'a>, RequestError> {
    let place = message.place("content");
    let Some(content) = message.get("content") else { return Ok(Output::Text(Vec::new())) };
    if let Kind::Text(literal) = &content.kind
        && literal.inside().len() <= WORTH_READING
        && literal.inside().trim_ascii_start().starts_with('{')
    {
        let text = literal.decode();
        if is_plain_object(&text) && keeps_its_numbers(&text) {
            return Ok(Output::Object(Json(text)));
        }
    }
    Ok(Output::Text(content::texts(content, place)?))
}

fn is_plain_object(text: &str) -> bool {
    let is_whole = |node: &Node<'_>| !matches!(&node.kind, Kind::Text(literal) if literal.is_broken());
    Node::parse(text)
        .is_ok_and(|node| node.as_object().is_some() && node.depth() <= DEEPEST && node.all(&is_whole))
}

/// Google reads every number as a double: an id of 19 digits would come to the model as another one.
fn keeps_its_numbers(text: &str) -> bool {
    const SURE_DIGITS: usize = 15;
    Node::parse(text).is_ok_and(|node| {
        node.all(&|node| {
            !matches!(node.kind, Kind::Number)
                || node.raw.bytes().filter(u8::is_ascii_digit).count() <= SURE_DIGITS
        })
    })
}
