//! What the vault promises of saving: kept before it is confirmed, refused when the store fails, found again by the next
//! start, and never written over what could not be read.

use std::sync::atomic::{AtomicBool, Ordering};

use aggregator_core::secret::Secret;
use aggregator_core::store::{Found, Kept, Saved, StoreError};
use aggregator_core::vault::EnteredKey;

use super::*;

#[derive(Default)]
struct Shelf {
    added: Mutex<Option<String>>,
    broken: AtomicBool,
}

impl StateStore for Shelf {
    fn load(&self) -> Found {
        Found::default()
    }

    fn save(&self, _kept: &Kept) -> Result<Saved, StoreError> {
        Err(StoreError("not asked for here.".to_owned()))
    }

    fn load_added(&self) -> Result<Option<String>, StoreError> {
        Ok(self.added.lock().clone())
    }

    fn save_added(&self, text: &str) -> Result<(), StoreError> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(StoreError("the disk is full.".to_owned()));
        }
        *self.added.lock() = Some(text.to_owned());
        Ok(())
    }
}

fn with_key(name: &str) -> Entered {
    let key = EnteredKey {
        id: name.into(),
        name: name.to_owned(),
        secret: Secret::new(format!("test-key-{name}")),
        project: None,
        weight: 1,
        cooldown_seconds: None,
        enabled: true,
    };
    Entered { keys: vec![key], ..Entered::default() }
}

fn shelf() -> (Arc<Shelf>, Option<Arc<dyn StateStore>>) {
    let shelf = Arc::new(Shelf::default());
    (Arc::clone(&shelf), Some(shelf as Arc<dyn StateStore>))
}

#[tokio::test]
async fn what_was_added_is_there_at_the_next_start_and_a_failing_store_refuses() {
    let (shelf, store) = shelf();
    let declared = with_key("a");
    let (vault, now, warning) = HeadlessVault::open(store.clone(), &declared);
    assert!(warning.is_none() && now == declared && vault.caution().is_none());
    let mut after = now.clone();
    after.keys.extend(with_key("added").keys);
    vault.save(&now, &after).await.unwrap();
    assert_eq!(HeadlessVault::open(store.clone(), &declared).1, after);
    shelf.broken.store(true, Ordering::SeqCst);
    let refused = vault.save(&after, &now).await.unwrap_err();
    assert!(refused.0.contains("the disk is full"), "{refused:?}");
    assert_eq!(HeadlessVault::open(store, &declared).1, after);
}

#[tokio::test]
async fn a_text_that_cannot_be_read_is_told_and_not_written_over() {
    let (shelf, store) = shelf();
    *shelf.added.lock() = Some("{\"form\":1,\"decl".to_owned());
    let declared = with_key("a");
    let (vault, now, warning) = HeadlessVault::open(store, &declared);
    assert!(warning.is_some_and(|words| words.contains("damaged")) && now == declared);
    assert!(vault.save(&now, &with_key("b")).await.is_err());
    assert_eq!(shelf.added.lock().as_deref(), Some("{\"form\":1,\"decl"));
}

#[tokio::test]
async fn without_a_store_a_change_holds_and_says_how_long() {
    let (vault, now, _) = HeadlessVault::open(None, &with_key("a"));
    assert!(vault.save(&now, &with_key("b")).await.is_ok());
    assert!(vault.caution().is_some_and(|words| words.contains("persistence is off")));
}
