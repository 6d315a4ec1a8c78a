//! Each `NAME.openai.json` beside `NAME.gemini.json`, or `NAME.error.json` where it is refused. A name begins with its
//! endpoint. `UPDATE_GOLDEN=1` writes what is expected anew, to be read before it is committed.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::world::translate;

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/openai/request");
const ASKED: &str = ".openai.json";

#[test]
fn every_case_is_translated_as_it_is_written_down() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let files: BTreeSet<String> =
        fs::read_dir(CASES).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    let names: Vec<&str> = files.iter().filter_map(|file| file.strip_suffix(ASKED)).collect();
    assert!(names.len() >= 85, "only {} cases", names.len());
    let mut wrong = Vec::new();
    for name in &names {
        println!("{name}");
        let body = fs::read(Path::new(CASES).join(format!("{name}{ASKED}"))).unwrap();
        let endpoint = name.split('-').next().unwrap_or_default();
        let (kind, other, got) = match translate(endpoint, &Bytes::from(body)) {
            Ok(got) => ("gemini", "error", got),
            Err(error) => ("error", "gemini", json!({ "param": error.param, "message": error.message })),
        };
        let file = format!("{name}.{kind}.json");
        if update {
            fs::write(
                Path::new(CASES).join(&file),
                format!("{}\n", serde_json::to_string_pretty(&got).unwrap()),
            )
            .unwrap();
            let _ = fs::remove_file(Path::new(CASES).join(format!("{name}.{other}.json")));
            continue;
        }
        match fs::read(Path::new(CASES).join(&file)) {
            Err(_) => wrong.push(format!("{file} is missing, but the case gives {got}")),
            Ok(text) if serde_json::from_slice::<Value>(&text).unwrap() != got => {
                wrong.push(format!("{file} differs: {got}"));
            }
            Ok(_) => {}
        }
    }
    let known = |file: &&String| {
        names.iter().any(|name| {
            [ASKED, ".gemini.json", ".error.json"].iter().any(|end| file.strip_suffix(end) == Some(*name))
        })
    };
    wrong.extend(files.iter().filter(|file| !known(file)).map(|file| format!("{file} belongs to no case")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
