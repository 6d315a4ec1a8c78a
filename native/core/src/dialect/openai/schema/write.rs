//! Writes a reduced schema, as JSON Schema or in Gemini's own form after OpenAPI. It decides only what the second has
//! no word for: it is left out.

use std::borrow::Cow;

use bytes::Bytes;

use super::Form;
use super::tree::{Additional, Schema, Type};
use crate::generate::pieces::Pieces;
use crate::generate::request::Text;

pub fn write(schema: &Schema<'_>, form: Form) -> String {
    let nowhere = Bytes::new();
    let mut out = Pieces::new(&nowhere);
    match form {
        Form::JsonSchema => json_schema(&mut out, schema),
        Form::OpenApi => open_api(&mut out, schema),
    }
    String::from_utf8(out.finish().concat()).unwrap_or_default()
}

fn json_schema(out: &mut Pieces<'_>, schema: &Schema<'_>) {
    out.object(|out| {
        match schema.types.as_slice() {
            [] => {}
            [only] => out.key("type").str(only.name()),
            several => out.key("type").list(several, |out, kind| out.str(kind.name())),
        }
        texts(out, schema);
        if let Some(format) = schema.format {
            out.key("format").str(format);
        }
        if !schema.values.is_empty() {
            out.key("enum").list(&schema.values, |out, value| out.json(value));
        }
        properties(out, schema, json_schema);
        match &schema.additional {
            None => {}
            Some(Additional::None) => out.key("additionalProperties").json("false"),
            Some(Additional::Any) => out.key("additionalProperties").json("true"),
            Some(Additional::Like(like)) => json_schema(out.key("additionalProperties"), like),
        }
        if !schema.first_items.is_empty() {
            out.key("prefixItems").list(&schema.first_items, json_schema);
        }
        if let Some(items) = &schema.items {
            json_schema(out.key("items"), items);
        }
        bounds(out, schema, |out, number| out.json(&number.to_string()));
        if !schema.any_of.is_empty() {
            out.key("anyOf").list(&schema.any_of, json_schema);
        }
    });
}

/// Types are single and never open here, enums are of strings, and what no item or property may be is not said.
fn open_api(out: &mut Pieces<'_>, schema: &Schema<'_>) {
    let null = schema.may_be(Type::Null) || schema.any_of.iter().any(|branch| branch.types == [Type::Null]);
    let branches: Vec<&Schema<'_>> =
        schema.any_of.iter().filter(|branch| branch.types != [Type::Null]).collect();
    let types: Vec<Type> = schema.types.iter().copied().filter(|kind| *kind != Type::Null).collect();
    out.object(|out| {
        if null {
            out.key("nullable").json("true");
        }
        if branches.is_empty() {
            let kind = types.first().copied().unwrap_or(Type::String);
            one_type(out, schema, kind, types.len() < 2);
        } else {
            texts(out, schema);
            out.key("anyOf").list(branches, open_api);
        }
    });
}

/// `sure`: the type is the only one, so that what it may hold can be said.
fn one_type(out: &mut Pieces<'_>, schema: &Schema<'_>, kind: Type, sure: bool) {
    out.key("type").str(&kind.name().to_ascii_uppercase());
    texts(out, schema);
    let text = kind == Type::String;
    if sure && text && !schema.values.is_empty() {
        out.key("format").str("enum");
        out.key("enum").list(&schema.values, |out, value| out.json(value));
    } else if let Some(format) = schema.format.filter(|format| sure && (!text || *format == "date-time")) {
        out.key("format").str(format);
    }
    if kind == Type::Object {
        properties(out, schema, open_api);
    }
    if kind == Type::Array {
        items(out, schema);
    }
    if sure {
        bounds(out, schema, |out, number| out.str(&number.to_string()));
    }
}

/// First items of their own are not said; each of the items may be any of them.
fn items(out: &mut Pieces<'_>, schema: &Schema<'_>) {
    let rest = schema.items.as_deref().filter(|items| **items != Schema::default());
    let mut kinds: Vec<Schema<'_>> = schema.first_items.iter().chain(rest).cloned().collect();
    let items = match kinds.len() {
        0 => Schema::of_type(Type::String),
        1 => kinds.swap_remove(0),
        _ => {
            let mut several = Schema { any_of: kinds, ..Schema::default() };
            several.settle();
            several
        }
    };
    open_api(out.key("items"), &items);
}

fn properties(out: &mut Pieces<'_>, schema: &Schema<'_>, write: fn(&mut Pieces<'_>, &Schema<'_>)) {
    if !schema.properties.is_empty() {
        out.key("properties").object(|out| {
            for (name, property) in &schema.properties {
                write(out.named(name), property);
            }
        });
    }
    for (key, names) in [("required", &schema.required), ("propertyOrdering", &schema.ordering)] {
        if !names.is_empty() {
            out.key(key).list(names, |out, name: &Cow<'_, str>| out.str(name));
        }
    }
}

fn texts(out: &mut Pieces<'_>, schema: &Schema<'_>) {
    for (key, text) in [("title", &schema.title), ("description", &schema.description)] {
        if let Some(text) = text.as_ref().filter(|text: &&Text<'_>| !text.is_empty()) {
            out.key(key).text(text);
        }
    }
}

fn bounds(out: &mut Pieces<'_>, schema: &Schema<'_>, count: fn(&mut Pieces<'_>, i64)) {
    for (key, number) in [("minItems", schema.min_items), ("maxItems", schema.max_items)] {
        if let Some(number) = number {
            count(out.key(key), number);
        }
    }
    for (key, number) in [("minimum", schema.minimum), ("maximum", schema.maximum)] {
        if let Some(number) = number {
            out.key(key).json(number);
        }
    }
}
