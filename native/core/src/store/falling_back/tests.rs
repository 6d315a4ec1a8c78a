//! SQLite fails and works again, the JSON file stands in and goes, damage is set aside, and nothing is lost on the way.

use std::fs;

use rusqlite::Connection;

use super::super::fixtures::{Folder, kept, names};
use super::*;

fn store(folder: &Folder) -> FallingBack {
    FallingBack::beside(folder.file("state.sqlite"))
}

fn owned(found: &Found) -> Vec<String> {
    let kept = found.kept.as_ref();
    kept.map_or_else(Vec::new, |kept| kept.owned.iter().map(|one| one.name.clone()).collect())
}

fn of(list: &[&str]) -> Kept {
    let list: Vec<(&str, u64)> = list.iter().map(|name| (*name, 9)).collect();
    Kept { owned: Arc::new(names(&list)), ..kept(0) }
}

/// Nothing can be opened at a place where a folder stands, and nobody mistakes it for a database.
struct InTheWay(PathBuf, PathBuf);

impl InTheWay {
    fn put(path: PathBuf) -> Self {
        let hidden = path.with_extension("hidden");
        if path.exists() {
            fs::rename(&path, &hidden).unwrap();
        }
        fs::create_dir(&path).unwrap();
        Self(path, hidden)
    }

    fn clear(self) {
        fs::remove_dir(&self.0).unwrap();
        if self.1.exists() {
            fs::rename(&self.1, &self.0).unwrap();
        }
    }
}

#[test]
fn a_first_start_makes_nothing_until_there_is_something_to_keep() {
    let folder = Folder::new("first");
    let store = store(&folder);
    assert_eq!((store.load(), store.load_added()), (Found::default(), Ok(None)));
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 0);
    assert_eq!(store.save(&of(&["files/a"])), Ok(Saved::default()));
    assert_eq!(owned(&FallingBack::beside(folder.file("state.sqlite")).load()), ["files/a"]);
}

#[test]
fn the_file_of_versions_before_is_taken_over_once() {
    let folder = Folder::new("before");
    JsonFile::new(folder.file("state.json")).save(&of(&["files/old"])).unwrap();
    let first = store(&folder);
    let found = first.load();
    assert_eq!((owned(&found), found.warning.clone()), (vec!["files/old".to_owned()], None));
    assert!(folder.file("state.json").exists(), "it stays until the database has it");
    first.save(&found.kept.unwrap()).unwrap();
    assert!(!folder.file("state.json").exists());
    assert_eq!(owned(&store(&folder).load()), ["files/old"]);
}

#[test]
fn the_json_file_stands_in_is_said_once_and_goes_again() {
    let folder = Folder::new("stands-in");
    let first = store(&folder);
    first.load();
    first.save(&of(&["files/a"])).unwrap();
    let way = InTheWay::put(folder.file("state.sqlite"));
    // The open connection would still reach the file that was moved.
    first.inner.lock().database = None;
    let saved = first.save(&of(&["files/a", "files/b"])).unwrap();
    let Some(News::Bad(words)) = saved.news else { panic!("nothing was said") };
    assert!(saved.makeshift && words.contains("state.sqlite: ") && words.contains("state.json"), "{words}");
    let again = first.save(&of(&["files/b", "files/c"])).unwrap();
    assert_eq!(again, Saved { news: None, makeshift: true }, "said once");
    way.clear();
    let saved = first.save(&of(&["files/c"])).unwrap();
    let Some(News::Good(words)) = saved.news else { panic!("nothing was said") };
    assert!(!saved.makeshift && words.contains("again"), "{words}");
    assert!(!folder.file("state.json").exists());
    assert_eq!(owned(&store(&folder).load()), ["files/c"]);
}

#[test]
fn after_an_end_in_between_the_newer_place_wins() {
    let folder = Folder::new("newer");
    let first = store(&folder);
    first.save(&of(&["files/old"])).unwrap();
    drop(first);
    let second = store(&folder);
    second.load();
    let way = InTheWay::put(folder.file("state.sqlite"));
    second.inner.lock().database = None;
    second.save(&of(&["files/new"])).unwrap();
    drop(second);
    way.clear();
    assert_eq!(owned(&store(&folder).load()), ["files/new"]);
    // A file that was left behind is older than the database.
    let left = fs::read(folder.file("state.json")).unwrap();
    let third = store(&folder);
    third.load();
    third.save(&of(&["files/newest"])).unwrap();
    fs::write(folder.file("state.json"), left).unwrap();
    assert_eq!(owned(&store(&folder).load()), ["files/newest"]);
}

#[test]
fn what_could_not_be_read_at_the_start_is_there_at_the_next() {
    let folder = Folder::new("unread");
    let first = store(&folder);
    first.save(&of(&["files/a"])).unwrap();
    drop(first);
    let way = InTheWay::put(folder.file("state.sqlite"));
    let second = store(&folder);
    let found = second.load();
    assert!(found.kept.is_none() && found.warning.unwrap().contains("cannot be read"));
    second.save(&of(&["files/b"])).unwrap();
    drop(second);
    // It ends before the disk is well again: the two places are united.
    way.clear();
    assert_eq!(owned(&store(&folder).load()), ["files/a", "files/b"]);
    // It lives on: what was never read is spared.
    fs::remove_file(folder.file("state.json")).unwrap();
    let way = InTheWay::put(folder.file("state.sqlite"));
    let third = store(&folder);
    third.load();
    way.clear();
    assert!(matches!(third.save(&of(&["files/c"])).unwrap().news, Some(News::Good(_))));
    third.save(&of(&["files/c", "files/d"])).unwrap();
    assert_eq!(owned(&store(&folder).load()), ["files/a", "files/c", "files/d"]);
}

#[test]
fn a_damaged_database_is_set_aside_and_whole_rows_stay_known() {
    let folder = Folder::new("damaged");
    let first = store(&folder);
    first.save_added("a secret").unwrap();
    first.save(&kept(2_000)).unwrap();
    drop(first);
    let path = folder.file("state.sqlite");
    let mut bytes = fs::read(&path).unwrap();
    let pages = bytes.len() / 4_096;
    assert!(pages > 100);
    // The second half is lost.
    bytes[pages / 2 * 4_096..].fill(0xa5);
    fs::write(&path, &bytes).unwrap();
    let second = store(&folder);
    assert_eq!(second.load_added(), Ok(Some("a secret".to_owned())));
    let found = second.load();
    let words = found.warning.unwrap();
    assert!(words.contains("is damaged") && words.contains("of its entries stay known"), "{words}");
    assert!(found.kept.unwrap().count() > 100);
    let aside = folder.aside();
    assert_eq!(aside.len(), 1);
    assert!(words.contains(&aside[0]));
    // What was added is in the new database with the first save.
    second.save(&of(&[])).unwrap();
    drop(second);
    assert_eq!(store(&folder).load_added(), Ok(Some("a secret".to_owned())));
}

#[test]
fn a_newer_form_and_a_foreign_database_make_room_untouched() {
    let folder = Folder::new("forms");
    store(&folder).save(&of(&["files/a"])).unwrap();
    let path = folder.file("state.sqlite");
    Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 99").unwrap();
    let found = store(&folder).load();
    let words = found.warning.unwrap();
    assert!(words.contains("newer version of this program (form 99)"), "{words}");
    assert_eq!(found.kept.map_or(0, |kept| kept.count()), 0);
    let aside = folder.file(&folder.aside()[0]);
    let form: i64 =
        Connection::open(aside).unwrap().query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    assert_eq!(form, 99);
}

#[test]
fn a_database_that_somebody_removed_is_made_anew_with_all() {
    let folder = Folder::new("removed");
    let first = store(&folder);
    first.save_added("a secret").unwrap();
    first.save(&of(&["files/a"])).unwrap();
    for file in ["state.sqlite", "state.sqlite-wal", "state.sqlite-shm"] {
        fs::remove_file(folder.file(file)).unwrap();
    }
    first.save(&of(&["files/a", "files/b"])).unwrap();
    let second = store(&folder);
    assert_eq!(owned(&second.load()), ["files/a", "files/b"]);
    assert_eq!(second.load_added(), Ok(Some("a secret".to_owned())));
}

#[test]
fn what_is_added_while_sqlite_fails_is_kept_and_goes_back() {
    let folder = Folder::new("added-back");
    let first = store(&folder);
    first.save_added("one").unwrap();
    drop(first);
    let second = store(&folder);
    assert_eq!(second.load_added(), Ok(Some("one".to_owned())));
    let way = InTheWay::put(folder.file("state.sqlite"));
    second.inner.lock().database = None;
    second.save_added("two").unwrap();
    assert!(folder.file("state.added.json").exists());
    assert!(store(&folder).load_added().is_err(), "which is newer cannot be told");
    way.clear();
    assert_eq!(store(&folder).load_added(), Ok(Some("two".to_owned())), "after an end in between");
    second.save(&of(&[])).unwrap();
    assert!(!folder.file("state.added.json").exists());
    assert_eq!(store(&folder).load_added(), Ok(Some("two".to_owned())));
}

#[test]
fn when_both_places_fail_both_are_named() {
    let folder = Folder::new("both");
    fs::write(folder.file("file"), "").unwrap();
    let store = FallingBack::beside(folder.file("file").join("state.sqlite"));
    let words = store.save(&of(&["files/a"])).unwrap_err().0;
    assert!(words.contains("state.sqlite") && words.contains("state.json"), "{words}");
    assert!(store.save_added("a secret").unwrap_err().0.find("a secret").is_none());
}
