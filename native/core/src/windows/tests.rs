//! Several windows in one process, on real locks and sockets: who leads, what followers see and ask, and that whoever
//! takes over has every change that was confirmed, whatever its own copy of the secret store held.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::announcement::Announcement;
use super::*;
use crate::lock;
use crate::settings::Settings;
use crate::vault::VaultError;
use crate::vault::secrets::{load, writes_between, writes_over};
use crate::views::EndpointView;
use crate::wire::{OpenReport, WindowRole};

/// A window's own copy of the secret store, as in the browser: nobody else writes it.
#[derive(Default)]
struct OwnStore {
    texts: Mutex<HashMap<String, String>>,
    owed: tokio::sync::Mutex<Option<Owed>>,
    told: Mutex<Vec<String>>,
}

impl OwnStore {
    fn carry_out(&self, writes: Vec<SecretWrite>) {
        let mut texts = self.texts.lock();
        for SecretWrite { name, value } in writes {
            match value {
                Some(value) => texts.insert(name, value),
                None => texts.remove(&name),
            };
        }
    }
}

#[async_trait]
impl Vault for OwnStore {
    async fn save(&self, before: &Entered, after: &Entered) -> Result<(), VaultError> {
        self.begin().await?;
        self.carry_out(writes_between(before, after));
        Ok(())
    }

    async fn begin(&self) -> Result<(), VaultError> {
        match self.owed.lock().await.take() {
            Some(Owed::Writes(writes)) => self.carry_out(writes),
            Some(Owed::Whole(entered)) => {
                let own = self.texts.lock().clone();
                self.carry_out(writes_over(&own, &entered));
            }
            None => {}
        }
        Ok(())
    }
}

#[async_trait]
impl WindowHost for OwnStore {
    async fn read(&self) -> Result<HashMap<String, String>, String> {
        Ok(self.texts.lock().clone())
    }

    fn owe(&self, owed: Owed) {
        *self.owed.try_lock().unwrap() = Some(owed);
    }

    fn tell(&self, message: CoreMessage) {
        self.told.lock().push(serde_json::to_string(&message).unwrap());
    }
}

struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("gka-windows-{}-{count}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

struct One {
    window: Arc<Window>,
    store: Arc<OwnStore>,
    report: OpenReport,
}

fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.server.port = 0;
    settings.server.shutdown_grace_seconds = 0;
    settings
}

async fn open(folder: &Path) -> One {
    let store = Arc::new(OwnStore::default());
    let options = Options {
        settings: settings(),
        folder: Some(folder.to_owned()),
        secrets: None,
        token_file: folder.join("local-token"),
        store: None,
        extra_ca: Vec::new(),
    };
    let window = Window::new(Arc::clone(&store) as Arc<_>, options);
    let report = window.open().await.unwrap();
    if report.role == WindowRole::Leader {
        window.start_server().await;
    }
    One { window, store, report }
}

impl One {
    async fn add(&self, name: &str) -> Value {
        let command = json!({"kind": "add_key", "key": format!("test-key-{name}-0001"), "name": name});
        serde_json::from_str(&self.window.command(&command.to_string()).await).unwrap()
    }

    fn names(&self) -> Vec<String> {
        self.window.snapshot().keys.into_iter().map(|key| key.name).collect()
    }

    fn stored(&self) -> Vec<String> {
        load(&self.store.texts.lock()).entered.keys.into_iter().map(|key| key.name).collect()
    }

    async fn until(&self, what: &str, mut holds: impl FnMut(&Self) -> bool) {
        let mut changes = self.window.events().changes();
        let seen = async {
            while !holds(self) {
                changes.changed().await.unwrap();
            }
        };
        tokio::time::timeout(Duration::from_secs(5), seen).await.unwrap_or_else(|_| panic!("never: {what}"));
    }

    fn listens(&self) -> bool {
        matches!(self.window.snapshot().endpoint, EndpointView::Listening { .. })
    }

    fn has_told(&self, role: &str) -> bool {
        self.times_told(role) > 0
    }

    fn times_told(&self, role: &str) -> usize {
        self.store.told.lock().iter().filter(|told| told.contains(role)).count()
    }
}

fn roles(all: &[&One]) -> Vec<WindowRole> {
    all.iter().map(|one| one.report.role).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_made_in_a_follower_is_seen_everywhere_and_survives_every_leader_in_turn() {
    let folder = Folder::new();
    let (a, b, c) = (open(&folder.0).await, open(&folder.0).await, open(&folder.0).await);
    assert_eq!(roles(&[&a, &b, &c]), [WindowRole::Leader, WindowRole::Follower, WindowRole::Follower]);
    assert_eq!(a.add("one").await["kind"], "done");
    assert_eq!(b.add("two").await["kind"], "done");
    assert_eq!(b.names(), ["one", "two"], "whoever made a change sees it at once");
    c.until("the other follower sees both", |c| c.names().len() == 2).await;
    assert_eq!(a.stored(), ["one", "two"]);
    assert_eq!(b.stored(), Vec::<String>::new(), "a follower writes nothing");

    a.window.close().await;
    tokio::select! {
        () = b.until("b leads", |b| b.has_told("leader")) => {}
        () = c.until("c leads", |c| c.has_told("leader")) => {}
    }
    let (next, last) = if b.has_told("leader") { (&b, &c) } else { (&c, &b) };
    last.until("it follows the new leader", |last| last.times_told("follower") == 2).await;
    next.until("the new leader listens", |next| next.listens()).await;
    assert_eq!(next.names(), ["one", "two"]);
    assert_eq!(last.add("three").await["kind"], "done");
    assert_eq!(next.stored(), ["one", "two", "three"], "all of it, in a store that had none");

    next.window.close().await;
    last.until("the last listens", |last| last.has_told("leader") && last.listens()).await;
    assert_eq!(last.add("four").await["kind"], "done");
    assert_eq!(last.stored(), ["one", "two", "three", "four"]);
    last.window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_windows_opened_at_once_exactly_one_leads() {
    for _ in 0..5 {
        let folder = Folder::new();
        let (a, b, c) = tokio::join!(open(&folder.0), open(&folder.0), open(&folder.0));
        let leaders = roles(&[&a, &b, &c]).into_iter().filter(|role| *role == WindowRole::Leader).count();
        assert_eq!(leaders, 1);
        for one in [a, b, c] {
            one.window.close().await;
        }
    }
}

/// Dropping a runtime ends a window as kill does: nothing is saved, nothing is said.
#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_dies_is_followed_within_a_second_with_all_that_was_confirmed() {
    let folder = Folder::new();
    let dying = Runtime::new().unwrap();
    let path = folder.0.clone();
    let first = dying.spawn(async move { open(&path).await }).await.unwrap();
    let second = open(&folder.0).await;
    assert_eq!(second.add("kept").await["kind"], "done");
    let before = second.window.snapshot().revision;
    dying.shutdown_background();
    drop(first);
    let died = std::time::Instant::now();
    second.until("it leads and listens", |one| one.has_told("leader") && one.listens()).await;
    assert!(died.elapsed() < Duration::from_secs(1), "{:?}", died.elapsed());
    assert_eq!(second.names(), ["kept"]);
    assert!(second.window.snapshot().revision > before, "revisions never go back");
    assert_eq!(second.add("more").await["kind"], "done");
    assert_eq!(second.stored(), ["kept", "more"]);
    second.window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_one_server_is_stopped_from_any_window_and_stays_so_for_the_next_leader() {
    let folder = Folder::new();
    let (leader, follower) = (open(&folder.0).await, open(&folder.0).await);
    let view: Value = serde_json::from_str(&follower.window.stop_server().await).unwrap();
    assert_eq!(view["kind"], "stopped");
    assert!(!leader.listens());
    leader.window.close().await;
    follower.until("it leads", |one| one.has_told("leader")).await;
    follower.until("stopped", |one| one.window.snapshot().endpoint == EndpointView::Stopped).await;
    let view: Value = serde_json::from_str(&follower.window.start_server().await).unwrap();
    assert_eq!(view["kind"], "listening");
    follower.window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_hears_events_and_reads_the_token_that_it_rotated() {
    let folder = Folder::new();
    let (leader, follower) = (open(&folder.0).await, open(&folder.0).await);
    let mut events = follower.window.events().subscribe();
    leader.add("one").await;
    let heard = tokio::time::timeout(Duration::from_secs(5), events.recv()).await.unwrap().unwrap();
    assert!(heard.message.contains("Key \"one\" added."), "{}", heard.message);
    let before = follower.window.local_token().unwrap();
    follower.window.command(r#"{"kind":"rotate_local_token"}"#).await;
    let after = follower.window.local_token().unwrap();
    assert_ne!(after, before);
    assert_eq!(leader.window.local_token(), Some(after));
    for one in [leader, follower] {
        one.window.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_the_leaders_file_is_waited_for_and_another_version_is_said() {
    let folder = Folder::new();
    let held = lock::take(&folder.0.join(LOCK));
    let announced = folder.0.join(ANNOUNCEMENT);
    std::fs::write(&announced, "{").unwrap();
    let path = folder.0.clone();
    let opening = tokio::spawn(async move { open(&path).await });
    // A stranger on the port that the file names: the window proves nothing to it and goes on trying.
    let stranger = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    Announcement::new(stranger.local_addr().unwrap().port()).unwrap().write(&announced).unwrap();
    let (mut knocked, _) = stranger.accept().await.unwrap();
    tokio::io::AsyncWriteExt::write_all(
        &mut knocked,
        b"{\"kind\":\"challenge\",\"nonce\":\"\",\"proof\":\"\"}\n",
    )
    .await
    .unwrap();
    let other =
        serde_json::to_string(&Announcement::new(1).unwrap()).unwrap().replace(crate::VERSION, "9.9.9");
    std::fs::write(&announced, other).unwrap();
    let one = opening.await.unwrap();
    assert_eq!(one.report.role, WindowRole::Waiting);
    let EndpointView::Failed { message } = one.window.snapshot().endpoint else { panic!() };
    assert!(message.contains("9.9.9") && message.contains("Reload this window"), "{message}");
    let refused = one.add("nowhere").await;
    assert_eq!((refused["kind"].as_str(), refused["message"].as_str()), (Some("refused"), Some(&*message)));
    drop(held);
    one.until("it leads and listens", |one| one.listens()).await;
    one.window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_changed_meanwhile_are_the_next_leaders() {
    let folder = Folder::new();
    let (leader, follower) = (open(&folder.0).await, open(&folder.0).await);
    let mut changed = settings();
    changed.request_log.size = 7;
    let command = json!({"kind": "apply_settings", "settings": changed});
    follower.window.command(&command.to_string()).await;
    leader.window.close().await;
    follower.until("it leads", |one| one.has_told("leader") && one.listens()).await;
    let term = follower.window.settings.lock().clone();
    assert_eq!(term.request_log.size, 7);
    changed.max_attempts = 0;
    let command = json!({"kind": "apply_settings", "settings": changed});
    let reply: Value = serde_json::from_str(&follower.window.command(&command.to_string()).await).unwrap();
    assert_eq!((&reply["kind"], &reply["field"]), (&json!("refused"), &json!("maxAttempts")));
    follower.window.close().await;
}
