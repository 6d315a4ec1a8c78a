//! What a conversation is recognised by when it goes on: its beginning, which every later request repeats. Pure.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::request::{Data, Generate, Output, Part, Role};

/// How many bytes of a picture tell it from others.
const OF_MEDIA: usize = 256;

impl Generate<'_> {
    /// The same for every request of one conversation: of its instructions and its first turn. Equal beginnings of two
    /// conversations are one to it.
    pub fn opening(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.system.iter().for_each(|part| hash_part(part, &mut hasher));
        self.turns.iter().take(1).flat_map(|turn| &turn.parts).for_each(|part| hash_part(part, &mut hasher));
        hasher.finish()
    }

    /// The model has spoken before.
    pub fn goes_on(&self) -> bool {
        self.turns.iter().any(|turn| turn.role == Role::Model)
    }
}

fn hash_part(part: &Part<'_>, hasher: &mut DefaultHasher) {
    std::mem::discriminant(&part.data).hash(hasher);
    match &part.data {
        Data::Text(text) => text.as_str().hash(hasher),
        Data::Inline { mime, base64 } => {
            let text = base64.as_str().as_bytes();
            (mime, text.len(), &text[..text.len().min(OF_MEDIA)]).hash(hasher);
        }
        Data::File { uri, .. } => uri.as_str().hash(hasher),
        Data::Call { name, args, .. } => (name.as_str(), &args.0).hash(hasher),
        Data::Answer { name, output, .. } => {
            name.as_str().hash(hasher);
            match output {
                Output::Object(json) => json.0.hash(hasher),
                Output::Text(pieces) => pieces.iter().for_each(|piece| piece.as_str().hash(hasher)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::request::Turn;

    fn conversation(said: &[(Role, &'static str)]) -> Generate<'static> {
        let turn = |(role, text): &(Role, &'static str)| Turn {
            role: *role,
            parts: vec![Data::Text((*text).into()).into()],
        };
        Generate {
            system: vec![Data::Text("Be kind.".into()).into()],
            turns: said.iter().map(turn).collect(),
            ..Generate::default()
        }
    }

    #[test]
    fn a_conversation_keeps_its_opening_as_it_grows() {
        let first = conversation(&[(Role::User, "Hi")]);
        let later = conversation(&[(Role::User, "Hi"), (Role::Model, "Hello"), (Role::User, "And?")]);
        assert_eq!(first.opening(), later.opening());
        assert!(!first.goes_on() && later.goes_on());
        assert_ne!(first.opening(), conversation(&[(Role::User, "Hello")]).opening());
        let unkind = Generate { system: Vec::new(), ..conversation(&[(Role::User, "Hi")]) };
        assert_ne!(first.opening(), unkind.opening());
    }
}
