//! Lists of what lives in one project each (files, caches, batches, stores, tuned models), answered for all keys
//! together: each project is asked with one of its keys, in the order of the keys, and the pages are merged. A key
//! that cannot answer is named in a header and does not break the list. Each attempt is leased and settled like any
//! other; what a page and its token look like is `pages`' business.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::{Either, Empty};

use super::gather::gather;
use super::judge::Outcome;
use super::pages::{Page, PageToken, Question};
use super::reply::ReplyBody;
use super::{Call, Failure, RequestDispatcher, attempt_view, give_up, header_name_of, mark, refuse};
use crate::affinity::names::names_in;
use crate::dialect::{ApiError, gemini};
use crate::forward::answer_body::AnswerBody;
use crate::forward::{Answer, GoogleApiForwarder, Outbound};
use crate::ids::KeyId;
use crate::pools::{Pick, Wish};
use crate::refusal;
use crate::requests::{AttemptView, OpenRequest};
use crate::state::Lease;

const SKIPPED: HeaderName = HeaderName::from_static("x-aggregator-skipped");
/// One project's page, unpacked; Google's are a few hundred kilobytes at most.
const MOST_PAGE_BYTES: usize = 8 * 1024 * 1024;
/// Projects asked at once.
const AT_ONCE: usize = 4;
/// Rounds of asking for one page of the client's; the next goes on from there.
const MOST_ROUNDS: usize = 64;

const TOO_LARGE: &str = "its list is larger than 8 MiB; ask with a smaller pageSize.";
const NO_LIST: &str = "what came is no list.";

/// One project as far as is known: the keys that see the same things, first the one to ask.
type Project = Vec<KeyId>;

/// What asking one project came to.
#[derive(Default)]
struct Told {
    page: Option<(Page, Arc<Pick>)>,
    attempts: Vec<AttemptView>,
    failure: Option<Failed>,
}

struct Failed {
    failure: Failure,
    pick: Arc<Pick>,
    /// The request itself is wrong: every other key would say the same.
    for_all: bool,
    /// The way to the upstream failed as one does in passing: the key may ask once more.
    once_more: bool,
}

/// A list on its way to the client.
struct Listing {
    question: Question,
    projects: Vec<Project>,
    /// The project to ask next, and where in its list.
    at: usize,
    google: Option<String>,
    stopped: bool,
    merged: Page,
    served_by: Option<Arc<Pick>>,
    skipped: Vec<KeyId>,
    failure: Option<Failed>,
}

impl RequestDispatcher {
    /// Whether this call is a list that more than one key has to answer.
    pub fn is_shared_list(&self, call: &Call) -> bool {
        let target = call.outbound.target.as_str();
        let path = target.split_once('?').map_or(target, |(path, _)| path);
        if call.pinned.is_some() || !gemini::is_list(&call.outbound.method, path) {
            return false;
        }
        // A list that was begun with several keys is ended with the last of them.
        let begun_here = || PageToken::decode(&Question::of(target).page_token?);
        let keys = self.state.pools.lock().keys.len();
        keys > 1 || (keys == 1 && begun_here().is_some())
    }

    pub async fn list(&self, call: &Call, mut open: OpenRequest) -> Response<ReplyBody> {
        let mut listing = match Listing::begin(Question::of(&call.outbound.target), self.projects()) {
            Ok(listing) => listing,
            Err(error) => return refuse(call.dialect, &error, open),
        };
        let forwarder = self.forwarder.read().clone();
        for round in 0..MOST_ROUNDS {
            // The first alone: most often it has more than fits into the page.
            let asked = listing.projects_to_ask(if round == 0 { 1 } else { AT_ONCE });
            if asked.is_empty() {
                break;
            }
            let outbound = listing.outbound(&call.outbound);
            let asking = asked.iter().map(|project| {
                let wish = Wish { request: Some(open.id().clone()), ..Wish::default() };
                self.ask_project(&forwarder, call, &outbound, project, wish)
            });
            let mut follows = true;
            for (project, mut told) in asked.iter().zip(all_of(asking.collect()).await) {
                told.attempts.drain(..).for_each(|attempt| open.add_attempt(attempt));
                if follows {
                    self.take(&mut listing, project, told);
                    // A page that is not a project's last ends the order in which the others were asked.
                    follows = !listing.stopped && listing.google.is_none();
                }
            }
        }
        self.answer_list(call, listing, open)
    }

    /// Keys with a project in common are one; a key with none known stands alone.
    fn projects(&self) -> Vec<Project> {
        let pools = self.state.pools.lock();
        let mut projects: Vec<(String, Project)> = Vec::new();
        for key in pools.keys.iter() {
            let name = key.quota_project().into_owned();
            let id = key.entered.id.clone();
            match projects.iter_mut().find(|(known, _)| *known == name) {
                Some((_, keys)) => keys.push(id),
                None => projects.push((name, vec![id])),
            }
        }
        projects.into_iter().map(|(_, keys)| keys).collect()
    }

    /// One project's page, from the first of its keys that answers.
    async fn ask_project(
        &self,
        forwarder: &GoogleApiForwarder,
        call: &Call,
        outbound: &Outbound,
        keys: &[KeyId],
        of_request: Wish,
    ) -> Told {
        let mut told = Told::default();
        for key in keys {
            let mut wish = Wish { pinned: Some(key.to_string()), ..of_request.clone() };
            // A connection that was just closing and the rotating proxy say nothing about the key: once more.
            for last in [false, true] {
                let Ok(lease) = self.state.lease(&wish, self.state.now()) else { break };
                let pick = lease.pick.clone();
                let (page, attempt) = ask(forwarder, call, outbound, lease).await;
                told.attempts.push(attempt);
                match page {
                    Ok(page) => {
                        told.page = Some((page, pick));
                        return told;
                    }
                    Err(failed) => {
                        let again = failed.once_more && !last;
                        wish.without_rotating = failed.pick.failed_by_rotating(&failed.failure.outcome());
                        told.failure = Some(failed);
                        if !again {
                            break;
                        }
                    }
                }
            }
        }
        told
    }

    /// Adds what a project told, as far as there is room, and goes on behind it.
    fn take(&self, listing: &mut Listing, project: &[KeyId], told: Told) {
        let Some((mut page, pick)) = told.page else { return listing.skip(project, told.failure) };
        let now = self.state.now();
        // Two keys of one project that nobody knew to be one: each member is its learned owner's.
        page.retain(|name| {
            self.state.affinity.owner_of(name, now).is_none_or(|owner| {
                project.contains(&owner) || listing.skipped.contains(&owner) || !self.can_serve(&owner)
            })
        });
        if listing.merged.len() > 0 && listing.room().is_some_and(|room| page.len() > room) {
            // Asked beforehand, and more than there is room for: the next page begins with it.
            listing.stopped = true;
            return;
        }
        self.state.affinity.learn(page.members().flat_map(names_in).collect(), &pick.key, now);
        listing.add(page, pick);
    }

    fn can_serve(&self, key: &KeyId) -> bool {
        let pools = self.state.pools.lock();
        pools.keys.get(key).is_some_and(|key| pools.out(key, None, self.state.now()).is_none())
    }

    fn answer_list(&self, call: &Call, listing: Listing, open: OpenRequest) -> Response<ReplyBody> {
        let skipped = self.names_of(&listing.skipped);
        let mut reply = match (&listing.served_by, listing.failure) {
            (Some(pick), _) => {
                let token = listing.projects.get(listing.at).and_then(|project| {
                    let key = project.first()?.clone();
                    Some(PageToken::new(key, listing.google, listing.skipped))
                });
                let mut reply =
                    Response::new(ReplyBody::whole(Bytes::from(listing.merged.to_json(token.as_ref()))));
                let json = HeaderValue::from_static("application/json; charset=UTF-8");
                reply.headers_mut().insert(CONTENT_TYPE, json);
                mark(reply.headers_mut(), open.id(), Some(pick), open.attempts());
                open.finish(StatusCode::OK.as_u16(), None);
                reply
            }
            (None, Some(failed)) => give_up(call, failed.failure, &failed.pick, open),
            (None, None) => {
                let error = match self.state.lease(&Wish::default(), self.state.now()) {
                    Err(no_key) => refusal::no_key(&no_key, self.state.now()),
                    Ok(_) => ApiError::new(
                        StatusCode::SERVICE_UNAVAILABLE,
                        "No key could be asked for this list. Try again.",
                    ),
                };
                refuse(call.dialect, &error, open)
            }
        };
        if let Some(names) = Some(skipped).filter(|names| !names.is_empty())
            && let Ok(value) = HeaderValue::from_str(&names)
        {
            reply.headers_mut().insert(SKIPPED, value);
        }
        reply
    }

    fn names_of(&self, keys: &[KeyId]) -> String {
        let pools = self.state.pools.lock();
        let named = keys.iter().map(|key| header_name_of(&pools.keys.name(key), key.as_str()).to_owned());
        named.collect::<Vec<_>>().join(", ")
    }
}

impl Listing {
    fn begin(question: Question, mut projects: Vec<Project>) -> Result<Self, ApiError> {
        let (mut at, mut google, mut skipped) = (0, None, Vec::new());
        if let Some(text) = &question.page_token {
            let token = PageToken::decode(text).ok_or_else(|| {
                bad_token(
                    "was not given by this endpoint for a list of all keys (perhaps for a list of one key)",
                )
            })?;
            at = projects
                .iter()
                .position(|keys| keys.contains(&token.key))
                .ok_or_else(|| bad_token("continues with a key that is gone"))?;
            ask_first(&mut projects[at], &token.key);
            (google, skipped) = (token.google, token.skipped);
        }
        let (merged, served_by, failure) = (Page::default(), None, None);
        Ok(Self { question, projects, at, google, stopped: false, merged, served_by, skipped, failure })
    }

    /// The next ones in order; a token of Google's is good for the key it was given to.
    fn projects_to_ask(&self, at_once: usize) -> Vec<Project> {
        let rest = self.projects.get(self.at..).filter(|_| !self.stopped).unwrap_or_default();
        match self.google {
            Some(_) => rest.iter().take(1).map(|project| project[..1].to_vec()).collect(),
            None => rest.iter().take(at_once).cloned().collect(),
        }
    }

    fn room(&self) -> Option<usize> {
        Some(self.question.most()?.saturating_sub(self.merged.len()))
    }

    fn outbound(&self, client: &Outbound) -> Outbound {
        let mut headers = client.headers.clone();
        headers.remove(CONTENT_LENGTH);
        let target = self.question.target(self.room(), self.google.as_deref());
        let (method, encoding) = (client.method.clone(), client.encoding);
        Outbound { method, target, parsed: None, headers, encoding, opening: None }
    }

    fn add(&mut self, mut page: Page, pick: Arc<Pick>) {
        let next = page.next.take();
        self.merged.append(page);
        ask_first(&mut self.projects[self.at], &pick.key);
        self.served_by = Some(pick);
        if next.is_none() {
            self.at += 1;
        }
        // A page without members that is not the last is one that clients stumble over.
        let full = self.room() == Some(0) || self.merged.bytes() > MOST_PAGE_BYTES;
        self.stopped = full || (next.is_some() && self.merged.len() > 0);
        self.google = next;
    }

    fn skip(&mut self, project: &[KeyId], failure: Option<Failed>) {
        for key in project {
            if !self.skipped.contains(key) {
                self.skipped.push(key.clone());
            }
        }
        self.stopped = self.served_by.is_none() && failure.as_ref().is_some_and(|failed| failed.for_all);
        self.failure = failure.or(self.failure.take());
        self.at += 1;
        self.google = None;
    }
}

fn ask_first(project: &mut Project, key: &KeyId) {
    if let Some(at) = project.iter().position(|known| known == key) {
        project.swap(0, at);
    }
}

fn bad_token(why: &str) -> ApiError {
    let words = format!("The page token {why}. Begin the list again without pageToken.");
    ApiError::new(StatusCode::BAD_REQUEST, words)
}

/// One attempt, settled.
async fn ask(
    forwarder: &GoogleApiForwarder,
    call: &Call,
    outbound: &Outbound,
    mut lease: Lease,
) -> (Result<Page, Failed>, AttemptView) {
    let started = Instant::now();
    let pick = lease.pick.clone();
    let answered = Outcome::Answered { status: 200, error: None, retry_after: None };
    let unusable =
        |words: &str| (Failure::NoAnswer(Outcome::Interrupted(words.to_owned())), answered.clone());
    let no_answer = |outcome: Outcome| (Failure::NoAnswer(outcome.clone()), outcome);
    let answer = forwarder.attempt(&pick, outbound, Either::Right(Empty::new())).await;
    if answer.is_ok() {
        lease.answered(started.elapsed());
    }
    let told = match answer {
        Ok(Answer::Flowing(response)) => match page_of(forwarder, call, &pick, response).await {
            Ok(Some(bytes)) => Page::parse(&bytes).ok_or_else(|| unusable(NO_LIST)),
            Ok(None) => Err(unusable(TOO_LARGE)),
            Err(outcome) => Err(no_answer(outcome)),
        },
        Ok(Answer::Refused(refused)) => {
            let outcome = refused.outcome();
            Err((Failure::Refused(Box::new(refused)), outcome))
        }
        Err(outcome) => Err(no_answer(outcome)),
    };
    match told {
        Ok(page) => {
            lease.settle(&answered);
            let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
            (Ok(page), AttemptView::new(pick, Some(200), None, milliseconds))
        }
        Err((failure, outcome)) => {
            let verdict = lease.settle(&outcome);
            let mut attempt = attempt_view(&pick, &failure, &verdict, started);
            if let (Failure::NoAnswer(Outcome::Interrupted(words)), "") = (&failure, verdict.reason.as_str())
            {
                attempt.error = Some(words.clone());
            }
            let for_all = !verdict.retry && matches!(outcome, Outcome::Answered { status: 400, .. });
            let once_more = matches!(outcome, Outcome::Interrupted(_)) || pick.failed_by_rotating(&outcome);
            (Err(Failed { failure, pick, for_all, once_more }), attempt)
        }
    }
}

async fn page_of(
    forwarder: &GoogleApiForwarder,
    call: &Call,
    pick: &Pick,
    response: Response<AnswerBody>,
) -> Result<Option<Vec<u8>>, Outcome> {
    let to_local = forwarder.addresses().to_local(&call.origin);
    gather(forwarder, &call.traits, pick, response, to_local, MOST_PAGE_BYTES).await
}

/// Waits for all at once and gives what they come to in their order.
async fn all_of<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut waiting: Vec<Pin<Box<F>>> = futures.into_iter().map(Box::pin).collect();
    let mut done: Vec<Option<F::Output>> = waiting.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, done) in waiting.iter_mut().zip(&mut done) {
            if done.is_none()
                && let Poll::Ready(output) = future.as_mut().poll(context)
            {
                *done = Some(output);
            }
        }
        if done.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}
