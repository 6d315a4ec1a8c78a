//! A YAML text as a tree without types: what stands where, by its path (`keys.0.url`), so that a problem can name line and
//! column; and the text once more without some of it, so that reading can go on behind a mistake. It knows no field.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

/// Line and column, counted from one.
pub type Place = (u64, u64);

/// Where in the tree something stands: at each level, which of its entries.
pub type Steps = Vec<usize>;

#[derive(Clone, Debug, Default)]
pub struct Tree(Node);

#[derive(Clone, Debug)]
enum Node {
    /// As it is written again.
    Scalar(String),
    Items(Vec<Entry>),
    Fields(Vec<Entry>),
}

#[derive(Clone, Debug)]
struct Entry {
    /// A field's name, or an item's number in the text as it was.
    name: String,
    /// An item has no name of its own, and stands where its value does.
    named_at: Place,
    at: Place,
    node: Node,
}

/// What was taken out.
#[derive(Debug, PartialEq, Eq)]
pub struct Taken {
    pub path: String,
    pub named_at: Place,
    pub at: Place,
}

impl Tree {
    /// Empty when the text cannot be read; that is reported elsewhere.
    pub fn of(text: &str) -> Self {
        Self(serde_saphyr::from_str_with_options(text, super::shape::options()).unwrap_or_default())
    }

    /// Line and column of `path`, or of its nearest parent that the text has.
    pub fn find(&self, path: &str) -> Option<Place> {
        let mut here = &self.0;
        let mut place = None;
        for part in path.split('.') {
            let Some(entry) = here.entries().iter().find(|entry| entry.name == part) else { break };
            place = Some(entry.at);
            here = &entry.node;
        }
        place
    }

    /// The value that begins there, the outermost of several.
    pub fn value_at(&self, place: Place) -> Option<Steps> {
        self.0.search(&|entry| entry.at == place)
    }

    /// The field whose name stands there.
    pub fn name_at(&self, place: Place) -> Option<Steps> {
        self.0.search(&|entry| entry.named_at == place && entry.at != place)
    }

    /// The value whose field that is.
    pub fn parent_of_name_at(&self, place: Place) -> Option<Steps> {
        let mut steps = self.name_at(place)?;
        steps.pop();
        Some(steps)
    }

    /// What stands at `steps` is not written again.
    pub fn take(&mut self, steps: &[usize]) -> Option<Taken> {
        let (last, way) = steps.split_last()?;
        let mut here = &mut self.0;
        let mut path = Vec::new();
        for step in way {
            let entry = here.entries_mut()?.get_mut(*step)?;
            path.push(entry.name.as_str());
            here = &mut entry.node;
        }
        let entries = here.entries_mut()?;
        let entry = (*last < entries.len()).then(|| entries.remove(*last))?;
        path.push(&entry.name);
        Some(Taken { path: path.join("."), named_at: entry.named_at, at: entry.at })
    }

    /// The text again, on one line, in the same order.
    pub fn write(&self) -> String {
        let mut text = String::new();
        self.0.write(&mut text);
        text
    }
}

impl Default for Node {
    fn default() -> Self {
        Self::Scalar("null".to_owned())
    }
}

impl Node {
    fn entries(&self) -> &[Entry] {
        match self {
            Self::Scalar(_) => &[],
            Self::Items(entries) | Self::Fields(entries) => entries,
        }
    }

    fn entries_mut(&mut self) -> Option<&mut Vec<Entry>> {
        match self {
            Self::Scalar(_) => None,
            Self::Items(entries) | Self::Fields(entries) => Some(entries),
        }
    }

    fn search(&self, fits: &impl Fn(&Entry) -> bool) -> Option<Steps> {
        self.entries().iter().enumerate().find_map(|(step, entry)| {
            if fits(entry) {
                return Some(vec![step]);
            }
            let deeper = entry.node.search(fits)?;
            Some([vec![step], deeper].concat())
        })
    }

    fn write(&self, text: &mut String) {
        let (open, close) = match self {
            Self::Scalar(scalar) => return text.push_str(scalar),
            Self::Items(_) => ('[', ']'),
            Self::Fields(_) => ('{', '}'),
        };
        text.push(open);
        for (place, entry) in self.entries().iter().enumerate() {
            text.push_str(if place == 0 { " " } else { ", " });
            if let Self::Fields(_) = self {
                text.push_str(&quoted(&entry.name));
                text.push_str(": ");
            }
            entry.node.write(text);
        }
        text.push(' ');
        text.push(close);
    }
}

/// JSON's quotation is YAML's, too.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn place_of<T>(spanned: &Spanned<T>) -> Place {
    (spanned.referenced.line(), spanned.referenced.column())
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

macro_rules! as_it_is {
    ($($method:ident($type:ty)),*) => {
        $(fn $method<E>(self, value: $type) -> Result<Node, E> {
            Ok(Node::Scalar(value.to_string()))
        })*
    };
}

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    as_it_is!(
        visit_bool(bool),
        visit_i64(i64),
        visit_u64(u64),
        visit_i128(i128),
        visit_u128(u128),
        visit_f64(f64)
    );

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Scalar(quoted(text)))
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::default())
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::default())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(item) = items.next_element::<Spanned<Node>>()? {
            let at = place_of(&item);
            entries.push(Entry { name: entries.len().to_string(), named_at: at, at, node: item.value });
        }
        Ok(Node::Items(entries))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        loop {
            match fields.next_key::<Spanned<String>>() {
                Ok(Some(name)) => {
                    let value: Spanned<Node> = fields.next_value()?;
                    let (named_at, at) = (place_of(&name), place_of(&value));
                    entries.push(Entry { name: name.value, named_at, at, node: value.value });
                }
                Ok(None) => return Ok(Node::Fields(entries)),
                // A name that is no text has no path.
                Err(_) => {
                    fields.next_value::<IgnoredAny>()?;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "server:\n  port: 1\nkeys:\n  - { key: 'a \"b\"', enabled: yes }\n  - key: c\n";

    #[test]
    fn what_is_written_again_says_the_same() {
        let again = Tree::of(TEXT).write();
        assert_eq!(
            again,
            r#"{ "server": { "port": 1 }, "keys": [ { "key": "a \"b\"", "enabled": true }, { "key": "c" } ] }"#
        );
        assert_eq!(Tree::of(&again).write(), again);
        assert_eq!(Tree::of("a: [").write(), "null", "what cannot be read is empty");
    }

    #[test]
    fn names_and_values_are_found_where_they_stand() {
        let tree = Tree::of(TEXT);
        assert_eq!(tree.find("server.port"), Some((2, 9)));
        assert_eq!(tree.find("keys.1.nothing"), Some((5, 5)), "the nearest parent");
        assert_eq!(tree.value_at((2, 9)), Some(vec![0, 0]));
        assert_eq!(tree.value_at((2, 3)), Some(vec![0]), "the outermost that begins there");
        assert_eq!(tree.name_at((2, 3)), Some(vec![0, 0]));
        assert_eq!(tree.name_at((4, 21)), Some(vec![1, 0, 1]));
        assert_eq!(tree.value_at((9, 9)), None);
    }

    #[test]
    fn what_was_taken_out_leaves_the_others_their_numbers() {
        let mut tree = Tree::of(TEXT);
        let first = tree.take(&[1, 0]).unwrap();
        assert_eq!((first.path.as_str(), first.at), ("keys.0", (4, 5)));
        let second = tree.take(&[1, 0, 0]).unwrap();
        assert_eq!((second.path.as_str(), second.named_at, second.at), ("keys.1.key", (5, 5), (5, 10)));
        assert_eq!(tree.write(), r#"{ "server": { "port": 1 }, "keys": [ { } ] }"#);
        assert_eq!(tree.take(&[1, 7]), None);
        assert_eq!(tree.take(&[]), None);
    }
}
