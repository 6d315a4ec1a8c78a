//! Schemas by chance, with definitions that refer to each other and themselves: whatever goes in, what comes out has only
//! what Gemini knows, holds together, and reduces to itself.

use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::*;

const NAMES: [&str; 6] = ["a", "b", "c d", "$x", "é", "items"];
const DEFINED: usize = 4;

fn schema(rng: &mut Rng, depth: usize) -> Value {
    if depth == 0 || rng.u8(..12) == 0 {
        return match rng.u8(..6) {
            0 => true.into(),
            1 => false.into(),
            2 => json!({}),
            3 => json!(7),
            _ => json!({ "type": kind(rng) }),
        };
    }
    let mut fields = Map::new();
    for _ in 0..rng.usize(..6) {
        let (name, value) = keyword(rng, depth - 1);
        fields.insert(name.to_owned(), value);
    }
    fields.into()
}

fn kind(rng: &mut Rng) -> &'static str {
    ["string", "number", "integer", "boolean", "array", "object", "null", "STRING", "any"][rng.usize(..9)]
}

fn several(rng: &mut Rng, depth: usize) -> Value {
    (0..rng.usize(..4)).map(|_| schema(rng, depth)).collect()
}

fn named(rng: &mut Rng, depth: usize) -> Value {
    let entries =
        (0..rng.usize(..4)).map(|_| (NAMES[rng.usize(..NAMES.len())].to_owned(), schema(rng, depth)));
    Value::Object(entries.collect())
}

fn value(rng: &mut Rng) -> Value {
    [
        json!("x"),
        json!(""),
        json!("y\n"),
        json!(1),
        json!(2.5),
        json!(null),
        json!(true),
        json!([1]),
        json!({ "a": 1 }),
    ][rng.usize(..9)]
    .clone()
}

fn keyword(rng: &mut Rng, depth: usize) -> (&'static str, Value) {
    match rng.u8(..30) {
        0..4 => ("type", kind(rng).into()),
        4 => ("type", json!([kind(rng), kind(rng), "null"])),
        5..8 => ("properties", named(rng, depth)),
        8 => ("required", json!([NAMES[rng.usize(..6)], NAMES[rng.usize(..6)], "no"])),
        9 => ("enum", (0..rng.usize(..4)).map(|_| value(rng)).collect()),
        10 => ("const", value(rng)),
        11..13 => ("items", schema(rng, depth)),
        13 => ("items", several(rng, depth)),
        14 => ("prefixItems", several(rng, depth)),
        15 => ("anyOf", several(rng, depth)),
        16 => ("oneOf", several(rng, depth)),
        17 => ("allOf", several(rng, depth)),
        18..21 => ("$ref", format!("#/$defs/d{}", rng.usize(..DEFINED + 1)).into()),
        21 => ("additionalProperties", schema(rng, depth)),
        22 => ("patternProperties", named(rng, depth)),
        23 => ("minimum", json!(rng.i32(-5..5))),
        24 => ("maxItems", json!(rng.i32(-5..5))),
        25 => ("format", ["date-time", "email", "int32", "double"][rng.usize(..4)].into()),
        26 => ("nullable", rng.bool().into()),
        27 => ("description", "some \"words\"".into()),
        28 => ("not", schema(rng, depth)),
        _ => ("$ref", ["#", "#/properties/a", "x.json", "#/$defs"][rng.usize(..4)].into()),
    }
}

fn whole(rng: &mut Rng) -> Value {
    let mut root = schema(rng, 5);
    if let Some(fields) = root.as_object_mut() {
        let defs = (0..DEFINED).map(|number| (format!("d{number}"), schema(rng, 4)));
        fields.insert("$defs".to_owned(), Value::Object(defs.collect()));
    }
    root
}

/// What is wrong with a reduced schema.
fn wrong(schema: &Value, form: Form) -> Option<String> {
    const JSON_SCHEMA: [&str; 16] = [
        "type",
        "title",
        "description",
        "format",
        "enum",
        "properties",
        "required",
        "propertyOrdering",
        "additionalProperties",
        "prefixItems",
        "items",
        "minItems",
        "maxItems",
        "minimum",
        "maximum",
        "anyOf",
    ];
    const OPEN_API: [&str; 15] = [
        "type",
        "nullable",
        "title",
        "description",
        "format",
        "enum",
        "properties",
        "required",
        "propertyOrdering",
        "items",
        "minItems",
        "maxItems",
        "minimum",
        "maximum",
        "anyOf",
    ];
    let known: &[&str] = if form == Form::JsonSchema { &JSON_SCHEMA } else { &OPEN_API };
    let fields = schema.as_object()?;
    if let Some(other) = fields.keys().find(|name| !known.contains(&name.as_str())) {
        return Some(format!("{other} is unknown"));
    }
    let types: Vec<String> = match &fields.get("type") {
        Some(Value::String(one)) => vec![one.to_lowercase()],
        Some(Value::Array(several)) => several.iter().map(|one| one.as_str().unwrap().to_owned()).collect(),
        _ => Vec::new(),
    };
    let is = |kind: &str| types.iter().any(|known| known == kind);
    let properties = fields.get("properties").and_then(Value::as_object);
    let listed = |field: &str| fields.get(field).and_then(Value::as_array).cloned().unwrap_or_default();
    let complaints = [
        (
            form == Form::OpenApi && types.len() + usize::from(fields.contains_key("anyOf")) != 1,
            "has no single type",
        ),
        (types.iter().any(|kind| kind == "null") && form == Form::OpenApi, "has the type null"),
        (is("array") != fields.contains_key("items"), "items and array go together"),
        (properties.is_some() && !is("object"), "has properties and is no object"),
        (
            listed("required")
                .iter()
                .any(|name| !properties.is_some_and(|all| all.contains_key(name.as_str().unwrap()))),
            "requires what is no property",
        ),
        (fields.contains_key("enum") && listed("enum").is_empty(), "allows nothing"),
        (
            listed("enum").iter().any(|value| !value.is_number() && value.as_str().is_none_or(str::is_empty)),
            "has odd values",
        ),
        (fields.contains_key("anyOf") && properties.is_some(), "has alternatives beside properties"),
        (listed("anyOf").contains(&json!({})), "has an alternative that allows all"),
    ];
    if let Some((_, complaint)) = complaints.iter().find(|(is_so, _)| *is_so) {
        return Some(format!("{schema} {complaint}"));
    }
    let inner = properties
        .into_iter()
        .flat_map(Map::values)
        .chain(fields.get("items"))
        .chain(fields.get("additionalProperties"));
    let lists = ["anyOf", "prefixItems"].map(listed);
    inner.chain(lists.iter().flatten()).find_map(|schema| wrong(schema, form))
}

#[test]
fn any_schema_becomes_one_that_gemini_takes_and_stays_it() {
    const ROUNDS: usize = 3_000;
    let rounds = std::env::var("OPENAI_REQUESTS").ok().and_then(|count| count.parse().ok()).unwrap_or(ROUNDS);
    let mut rng = Rng::with_seed(11);
    for round in 0..rounds {
        let schema = whole(&mut rng);
        // Small ones, so that many are cut.
        let budget = if rng.u8(..100) == 0 { Budget::default().left } else { rng.usize(100..5_000) };
        for form in [Form::JsonSchema, Form::OpenApi] {
            let reduced = |schema| reduced_within(Budget { left: budget }, schema, form);
            let once = reduced(&schema);
            assert_eq!(wrong(&once, form), None, "{round} {form:?}: {schema}");
            assert_eq!(reduced(&once), once, "{round} {form:?}: {schema}");
        }
        let function = |schema: &Value, budget: usize| {
            let text = schema.to_string();
            let node = Node::parse(&text).unwrap();
            let schema = function_schema(&node, &mut Budget { left: budget })?;
            Some(serde_json::from_str::<Value>(&write::write(&schema, Form::JsonSchema)).unwrap())
        };
        if let Some(once) = function(&schema, budget) {
            assert_eq!(once["type"], "object", "{round}: {schema}");
            assert_eq!(wrong(&once, Form::JsonSchema), None, "{round}: {schema}");
            // An object put around it has its price.
            assert_eq!(function(&once, budget + 100), Some(once), "{round}: {schema}");
        }
    }
}
