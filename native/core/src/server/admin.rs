//! The admin API as far as it is served: what may be asked under `/admin`, and its answers. Who may ask is the guard's
//! decision, made before; nothing here changes anything.

use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Method, Response, StatusCode};

use super::json;
use crate::dialect::ApiError;
use crate::dispatch::reply::ReplyBody;
use crate::health;
use crate::metrics;
use crate::state::State;

/// Whether this path is the admin API's, served or not.
pub fn owns(path: &str) -> bool {
    path == "/admin" || path.starts_with("/admin/")
}

pub fn reply(state: &State, method: &Method, path: &str) -> Result<Response<ReplyBody>, ApiError> {
    let answer: fn(&State) -> Result<Response<ReplyBody>, ApiError> = match path {
        "/admin/metrics" => scrape,
        "/admin/health" => |state| Ok(json(StatusCode::OK, &health::report(state))),
        _ => {
            let words = "The admin API of this version serves GET /admin/health and GET /admin/metrics only.";
            return Err(ApiError::new(StatusCode::NOT_FOUND, words));
        }
    };
    if *method != Method::GET {
        return Err(ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "This path is read with GET."));
    }
    answer(state)
}

fn scrape(state: &State) -> Result<Response<ReplyBody>, ApiError> {
    let text = metrics::text(state).map_err(|_| {
        ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "The metrics could not be written. Try again.")
    })?;
    let mut response = Response::new(ReplyBody::whole(text.into()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(metrics::CONTENT_TYPE));
    Ok(response)
}
