//! JSON Schemas as OpenAI takes them, reduced to what Gemini takes: never a refusal from Google for a schema that is good
//! at OpenAI. What Gemini has no word for is left out, so that a reduced schema allows more, not less. Reduction is
//! total, bounded in depth and size whatever refers to whatever, and a reduced schema reduces to itself.
//!
//! References are replaced by what they mean; a schema within itself ends after one round. `const` becomes `enum`,
//! `oneOf` becomes `anyOf`, `allOf` is merged, lists have `items`, and `required` names properties only.

mod read;
mod tree;
mod write;

use crate::dialect::json::Node;
use crate::generate::request::{Json, Schema as Written};
use tree::{Additional, Schema, Type};

/// The languages that Gemini reads schemas in: `parametersJsonSchema` and `responseJsonSchema` take the first,
/// `parameters` and `responseSchema` the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    JsonSchema,
    OpenApi,
}

/// Which of the two is sent. Both are ready: this line decides.
const FORM: Form = Form::JsonSchema;

/// Where a function's parameters are no object, they become the one field of one.
const VALUE: &str = "value";

/// What all schemas of one request may cost together, in bytes or so; beyond it schemas say nothing.
pub struct Budget {
    left: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { left: 2 * 1024 * 1024 }
    }
}

impl Budget {
    /// Whether there is as much left; then it is spent.
    fn spend(&mut self, cost: usize) -> bool {
        let enough = self.left >= cost;
        self.left = self.left.saturating_sub(cost);
        enough
    }
}

/// A function's parameters; `None` when it takes none.
pub fn for_function<'a>(node: &Node<'a>, budget: &mut Budget) -> Option<Written<'a>> {
    function_schema(node, budget).map(|schema| written(&schema, FORM))
}

/// What an answer must look like; `None` when it may be any JSON.
pub fn for_answer<'a>(node: &Node<'a>, budget: &mut Budget) -> Option<Written<'a>> {
    let schema = read::read(node, budget);
    (schema != Schema::default()).then(|| written(&schema, FORM))
}

fn written<'a>(schema: &Schema<'_>, form: Form) -> Written<'a> {
    let json = Json::from(write::write(schema, form));
    match form {
        Form::JsonSchema => Written::JsonSchema(json),
        Form::OpenApi => Written::OpenApi(json),
    }
}

/// Gemini takes nothing but an object with properties here.
fn function_schema<'a>(node: &Node<'a>, budget: &mut Budget) -> Option<Schema<'a>> {
    let mut schema = read::read(node, budget);
    if schema == Schema::default() {
        return None;
    }
    if !schema.any_of.is_empty() && schema.any_of.iter().all(|branch| branch.may_be(Type::Object)) {
        schema.unite();
    }
    if !schema.may_be(Type::Object) {
        schema.cut(read::DEEPEST - 1);
        schema = Schema {
            types: vec![Type::Object],
            properties: vec![(VALUE.into(), schema)],
            required: vec![VALUE.into()],
            ..Schema::default()
        };
    }
    schema.types = vec![Type::Object];
    schema.settle();
    let free = matches!(schema.additional, Some(Additional::Like(_)));
    (free || !schema.properties.is_empty()).then_some(schema)
}

#[cfg(test)]
mod tests;
