//! Gemini's models as OpenAI's: one, or pages gathered into one list, as OpenAI's list has no pages.

use std::collections::HashSet;

use bytes::BytesMut;

use super::fault::Fault;
use super::json::{name, raw, string};
use crate::generate::answer::others::{Model, Models};

/// A list in the making. A model that two pages, or the pages of two projects, name is in it once.
#[derive(Default)]
pub struct ModelList {
    seen: HashSet<String>,
    data: BytesMut,
}

impl ModelList {
    /// Adds one page; Google's token of the next one when there is one.
    pub fn add(&mut self, body: &[u8]) -> Result<Option<String>, Fault> {
        let page: Models<'_> = match serde_json::from_slice(body) {
            Ok(Models { error: Some(_), .. }) | Err(_) => return Err(Fault::of(body)),
            Ok(page) => page,
        };
        for model in page.models.iter().filter(|model| !model.name.is_empty()) {
            if self.seen.insert(model.name.to_string()) {
                let comma = if self.data.is_empty() { "" } else { "," };
                raw(&mut self.data, comma);
                write(&mut self.data, model);
            }
        }
        Ok(page.next_page_token.some().map(str::to_owned))
    }

    /// A name of the user's own for one of them.
    pub fn add_alias(&mut self, alias: &str) {
        if self.seen.insert(format!("models/{alias}")) {
            let comma = if self.data.is_empty() { "" } else { "," };
            raw(&mut self.data, comma);
            raw(&mut self.data, "{\"id\":");
            string(&mut self.data, alias);
            raw(&mut self.data, ",\"object\":\"model\",\"created\":0,\"owned_by\":\"alias\"}");
        }
    }

    pub fn finish(self, out: &mut BytesMut) {
        raw(out, "{\"object\":\"list\",\"data\":[");
        out.extend_from_slice(&self.data);
        raw(out, "]}");
    }
}

/// Encodes the body of a 200 about one model.
pub fn model(body: &[u8], out: &mut BytesMut) -> Result<(), Fault> {
    match serde_json::from_slice::<Model<'_>>(body) {
        Ok(model) if !model.name.is_empty() => {
            write(out, &model);
            Ok(())
        }
        _ => Err(Fault::of(body)),
    }
}

/// Gemini does not say when a model was made; OpenAI's clients expect a number.
fn write(out: &mut BytesMut, model: &Model<'_>) {
    raw(out, "{\"id\":");
    string(out, model.name.strip_prefix("models/").unwrap_or(&model.name));
    raw(out, ",\"object\":\"model\",\"created\":0,\"owned_by\":\"google\"");
    if let Some(shown) = model.display_name.some() {
        name(out, &mut false, "display_name");
        string(out, shown);
    }
    raw(out, "}");
}
