//! Resumable uploads under way: which key started which. Google answers a start with an address on its own host,
//! and Python clients follow it without any key; so the address is rewritten to this endpoint and its upload id
//! stands in for the token. Bounded in number and age; a store may take them out and give them back.
//!
//! Invariant: every chunk goes with the key that started the upload; an unknown id is no capability.
//! Invariant: an upload's id opens something, so only its digest is kept.

use std::sync::atomic::{AtomicU64, Ordering};

use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::clock::Millis;
use crate::forward::headers::without_credentials;
use crate::forward::rewrite::Addresses;
use crate::ids::KeyId;
use crate::latest::Latest;
use crate::secret::digest;

const URL_HEADERS: [HeaderName; 2] =
    [HeaderName::from_static("x-goog-upload-url"), HeaderName::from_static("x-goog-upload-control-url")];
const MOST: usize = 4_096;
/// Longer than any upload lasts; Google itself forgets them after a few days.
const KEPT_FOR: Millis = 7 * 24 * 3_600 * 1_000;

#[derive(Default)]
pub struct Uploads {
    by_digest: Mutex<Latest<String, (KeyId, Millis), MOST>>,
    revision: AtomicU64,
}

/// One upload as a store keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnedUpload {
    /// Of its id.
    pub digest: String,
    pub key: KeyId,
    pub until: Millis,
}

impl Uploads {
    /// The key that started the upload named in `query`.
    pub fn owner(&self, query: Option<&str>, now: Millis) -> Option<KeyId> {
        let id = upload_id(query?)?;
        let uploads = self.by_digest.lock();
        uploads.get(&digest(&id)).filter(|(_, until)| *until > now).map(|(key, _)| key.clone())
    }

    /// Grows whenever there is something new to save.
    pub fn revision(&self) -> u64 {
        self.revision.load(Ordering::Acquire)
    }

    /// All that is under way, the oldest first, for a store.
    pub fn export(&self, now: Millis) -> Vec<OwnedUpload> {
        let uploads = self.by_digest.lock();
        let living = uploads.iter().filter(|(_, (_, until))| *until > now);
        living
            .map(|(digest, (key, until))| OwnedUpload {
                digest: digest.clone(),
                key: key.clone(),
                until: *until,
            })
            .collect()
    }

    /// What a store kept; uploads begun since then stay, and a date beyond what is ever given is cut to it.
    pub fn restore(&self, kept: impl IntoIterator<Item = OwnedUpload>, now: Millis) {
        let latest = now.saturating_add(KEPT_FOR);
        let living = kept.into_iter().filter(|upload| upload.until > now);
        let entry = |upload: OwnedUpload| (upload.digest, (upload.key, upload.until.min(latest)));
        self.by_digest.lock().put_before(living.map(entry));
    }

    /// These keys are gone or have another text: their uploads cannot be continued.
    pub fn forget(&self, keys: &[KeyId]) {
        let mut uploads = self.by_digest.lock();
        let before = uploads.len();
        uploads.retain(|(key, _)| !keys.contains(key));
        if uploads.len() < before {
            self.revision.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// Points upload addresses at `origin`, path and query kept but for credentials, and remembers their owner.
    pub fn rewrite(
        &self,
        headers: &mut HeaderMap,
        key: &KeyId,
        (addresses, origin): (&Addresses, &str),
        now: Millis,
    ) {
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
                self.remember(&id, key.clone(), now);
            }
            let query = query.map(|query| format!("?{query}")).unwrap_or_default();
            match HeaderValue::from_str(&format!("{origin}{}{query}", addresses.local_path(&url))) {
                Ok(value) => headers.insert(name, value),
                Err(_) => headers.remove(name),
            };
        }
    }

    fn remember(&self, id: &str, key: KeyId, now: Millis) {
        self.by_digest.lock().put(digest(id), (key, now.saturating_add(KEPT_FOR)));
        self.revision.fetch_add(1, Ordering::AcqRel);
    }
}

fn upload_id(query: &str) -> Option<String> {
    let (_, id) = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "upload_id")?;
    (!id.is_empty()).then(|| id.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: &str = "http://127.0.0.1:3146";

    fn started(base: &str, given: &'static str) -> (Uploads, HeaderMap) {
        let uploads = Uploads::default();
        let addresses = Addresses::new(&Url::parse(base).unwrap());
        let mut headers = HeaderMap::new();
        headers.insert(URL_HEADERS[0].clone(), HeaderValue::from_static(given));
        uploads.rewrite(&mut headers, &"k1".into(), (&addresses, HERE), 5);
        (uploads, headers)
    }

    #[test]
    fn the_address_points_here_without_credentials_and_its_id_is_a_capability() {
        let (uploads, headers) = started(
            "https://generativelanguage.googleapis.com",
            "https://generativelanguage.googleapis.com/upload/v1/files?key=K&upload_id=U1&upload_protocol=resumable",
        );
        let rewritten = headers.get(&URL_HEADERS[0]).unwrap();
        assert_eq!(rewritten, "http://127.0.0.1:3146/upload/v1/files?upload_id=U1&upload_protocol=resumable");
        assert_eq!(uploads.owner(Some("upload_id=U1"), 6), Some("k1".into()));
        assert_eq!(uploads.owner(Some("upload_id=U2"), 6), None);
        assert_eq!(uploads.owner(Some("upload_id="), 6), None);
        assert_eq!(uploads.owner(Some("upload_id=U1"), 5 + KEPT_FOR), None, "expired");
    }

    #[test]
    fn the_path_of_the_upstream_itself_is_not_repeated_here() {
        let (_, headers) = started(
            "https://relay.example/gemini",
            "https://relay.example/gemini/upload/v1/files?upload_id=U1",
        );
        assert_eq!(
            headers.get(&URL_HEADERS[0]).unwrap(),
            "http://127.0.0.1:3146/upload/v1/files?upload_id=U1"
        );
    }

    #[test]
    fn an_upload_goes_on_after_a_restart_and_its_id_is_not_stored() {
        let (before, _) =
            started("https://a.example", "https://a.example/upload/v1/files?upload_id=U-secret");
        assert!(before.revision() > 0);
        let saved = serde_json::to_string(&before.export(6)).unwrap();
        assert!(!saved.contains("U-secret"), "{saved}");
        let after = Uploads::default();
        after.restore(serde_json::from_str::<Vec<OwnedUpload>>(&saved).unwrap(), 6);
        assert_eq!(after.owner(Some("upload_id=U-secret"), 7), Some("k1".into()));
        after.forget(&["k1".into()]);
        assert_eq!(after.owner(Some("upload_id=U-secret"), 7), None);
    }
}
