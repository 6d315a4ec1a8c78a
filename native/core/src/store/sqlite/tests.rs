//! The database by itself: its form, its rights, what a write leaves, what is read back and what is called unusable.

use super::super::fixtures::{Folder, kept, names};
use super::*;

fn open(folder: &Folder) -> Database {
    Database::open(&folder.file("state.sqlite")).unwrap()
}

fn generation_of(generation: u64, kept: Kept) -> Kept {
    Kept { generation, ..kept }
}

#[test]
fn what_is_written_is_read_back_in_its_order() {
    let folder = Folder::new("sqlite-read");
    let mut database = open(&folder);
    assert_eq!(database.read().unwrap().kept.count(), 0);
    let first = generation_of(1, kept(5));
    database.write(&first).unwrap();
    assert_eq!(open(&folder).read().unwrap().kept, first);
    // One learned anew goes to the end, one is forgotten, one is new.
    let owned = names(&[("files/2", 9), ("files/4", 9), ("files/1", 77), ("files/new", 9)]);
    let second = generation_of(2, Kept { owned: Arc::new(owned), ..first });
    database.write(&second).unwrap();
    assert_eq!(open(&folder).read().unwrap().kept, second);
}

#[test]
fn only_what_differs_is_written() {
    let folder = Folder::new("sqlite-difference");
    let mut database = open(&folder);
    let first = generation_of(1, kept(50));
    database.write(&first).unwrap();
    let before = database.connection.total_changes();
    let mut owned = first.owned.to_vec();
    owned.remove(0);
    owned.push(names(&[("files/new", 9)]).remove(0));
    let second = generation_of(2, Kept { owned: Arc::new(owned), ..first });
    database.write(&second).unwrap();
    // A row less, a row more, and the two numbers about all of it.
    assert_eq!(database.connection.total_changes() - before, 4);
    assert_eq!(database.read().unwrap().kept, second);
}

#[test]
fn another_programs_writes_are_replaced_whole() {
    let folder = Folder::new("sqlite-two");
    let (mut one, mut two) = (open(&folder), open(&folder));
    one.write(&generation_of(1, kept(3))).unwrap();
    two.write(&generation_of(2, Kept { owned: Arc::new(names(&[("files/of-two", 9)])), ..kept(0) })).unwrap();
    let third = generation_of(3, kept(4));
    one.write(&third).unwrap();
    assert_eq!(two.read().unwrap().kept, third);
}

#[test]
fn what_could_not_be_read_is_spared() {
    let folder = Folder::new("sqlite-spared");
    open(&folder).write(&generation_of(1, kept(2))).unwrap();
    let mut again = open(&folder);
    again.spare_unread();
    let fresh = Kept { owned: Arc::new(names(&[("files/fresh", 9)])), ..Kept::default() };
    again.write(&generation_of(2, fresh)).unwrap();
    let owned = again.read().unwrap().kept.owned;
    let found: Vec<&str> = owned.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(found, ["files/0", "files/1", "files/fresh"]);
}

#[test]
fn a_row_that_is_no_entry_is_counted_and_the_rest_is_read() {
    let folder = Folder::new("sqlite-row");
    let mut database = open(&folder);
    database.write(&generation_of(1, kept(2))).unwrap();
    database.connection.execute("UPDATE owned SET body = 'x' WHERE id = 'files/0'", []).unwrap();
    let content = database.read().unwrap();
    assert_eq!((content.unreadable, content.kept.owned.len()), (1, 1));
}

#[cfg(unix)]
#[test]
fn its_files_are_their_owners_alone() {
    let folder = Folder::new("sqlite-mode");
    let mut database = open(&folder);
    database.write(&generation_of(1, kept(1))).unwrap();
    for file in ["state.sqlite", "state.sqlite-wal", "state.sqlite-shm"] {
        let mode = std::os::unix::fs::MetadataExt::mode(&fs::metadata(folder.file(file)).unwrap());
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[test]
fn steps_lead_from_each_form_to_the_newest_and_not_back() {
    let folder = Folder::new("sqlite-steps");
    let path = folder.file("state.sqlite");
    let steps =
        ["CREATE TABLE a (x)", "CREATE TABLE b AS SELECT x FROM a", "ALTER TABLE b RENAME COLUMN x TO y"];
    let mut connection = Connection::open(&path).unwrap();
    schema::prepare(&mut connection, &steps[..1]).unwrap();
    connection.execute("INSERT INTO a VALUES (7)", []).unwrap();
    // A step that fails leaves the form as it was.
    assert!(schema::prepare(&mut connection, &["", "CREATE TABLE b (x)", "CREATE TABLE a (x)"]).is_err());
    schema::prepare(&mut connection, &steps).unwrap();
    let value: i64 = connection.query_row("SELECT y FROM b", [], |row| row.get(0)).unwrap();
    assert_eq!(value, 7);
    schema::prepare(&mut connection, &steps).unwrap();
    let Err(Fault::Unusable(unusable)) = schema::prepare(&mut connection, &steps[..2]) else {
        panic!("a newer form was taken for an older one")
    };
    assert!(!unusable.ours && unusable.why.contains("form 3"), "{}", unusable.why);
}

#[test]
fn files_of_others_and_damage_are_unusable() {
    let folder = Folder::new("sqlite-unusable");
    let foreign = folder.file("foreign.sqlite");
    Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    let garbage = folder.file("garbage.sqlite");
    fs::write(&garbage, "garbage ".repeat(1_000)).unwrap();
    for (path, ours) in [(foreign, false), (garbage, true)] {
        match Database::open(&path) {
            Err(Fault::Unusable(unusable)) => assert_eq!(unusable.ours, ours),
            _ => panic!("{} was opened", path.display()),
        }
    }
}
