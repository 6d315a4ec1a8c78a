//! The Live API: WebSockets that pass through as they are, bytes in both directions. A session begins as a request
//! like any other, with a key, its proxy and further keys tried where it is refused; from the upstream's 101 on it is a
//! tunnel. Frames are told apart only to clean them of the key and to learn how the session ended; no message is read.

pub mod close;
pub mod downward;
pub mod frames;
pub mod opening;
pub mod tunnel;

const PATH: &str = "/ws/google.ai.generativelanguage.";
const VERSIONS: [&str; 3] = ["v1", "v1beta", "v1alpha"];

/// `/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent` and its siblings. `path` as
/// `gemini::canonical_path` gives it.
pub fn owns(path: &str) -> bool {
    let Some((version, call)) =
        path.strip_prefix(PATH).and_then(|rest| rest.split_once(".GenerativeService."))
    else {
        return false;
    };
    VERSIONS.contains(&version)
        && call.starts_with("Bidi")
        && call.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_of_every_version_are_known_by_their_path() {
        for path in [
            "/ws/google.ai.generativelanguage.v1.GenerativeService.BidiGenerateContent",
            "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent",
            "/ws/google.ai.generativelanguage.v1alpha.GenerativeService.BidiGenerateContentConstrained",
            "/ws/google.ai.generativelanguage.v1alpha.GenerativeService.BidiGenerateMusic",
        ] {
            assert!(owns(path), "{path}");
        }
        for path in [
            "/ws/",
            "/ws/google.ai.generativelanguage.v2.GenerativeService.BidiGenerateContent",
            "/ws/google.ai.generativelanguage.v1.GenerativeService.BidiGenerateContent/x",
            "/ws/google.ai.generativelanguage.v1.GenerativeService.GenerateContent",
        ] {
            assert!(!owns(path), "{path}");
        }
    }
}
