//! One simulated world from its first request to its last: clients arrive, attempts end, the user edits, proxies are
//! probed, the clock jumps. The loop does what the dispatcher does, step by step; the decisions are the core's.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use aggregator_core::clock::{Clock, Millis};
use aggregator_core::dispatch::search::{Asked, Attempted, Next, Search};
use aggregator_core::pools::{Pools, Wish};
use aggregator_core::settings::{KeySelection, Settings};
use aggregator_core::state::{Lease, State};
use fastrand::Rng;

use crate::checks::{self, UnderWay};
use crate::clock::{BEGIN, VirtualClock};
use crate::edits::User;
use crate::truth::{Cause, End, MODELS, Truth};

const DAY: Millis = 24 * 3_600_000;
/// Three days either way.
const JUMP: Millis = 3 * DAY;

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Arrive,
    Look(usize),
    End(usize),
    Edit,
    Change,
    Probe,
    Jump,
}

struct Request {
    search: Search,
    creates: bool,
    arrived: Millis,
    /// The attempt under way.
    attempt: Option<(Lease, End)>,
    /// Something may have been made for it.
    processed: bool,
    attempts: u32,
}

/// How much of everything happened, so that a world in which nothing happens is noticed.
#[derive(Debug, Default)]
pub struct Seen {
    requests: u64,
    attempts: u64,
    served: u64,
    waits: u64,
    trials: u64,
    causes: [u64; 13],
}

impl Seen {
    pub fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.attempts += other.attempts;
        self.served += other.served;
        self.waits += other.waits;
        self.trials += other.trials;
        self.causes.iter_mut().zip(other.causes).for_each(|(sum, one)| *sum += one);
    }

    /// Every kind of end came up.
    pub fn is_lively(&self, worlds: u64) -> bool {
        worlds < 100 || (self.trials > 0 && self.waits > 0 && self.causes.iter().all(|count| *count > 0))
    }
}

struct World {
    state: Arc<State>,
    clock: Arc<VirtualClock>,
    settings: Settings,
    rng: Rng,
    truth: Truth,
    user: User,
    /// Real time since the beginning; the core's clock may differ from it.
    time: Millis,
    shift: i64,
    /// The clock jumped and the core has not noticed yet.
    unnoticed: bool,
    jumped: bool,
    steps: BinaryHeap<Reverse<(Millis, u64, Step)>>,
    count: u64,
    requests: Vec<Request>,
    arrivals: u64,
    under_way: UnderWay,
    wrong: Vec<String>,
    seen: Seen,
}

/// What was wrong, and what happened.
pub fn run(seed: u64) -> (Vec<String>, Seen) {
    let mut world = World::new(seed);
    while let Some(Reverse((at, _, step))) = world.steps.pop() {
        world.time = at;
        world.clock.set(world.now());
        world.step(step);
        let state = Arc::clone(&world.state);
        world.wrong.extend(world.under_way.compare(&state.pools.lock()));
        if !world.wrong.is_empty() {
            break;
        }
    }
    if world.wrong.is_empty() {
        world.over();
    }
    let at = format!("after {} ms", world.time);
    (world.wrong.into_iter().map(|words| format!("{at}: {words}")).collect(), world.seen)
}

impl World {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let settings = settings(&mut rng);
        let mut truth = Truth::new(rng.fork());
        let mut pools = Pools::new(rng.fork());
        let mut user = User::default();
        (0..rng.usize(..4)).for_each(|_| user.add_proxy(&mut pools));
        for _ in 0..rng.usize(1..9) {
            let project = rng.bool().then(|| truth.project(&rng.u8(..4).to_string()));
            user.add_key(&mut pools, project, &mut rng);
        }
        pools.settle_assignments(&settings, BEGIN);
        let clock = Arc::new(VirtualClock::new());
        let state = State::new(pools, settings.clone(), Arc::clone(&clock) as Arc<dyn Clock>);
        let arrivals = rng.u64(20..80);
        let mut world = Self {
            state,
            clock,
            settings,
            rng,
            truth,
            user,
            time: 0,
            shift: 0,
            unnoticed: false,
            jumped: false,
            steps: BinaryHeap::new(),
            count: 0,
            requests: Vec::new(),
            arrivals,
            under_way: UnderWay::default(),
            wrong: Vec::new(),
            seen: Seen::default(),
        };
        world.later(0, Step::Arrive);
        for step in [Step::Edit, Step::Change, Step::Probe, Step::Jump] {
            let wait = world.rng.u64(..100_000);
            world.later(wait, step);
        }
        world
    }

    fn now(&self) -> Millis {
        BEGIN.saturating_add(self.time).saturating_add_signed(self.shift)
    }

    fn later(&mut self, wait: Millis, step: Step) {
        self.count += 1;
        self.steps.push(Reverse((self.time + wait, self.count, step)));
    }

    /// What happens again and again, as long as clients come.
    fn again(&mut self, wait: Millis, step: Step) {
        if self.arrivals > 0 {
            self.later(wait, step);
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Arrive => self.arrive(),
            Step::Look(request) => self.look(request),
            Step::End(request) => self.end(request),
            Step::Edit => {
                self.edit();
                let wait = self.rng.u64(..200_000);
                self.again(wait, Step::Edit);
            }
            Step::Change => {
                self.truth.change();
                let wait = self.rng.u64(..120_000);
                self.again(wait, Step::Change);
            }
            Step::Probe => {
                self.probe();
                self.again(60_000, Step::Probe);
            }
            Step::Jump => {
                if self.rng.u8(..3) == 0 {
                    let by = i64::try_from(self.rng.u64(..JUMP)).expect("three days");
                    self.shift += if self.rng.bool() { by } else { -by };
                    (self.unnoticed, self.jumped) = (true, true);
                }
                let wait = self.rng.u64(..600_000);
                self.again(wait, Step::Jump);
            }
        }
    }

    fn arrive(&mut self) {
        self.arrivals -= 1;
        self.seen.requests += 1;
        let creates = self.rng.u8(..4) == 0;
        let model = MODELS[self.rng.usize(..MODELS.len())].to_owned();
        let pinned = (self.rng.u8(..15) == 0).then(|| format!("key {}", self.rng.u8(1..8)));
        let asked = Asked { pinned, model: Some(model.into()), creates, ..Asked::default() };
        let search = Search::new(asked, &self.settings, self.now());
        let arrived = self.time;
        self.requests.push(Request {
            search,
            creates,
            arrived,
            attempt: None,
            processed: false,
            attempts: 0,
        });
        self.look(self.requests.len() - 1);
        let wait = if self.rng.bool() { self.rng.u64(..500) } else { self.rng.u64(..40_000) };
        self.again(wait, Step::Arrive);
    }

    /// One turn of the dispatcher's loop, up to the beginning of an attempt.
    fn look(&mut self, number: usize) {
        let before = self.state.pools.lock().clone();
        let now = self.now();
        let wish = self.requests[number].search.wish().clone();
        match self.state.lease(&wish, self.state.now()) {
            Ok(lease) => {
                let noticed = !std::mem::take(&mut self.unnoticed);
                let pick = &lease.pick;
                if noticed {
                    let wrong = checks::picked(&before, pick, &self.under_way, &self.settings, now);
                    self.wrong.extend(wrong);
                }
                self.begin(number, lease, &wish);
            }
            Err(no_key) => {
                let returns = self.state.earliest_return(&wish);
                let next = self.requests[number].search.without_key(&no_key, returns, now);
                if let Next::Again(at) = next {
                    self.seen.waits += 1;
                    self.go_on(number, at);
                }
            }
        }
    }

    fn begin(&mut self, number: usize, lease: Lease, wish: &Wish) {
        self.seen.attempts += 1;
        self.seen.trials += u64::from(lease.pick.trial);
        self.under_way.begin(&lease.pick);
        let end = self.truth.attempt(&lease.pick, BEGIN + self.time);
        let (takes, most) = (end.takes, self.settings.max_attempts);
        let request = &mut self.requests[number];
        request.attempts += 1;
        if request.attempts > most {
            self.wrong.push(format!("{} attempts where {most} are allowed", request.attempts));
        }
        if request.creates && request.processed {
            self.wrong.push("a creating call was sent again though it may have been processed".to_owned());
        }
        if wish.tried.contains(&lease.pick.key) {
            self.wrong.push(format!("{} tries the same request again", lease.pick.key));
        }
        let bound = 2 * self.settings.upstream.request_timeout_seconds + self.settings.max_wait_seconds;
        if !self.jumped && self.time > request.arrived + bound * 1_000 {
            self.wrong
                .push(format!("an attempt begins {} ms after the request", self.time - request.arrived));
        }
        request.processed |= end.cause.may_have_processed();
        request.attempt = Some((lease, end));
        self.later(takes, Step::End(number));
    }

    /// The rest of that turn.
    fn end(&mut self, number: usize) {
        let Some((lease, end)) = self.requests[number].attempt.take() else { return };
        let (pick, now) = (lease.pick.clone(), self.now());
        self.under_way.end(&pick);
        self.seen.causes[end.cause as usize] += 1;
        let before = self.state.pools.lock().clone();
        let verdict = match &end.outcome {
            Some(outcome) => Some(lease.settle(outcome)),
            None => {
                drop(lease);
                None
            }
        };
        // The core looks at the clock when it settles, not when a client leaves.
        let notices = end.outcome.is_some() && std::mem::take(&mut self.unnoticed);
        if !notices {
            let after = self.state.pools.lock();
            self.wrong.extend(checks::settled(&before, &after, &pick, end.cause, now));
        }
        let (Some(outcome), Some(verdict)) = (&end.outcome, &verdict) else { return };
        if matches!(end.cause, Cause::Served | Cause::LateQuota | Cause::LateBusy) {
            self.seen.served += 1;
            return;
        }
        let repeatable = self.rng.u8(..20) > 0;
        let failed = Attempted { pick: &pick, outcome, verdict, repeatable };
        let next = self.state.after_failure(&mut self.requests[number].search, failed);
        if let Next::Again(at) = next {
            if end.cause == Cause::Caller {
                self.wrong.push("a caller's mistake was tried again".to_owned());
            }
            self.go_on(number, at);
        }
    }

    fn go_on(&mut self, number: usize, at: Millis) {
        let wait = at.saturating_sub(self.now());
        self.later(wait, Step::Look(number));
    }

    fn edit(&mut self) {
        let now = self.now();
        let mut pools = self.state.pools.lock();
        if let Some(key) = self.user.edit(&mut pools, &self.settings, now, &mut self.rng) {
            self.under_way.clean(&key);
        }
    }

    fn probe(&mut self) {
        let now = self.now();
        let mut pools = self.state.pools.lock();
        let limit = self.settings.proxy.max_errors_before_disable;
        let ids: Vec<_> = pools.proxies.iter().map(|proxy| proxy.entered.clone()).collect();
        for proxy in ids.into_iter().filter(|proxy| proxy.enabled) {
            match self.truth.proxy_fault(&proxy.url.masked()) {
                None => {
                    let _ = pools.proxies.succeeded(&proxy.id, now, Some(5));
                }
                Some(fault) if fault.may_be_upstream() => {
                    let _ = pools.doubt(&proxy.id, &fault.words(), limit, now);
                }
                Some(fault) => {
                    let _ = pools.proxies.failed(&proxy.id, now, &fault.words(), limit);
                }
            }
        }
    }

    /// Nobody is under way any more.
    fn over(&mut self) {
        let pools = self.state.pools.lock();
        let keys = pools.keys.iter().map(|key| key.learned.in_flight).sum::<u32>();
        let proxies = pools.proxies.iter().map(|proxy| proxy.health.in_flight).sum::<u32>();
        if (keys, proxies) != (0, 0) {
            self.wrong.push(format!("{keys} still counted by keys, {proxies} by proxies"));
        }
        if let Some(key) = pools.keys.iter().find(|key| key.learned.breaker.is_probing()) {
            self.wrong.push(format!("{} waits for a trial that is long over", key.entered.id));
        }
        if self.requests.iter().any(|request| request.attempt.is_some()) {
            self.wrong.push("a request was never ended".to_owned());
        }
    }
}

fn settings(rng: &mut Rng) -> Settings {
    let mut settings = Settings {
        max_attempts: rng.u32(1..7),
        max_wait_seconds: if rng.bool() { 0 } else { rng.u64(1..90) },
        ..Settings::default()
    };
    settings.key_selection = match rng.u8(..4) {
        0 => KeySelection::RoundRobin,
        1 => KeySelection::LeastLoaded,
        2 => KeySelection::Random,
        _ => KeySelection::FillFirst,
    };
    settings.upstream.request_timeout_seconds = 10;
    settings.proxy.auto_assignment = rng.u8(..4) > 0;
    settings.proxy.max_errors_before_disable = rng.u32(1..5);
    settings.monitoring.failure_threshold = rng.u32(1..5);
    settings.monitoring.recovery_time_seconds = rng.u64(5..60);
    settings
}
