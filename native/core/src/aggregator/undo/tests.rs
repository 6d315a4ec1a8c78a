//! Removals that are taken back, and changes to many entries at once, as commands: through a vault, with a clock that the
//! test moves.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use async_trait::async_trait;

use crate::aggregator::{Aggregator, Opening, Tokens};
use crate::clock::{Clock, Millis};
use crate::command::{Command, KeysAction, RefusalCode, Reply};
use crate::fixtures::{entered_key, entered_proxy};
use crate::server::guard::AdminAccess;
use crate::settings::Settings;
use crate::vault::{Assignment, Entered, Vault, VaultError};

#[derive(Default)]
struct Keyring {
    broken: AtomicBool,
    saves: AtomicUsize,
}

#[async_trait]
impl Vault for Keyring {
    async fn save(&self, before: &Entered, after: &Entered) -> Result<(), VaultError> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(VaultError("The keyring is locked.".to_owned()));
        }
        self.saves.fetch_add(usize::from(before != after), Ordering::SeqCst);
        Ok(())
    }
}

struct Hand(AtomicU64);

impl Clock for Hand {
    fn now(&self) -> Millis {
        self.0.load(Ordering::SeqCst)
    }
}

struct Bench {
    core: Arc<Aggregator>,
    keyring: Arc<Keyring>,
    clock: Arc<Hand>,
}

impl Bench {
    fn new(keys: u32, proxies: u32) -> Self {
        let (keyring, clock) = (Arc::new(Keyring::default()), Arc::new(Hand(AtomicU64::new(1_000_000))));
        let entered = Entered {
            keys: (1..=keys).map(entered_key).collect(),
            proxies: (1..=proxies).map(entered_proxy).collect(),
            ..Entered::default()
        };
        let opening = Opening {
            settings: Settings::default(),
            entered,
            tokens: Tokens::Given(Vec::new()),
            admin: AdminAccess::Own(None),
            vault: Arc::clone(&keyring) as Arc<dyn Vault>,
            store: None,
            config: None,
            extra_ca: Vec::new(),
        };
        let rng = fastrand::Rng::with_seed(1);
        let core = Aggregator::open_at(opening, Arc::clone(&clock) as Arc<dyn Clock>, rng).unwrap();
        Self { core, keyring, clock }
    }

    fn pass(&self, minutes: u64) {
        self.clock.0.fetch_add(minutes * 60_000, Ordering::SeqCst);
    }

    fn entered(&self) -> Entered {
        self.core.state().pools.lock().entered()
    }

    fn assignment(&self, key: &str) -> Option<Assignment> {
        self.core.state().pools.lock().assignments.get(&key.into()).cloned()
    }

    async fn run(&self, command: Command) -> Reply {
        self.core.command(command).await
    }

    /// Removes, and answers what it can be taken back by.
    async fn remove(&self, command: Command) -> String {
        match self.run(command).await {
            Reply::Done { undo: Some(undo), .. } => undo,
            other => panic!("{other:?}"),
        }
    }

    async fn undo(&self, undo: &str) -> Reply {
        self.run(Command::UndoRemoval { undo: undo.to_owned() }).await
    }

    async fn assign(&self, key: &str, proxy: Option<&str>) {
        let command = Command::AssignProxy { key_id: key.into(), proxy_id: proxy.map(Into::into) };
        assert!(matches!(self.run(command).await, Reply::Done { undo: None, .. }));
    }
}

fn edit(ids: &[&str], action: KeysAction) -> Command {
    Command::EditKeys { ids: ids.iter().map(|id| (*id).into()).collect(), action }
}

fn refused(reply: Reply) -> (RefusalCode, String) {
    match reply {
        Reply::Refused(refusal) => (refusal.code, refusal.message),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn keys_come_back_as_they_were_and_where_they_were() {
    let bench = Bench::new(5, 2);
    bench.assign("k2", Some("p2")).await;
    bench.assign("k3", None).await;
    bench.run(edit(&["k2"], KeysAction::Disable)).await;
    let before = bench.entered();
    let undo = bench.remove(edit(&["k3", "k2", "k5"], KeysAction::Remove)).await;
    assert_eq!(bench.entered().keys.len(), 2);
    let saves = bench.keyring.saves.load(Ordering::SeqCst);
    assert!(matches!(bench.undo(&undo).await, Reply::Done { message, .. } if message == "3 keys are back."));
    assert_eq!(bench.entered(), before);
    assert_eq!(bench.keyring.saves.load(Ordering::SeqCst), saves + 1, "one change, one save");
}

#[tokio::test]
async fn a_proxy_comes_back_with_its_keys_but_those_given_another_by_hand() {
    let bench = Bench::new(4, 2);
    bench.assign("k1", Some("p1")).await;
    bench.assign("k3", Some("p1")).await;
    let before = bench.assignment("k1");
    let undo = bench.remove(Command::RemoveProxy { id: "p1".into() }).await;
    assert_eq!(bench.assignment("k1").unwrap().proxy_id, Some("p2".into()));
    bench.assign("k3", None).await;
    assert!(matches!(bench.undo(&undo).await, Reply::Done { id: Some(id), .. } if id == "p1"));
    assert_eq!(bench.assignment("k1"), before, "as it was, by hand");
    assert_eq!(bench.assignment("k3").unwrap().proxy_id, None, "what was chosen since stays");
    assert_eq!(bench.entered().proxies[0].id, "p1".into(), "in its place");
}

#[tokio::test]
async fn all_proxies_come_back_at_once() {
    let bench = Bench::new(6, 3);
    let before = bench.entered();
    let ids = vec!["p3".into(), "p1".into(), "p2".into()];
    let undo = bench.remove(Command::RemoveProxies { ids }).await;
    assert!(bench.entered().proxies.is_empty() && bench.entered().assignments.is_empty());
    bench.undo(&undo).await;
    assert_eq!(bench.entered(), before);
}

#[tokio::test]
async fn a_removal_can_be_undone_once_for_ten_minutes_and_not_past_twenty_others() {
    let bench = Bench::new(25, 0);
    let first = bench.remove(Command::RemoveKey { id: "k1".into() }).await;
    bench.pass(9);
    assert!(matches!(bench.undo(&first).await, Reply::Done { .. }));
    let (code, words) = refused(bench.undo(&first).await);
    assert_eq!(code, RefusalCode::NotFound);
    assert!(words.ends_with("20 others came after it."), "{words}");
    let late = bench.remove(Command::RemoveKey { id: "k1".into() }).await;
    bench.pass(10);
    refused(bench.undo(&late).await);
    let crowded = bench.remove(Command::RemoveKey { id: "k2".into() }).await;
    for number in 3..=22 {
        bench.remove(Command::RemoveKey { id: format!("k{number}").into() }).await;
    }
    refused(bench.undo(&crowded).await);
}

#[tokio::test]
async fn what_was_entered_again_is_not_entered_twice() {
    let bench = Bench::new(2, 1);
    let undo = bench.remove(edit(&["k1", "k2"], KeysAction::Remove)).await;
    let key = entered_key(2).secret.expose().to_owned();
    let again = Command::AddKey {
        key,
        name: Some("again".into()),
        project: None,
        weight: None,
        cooldown_seconds: None,
    };
    bench.run(again).await;
    let before = bench.entered();
    let (code, words) = refused(bench.undo(&undo).await);
    assert_eq!(code, RefusalCode::Duplicate);
    assert_eq!(words, "The removal cannot be undone. This key is there already, under the name \"again\".");
    assert_eq!(bench.entered(), before, "all or nothing");
    let undo = bench.remove(Command::RemoveProxy { id: "p1".into() }).await;
    bench.run(Command::AddProxy { url: "http://127.0.0.1:9001".into(), name: None }).await;
    assert_eq!(refused(bench.undo(&undo).await).0, RefusalCode::Duplicate);
}

#[tokio::test]
async fn an_undo_that_was_not_saved_can_be_tried_again() {
    let bench = Bench::new(1, 0);
    let undo = bench.remove(Command::RemoveKey { id: "k1".into() }).await;
    bench.keyring.broken.store(true, Ordering::SeqCst);
    assert_eq!(refused(bench.undo(&undo).await).0, RefusalCode::NotSaved);
    bench.keyring.broken.store(false, Ordering::SeqCst);
    assert!(matches!(bench.undo(&undo).await, Reply::Done { .. }));
}

#[tokio::test]
async fn many_keys_are_one_change_or_none() {
    let bench = Bench::new(4, 2);
    let saves = || bench.keyring.saves.load(Ordering::SeqCst);
    let before = bench.entered();
    let (code, _) = refused(bench.run(edit(&["k1", "nobody"], KeysAction::Disable)).await);
    assert_eq!(code, RefusalCode::NotFound);
    let nowhere = KeysAction::Assign { proxy_id: Some("nowhere".into()) };
    assert_eq!(refused(bench.run(edit(&["k1"], nowhere)).await).0, RefusalCode::NotFound);
    assert_eq!(refused(bench.run(edit(&[], KeysAction::Enable)).await).0, RefusalCode::Invalid);
    assert_eq!((bench.entered(), saves()), (before, 0));
    bench.run(edit(&["k1", "k2", "k1"], KeysAction::Disable)).await;
    let enabled: Vec<bool> = bench.entered().keys.iter().map(|key| key.enabled).collect();
    assert_eq!((enabled, saves()), (vec![false, false, true, true], 1));
    bench.run(edit(&["k1", "k2"], KeysAction::Enable)).await;
    assert!(bench.entered().keys.iter().all(|key| key.enabled));
    bench.run(edit(&["k1", "k2", "k3"], KeysAction::Assign { proxy_id: Some("p2".into()) })).await;
    let by_hand = |key: &str| bench.assignment(key).map(|entry| (entry.proxy_id, entry.is_manual));
    assert!(["k1", "k2", "k3"].iter().all(|key| by_hand(key) == Some((Some("p2".into()), true))));
    bench.run(edit(&["k1"], KeysAction::Assign { proxy_id: None })).await;
    assert_eq!(by_hand("k1"), Some((None, true)));
    bench.run(edit(&["k1", "k2"], KeysAction::Assign { proxy_id: Some("auto".into()) })).await;
    assert_eq!(by_hand("k1"), Some((Some("p1".into()), false)));
}

#[tokio::test]
async fn a_plan_says_what_rebalancing_then_does_and_changes_nothing() {
    let bench = Bench::new(5, 1);
    let settings = Settings::default();
    let uneven = crate::settings::ProxySettings { rebalance_threshold: 5, ..settings.proxy.clone() };
    let settings = Box::new(Settings { proxy: uneven, ..settings });
    bench.run(Command::ApplySettings { settings }).await;
    bench.run(Command::AddProxy { url: "http://127.0.0.1:9002".into(), name: Some("second".into()) }).await;
    let before = bench.entered();
    let Reply::RebalancePlan { moves, spread_before, spread_after, message } =
        bench.run(Command::PlanRebalance).await
    else {
        panic!("no plan")
    };
    assert_eq!(bench.entered(), before);
    assert_eq!((spread_before, spread_after), (5, 1));
    assert_eq!(message, "2 keys would move to other proxies.");
    bench.run(Command::RebalanceProxies).await;
    let moved: Vec<_> = bench
        .entered()
        .assignments
        .into_iter()
        .zip(before.assignments)
        .filter(|(now, then)| now.proxy_id != then.proxy_id)
        .map(|(now, then)| (now.key_id, then.proxy_id, now.proxy_id))
        .collect();
    let planned: Vec<_> =
        moves.into_iter().map(|one| (one.key_id, one.from.map(|proxy| proxy.id), Some(one.to.id))).collect();
    assert_eq!(planned, moved);
    let Reply::RebalancePlan { moves, message, .. } = bench.run(Command::PlanRebalance).await else {
        panic!()
    };
    assert!(moves.is_empty());
    assert_eq!(message, "The keys are balanced already; none would move.");
}

#[tokio::test]
async fn pages_of_the_log_are_bounded() {
    let bench = Bench::new(1, 0);
    let list = |limit| Command::ListRequests { offset: 0, limit, filter: Default::default() };
    assert_eq!(refused(bench.run(list(0)).await).0, RefusalCode::Invalid);
    assert_eq!(refused(bench.run(list(501)).await).0, RefusalCode::Invalid);
    assert!(matches!(bench.run(list(500)).await, Reply::Requests { total: 0, matched: 0, .. }));
}
