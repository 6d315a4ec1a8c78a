//! Whatever is cut and whenever: no cut answer looks whole to its client, nothing is sent again once an answer began,
//! every request has one record that agrees with what the upstream saw, and nothing stays counted as under way.

use std::collections::HashMap;
use std::sync::Arc;

use aggregator_core::requests::{CLIENT_CLOSED, RequestView};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::answer::{Answer, Ending, Framed, To, late_error};
use crate::client::{Seen, ask};
use crate::plan::{Leave, Plan, Request, body};
use crate::proxy::{Cut, Proxy, Tunnel};
use crate::runs;
use crate::upstream::{Arrival, Script, Upstream};
use crate::wire::End;
use crate::world::{NEVER, World, key_id, proxy_id, secret};

#[test]
fn nothing_cut_is_shown_as_whole_sent_again_or_left_counted() {
    runs::run("CUTS", 400, case);
}

impl Script for Arc<Plan> {
    fn answer(&self, request: usize, attempt: usize) -> Answer {
        let kind = self.requests[request].kind;
        Answer::draw(To { request, attempt, kind }, &mut self.rng(1 + request, attempt))
    }

    fn body(&self, request: usize) -> Vec<u8> {
        body(request, self.requests[request].body)
    }

    fn pauses(&self, request: usize) -> bool {
        self.requests[request].pauses
    }

    fn stays(&self, request: usize) -> bool {
        self.requests[request].leave == Leave::Never
    }
}

async fn case(seed: u64) -> Vec<String> {
    let plan = Arc::new(Plan::draw(seed));
    let mut tasks = JoinSet::new();
    let upstream = Upstream::start(Box::new(Arc::clone(&plan)), &mut tasks).await;
    let mut proxies = Vec::new();
    for (number, spoils) in plan.proxies.iter().enumerate() {
        let drawn = Arc::clone(&plan);
        let rng = Box::new(move |nth| drawn.rng(100 + number, nth));
        let tunnels = Arc::clone(&upstream.tunnels);
        proxies.push(Proxy::start(number, *spoils, tunnels, rng, &mut tasks).await);
    }
    let addresses: Vec<_> = proxies.iter().map(|proxy| proxy.address).collect();
    let world = World::open(upstream, &addresses, &plan.keys, plan.max_attempts, tasks).await;
    let seen = ask_all(&plan, &world).await;
    let never = world.settled(plan.requests.len()).await;
    world.core.close().await;
    let mut wrong = std::mem::take(&mut *world.upstream.wrong.lock());
    wrong.extend(never);
    let records = world.records();
    let ledger = world.upstream.ledger();
    for (request, seen) in plan.requests.iter().zip(&seen) {
        let arrivals = ledger.iter().filter(|arrival| arrival.request == request.number).collect();
        let model = request.model();
        let records: Vec<_> =
            records.iter().filter(|record| record.model.as_deref() == Some(model.as_str())).collect();
        let [record] = records.as_slice() else {
            wrong.push(format!("request {}: {} records", request.number, records.len()));
            continue;
        };
        let check = Check { request, seen, record, arrivals, world: &world, wrong: &mut wrong };
        check.all();
    }
    wrong.extend(leases(&plan, &world, &records));
    wrong.extend(refusals(&proxies, &records));
    wrong
}

/// What each client saw, in the order of the plan.
async fn ask_all(plan: &Arc<Plan>, world: &World) -> Vec<Seen> {
    let (through, _) = watch::channel(0_usize);
    let mut clients = JoinSet::new();
    for request in plan.requests.iter().copied() {
        let (endpoint, upstream, through) = (world.endpoint, Arc::clone(&world.upstream), through.clone());
        clients.spawn(async move {
            let _ = through.subscribe().wait_for(|count| *count >= request.after).await;
            let sending = request.sending();
            let asking = ask(endpoint, &sending, upstream.has(request.number));
            let seen = tokio::time::timeout(NEVER, asking).await.unwrap_or_else(|_| Seen::stuck());
            if !request.pauses {
                through.send_modify(|count| *count += 1);
            }
            (request.number, seen)
        });
    }
    let mut rest = through.subscribe();
    let unpaused = plan.unpaused();
    let opener = async {
        let _ = rest.wait_for(|count| *count >= unpaused).await;
        world.upstream.go_on.send_replace(true);
    };
    let (mut seen, ()) = tokio::join!(clients.join_all(), opener);
    seen.sort_by_key(|(number, _)| *number);
    seen.into_iter().map(|(_, seen)| seen).collect()
}

/// One request, from all sides.
struct Check<'a> {
    request: &'a Request,
    seen: &'a Seen,
    record: &'a RequestView,
    arrivals: Vec<&'a Arrival>,
    world: &'a World,
    wrong: &'a mut Vec<String>,
}

impl Check<'_> {
    fn all(mut self) {
        self.bodies();
        self.shown();
        self.attempts();
    }

    fn say(&mut self, words: &str) {
        let (request, record) = (self.request, self.record);
        let shown = match &self.seen.head {
            Some(head) => format!("{} {:?} {} bytes", head.status(), self.seen.end, self.seen.content.len()),
            None => format!("no head, {:?}", self.seen.end),
        };
        let arrivals: Vec<String> = self.arrivals.iter().map(|one| describe(one, self.world)).collect();
        self.wrong.push(format!(
            "{words}: {request:?}; client: {shown}; log: {} {:?} {:?}; upstream: {arrivals:?}",
            record.status, record.error, record.attempts
        ));
    }

    /// Each attempt carries the request as the client sent it.
    fn bodies(&mut self) {
        let damaged = |one: &&Arrival| {
            let sure = self.request.leave == Leave::Never && one.answer.reads_body;
            sure && !one.received && self.cut(one) == Cut::No
        };
        if self.arrivals.iter().any(damaged) {
            self.say("an attempt did not carry the whole request");
        }
    }

    /// What the client saw against what the upstream sent.
    fn shown(&mut self) {
        let stays = self.request.leave == Leave::Never;
        let Some(head) = &self.seen.head else {
            if stays {
                self.say("the client got no answer at all");
            }
            return;
        };
        let (status, attempt) = (head.status(), head.header("x-attempt").parse::<usize>().ok());
        if stays && self.record.status != status {
            self.say("the log has another status than the client");
        }
        if head.header("x-aggregator-attempts") != self.record.attempts.len().to_string() {
            self.say("attempts were made after the answer began");
        }
        let source = attempt.and_then(|nth| self.arrivals.iter().find(|one| one.attempt == nth).copied());
        match source {
            Some(source) => self.flowed(source, status),
            // Made here, for want of an answer.
            None if status >= 400 && self.seen.end != End::Cut => {}
            None => self.say("an answer that the upstream never gave"),
        }
    }

    fn flowed(&mut self, source: &Arrival, status: u16) {
        let answer = &source.answer;
        // What a proxy sent on before it cut the tunnel may be read late.
        let again = |one: &&Arrival| one.attempt > source.attempt && self.cut(one) == Cut::No;
        if self.arrivals.iter().any(again) {
            self.say("the request was sent again after this answer");
        }
        if status != answer.status || !answer.content.starts_with(&self.seen.content) {
            self.say("the client got something else than the upstream sent");
        }
        // Where an end is all there is to go by, an early one looks like any other.
        let ended_early = match self.cut(source) {
            Cut::No => matches!(answer.ending, Ending::Fin { .. }),
            Cut::Ended => true,
            Cut::Reset => false,
        };
        let all_there = self.seen.content.len() == answer.content.len();
        // A packed stream says itself whether it is whole; a packed error is shown as far as it came.
        let tells_itself = answer.unpacked && status == 200;
        let unknowable = answer.framed == Framed::UntilClose && ended_early && !tells_itself;
        if self.seen.end == End::Whole && !unknowable && !(answer.looks_whole() && all_there) {
            self.say("a cut answer was shown as whole");
        }
        if self.request.leave != Leave::Never {
            return;
        }
        let proper = answer.is_proper() && self.cut(source) == Cut::No;
        if proper && !(self.seen.end == End::Whole && all_there) {
            self.say("a whole answer did not arrive whole");
        }
        let late_error = late_error(source.request, source.attempt);
        let failed = self.seen.end == End::Cut || contains(&self.seen.content, late_error.as_bytes());
        if status == 200 && failed != self.record.error.is_some() {
            self.say("the log does not say how the answer ended");
        }
    }

    /// The log's attempts against the upstream's ledger: the same keys, ways and answers.
    fn attempts(&mut self) {
        let mut unexplained: HashMap<_, i64> = HashMap::new();
        for attempt in &self.record.attempts {
            let way = attempt.proxy_id.as_ref().map(ToString::to_string);
            *unexplained.entry((attempt.key_id.to_string(), way)).or_default() += 1;
        }
        for arrival in &self.arrivals {
            let key = (0..).map(|number| (key_id(number), secret(number)));
            let key = key.take(9).find(|(_, text)| *text == arrival.key).map(|(id, _)| id);
            let way = self.tunnel(arrival).map(|tunnel| proxy_id(tunnel.proxy));
            *unexplained.entry((key.unwrap_or_default(), way)).or_default() -= 1;
        }
        // An attempt that its client does not wait for has no outcome to log.
        let unlogged: i64 = unexplained.values().map(|count| count.min(&0)).sum();
        let left = self.record.status == CLIENT_CLOSED && self.request.leave != Leave::Never;
        if unlogged < -i64::from(left) {
            self.say("the upstream saw attempts that the log does not have");
        }
        let answered = |status: u16| {
            let gave = |one: &&&Arrival| one.answered() && one.answer.status == status;
            self.arrivals.iter().filter(gave).count()
        };
        let logged = |status: u16| {
            self.record.attempts.iter().filter(|attempt| attempt.status == Some(status)).count()
        };
        let statuses = self.record.attempts.iter().filter_map(|attempt| attempt.status);
        if statuses.into_iter().any(|status| logged(status) > answered(status)) {
            self.say("the log has answers that the upstream did not give");
        }
    }

    /// What the proxy did to the tunnel that the request came through.
    fn cut(&self, arrival: &Arrival) -> Cut {
        self.tunnel(arrival).map_or(Cut::No, |tunnel| tunnel.cut)
    }

    fn tunnel(&self, arrival: &Arrival) -> Option<Tunnel> {
        self.world.upstream.tunnels.get(arrival.tunnel?)
    }
}

fn contains(content: &[u8], part: &[u8]) -> bool {
    content.windows(part.len()).any(|window| window == part)
}

fn describe(arrival: &Arrival, world: &World) -> String {
    let Arrival { attempt, key, tunnel, after, answer, received, sent, .. } = arrival;
    let Answer { status, framed, ending, error_at_end, packed, wire, head, .. } = answer.as_ref();
    format!(
        "#{attempt} after {after:?} {key} {:?} received={received} sent={sent}: {status} {framed:?} {ending:?} of {head}+{} \
         packed={packed} error_at_end={error_at_end}",
        tunnel.and_then(|number| world.upstream.tunnels.get(number)),
        wire.len() - head
    )
}

/// As many leases were taken as attempts are logged, but for those whose client left meanwhile.
fn leases(plan: &Plan, world: &World, records: &[Arc<RequestView>]) -> Option<String> {
    let taken: u64 = world.core.snapshot().keys.iter().map(|key| key.request_count).sum();
    let logged = records.iter().map(|record| record.attempts.len() as u64).sum();
    let left = plan.requests.iter().filter(|request| request.leave != Leave::Never).count() as u64;
    let agree = (logged..=logged + left).contains(&taken);
    (!agree).then(|| format!("{taken} leases were taken, {logged} attempts logged, {left} clients left"))
}

/// No proxy is said to have refused more tunnels than it did.
fn refusals(proxies: &[Arc<Proxy>], records: &[Arc<RequestView>]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (number, proxy) in proxies.iter().enumerate() {
        let id = proxy_id(number);
        let attempts = records.iter().flat_map(|record| &record.attempts);
        let blamed = attempts.filter(|attempt| {
            let words = attempt.error.as_deref().unwrap_or_default();
            attempt.proxy_id.as_ref().is_some_and(|proxy| proxy.as_str() == id) && words.contains("CONNECT")
        });
        let (blamed, refused) = (blamed.count(), proxy.refused());
        if blamed > refused {
            wrong.push(format!("proxy {id} refused {refused} tunnels, {blamed} are logged"));
        }
    }
    wrong
}
