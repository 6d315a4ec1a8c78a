//! A conversation as it grows, message by message: neighbours of one role become one turn, and the answers to a turn's
//! calls one turn of their own, in the order of the calls. How messages are written is not known here.

use std::borrow::Cow;

use super::super::OWN_CALL_ID;
use crate::generate::request::{Data, Output, Part, Role, Text, Turn};

/// Gemini refuses a call that answers nobody. Stands where a client cut off a conversation's beginning; inferred.
const OPENING: &str = "(The conversation's beginning was left out.)";

#[derive(Default)]
pub struct Conversation<'a> {
    pub system: Vec<Part<'a>>,
    turns: Vec<Turn<'a>>,
    waiting: Vec<Waiting<'a>>,
    /// The ids of all calls, in order.
    pub calls: Vec<String>,
}

/// A call of the last turn, and its answer when that has come.
struct Waiting<'a> {
    /// None for calls in the form before `tools`.
    id: Option<Cow<'a, str>>,
    name: Cow<'a, str>,
    output: Option<Output<'a>>,
}

/// Why an answer has no place.
#[derive(Debug, PartialEq, Eq)]
pub enum Misplaced {
    NoSuchCall,
    AnsweredTwice,
}

impl<'a> Conversation<'a> {
    pub fn user(&mut self, parts: Vec<Data<'a>>) {
        let after_answers = self.turns.last().is_some_and(|turn| {
            turn.role == Role::User && turn.parts.iter().any(|part| matches!(part.data, Data::Answer { .. }))
        });
        self.say(Role::User, parts.into_iter().map(Part::from).collect(), after_answers);
    }

    pub fn model(&mut self, parts: Vec<Part<'a>>) {
        self.say(Role::Model, parts, false);
    }

    /// Invariant: a user's words never share a turn with answers to calls; Gemini would take them for one of those.
    fn say(&mut self, role: Role, parts: Vec<Part<'a>>, apart: bool) {
        if parts.is_empty() {
            return;
        }
        match self.turns.last_mut().filter(|turn| turn.role == role && !apart) {
            Some(turn) => turn.parts.extend(parts),
            None => self.turns.push(Turn { role, parts }),
        }
    }

    /// A part that calls, and what waits for its answer.
    pub fn call(
        &mut self,
        id: Option<Cow<'a, str>>,
        name: Cow<'a, str>,
        args: crate::generate::request::Json<'a>,
        signature: Option<Text<'a>>,
    ) {
        self.calls.extend(id.as_deref().map(str::to_owned));
        let data = Data::Call { id: sent(id.as_ref()), name: Text::Plain(name.clone()), args };
        self.model(vec![Part { data, signature }]);
        self.waiting.push(Waiting { id, name, output: None });
    }

    pub fn answer(&mut self, id: &str, output: Output<'a>) -> Result<(), Misplaced> {
        self.answer_where(|call| call.id.as_deref() == Some(id), output)
    }

    /// In the form before `tools`, where a call is known by its function only.
    pub fn answer_by_name(&mut self, name: &str, output: Output<'a>) -> Result<(), Misplaced> {
        self.answer_where(|call| call.id.is_none() && call.name == name, output)
    }

    fn answer_where(
        &mut self,
        is_it: impl Fn(&Waiting<'a>) -> bool,
        output: Output<'a>,
    ) -> Result<(), Misplaced> {
        let known = self.waiting.iter().any(&is_it);
        let open = self.waiting.iter_mut().find(|call| is_it(call) && call.output.is_none());
        match open {
            Some(call) => call.output = Some(output),
            None if known => return Err(Misplaced::AnsweredTwice),
            None => return Err(Misplaced::NoSuchCall),
        }
        Ok(())
    }

    /// The answers are complete: they become a turn. Else the call that still waits.
    pub fn settle(&mut self) -> Result<(), String> {
        if let Some(open) = self.waiting.iter().find(|call| call.output.is_none()) {
            return Err(open.id.as_deref().unwrap_or(&open.name).to_owned());
        }
        let answers = self.waiting.drain(..).filter_map(|call| {
            let (id, name) = (sent(call.id.as_ref()), Text::Plain(call.name));
            Some(Part::from(Data::Answer { id, name, output: call.output? }))
        });
        let answers = answers.collect();
        self.say(Role::User, answers, true);
        Ok(())
    }

    /// System, turns as Gemini takes them, and the ids of the calls.
    pub fn finish(mut self) -> (Vec<Part<'a>>, Vec<Turn<'a>>, Vec<String>) {
        let begins_with_a_call = self.turns.first().is_some_and(|turn| {
            turn.role == Role::Model && turn.parts.iter().any(|part| matches!(part.data, Data::Call { .. }))
        });
        if begins_with_a_call {
            self.turns.insert(0, Turn { role: Role::User, parts: vec![Data::Text(OPENING.into()).into()] });
        }
        // Instructions alone: they are what is asked.
        if self.turns.is_empty() && !self.system.is_empty() {
            self.turns.push(Turn { role: Role::User, parts: std::mem::take(&mut self.system) });
        }
        (self.system, self.turns, self.calls)
    }
}

/// Gemini's own ids go back to it; it knows no others.
fn sent<'a>(id: Option<&Cow<'a, str>>) -> Option<Text<'a>> {
    id.filter(|id| !id.is_empty() && !id.starts_with(OWN_CALL_ID)).map(|id| Text::Plain(id.clone()))
}
