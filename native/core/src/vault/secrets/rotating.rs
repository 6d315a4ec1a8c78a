//! The rotating proxy as the secret `geminiRotatingProxyConfig`, in the shape of earlier versions. Of what they kept
//! there, URL and switch were entered by the user; the rest is learned anew and written only so that they can read it.

use std::collections::HashMap;
use std::sync::Arc;

use secrecy::ExposeSecret;
use serde::Deserialize;

use super::{ROTATING, SecretWrite, read, store};
use crate::proxies::rotating::parse;
use crate::vault::{Entered, EnteredRotating};

#[derive(Default, Deserialize)]
#[serde(default)]
struct Stored {
    enabled: bool,
    url: Option<String>,
}

pub(super) fn load(secrets: &HashMap<String, String>, warnings: &mut Vec<String>) -> Option<EnteredRotating> {
    let stored: Stored = read(secrets, ROTATING, warnings);
    let url = stored.url.filter(|url| !url.is_empty())?;
    match parse(&url) {
        Ok(url) => Some(EnteredRotating { url: Arc::new(url), enabled: stored.enabled }),
        Err(error) => {
            warnings.push(format!(
                "The stored rotating proxy was not used, each key keeps its own way out: {error}"
            ));
            None
        }
    }
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
    use crate::vault::secrets::{load as load_all, writes_between};

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
        assert_eq!(load_all(&stored), (entered.clone(), vec![]));
        assert_eq!(writes_between(&entered, &entered), []);
        let gone = writes_between(&entered, &Entered::default());
        assert_eq!(gone, [SecretWrite { name: ROTATING.to_owned(), value: None }]);
    }

    #[test]
    fn the_form_of_earlier_versions_is_read_and_damage_is_named_without_its_content() {
        let stored = |text: &str| HashMap::from([(ROTATING.to_owned(), text.to_owned())]);
        let earlier = r#"{"enabled":true,"url":"ada-rotate:s3cret@h:8080","isValid":false,"lastHealthCheck":5,"errorCount":3}"#;
        assert_eq!(load_all(&stored(earlier)), (with("ada-rotate:s3cret@h:8080", true), vec![]));
        assert_eq!(
            load_all(&stored(r#"{"enabled":false,"url":"","isValid":false,"errorCount":0}"#)).1.len(),
            0
        );
        for damaged in [r#"{"enabled":true,"url":"ada-rotate:s3cret@"}"#, "{\"url\":\"s3cret", "[]"] {
            let (entered, warnings) = load_all(&stored(damaged));
            assert_eq!((entered.rotating, warnings.len()), (None, 1));
            assert!(!warnings[0].contains("s3cret"), "{warnings:?}");
        }
    }
}
