//! Calls that create something, by the upstream's own ledger: whatever fails and wherever, nothing is made twice for one
//! request of a client, and what was provably not processed is tried with the other keys.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use aggregator_core::requests::RequestView;
use fastrand::Rng;
use tokio::task::JoinSet;

use crate::answer::{Answer, Ending, Framed, pick};
use crate::client::{Seen, Sending, ask};
use crate::plan::{Leave, body};
use crate::proxy::Proxy;
use crate::runs;
use crate::upstream::{Arrival, Script, Upstream};
use crate::world::{NEVER, World};

const PATHS: [&str; 6] = [
    "/upload/v1beta/files",
    "/v1beta/cachedContents",
    "/v1beta/models/m:batchGenerateContent",
    "/v1beta/fileSearchStores",
    "/v1beta/interactions",
    "/v1alpha/auth_tokens",
];
/// Nothing listens there.
const DEAD: SocketAddr = SocketAddr::V4(std::net::SocketAddrV4::new(Ipv4Addr::LOCALHOST, 1));

#[test]
fn nothing_is_made_twice_and_what_was_not_processed_goes_to_another_key() {
    runs::run("CREATIONS", 300, case);
}

/// What the upstream does with one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    Make,
    /// Makes it and fails all the same.
    MakeAndFail(u16),
    MakeAndCut,
    Fail(u16),
    /// Hangs up before it has read the body.
    HangUp,
    /// The quota is used up or the key refused: not processed, and another key may.
    Refuse(u16),
    /// The caller's own mistake.
    Blame,
}

struct Plan {
    seed: u64,
    ways: Vec<Option<usize>>,
    /// Of ten tunnels, how many are spoilt; `None` is a proxy where nothing listens.
    proxies: Vec<Option<u8>>,
    max_attempts: u32,
    requests: Vec<Request>,
}

struct Request {
    path: &'static str,
    body: usize,
    chunked: bool,
    leave: Leave,
}

impl Plan {
    fn draw(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let proxies: Vec<Option<u8>> =
            (0..rng.usize(..3)).map(|_| *pick(&mut rng, &[None, Some(0), Some(5)])).collect();
        let ways = (0..rng.usize(1..5)).map(|_| Some(rng.usize(..4)).filter(|way| *way < proxies.len()));
        let ways = ways.collect();
        let request = |rng: &mut Rng| Request {
            path: PATHS[rng.usize(..PATHS.len())],
            body: *pick(rng, &[0, 40, 5_000, 90_000]),
            chunked: rng.bool(),
            leave: if rng.u8(..8) == 0 { Leave::Waiting { reset: rng.bool() } } else { Leave::Never },
        };
        let count = if rng.bool() { 1 } else { rng.usize(2..5) };
        let requests = (0..count).map(|_| request(&mut rng)).collect();
        Self { seed, ways, proxies, max_attempts: rng.u32(1..6), requests }
    }

    fn rng(&self, purpose: usize, nth: usize) -> Rng {
        Rng::with_seed(self.seed << 24 ^ (purpose as u64) << 12 ^ nth as u64)
    }

    fn deed(&self, request: usize, attempt: usize) -> Deed {
        use Deed::{Blame, Fail, HangUp, Make, MakeAndCut, MakeAndFail, Refuse};
        let deeds = [
            Make,
            MakeAndFail(503),
            MakeAndFail(500),
            MakeAndCut,
            MakeAndCut,
            Fail(503),
            HangUp,
            Refuse(429),
            Refuse(429),
            Refuse(429),
            Refuse(403),
            Blame,
        ];
        *pick(&mut self.rng(1 + request, attempt), &deeds)
    }

    fn sending(&self, number: usize) -> Sending {
        let Request { path, body: length, chunked, leave } = self.requests[number];
        let body = body(number, length);
        Sending { number, path: path.to_owned(), body, chunked, gzip: false, leave }
    }
}

impl Script for Arc<Plan> {
    fn answer(&self, request: usize, attempt: usize) -> Answer {
        let deed = self.deed(request, attempt);
        let (status, body) = match deed {
            Deed::Make | Deed::MakeAndCut => (200, format!(r#"{{"name":"things/{request}-{attempt}"}}"#)),
            Deed::MakeAndFail(status) | Deed::Fail(status) => (status, error(status, "UNAVAILABLE", "")),
            Deed::HangUp => (500, String::new()),
            Deed::Refuse(429) => (429, error(429, "RESOURCE_EXHAUSTED", r#"{"retryDelay":"30s"}"#)),
            Deed::Refuse(status) => {
                (status, error(status, "PERMISSION_DENIED", r#"{"reason":"CONSUMER_SUSPENDED"}"#))
            }
            Deed::Blame => (400, error(400, "INVALID_ARGUMENT", "")),
        };
        let head = format!(
            "HTTP/1.1 {status} Some Words\r\nx-attempt: {attempt}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let wire = [head.as_bytes(), body.as_bytes()].concat();
        let mut rng = self.rng(50 + request, attempt);
        let ending = match deed {
            Deed::MakeAndCut if rng.bool() => Ending::Reset { at: 0 },
            Deed::MakeAndCut => Ending::Fin { at: rng.usize(..wire.len()) },
            Deed::HangUp => Ending::Reset { at: 0 },
            _ => *pick(&mut rng, &[Ending::Kept, Ending::Closed]),
        };
        Answer {
            status,
            framed: Framed::Length,
            ending,
            error_at_end: false,
            packed: false,
            unpacked: false,
            head: head.len(),
            content: body.into_bytes(),
            creates: matches!(deed, Deed::Make | Deed::MakeAndFail(_) | Deed::MakeAndCut),
            reads_body: deed != Deed::HangUp,
            pieces: Vec::new(),
            pause: 0,
            wire,
        }
    }

    fn body(&self, request: usize) -> Vec<u8> {
        body(request, self.requests[request].body)
    }

    fn pauses(&self, _: usize) -> bool {
        false
    }

    fn stays(&self, request: usize) -> bool {
        self.requests[request].leave == Leave::Never
    }
}

fn error(status: u16, name: &str, detail: &str) -> String {
    format!(r#"{{"error":{{"code":{status},"status":"{name}","message":"no","details":[{detail}]}}}}"#)
}

async fn case(seed: u64) -> Vec<String> {
    let plan = Arc::new(Plan::draw(seed));
    let mut tasks = JoinSet::new();
    let upstream = Upstream::start(Box::new(Arc::clone(&plan)), &mut tasks).await;
    let mut addresses = Vec::new();
    for (number, spoils) in plan.proxies.iter().enumerate() {
        let drawn = Arc::clone(&plan);
        let rng = Box::new(move |nth| drawn.rng(100 + number, nth));
        addresses.push(match spoils {
            None => DEAD,
            Some(spoils) => {
                let tunnels = Arc::clone(&upstream.tunnels);
                Proxy::start(number, *spoils, tunnels, rng, &mut tasks).await.address
            }
        });
        // Two proxies where nothing listens would be one and the same.
        if spoils.is_none() && number > 0 {
            addresses[number].set_port(2);
        }
    }
    let world = World::open(upstream, &addresses, &plan.ways, plan.max_attempts, tasks).await;
    let seen = ask_all(&plan, &world).await;
    let never = world.settled(plan.requests.len()).await;
    world.core.close().await;
    let mut wrong = std::mem::take(&mut *world.upstream.wrong.lock());
    wrong.extend(never);
    let (ledger, records) = (world.upstream.ledger(), world.records());
    for (number, seen) in seen.iter().enumerate() {
        let arrivals: Vec<&Arrival> = ledger.iter().filter(|one| one.request == number).collect();
        let id = seen.head.as_ref().map(|head| head.header("x-aggregator-request-id"));
        let record = records.iter().find(|record| Some(record.id.as_str()) == id).map(AsRef::as_ref);
        wrong.extend(check(&plan, number, seen, &arrivals, record));
    }
    wrong
}

async fn ask_all(plan: &Arc<Plan>, world: &World) -> Vec<Seen> {
    let mut clients = JoinSet::new();
    for number in 0..plan.requests.len() {
        let (plan, upstream, endpoint) = (Arc::clone(plan), Arc::clone(&world.upstream), world.endpoint);
        clients.spawn(async move {
            let sending = plan.sending(number);
            let asking = ask(endpoint, &sending, upstream.has(number));
            (number, tokio::time::timeout(NEVER, asking).await.unwrap_or_else(|_| Seen::stuck()))
        });
    }
    let mut seen = clients.join_all().await;
    seen.sort_by_key(|(number, _)| *number);
    seen.into_iter().map(|(_, seen)| seen).collect()
}

fn check(
    plan: &Plan,
    number: usize,
    seen: &Seen,
    arrivals: &[&Arrival],
    record: Option<&RequestView>,
) -> Vec<String> {
    let mut wrong = Vec::new();
    let deeds: Vec<Deed> = arrivals.iter().map(|one| plan.deed(number, one.attempt)).collect();
    let path = plan.requests[number].path;
    let status = seen.head.as_ref().map(|head| head.status());
    let mut say = |words: &str| {
        let attempts = record.map(|record| &record.attempts);
        wrong.push(format!("{words}: {path} answered {status:?}; upstream: {deeds:?}; log: {attempts:?}"));
    };
    let made = arrivals.iter().filter(|one| one.created).count();
    if made > 1 {
        say("made more than once");
    }
    // The last attempt may be any; those before it were gone on from.
    let unsure = |deed: &Deed| !matches!(deed, Deed::Refuse(_));
    if deeds.iter().rev().skip(1).any(unsure) {
        say("tried again though it may have been processed");
    }
    if plan.requests[number].leave != Leave::Never {
        return wrong;
    }
    let Some(record) = record else {
        say("no record, or no answer");
        return wrong;
    };
    if status == Some(200) && made != 1 {
        say("the client was told of something that was not made");
    }
    let refused_last = match (record.attempts.last(), deeds.last()) {
        (Some(last), Some(deed)) if last.status.is_some() => matches!(deed, Deed::Refuse(_)),
        (Some(last), _) => last.error.as_deref().is_some_and(|words| words.starts_with("The proxy")),
        _ => false,
    };
    // With others under way, a key may rest by their fault.
    let alone = plan.requests.len() == 1;
    let most = plan.ways.len().min(plan.max_attempts as usize);
    if alone && refused_last && record.attempts.len() < most {
        say("given up though it was not processed and other keys were left");
    }
    wrong
}
