//! Encrypts a text with a passphrase and opens it again: Argon2id makes a key of the passphrase, ChaCha20-Poly1305
//! encrypts with it. It owns which costs are used and which are accepted, and knows nothing of what the text says.
//! Takes tenths of a second on purpose: not for a runtime's own thread.

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use secrecy::zeroize::Zeroizing;
use serde::{Deserialize, Serialize};

use super::error::BackupError;
use crate::secret::Secret;

/// The work of one attempt. The default is RFC 9106's second recommendation with a single lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cost {
    pub memory_kib: u32,
    pub iterations: u32,
    pub lanes: u32,
}

pub const COST: Cost = Cost { memory_kib: 64 * 1_024, iterations: 3, lanes: 1 };
/// Accepted from a file, which anybody may have written.
const HIGHEST: Cost = Cost { memory_kib: 256 * 1_024, iterations: 10, lanes: 4 };

const KEY_BYTES: usize = 32;
pub const SALT_BYTES: usize = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Kdf {
    #[serde(rename = "argon2id")]
    Argon2id,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Cipher {
    #[serde(rename = "chacha20-poly1305")]
    ChaCha20Poly1305,
}

/// The encrypted part as it stands in the file. Salt and text in Base64.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Sealed {
    kdf: Kdf,
    cost: Cost,
    salt: String,
    cipher: Cipher,
    text: String,
}

/// `bound` must be given again to open it.
/// Invariant: every salt is new, and so is the key that comes of it: it encrypts one text, with a nonce of zeros.
pub fn seal(
    text: &str,
    bound: &str,
    passphrase: &Secret,
    salt: [u8; SALT_BYTES],
    cost: Cost,
) -> Result<Sealed, BackupError> {
    let key = derive(passphrase, &salt, cost)?;
    let mut bytes = text.as_bytes().to_vec();
    key.seal_in_place_append_tag(nonce(), Aad::from(bound.as_bytes()), &mut bytes)
        .map_err(|_| BackupError::TooLarge)?;
    Ok(Sealed {
        kdf: Kdf::Argon2id,
        cost,
        salt: STANDARD.encode(salt),
        cipher: Cipher::ChaCha20Poly1305,
        text: STANDARD.encode(bytes),
    })
}

pub fn open(sealed: &Sealed, bound: &str, passphrase: &Secret) -> Result<Zeroizing<String>, BackupError> {
    let damaged = BackupError::Damaged(None);
    let salt = STANDARD.decode(&sealed.salt).map_err(|_| damaged.clone())?;
    if salt.len() != SALT_BYTES {
        return Err(damaged);
    }
    let mut bytes = Zeroizing::new(STANDARD.decode(&sealed.text).map_err(|_| damaged.clone())?);
    let key = derive(passphrase, &salt, sealed.cost)?;
    let opened = key
        .open_in_place(nonce(), Aad::from(bound.as_bytes()), &mut bytes)
        .map_err(|_| BackupError::WrongPassphrase)?;
    std::str::from_utf8(opened).map(|text| Zeroizing::new(text.to_owned())).map_err(|_| damaged)
}

fn derive(passphrase: &Secret, salt: &[u8], cost: Cost) -> Result<LessSafeKey, BackupError> {
    let fits = cost.memory_kib <= HIGHEST.memory_kib
        && cost.iterations <= HIGHEST.iterations
        && cost.lanes <= HIGHEST.lanes;
    if !fits {
        return Err(BackupError::TooCostly);
    }
    let damaged = BackupError::Damaged(None);
    let params = Params::new(cost.memory_kib, cost.iterations, cost.lanes, Some(KEY_BYTES))
        .map_err(|_| damaged.clone())?;
    let mut key = Zeroizing::new([0_u8; KEY_BYTES]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.expose().as_bytes(), salt, key.as_mut())
        .map_err(|error| match error {
            argon2::Error::OutOfMemory => BackupError::NoMemory,
            _ => damaged.clone(),
        })?;
    UnboundKey::new(&CHACHA20_POLY1305, key.as_ref()).map(LessSafeKey::new).map_err(|_| damaged)
}

fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

/// For tests that seal often.
#[cfg(test)]
pub const CHEAP: Cost = Cost { memory_kib: 8, iterations: 1, lanes: 1 };

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed() -> Sealed {
        seal("the text", "bound", &Secret::new("correct horse"), [7; SALT_BYTES], CHEAP).unwrap()
    }

    #[test]
    fn opens_with_the_same_passphrase_only() {
        let right = Secret::new("correct horse");
        assert_eq!(open(&sealed(), "bound", &right).unwrap().as_str(), "the text");
        let wrong = open(&sealed(), "bound", &Secret::new("correct horsf"));
        assert_eq!(wrong.unwrap_err(), BackupError::WrongPassphrase);
        assert_eq!(open(&sealed(), "other", &right).unwrap_err(), BackupError::WrongPassphrase);
    }

    #[test]
    fn the_text_cannot_be_found_in_what_is_written() {
        let written = serde_json::to_string(&sealed()).unwrap();
        assert!(!written.contains("the text") && !written.contains(&STANDARD.encode("the text")));
    }

    #[test]
    fn a_file_cannot_ask_for_any_amount_of_memory_or_time() {
        for cost in [
            Cost { memory_kib: u32::MAX, ..CHEAP },
            Cost { iterations: 1_000_000, ..CHEAP },
            Cost { lanes: 5, memory_kib: 64, ..CHEAP },
        ] {
            let greedy = Sealed { cost, ..sealed() };
            assert_eq!(
                open(&greedy, "bound", &Secret::new("correct horse")).unwrap_err(),
                BackupError::TooCostly
            );
        }
        let none = Sealed { cost: Cost { memory_kib: 0, iterations: 0, lanes: 0 }, ..sealed() };
        assert_eq!(
            open(&none, "bound", &Secret::new("correct horse")).unwrap_err(),
            BackupError::Damaged(None)
        );
    }
}
