//! An answer read whole before anything goes to the client: what is merged or translated here. Nothing has been sent to
//! the client yet, so one that breaks off may be asked for again. Bounded; what the bytes mean is not known here.

use http::Response;
use http_body_util::BodyExt;

use super::judge::Outcome;
use super::reply::Filters;
use crate::dialect::gemini::Traits;
use crate::forward::GoogleApiForwarder;
use crate::forward::answer_body::AnswerBody;
use crate::forward::rewrite::Rewriter;
use crate::pools::Pick;

/// The whole body, unpacked, clean of the key, its addresses local; `None` when it is longer than `most` bytes.
pub(super) async fn gather(
    forwarder: &GoogleApiForwarder,
    traits: &Traits,
    pick: &Pick,
    response: Response<AnswerBody>,
    to_local: Rewriter,
    most: usize,
) -> Result<Option<Vec<u8>>, Outcome> {
    let (mut parts, mut body) = response.into_parts();
    let mut filters = Filters::for_answer(traits, pick, &mut parts.headers, || to_local);
    let broken = || Outcome::Interrupted("the upstream broke its answer off".to_owned());
    let mut read = Vec::new();
    while let Some(frame) =
        tokio::time::timeout(forwarder.silence(), body.frame()).await.map_err(|_| Outcome::TimedOut)?
    {
        if let Ok(data) = frame.map_err(|_| broken())?.into_data() {
            read.extend_from_slice(&filters.push(data).map_err(|_| broken())?);
        }
        if read.len() > most {
            return Ok(None);
        }
    }
    read.extend_from_slice(&filters.finish().map_err(|_| broken())?);
    Ok(Some(read))
}
