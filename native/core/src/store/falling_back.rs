//! The store of both hosts: SQLite, and a JSON file that stands in while SQLite cannot be used. Each save tries SQLite
//! again; when it works, all is in it before the JSON file goes. What a user is told about that is worded here. A
//! `state.json` of versions before SQLite is taken over in the same way.
//!
//! Invariant: what could not be read is never overwritten: it is spared, or set aside under a new name.
//! Invariant: of two places the one with the higher generation is the newer; generations follow the clock and never
//! go back.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use super::json_file::{Added, JsonFile};
use super::sqlite::{self, Database, Fault};
use super::{Found, Kept, News, Saved, StateStore, StoreError};
use crate::clock::{Clock, SystemClock};
use crate::secret::Secret;

/// A fault of a moment is not worth a word at the start.
const TRIES: usize = 3;

pub struct FallingBack {
    path: PathBuf,
    json: JsonFile,
    clock: Arc<dyn Clock>,
    /// The last save, or the reading at the start, did not get through to the database. Apart from `inner`, whose lock is
    /// held while a disk hangs.
    failing: AtomicBool,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    database: Option<Database>,
    /// The newest that is known of.
    generation: u64,
    /// What the database held at the start could not be read.
    unread: bool,
    /// The JSON file holds something; it goes once the database has it.
    json_holds: bool,
    /// What was added, as it is now, and whether the database lacks it.
    added: Option<(u64, Secret)>,
    added_owed: bool,
    /// What was kept is in the core's hands.
    loaded: bool,
    /// Saved from a damaged database, until somebody asks.
    salvaged: Option<Kept>,
    /// What is still to be said.
    words: Vec<String>,
}

impl FallingBack {
    pub fn new(sqlite: impl Into<PathBuf>, json: impl Into<PathBuf>) -> Self {
        let (path, json) = (sqlite.into(), JsonFile::new(json));
        Self {
            path,
            json,
            clock: Arc::new(SystemClock),
            failing: AtomicBool::new(false),
            inner: Mutex::default(),
        }
    }

    /// The same with `state.json` beside `state.sqlite`.
    pub fn beside(sqlite: impl Into<PathBuf>) -> Self {
        let sqlite = sqlite.into();
        let json = sqlite.with_extension("json");
        Self::new(sqlite, json)
    }

    /// Whether the database could not be used the last time it was tried. Never waits.
    pub fn is_failing(&self) -> bool {
        self.failing.load(Ordering::Relaxed)
    }

    fn next_generation(&self, inner: &mut Inner) -> u64 {
        inner.generation = self.clock.now().max(inner.generation.saturating_add(1));
        inner.generation
    }

    /// The open database. One that cannot be used makes room for a new one; one that somebody removed is made anew.
    fn database<'a>(&self, inner: &'a mut Inner) -> Result<&'a mut Database, String> {
        if inner.database.is_some() && !self.path.exists() {
            inner.database = None;
            inner.added_owed = inner.added.is_some();
        }
        let database = match inner.database.take() {
            Some(open) => open,
            None => self.open(inner)?,
        };
        Ok(inner.database.insert(database))
    }

    fn open(&self, inner: &mut Inner) -> Result<Database, String> {
        let mut opened = Database::open(&self.path);
        if let Err(Fault::Unusable(_)) = &opened {
            opened = self.make_room(inner, opened).and_then(|()| Database::open(&self.path));
        }
        let mut database = opened.map_err(|fault| fault.words())?;
        sqlite::make_private(&self.path);
        if inner.unread {
            database.spare_unread();
        }
        Ok(database)
    }

    /// Sets an unusable database aside with words, keeping what can be read of it.
    fn make_room(&self, inner: &mut Inner, opened: Result<Database, Fault>) -> Result<(), Fault> {
        let Err(Fault::Unusable(unusable)) = opened else { return Ok(()) };
        let (kept, added) = if unusable.ours { sqlite::salvage(&self.path) } else { (None, None) };
        let aside = sqlite::set_aside(&self.path).map_err(|error| {
            Fault::Failed(format!("{}, and could not be set aside ({error})", unusable.why))
        })?;
        let rest = match &kept {
            _ if inner.loaded => "what the program knows is written anew".to_owned(),
            Some(kept) => format!("{} of its entries stay known", kept.count()),
            None => "what it held is learned anew".to_owned(),
        };
        inner.words.push(format!(
            "The database {} cannot be used: {}. It was set aside as {}; {rest}.",
            self.path.display(),
            unusable.why,
            aside.display()
        ));
        inner.salvaged = kept;
        inner.unread = false;
        if let (None, Some(added)) = (&inner.added, added) {
            inner.generation = inner.generation.max(added.generation);
            inner.added = Some((added.generation, Secret::new(added.text)));
        }
        inner.added_owed = inner.added.is_some();
        Ok(())
    }

    /// Runs `work` on the database. One that turns out to be damaged makes room and gets a second run.
    fn with_database<T>(
        &self,
        inner: &mut Inner,
        mut work: impl FnMut(&mut Database) -> Result<T, Fault>,
    ) -> Result<T, String> {
        let first = work(self.database(inner)?);
        let fault = match first {
            Ok(done) => return Ok(done),
            Err(fault) => fault,
        };
        // Whatever state the connection is in: the next one looks anew.
        inner.database = None;
        match fault {
            Fault::Failed(why) => Err(why),
            unusable => {
                self.make_room(inner, Err(unusable)).map_err(|fault| fault.words())?;
                work(self.database(inner)?).map_err(|fault| fault.words())
            }
        }
    }

    fn read(&self, inner: &mut Inner) -> Option<Kept> {
        // Nothing is made before there is something to write.
        if !self.path.exists() {
            return None;
        }
        match (0..TRIES).find_map(|_| self.with_database(inner, Database::read).ok()) {
            Some(content) => {
                if content.unreadable > 0 {
                    let path = self.path.display();
                    let words = format!(
                        "{} entries of {path} cannot be read; the rest is known.",
                        content.unreadable
                    );
                    inner.words.push(words);
                }
                inner.generation = inner.generation.max(content.kept.generation);
                let salvaged = inner.salvaged.take();
                Some(salvaged.unwrap_or(content.kept))
            }
            None => {
                let why = self.database(inner).err().unwrap_or_else(|| "it cannot be read".to_owned());
                inner.database = None;
                inner.unread = true;
                self.failing.store(true, Ordering::Relaxed);
                inner.words.push(format!(
                    "The learned state in {} cannot be read: {why}. The program begins with what {} holds and tries \
                     again. Check the folder and its disk.",
                    self.path.display(),
                    self.json.path().display()
                ));
                inner.salvaged.take()
            }
        }
    }

    fn write(&self, inner: &mut Inner, kept: &Kept) -> Result<(), String> {
        self.with_database(inner, |database| database.write(kept))?;
        if let (true, Some((generation, text))) = (inner.added_owed, inner.added.clone()) {
            let added = Added { generation, text: text.expose().to_owned() };
            self.with_database(inner, |database| database.write_added(&added))?;
            inner.added_owed = false;
            let _ = self.json.remove_added();
        }
        Ok(())
    }

    fn write_json(&self, inner: &mut Inner, kept: &Kept, why: &str) -> Result<Saved, StoreError> {
        let first = !self.failing.swap(true, Ordering::Relaxed);
        let (path, json) = (self.path.display(), self.json.path().display());
        match self.json.save(kept) {
            Ok(_) => {
                inner.json_holds = true;
                let words = format!(
                    "The learned state cannot be written to {path}: {why}. It is kept in {json} until that works \
                     again. Check the folder and the space on its disk."
                );
                if first {
                    inner.words.push(words);
                }
                Ok(Saved { news: bad(&mut inner.words), makeshift: true })
            }
            Err(error) => Err(StoreError(format!(
                "The learned state cannot be written to {path}: {why}. Nor can it be kept elsewhere. {}",
                error.0
            ))),
        }
    }
}

impl StateStore for FallingBack {
    fn load(&self) -> Found {
        let mut inner = self.inner.lock();
        inner.json_holds = self.json.path().exists();
        let file = self.json.load();
        let database = self.read(&mut inner);
        inner.loaded = true;
        inner.generation = inner.generation.max(file.kept.as_ref().map_or(0, age));
        inner.words.extend(file.warning);
        let kept = newer(database, file.kept);
        let words = std::mem::take(&mut inner.words);
        Found { kept, warning: (!words.is_empty()).then(|| words.join(" ")) }
    }

    fn save(&self, kept: &Kept) -> Result<Saved, StoreError> {
        let inner = &mut *self.inner.lock();
        let generation = self.next_generation(inner);
        let kept = Kept { generation, apart: inner.unread, ..kept.clone() };
        if let Err(why) = self.write(inner, &kept) {
            return self.write_json(inner, &kept, &why);
        }
        if inner.json_holds && self.json.remove().is_ok() {
            inner.json_holds = false;
        }
        if !self.failing.swap(false, Ordering::Relaxed) {
            return Ok(Saved { news: bad(&mut inner.words), makeshift: false });
        }
        let words =
            format!("The learned state is written to {} again; nothing was lost.", self.path.display());
        inner.words.push(words);
        Ok(Saved { news: Some(News::Good(std::mem::take(&mut inner.words).join(" "))), makeshift: false })
    }

    fn load_added(&self) -> Result<Option<String>, StoreError> {
        let inner = &mut *self.inner.lock();
        let file = self.json.read_added()?;
        let read = match self.path.exists() {
            true => (0..TRIES)
                .map(|_| self.with_database(inner, |database| database.read_added()))
                .find_map(Result::ok)
                .ok_or_else(|| StoreError(not_read(&self.path)))?,
            false => None,
        };
        let salvaged =
            inner.added.take().map(|(generation, text)| Added { generation, text: text.expose().to_owned() });
        let in_file = file.as_ref().map(|added| added.generation);
        let newest = [read, salvaged, file].into_iter().flatten().max_by_key(|added| added.generation);
        let Some(Added { generation, text }) = newest else { return Ok(None) };
        inner.generation = inner.generation.max(generation);
        inner.added = Some((generation, Secret::new(text.as_str())));
        inner.added_owed |= in_file == Some(generation);
        Ok(Some(text))
    }

    fn save_added(&self, text: &str) -> Result<(), StoreError> {
        let inner = &mut *self.inner.lock();
        let generation = self.next_generation(inner);
        let added = Added { generation, text: text.to_owned() };
        let written = self.with_database(inner, |database| database.write_added(&added));
        match &written {
            Ok(()) => {
                // Its generation is older by now; what stays of it is only untidy.
                let _ = self.json.remove_added();
            }
            Err(why) => self.json.write_added(&added).map_err(|error| {
                let path = self.path.display();
                StoreError(format!("What was added cannot be written to {path}: {why}. {}", error.0))
            })?,
        }
        inner.added = Some((generation, Secret::new(text)));
        inner.added_owed = written.is_err();
        Ok(())
    }
}

/// The newer of both, or both where the newer one knows that it is not all.
fn newer(database: Option<Kept>, file: Option<Kept>) -> Option<Kept> {
    match (database, file) {
        (Some(database), Some(file)) if age(&file) > age(&database) => {
            Some(if file.apart { file.with(&database) } else { file })
        }
        (Some(database), _) => Some(database),
        (None, file) => file,
    }
}

/// Versions before SQLite gave no generation; theirs is the time of writing.
fn age(kept: &Kept) -> u64 {
    if kept.generation == 0 { kept.pools.at } else { kept.generation }
}

fn bad(words: &mut Vec<String>) -> Option<News> {
    (!words.is_empty()).then(|| News::Bad(std::mem::take(words).join(" ")))
}

fn not_read(path: &Path) -> String {
    format!("What was added cannot be read from {}. Check the file's rights and its disk.", path.display())
}

#[cfg(test)]
mod tests;
