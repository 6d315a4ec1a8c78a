//! The name of the tool that asked, from its User-Agent: the first product and its version, nothing else. Whatever
//! could be a secret there is left out.

use smol_str::SmolStr;

/// Characters of a name and version that are kept.
const MOST: usize = 60;

/// `google-genai-sdk/1.2.0` of `google-genai-sdk/1.2.0 gl-node/v24.1.0`.
///
/// Invariant: nothing that looks like a credential gets through: product and version are short words, and a long run of
/// letters and digits mixed is neither.
pub fn client_of(headers: &http::HeaderMap) -> Option<SmolStr> {
    let text = headers.get(http::header::USER_AGENT)?.to_str().ok()?;
    let first = text.split_ascii_whitespace().next()?;
    let first = first.get(..MOST).unwrap_or(first);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./+".contains(&byte);
    (first.bytes().all(plain) && !looks_secret(first)).then(|| SmolStr::new(first))
}

/// Keys and tokens are long runs in which letters and digits mix; names and versions are not.
fn looks_secret(text: &str) -> bool {
    let secret = |run: &str| {
        let digits = run.bytes().filter(u8::is_ascii_digit).count();
        run.len() >= 20 && digits > 0 && digits < run.len()
    };
    text.starts_with("AIza") || text.split(['/', '.', '+']).any(secret)
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use http::header::{HeaderValue, USER_AGENT};

    use super::{SmolStr, client_of};

    fn of(agent: &str) -> Option<SmolStr> {
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, HeaderValue::from_str(agent).unwrap());
        client_of(&headers)
    }

    #[test]
    fn the_first_product_names_the_tool() {
        assert_eq!(of("google-genai-sdk/1.2.0 gl-node/v24.1.0").as_deref(), Some("google-genai-sdk/1.2.0"));
        assert_eq!(of("OpenAI/JS 6.1.0").as_deref(), Some("OpenAI/JS"));
        assert_eq!(of("curl/8.14.1").as_deref(), Some("curl/8.14.1"));
        assert_eq!(of(&"x".repeat(300)).map(|text| text.len()), Some(60));
        assert_eq!(of(""), None);
        assert_eq!(of("(only a comment)"), None);
    }

    #[test]
    fn what_looks_like_a_key_is_not_kept() {
        for agent in ["AIzaSyTest", "tool/sk-abcdef0123456789abcdef01", "a1b2c3d4e5f6a7b8c9d0e1f2"] {
            assert_eq!(of(agent), None, "{agent}");
        }
    }
}
