//! Every input in `fuzz/corpus` once more: the seeds of the fuzz targets, and what those have found. The properties are
//! the targets' own, in `fuzz/src/checks`.

#![cfg(test)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)] // all of this is test code

#[path = "../../../fuzz/src/checks/mod.rs"]
mod checks;

use std::fs;
use std::path::Path;

/// Fewer would mean that they were not found.
const LEAST: usize = 15;

fn replay(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut count = 0;
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        println!("{}", path.display());
        check(&fs::read(&path).unwrap());
        count += 1;
    }
    assert!(count >= LEAST, "only {count} inputs");
}

#[test]
fn events_are_the_same_however_the_text_is_cut() {
    replay("sse", checks::sse);
}

#[test]
fn any_request_is_refused_with_words_or_is_one_call() {
    replay("requests", checks::requests);
}

#[test]
fn any_schema_is_reduced_within_bounds_and_stays_so() {
    replay("schema", checks::schema);
}

#[test]
fn any_stream_becomes_events_that_a_client_can_read() {
    replay("stream", checks::stream);
}
