mod random;

use serde_json::{Value, json};

use super::*;

fn reduced(schema: &Value, form: Form) -> Value {
    reduced_within(Budget::default(), schema, form)
}

fn reduced_within(mut budget: Budget, schema: &Value, form: Form) -> Value {
    let text = schema.to_string();
    let node = Node::parse(&text).unwrap();
    let read = read::read(&node, &mut budget);
    serde_json::from_str(&write::write(&read, form)).unwrap()
}

fn of(schema: Value) -> Value {
    reduced(&schema, Form::JsonSchema)
}

fn function(schema: &Value) -> Option<Value> {
    let text = schema.to_string();
    let node = Node::parse(&text).unwrap();
    let schema = function_schema(&node, &mut Budget::default())?;
    Some(serde_json::from_str(&write::write(&schema, Form::JsonSchema)).unwrap())
}

#[test]
fn what_gemini_knows_passes_and_what_it_does_not_is_left_out() {
    let plain = json!({
        "type": "object", "title": "T", "description": "D",
        "properties": {
            "a": { "type": "string", "format": "date-time" },
            "b": { "type": ["integer", "null"], "minimum": 1, "maximum": 9 },
            "c": { "type": "array", "items": { "type": "string", "enum": ["x", "y"] }, "minItems": 1, "maxItems": 2 },
        },
        "required": ["a"], "additionalProperties": false,
    });
    assert_eq!(of(plain.clone()), plain);
    assert_eq!(
        of(json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "x", "$comment": "c", "default": {},
            "examples": [1], "type": "object", "propertyNames": { "pattern": "^a" }, "minProperties": 1,
            "unevaluatedProperties": false, "dependentRequired": { "a": ["b"] }, "not": { "required": ["z"] },
            "if": {}, "then": {}, "else": {},
            "properties": {
                "a": { "type": "string", "pattern": "^a", "minLength": 1, "format": "email", "contentEncoding": "base64" },
                "b": { "type": "integer", "exclusiveMinimum": 0, "multipleOf": 5 },
                "c": { "type": "array", "uniqueItems": true, "contains": {} },
            },
        })),
        json!({
            "type": "object",
            "properties": {
                "a": { "type": "string" },
                "b": { "type": "integer", "minimum": 0 },
                "c": { "type": "array", "items": {} },
            },
        })
    );
}

#[test]
fn values_are_strings_and_numbers_or_else_left_open() {
    for (schema, meant) in [
        (json!({ "const": "a" }), json!({ "type": "string", "enum": ["a"] })),
        (json!({ "const": 7 }), json!({ "type": "number", "enum": [7] })),
        (json!({ "const": true }), json!({ "type": "boolean" })),
        (json!({ "const": null }), json!({ "type": "null" })),
        (json!({ "const": { "a": 1 } }), json!({ "type": "object" })),
        (json!({ "enum": ["a", null, "a"] }), json!({ "type": ["string", "null"], "enum": ["a"] })),
        (json!({ "enum": ["a", "", "b"] }), json!({ "type": "string", "enum": ["a", "b"] })),
        (json!({ "enum": ["a", 1] }), json!({ "type": ["string", "number"], "enum": ["a", 1] })),
        (json!({ "type": "string", "enum": [1, 2] }), json!({ "type": "string" })),
        (json!({ "type": "string", "enum": [] }), json!({ "type": "string" })),
        (json!({ "enum": ["a", true] }), json!({ "type": ["string", "boolean"] })),
    ] {
        assert_eq!(of(schema.clone()), meant, "{schema}");
    }
}

#[test]
fn lists_have_items_and_required_names_are_properties() {
    for (schema, meant) in [
        (json!({ "type": "array" }), json!({ "type": "array", "items": {} })),
        (json!({ "items": { "type": "null" } }), json!({ "type": "array", "items": { "type": "null" } })),
        (
            json!({ "type": "array", "items": [{ "type": "string" }], "additionalItems": false }),
            json!({ "type": "array", "prefixItems": [{ "type": "string" }], "items": {} }),
        ),
        (
            json!({ "properties": { "a": true, "b": false }, "required": ["a", "b", "c", "a"] }),
            json!({ "type": "object", "properties": { "a": {} }, "required": ["a"] }),
        ),
        (json!({ "type": "object", "required": ["a"] }), json!({ "type": "object" })),
        (
            json!({ "type": "object", "patternProperties": { "^x-": { "type": "string" } }, "additionalProperties": false }),
            json!({ "type": "object", "additionalProperties": { "type": "string" } }),
        ),
        (
            json!({ "type": "string", "properties": { "a": {} }, "items": {}, "minimum": 1 }),
            json!({ "type": "string" }),
        ),
        (json!({ "type": "any", "nullable": true }), json!({})),
        (json!({ "type": "STRING", "nullable": true }), json!({ "type": ["string", "null"] })),
        (json!(true), json!({})),
        (json!("nonsense"), json!({})),
    ] {
        assert_eq!(of(schema.clone()), meant, "{schema}");
    }
}

#[test]
fn alternatives_stand_alone_and_what_must_hold_together_is_merged() {
    for (schema, meant) in [
        (
            json!({ "oneOf": [{ "type": "string" }, { "type": "null" }], "description": "d" }),
            json!({ "description": "d", "anyOf": [{ "type": "string" }, { "type": "null" }] }),
        ),
        (json!({ "anyOf": [{ "type": "string" }] }), json!({ "type": "string" })),
        (json!({ "anyOf": [{ "type": "string" }, {}] }), json!({})),
        (
            json!({ "type": "string", "anyOf": [{ "enum": ["a"] }, { "pattern": "b" }] }),
            json!({ "anyOf": [{ "type": "string", "enum": ["a"] }, { "type": "string" }] }),
        ),
        (
            json!({
                "type": "object", "properties": { "a": { "type": "string" }, "b": { "type": "string" } },
                "anyOf": [{ "required": ["a"] }, { "required": ["b"] }],
            }),
            json!({ "type": "object", "properties": { "a": { "type": "string" }, "b": { "type": "string" } } }),
        ),
        (
            json!({
                "allOf": [
                    { "properties": { "a": { "type": "string" } }, "required": ["a"] },
                    { "properties": { "b": { "type": "number" }, "a": { "description": "A" } }, "required": ["b"] },
                ],
                "description": "both",
            }),
            json!({
                "type": "object", "description": "both",
                "properties": { "a": { "type": "string", "description": "A" }, "b": { "type": "number" } },
                "required": ["a", "b"],
            }),
        ),
        (
            json!({ "allOf": [{ "type": "number" }, { "type": "integer" }, { "minimum": 3 }] }),
            json!({ "type": "integer", "minimum": 3 }),
        ),
    ] {
        assert_eq!(of(schema.clone()), meant, "{schema}");
    }
}

#[test]
fn references_become_what_they_mean_and_end_within_themselves() {
    let pydantic = json!({
        "$defs": { "Unit": { "enum": ["c", "f"], "title": "Unit", "type": "string" } },
        "type": "object",
        "properties": { "unit": { "$ref": "#/$defs/Unit", "description": "of the answer" }, "x": { "$ref": "#/$defs/No" } },
    });
    assert_eq!(
        of(pydantic),
        json!({
            "type": "object",
            "properties": {
                "unit": { "type": "string", "title": "Unit", "description": "of the answer", "enum": ["c", "f"] },
                "x": {},
            },
        })
    );
    let tree = json!({
        "definitions": { "node": {
            "type": "object", "description": "a node",
            "properties": { "name": { "type": "string" }, "left": { "$ref": "#/definitions/node" } },
            "required": ["name", "left"],
        } },
        "$ref": "#/definitions/node",
    });
    let cut = json!({ "type": "object", "description": "a node" });
    let node = |left: Value| {
        json!({
            "type": "object", "description": "a node",
            "properties": { "name": { "type": "string" }, "left": left }, "required": ["name", "left"],
        })
    };
    assert_eq!(of(tree), node(node(cut)));
    assert_eq!(of(json!({ "$ref": "#" })), json!({}));
    assert_eq!(of(json!({ "$ref": "https://example.com/schema" })), json!({}));
}

#[test]
fn a_functions_parameters_are_an_object_with_properties() {
    let string = json!({ "type": "string" });
    for (schema, meant) in [
        (json!({}), None),
        (json!({ "type": "object" }), None),
        (json!({ "type": "object", "properties": {}, "additionalProperties": false }), None),
        (
            json!({ "type": ["object", "null"], "properties": { "a": string } }),
            Some(json!({ "type": "object", "properties": { "a": string } })),
        ),
        (
            json!({ "type": "object", "additionalProperties": string }),
            Some(json!({ "type": "object", "additionalProperties": string })),
        ),
        (
            string.clone(),
            Some(json!({ "type": "object", "properties": { "value": string }, "required": ["value"] })),
        ),
        (
            json!({ "oneOf": [
                { "properties": { "a": string, "b": string }, "required": ["a", "b"] },
                { "properties": { "c": string, "b": string }, "required": ["b"] },
            ] }),
            Some(json!({
                "type": "object", "properties": { "a": string, "b": string, "c": string }, "required": ["b"]
            })),
        ),
    ] {
        assert_eq!(function(&schema), meant, "{schema}");
    }
}

#[test]
fn geminis_own_form_has_one_type_and_no_open_schemas() {
    for (schema, meant) in [
        (json!({ "type": ["string", "null"] }), json!({ "type": "STRING", "nullable": true })),
        (json!({ "enum": ["a"] }), json!({ "type": "STRING", "format": "enum", "enum": ["a"] })),
        (json!({ "enum": [1] }), json!({ "type": "NUMBER" })),
        (json!({}), json!({ "type": "STRING" })),
        (
            json!({ "type": "array", "minItems": 2 }),
            json!({ "type": "ARRAY", "items": { "type": "STRING" }, "minItems": "2" }),
        ),
        (
            json!({ "type": "array", "prefixItems": [{ "type": "string" }, { "type": "number" }] }),
            json!({ "type": "ARRAY", "items": { "anyOf": [{ "type": "STRING" }, { "type": "NUMBER" }] } }),
        ),
        (
            json!({ "anyOf": [{ "type": "string" }, { "type": "null" }] }),
            json!({ "nullable": true, "anyOf": [{ "type": "STRING" }] }),
        ),
        (
            json!({ "properties": { "a": { "type": "integer" } }, "additionalProperties": false }),
            json!({ "type": "OBJECT", "properties": { "a": { "type": "INTEGER" } } }),
        ),
    ] {
        assert_eq!(reduced(&schema, Form::OpenApi), meant, "{schema}");
    }
}

/// Each definition holds the next ten times: ten levels would be ten thousand million.
#[test]
fn definitions_that_multiply_stay_within_the_budget() {
    let level = |number: usize| {
        let next = json!({ "$ref": format!("#/$defs/d{}", number + 1) });
        let fields: serde_json::Map<String, Value> =
            (0..10).map(|field| (format!("f{field}"), next.clone())).collect();
        json!({ "type": "object", "description": "d".repeat(200), "properties": fields })
    };
    let defs: serde_json::Map<String, Value> =
        (0..12).map(|number| (format!("d{number}"), level(number))).collect();
    let text = json!({ "$defs": defs, "$ref": "#/$defs/d0" }).to_string();
    let begun = std::time::Instant::now();
    let node = Node::parse(&text).unwrap();
    let read = read::read(&node, &mut Budget::default());
    let written = write::write(&read, Form::JsonSchema);
    assert!(written.len() < 4 * 1024 * 1024, "{}", written.len());
    assert!(begun.elapsed().as_secs() < 20);
    assert!(serde_json::from_str::<Value>(&written).is_ok());
}
