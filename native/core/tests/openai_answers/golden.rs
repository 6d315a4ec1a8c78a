//! Each `NAME.gemini.json` or `NAME.gemini.sse` and the answer it becomes, `NAME.openai.json` or `NAME.openai.sse`.
//! `NAME.asked.json` says what was asked where it matters; `NAME.learned.json` the signatures that are kept.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use aggregator_core::dialect::ApiError;
use aggregator_core::dialect::openai::answer::{
    Fault, Images, ModelList, StreamEncoder, embeddings, model, whole,
};
use aggregator_core::dialect::openai::{Asked, error};
use aggregator_core::dispatch::upstream_error::UpstreamError;
use bytes::BytesMut;
use serde::Deserialize;

use crate::pretty::pretty;

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Options {
    /// `chat` when absent; `completion`, `embeddings`, `images`, `models`, `model`, `error`.
    kind: String,
    include_usage: bool,
    one_call: bool,
    legacy_functions: bool,
    tool_names: HashMap<String, String>,
    base64: bool,
    as_url: bool,
    /// Of `error`: the upstream's status. Of a stream: it does not end but breaks with this.
    status: Option<u16>,
    message: String,
}

impl Options {
    fn asked(&self) -> Asked {
        Asked {
            model: "gemini-3.8-flash".to_owned(),
            id: "a1".to_owned(),
            created: 1_800_000_000,
            completion: self.kind == "completion",
            include_usage: self.include_usage,
            one_call: self.one_call,
            legacy_functions: self.legacy_functions,
            tool_names: self.tool_names.clone(),
            ..Asked::default()
        }
    }
}

/// What a case became.
struct Encoded {
    text: String,
    learned: Vec<(String, String)>,
}

fn counter() -> impl FnMut() -> String + Send {
    let mut count = 0;
    move || {
        count += 1;
        count.to_string()
    }
}

fn stream(options: &Options, input: &str, size: usize) -> Encoded {
    let mut encoder = StreamEncoder::new(options.asked(), counter());
    let mut out = BytesMut::new();
    input.as_bytes().chunks(size).for_each(|piece| encoder.push(piece, &mut out));
    match options.status.map(http::StatusCode::from_u16) {
        Some(status) => encoder.fail(&ApiError::new(status.unwrap(), &options.message), &mut out),
        None => encoder.finish(&mut out),
    }
    Encoded { text: String::from_utf8(out.to_vec()).unwrap(), learned: encoder.take_signatures() }
}

/// A fault is told with its status.
fn one(options: &Options, input: &str) -> Encoded {
    let (mut out, mut learned) = (BytesMut::new(), Vec::new());
    let body = input.as_bytes();
    let result: Result<(), Fault> = match options.kind.as_str() {
        "embeddings" => embeddings("gemini-embedding-001", options.base64, body, &mut out),
        "images" => images(options, input, &mut out),
        "models" => models(input, &mut out),
        "model" => model(body, &mut out),
        "error" => {
            let google = UpstreamError::parse(body);
            out.extend_from_slice(
                error::error_body(options.status.unwrap(), google.as_ref(), &options.message).as_bytes(),
            );
            Ok(())
        }
        _ => whole(&options.asked(), body, &mut counter(), &mut out).map(|told| learned = told.signatures),
    };
    let text = match result {
        Ok(()) => String::from_utf8(out.to_vec()).unwrap(),
        Err(fault) => {
            assert!(out.is_empty(), "a fault, and something written");
            format!(r#"{{"status":{},"answer":{}}}"#, fault.status(), fault.body())
        }
    };
    Encoded { text: pretty(&text), learned }
}

/// Several bodies stand in one file with a line `---` between them.
fn images(options: &Options, input: &str, out: &mut BytesMut) -> Result<(), Fault> {
    let mut images = Images::new(1_800_000_000, options.as_url);
    input.split("\n---\n").try_for_each(|body| images.add(body.as_bytes()))?;
    images.finish(out);
    Ok(())
}

fn models(input: &str, out: &mut BytesMut) -> Result<(), Fault> {
    let mut list = ModelList::default();
    let pages: Vec<&str> = input.split("\n---\n").collect();
    for (at, page) in pages.iter().enumerate() {
        assert_eq!(list.add(page.as_bytes())?.is_some(), at + 1 < pages.len(), "whether a page follows");
    }
    list.finish(out);
    Ok(())
}

fn encode(path: &Path, options: &Options) -> Encoded {
    let input = fs::read_to_string(path).unwrap();
    if path.extension().is_some_and(|extension| extension == "json") {
        return one(options, &input);
    }
    // Google ends lines with \r\n; the files are kept with \n.
    let input = input.replace('\n', "\r\n");
    let encoded = stream(options, &input, input.len().max(1));
    for size in [1, 7, 100] {
        assert_eq!(stream(options, &input, size).text, encoded.text, "{} cut by {size}", path.display());
    }
    encoded
}

/// What differs from the file, if anything does; the file is written when that was asked for.
fn compare(path: &Path, found: Option<&str>) -> Option<String> {
    if std::env::var("OPENAI_ANSWERS_WRITE").is_ok_and(|text| text == "1") {
        match found {
            Some(found) => fs::write(path, found).unwrap(),
            None => drop(fs::remove_file(path)),
        }
    }
    let expected = fs::read_to_string(path).ok();
    (expected.as_deref() != found).then(|| {
        let or_nothing = |text: Option<&str>| text.unwrap_or("(no file)").to_owned();
        let name = path.file_name().unwrap_or_default().display();
        format!("{name} expected:\n{}\nfound:\n{}", or_nothing(expected.as_deref()), or_nothing(found))
    })
}

#[test]
fn every_answer_becomes_what_its_file_says() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/openai/answer");
    let mut files: BTreeSet<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let inputs: Vec<String> = files.iter().filter(|name| name.contains(".gemini.")).cloned().collect();
    assert!(inputs.len() >= 85, "only {} cases", inputs.len());
    let mut wrong = Vec::new();
    for input in inputs {
        let name = input.split('.').next().unwrap().to_owned();
        let asked = fs::read_to_string(folder.join(format!("{name}.asked.json"))).ok();
        let options: Options =
            asked.map(|json| serde_json::from_str(&json).expect(&name)).unwrap_or_default();
        let encoded = encode(&folder.join(&input), &options);
        let learned =
            (!encoded.learned.is_empty()).then(|| pretty(&serde_json::to_string(&encoded.learned).unwrap()));
        let (output, kept) = (input.replace(".gemini.", ".openai."), format!("{name}.learned.json"));
        wrong.extend(compare(&folder.join(&output), Some(&encoded.text)));
        wrong.extend(compare(&folder.join(&kept), learned.as_deref()));
        for used in [input, output, kept, format!("{name}.asked.json")] {
            files.remove(&used);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(files.is_empty(), "files of no case: {files:?}");
}
