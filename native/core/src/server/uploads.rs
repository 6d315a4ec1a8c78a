//! Resumable uploads under way: which key started which. Google answers a start with an address on its own host,
//! and Python clients follow it without any key; so the address is rewritten to this endpoint and its upload id
//! stands in for the token. Bounded in number and age.
//!
//! Invariant: every chunk goes with the key that started the upload; an unknown id is no capability.

use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};
use indexmap::IndexMap;
use parking_lot::Mutex;
use url::Url;

use crate::clock::Millis;
use crate::forward::headers::without_credentials;
use crate::ids::KeyId;

const URL_HEADERS: [HeaderName; 2] =
    [HeaderName::from_static("x-goog-upload-url"), HeaderName::from_static("x-goog-upload-control-url")];
const MOST: usize = 4_096;
/// Longer than any upload lasts; Google itself forgets them after a few days.
const KEPT_FOR: Millis = 48 * 3_600 * 1_000;

#[derive(Default)]
pub struct Uploads {
    by_id: Mutex<IndexMap<String, (KeyId, Millis)>>,
}

impl Uploads {
    /// The key that started the upload named in `query`.
    pub fn owner(&self, query: Option<&str>, now: Millis) -> Option<KeyId> {
        let id = upload_id(query?)?;
        let by_id = self.by_id.lock();
        by_id.get(&id).filter(|(_, until)| *until > now).map(|(key, _)| key.clone())
    }

    /// Points upload addresses at `origin`, path and query kept but for credentials, and remembers their owner.
    pub fn rewrite(&self, headers: &mut HeaderMap, key: &KeyId, origin: &str, now: Millis) {
        for name in URL_HEADERS {
            let Some(url) = headers
                .get(&name)
                .and_then(|value| value.to_str().ok())
                .and_then(|text| Url::parse(text).ok())
            else {
                continue;
            };
            let query = url.query().and_then(without_credentials);
            if let Some(id) = query.as_deref().and_then(upload_id) {
                self.remember(id, key.clone(), now);
            }
            let query = query.map(|query| format!("?{query}")).unwrap_or_default();
            match HeaderValue::from_str(&format!("{origin}{}{query}", url.path())) {
                Ok(value) => headers.insert(name, value),
                Err(_) => headers.remove(name),
            };
        }
    }

    fn remember(&self, id: String, key: KeyId, now: Millis) {
        let mut by_id = self.by_id.lock();
        by_id.insert(id, (key, now.saturating_add(KEPT_FOR)));
        while by_id.len() > MOST {
            by_id.shift_remove_index(0);
        }
    }
}

fn upload_id(query: &str) -> Option<String> {
    let (_, id) = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "upload_id")?;
    (!id.is_empty()).then(|| id.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_points_here_without_credentials_and_its_id_is_a_capability() {
        let uploads = Uploads::default();
        let mut headers = HeaderMap::new();
        let given = "https://generativelanguage.googleapis.com/upload/v1/files?key=K&upload_id=U1&upload_protocol=resumable";
        headers.insert(URL_HEADERS[0].clone(), HeaderValue::from_static(given));
        uploads.rewrite(&mut headers, &"k1".into(), "http://127.0.0.1:3146", 5);
        let rewritten = headers.get(&URL_HEADERS[0]).unwrap();
        assert_eq!(rewritten, "http://127.0.0.1:3146/upload/v1/files?upload_id=U1&upload_protocol=resumable");
        assert_eq!(uploads.owner(Some("upload_id=U1"), 6), Some("k1".into()));
        assert_eq!(uploads.owner(Some("upload_id=U2"), 6), None);
        assert_eq!(uploads.owner(Some("upload_id="), 6), None);
        assert_eq!(uploads.owner(Some("upload_id=U1"), 5 + KEPT_FOR), None, "expired");
    }
}
