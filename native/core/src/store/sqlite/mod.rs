//! The learned state as a SQLite database in WAL mode. It opens, checks, reads, and writes differences; what happens
//! when it fails is the caller's (`falling_back`). Whoever stops in the middle of a write finds the state before it.
//!
//! Invariant: a commit is on the disk when it returns (`synchronous=FULL`); there are at most a few in a second.
//! Invariant: no words of an error quote what is kept.

mod fault;
mod rows;
mod schema;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension, Transaction, TransactionBehavior, params};

use super::json_file::Added;
use super::{Kept, VERSION, aside};
use crate::pools::learned::LearnedPools;
pub use fault::Fault;
use fault::Unusable;
use rows::Read;
pub use rows::Row;

/// SQLite's files beside the database.
pub const COMPANIONS: [&str; 2] = ["-wal", "-shm"];
/// Another program that looks into the database holds it for moments only.
const PATIENCE: Duration = Duration::from_millis(300);
const PRAGMAS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 4194304; \
                       PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;";

pub struct Database {
    connection: Connection,
    /// What is in it, as far as this program knows.
    known: Known,
    generation: u64,
}

enum Known {
    /// Nothing: whatever is there is replaced.
    Nothing,
    /// It holds what could not be read, which must stay: rows are added and replaced, none is removed.
    Unread,
    Written(Box<Kept>),
}

/// All that was found, and how many rows could not be read.
pub struct Content {
    pub kept: Kept,
    pub unreadable: usize,
}

impl Database {
    /// Opens the database, made and brought to today's form where it must be.
    pub fn open(path: &Path) -> Result<Self, Fault> {
        let cannot = |error: std::io::Error| Fault::Failed(error.to_string());
        if !path.exists() {
            aside::make_folder(path).map_err(cannot)?;
            // Its companions get the same rights, whatever the umask says.
            aside::private_file(path).map_err(cannot)?;
        }
        let mut connection = Connection::open_with_flags(path, flags(OpenFlags::SQLITE_OPEN_READ_WRITE))?;
        connection.busy_timeout(PATIENCE)?;
        connection.execute_batch(PRAGMAS)?;
        schema::prepare(&mut connection, schema::MIGRATIONS)?;
        let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if verdict != "ok" {
            return Err(Fault::Unusable(Unusable::damaged("its pages contradict each other")));
        }
        let generation = generation(&connection)?;
        Ok(Self { connection, known: Known::Nothing, generation })
    }

    /// From now on what is in it and not known here is left alone.
    pub fn spare_unread(&mut self) {
        self.known = Known::Unread;
    }

    pub fn read(&mut self) -> Result<Content, Fault> {
        let content = read_all(&self.connection, rows::Strictness::Whole)?;
        if content.unreadable == 0 {
            self.known = Known::Written(Box::new(content.kept.clone()));
        }
        Ok(content)
    }

    /// Writes what differs from what was written last, as one transaction.
    pub fn write(&mut self, kept: &Kept) -> Result<(), Fault> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Another program wrote since: what it left is not known.
        if generation(&transaction)? != self.generation && !matches!(self.known, Known::Unread) {
            self.known = Known::Nothing;
        }
        write_all(&transaction, &self.known, kept)?;
        transaction.commit()?;
        self.known = Known::Written(Box::new(kept.clone()));
        self.generation = kept.generation;
        Ok(())
    }

    pub fn read_added(&self) -> Result<Option<Added>, Fault> {
        added(&self.connection)
    }

    pub fn write_added(&mut self, added: &Added) -> Result<(), Fault> {
        let generation = number(added.generation);
        let sql = "INSERT OR REPLACE INTO added (one, generation, body) VALUES (1, ?1, ?2)";
        self.connection.execute(sql, params![generation, added.text])?;
        Ok(())
    }
}

/// What can still be read of a damaged database.
pub fn salvage(path: &Path) -> (Option<Kept>, Option<Added>) {
    let Ok(connection) = Connection::open_with_flags(path, flags(OpenFlags::SQLITE_OPEN_READ_ONLY)) else {
        return (None, None);
    };
    let kept = read_all(&connection, rows::Strictness::WhatThereIs).ok().map(|content| content.kept);
    (kept.filter(|kept| kept.count() > 0), added(&connection).ok().flatten())
}

/// Moves the database and what belongs to it out of the way; gives its new place.
pub fn set_aside(path: &Path) -> std::io::Result<PathBuf> {
    aside::set_aside(path, &COMPANIONS)
}

/// Nobody but their owner reads these files, whoever made them.
pub fn make_private(path: &Path) {
    #[cfg(unix)]
    for file in COMPANIONS.iter().map(|suffix| aside::with_suffix(path, suffix)).chain([path.to_path_buf()]) {
        let _ = fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(0o600));
    }
    #[cfg(not(unix))]
    let _ = path;
}

/// One connection is used by one thread at a time: SQLite's own lock is not needed.
fn flags(access: OpenFlags) -> OpenFlags {
    access | OpenFlags::SQLITE_OPEN_NO_MUTEX
}

fn read_all(connection: &Connection, strictness: rows::Strictness) -> Result<Content, Fault> {
    let mut read = Read::new(connection, strictness);
    let pools = LearnedPools {
        at: about(connection, "at").or_else(|fault| read.forgive(fault, 0))?,
        keys: read.table("keys")?,
        rests: read.table("rests")?,
    };
    let kept = Kept {
        version: VERSION,
        generation: generation(connection).or_else(|fault| read.forgive(fault, 0))?,
        apart: false,
        pools: Arc::new(pools),
        owned: Arc::new(read.table("owned")?),
        uploads: Arc::new(read.table("uploads")?),
        signatures: Arc::new(read.table("signatures")?),
        requests: Arc::new(read.table("requests")?),
    };
    Ok(Content { kept, unreadable: read.unreadable })
}

fn write_all(transaction: &Transaction<'_>, known: &Known, kept: &Kept) -> Result<(), Fault> {
    let nothing = Kept::default();
    let (before, replace) = match known {
        Known::Nothing => (&nothing, true),
        Known::Unread => (&nothing, false),
        Known::Written(kept) => (kept.as_ref(), false),
    };
    let write = rows::Write { transaction, replace };
    if replace || !Arc::ptr_eq(&before.pools, &kept.pools) {
        write.table("keys", &before.pools.keys, &kept.pools.keys)?;
        write.table("rests", &before.pools.rests, &kept.pools.rests)?;
    }
    write.part("owned", &before.owned, &kept.owned)?;
    write.part("uploads", &before.uploads, &kept.uploads)?;
    write.part("signatures", &before.signatures, &kept.signatures)?;
    write.part("requests", &before.requests, &kept.requests)?;
    for (name, value) in [("at", kept.pools.at), ("generation", kept.generation)] {
        let sql = "INSERT OR REPLACE INTO about (name, value) VALUES (?1, ?2)";
        transaction.execute(sql, params![name, number(value)])?;
    }
    Ok(())
}

fn generation(connection: &Connection) -> Result<u64, Fault> {
    about(connection, "generation")
}

fn about(connection: &Connection, name: &str) -> Result<u64, Fault> {
    let sql = "SELECT value FROM about WHERE name = ?1";
    let value: Option<i64> = connection.query_row(sql, [name], |row| row.get(0)).optional()?;
    Ok(value.and_then(|value| u64::try_from(value).ok()).unwrap_or(0))
}

fn added(connection: &Connection) -> Result<Option<Added>, Fault> {
    let row = |row: &rusqlite::Row<'_>| {
        let generation: i64 = row.get(0)?;
        Ok(Added { generation: u64::try_from(generation).unwrap_or(0), text: row.get(1)? })
    };
    Ok(connection.query_row("SELECT generation, body FROM added WHERE one = 1", [], row).optional()?)
}

/// SQLite's integers have a sign.
fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
