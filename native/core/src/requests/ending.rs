//! How a request ended for its client, in one of a few words: what errors are counted by, here and in metrics. Pure; it
//! reads the finished record and nothing else.

use super::{CLIENT_CLOSED, RequestView};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Served,
    /// The answer began well and broke off.
    Broken,
    /// The caller's mistake: a wrong token, path or body.
    Caller,
    /// The client left before its answer was complete.
    Left,
    /// 429: every quota that could serve it is used up.
    Quota,
    /// The upstream refused the keys that it was tried with.
    Refused,
    /// The upstream or the way to it failed, however often it was tried.
    Failed,
    /// No key, or no way out, was there to try it with.
    Unavailable,
}

impl Ending {
    /// Each with the word it goes by in metrics, in the order of the variants.
    pub const NAMED: [(Self, &'static str); 8] = [
        (Self::Served, "served"),
        (Self::Broken, "broken"),
        (Self::Caller, "caller"),
        (Self::Left, "left"),
        (Self::Quota, "quota"),
        (Self::Refused, "refused"),
        (Self::Failed, "failed"),
        (Self::Unavailable, "unavailable"),
    ];

    pub fn of(request: &RequestView) -> Self {
        let tried = !request.attempts.is_empty();
        match request.status {
            CLIENT_CLOSED => Self::Left,
            429 => Self::Quota,
            401 | 403 if tried => Self::Refused,
            500.. if tried => Self::Failed,
            500.. => Self::Unavailable,
            400.. => Self::Caller,
            200..300 if request.error.is_some() => Self::Broken,
            _ => Self::Served,
        }
    }

    /// An error that is not the caller's.
    pub fn is_error(self) -> bool {
        !matches!(self, Self::Served | Self::Caller | Self::Left)
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::request;
    use super::*;

    #[test]
    fn every_status_has_its_word() {
        let ending = |status, tried: bool, error: Option<&str>| {
            let mut request = RequestView { status, error: error.map(str::to_owned), ..request(1) };
            if !tried {
                request.attempts.clear();
            }
            Ending::of(&request)
        };
        assert_eq!(ending(200, true, None), Ending::Served);
        assert_eq!(ending(101, true, Some("closed by the client")), Ending::Served);
        assert_eq!(ending(200, true, Some("broke off")), Ending::Broken);
        assert_eq!(ending(404, true, None), Ending::Caller);
        assert_eq!((ending(403, true, None), ending(403, false, None)), (Ending::Refused, Ending::Caller));
        assert_eq!(ending(429, false, None), Ending::Quota);
        assert_eq!(ending(499, true, None), Ending::Left);
        assert_eq!(
            (ending(503, true, None), ending(503, false, None)),
            (Ending::Failed, Ending::Unavailable)
        );
        for (place, (ending, _)) in Ending::NAMED.iter().enumerate() {
            assert_eq!(*ending as usize, place);
        }
    }
}
