//! The form of the database: its tables, by numbered steps from each earlier form to today's. A step that has been
//! released is never changed; a new form is a new step. What the rows mean is not known here.

use rusqlite::{Connection, TransactionBehavior};

use super::fault::{Fault, Unusable};

/// "GAKA": tells our databases from others'.
const APPLICATION: i32 = 0x4741_4b41;

/// Step n leads from form n to form n + 1; SQLite's `user_version` says which form a database has.
pub const MIGRATIONS: &[&str] = &["
    CREATE TABLE about (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE keys (id TEXT PRIMARY KEY, body TEXT NOT NULL);
    CREATE TABLE rests (id TEXT PRIMARY KEY, body TEXT NOT NULL);
    CREATE TABLE owned (id TEXT PRIMARY KEY, body TEXT NOT NULL);
    CREATE TABLE uploads (id TEXT PRIMARY KEY, body TEXT NOT NULL);
    CREATE TABLE signatures (id TEXT PRIMARY KEY, body TEXT NOT NULL);
    CREATE TABLE requests (id TEXT PRIMARY KEY, body TEXT NOT NULL);
    CREATE TABLE added (one INTEGER PRIMARY KEY CHECK (one = 1), generation INTEGER NOT NULL, body TEXT NOT NULL);
"];

/// Brings a database to the form that follows the last step, all steps or none.
pub fn prepare(connection: &mut Connection, migrations: &[&str]) -> Result<(), Fault> {
    let today = migrations.len();
    let form = |connection: &Connection| -> Result<usize, Fault> {
        let form: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        Ok(usize::try_from(form).unwrap_or(usize::MAX))
    };
    if ours(connection)? && form(connection)? == today {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another program may have been faster.
    if !ours(&transaction)? {
        return Err(Fault::Unusable(Unusable::foreign("it is another program's database".to_owned())));
    }
    let from = form(&transaction)?;
    if from > today {
        let why = format!("it was written by a newer version of this program (form {from})");
        return Err(Fault::Unusable(Unusable::foreign(why)));
    }
    for step in migrations.iter().skip(from) {
        transaction.execute_batch(step)?;
    }
    transaction
        .execute_batch(&format!("PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {today};"))?;
    Ok(transaction.commit()?)
}

/// Marked as ours, or empty.
fn ours(connection: &Connection) -> Result<bool, Fault> {
    let application: i32 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    if application == APPLICATION {
        return Ok(true);
    }
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(application == 0 && tables == 0)
}
