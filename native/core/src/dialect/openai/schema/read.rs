//! Reads a JSON Schema of any draft into the words that Gemini knows. Invariant: it ends, whatever the schema refers to:
//! references are followed once within themselves, and depth and cost are bounded.

use std::borrow::Cow;
use std::collections::HashSet;

use super::Budget;
use super::tree::{Additional, NUMBER_FORMATS, STRING_FORMATS, Schema, TYPES, Type};
use crate::dialect::json::{Kind, Literal, Node};
use crate::generate::request::Text;

/// Levels of a schema; those below say nothing.
pub const DEEPEST: usize = 24;
/// How often a schema may stand within itself before it is cut off.
const ROUNDS: usize = 1;
/// What a schema costs beside its texts.
const COST: usize = 32;

pub fn read<'a>(root: &Node<'a>, budget: &mut Budget) -> Schema<'a> {
    Reader { root, budget, within: Vec::new(), depth: 0 }.schema(root).unwrap_or_default()
}

struct Reader<'r, 'a> {
    root: &'r Node<'a>,
    budget: &'r mut Budget,
    /// The references that led here.
    within: Vec<&'r str>,
    depth: usize,
}

impl<'r, 'a> Reader<'r, 'a> {
    /// `None` for a schema that nothing fits.
    fn schema(&mut self, node: &'r Node<'a>) -> Option<Schema<'a>> {
        let mut schema = self.part(node)?;
        schema.settle();
        Some(schema)
    }

    /// One that will be merged with others, and so need not be consistent alone.
    fn part(&mut self, node: &'r Node<'a>) -> Option<Schema<'a>> {
        if let Kind::Bool(false) = node.kind {
            return None;
        }
        let says_nothing = node.as_object().is_none_or(<[_]>::is_empty);
        if says_nothing || self.depth >= DEEPEST || !self.budget.spend(cost(node)) {
            return Some(Schema::default());
        }
        self.depth += 1;
        let schema = self.object(node);
        self.depth -= 1;
        Some(schema)
    }

    fn object(&mut self, node: &'r Node<'a>) -> Schema<'a> {
        let mut schema = Schema {
            types: types(node),
            title: text(node, "title"),
            description: text(node, "description"),
            format: format(node),
            required: names(node, "required"),
            ordering: names(node, "propertyOrdering"),
            min_items: count(node, "minItems"),
            max_items: count(node, "maxItems"),
            // An open bound is a closed one that allows a little more.
            minimum: number(node, "minimum").or_else(|| number(node, "exclusiveMinimum")),
            maximum: number(node, "maximum").or_else(|| number(node, "exclusiveMaximum")),
            ..Schema::default()
        };
        values(node, &mut schema);
        self.structure(node, &mut schema);
        for part in node.get("allOf").and_then(Node::as_list).unwrap_or_default() {
            if let Some(part) = self.part(part) {
                schema.merge(part);
            }
        }
        let alternatives = node.get("anyOf").or_else(|| node.get("oneOf"));
        let alternatives = alternatives.and_then(Node::as_list).unwrap_or_default();
        let mut branches: Vec<Schema<'a>> =
            alternatives.iter().filter_map(|branch| self.schema(branch)).collect();
        if !branches.is_empty() && schema.types.is_empty() && is_nullable(node) {
            branches.push(Schema::of_type(Type::Null));
        }
        schema.merge(Schema { any_of: branches, ..Schema::default() });
        if let Some(Kind::Text(reference)) = node.get("$ref").map(|node| &node.kind)
            && let Some(meant) = self.reference(reference)
        {
            schema.merge(meant);
        }
        schema
    }

    fn structure(&mut self, node: &'r Node<'a>, schema: &mut Schema<'a>) {
        let mut known = HashSet::new();
        for (name, property) in node.get("properties").and_then(Node::as_object).unwrap_or_default() {
            if self.budget.left == 0 {
                break;
            }
            if known.insert(name)
                && let Some(property) = self.schema(property)
            {
                schema.properties.push((name.clone(), property));
            }
        }
        schema.additional = self.additional(node);
        let (first, items) = match node.get("items") {
            // Drafts before 2020 wrote the first items so.
            Some(items) if items.as_list().is_some() => (Some(items), node.get("additionalItems")),
            items => (node.get("prefixItems"), items),
        };
        for item in first.and_then(Node::as_list).unwrap_or_default() {
            schema.first_items.extend(self.schema(item));
        }
        schema.items = items.and_then(|items| self.schema(items)).map(Box::new);
    }

    fn additional(&mut self, node: &'r Node<'a>) -> Option<Additional<'a>> {
        let patterns = node.get("patternProperties").and_then(Node::as_object).unwrap_or_default();
        let additional = match patterns.first() {
            Some((_, pattern)) => pattern,
            None => node.get("additionalProperties")?,
        };
        Some(match self.schema(additional) {
            None => Additional::None,
            Some(like) if like == Schema::default() => Additional::Any,
            Some(like) => Additional::Like(Box::new(like)),
        })
    }

    fn reference(&mut self, reference: &Literal<'a>) -> Option<Schema<'a>> {
        let written = reference.inside();
        let target = self.pointed(&reference.decode())?;
        if self.within.iter().filter(|earlier| **earlier == written).count() > ROUNDS {
            let types = types(target);
            return Some(Schema { types, description: text(target, "description"), ..Schema::default() });
        }
        self.within.push(written);
        let schema = self.part(target);
        self.within.pop();
        schema
    }

    /// The part of the schema that `#/$defs/x` points to. References to other documents point nowhere.
    fn pointed(&mut self, reference: &str) -> Option<&'r Node<'a>> {
        let path = reference.strip_prefix('#')?;
        let mut node = self.root;
        for step in path.split('/').skip(1) {
            let step = percent_encoding::percent_decode_str(step).decode_utf8_lossy();
            let step = step.replace("~1", "/").replace("~0", "~");
            // Looking through thousands of definitions thousands of times has its price, too.
            self.budget.spend(node.as_object().map_or(0, <[_]>::len) / 8);
            node = match &node.kind {
                Kind::List(items) => items.get(step.parse::<usize>().ok()?)?,
                _ => node.get(&step)?,
            };
        }
        Some(node)
    }
}

/// Roughly what it is long without the schemas in it. Invariant: a schema costs no less than the one it is reduced to,
/// so that what was cut to the budget is not cut again.
fn cost(node: &Node<'_>) -> usize {
    let fields = node.as_object().unwrap_or_default();
    let texts =
        |value: &Node<'_>| value.as_list().unwrap_or_default().iter().map(|text| text.raw.len()).sum();
    let own = |(name, value): &(Cow<'_, str>, Node<'_>)| match (name.as_ref(), &value.kind) {
        ("title" | "description", Kind::Text(text)) => text.inside().len(),
        ("const", _) => value.raw.len(),
        ("enum" | "required" | "propertyOrdering", _) => texts(value),
        ("properties", Kind::Object(properties)) => properties.iter().map(|(name, _)| name.len()).sum(),
        _ => 0,
    };
    // A reduced schema never has as many fields.
    const USUAL_FIELDS: usize = 16;
    COST + fields.len().saturating_sub(USUAL_FIELDS) + fields.iter().map(own).sum::<usize>()
}

fn types(node: &Node<'_>) -> Vec<Type> {
    let mut types = Vec::new();
    let mut add = |name: &Node<'_>| {
        let name = name.as_str().unwrap_or_default();
        let known = TYPES.iter().find(|(_, known)| name.eq_ignore_ascii_case(known)).map(|(kind, _)| *kind);
        types.extend(known.filter(|kind| !types.contains(kind)));
    };
    if let Some(named) = node.get("type") {
        named.as_list().unwrap_or(std::slice::from_ref(named)).iter().for_each(&mut add);
    }
    if is_nullable(node) && !types.is_empty() && !types.contains(&Type::Null) {
        types.push(Type::Null);
    }
    types
}

/// OpenAPI's way of adding `null` to the types.
fn is_nullable(node: &Node<'_>) -> bool {
    node.get("nullable").and_then(Node::as_bool).unwrap_or(false)
}

/// Gemini's enums have strings and numbers only, and no empty strings. `null` among the values becomes a type; what
/// else cannot be said leaves the schema open.
fn values<'a>(node: &Node<'a>, schema: &mut Schema<'a>) {
    let constant = node.get("const").map(std::slice::from_ref);
    let allowed = node.get("enum").and_then(Node::as_list).or(constant).unwrap_or_default();
    let mut kinds = Vec::new();
    let mut known = HashSet::new();
    let mut sayable = true;
    for value in allowed {
        let kind = match &value.kind {
            Kind::Null => Type::Null,
            Kind::Bool(_) => Type::Boolean,
            Kind::Number => Type::Number,
            Kind::Text(_) => Type::String,
            Kind::List(_) => Type::Array,
            Kind::Object(_) => Type::Object,
        };
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
        match &value.kind {
            Kind::Text(text) if text.inside().is_empty() => {}
            Kind::Text(text) if text.is_broken() => sayable = false,
            Kind::Text(_) | Kind::Number if !known.insert(value.raw) => {}
            Kind::Text(_) | Kind::Number => schema.values.push(value.raw),
            Kind::Null => {}
            _ => sayable = false,
        }
    }
    if !sayable {
        schema.values.clear();
    }
    if schema.types.is_empty() {
        schema.types = kinds;
    }
}

fn format(node: &Node<'_>) -> Option<&'static str> {
    let written = node.get("format")?.as_str()?;
    STRING_FORMATS.into_iter().chain(NUMBER_FORMATS).find(|known| *known == written)
}

fn text<'a>(node: &Node<'a>, name: &str) -> Option<Text<'a>> {
    match &node.get(name)?.kind {
        Kind::Text(text) if text.is_broken() => Some(Text::Plain(text.decode())),
        Kind::Text(text) if !text.inside().is_empty() => Some(Text::Written(text.inside())),
        _ => None,
    }
}

fn number<'a>(node: &Node<'a>, name: &str) -> Option<&'a str> {
    node.get(name).filter(|bound| bound.as_f64().is_some()).map(|bound| bound.raw)
}

/// Google's own form has counts in strings.
fn count(node: &Node<'_>, name: &str) -> Option<i64> {
    let count = node.get(name)?;
    count.as_i64().or_else(|| count.as_str()?.parse().ok()).filter(|count| *count >= 0)
}

fn names<'a>(node: &Node<'a>, field: &str) -> Vec<Cow<'a, str>> {
    node.get(field).and_then(Node::as_list).unwrap_or_default().iter().filter_map(Node::as_str).collect()
}
