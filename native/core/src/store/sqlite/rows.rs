//! Rows: what each kind of entry is known by, how a table is read, and how it is brought from one list to the next with
//! as few writes as the difference needs. An entry's body is its JSON.
//!
//! Invariant: a table read by rowid gives the order of the list it was written from: a row that is written again goes to
//! the end, as an entry does that is learned again.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use rusqlite::{Connection, Transaction, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::fault::Fault;
use crate::affinity::OwnedName;
use crate::pools::learned::{LearnedKey, LearnedRest};
use crate::requests::RequestView;
use crate::server::uploads::OwnedUpload;
use crate::signatures::KeptSignature;

pub trait Row: Serialize + DeserializeOwned + PartialEq {
    fn id(&self) -> Cow<'_, str>;
}

impl Row for LearnedKey {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.id.as_str())
    }
}

impl Row for LearnedRest {
    fn id(&self) -> Cow<'_, str> {
        let model = self.resting.model.as_deref().unwrap_or("*");
        Cow::Owned([self.project.as_str(), model, self.resting.quota.as_str()].join("\n"))
    }
}

impl Row for OwnedName {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.name)
    }
}

impl Row for OwnedUpload {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.digest)
    }
}

impl Row for KeptSignature {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.call)
    }
}

impl Row for Arc<RequestView> {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.id)
    }
}

/// What to make of a table that cannot be read to its end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Strictness {
    /// It is a fault.
    Whole,
    /// Its first rows are better than none.
    WhatThereIs,
}

pub struct Read<'a> {
    connection: &'a Connection,
    strictness: Strictness,
    /// Rows whose body is not what it should be.
    pub unreadable: usize,
}

impl<'a> Read<'a> {
    pub fn new(connection: &'a Connection, strictness: Strictness) -> Self {
        Self { connection, strictness, unreadable: 0 }
    }

    pub fn table<T: Row>(&mut self, table: &str) -> Result<Vec<T>, Fault> {
        let mut found = Vec::new();
        let ended = self.bodies(table, &mut |body| {
            let entry = serde_json::from_str(body).ok();
            let read = entry.is_some();
            found.extend(entry);
            read
        });
        match ended {
            Ok(()) => Ok(found),
            Err(fault) => self.forgive(fault, found),
        }
    }

    /// A fault, or what was found before it.
    pub fn forgive<T>(&self, fault: Fault, found: T) -> Result<T, Fault> {
        if self.strictness == Strictness::Whole { Err(fault) } else { Ok(found) }
    }

    fn bodies(&mut self, table: &str, take: &mut dyn FnMut(&str) -> bool) -> Result<(), Fault> {
        let mut statement = self.connection.prepare(&format!("SELECT body FROM {table} ORDER BY rowid"))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let read = row.get_ref(0)?.as_str().is_ok_and(&mut *take);
            self.unreadable += usize::from(!read);
        }
        Ok(())
    }
}

pub struct Write<'a> {
    pub transaction: &'a Transaction<'a>,
    /// Whatever is there makes room.
    pub replace: bool,
}

impl Write<'_> {
    /// A list that is shared with the last one has not changed.
    pub fn part<T: Row>(&self, table: &str, before: &Arc<Vec<T>>, after: &Arc<Vec<T>>) -> Result<(), Fault> {
        if !self.replace && Arc::ptr_eq(before, after) {
            return Ok(());
        }
        self.table(table, before, after)
    }

    pub fn table<T: Row>(&self, table: &str, before: &[T], after: &[T]) -> Result<(), Fault> {
        let known: HashMap<Cow<'_, str>, &T> = before.iter().map(|row| (row.id(), row)).collect();
        let now: HashSet<Cow<'_, str>> = after.iter().map(Row::id).collect();
        let gone: Vec<&str> = known.keys().filter(|id| !now.contains(*id)).map(AsRef::as_ref).collect();
        let none_stays = !known.is_empty() && gone.len() == known.len();
        if self.replace || none_stays {
            self.transaction.execute(&format!("DELETE FROM {table}"), [])?;
        } else {
            self.remove(table, &gone)?;
        }
        let mut fresh = after
            .iter()
            .filter(|row| known.get(&row.id()) != Some(row))
            .filter_map(|row| Some((row.id(), serde_json::to_string(row).ok()?)));
        self.put(table, &mut fresh)
    }

    fn remove(&self, table: &str, ids: &[&str]) -> Result<(), Fault> {
        let mut statement = self.transaction.prepare(&format!("DELETE FROM {table} WHERE id = ?1"))?;
        for id in ids {
            statement.execute([id])?;
        }
        Ok(())
    }

    fn put(&self, table: &str, rows: &mut dyn Iterator<Item = (Cow<'_, str>, String)>) -> Result<(), Fault> {
        let sql = format!("INSERT OR REPLACE INTO {table} (id, body) VALUES (?1, ?2)");
        let mut statement = self.transaction.prepare(&sql)?;
        for (id, body) in rows {
            statement.execute(params![id.as_ref(), body])?;
        }
        Ok(())
    }
}
