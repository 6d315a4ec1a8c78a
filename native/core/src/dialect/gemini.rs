//! The Gemini API as seen from outside its bodies: what a path asks for, and what follows for retries, limits and
//! compression, and how its many spellings meet. Bodies it does not see. Paths and calls are those of
//! docs/gemini-errors.md's sources.

use http::Method;
use smol_str::SmolStr;

use crate::affinity::names::is_id;
use crate::live;

pub const VERSIONS: [&str; 3] = ["v1", "v1beta", "v1alpha"];

/// Calls that may be repeated freely: they answer and leave nothing behind.
const REPEATABLE: [&str; 5] =
    [":generateContent", ":streamGenerateContent", ":countTokens", ":embedContent", ":batchEmbedContents"];

/// Calls whose answers say how many tokens they cost.
const COUNTED: [&str; 4] =
    [":generateContent", ":streamGenerateContent", ":embedContent", ":batchEmbedContents"];

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
    /// The collection whose members these answers give by a bare `id`, without a name.
    pub bare_ids: Option<&'static str>,
    /// The answer says how many tokens it cost.
    pub counted: bool,
}

impl Traits {
    /// Something here reads the answer, so it must come uncompressed.
    pub fn read_here(&self) -> bool {
        self.streams || self.upload || self.resources
    }
}

/// Calls on a model whose answers name resources.
const RESOURCE_CALLS: [&str; 3] = [":batchGenerateContent", ":asyncBatchEmbedContent", ":predictLongRunning"];
/// Collections whose members have a bare `id`, after the types of Google's SDK 3.1.
const BARE_IDS: [&str; 7] =
    ["interactions", "agents", "credentials", "environments", "triggers", "voices", "webhooks"];
/// Lists that differ from project to project and so are asked of every key. Each has a `name` in its members.
const LISTS: [&str; 5] = ["files", "cachedContents", "batches", "fileSearchStores", "tunedModels"];
const DOWNLOAD: &str = ":download";

/// `path` as [`canonical_path`] gives it.
pub fn traits(method: &Method, path: &str) -> Traits {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    Traits {
        creates: !reads && *method != Method::DELETE && !REPEATABLE.iter().any(|call| path.ends_with(call)),
        streams: path.ends_with(":streamGenerateContent") || live::owns(path),
        upload: is_upload(path),
        resources: is_upload(path) || is_resource(path),
        bare_ids: bare_ids(path),
        counted: COUNTED.iter().any(|call| path.ends_with(call)),
    }
}

fn bare_ids(path: &str) -> Option<&'static str> {
    let (_, tail) = version_of(path)?;
    let collection = tail.trim_start_matches('/').split(['/', ':']).next()?;
    BARE_IDS.into_iter().find(|known| *known == collection)
}

/// Whether this asks for the members of a collection that each project has its own of.
pub fn is_list(method: &Method, path: &str) -> bool {
    let tail = version_of(path).and_then(|(_, tail)| tail.strip_prefix('/'));
    *method == Method::GET && tail.is_some_and(|tail| LISTS.contains(&tail))
}

/// Everything under a version but models, save their operations and the calls that make some. Downloads are the
/// resource itself and name none; what a tuned model says is no name either.
fn is_resource(path: &str) -> bool {
    let Some((_, tail)) = version_of(path) else { return false };
    let of_an_environment = tail.starts_with("/environments/") && tail.contains("/files/");
    let is_content =
        tail.ends_with(DOWNLOAD) || of_an_environment || REPEATABLE.iter().any(|call| tail.ends_with(call));
    if is_content || tail.starts_with("/openai/") {
        return false;
    }
    !tail.starts_with("/models")
        || tail.contains("/operations/")
        || RESOURCE_CALLS.iter().any(|call| tail.ends_with(call))
}

/// What a request uses the quota of: the model its path names, else the collection (`files`, `interactions`), else the
/// Live API as a whole. Google counts by model; for calls that name theirs in the body this is the nearest guess.
pub fn quota_subject(path: &str) -> Option<SmolStr> {
    if live::owns(path) {
        return Some(SmolStr::new_static("live"));
    }
    let path = path.strip_prefix("/upload").or_else(|| path.strip_prefix("/download")).unwrap_or(path);
    let (_, tail) = version_of(path)?;
    let tail = tail.strip_prefix("/models/").or_else(|| tail.strip_prefix('/'))?;
    tail.split(['/', ':']).next().filter(|subject| !subject.is_empty()).map(SmolStr::new)
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
    let path = match path.as_bytes() {
        [b'/', b'/', ..] | [] => ["/", path.trim_start_matches('/')].concat(),
        [b'/', ..] => path.to_owned(),
        _ => ["/", path].concat(),
    };
    if let Some((_, rest)) = version_of(&path)
        && version_of(rest).is_some_and(|(_, tail)| !tail.is_empty())
    {
        return canonical_path(rest);
    }
    if path == "/models" || path.starts_with("/models/") {
        return ["/v1beta", &path].concat();
    }
    path
}

/// Path and query of a request in the form that everything here goes by.
pub fn canonical_target(path: &str, query: Option<&str>) -> (String, Option<String>) {
    let path = canonical_path(path);
    match named_by_address(&path, query) {
        Some((path, query)) => (path, query),
        None => (path, query.map(str::to_owned)),
    }
}

/// Clients that know Google's addresses as https only take an `http://` one of this endpoint for a file's name and put
/// it into the path whole, its query included: `/v1/files/http://127.0.0.1:3146/v1/files/ID:download?alt=media:download?alt=media`,
/// perhaps escaped. The file that it names is meant: `/v1/files/ID:download?alt=media`.
fn named_by_address(path: &str, query: Option<&str>) -> Option<(String, Option<String>)> {
    let (version, tail) = version_of(path)?;
    let name = percent_encoding::percent_decode_str(tail.strip_prefix("/files/")?).decode_utf8_lossy();
    if !name.starts_with("http:/") && !name.starts_with("https:/") {
        return None;
    }
    let address = match query {
        Some(query) => format!("{name}?{query}"),
        None => name.into_owned(),
    };
    let (_, file) = address.rsplit_once("/files/")?;
    let length = file.bytes().take_while(|byte| is_id(*byte)).count();
    let (id, rest) = file.split_at(length);
    if id.is_empty() {
        return None;
    }
    let call = if rest.contains(DOWNLOAD) { DOWNLOAD } else { "" };
    let query = rest.rsplit_once('?').map(|(_, query)| query.to_owned());
    Some((format!("/{version}/files/{id}{call}"), query))
}

/// `/v1beta/models` → (`v1beta`, `/models`).
fn version_of(path: &str) -> Option<(&str, &str)> {
    let rest = path.strip_prefix('/')?;
    VERSIONS.into_iter().find_map(|version| {
        let tail = rest.strip_prefix(version)?;
        (tail.is_empty() || tail.starts_with('/')).then_some((version, tail))
    })
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
    fn a_file_named_by_its_address_here_is_the_file() {
        let of = |path: &str, query| {
            let (path, query) = canonical_target(path, query);
            query.map_or(path.clone(), |query| format!("{path}?{query}"))
        };
        let address = "/v1/files/http://127.0.0.1:3146/v1beta/files/abc";
        for (path, query, meant) in [
            (
                format!("{address}:download"),
                Some("alt=media:download?alt=media"),
                "/v1/files/abc:download?alt=media",
            ),
            (address.to_owned(), Some("alt=media:download?alt=media"), "/v1/files/abc:download?alt=media"),
            (format!("{address}:download"), Some("alt=media"), "/v1/files/abc:download?alt=media"),
            (address.to_owned(), None, "/v1/files/abc"),
            ("/v1/files/http:/localhost:1/v1/files/abc".to_owned(), None, "/v1/files/abc"),
            (
                "/v1/files/http%3A%2F%2Flocalhost%3A1%2Fv1%2Ffiles%2Fabc%3Adownload%3Falt%3Dmedia:download"
                    .to_owned(),
                Some("alt=media"),
                "/v1/files/abc:download?alt=media",
            ),
            ("/v1/files/abc:download".to_owned(), Some("alt=media"), "/v1/files/abc:download?alt=media"),
            (
                "/v1/files/http://127.0.0.1:3146/nothing".to_owned(),
                None,
                "/v1/files/http://127.0.0.1:3146/nothing",
            ),
        ] {
            assert_eq!(of(&path, query), meant, "{path}");
        }
    }

    #[test]
    fn lists_are_whole_collections_of_a_project() {
        for path in [
            "/v1/files",
            "/v1beta/cachedContents",
            "/v1/batches",
            "/v1beta/fileSearchStores",
            "/v1/tunedModels",
        ] {
            assert!(is_list(&Method::GET, path), "{path}");
            assert!(!is_list(&Method::POST, path), "{path}");
        }
        for path in [
            "/v1/models",
            "/v1/files/a",
            "/v1/fileSearchStores/s/documents",
            "/upload/v1/files",
            "/v1/interactions",
        ] {
            assert!(!is_list(&Method::GET, path), "{path}");
        }
    }

    #[test]
    fn a_quota_is_the_models_or_else_the_collections() {
        for (path, subject) in [
            ("/v1/models/gemini-3.8-flash:generateContent", Some("gemini-3.8-flash")),
            ("/v1beta/models/m/operations/7", Some("m")),
            ("/v1beta/models", Some("models")),
            ("/v1beta/interactions", Some("interactions")),
            ("/v1beta/cachedContents/x", Some("cachedContents")),
            ("/upload/v1beta/files", Some("files")),
            ("/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent", Some("live")),
            ("/v1beta", None),
        ] {
            assert_eq!(quota_subject(path).as_deref(), subject, "{path}");
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
        for path in [
            "/v1/models",
            "/v1/models/m:generateContent",
            "/v1beta/tunedModels/m:generateContent",
            "/v1beta/files/x:download",
            "/download/v1beta/files/x:download",
            "/v1/environments/e/files/notes.txt",
        ] {
            assert!(!resources(path), "{path}");
        }
        let bare_ids = |path: &str| traits(&Method::GET, path).bare_ids;
        assert_eq!(bare_ids("/v1/interactions/v1_x"), Some("interactions"));
        assert_eq!(bare_ids("/v1/agents"), Some("agents"));
        assert_eq!(bare_ids("/v1/files/x"), None);
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
