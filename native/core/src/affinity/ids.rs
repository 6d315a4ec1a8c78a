//! Learns resources whose answers give a bare `id` and no name: interactions (`{"id":"v1_x"}`, also inside the events
//! of a stream) and the newer collections. Only the id of the resource itself counts, not the ids of calls and steps
//! inside it; so it follows the nesting of JSON as it streams by, keeping a few short words and no more.

use std::collections::BTreeSet;

use super::names::{LONGEST_ID, MOST_FOUND, NameScanner, is_id};

/// Deeper than any id that counts: `{"agents":[{"id":…}]}`.
const DEEPEST: usize = 3;

/// What an answer is searched for.
pub enum Learning {
    /// Full names, wherever they stand.
    Names(NameScanner),
    /// The ids of members of one collection.
    Ids(IdScanner),
}

impl Learning {
    /// For the answers of a route whose members have bare ids, or of any other.
    pub fn of(bare_ids: Option<&'static str>) -> Self {
        match bare_ids {
            Some(collection) => Self::Ids(IdScanner::new(collection)),
            None => Self::Names(NameScanner::default()),
        }
    }

    pub fn push(&mut self, chunk: &[u8]) {
        match self {
            Self::Names(names) => names.push(chunk),
            Self::Ids(ids) => ids.push(chunk),
        }
    }

    pub fn finish(self) -> BTreeSet<String> {
        match self {
            Self::Names(names) => names.finish(),
            Self::Ids(ids) => ids.found,
        }
    }
}

pub struct IdScanner {
    collection: &'static str,
    found: BTreeSet<String>,
    /// The fields under which the open objects and arrays stand, the outermost first; those too deep are counted only.
    around: Vec<Vec<u8>>,
    depth: usize,
    /// The text of the string being read or read last, cut where it is too long to be an id.
    text: Vec<u8>,
    /// The field whose value comes next.
    field: Vec<u8>,
    inside: Inside,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Nothing,
    String,
    Escape,
}

impl IdScanner {
    pub fn new(collection: &'static str) -> Self {
        Self {
            collection,
            found: BTreeSet::new(),
            around: Vec::new(),
            depth: 0,
            text: Vec::new(),
            field: Vec::new(),
            inside: Inside::Nothing,
        }
    }

    pub fn push(&mut self, chunk: &[u8]) {
        for &byte in chunk {
            match (self.inside, byte) {
                (Inside::Escape, _) => {
                    self.inside = Inside::String;
                    self.keep(byte);
                }
                (Inside::String, b'\\') => {
                    self.inside = Inside::Escape;
                    self.keep(byte);
                }
                (Inside::String, b'"') => self.inside = Inside::Nothing,
                (Inside::String, _) => self.keep(byte),
                (Inside::Nothing, b'"') => {
                    self.text.clear();
                    self.inside = Inside::String;
                }
                (Inside::Nothing, b':') => {
                    self.field.clear();
                    std::mem::swap(&mut self.field, &mut self.text);
                }
                (Inside::Nothing, b'{' | b'[') => self.open(),
                (Inside::Nothing, b'}' | b']') => self.close(),
                (Inside::Nothing, b',') => self.end_value(),
                (Inside::Nothing, _) => {}
            }
        }
    }

    fn keep(&mut self, byte: u8) {
        if self.text.len() <= LONGEST_ID {
            self.text.push(byte);
        }
    }

    fn open(&mut self) {
        if self.depth < DEEPEST {
            self.around.push(std::mem::take(&mut self.field));
        }
        self.depth += 1;
        self.text.clear();
    }

    fn close(&mut self) {
        self.end_value();
        self.depth = self.depth.saturating_sub(1);
        self.around.truncate(self.depth);
    }

    /// A value ended: takes it when it is an id of the resource itself.
    fn end_value(&mut self) {
        let collection = match self.field.as_slice() {
            b"id" => Some(self.collection),
            b"interaction_id" => Some("interactions"),
            b"environment_id" => Some("environments"),
            _ => None,
        };
        let whole = (1..=LONGEST_ID).contains(&self.text.len()) && self.text.iter().all(|byte| is_id(*byte));
        if let Some(collection) = collection.filter(|_| whole && self.is_of_the_resource())
            && self.found.len() < MOST_FOUND
        {
            self.found.insert(format!("{collection}/{}", String::from_utf8_lossy(&self.text)));
        }
        self.field.clear();
        self.text.clear();
    }

    /// `{"id":…}`, `{"interaction":{"id":…}}` or `{"agents":[{"id":…}]}`.
    fn is_of_the_resource(&self) -> bool {
        if self.depth > DEEPEST {
            return false;
        }
        let around: Vec<&[u8]> = self.around.iter().map(Vec::as_slice).collect();
        match around.as_slice() {
            [_] | [_, b"interaction"] => true,
            [_, list, _] => *list == self.collection.as_bytes(),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found_wherever_cut(text: &str, collection: &'static str, all: &[&str]) {
        for cut in 0..=text.len() {
            let mut scanner = IdScanner::new(collection);
            scanner.push(&text.as_bytes()[..cut]);
            scanner.push(&text.as_bytes()[cut..]);
            assert_eq!(scanner.found.into_iter().collect::<Vec<_>>(), all, "cut at {cut}");
        }
    }

    #[test]
    fn an_interaction_is_learned_and_the_calls_inside_it_are_not() {
        found_wherever_cut(
            r#"{ "id" : "v1_a", "object":"interaction","steps":[{"type":"function_call","id":"call_1"}],"x":{"id":"y"} }"#,
            "interactions",
            &["interactions/v1_a"],
        );
        found_wherever_cut(r#"{"steps":[],"id":"v1_last"}"#, "interactions", &["interactions/v1_last"]);
    }

    #[test]
    fn an_interaction_is_learned_from_the_events_of_its_stream() {
        let stream = concat!(
            "event: interaction.created\ndata: {\"event_type\":\"interaction.created\",",
            "\"interaction\":{\"id\":\"v1_s\",\"environment_id\":\"e1\",\"steps\":[]}}\n\n",
            "event: step.delta\ndata: {\"index\":0,\"delta\":{\"text\":\"say \\\"id\\\": \\\"no\\\", {[\"}}\n\n",
            "data: {\"event_type\":\"interaction.status_update\",\"interaction_id\":\"v1_s\"}\n\nevent: done\ndata: [DONE]\n\n",
            "data: {\"interaction\":{\"id\":\"v1_t\"}}\n\n",
        );
        found_wherever_cut(
            stream,
            "interactions",
            &["environments/e1", "interactions/v1_s", "interactions/v1_t"],
        );
    }

    #[test]
    fn the_members_of_a_list_are_learned() {
        found_wherever_cut(
            r#"{"agents":[{"id":"a1","tools":[{"id":"no"}]},{"id":"a2"}],"others":[{"id":"no"}]}"#,
            "agents",
            &["agents/a1", "agents/a2"],
        );
    }

    #[test]
    fn what_never_ends_costs_no_memory() {
        let mut scanner = IdScanner::new("interactions");
        scanner.push(b"{\"id\":\"");
        (0..10_000).for_each(|_| scanner.push(&[b'a'; 64]));
        assert!(scanner.text.len() <= LONGEST_ID + 1);
        scanner.push(b"\"}");
        (0..10_000).for_each(|_| scanner.push(b"[{\"a\":"));
        assert!(scanner.around.len() <= DEEPEST);
        assert_eq!(scanner.found.len(), 0);
    }
}
