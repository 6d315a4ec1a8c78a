//! Texts that are no backup, not this program's, or damaged: each is refused in words that hold none of it.

use super::*;
use crate::backup::seal::Cost;
use crate::command::Refusal;

fn refusal(text: &str, passphrase: Option<&str>) -> BackupError {
    read(text, passphrase.map(Secret::new).as_ref()).unwrap_err()
}

/// The file with another content and a checksum that fits: what only the deeper checks can find.
fn rewritten(text: &str, change: impl FnOnce(&mut serde_json::Value)) -> String {
    let mut value: serde_json::Value = serde_json::from_str(text).unwrap();
    change(&mut value);
    let Ok(mut file) = serde_json::from_value::<File>(value.clone()) else { return value.to_string() };
    file.checksum = file.sum().unwrap();
    serde_json::to_string(&file).unwrap()
}

#[test]
fn wrong_texts_are_refused_in_words() {
    let text = bare(&sample());
    let cases = [
        ("nonsense".to_owned(), "damaged at line 1"),
        ("{}".to_owned(), "no backup"),
        (r#"{"format":"other","version":1}"#.to_owned(), "no backup"),
        (text.replace("\"version\": 1", "\"version\": 2"), "has the version 2"),
        (text.replacen("\"weight\"", "\"wieght\"", 1), "a field that is not known at line"),
        (text.replacen("\"created\"", "\"x\": 1, \"created\"", 1), "a field that is not known at line"),
        (text.replacen("\"weight\": 7", "\"weight\": 8", 1), "checksum does not fit"),
        (text.replacen("\"weight\": 7", "\"weight\": \"a secret\"", 1), "damaged at line"),
        (text[..text.len() / 2].to_owned(), "damaged at line"),
        (format!("{}1{}", "[".repeat(9), "]".repeat(9)), "nested too deep"),
        (format!("{{\"format\":\"{}\"}}", "x".repeat(LONGEST_TEXT)), "at most 8 MiB"),
    ];
    for (text, expected) in cases {
        let words = refusal(&text, None).to_string();
        assert!(words.contains(expected) && !words.contains("a secret"), "{words}");
    }
}

#[test]
fn the_passphrase_is_asked_for_and_named_as_the_faulty_input() {
    let text = whole(&sample());
    assert_eq!(refusal(&text, None), BackupError::PassphraseNeeded);
    let wrong = refusal(&text, Some("correct horse batterz"));
    assert_eq!(wrong, BackupError::WrongPassphrase);
    assert_eq!(Refusal::from(wrong).field.as_deref(), Some("passphrase"));
    let short = write(&sample(), NOW, Some((&Secret::new("1234567"), sealing())));
    assert_eq!(short.unwrap_err(), BackupError::PassphraseTooShort);
}

#[test]
fn the_date_beside_an_encrypted_part_cannot_be_changed() {
    let text = rewritten(&whole(&sample()), |value| value["created"] = "2020-01-01T00:00:00Z".into());
    assert_eq!(refusal(&text, Some(PASSPHRASE)), BackupError::WrongPassphrase);
}

#[test]
fn a_file_cannot_cost_more_than_this_program_would_spend() {
    let text = rewritten(&whole(&sample()), |value| {
        value["sealed"]["cost"] = serde_json::to_value(Cost { memory_kib: 4_000_000, ..CHEAP }).unwrap();
    });
    assert_eq!(refusal(&text, Some(PASSPHRASE)), BackupError::TooCostly);
}

#[test]
fn secrets_in_the_clear_and_parts_that_do_not_fit_are_refused() {
    type Change = fn(&mut serde_json::Value);
    let changes: [Change; 6] = [
        |content| content["keys"][0]["key"] = "test-key-in-the-clear".into(),
        |content| content["proxies"][0]["url"] = "http://user:secret@10.0.0.1:1".into(),
        |content| content["keys"][1]["id"] = "key_1".into(),
        |content| content["assignments"][0]["keyId"] = "key_7".into(),
        |content| content["assignments"][0]["proxyId"] = "proxy_7".into(),
        |content| content["assignments"][0]["proxyId"] = serde_json::Value::Null,
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let text = rewritten(&bare(&sample()), |value| change(&mut value["content"]));
        assert_eq!(refusal(&text, None), BackupError::Damaged(None), "change {number}");
    }
}

#[test]
fn reformatting_the_file_does_not_matter() {
    let value: serde_json::Value = serde_json::from_str(&whole(&sample())).unwrap();
    assert!(opened(&value.to_string()).is_ok());
}

/// Bytes changed, cut out, doubled, put in, and ends cut off.
fn mutated(text: &str, rng: &mut Rng) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..rng.usize(1..4) {
        let place = rng.usize(..bytes.len());
        let end = (place + rng.usize(1..40)).min(bytes.len());
        match rng.u8(..6) {
            0 => bytes[place] ^= 1 << rng.u8(..8),
            1 => bytes[place] = *rng.choice(b"\"{}[],:0\\e-").unwrap_or(&b'0'),
            2 => drop(bytes.drain(place..end)),
            3 => {
                let part = bytes[place..end].to_vec();
                bytes.splice(place..place, part);
            }
            4 => bytes.insert(place, rng.u8(..)),
            _ => bytes.truncate(place.max(1)),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn no_mutation_of_a_file_is_taken_for_another_backup() {
    let before = pools(&sample());
    for (text, content) in
        [(bare(&sample()), Content::of(&sample(), false)), (whole(&sample()), Content::of(&sample(), true))]
    {
        for seed in 0..1_000 {
            if let Ok(backup) = opened(&mutated(&text, &mut Rng::with_seed(seed))) {
                assert_eq!(backup.content, content, "seed {seed}");
            }
        }
    }
    assert_eq!(before.entered(), sample());
}

/// The content is changed and signed anew, as somebody who writes such files could: whatever it asks for is done whole
/// and fits together, or refused whole.
#[test]
fn no_content_breaks_what_it_is_restored_into() {
    let (mut refused, mut restored) = (0, 0);
    for seed in 0..1_000 {
        let mut rng = Rng::with_seed(seed);
        let state = any_state(&mut rng);
        let text = rewritten(&bare(&any_state(&mut rng).entered()), |value| {
            (0..rng.u8(1..5)).for_each(|_| shuffled(value, &mut rng));
        });
        let untouched = state.entered();
        let plan = read(&text, None).and_then(|backup| plan(&state, &backup, &Settings::default(), NOW));
        assert_eq!(state.entered(), untouched);
        match plan {
            Ok(plan) => {
                restored += 1;
                consistent(&plan.next.entered(), seed);
            }
            Err(error) => {
                refused += 1;
                assert!(!error.to_string().contains("secret-"), "{error}");
            }
        }
    }
    assert!(refused > 100 && restored > 100, "{refused} refused, {restored} restored");
}

/// One value anywhere in the content becomes another one of the content, or an odd one.
fn shuffled(value: &mut serde_json::Value, rng: &mut Rng) {
    let kinds = ["keys", "proxies", "assignments"];
    let (from, to) = (kinds[rng.usize(..3)], kinds[rng.usize(..3)]);
    let fields =
        ["id", "name", "keyId", "proxyId", "url", "weight", "fingerprint", "enabled", "isManual", "project"];
    let field = fields[rng.usize(..fields.len())];
    let odd = [
        serde_json::Value::Null,
        "".into(),
        "geminiProxyPool".into(),
        "a\r\nb".into(),
        "x".repeat(5_000).into(),
        0.into(),
        1_000_000.into(),
        "socks5://127.0.0.1:9".into(),
    ];
    let pick = |list: &serde_json::Value, rng: &mut Rng| {
        let all = list.as_array().map_or(0, Vec::len);
        (all > 0).then(|| rng.usize(..all))
    };
    let source = pick(&value["content"][from], rng).map(|at| value["content"][from][at][field].clone());
    let Some(at) = pick(&value["content"][to], rng) else { return };
    let new = source.filter(|_| rng.bool()).unwrap_or_else(|| rng.choice(odd).unwrap_or_default());
    if let Some(entry) = value["content"][to][at].as_object_mut()
        && entry.contains_key(field)
    {
        entry.insert(field.to_owned(), new);
    }
}
