//! Calls in the form before `tools` have no id. They are told apart by where they stand: in which conversation, after how
//! many calls, what is called with what. Both sides reckon it in the same way, so that a signature learned with an answer
//! is found again for the request that repeats the call. Where signatures are kept is not known here.

use ring::digest::{Context, SHA256};

use super::OWN_CALL_ID;
use super::answer::tokens;
use crate::generate::request::{Data, Generate, Part};

/// How much of the digest tells one call from another.
const DIGITS: usize = 24;

/// Where a call stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// See [`Generate::opening`].
    pub opening: u64,
    /// How many calls the conversation had before.
    pub calls_before: usize,
}

impl Standing {
    /// Of what follows the conversation with this opening.
    pub fn after(generate: &Generate<'_>, opening: u64) -> Self {
        let parts = generate.turns.iter().flat_map(|turn| &turn.parts);
        let calls_before = parts.filter(|part| matches!(part.data, Data::Call { .. })).count();
        Self { opening, calls_before }
    }

    /// The id that stands for a call; `name` and `args` as Gemini has them. Whitespace between the tokens of `args` does
    /// not count: some clients write arguments anew.
    pub fn id(&self, name: &str, args: &str) -> String {
        let Self { opening, calls_before } = self;
        let mut digest = Context::new(&SHA256);
        digest.update(format!("{opening:x} {calls_before} {} {name}", name.len()).as_bytes());
        tokens(args).for_each(|(token, _)| digest.update(token.as_bytes()));
        let digits: String = digest.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{OWN_CALL_ID}fn_{}", digits.get(..DIGITS).unwrap_or(&digits))
    }
}

/// Hands over each call of the conversation that has neither id nor signature, and the id that stands for it.
pub fn each_bare_call(generate: &mut Generate<'_>, mut each: impl FnMut(&str, &mut Part<'_>)) {
    let mut parts = generate.turns.iter().flat_map(|turn| &turn.parts);
    // The opening may be long, and hardly a client still speaks like this.
    if !parts.any(|part| matches!(part.data, Data::Call { id: None, .. }) && part.signature.is_none()) {
        return;
    }
    let mut standing = Standing { opening: generate.opening(), calls_before: 0 };
    for part in generate.turns.iter_mut().flat_map(|turn| &mut turn.parts) {
        let Data::Call { id, name, args } = &part.data else { continue };
        if id.is_none() && part.signature.is_none() {
            let id = standing.id(name.as_str(), &args.0);
            each(&id, part);
        }
        standing.calls_before += 1;
    }
}

#[cfg(test)]
mod tests;
