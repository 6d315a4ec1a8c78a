//! Models by the names clients give them: where a request for one goes, and of which generation it is, as far as its
//! name tells. Which models a key may use is not known here.

use super::Context;
use super::reading::{Object, RequestError};

/// A model's name as the client wrote it and as Gemini has it.
pub struct Model {
    pub written: String,
    /// `gemini-3.8-flash`, or `tunedModels/x`.
    pub name: String,
}

/// What a model's name tells of its abilities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generation {
    /// Gemini 3 and later, and names without a number (`gemini-flash-latest`), which follow the newest.
    Levels { pro: bool },
    /// Gemini 2.5.
    Budgets { pro: bool },
    /// Gemini before 2.5.
    Early,
    /// Gemma, Imagen, tuned models and whatever else.
    Other,
}

impl Generation {
    pub fn of(name: &str) -> Self {
        let Some(rest) = name.strip_prefix("gemini-") else { return Self::Other };
        let pro = rest.split('-').any(|word| word == "pro");
        let version = rest.split('-').next().unwrap_or_default();
        if !version.starts_with(|first: char| first.is_ascii_digit()) {
            return Self::Levels { pro };
        }
        match version.parse::<f32>() {
            Ok(version) if version < 2.5 => Self::Early,
            Ok(version) if version < 3.0 => Self::Budgets { pro },
            _ => Self::Levels { pro },
        }
    }

    /// Whether it refuses a call in the history that lacks its thought signature.
    pub fn wants_signatures(self) -> bool {
        matches!(self, Self::Levels { .. })
    }

    /// Whether JSON output and functions go together.
    pub fn mixes_json_and_functions(self) -> bool {
        matches!(self, Self::Levels { .. })
    }
}

impl Model {
    /// The body's `model`, by the user's aliases.
    pub fn read(body: &Object<'_, '_, '_>, context: &Context<'_>) -> Result<Self, RequestError> {
        let written = body.required_literal("model")?.decode().into_owned();
        let aliased = (context.alias)(&written);
        let name = aliased.as_deref().unwrap_or(&written);
        let name = name.strip_prefix("models/").unwrap_or(name).to_owned();
        let bare = name.strip_prefix("tunedModels/").unwrap_or(&name);
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if bare.is_empty() || bare.starts_with('.') || !bare.bytes().all(is_name) {
            return Err(body.place("model").error(format!(
                "`{name}` is no name of a Gemini model; take one that GET /v1/models lists, or set an alias for it."
            )));
        }
        Ok(Self { written, name })
    }

    /// `call` as in `:generateContent`.
    pub fn target(&self, call: &str) -> String {
        format!("/v1beta/{}:{call}", self.resource())
    }

    /// `models/m`.
    pub fn resource(&self) -> String {
        if self.name.contains('/') { self.name.clone() } else { format!("models/{}", self.name) }
    }

    pub fn generation(&self) -> Generation {
        Generation::of(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_the_generation() {
        for (name, generation) in [
            ("gemini-3.8-flash", Generation::Levels { pro: false }),
            ("gemini-3-pro-preview", Generation::Levels { pro: true }),
            ("gemini-flash-latest", Generation::Levels { pro: false }),
            ("gemini-pro-latest", Generation::Levels { pro: true }),
            ("gemini-12-flash", Generation::Levels { pro: false }),
            ("gemini-2.5-flash-lite", Generation::Budgets { pro: false }),
            ("gemini-2.5-pro", Generation::Budgets { pro: true }),
            ("gemini-2.0-flash", Generation::Early),
            ("gemini-1.5-pro-002", Generation::Early),
            ("gemma-3-27b-it", Generation::Other),
            ("tunedModels/gemini-3", Generation::Other),
        ] {
            assert_eq!(Generation::of(name), generation, "{name}");
        }
    }
}
