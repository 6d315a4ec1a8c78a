//! `POST /v1/chat/completions`: the whole body into one generateContent.

use bytes::Bytes;

use super::super::schema::Budget;
use super::super::{Asked, Standing};
use super::conversation::Conversation;
use super::messages::Reader;
use super::model::Model;
use super::names::Names;
use super::options::{self, Refused, is_empty, never};
use super::reading::{Object, Place, RequestError, parse, text_of};
use super::{Context, Decoded, Opening, format, google, signing, thinking, tools};
use crate::dialect::json::Node;
use crate::generate::body;
use crate::generate::request::{Choice, Config, Format, Generate, Logprobs};

const REFUSED: [Refused; 6] = [
    Refused { field: "audio", harmless: never, instead: "it answers in text here. Leave it out." },
    Refused {
        field: "logit_bias",
        harmless: is_empty,
        instead: "it has no weights for single tokens. Leave it out.",
    },
    Refused {
        field: "moderation",
        harmless: never,
        instead: "it has filters of its own, set by `google.safety_settings`. Leave it out.",
    },
    Refused {
        field: "modalities",
        harmless: is_text_only,
        instead: "answers are text here. Ask for pictures at /v1/images/generations.",
    },
    Refused {
        field: "verbosity",
        harmless: |node| node.as_str().is_some_and(|word| word == "medium"),
        instead: "it has no such switch. Say in the system message how long answers should be.",
    },
    Refused {
        field: "web_search_options",
        harmless: never,
        instead: "its search is a tool of Google's. Send `google: {\"tools\": [{\"google_search\": {}}]}` instead.",
    },
];

fn is_text_only(modalities: &Node<'_>) -> bool {
    let text = |modality: &Node<'_>| modality.as_str().is_some_and(|word| word == "text");
    modalities.as_list().is_some_and(|modalities| modalities.iter().all(text))
}

pub fn decode(body: &Bytes, context: &Context<'_>) -> Result<Decoded, RequestError> {
    let text = text_of(body)?;
    let tree = parse(text)?;
    let request = Object::of(&tree, Place::Body)?;
    let model = Model::read(&request, context)?;
    options::refuse(&request, &REFUSED)?;
    let (streams, include_usage) = options::streaming(&request)?;

    let mut budget = Budget::default();
    let mut names = Names::default();
    let tools = tools::read(&request, &mut names, &mut budget)?;
    let mut generate = Generate { config: config(&request)?, choice: tools.choice, ..Generate::default() };
    generate.config.format = format::read(&request, &mut budget)?;
    generate.functions = tools.functions.into_iter().map(|(_, function)| function).collect();
    extras(&request, &model, &mut generate)?;
    let calls = converse(&request, context, &model, &mut names, &mut generate)?;
    check(&request, &model, &mut generate)?;
    let conversation = Opening::of(&generate);
    Ok(Decoded {
        conversation,
        target: model.target(options::call(streams)),
        body: body::write(&generate, body),
        asked: Asked {
            model: model.written,
            id: context.id.clone(),
            created: context.created,
            completion: false,
            streams,
            include_usage,
            one_call: request.get("parallel_tool_calls").is_some() && !request.bool("parallel_tool_calls")?,
            legacy_functions: tools.legacy,
            standing: Standing::after(&generate, conversation.hash),
            tool_names: names.changed(),
        },
        model: model.name,
        calls,
    })
}

fn config<'a>(request: &Object<'_, '_, 'a>) -> Result<Config<'a>, RequestError> {
    Ok(Config { max_tokens: max_tokens(request)?, logprobs: logprobs(request)?, ..options::read(request)? })
}

fn max_tokens(request: &Object<'_, '_, '_>) -> Result<Option<i64>, RequestError> {
    match (request.count("max_completion_tokens", 1)?, request.count("max_tokens", 1)?) {
        (Some(new), Some(old)) if new != old => Err(request
            .place("max_tokens")
            .error("`max_tokens` is the old name of `max_completion_tokens`; give one of them.")),
        (new, old) => Ok(new.or(old)),
    }
}

fn logprobs(request: &Object<'_, '_, '_>) -> Result<Option<Logprobs>, RequestError> {
    let (wanted, top) = (request.bool("logprobs")?, request.count("top_logprobs", 0)?);
    match top {
        Some(1..) if !wanted => {
            Err(request.place("top_logprobs").error("`top_logprobs` needs `logprobs`: true."))
        }
        top => Ok(wanted.then_some(Logprobs { top })),
    }
}

fn extras<'a>(
    request: &Object<'_, '_, 'a>,
    model: &Model,
    generate: &mut Generate<'a>,
) -> Result<(), RequestError> {
    let extra = request.object("extra_body")?;
    let node = google::find(request, extra.as_ref())?;
    let literally = Place::Field(&Place::Body, "extra_body");
    let parent = if request.get("google").is_some() { Place::Body } else { literally };
    let google = node.map(|node| Object::of(node, Place::Field(&parent, "google"))).transpose()?;
    generate.config.thinking = thinking::read(request, google.as_ref(), model)?;
    google.map_or(Ok(()), |google| google::read(&google, generate))
}

fn converse<'a>(
    request: &Object<'_, '_, 'a>,
    context: &Context<'_>,
    model: &Model,
    names: &mut Names<'a>,
    generate: &mut Generate<'a>,
) -> Result<Vec<String>, RequestError> {
    let place = request.place("messages");
    let messages =
        request.required("messages")?.as_list().ok_or_else(|| place.must_be("a list of messages"))?;
    let mut reader = Reader { conversation: Conversation::default(), names, signature: context.signature };
    reader.read(messages, place)?;
    let (system, turns, mut calls) = reader.conversation.finish();
    if turns.is_empty() {
        return Err(place.error("No message says anything; send one with some content."));
    }
    (generate.system, generate.turns) = (system, turns);
    calls.extend(signing::sign(generate, context.signature, model.generation().wants_signatures()));
    Ok(calls)
}

/// What Gemini would refuse as a whole, in clearer words.
fn check(
    request: &Object<'_, '_, '_>,
    model: &Model,
    generate: &mut Generate<'_>,
) -> Result<(), RequestError> {
    let json = matches!(generate.config.format, Format::Json(_));
    if json && !generate.functions.is_empty() && !model.generation().mixes_json_and_functions() {
        if generate.choice != Some(Choice::Never) {
            return Err(request.place("response_format").error(format!(
                "`{}` gives no JSON output while it is offered functions; Gemini 3 and later do. Leave out \
                 `response_format` or `tools`.",
                model.name
            )));
        }
        // None may be called, so they need not be offered.
        generate.functions.clear();
        generate.choice = None;
    }
    let set =
        !generate.system.is_empty() || !generate.functions.is_empty() || !generate.google_tools.is_empty();
    if generate.cached_content.is_some() && set {
        return Err(request.place("google").error(
            "With `cached_content`, Gemini takes neither system messages nor tools beside it: they belong into the cached \
             content.",
        ));
    }
    Ok(())
}
