//! Where each value of a YAML text stands, by its path (`keys.0.url`), so that problems found after reading can
//! still name line and column. It keeps places only, no values.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

#[derive(Debug, Default)]
pub struct Places {
    children: Vec<(String, Spanned<Places>)>,
}

impl Places {
    /// Empty when the text cannot be read; that is reported elsewhere.
    pub fn of(text: &str) -> Self {
        serde_saphyr::from_str_with_options(text, super::reading::options()).unwrap_or_default()
    }

    /// The path of the value that begins at line and column, the outermost of several.
    pub fn path_at(&self, at: (u64, u64)) -> Option<String> {
        self.children.iter().find_map(|(name, child)| {
            if (child.referenced.line(), child.referenced.column()) == at {
                return Some(name.clone());
            }
            child.value.path_at(at).map(|path| format!("{name}.{path}"))
        })
    }

    /// Line and column of `path`, or of its nearest parent that the text has.
    pub fn find(&self, path: &str) -> Option<(u64, u64)> {
        let mut here = self;
        let mut place = None;
        for part in path.split('.') {
            let Some((_, child)) = here.children.iter().find(|(name, _)| name == part) else { break };
            place = Some((child.referenced.line(), child.referenced.column()));
            here = &child.value;
        }
        place
    }
}

impl<'de> Deserialize<'de> for Places {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PlacesVisitor)
    }
}

struct PlacesVisitor;

macro_rules! leaf {
    ($($method:ident($type:ty)),*) => {
        $(fn $method<E>(self, _: $type) -> Result<Places, E> {
            Ok(Places::default())
        })*
    };
}

impl<'de> Visitor<'de> for PlacesVisitor {
    type Value = Places;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    leaf!(
        visit_bool(bool),
        visit_i64(i64),
        visit_u64(u64),
        visit_i128(i128),
        visit_u128(u128),
        visit_f64(f64),
        visit_str(&str)
    );

    fn visit_unit<E>(self) -> Result<Places, E> {
        Ok(Places::default())
    }

    fn visit_none<E>(self) -> Result<Places, E> {
        Ok(Places::default())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Places, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Places, A::Error> {
        let mut children = Vec::new();
        while let Some(item) = items.next_element::<Spanned<Places>>()? {
            children.push((children.len().to_string(), item));
        }
        Ok(Places { children })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Places, A::Error> {
        let mut children = Vec::new();
        loop {
            match entries.next_key::<String>() {
                Ok(Some(name)) => children.push((name, entries.next_value()?)),
                Ok(None) => return Ok(Places { children }),
                // A key that is no text has no path.
                Err(_) => {
                    entries.next_value::<IgnoredAny>()?;
                }
            }
        }
    }
}
