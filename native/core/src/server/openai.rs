//! Requests in the OpenAI dialect on their way to the dispatcher: the body read whole, decoded into one Gemini call, and
//! sent like any other, with the translation its answer needs. What a field means is the dialect's business; which key
//! serves, the dispatcher's.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use http_body_util::BodyExt;
use smol_str::SmolStr;

use super::Service;
use super::client_body::ClientBody;
use crate::dialect::gemini::Traits;
use crate::dialect::openai::Endpoint;
use crate::dialect::openai::error::request_error;
use crate::dialect::openai::request::{Context, RequestError, Translatable, decode};
use crate::dialect::{ApiError, Dialect};
use crate::dispatch::replay::Replay;
use crate::dispatch::reply::ReplyBody;
use crate::dispatch::{Call, encode, refuse};
use crate::forward::Outbound;
use crate::forward::headers::Encoding;
use crate::refusal;
use crate::requests::{CLIENT_CLOSED, OpenRequest};

/// OpenAI's clients show this id with an error.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What the client sent, as far as routing needs it.
pub(super) struct Incoming {
    pub parts: Parts,
    pub body: ClientBody,
    pub host: String,
    pub origin: String,
    pub pinned: Option<String>,
}

impl Service {
    pub(super) async fn answer_openai(
        &self,
        endpoint: Endpoint,
        incoming: Incoming,
        open: OpenRequest,
    ) -> Response<ReplyBody> {
        let id = HeaderValue::from_str(open.id());
        let mut reply = self.translate(endpoint, incoming, open).await;
        if let Ok(id) = id {
            reply.headers_mut().insert(REQUEST_ID, id);
        }
        reply
    }

    async fn translate(
        &self,
        endpoint: Endpoint,
        incoming: Incoming,
        mut open: OpenRequest,
    ) -> Response<ReplyBody> {
        if incoming.parts.method != endpoint.method() {
            let words = format!("This path is asked with {}.", endpoint.method());
            return refuse(Dialect::OpenAi, &ApiError::new(StatusCode::METHOD_NOT_ALLOWED, words), open);
        }
        let limit = self.body_limit(incoming.parts.uri.path());
        let body = match gather(incoming.body, limit).await {
            Ok(body) => body,
            Err(error) => return refuse(Dialect::OpenAi, &error, open),
        };
        let translatable = match self.decode(&endpoint, &body, open.id()) {
            Ok(translatable) => translatable,
            Err(error) => return refuse_request(&error, open),
        };
        open.asks_for(translatable.model.as_deref());
        let from = (incoming.host, incoming.origin, incoming.pinned);
        self.dispatch_translated(translatable, from, open).await
    }

    fn decode(&self, endpoint: &Endpoint, body: &Bytes, id: &str) -> Result<Translatable, RequestError> {
        let (settings, now) = (self.state.settings(), self.state.now());
        let context = Context {
            alias: &|name: &str| settings.model_aliases.get(name).cloned(),
            signature: &|call: &str| self.state.signatures.find(call, now),
            id: id.to_owned(),
            created: now / 1_000,
        };
        decode(endpoint, body, &context, settings.model_aliases.keys())
    }

    async fn dispatch_translated(
        &self,
        translatable: Translatable,
        (host, origin, pinned): (String, String, Option<String>),
        open: OpenRequest,
    ) -> Response<ReplyBody> {
        let Translatable { method, target, model, body, calls, conversation, operation, creates } =
            translatable;
        let (signatures, now) = (&self.state.signatures, self.state.now());
        let going_on = conversation.filter(|one| one.goes_on).map(|one| one.hash);
        let preferred = signatures
            .owner(calls.iter(), now)
            .or_else(|| going_on.and_then(|opening| signatures.held_with(opening, now)));
        let body = Replay::new(ClientBody::made(body), u64::MAX, usize::MAX);
        let path = target.split_once('?').map_or(target.as_str(), |(path, _)| path);
        let owner = match self.look_ahead(path, &host, &body, pinned.is_some()).await {
            Ok(owner) => owner,
            Err(error) => return refuse(Dialect::OpenAi, &error, open),
        };
        let mut headers = HeaderMap::new();
        if method == Method::POST {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let call = Call {
            dialect: Dialect::OpenAi,
            traits: Traits {
                creates,
                streams: true,
                upload: false,
                resources: false,
                bare_ids: None,
                counted: true,
            },
            outbound: Outbound {
                method,
                target,
                parsed: None,
                headers,
                encoding: Encoding::Identity,
                opening: None,
            },
            subject: Some(model.map_or(SmolStr::new_static("models"), SmolStr::from)),
            pinned: pinned.or(owner),
            preferred,
            conversation: conversation.map(|one| one.hash),
            translation: Some(Arc::new(operation)),
            origin,
        };
        self.dispatcher.dispatch(&call, body, open).await
    }
}

/// The whole body in one piece: the one copy that is made of it.
async fn gather(mut body: ClientBody, limit: u64) -> Result<Bytes, ApiError> {
    let announced = http_body::Body::size_hint(&body).lower().min(limit);
    let mut first: Option<Bytes> = None;
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| {
            let closed = StatusCode::from_u16(CLIENT_CLOSED).unwrap_or(StatusCode::BAD_REQUEST);
            ApiError::new(closed, "The client closed the request before all of it had come.")
        })?;
        let Ok(data) = frame.into_data() else { continue };
        let length = first.as_ref().map_or(all.len(), Bytes::len) as u64 + data.len() as u64;
        if length > limit {
            return Err(refusal::body_too_large());
        }
        match first.take() {
            None if all.is_empty() => first = Some(data),
            None => all.extend_from_slice(&data),
            Some(begun) => {
                all.reserve(usize::try_from(announced).unwrap_or(0).max(begun.len() + data.len()));
                all.extend_from_slice(&begun);
                all.extend_from_slice(&data);
            }
        }
    }
    Ok(first.unwrap_or_else(|| all.freeze()))
}

fn refuse_request(error: &RequestError, open: OpenRequest) -> Response<ReplyBody> {
    let mut reply = encode(Dialect::OpenAi, &ApiError::new(StatusCode::BAD_REQUEST, error.message.as_str()));
    *reply.body_mut() = ReplyBody::whole(request_error(error.param.as_deref(), &error.message).into());
    crate::dispatch::finish_refused(reply, StatusCode::BAD_REQUEST, &error.message, open)
}
