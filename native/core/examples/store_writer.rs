//! Writes to the store of both hosts as fast as it can and says what was acknowledged, so that a test may kill it at any
//! moment; `check` then says what a next start finds. It knows nothing of the gateway.
//!
//! `store_writer write FOLDER` prints a number for each acknowledged write, until it is killed.
//! `store_writer check FOLDER` prints the newest number of both kinds, and fails when the database is not whole.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use aggregator_core::affinity::OwnedName;
use aggregator_core::store::falling_back::FallingBack;
use aggregator_core::store::{Kept, StateStore, VERSION};

/// Enough rows for a write of many pages.
const ROWS: u64 = 300;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let folder = arguments.get(2).map(String::as_str).unwrap_or(".");
    let path = Path::new(folder).join("state.sqlite");
    let result = match arguments.get(1).map(String::as_str) {
        Some("write") => write(&path),
        Some("check") => check(&path),
        _ => Err("Say write or check, and a folder.".to_owned()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(words) => {
            let _ = writeln!(std::io::stderr(), "{words}");
            ExitCode::FAILURE
        }
    }
}

fn write(path: &Path) -> Result<(), String> {
    let store = FallingBack::beside(path);
    let mut number = newest(&store)?.0;
    loop {
        number += 1;
        store.save_added(&format!("added {number}")).map_err(|error| error.0)?;
        say(&format!("added {number}"))?;
        let saved = store.save(&kept(number)).map_err(|error| error.0)?;
        if let Some(news) = saved.news {
            return Err(format!("{news:?}"));
        }
        say(&format!("saved {number}"))?;
    }
}

fn check(path: &Path) -> Result<(), String> {
    if path.exists() {
        let connection = rusqlite::Connection::open(path).map_err(|error| error.to_string())?;
        let verdict: String = connection
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .map_err(|error| error.to_string())?;
        if verdict != "ok" {
            return Err(verdict);
        }
    }
    let (added, saved) = newest(&FallingBack::beside(path))?;
    say(&format!("added {added} saved {saved}"))
}

/// The newest numbers of what was added and what was saved. All rows of a save are of one number.
fn newest(store: &FallingBack) -> Result<(u64, u64), String> {
    let added = store.load_added().map_err(|error| error.0)?;
    let added = added.as_deref().and_then(|text| text.strip_prefix("added ")).map_or(Ok(0), str::parse);
    let found = store.load();
    if let Some(words) = found.warning {
        return Err(words);
    }
    let owned = found.kept.map(|kept| kept.owned).unwrap_or_default();
    let saved = owned.first().map_or(0, |one| one.until);
    if owned.iter().any(|one| one.until != saved) {
        return Err("Rows of two saves are mixed.".to_owned());
    }
    Ok((added.map_err(|_| "What was added is no number.".to_owned())?, saved))
}

fn kept(number: u64) -> Kept {
    // Half of the names leave from save to save.
    let names = (0..ROWS).map(|row| format!("files/{}", (row + number * ROWS / 2) % (ROWS * 4)));
    let owned = names.map(|name| OwnedName { name, key: "k1".into(), until: number }).collect();
    Kept { version: VERSION, owned: Arc::new(owned), ..Kept::default() }
}

fn say(line: &str) -> Result<(), String> {
    let mut out = std::io::stdout();
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(|error| error.to_string())
}
