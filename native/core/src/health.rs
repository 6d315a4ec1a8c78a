//! `GET /health`: how another window recognises its peer and a person sees whether keys can serve. It needs no
//! token and therefore tells nothing but the product, its version and one word.

use http::{Response, StatusCode};

use crate::dispatch::reply::ReplyBody;
use crate::server::json;
use crate::state::State;

pub const SERVICE: &str = "gemini-aggregator";

pub fn reply(state: &State) -> Response<ReplyBody> {
    let body = serde_json::json!({ "service": SERVICE, "version": crate::VERSION, "status": word(state) });
    json(StatusCode::OK, &body)
}

/// What an admin sees of it.
pub fn report(state: &State) -> serde_json::Value {
    let pools = state.pools.lock();
    let (keys, proxies) = (pools.keys.len(), pools.proxies.iter().count());
    let balance = pools.balance(state.now());
    drop(pools);
    serde_json::json!({
        "service": SERVICE,
        "version": crate::VERSION,
        "status": word(state),
        "keys": keys,
        "proxies": proxies,
        "spread_keys": balance.spread.keys,
        "moves_last_hour": balance.moves_last_hour,
    })
}

fn word(state: &State) -> &'static str {
    let now = state.now();
    let (total, usable) = {
        let pools = state.pools.lock();
        (pools.keys.len(), pools.keys.iter().filter(|key| pools.out(key, None, now).is_none()).count())
    };
    match usable {
        0 => "unhealthy",
        _ if usable < total => "degraded",
        _ => "healthy",
    }
}
