//! Which of OpenAI's endpoints a path is, whatever base URL the client was given: `/v1`, `/v1beta/openai`, another version
//! or none. Pure; what the endpoint does stands elsewhere.

use http::Method;

use crate::dialect::gemini::VERSIONS;

/// Parts of OpenAI's API that are not translated. Google's own layer has none of them either, as far as its
/// documentation tells.
const UNTRANSLATED: [&str; 4] = ["/images/", "/audio/", "/responses", "/moderations"];

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    Chat,
    Completions,
    Embeddings,
    Images,
    Models,
    Model(String),
}

impl Endpoint {
    /// `bearer`: whether the client's credential is of OpenAI's style, which tells its `/v1/models` from Gemini's; asked for
    /// such paths only.
    pub fn of(path: &str, bearer: impl Fn() -> bool) -> Option<Self> {
        let (tail, gemini_too) = tail_of(path);
        let tail = tail.trim_end_matches('/');
        let is_ours = || !gemini_too || bearer();
        match tail {
            "/chat/completions" => Some(Self::Chat),
            "/completions" => Some(Self::Completions),
            "/embeddings" => Some(Self::Embeddings),
            "/images/generations" => Some(Self::Images),
            "/models" if is_ours() => Some(Self::Models),
            _ => tail.strip_prefix("/models/").filter(|_| is_ours()).and_then(model),
        }
    }

    /// For a path that is no endpoint: whether it is OpenAI's all the same.
    pub fn has_no_translation(path: &str) -> bool {
        let (tail, _) = tail_of(path);
        UNTRANSLATED.iter().any(|known| tail.starts_with(known))
    }

    pub fn method(&self) -> Method {
        match self {
            Self::Models | Self::Model(_) => Method::GET,
            Self::Chat | Self::Completions | Self::Embeddings | Self::Images => Method::POST,
        }
    }
}

/// What follows the base URL, and whether Gemini's API has the same base: `/v1` alone is both.
fn tail_of(path: &str) -> (&str, bool) {
    let version = VERSIONS.iter().find_map(|version| {
        let rest = path.strip_prefix('/')?.strip_prefix(version)?;
        rest.starts_with('/').then_some((rest, *version))
    });
    let Some((rest, version)) = version else { return (path, true) };
    match rest.strip_prefix("/openai").filter(|rest| rest.starts_with('/')) {
        Some(rest) => (rest, false),
        // OpenAI's own version; models of the others are Gemini's alone.
        None if rest.starts_with("/models") && version != "v1" => ("", true),
        None => (rest, true),
    }
}

/// A model's id; calls on models (`m:generateContent`) and their operations are Gemini's.
fn model(id: &str) -> Option<Endpoint> {
    let id = percent_encoding::percent_decode_str(id).decode_utf8().ok()?;
    let id = id.strip_prefix("models/").unwrap_or(&id);
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (!id.is_empty() && id.bytes().all(fits)).then(|| Endpoint::Model(id.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_base_leads_to_the_same_endpoint() {
        for path in [
            "/v1/chat/completions",
            "/v1beta/openai/chat/completions",
            "/chat/completions",
            "/v1beta/chat/completions",
            "/v1/chat/completions/",
        ] {
            assert_eq!(Endpoint::of(path, || false), Some(Endpoint::Chat), "{path}");
        }
        assert_eq!(Endpoint::of("/v1/chat/completions/x", || true), None);
        assert_eq!(Endpoint::of("/v1beta/openai/videos", || true), None, "Google's own layer answers");
    }

    #[test]
    fn what_is_not_translated_is_known_under_any_base() {
        for path in ["/v1/responses", "/v1beta/openai/audio/speech", "/moderations", "/v1/images/edits"] {
            assert!(Endpoint::of(path, || true).is_none() && Endpoint::has_no_translation(path), "{path}");
        }
        assert!(!Endpoint::has_no_translation("/v1beta/openai/videos"));
        assert!(!Endpoint::has_no_translation("/v1beta/files"));
    }

    #[test]
    fn models_are_openais_by_the_credential_or_by_the_path() {
        assert_eq!(Endpoint::of("/v1/models", || true), Some(Endpoint::Models));
        assert_eq!(Endpoint::of("/v1/models", || false), None);
        assert_eq!(Endpoint::of("/v1beta/openai/models", || false), Some(Endpoint::Models));
        assert_eq!(Endpoint::of("/v1beta/models", || true), None);
        let flash = Some(Endpoint::Model("gemini-3.8-flash".to_owned()));
        assert_eq!(Endpoint::of("/v1/models/gemini-3.8-flash", || true), flash);
        assert_eq!(Endpoint::of("/v1/models/models%2Fgemini-3.8-flash", || true), flash);
        assert_eq!(Endpoint::of("/v1/models/m:generateContent", || true), None);
        assert_eq!(Endpoint::of("/v1/models/m/operations/7", || true), None);
    }
}
