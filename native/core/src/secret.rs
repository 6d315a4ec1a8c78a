//! The text of an API key or a local token. Printing one in any way shows `••••` and at most its last four
//! characters; only the code that puts it on the wire or into the vault may read it.
//!
//! Invariant: a secret type prints as `••••1234` everywhere.

use std::fmt;
use std::sync::{Arc, OnceLock};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

/// Shorter secrets show none of their characters: four would be too large a share.
const SHOW_TAIL_FROM: usize = 12;

#[derive(Clone)]
pub struct Secret(Arc<Kept>);

struct Kept {
    text: SecretString,
    /// Made when first asked for: a local token is compared with every request.
    digest: OnceLock<ring::digest::Digest>,
}

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(Arc::new(Kept { text: SecretString::from(text.into()), digest: OnceLock::new() }))
    }

    /// The secret itself: for the wire, the vault and redaction only.
    pub fn expose(&self) -> &str {
        self.0.text.expose_secret()
    }

    /// `••••1234`, or `••••` alone for a short secret.
    pub fn masked(&self) -> String {
        let text = self.expose();
        let length = text.chars().count();
        if length < SHOW_TAIL_FROM {
            return "••••".to_owned();
        }
        let tail: String = text.chars().skip(length - 4).collect();
        format!("••••{tail}")
    }

    /// Tells whether a kept record is about this text, without giving any of it away: 48 bits of its digest.
    pub fn fingerprint(&self) -> String {
        let digest = ring::digest::digest(&ring::digest::SHA256, self.expose().as_bytes());
        digest.as_ref().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
    }

    /// Compares digests of equal length, so that neither content nor length shows in the time taken.
    pub fn matches(&self, offered: &str) -> bool {
        let digest = |text: &str| ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
        let own = self.0.digest.get_or_init(|| digest(self.expose()));
        let theirs = digest(offered);
        own.as_ref().ct_eq(theirs.as_ref()).into()
    }
}

impl PartialEq for Secret {
    /// Clones of one secret are equal without a look at their text: that is what settling compares, under a lock.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.matches(other.expose())
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

/// Stands for a text that opens something, where only recognising it is needed: in memory and in a store.
pub fn digest(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(ring::digest::digest(&ring::digest::SHA256, text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_only_the_tail() {
        let secret = Secret::new("test-key-alpha-0001");
        assert_eq!(format!("{secret} {secret:?}"), "••••0001 ••••0001");
        assert_eq!(Secret::new("short").to_string(), "••••");
    }

    #[test]
    fn matches_by_value() {
        assert!(Secret::new("abc").matches("abc"));
        assert!(!Secret::new("abc").matches("abcd"));
        assert!(!Secret::new("abc").matches(""));
    }
}
