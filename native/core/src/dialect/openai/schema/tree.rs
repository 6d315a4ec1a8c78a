//! A schema in the words that Gemini knows, and what keeps one consistent: merging two that must both hold, uniting
//! alternatives, and dropping what does not go with its type. How schemas are written is not known here.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use crate::generate::request::Text;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    String,
    Number,
    Integer,
    Boolean,
    Array,
    Object,
    Null,
}

pub const TYPES: [(Type, &str); 7] = [
    (Type::String, "string"),
    (Type::Number, "number"),
    (Type::Integer, "integer"),
    (Type::Boolean, "boolean"),
    (Type::Array, "array"),
    (Type::Object, "object"),
    (Type::Null, "null"),
];

pub const STRING_FORMATS: [&str; 3] = ["date-time", "date", "time"];
pub const NUMBER_FORMATS: [&str; 4] = ["float", "double", "int32", "int64"];

impl Type {
    pub fn name(self) -> &'static str {
        TYPES.iter().find(|(known, _)| *known == self).map_or("string", |(_, name)| name)
    }
}

/// With nothing set it allows everything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Schema<'a> {
    /// Any of these; none given means any type.
    pub types: Vec<Type>,
    pub title: Option<Text<'a>>,
    pub description: Option<Text<'a>>,
    pub format: Option<&'static str>,
    /// The values allowed, strings and numbers, as JSON.
    pub values: Vec<&'a str>,
    pub properties: Vec<(Cow<'a, str>, Self)>,
    pub required: Vec<Cow<'a, str>>,
    pub ordering: Vec<Cow<'a, str>>,
    pub additional: Option<Additional<'a>>,
    pub items: Option<Box<Self>>,
    pub first_items: Vec<Self>,
    pub min_items: Option<i64>,
    pub max_items: Option<i64>,
    /// As JSON.
    pub minimum: Option<&'a str>,
    pub maximum: Option<&'a str>,
    pub any_of: Vec<Self>,
}

/// Properties beside those named.
#[derive(Clone, Debug, PartialEq)]
pub enum Additional<'a> {
    None,
    Any,
    Like(Box<Schema<'a>>),
}

impl<'a> Schema<'a> {
    pub fn of_type(kind: Type) -> Self {
        Self { types: vec![kind], ..Self::default() }
    }

    pub fn may_be(&self, kind: Type) -> bool {
        self.types.contains(&kind)
    }

    fn has_structure(&self) -> bool {
        !self.values.is_empty()
            || !self.properties.is_empty()
            || self.additional.is_some()
            || self.items.is_some()
            || !self.first_items.is_empty()
    }

    /// Both must hold. Where they contradict each other the first is right.
    pub fn merge(&mut self, other: Self) {
        self.types = meet_types(std::mem::take(&mut self.types), other.types);
        self.title = self.title.take().or(other.title);
        self.description = self.description.take().or(other.description);
        self.format = self.format.or(other.format);
        self.values = meet(std::mem::take(&mut self.values), &other.values);
        self.merge_properties(other.properties);
        self.required.extend(other.required);
        self.ordering.extend(other.ordering);
        self.additional = self.additional.take().or(other.additional);
        self.items = self.items.take().or(other.items);
        if self.first_items.is_empty() {
            self.first_items = other.first_items;
        }
        self.min_items = self.min_items.or(other.min_items);
        self.max_items = self.max_items.or(other.max_items);
        self.minimum = self.minimum.or(other.minimum);
        self.maximum = self.maximum.or(other.maximum);
        if self.any_of.is_empty() {
            self.any_of = other.any_of;
        }
    }

    fn merge_properties(&mut self, others: Vec<(Cow<'a, str>, Self)>) {
        let places: HashMap<Cow<'a, str>, usize> =
            self.properties.iter().enumerate().map(|(index, (name, _))| (name.clone(), index)).collect();
        for (name, property) in others {
            match places.get(&name).and_then(|index| self.properties.get_mut(*index)) {
                Some((_, known)) => {
                    known.merge(property);
                    known.settle();
                }
                None => self.properties.push((name, property)),
            }
        }
    }

    /// The properties of alternatives, of several by one name the first.
    fn gather_properties(&mut self, branches: Vec<Self>) {
        let mut known: HashSet<Cow<'a, str>> = self.properties.iter().map(|(name, _)| name.clone()).collect();
        let all = branches.into_iter().flat_map(|branch| branch.properties);
        self.properties.extend(all.filter(|(name, _)| known.insert(name.clone())));
    }

    /// Alternatives of objects as one object that each of them fits: all properties, and required what all require.
    pub fn unite(&mut self) {
        let branches = std::mem::take(&mut self.any_of);
        let mut requiring: HashMap<Cow<'a, str>, usize> = HashMap::new();
        for name in branches.iter().flat_map(|branch| &branch.required) {
            *requiring.entry(name.clone()).or_default() += 1;
        }
        let first = branches.first().map(|branch| branch.required.clone()).unwrap_or_default();
        self.required.extend(first.into_iter().filter(|name| requiring.get(name) == Some(&branches.len())));
        self.gather_properties(branches);
        self.types = vec![Type::Object];
        self.settle();
    }

    /// Ends it after so many levels: what lies deeper may be anything.
    pub fn cut(&mut self, levels: usize) {
        let Some(below) = levels.checked_sub(1) else {
            *self = Self::default();
            return;
        };
        let like = match &mut self.additional {
            Some(Additional::Like(like)) => Some(like),
            _ => None,
        };
        let boxes = like.into_iter().chain(&mut self.items).map(Box::as_mut);
        let listed = self.first_items.iter_mut().chain(&mut self.any_of);
        let properties = self.properties.iter_mut().map(|(_, property)| property);
        boxes.chain(listed).chain(properties).for_each(|inner| inner.cut(below));
        self.settle();
    }

    /// Makes it consistent: each word beside a type that it goes with.
    pub fn settle(&mut self) {
        self.settle_alternatives();
        if self.types.is_empty() && self.any_of.is_empty() {
            self.types = self.implied_types();
        }
        if self.may_be(Type::Number) {
            self.types.retain(|kind| *kind != Type::Integer);
        }
        if !self.may_be(Type::Object) {
            (self.properties, self.required, self.ordering) = Default::default();
            self.additional = None;
        }
        self.settle_names();
        if self.may_be(Type::Array) {
            self.items.get_or_insert_default();
        } else {
            (self.items, self.min_items, self.max_items) = Default::default();
            self.first_items.clear();
        }
        let numeric = self.may_be(Type::Number) || self.may_be(Type::Integer);
        if !numeric {
            (self.minimum, self.maximum) = Default::default();
        }
        let text = self.may_be(Type::String);
        if self.values.iter().any(|value| if value.starts_with('"') { !text } else { !numeric }) {
            self.values.clear();
        }
        let of_text = |format: &str| STRING_FORMATS.contains(&format);
        if self.format.is_some_and(|format| if of_text(format) { !text } else { !numeric }) {
            self.format = None;
        }
    }

    /// Gemini wants alternatives alone: a type of their parent is theirs, and beside properties they say too little to
    /// be kept apart.
    fn settle_alternatives(&mut self) {
        if self.any_of.is_empty() {
            return;
        }
        let says_nothing = |branch: &Self| branch.types.is_empty() && branch.any_of.is_empty();
        if self.has_structure() {
            let branches = std::mem::take(&mut self.any_of);
            if !self.properties.is_empty() {
                self.gather_properties(branches);
            }
            return;
        }
        if !self.types.is_empty() {
            for branch in self.any_of.iter_mut().filter(|branch| says_nothing(branch)) {
                branch.types.clone_from(&self.types);
                branch.settle();
            }
            self.types.clear();
        }
        if self.any_of.iter().any(says_nothing) {
            self.any_of.clear();
        }
        if let [_] = self.any_of.as_slice()
            && let Some(only) = self.any_of.pop()
        {
            self.merge(only);
        }
        (self.minimum, self.maximum, self.min_items, self.max_items) = Default::default();
    }

    fn implied_types(&self) -> Vec<Type> {
        let mut types = Vec::new();
        if !self.properties.is_empty() || matches!(self.additional, Some(Additional::Like(_))) {
            types.push(Type::Object);
        } else if self.items.is_some() || !self.first_items.is_empty() {
            types.push(Type::Array);
        } else if !self.values.is_empty() {
            if self.values.iter().any(|value| value.starts_with('"')) {
                types.push(Type::String);
            }
            if self.values.iter().any(|value| !value.starts_with('"')) {
                types.push(Type::Number);
            }
        }
        types
    }

    /// Invariant: `required` and `propertyOrdering` name properties, each once.
    fn settle_names(&mut self) {
        for names in [&mut self.required, &mut self.ordering] {
            if !names.is_empty() {
                let mut known: HashSet<&str> =
                    self.properties.iter().map(|(name, _)| name.as_ref()).collect();
                names.retain(|name| known.remove(name.as_ref()));
            }
        }
    }
}

fn meet_types(one: Vec<Type>, other: Vec<Type>) -> Vec<Type> {
    let numbers = |kind: Type| matches!(kind, Type::Number | Type::Integer);
    if one == [Type::Number] && other == [Type::Integer] {
        return other;
    }
    let both =
        |kind: &Type| other.contains(kind) || numbers(*kind) && other.iter().any(|kind| numbers(*kind));
    let met: Vec<Type> = one.iter().copied().filter(both).collect();
    if one.is_empty() {
        other
    } else if met.is_empty() {
        one
    } else {
        met
    }
}

fn meet<'a>(one: Vec<&'a str>, other: &[&'a str]) -> Vec<&'a str> {
    let others: HashSet<&str> = other.iter().copied().collect();
    let met: Vec<&str> = one.iter().copied().filter(|value| others.contains(value)).collect();
    if one.is_empty() {
        other.to_vec()
    } else if met.is_empty() {
        one
    } else {
        met
    }
}
