//! One hour by script: 20 keys in 5 projects, two models, quotas a minute and a day on Google's side, and clients who ask
//! for more than there is. The hour spans a midnight in Los Angeles, so that a daily quota returns within it.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;

use aggregator_core::clock::{Clock, Millis};
use aggregator_core::dispatch::search::{Asked, Attempted, Next, Search};
use aggregator_core::keys::Out;
use aggregator_core::pools::{Pick, Pools};
use aggregator_core::secret::Secret;
use aggregator_core::settings::Settings;
use aggregator_core::state::{Lease, State};
use aggregator_core::vault::EnteredKey;
use fastrand::Rng;

use crate::bodies;
use crate::clock::{BEGIN, VirtualClock};
use crate::quotas::{Google, Limits, UsedUp};

const HOUR: Millis = 3_600_000;
const MINUTES: u32 = 60;
/// Half an hour before midnight in Los Angeles, at the beginning of a minute.
const START: Millis = BEGIN + 11 * HOUR + HOUR / 2;
const KEYS: usize = 20;
const PROJECTS: usize = 5;
const LEAST_USED: f64 = 0.99;
/// The project whose quota of the day is used up after ten minutes, and the model.
const SHORT: (&str, &str) = ("project-0", "pro");

/// For each model its limit a minute and how often it is asked for, in milliseconds: half as often again as it may be.
const MODELS: [(&str, u32, Millis); 2] = [("pro", 5, 1_600), ("flash", 15, 533)];

fn limits(project: &str, model: &str) -> Limits {
    let minute = MODELS.iter().find(|(name, ..)| *name == model).map_or(0, |(_, minute, _)| *minute);
    let day = if (project, model) == SHORT { minute * 10 } else { u32::MAX };
    Limits { minute, day }
}

/// What Google would have served in the hour, at most.
fn available() -> u32 {
    let of_pair = |project: &str, model: &str| {
        let limits = limits(project, model);
        // Two days touch the hour.
        (limits.minute * MINUTES).min(limits.day.saturating_mul(2))
    };
    let projects = (0..PROJECTS).map(|number| format!("project-{number}"));
    projects.map(|project| MODELS.iter().map(|(model, ..)| of_pair(&project, model)).sum::<u32>()).sum()
}

enum Step {
    Arrive(usize),
    Look(usize),
    End(usize),
}

struct Request {
    model: &'static str,
    search: Search,
    attempt: Option<(Lease, Result<(), UsedUp>)>,
}

struct Hour {
    state: Arc<State>,
    clock: Arc<VirtualClock>,
    google: Google,
    rng: Rng,
    now: Millis,
    steps: BinaryHeap<Reverse<(Millis, usize)>>,
    what: Vec<Step>,
    requests: Vec<Request>,
    /// Until when each project is to rest for each model, by what Google said.
    rests: HashMap<(String, &'static str), Millis>,
    served: u32,
    refused: u32,
    cooldowns: u32,
}

#[test]
fn an_hour_of_quotas_is_used_whole_and_nobody_cooling_is_asked() {
    let mut hour = Hour::new();
    for (model, ..) in MODELS.iter().enumerate() {
        hour.later(0, Step::Arrive(model));
    }
    while let Some(Reverse((at, number))) = hour.steps.pop() {
        hour.now = at;
        hour.clock.set(at);
        match hour.what[number] {
            Step::Arrive(model) => hour.arrive(model),
            Step::Look(request) => hour.look(request),
            Step::End(request) => hour.end(request),
        }
    }
    let (available, used) = (available(), f64::from(hour.served) / f64::from(available()));
    println!(
        "{} requests: {} of {available} that the quotas allow were served ({:.2} %), {} refusals, {} cooldowns",
        hour.requests.len(),
        hour.served,
        used * 100.0,
        hour.refused,
        hour.cooldowns
    );
    assert!(hour.requests.len() as u32 > available, "clients ask for more than there is");
    assert!(hour.served <= available, "Google's side serves no more than it has");
    assert!(used >= LEAST_USED, "{used}");
}

impl Hour {
    fn new() -> Self {
        let mut pools = Pools::new(Rng::with_seed(7));
        for number in 0..KEYS {
            let key = EnteredKey {
                id: format!("k{number}").into(),
                name: format!("key {number}"),
                secret: Secret::new(format!("text-of-a-key-{number:05}")),
                project: Some(format!("project-{}", number % PROJECTS)),
                weight: 1,
                cooldown_seconds: None,
                enabled: true,
            };
            pools.keys.add(key).expect("a key that is new");
        }
        let clock = Arc::new(VirtualClock::new());
        clock.set(START);
        let settings = Settings { max_attempts: 10, ..Settings::default() };
        Self {
            state: State::new(pools, settings, Arc::clone(&clock) as Arc<dyn Clock>),
            clock,
            google: Google::default(),
            rng: Rng::with_seed(11),
            now: START,
            steps: BinaryHeap::new(),
            what: Vec::new(),
            requests: Vec::new(),
            rests: HashMap::new(),
            served: 0,
            refused: 0,
            cooldowns: 0,
        }
    }

    fn later(&mut self, wait: Millis, step: Step) {
        self.what.push(step);
        self.steps.push(Reverse((self.now + wait, self.what.len() - 1)));
    }

    fn arrive(&mut self, which: usize) {
        let (model, _, every) = MODELS[which];
        let asked = Asked { model: Some(model.into()), ..Asked::default() };
        let search = Search::new(asked, &self.state.settings(), self.now);
        self.requests.push(Request { model, search, attempt: None });
        self.look(self.requests.len() - 1);
        let wait = self.rng.u64(every / 2..=every + every / 2);
        // The last answers still come in after the hour, but nobody asks any more.
        if self.now + wait < START + HOUR {
            self.later(wait, Step::Arrive(which));
        }
    }

    fn look(&mut self, number: usize) {
        let wish = self.requests[number].search.wish().clone();
        match self.state.lease(&wish, self.state.now()) {
            Ok(lease) => self.attempt(number, lease),
            Err(no_key) => {
                let returns = self.state.earliest_return(&wish);
                let next = self.requests[number].search.without_key(&no_key, returns, self.now);
                assert_eq!(next, Next::GiveUp, "nobody waits in this hour");
            }
        }
    }

    fn attempt(&mut self, number: usize, lease: Lease) {
        let (project, model) = (project_of(&self.state, &lease.pick), self.requests[number].model);
        let rests_until = self.rests.get(&(project.clone(), model)).copied().unwrap_or(0);
        assert!(
            rests_until <= self.now,
            "{project} was asked for {model} {} ms before the end of its rest",
            rests_until - self.now
        );
        let answer = self.google.ask(&project, model, limits(&project, model), self.now);
        let takes = if answer.is_ok() { self.rng.u64(50..2_000) } else { 5 };
        self.requests[number].attempt = Some((lease, answer));
        self.later(takes, Step::End(number));
    }

    fn end(&mut self, number: usize) {
        let Some((lease, answer)) = self.requests[number].attempt.take() else { return };
        let pick = lease.pick.clone();
        let Err(used_up) = answer else {
            self.served += 1;
            lease.settle(&bodies::ok());
            return;
        };
        self.refused += 1;
        let outcome = used_up.outcome(None);
        let verdict = lease.settle(&outcome);
        self.note(&pick, self.requests[number].model, used_up);
        let failed = Attempted { pick: &pick, outcome: &outcome, verdict: &verdict, repeatable: true };
        if let Next::Again(at) = self.state.after_failure(&mut self.requests[number].search, failed) {
            self.later(at.saturating_sub(self.now), Step::Look(number));
        }
    }

    /// Every cooldown ends when it should: not a millisecond sooner or later, for every key of the project.
    fn note(&mut self, pick: &Pick, model: &'static str, used_up: UsedUp) {
        let project = project_of(&self.state, pick);
        // A day ends when it ends; a minute after the delay that was named.
        let ends = match used_up.quota {
            bodies::DAY_QUOTA => used_up.until,
            _ => self.now + Millis::try_from(used_up.delay.as_millis()).expect("a minute"),
        };
        let ends = ends.max(self.rests.get(&(project.clone(), model)).copied().unwrap_or(0));
        if self.rests.insert((project.clone(), model), ends) != Some(ends) {
            self.cooldowns += 1;
        }
        let pools = self.state.pools.lock();
        let of_project =
            |key: &&aggregator_core::keys::ApiKey| key.entered.project.as_ref() == Some(&project);
        for key in pools.keys.iter().filter(of_project) {
            let before = pools.out(key, Some(model), ends - 1);
            assert!(
                matches!(&before, Some(Out::Cooling(resting)) if resting.until == ends),
                "{project} {model}: {before:?}, expected until {ends}"
            );
            assert_eq!(pools.out(key, Some(model), ends), None, "{project} {model} rests too long");
        }
    }
}

fn project_of(state: &State, pick: &Pick) -> String {
    let pools = state.pools.lock();
    pools.keys.get(&pick.key).and_then(|key| key.entered.project.clone()).expect("each has a project")
}
