//! `GET /health`: how another window recognises its peer and a person sees whether keys can serve. It needs no
//! token and therefore tells nothing but the product, its version and one word.

use http::{Response, StatusCode};

use crate::dispatch::reply::ReplyBody;
use crate::server::json;
use crate::state::State;

pub const SERVICE: &str = "gemini-aggregator";

pub fn reply(state: &State) -> Response<ReplyBody> {
    let now = state.now();
    let (total, usable) = {
        let pools = state.pools.lock();
        (pools.keys.len(), pools.keys.iter().filter(|key| pools.out(key, None, now).is_none()).count())
    };
    let status = match usable {
        0 => "unhealthy",
        _ if usable < total => "degraded",
        _ => "healthy",
    };
    let body = serde_json::json!({ "service": SERVICE, "version": crate::VERSION, "status": status });
    json(StatusCode::OK, &body)
}
