//! What Gemini's `v1beta` takes as a GenerateContentRequest, as far as it can be said without it: the fields and their
//! types after Google's discovery document, and the order of turns, calls and answers that its errors speak of.

use serde_json::{Map, Value};

/// Everything wrong with a request; `signed` for models that ask for thought signatures.
pub fn problems(request: &Value, signed: bool) -> Vec<String> {
    let mut check = Check { problems: Vec::new() };
    check.request(request, signed);
    check.problems
}

struct Check {
    problems: Vec<String>,
}

type Is = fn(&Value) -> bool;

const TEXT: Is = |value| value.is_string();
const NUMBER: Is = |value| value.is_number();
const WHOLE: Is = |value| value.is_i64();
const BOOL: Is = |value| value.is_boolean();
const OBJECT: Is = |value| value.is_object();
const LIST: Is = |value| value.is_array();
const TEXTS: Is = |value| value.as_array().is_some_and(|texts| texts.iter().all(Value::is_string));

impl Check {
    fn that(&mut self, holds: bool, problem: impl Into<String>) {
        if !holds {
            self.problems.push(problem.into());
        }
    }

    /// An object of these fields at most.
    fn fields<'v>(&mut self, value: &'v Value, place: &str, known: &[(&str, Is)]) -> &'v Map<String, Value> {
        static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
        let Some(fields) = value.as_object() else {
            self.problems.push(format!("{place} is no object"));
            return &NONE;
        };
        for (name, value) in fields {
            let of_type = known.iter().find(|(known, _)| known == name).map(|(_, of_type)| of_type(value));
            self.that(of_type.is_some(), format!("{place}.{name} is unknown"));
            self.that(of_type != Some(false), format!("{place}.{name} is of another type: {value}"));
        }
        fields
    }

    fn request(&mut self, request: &Value, signed: bool) {
        let fields = self.fields(
            request,
            "request",
            &[
                ("contents", LIST),
                ("systemInstruction", OBJECT),
                ("tools", LIST),
                ("toolConfig", OBJECT),
                ("safetySettings", LIST),
                ("generationConfig", OBJECT),
                ("cachedContent", TEXT),
            ],
        );
        let contents = fields.get("contents").and_then(Value::as_array).cloned().unwrap_or_default();
        self.that(!contents.is_empty(), "there are no contents");
        for content in &contents {
            self.content(content, true);
        }
        self.turns(&contents, signed);
        if let Some(system) = fields.get("systemInstruction") {
            self.content(system, false);
        }
        let names = self.tools(fields.get("tools"));
        if let Some(config) = fields.get("toolConfig") {
            self.calling(config, &names);
        }
        if let Some(config) = fields.get("generationConfig") {
            self.config(config);
        }
    }

    fn content(&mut self, content: &Value, has_role: bool) {
        let fields = self.fields(content, "content", &[("role", TEXT), ("parts", LIST)]);
        let role = fields.get("role").and_then(Value::as_str);
        self.that(!has_role || matches!(role, Some("user" | "model")), format!("the role is {role:?}"));
        let parts = fields.get("parts").and_then(Value::as_array);
        self.that(parts.is_some_and(|parts| !parts.is_empty()), "a content has no parts");
        for part in parts.into_iter().flatten() {
            self.part(part);
        }
    }

    fn part(&mut self, part: &Value) {
        let data = ["text", "inlineData", "fileData", "functionCall", "functionResponse"];
        let fields = self.fields(
            part,
            "part",
            &[
                ("text", TEXT),
                ("inlineData", OBJECT),
                ("fileData", OBJECT),
                ("functionCall", OBJECT),
                ("functionResponse", OBJECT),
                ("thoughtSignature", TEXT),
            ],
        );
        self.that(
            data.iter().filter(|name| fields.contains_key(**name)).count() == 1,
            "a part has not one datum",
        );
        let empty = fields.get("text").and_then(Value::as_str) == Some("")
            && !fields.contains_key("thoughtSignature");
        self.that(!empty, "a text is empty");
        if let Some(data) = fields.get("inlineData") {
            let data = self.fields(data, "inlineData", &[("mimeType", TEXT), ("data", TEXT)]);
            self.that(data.len() == 2, "inlineData lacks something");
        }
        if let Some(file) = fields.get("fileData") {
            let file = self.fields(file, "fileData", &[("mimeType", TEXT), ("fileUri", TEXT)]);
            self.that(file.contains_key("fileUri"), "fileData has no address");
        }
        if let Some(call) = fields.get("functionCall") {
            let call = self.fields(call, "functionCall", &[("id", TEXT), ("name", TEXT), ("args", OBJECT)]);
            self.name(call.get("name"));
        }
        if let Some(answer) = fields.get("functionResponse") {
            let known = [("id", TEXT), ("name", TEXT), ("response", OBJECT)];
            let answer = self.fields(answer, "functionResponse", &known);
            self.name(answer.get("name"));
            self.that(answer.contains_key("response"), "an answer says nothing");
        }
    }

    fn name(&mut self, name: Option<&Value>) {
        let name = name.and_then(Value::as_str).unwrap_or_default();
        let first = |letter: char| letter.is_ascii_alphabetic() || letter == '_';
        let later = |letter: char| first(letter) || letter.is_ascii_digit() || ".:-".contains(letter);
        let legal = name.starts_with(first) && name.chars().all(later) && name.len() <= 64;
        self.that(legal, format!("`{name}` is no legal name"));
    }

    /// Users and the model take turns; calls are answered at once, all of them, in their order and apart from words.
    fn turns(&mut self, contents: &[Value], signed: bool) {
        let pick = |content: &Value, kind: &str| -> Vec<(Value, Value)> {
            let parts = content["parts"].as_array().cloned().unwrap_or_default();
            let picked = parts.iter().filter_map(|part| part.get(kind));
            picked.map(|datum| (datum["name"].clone(), datum["id"].clone())).collect()
        };
        let mut open: Vec<(Value, Value)> = Vec::new();
        let mut before: Option<&Value> = None;
        for content in contents {
            let (calls, answers) = (pick(content, "functionCall"), pick(content, "functionResponse"));
            self.that(answers == open, format!("the calls {open:?} are answered by {answers:?}"));
            let parts = content["parts"].as_array().map_or(0, Vec::len);
            self.that(answers.is_empty() || answers.len() == parts, "words are fused with answers");
            self.that(calls.is_empty() || before.is_some(), "a call comes first");
            if before.is_some_and(|before| before["role"] == content["role"]) {
                let apart = content["role"] == "user"
                    && before.is_some_and(|before| !pick(before, "functionResponse").is_empty());
                self.that(apart, "neighbours of one role are not merged");
            }
            self.that(content["role"] == "model" || calls.is_empty(), "a user calls");
            let first = content["parts"]
                .as_array()
                .into_iter()
                .flatten()
                .find(|part| part.get("functionCall").is_some());
            let sealed = first.is_none_or(|part| part.get("thoughtSignature").is_some());
            self.that(!signed || sealed, "a first call is not signed");
            (open, before) = (calls, Some(content));
        }
        self.that(open.is_empty(), format!("the calls {open:?} are never answered"));
    }

    fn tools(&mut self, tools: Option<&Value>) -> Vec<String> {
        let mut names = Vec::new();
        for tool in tools.and_then(Value::as_array).into_iter().flatten() {
            let tool =
                self.fields(tool, "tool", &[("functionDeclarations", LIST), ("google_search", OBJECT)]);
            for function in tool.get("functionDeclarations").and_then(Value::as_array).into_iter().flatten() {
                let known = [("name", TEXT), ("description", TEXT), ("parametersJsonSchema", OBJECT)];
                let function = self.fields(function, "function", &known);
                self.name(function.get("name"));
                let name = function.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
                self.that(!names.contains(&name), format!("`{name}` is declared twice"));
                names.push(name);
                if let Some(schema) = function.get("parametersJsonSchema") {
                    self.that(schema["type"] == "object", "parameters are no object");
                    self.schema(schema);
                }
            }
        }
        names
    }

    fn schema(&mut self, schema: &Value) {
        if schema.is_boolean() {
            return;
        }
        let kind: Is = |value| value.is_string() || TEXTS(value);
        let fields = self.fields(
            schema,
            "schema",
            &[
                ("type", kind),
                ("title", TEXT),
                ("description", TEXT),
                ("format", TEXT),
                ("enum", LIST),
                ("properties", OBJECT),
                ("required", TEXTS),
                ("propertyOrdering", TEXTS),
                ("additionalProperties", |value| value.is_boolean() || value.is_object()),
                ("prefixItems", LIST),
                ("items", OBJECT),
                ("minItems", WHOLE),
                ("maxItems", WHOLE),
                ("minimum", NUMBER),
                ("maximum", NUMBER),
                ("anyOf", LIST),
            ],
        );
        let properties = fields.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
        for name in fields.get("required").and_then(Value::as_array).into_iter().flatten() {
            let known = name.as_str().is_some_and(|name| properties.contains_key(name));
            self.that(known, format!("{name} is required and no property"));
        }
        let lists =
            ["anyOf", "prefixItems"].into_iter().filter_map(|name| fields.get(name)?.as_array()).flatten();
        let single = ["items", "additionalProperties"].into_iter().filter_map(|name| fields.get(name));
        for inner in properties.values().chain(lists).chain(single) {
            self.schema(inner);
        }
    }

    fn calling(&mut self, config: &Value, names: &[String]) {
        let config = self.fields(config, "toolConfig", &[("functionCallingConfig", OBJECT)]);
        let Some(calling) = config.get("functionCallingConfig") else { return };
        let calling =
            self.fields(calling, "functionCallingConfig", &[("mode", TEXT), ("allowedFunctionNames", TEXTS)]);
        let mode = calling.get("mode").and_then(Value::as_str).unwrap_or_default();
        self.that(["AUTO", "ANY", "NONE"].contains(&mode), format!("the mode is {mode}"));
        self.that(!names.is_empty(), "a choice without functions");
        for allowed in calling.get("allowedFunctionNames").and_then(Value::as_array).into_iter().flatten() {
            self.that(mode == "ANY", "names are limited where none must be called");
            let declared = allowed.as_str().is_some_and(|allowed| names.iter().any(|name| name == allowed));
            self.that(declared, format!("{allowed} is allowed and not declared"));
        }
    }

    fn config(&mut self, config: &Value) {
        let seed: Is = |value| value.as_i64().is_some_and(|seed| i32::try_from(seed).is_ok());
        let stops: Is =
            |value| TEXTS(value) && value.as_array().is_some_and(|stops| (1..=5).contains(&stops.len()));
        let fields = self.fields(
            config,
            "generationConfig",
            &[
                ("temperature", NUMBER),
                ("topP", NUMBER),
                ("topK", NUMBER),
                ("candidateCount", WHOLE),
                ("maxOutputTokens", WHOLE),
                ("stopSequences", stops),
                ("seed", seed),
                ("presencePenalty", NUMBER),
                ("frequencyPenalty", NUMBER),
                ("responseLogprobs", BOOL),
                ("logprobs", WHOLE),
                ("thinkingConfig", OBJECT),
                ("responseMimeType", |value| value == "application/json"),
                ("responseJsonSchema", OBJECT),
                ("responseModalities", TEXTS),
                ("mediaResolution", TEXT),
            ],
        );
        self.that(!fields.is_empty(), "the settings are empty");
        let with = |one: &str, other: &str| !fields.contains_key(one) || fields.contains_key(other);
        self.that(with("responseJsonSchema", "responseMimeType"), "a schema without its type");
        self.that(with("logprobs", "responseLogprobs"), "logprobs that are not asked for");
        if let Some(schema) = fields.get("responseJsonSchema") {
            self.schema(schema);
        }
        if let Some(thinking) = fields.get("thinkingConfig") {
            let level: Is = |value| ["minimal", "low", "medium", "high"].iter().any(|level| value == level);
            let known = [("thinkingBudget", WHOLE), ("thinkingLevel", level), ("includeThoughts", BOOL)];
            let thinking = self.fields(thinking, "thinkingConfig", &known);
            let both = thinking.contains_key("thinkingBudget") && thinking.contains_key("thinkingLevel");
            self.that(!both, "thinking is measured twice");
        }
    }
}

/// The checker notices what it is there for.
#[test]
fn a_request_that_gemini_refuses_has_problems() {
    let call = |name: &str| serde_json::json!({ "functionCall": { "name": name, "args": {} } });
    let answer = serde_json::json!({ "functionResponse": { "name": "f", "response": {} } });
    let text = serde_json::json!({ "text": "Hi" });
    let turn = |role: &str, parts: &[&Value]| serde_json::json!({ "role": role, "parts": parts });
    let talk = |turns: &[Value]| serde_json::json!({ "contents": turns });
    let hi = turn("user", &[&text]);
    let good = talk(&[hi.clone(), turn("model", &[&call("f")]), turn("user", &[&answer]), hi.clone()]);
    assert_eq!(problems(&good, false), Vec::<String>::new());
    assert_eq!(problems(&good, true), ["a first call is not signed"]);
    for bad in [
        talk(&[]),
        talk(&[turn("assistant", &[&text])]),
        talk(&[hi.clone(), hi.clone()]),
        talk(&[hi.clone(), turn("model", &[&call("f")])]),
        talk(&[hi.clone(), turn("model", &[&call("f"), &call("f")]), turn("user", &[&answer])]),
        talk(&[hi.clone(), turn("model", &[&call("f")]), turn("user", &[&answer, &text])]),
        talk(&[turn("model", &[&call("1f")]), turn("user", &[&answer])]),
        serde_json::json!({ "contents": [hi], "generationConfig": { "topp": 1 } }),
        serde_json::json!({ "contents": [hi], "generationConfig": { "seed": 5_000_000_000_i64 } }),
        serde_json::json!({ "contents": [hi], "tools": [{ "functionDeclarations": [
            { "name": "f", "parametersJsonSchema": { "type": "object", "required": ["a"] } }
        ] }] }),
        serde_json::json!({ "contents": [hi], "generationConfig": { "thinkingConfig": {
            "thinkingBudget": 1, "thinkingLevel": "low"
        } } }),
    ] {
        assert_ne!(problems(&bad, false), Vec::<String>::new(), "{bad}");
    }
}
