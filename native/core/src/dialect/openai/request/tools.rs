//! The functions a client offers and which of them it wants called, in both of OpenAI's forms: `tools` with
//! `tool_choice`, and `functions` with `function_call` before them.

use std::borrow::Cow;

use super::super::schema::{self, Budget};
use super::messages::named;
use super::names::Names;
use super::reading::{Object, Place, RequestError, passed};
use crate::dialect::json::{Kind, Node};
use crate::generate::request::{Choice, Function, Text};

/// What is offered, by the client's own names.
#[derive(Default)]
pub struct Tools<'a> {
    pub functions: Vec<(Cow<'a, str>, Function<'a>)>,
    pub choice: Option<Choice<'a>>,
    /// In the form before `tools`.
    pub legacy: bool,
}

pub fn read<'a>(
    body: &Object<'_, '_, 'a>,
    names: &mut Names<'a>,
    budget: &mut Budget,
) -> Result<Tools<'a>, RequestError> {
    let (tools, functions) = (body.list("tools")?, body.list("functions")?);
    let legacy = functions.is_some() || body.get("function_call").is_some();
    if legacy && (tools.is_some() || body.get("tool_choice").is_some()) {
        return Err(body.place("functions").error(
            "`functions` and `function_call` are the form before `tools` and `tool_choice`; use one form, best `tools`.",
        ));
    }
    let list = body.place(if legacy { "functions" } else { "tools" });
    let mut declared = Vec::new();
    for (index, node) in tools.or(functions).unwrap_or_default().iter().enumerate() {
        let entry = Object::of(node, Place::Item(&list, index))?;
        let function = if legacy { entry } else { function_of(&entry)? };
        let name = named(&function)?;
        if declared.iter().any(|(earlier, _)| *earlier == name) {
            return Err(function
                .place("name")
                .error(format!("Two functions are called `{name}`; name each once.")));
        }
        declared.push((name, declaration(&function, budget)?));
    }
    names.declare(&declared.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>());
    for (name, function) in &mut declared {
        function.name = Text::Plain(names.of(name.clone()));
    }
    let mut tools = Tools { functions: declared, choice: None, legacy };
    tools.choose(body, names)?;
    Ok(tools)
}

/// The `function` of a tool.
fn function_of<'s, 'n, 'a>(entry: &'s Object<'_, 'n, 'a>) -> Result<Object<'s, 'n, 'a>, RequestError> {
    let kind = entry.str("type")?;
    if let Some(kind) = kind.filter(|kind| kind != "function") {
        return Err(entry.place("type").error(format!(
            "A tool of type `{kind}` cannot be sent to Gemini from here; describe it as a function with parameters. \
             Google's own tools go into `google.tools`."
        )));
    }
    Object::of(entry.required("function")?, Place::Field(&entry.at, "function"))
}

fn declaration<'a>(function: &Object<'_, '_, 'a>, budget: &mut Budget) -> Result<Function<'a>, RequestError> {
    let description = function.literal("description")?.filter(|text| !text.inside().is_empty());
    let parameters = match function.get("parameters") {
        Some(node) if node.as_object().is_none() => {
            return Err(function.place("parameters").must_be("a JSON Schema, which is an object"));
        }
        node => node.and_then(|node| schema::for_function(node, budget)),
    };
    Ok(Function { name: Text::from(""), description: description.map(|text| passed(&text)), parameters })
}

impl<'a> Tools<'a> {
    fn choose(&mut self, body: &Object<'_, '_, 'a>, names: &mut Names<'a>) -> Result<(), RequestError> {
        let field = if self.legacy { "function_call" } else { "tool_choice" };
        let Some(node) = body.get(field) else { return Ok(()) };
        let place = body.place(field);
        self.choice = match &node.kind {
            Kind::Text(word) => self.by_word(&word.decode(), &place)?,
            Kind::Object(_) if self.legacy => Some(self.by_name(
                &named(&Object::of(node, place)?)?,
                &Place::Field(&place, "name"),
                names,
            )?),
            Kind::Object(_) => self.by_object(&Object::of(node, place)?, names)?,
            _ => return Err(place.must_be("a word or an object")),
        };
        Ok(())
    }

    fn by_word(&self, word: &str, place: &Place<'_>) -> Result<Option<Choice<'a>>, RequestError> {
        let choice = match word {
            "auto" => Choice::Auto,
            "none" => Choice::Never,
            "required" if self.functions.is_empty() => {
                return Err(place.error("A call is required, but `tools` offers no function."));
            }
            "required" => Choice::Must(Vec::new()),
            other => {
                return Err(place.error(format!(
                    "`{place}` is `{other}`; it must be auto, none or required, or an object that names a function."
                )));
            }
        };
        Ok(Some(choice).filter(|_| !self.functions.is_empty()))
    }

    fn by_object(
        &mut self,
        choice: &Object<'_, '_, 'a>,
        names: &mut Names<'a>,
    ) -> Result<Option<Choice<'a>>, RequestError> {
        let kind = choice.required_literal("type")?.decode();
        match kind.as_ref() {
            "function" => {
                let function = Object::of(choice.required("function")?, choice.place("function"))?;
                self.by_name(&named(&function)?, &function.place("name"), names).map(Some)
            }
            "allowed_tools" => {
                let allowed = Object::of(choice.required("allowed_tools")?, choice.place("allowed_tools"))?;
                self.allowed(&allowed, names).map(Some)
            }
            other => Err(choice.place("type").error(format!(
                "A choice of type `{other}` cannot be sent to Gemini; there are function and allowed_tools."
            ))),
        }
    }

    fn by_name(
        &self,
        name: &str,
        place: &Place<'_>,
        names: &mut Names<'a>,
    ) -> Result<Choice<'a>, RequestError> {
        Ok(Choice::Must(vec![self.offered(name, place, names)?]))
    }

    fn offered(
        &self,
        name: &str,
        place: &Place<'_>,
        names: &mut Names<'a>,
    ) -> Result<Text<'a>, RequestError> {
        match self.functions.iter().find(|(offered, _)| offered == name) {
            Some((offered, _)) => Ok(Text::Plain(names.of(offered.clone()))),
            None => {
                Err(place
                    .error(format!("`{name}` is to be called, but no function of this name is offered.")))
            }
        }
    }

    /// Gemini limits the choice only where a call is a must; where it is not, the other functions are not offered.
    fn allowed(
        &mut self,
        allowed: &Object<'_, '_, 'a>,
        names: &mut Names<'a>,
    ) -> Result<Choice<'a>, RequestError> {
        let mode = allowed.required_literal("mode")?.decode();
        let listed = allowed.required("tools")?;
        let list = allowed.place("tools");
        let listed: &[Node<'a>] = listed.as_list().ok_or_else(|| list.must_be("a list"))?;
        let mut chosen = Vec::new();
        for (index, node) in listed.iter().enumerate() {
            let entry = Object::of(node, Place::Item(&list, index))?;
            let function = function_of(&entry)?;
            chosen.push(self.offered(&named(&function)?, &function.place("name"), names)?);
        }
        match mode.as_ref() {
            _ if chosen.is_empty() => Err(list.error(format!("`{list}` names no function."))),
            "required" => Ok(Choice::Must(chosen)),
            "auto" => {
                self.functions.retain(|(_, function)| chosen.contains(&function.name));
                Ok(Choice::Auto)
            }
            other => Err(allowed
                .place("mode")
                .error(format!("`{other}` is no mode; there are auto and required."))),
        }
    }
}
