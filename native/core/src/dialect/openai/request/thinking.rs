//! How much a model thinks: OpenAI's `reasoning_effort`, or Google's own `thinking_config`, in the terms that the
//! model's generation takes. Two answers to the same question are refused.

use super::google::spelling;
use super::model::{Generation, Model};
use super::reading::{Object, RequestError};
use crate::generate::request::{Amount, Thinking};

const EFFORTS: [&str; 7] = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];
/// Google's own tokens for the efforts, from its guide to the OpenAI library.
const LOW: i64 = 1_024;
const MEDIUM: i64 = 8_192;
const HIGH: i64 = 24_576;

/// `google` is the client's `extra_body.google`.
pub fn read(
    body: &Object<'_, '_, '_>,
    google: Option<&Object<'_, '_, '_>>,
    model: &Model,
) -> Result<Option<Thinking>, RequestError> {
    let mut thinking = match google {
        Some(google) => google_config(google)?,
        None => Thinking::default(),
    };
    if let Some(effort) = body.str("reasoning_effort")? {
        let place = body.place("reasoning_effort");
        if thinking.amount.is_some() {
            return Err(place.error(
                "`reasoning_effort` and `google.thinking_config` both say how much to think; give one of them.",
            ));
        }
        thinking.amount = amount(&effort, model).map_err(|message| place.error(message))?;
    }
    Ok(Some(thinking).filter(|thinking| *thinking != Thinking::default()))
}

fn amount(effort: &str, model: &Model) -> Result<Option<Amount>, String> {
    if !EFFORTS.contains(&effort) {
        return Err(format!("`reasoning_effort` must be one of {}.", EFFORTS.join(", ")));
    }
    match model.generation() {
        Generation::Budgets { pro } => budget(effort, pro, model).map(Amount::Budget).map(Some),
        Generation::Levels { pro } => {
            level(effort, pro, model).map(|level| Some(Amount::Level(level.into())))
        }
        Generation::Early | Generation::Other if effort == "none" => Ok(None),
        Generation::Early | Generation::Other => Err(format!(
            "`{}` is not known to think, so `reasoning_effort` means nothing to it. Leave it out or take a Gemini 2.5 \
             or later.",
            model.name
        )),
    }
}

fn budget(effort: &str, pro: bool, model: &Model) -> Result<i64, String> {
    match effort {
        "none" if pro => Err(always_thinks(model, "minimal")),
        "none" => Ok(0),
        "minimal" | "low" => Ok(LOW),
        "medium" => Ok(MEDIUM),
        _ => Ok(HIGH),
    }
}

fn level(effort: &str, pro: bool, model: &Model) -> Result<&'static str, String> {
    match effort {
        "none" => Err(always_thinks(model, if pro { "low" } else { "minimal" })),
        // 3.x Pro has no level `minimal`.
        "minimal" if !pro => Ok("minimal"),
        "minimal" | "low" => Ok("low"),
        "medium" => Ok("medium"),
        _ => Ok("high"),
    }
}

fn always_thinks(model: &Model, least: &str) -> String {
    format!("`{}` cannot do without thinking; the least is `reasoning_effort`: \"{least}\".", model.name)
}

fn google_config(google: &Object<'_, '_, '_>) -> Result<Thinking, RequestError> {
    let Some(name) = spelling(google, "thinking_config", "thinkingConfig")? else {
        return Ok(Thinking::default());
    };
    let Some(config) = google.object(name)? else { return Ok(Thinking::default()) };
    let mut thinking = Thinking::default();
    for name in config.names() {
        match name {
            "include_thoughts" | "includeThoughts" => thinking.shown = Some(config.bool(name)?),
            "thinking_budget" | "thinkingBudget" | "thinking_level" | "thinkingLevel" => {
                if thinking.amount.is_some() {
                    return Err(config.at.error(format!(
                        "`{}` says how much to think twice; give a budget (Gemini 2.5) or a level (Gemini 3).",
                        config.at
                    )));
                }
                thinking.amount = google_amount(&config, name)?;
            }
            _ => {
                return Err(config.place(name).error(format!(
                    "`{}` is unknown; there are include_thoughts, thinking_budget and thinking_level.",
                    config.place(name)
                )));
            }
        }
    }
    Ok(thinking)
}

fn google_amount(config: &Object<'_, '_, '_>, name: &str) -> Result<Option<Amount>, RequestError> {
    if name.ends_with("udget") {
        return Ok(config.whole(name)?.map(Amount::Budget));
    }
    Ok(config.str(name)?.map(|level| Amount::Level(level.into_owned().into())))
}
