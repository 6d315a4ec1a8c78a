//! The vault of the headless program: the file declares, and what was entered beside it (by the admin API, or because keys
//! moved) is kept by the StateStore as one text and laid over the file at each start and reload. How the two become one is
//! in `overlay`, how the text is written in `form`.
//!
//! Invariant: a save returns once the store has it; with a text that cannot be read nothing is written over it.

pub mod form;
pub mod overlay;

use std::sync::Arc;

use aggregator_core::store::StateStore;
use aggregator_core::vault::{Entered, Vault, VaultError};
use async_trait::async_trait;
use parking_lot::Mutex;

use form::{Base, Text};
use overlay::{Laid, lay};

pub struct HeadlessVault {
    /// None: persistence is off, and changes last as long as the program.
    store: Option<Arc<dyn StateStore>>,
    inner: Mutex<Inner>,
}

struct Inner {
    /// What the file said when it was laid under last.
    base: Base,
    /// What the store has.
    kept: Option<String>,
    /// Why the store's text could not be used; it stays as it is.
    unread: Option<String>,
}

impl HeadlessVault {
    /// Lays what is kept over `declared`; answers what shall be in force, and a sentence when it could not be read.
    pub fn open(store: Option<Arc<dyn StateStore>>, declared: &Entered) -> (Self, Entered, Option<String>) {
        let loaded = store.as_ref().map_or(Ok(None), |store| store.load_added().map_err(|error| error.0));
        let read = loaded.and_then(|text| {
            let parsed = text.as_deref().map(Text::read).transpose();
            parsed.map(|parsed| (text.filter(|_| parsed.is_some()), parsed.unwrap_or_default()))
        });
        let (kept, text, unread) = match read {
            Ok((kept, text)) => (kept, text, None),
            Err(why) => (None, Text::default(), Some(why)),
        };
        let Laid { entered, base } = lay(&text.declared, &text.now, declared);
        let warning = unread.as_ref().map(|why| {
            format!("What was changed beside the configuration is not in force, and nothing can be changed but in the file: {why}")
        });
        (Self { store, inner: Mutex::new(Inner { base, kept, unread }) }, entered, warning)
    }

    async fn keep(&self, base: Base, after: &Entered) -> Result<(), VaultError> {
        let Some(store) = self.store.clone() else {
            self.inner.lock().base = base;
            return Ok(());
        };
        let text = Text::write(&base, after);
        {
            let mut inner = self.inner.lock();
            if let Some(why) = &inner.unread {
                return Err(VaultError(why.clone()));
            }
            if inner.kept.as_ref() == Some(&text) {
                inner.base = base;
                return Ok(());
            }
        }
        let saved = text.clone();
        let result = tokio::task::spawn_blocking(move || store.save_added(&saved)).await;
        result
            .map_err(|_| VaultError("the store gave up; try again.".to_owned()))?
            .map_err(|error| VaultError(error.0))?;
        let mut inner = self.inner.lock();
        (inner.base, inner.kept) = (base, Some(text));
        Ok(())
    }
}

#[async_trait]
impl Vault for HeadlessVault {
    async fn save(&self, _before: &Entered, after: &Entered) -> Result<(), VaultError> {
        let base = self.inner.lock().base.clone();
        self.keep(base, after).await
    }

    fn merge(&self, declared: &Entered, now: &Entered) -> Entered {
        lay(&self.inner.lock().base, &form::live(now), declared).entered
    }

    async fn save_declared(
        &self,
        declared: &Entered,
        before: &Entered,
        after: &Entered,
    ) -> Result<(), VaultError> {
        let base = {
            let inner = self.inner.lock();
            lay(&inner.base, &form::live(before), declared).base
        };
        self.keep(base, after).await
    }

    fn caution(&self) -> Option<&'static str> {
        let words =
            "It holds until the program ends, because persistence is off; the file is read again then.";
        self.store.is_none().then_some(words)
    }
}

#[cfg(test)]
#[path = "vault_tests.rs"]
mod tests;
