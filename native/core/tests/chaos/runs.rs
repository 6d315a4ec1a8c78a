//! Runs many cases, some at once, and tells of those that failed with the seed that repeats each. What a case is, the
//! tests decide.

use std::time::Duration;

use tokio::task::JoinSet;

/// Cases at once: enough to keep the machine busy while one of them waits.
const AT_ONCE: usize = 24;
/// A case that hangs is a failure; none comes near this.
const HANGS: Duration = Duration::from_secs(90);
/// With so many failures there is no need to go on.
const MOST_SHOWN: usize = 5;

/// `name` is the variable that holds the number of cases; `name_SEED` the first seed.
pub fn run<F>(name: &str, default: u64, case: fn(u64) -> F)
where
    F: Future<Output = Vec<String>> + Send + 'static,
{
    let number = |name: &str, default: u64| {
        std::env::var(name).map_or(default, |text| text.parse().expect("a whole number"))
    };
    let count = number(name, default);
    let first = number(&format!("{name}_SEED"), 1);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let failed = runtime.expect("a runtime").block_on(async move {
        let mut running = JoinSet::new();
        let mut failed = Vec::new();
        for seed in first..first + count {
            if failed.len() >= MOST_SHOWN {
                break;
            }
            while running.len() >= AT_ONCE {
                collect(&mut failed, running.join_next().await);
            }
            running.spawn(one(seed, case(seed)));
        }
        while let Some(ended) = running.join_next().await {
            collect(&mut failed, Some(ended));
        }
        failed
    });
    let shown: Vec<String> = failed
        .iter()
        .map(|(seed, words)| format!("{name}=1 {name}_SEED={seed}\n    {}", words.join("\n    ")))
        .collect();
    assert!(failed.is_empty(), "{} cases failed:\n{}", failed.len(), shown.join("\n"));
    println!("{count} cases from seed {first}, all as expected");
}

type Failed = Vec<(u64, Vec<String>)>;

async fn one(seed: u64, case: impl Future<Output = Vec<String>>) -> (u64, Vec<String>) {
    let words = tokio::time::timeout(HANGS, case).await;
    (seed, words.unwrap_or_else(|_| vec!["it hangs".to_owned()]))
}

fn collect(failed: &mut Failed, ended: Option<Result<(u64, Vec<String>), tokio::task::JoinError>>) {
    match ended {
        Some(Ok((_, words))) if words.is_empty() => {}
        Some(Ok(wrong)) => failed.push(wrong),
        Some(Err(error)) => failed.push((0, vec![error.to_string()])),
        None => {}
    }
}
