//! Measures what a large fleet costs: spreading keys that are all on one proxy, a proxy that fails with its share of
//! them, finding a key's proxy, changing one key among all and reading all of them at a start, from 10 keys to 10,000.
//! Prints one line of JSON for `npm run bench`, which knows the bounds. It uses the core as it is, and no sockets.

use std::collections::HashMap;
use std::error::Error;
use std::hint::black_box;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aggregator_core::aggregator::{Aggregator, Opening, Tokens};
use aggregator_core::command::{Command, Reply};
use aggregator_core::ids::KeyId;
use aggregator_core::pools::Pools;
use aggregator_core::proxies::pool::Turn;
use aggregator_core::proxies::url::ProxyUrl;
use aggregator_core::secret::Secret;
use aggregator_core::server::guard::AdminAccess;
use aggregator_core::settings::Settings;
use aggregator_core::vault::secrets::{load, secret_names, writes_between};
use aggregator_core::vault::{Assignment, Entered, EnteredKey, EnteredProxy, Vault, VaultError};

const FLEETS: [(usize, usize); 4] = [(10, 2), (100, 10), (1_000, 100), (10_000, 100)];
const ROUNDS: usize = 25;
const LOOKUPS: usize = 1_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    let rows: Result<Vec<_>, Box<dyn Error>> =
        FLEETS.into_iter().map(|(keys, proxies)| row(keys, proxies)).collect();
    writeln!(std::io::stdout(), "{}", serde_json::to_string(&rows?)?)?;
    Ok(())
}

fn row(keys: usize, proxies: usize) -> Result<serde_json::Value, Box<dyn Error>> {
    let settings = Settings::default();
    let entered = lopsided(keys, proxies)?;
    let mut crowded = Pools::new(fastrand::Rng::with_seed(1));
    crowded.adopt(entered.clone());
    let mut spread = crowded.clone();
    spread.settle_assignments(&settings, 2);
    let moves = moved(&entered.assignments, &spread.entered().assignments);

    let rebalance = quickest(|| {
        let mut pools = crowded.clone();
        let begun = Instant::now();
        pools.settle_assignments(&settings, 2);
        let took = begun.elapsed();
        black_box(pools);
        took
    });
    let victim = &entered.proxies[0].id;
    let failure = quickest(|| {
        let mut pools = spread.clone();
        pools.proxies.failed(victim, 3, "refused", 1);
        let begun = Instant::now();
        black_box(pools.turned(victim, Turn::Failed, &settings, 3));
        let took = begun.elapsed();
        black_box(pools);
        took
    });
    let evened = spread.entered();
    let start = start(&evened);
    let edit = edit(evened)?;
    Ok(serde_json::json!({
        "keys": keys, "proxies": proxies, "moves": moves,
        "rebalanceMs": rebalance.as_secs_f64() * 1e3,
        "failureMs": failure.as_secs_f64() * 1e3,
        "editMs": edit.as_secs_f64() * 1e3,
        "startMs": start.as_secs_f64() * 1e3,
        "lookupNs": lookup(&spread, &entered).as_secs_f64() * 1e9,
    }))
}

/// Every key is on the first proxy.
fn lopsided(keys: usize, proxies: usize) -> Result<Entered, Box<dyn Error>> {
    let proxies = (0..proxies).map(|number| {
        let url = Arc::new(ProxyUrl::parse(&format!("http://127.0.0.1:{}", 10_000 + number))?);
        let id = format!("proxy_1700000000000_{number:07}");
        Ok(EnteredProxy { id: id.as_str().into(), name: id, url, enabled: true })
    });
    let proxies = proxies.collect::<Result<Vec<_>, Box<dyn Error>>>()?;
    let keys: Vec<EnteredKey> = (0..keys).map(key).collect();
    let assignments = keys.iter().map(|key| Assignment {
        key_id: key.id.clone(),
        proxy_id: Some(proxies[0].id.clone()),
        assigned_at: 1,
        is_manual: false,
        home: None,
    });
    Ok(Entered { assignments: assignments.collect(), keys, proxies, rotating: None })
}

fn key(number: usize) -> EnteredKey {
    EnteredKey {
        id: format!("key_1700000000000_{number:07}").into(),
        name: format!("key {number}"),
        secret: Secret::new(format!("bench-key-{number:07}")),
        project: None,
        weight: 1,
        cooldown_seconds: None,
        enabled: true,
    }
}

fn moved(before: &[Assignment], after: &[Assignment]) -> usize {
    before.iter().zip(after).filter(|(old, new)| old.proxy_id != new.proxy_id).count()
}

/// One lookup, in an order that no cache foresees.
fn lookup(pools: &Pools, entered: &Entered) -> Duration {
    let mut rng = fastrand::Rng::with_seed(1);
    let order: Vec<&KeyId> =
        (0..LOOKUPS).map(|_| &entered.keys[rng.usize(..entered.keys.len())].id).collect();
    let begun = Instant::now();
    for id in &order {
        black_box(pools.assignments.get(id));
    }
    begun.elapsed() / u32::try_from(LOOKUPS).unwrap_or(u32::MAX)
}

/// The secrets of VS Code, without VS Code: what a change would write there is made and let go.
struct Forgetful;

#[async_trait::async_trait]
impl Vault for Forgetful {
    async fn save(&self, before: &Entered, after: &Entered) -> Result<(), VaultError> {
        black_box(writes_between(before, after));
        Ok(())
    }
}

/// A change of one key from the command to its reply: checked, written, taken over and told.
fn edit(entered: Entered) -> Result<Duration, Box<dyn Error>> {
    let id = entered.keys[entered.keys.len() / 2].id.clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let core = Aggregator::open(Opening {
            settings: Settings::default(),
            entered,
            tokens: Tokens::Given(vec![Secret::new("bench-local-token")]),
            admin: AdminAccess::Own(None),
            vault: Arc::new(Forgetful),
            store: None,
            config: None,
            extra_ca: Vec::new(),
        })?;
        let mut least = Duration::MAX;
        for round in 0..ROUNDS {
            let name = Some(format!("renamed {round}"));
            let (key, project, weight, cooldown_seconds) = (None, None, None, None);
            let command = Command::ModifyKey { id: id.clone(), key, name, project, weight, cooldown_seconds };
            let begun = Instant::now();
            let reply = core.command(command).await;
            least = least.min(begun.elapsed());
            if !matches!(reply, Reply::Done { .. }) {
                return Err(format!("the change was refused: {reply:?}").into());
            }
        }
        core.close().await;
        Ok(least)
    })
}

/// What was stored is read: the secrets of VS Code as they are handed over at a start.
fn start(entered: &Entered) -> Duration {
    let writes = writes_between(&Entered::default(), entered);
    let stored: HashMap<String, String> =
        writes.into_iter().filter_map(|write| Some((write.name, write.value?))).collect();
    quickest(|| {
        let begun = Instant::now();
        black_box((secret_names(&stored), load(&stored)));
        begun.elapsed()
    })
}

/// Whatever else the machine does meanwhile only adds to a round.
fn quickest(round: impl FnMut() -> Duration) -> Duration {
    std::iter::repeat_with(round).take(ROUNDS).min().unwrap_or_default()
}
