//! Backups and pasted lists as commands: one change each, or none, through a vault that can refuse.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;

use crate::aggregator::{Aggregator, Opening, Tokens};
use crate::command::{Command, ListedResult, RefusalCode, Reply};
use crate::fixtures::{entered_key, entered_proxy};
use crate::server::guard::AdminAccess;
use crate::settings::Settings;
use crate::vault::{Entered, Vault, VaultError};

/// Counts what it is given and takes nothing while `broken`.
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

fn open(entered: Entered) -> (Arc<Aggregator>, Arc<Keyring>) {
    let keyring = Arc::new(Keyring::default());
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
    (Aggregator::open(opening).unwrap(), keyring)
}

fn furnished() -> Entered {
    let mut entered = Entered {
        keys: (1..=3).map(entered_key).collect(),
        proxies: (1..=2).map(entered_proxy).collect(),
        assignments: Vec::new(),
        rotating: None,
    };
    entered.keys.iter_mut().for_each(|key| key.id = format!("key_{}", key.id).as_str().into());
    entered.proxies.iter_mut().for_each(|proxy| proxy.id = format!("proxy_{}", proxy.id).as_str().into());
    entered
}

fn entered(aggregator: &Aggregator) -> Entered {
    aggregator.state().pools.lock().entered()
}

async fn backup_of(aggregator: &Arc<Aggregator>, passphrase: Option<&str>) -> String {
    let passphrase = passphrase.map(str::to_owned);
    match aggregator.command(Command::ExportBackup { passphrase }).await {
        Reply::Backup { text, .. } => text,
        other => panic!("{other:?}"),
    }
}

async fn import(aggregator: &Arc<Aggregator>, text: &str, passphrase: Option<&str>) -> Reply {
    let passphrase = passphrase.map(str::to_owned);
    aggregator.command(Command::ImportBackup { text: text.to_owned(), passphrase }).await
}

#[tokio::test]
async fn a_backup_is_restored_in_one_change_and_a_second_time_in_none() {
    const PASSPHRASE: &str = "correct horse battery";
    let (source, _) = open(furnished());
    let text = backup_of(&source, Some(PASSPHRASE)).await;
    let (target, keyring) = open(Entered::default());
    let preview = Command::PreviewBackup { text: text.clone(), passphrase: Some(PASSPHRASE.to_owned()) };
    let Reply::BackupDiff { diff: shown, .. } = target.command(preview).await else { panic!("no preview") };
    assert_eq!(shown.keys.added, ["key 1", "key 2", "key 3"]);
    assert_eq!(entered(&target), Entered::default(), "a preview changes nothing");
    let Reply::BackupDiff { diff, .. } = import(&target, &text, Some(PASSPHRASE)).await else { panic!() };
    assert_eq!(diff, shown);
    assert_eq!((entered(&target).keys, entered(&target).proxies), (furnished().keys, furnished().proxies));
    let restored = entered(&target);
    let Reply::BackupDiff { diff, message } = import(&target, &text, Some(PASSPHRASE)).await else {
        panic!()
    };
    assert_eq!((diff.summary(), message.contains("changed nothing")), (None, true));
    assert_eq!((entered(&target), keyring.saves.load(Ordering::SeqCst)), (restored, 1));
}

#[tokio::test]
async fn what_the_vault_does_not_take_is_not_restored_and_not_added() {
    let (source, _) = open(furnished());
    let mut changed = furnished();
    changed.keys.iter_mut().for_each(|key| key.weight = 9);
    let text = backup_of(&source, None).await;
    let (target, keyring) = open(changed);
    let before = entered(&target);
    keyring.broken.store(true, Ordering::SeqCst);
    for reply in [import(&target, &text, None).await, add_list(&target, "http://10.0.0.1:1").await] {
        let Reply::Refused(refusal) = reply else { panic!("{reply:?}") };
        assert_eq!(refusal.code, RefusalCode::NotSaved);
    }
    assert_eq!(entered(&target), before);
    keyring.broken.store(false, Ordering::SeqCst);
    assert!(matches!(import(&target, &text, None).await, Reply::BackupDiff { .. }));
    assert_eq!(entered(&target).keys, furnished().keys);
}

#[tokio::test]
async fn a_refusal_holds_neither_passphrase_nor_text() {
    let (aggregator, _) = open(furnished());
    let text = backup_of(&aggregator, None).await.replace("\"weight\": 1", "\"weight\": \"my-secret\"");
    for reply in [
        import(&aggregator, &text, Some("my-secret-phrase")).await,
        aggregator.command(Command::ExportBackup { passphrase: Some("sec".to_owned()) }).await,
    ] {
        let Reply::Refused(refusal) = reply else { panic!("{reply:?}") };
        assert!(!refusal.message.contains("sec"), "{}", refusal.message);
    }
}

async fn add_list(aggregator: &Arc<Aggregator>, text: &str) -> Reply {
    aggregator.command(Command::AddProxies { text: text.to_owned() }).await
}

#[tokio::test]
async fn the_good_proxies_of_a_list_are_added_in_one_change_and_the_others_named_by_line() {
    let (aggregator, keyring) = open(furnished());
    let list = "# mine\nfar=socks5://user:secret@10.0.0.9:1080\nHTTP://127.0.0.1:9001/\nftp://10.0.0.1\n\nhttp://10.0.0.8:1\nhttp://10.0.0.8:1";
    let Reply::ProxiesListed { message, entries } = add_list(&aggregator, list).await else { panic!() };
    use ListedResult::{Added, Duplicate, Refused};
    let results: Vec<_> = entries.iter().map(|entry| (entry.line, entry.result)).collect();
    assert_eq!(results, [(2, Added), (3, Duplicate), (4, Refused), (6, Added), (7, Duplicate)]);
    assert!(
        message.starts_with("2 proxies added, 2 were there already, 1 refused. Line 4: ")
            && !format!("{entries:?}").contains("secret"),
        "{message} {entries:?}"
    );
    let names: Vec<String> = entered(&aggregator).proxies.into_iter().map(|proxy| proxy.name).collect();
    assert_eq!(names, ["p1", "p2", "far", "10.0.0.8:1"]);
    assert_eq!(keyring.saves.load(Ordering::SeqCst), 1);
    let Reply::Refused(refusal) = add_list(&aggregator, "# nothing\n").await else { panic!() };
    assert_eq!(refusal.field.as_deref(), Some("text"));
}

async fn add_keys(aggregator: &Arc<Aggregator>, text: &str) -> Reply {
    aggregator.command(Command::AddKeys { text: text.to_owned() }).await
}

#[tokio::test]
async fn the_good_keys_of_a_list_are_added_in_one_change_and_the_others_named_by_row() {
    let (aggregator, keyring) = open(furnished());
    let twin = entered(&aggregator).keys.remove(0).secret.expose().to_owned();
    let list = format!(
        "name,key,project,proxy\nwork,test-key-list-0001,proj-9,p2\nagain,{twin},,\nwork,test-key-list-0003,,\n,test-key-list-0004,,nowhere\n"
    );
    let Reply::KeysListed { message, entries } = add_keys(&aggregator, &list).await else { panic!() };
    use ListedResult::{Added, Duplicate, Refused};
    let results: Vec<_> = entries.iter().map(|entry| (entry.line, entry.result)).collect();
    assert_eq!(results, [(2, Added), (3, Duplicate), (4, Refused), (5, Added)]);
    assert!(message.starts_with("2 keys added, 1 was there already, 1 refused. Line 4: "), "{message}");
    let told = format!("{message} {entries:?}");
    assert!(!told.contains("test-key") && told.contains("••••0001"), "{told}");
    let after = entered(&aggregator);
    let (_, work) = after.keys_by_id().into_iter().find(|(_, key)| key.name == "work").unwrap();
    assert_eq!(work.project.as_deref(), Some("proj-9"));
    let placed = after.assignments.iter().find(|placed| placed.key_id == work.id).unwrap();
    assert!(
        placed.is_manual && placed.proxy_id.as_ref().is_some_and(|id| id.to_string() == "proxy_p2"),
        "{placed:?}"
    );
    assert_eq!(keyring.saves.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_list_of_keys_that_cannot_be_saved_or_read_changes_nothing() {
    let (aggregator, keyring) = open(furnished());
    keyring.broken.store(true, Ordering::SeqCst);
    let before = entered(&aggregator);
    let refusals = [
        (add_keys(&aggregator, "test-key-list-0001\ntest-key-list-0002").await, RefusalCode::NotSaved),
        (add_keys(&aggregator, "keys: [{").await, RefusalCode::Invalid),
        (add_keys(&aggregator, "# nothing").await, RefusalCode::Invalid),
    ];
    for (reply, code) in refusals {
        let Reply::Refused(refusal) = reply else { panic!("{reply:?}") };
        assert_eq!(refusal.code, code, "{}", refusal.message);
    }
    assert_eq!(entered(&aggregator), before);
}
