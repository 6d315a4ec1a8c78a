//! docs/admin-api.yaml says what the routes and the types say, and nothing else: paths, methods, parameters, fields of
//! bodies with their kinds, fields of answers, names of events, codes of errors.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, json};

use super::fields::{Field, Kind};
use super::routes::ROUTES;
use super::{backup, events, objects, requests};
use crate::backup::diff::BackupDiff;
use crate::clock::SystemClock;
use crate::dispatch::judge::Blame;
use crate::events::{Event, EventType, Level};
use crate::figures::Of;
use crate::fixtures::{entered_key, entered_proxy};
use crate::pools::Pools;
use crate::requests::fixtures::request;
use crate::settings::Settings;
use crate::state::State;
use crate::tested::{TestFault, TestStage, TestStageName, Tested};

const TEXT: &str = include_str!("../../../../../docs/admin-api.yaml");

fn description() -> Value {
    serde_saphyr::from_str(TEXT).unwrap()
}

/// Follows a `$ref`.
fn of<'a>(description: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(path) => description.pointer(path.trim_start_matches('#')).expect(path),
        None => value,
    }
}

fn names(value: &Value) -> BTreeSet<String> {
    value.as_object().map(|fields| fields.keys().cloned().collect()).unwrap_or_default()
}

#[test]
fn the_paths_are_those_that_are_served() {
    let description = description();
    let mut said = BTreeSet::new();
    for (path, operations) in description["paths"].as_object().unwrap() {
        for method in names(operations).into_iter().filter(|name| name != "parameters") {
            said.insert(format!("{} {path}", method.to_uppercase()));
        }
    }
    let served: BTreeSet<String> =
        ROUTES.iter().map(|entry| format!("{} {}", entry.method, entry.path)).collect();
    assert_eq!(said, served);
}

#[test]
fn what_a_path_takes_is_what_it_reads() {
    let description = description();
    for entry in ROUTES {
        let place = format!("{} {}", entry.method, entry.path);
        let operation = &description["paths"][entry.path][entry.method.to_lowercase()];
        let parameters: Vec<&Value> = operation["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|one| of(&description, one))
            .collect();
        let within = |kind: &str| -> BTreeSet<&str> {
            parameters.iter().filter(|one| one["in"] == kind).filter_map(|one| one["name"].as_str()).collect()
        };
        assert_eq!(within("query"), entry.query.iter().copied().collect(), "{place}");
        assert_eq!(within("header").contains("If-Match"), entry.method != "GET", "{place}");
        let body = of(&description, &operation["requestBody"]["content"]["application/json"]["schema"]);
        assert_eq!(names(&body["properties"]), entry.fields.iter().map(|one| one.name.to_owned()).collect());
        let required: BTreeSet<&str> =
            body["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        for field in entry.fields {
            let place = format!("{place} {}", field.name);
            assert_eq!(required.contains(field.name), field.required, "{place}");
            assert_eq!(body["properties"][field.name]["type"], kind_of(field), "{place}");
        }
    }
}

fn kind_of(field: &Field) -> Value {
    let kind = match field.kind {
        Kind::Text => "string",
        Kind::Number => "integer",
        Kind::Flag => "boolean",
    };
    if field.nullable { json!([kind, "null"]) } else { json!(kind) }
}

/// Every field in the one is in the other, in everything that a field holds as well.
fn assert_same(description: &Value, schema: &str, shown: &impl Serialize) {
    let schema_of = &description["components"]["schemas"][schema];
    compare(description, schema, schema_of, &serde_json::to_value(shown).unwrap());
}

fn compare(description: &Value, place: &str, schema: &Value, shown: &Value) {
    let schema = of(description, schema);
    match shown {
        Value::Object(fields) => {
            let schema = schema["anyOf"].get(0).map_or(schema, |first| of(description, first));
            assert_eq!(names(&schema["properties"]), names(shown), "{place}");
            for (name, value) in fields {
                compare(description, &format!("{place}.{name}"), &schema["properties"][name], value);
            }
        }
        Value::Array(rows) => {
            rows.iter().for_each(|row| compare(description, place, &schema["items"], row));
        }
        Value::String(word) => {
            let known = schema["enum"].as_array();
            assert!(known.is_none_or(|words| words.contains(&json!(word))), "{place}: {word}");
        }
        Value::Null => {
            let types = schema["type"].as_array().or(schema["anyOf"].as_array());
            assert!(types.is_some_and(|types| types.len() > 1), "{place} may be null");
        }
        _ => {}
    }
}

fn busy() -> Arc<State> {
    let mut pools = Pools::new(fastrand::Rng::with_seed(1));
    pools.keys.add(entered_key(1)).unwrap();
    pools.proxies.add(entered_proxy(1)).unwrap();
    let now = crate::clock::Clock::now(&SystemClock);
    pools.settle_assignments(&Settings::default(), now);
    pools.keys.iter_mut().for_each(|key| key.figures.ended(Of::Key, Blame::Nobody, None, now));
    State::new(pools, Settings::default(), Arc::new(SystemClock))
}

#[test]
fn objects_have_the_fields_that_are_described() {
    let (description, state) = (description(), busy());
    let keys = objects::keys(&state);
    assert_same(&description, "Keys", &keys);
    let key = serde_json::to_value(&keys.keys[0]).unwrap();
    assert_eq!(key["used_history"].as_array().unwrap().len(), 1);
    assert_same(&description, "Proxies", &objects::proxies(&state));
    assert_same(&description, "RotatingProxy", &objects::rotating(&state));
    assert_same(&description, "Health", &crate::health::report(&state));
    let page = requests::Page { requests: vec![Arc::new(request(1))], next_cursor: None, total: 1 };
    assert_same(&description, "Requests", &page);
    let stage =
        TestStage { stage: TestStageName::ProxyLogin, ms: 1, ok: false, words: "Refused.".to_owned() };
    let tested = Tested {
        works: false,
        message: "Refused.".to_owned(),
        id: Some("p1".to_owned()),
        fault: Some(TestFault::Proxy),
        stages: vec![stage],
        address: None,
    };
    assert_same(&description, "Tested", &tested);
    let (message, text, version) = (String::new(), String::new(), String::new());
    assert_same(&description, "Backup", &backup::BackupObject { message, text, version });
    let diff = Box::new(BackupDiff::default());
    assert_same(&description, "Restored", &backup::Restored { message: String::new(), diff });
}

#[test]
fn events_have_the_names_and_fields_that_are_described() {
    let (description, view) = (description(), Arc::new(request(1)));
    let event = Event::new(EventType::RequestFinished, Level::Info, 1, "Done.")
        .key(&"k1".into())
        .proxy(&"p1".into())
        .request(&view);
    assert_same(&description, "Event", &events::object_of(&event));
    assert_same(&description, "Snapshot", &events::snapshot_of(&busy()));
    // Each name of the description is an event's, and each of the interface's events is described.
    let said = description["components"]["schemas"]["Event"]["properties"]["type"]["enum"].clone();
    let kinds: Vec<EventType> = serde_json::from_value(said).unwrap();
    for name in "key.added key.updated key.removed key.cooling key.available key.disabled assignment.changed \
                 pool.changed proxy.error proxy.recovered rotating.changed rebalanced request.finished direct.used \
                 state.warning proxies.down endpoint.changed"
        .split_whitespace()
    {
        assert!(kinds.iter().any(|kind| events::name_of(*kind) == name), "{name}");
    }
}
