//! The Gemini API as seen from outside its bodies: what a path asks for, and what follows for retries, limits and
//! compression. Bodies pass through untouched. Paths and calls are those of docs/gemini-errors.md's sources.

use http::Method;

const VERSIONS: [&str; 3] = ["v1", "v1beta", "v1alpha"];

/// Calls that may be repeated freely: they answer and leave nothing behind.
const REPEATABLE: [&str; 5] =
    [":generateContent", ":streamGenerateContent", ":countTokens", ":embedContent", ":batchEmbedContents"];

/// What a Gemini path means for its handling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traits {
    /// Leaves something behind (a file, a cache, a batch): repeated only when provably unprocessed.
    pub creates: bool,
    /// The answer is watched for an error and cleaned of the key as it streams by.
    pub streams: bool,
    /// Under `/upload`: the larger body limit, and upload addresses are rewritten.
    pub upload: bool,
    /// The answer names resources of the key's project (a file made, a batch listed): they are learned from it.
    pub resources: bool,
}

impl Traits {
    /// Something here reads the answer, so it must come uncompressed.
    pub fn read_here(&self) -> bool {
        self.streams || self.upload || self.resources
    }
}

/// Calls on a model whose answers name resources.
const RESOURCE_CALLS: [&str; 3] = [":batchGenerateContent", ":asyncBatchEmbedContent", ":predictLongRunning"];

/// `path` as [`canonical_path`] gives it.
pub fn traits(method: &Method, path: &str) -> Traits {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    Traits {
        creates: !reads && *method != Method::DELETE && !REPEATABLE.iter().any(|call| path.ends_with(call)),
        streams: path.ends_with(":streamGenerateContent"),
        upload: is_upload(path),
        resources: is_upload(path) || is_resource(path),
    }
}

/// Everything under a version but models, save their operations and the calls that make some. Downloads are the
/// resource itself and name none.
fn is_resource(path: &str) -> bool {
    let Some((_, tail)) = version_of(path) else { return false };
    if tail.ends_with(":download") || tail.starts_with("/openai/") {
        return false;
    }
    !tail.starts_with("/models")
        || tail.contains("/operations/")
        || RESOURCE_CALLS.iter().any(|call| tail.ends_with(call))
}

pub fn is_upload(path: &str) -> bool {
    path.starts_with("/upload/")
}

/// Whether the Gemini dialect answers for this path.
pub fn owns(path: &str) -> bool {
    let path = path.strip_prefix("/upload").or_else(|| path.strip_prefix("/download")).unwrap_or(path);
    version_of(path).is_some()
}

/// Clients join base and path in many ways: collapses leading slashes, drops a version written twice
/// (`/v1beta/v1beta/models`) and supplies a missing one (`/models/…` → `/v1beta/models/…`).
pub fn canonical_path(path: &str) -> String {
    let path = format!("/{}", path.trim_start_matches('/'));
    if let Some((_, rest)) = version_of(&path)
        && version_of(rest).is_some_and(|(_, tail)| !tail.is_empty())
    {
        return canonical_path(rest);
    }
    if path == "/models" || path.starts_with("/models/") {
        return format!("/v1beta{path}");
    }
    path
}

/// `/v1beta/models` → (`v1beta`, `/models`).
fn version_of(path: &str) -> Option<(&str, &str)> {
    let rest = path.strip_prefix('/')?;
    let (version, tail) = match rest.find('/') {
        Some(at) => (&rest[..at], &rest[at..]),
        None => (rest, ""),
    };
    VERSIONS.contains(&version).then_some((version, tail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bases_with_and_without_a_version_meet() {
        for (written, canonical) in [
            ("/v1/models/m:generateContent", "/v1/models/m:generateContent"),
            ("//v1beta/models", "/v1beta/models"),
            ("/v1beta/v1beta/models", "/v1beta/models"),
            ("/v1/v1beta/models", "/v1beta/models"),
            ("/models/m:countTokens", "/v1beta/models/m:countTokens"),
            ("/v1/v1", "/v1/v1"),
            ("/other", "/other"),
        ] {
            assert_eq!(canonical_path(written), canonical);
        }
    }

    #[test]
    fn every_version_and_the_upload_paths_are_gemini() {
        for path in [
            "/v1/models",
            "/v1beta/files/x",
            "/v1alpha/auth_tokens",
            "/upload/v1beta/files",
            "/download/v1/x",
        ] {
            assert!(owns(path), "{path}");
        }
        for path in ["/", "/v2/models", "/health", "/v1models", "/upload/x"] {
            assert!(!owns(path), "{path}");
        }
    }

    #[test]
    fn answers_are_read_for_names_only_where_there_are_any() {
        let resources = |path: &str| traits(&Method::GET, path).resources;
        for path in ["/v1/files", "/v1beta/files/x", "/upload/v1/files", "/v1beta/models/m/operations/o"] {
            assert!(resources(path), "{path}");
        }
        assert!(resources("/v1/models/m:batchGenerateContent"));
        for path in ["/v1/models", "/v1/models/m:generateContent", "/v1beta/files/x:download"] {
            assert!(!resources(path), "{path}");
        }
    }

    #[test]
    fn only_calls_that_leave_nothing_behind_are_repeatable() {
        let creates = |method: Method, path: &str| traits(&method, path).creates;
        assert!(!creates(Method::POST, "/v1/models/m:generateContent"));
        assert!(!creates(Method::GET, "/v1/files"));
        assert!(!creates(Method::DELETE, "/v1/files/x"));
        assert!(creates(Method::POST, "/v1beta/cachedContents"));
        assert!(creates(Method::POST, "/v1/models/m:batchGenerateContent"));
        assert!(creates(Method::POST, "/upload/v1/files"));
    }
}
