//! The last look at a conversation's thought signatures: calls without an id get the one that was kept for where they
//! stand, and what is still missing is made up for.

use super::super::{FindSignature, legacy};
use crate::generate::request::{Data, Generate, Role, Text};

/// Takes the place of a signature that nobody has any more: Gemini then does not ask for it.
const NO_SIGNATURE: &str = "skip_thought_signature_validator";

/// `wanted`: the model refuses a turn whose first call has none. The ids for which one was kept.
pub fn sign(generate: &mut Generate<'_>, find: FindSignature<'_>, wanted: bool) -> Vec<String> {
    let mut known = Vec::new();
    legacy::each_bare_call(generate, |id, part| {
        if let Some(signature) = find(id) {
            part.signature = Some(Text::from(signature.to_string()));
            known.push(id.to_owned());
        }
    });
    for turn in generate.turns.iter_mut().filter(|turn| wanted && turn.role == Role::Model) {
        let first = turn.parts.iter_mut().find(|part| matches!(part.data, Data::Call { .. }));
        if let Some(first) = first {
            first.signature.get_or_insert(Text::from(NO_SIGNATURE));
        }
    }
    known
}
