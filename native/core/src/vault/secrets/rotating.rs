//! The rotating proxy as the secret `geminiRotatingProxyConfig`, in the shape of earlier versions. Of what they kept
//! there, URL and switch were entered by the user; the rest is learned anew and written only so that they can read it.

use std::collections::HashMap;
use std::sync::Arc;

use secrecy::ExposeSecret;
use serde::Deserialize;

use super::reading::Notes;
use super::{ROTATING, SecretWrite, store};
use crate::proxies::rotating::parse;
use crate::vault::{Entered, EnteredRotating};

#[derive(Deserialize)]
struct Stored {
    #[serde(default)]
    enabled: bool,
    url: Option<String>,
}

/// `Err` says that there was one and it cannot be used.
pub(super) fn load(
    secrets: &HashMap<String, String>,
    notes: &mut Notes,
) -> Result<Option<EnteredRotating>, ()> {
    let Some(text) = secrets.get(ROTATING) else { return Ok(None) };
    let whole: Option<Stored> =
        if text.trim_start().starts_with('{') { serde_json::from_str(text).ok() } else { None };
    let Some(Stored { enabled, url: Some(url) }) = whole else {
        notes.damaged(ROTATING, 0);
        return Err(());
    };
    if url.is_empty() {
        return Ok(None);
    }
    parse(&url).map(|url| Some(EnteredRotating { url: Arc::new(url), enabled })).map_err(|error| {
        let words =
            format!("The stored rotating proxy was not used, each key keeps its own way out: {error}");
        notes.lost(ROTATING, words);
    })
}

pub(super) fn write_between(before: &Entered, after: &Entered) -> Option<SecretWrite> {
    if before.rotating == after.rotating {
        return None;
    }
    Some(match &after.rotating {
        Some(entered) => store(ROTATING, text(entered)),
        None => SecretWrite { name: ROTATING.to_owned(), value: None },
    })
}

fn text(entered: &EnteredRotating) -> String {
    let url = entered.url.to_secret_string().expose_secret().to_owned();
    serde_json::json!({ "enabled": entered.enabled, "url": url, "isValid": true, "errorCount": 0 })
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::secrets::{Loaded, load as load_all, writes_between};

    fn with(url: &str, enabled: bool) -> Entered {
        let rotating = EnteredRotating { url: Arc::new(parse(url).unwrap()), enabled };
        Entered { rotating: Some(rotating), ..Entered::default() }
    }

    #[test]
    fn it_is_stored_read_back_and_deleted() {
        let entered = with("ada-rotate:s3cret@h:8080", true);
        let writes = writes_between(&Entered::default(), &entered);
        assert_eq!(writes.len(), 1);
        let stored = HashMap::from([(ROTATING.to_owned(), writes[0].value.clone().unwrap())]);
        assert_eq!(load_all(&stored).entered, entered);
        assert_eq!(writes_between(&entered, &entered), []);
        let gone = writes_between(&entered, &Entered::default());
        assert_eq!(gone, [SecretWrite { name: ROTATING.to_owned(), value: None }]);
    }

    #[test]
    fn the_form_of_earlier_versions_is_read_and_damage_is_named_without_its_content() {
        let stored = |text: &str| HashMap::from([(ROTATING.to_owned(), text.to_owned())]);
        let earlier = r#"{"enabled":true,"url":"ada-rotate:s3cret@h:8080","isValid":false,"lastHealthCheck":5,"errorCount":3}"#;
        let loaded = load_all(&stored(earlier));
        assert_eq!((loaded.entered, loaded.warnings), (with("ada-rotate:s3cret@h:8080", true), vec![]));
        let loaded = load_all(&stored(r#"{"enabled":false,"url":"","isValid":false,"errorCount":0}"#));
        assert_eq!((loaded.entered, loaded.warnings), (Entered::default(), vec![]));
        for damaged in [r#"{"enabled":true,"url":"ada-rotate:s3cret@"}"#, "{\"url\":\"s3cret", "[]", "{}"] {
            let Loaded { entered, warnings, .. } = load_all(&stored(damaged));
            assert_eq!((&entered.rotating, warnings.len()), (&None, 2), "{warnings:?}");
            assert!(
                entered.proxies.iter().all(|proxy| !proxy.enabled) && entered.proxies.len() == 1,
                "none goes direct"
            );
            assert!(!warnings.concat().contains("s3cret"), "{warnings:?}");
        }
    }
}
