//! The core's decisions without sockets and in virtual time: pools, judge and search against worlds drawn from seeds,
//! and one hour of quotas by script. Only time, chance and the two ends (clients and upstream) are simulated.
//!
//! `SIMULATION_RUNS=5000 cargo test -p aggregator-core --test simulation` runs more worlds; `SIMULATION_SEED` begins at
//! another one, as a failure names it.
#![cfg(test)]

mod bodies;
mod checks;
mod clock;
mod edits;
mod hour;
mod quotas;
mod run;
mod truth;

const MOST_SHOWN: usize = 5;

#[test]
fn random_worlds_keep_every_invariant() {
    let number = |name: &str, default: u64| {
        std::env::var(name).map_or(default, |text| text.parse().expect("a whole number"))
    };
    let (count, first) = (number("SIMULATION_RUNS", 300), number("SIMULATION_SEED", 1));
    let mut failed = Vec::new();
    let mut seen = run::Seen::default();
    for seed in first..first + count {
        let (wrong, one) = run::run(seed);
        seen.add(&one);
        if !wrong.is_empty() {
            failed.push(format!("SIMULATION_RUNS=1 SIMULATION_SEED={seed}\n    {}", wrong.join("\n    ")));
        }
        if failed.len() == MOST_SHOWN {
            break;
        }
    }
    assert!(failed.is_empty(), "{} worlds failed:\n{}", failed.len(), failed.join("\n"));
    println!("{count} worlds from seed {first}: {seen:?}");
    // A simulation in which nothing happens proves nothing.
    assert!(seen.is_lively(count), "{seen:?}");
}
