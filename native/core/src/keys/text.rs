//! What counts as the text of an API key or the name of an entry. The prefix is never looked at: Google's keys
//! have changed theirs (`AIza…`, now `AQ.`) and will again.

use std::fmt;

/// Far above any key seen; a pasted file is not a key.
const LONGEST_KEY: usize = 512;
const LONGEST_NAME: usize = 100;

/// Why a text is not a key. Never quotes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyTextError {
    Empty,
    Space,
    NotPrintable,
    TooLong,
}

impl fmt::Display for KeyTextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "The key is empty; paste the key from Google AI Studio.",
            Self::Space => {
                "The key contains a space or a line break; paste one key alone, without quotes or spaces."
            }
            Self::NotPrintable => {
                "The key contains a character no key has; paste it again from Google AI Studio."
            }
            Self::TooLong => "The key is longer than 512 characters; paste one key alone.",
        })
    }
}

/// Printable ASCII without spaces, 1 to 512 characters: what may travel in a header.
pub fn check_key_text(text: &str) -> Result<(), KeyTextError> {
    if text.is_empty() {
        return Err(KeyTextError::Empty);
    }
    if text.chars().any(char::is_whitespace) {
        return Err(KeyTextError::Space);
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(KeyTextError::NotPrintable);
    }
    if text.len() > LONGEST_KEY {
        return Err(KeyTextError::TooLong);
    }
    Ok(())
}

/// A name travels in the header `x-aggregator-key` and in log lines: visible ASCII or letters, no control characters.
pub fn check_name(text: &str) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err("The name is empty; give one or leave it out.".to_owned());
    }
    if text.chars().count() > LONGEST_NAME {
        return Err(format!("The name is longer than {LONGEST_NAME} characters; shorten it."));
    }
    if text.chars().any(char::is_control) {
        return Err("The name contains a line break or control character; remove it.".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_any_prefix_pass_and_broken_ones_do_not() {
        for good in ["AQ.abc-DEF_123", "AIzaX", "test-key-alpha-0001"] {
            assert_eq!(check_key_text(good), Ok(()));
        }
        for (bad, why) in [
            ("", KeyTextError::Empty),
            ("two words", KeyTextError::Space),
            ("line\nbreak", KeyTextError::Space),
            (" padded", KeyTextError::Space),
            ("clé", KeyTextError::NotPrintable),
            ("nul\0", KeyTextError::NotPrintable),
        ] {
            assert_eq!(check_key_text(bad), Err(why), "{bad:?}");
        }
        assert_eq!(check_key_text(&"k".repeat(513)), Err(KeyTextError::TooLong));
    }

    #[test]
    fn names_are_one_visible_line() {
        assert!(check_name("work – läuft").is_ok());
        assert!(
            check_name(" ").is_err()
                && check_name("a\r\nb").is_err()
                && check_name(&"n".repeat(101)).is_err()
        );
    }
}
