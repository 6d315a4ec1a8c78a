//! The configuration as the core reads it anew: file, environment and command line, checked as at the start. What only
//! this program has (log, places of its files) is compared and applied here.

use std::sync::Arc;

use aggregator_core::aggregator::Tokens;
use aggregator_core::aggregator::reload::{ConfigSource, Declared};
use aggregator_core::server::guard::AdminAccess;
use aggregator_core::settings::{LocalAuth, Problem};
use parking_lot::Mutex;

use crate::cleaning::Known;
use crate::config::Config;
use crate::logging::SetLevel;
use crate::reading::{self, Line, Ready};
use crate::watch::{Look, look};

pub struct FileAndEnvironment {
    line: Line,
    set_level: SetLevel,
    /// What no line of the log shows.
    known: Known,
    inner: Mutex<Inner>,
}

struct Inner {
    /// The file as it was when it was read last, whoever asked for it.
    seen: Option<Look>,
    in_force: Config,
    /// Read last.
    read: Config,
}

impl FileAndEnvironment {
    /// `seen` is the file as it was right before `config` was read from it.
    pub fn new(
        line: Line,
        seen: Option<Look>,
        config: Config,
        set_level: SetLevel,
        known: Known,
    ) -> Arc<Self> {
        let inner = Inner { seen, in_force: config.clone(), read: config };
        Arc::new(Self { line, set_level, known, inner: Mutex::new(inner) })
    }

    pub fn seen(&self) -> Option<Look> {
        self.inner.lock().seen
    }
}

impl ConfigSource for FileAndEnvironment {
    fn read(&self) -> Result<Declared, Vec<Problem>> {
        // Before it is read, so that a change in the meantime is noticed.
        self.inner.lock().seen = look(self.line.path());
        let ready = reading::read(&self.line, crate::variable).map_err(|problems| problems.0)?;
        ready.access_tokens.iter().chain(&ready.admin_token).for_each(|token| self.known.add(token));
        let tokens = tokens(&ready);
        let mut inner = self.inner.lock();
        let (host_settings, waiting) = differences(&inner.in_force, &ready.config);
        let mut notes = ready.warnings;
        if !waiting.is_empty() {
            notes.push(format!("{} takes effect when the program is started again.", waiting.join(", ")));
        }
        inner.read = ready.config;
        Ok(Declared {
            settings: ready.settings,
            entered: ready.entered,
            tokens,
            admin: AdminAccess::Own(ready.admin_token),
            host_settings,
            notes,
        })
    }

    fn in_force(&self) {
        let mut inner = self.inner.lock();
        (self.set_level)(inner.read.log.level);
        inner.in_force.log.level = inner.read.log.level;
    }
}

/// Places of this program's own settings that are others now: those that hold at once, and those that wait.
fn differences(before: &Config, after: &Config) -> (Vec<String>, Vec<&'static str>) {
    let at_once = (before.log.level != after.log.level).then(|| "log.level".to_owned());
    let (old, new) = (&before.persistence, &after.persistence);
    let waiting = [
        (before.log.format != after.log.format, "log.format"),
        (old.enabled != new.enabled, "persistence.enabled"),
        (old.sqlite_path != new.sqlite_path, "persistence.sqlitePath"),
        (old.fallback_json_path != new.fallback_json_path, "persistence.fallbackJsonPath"),
    ];
    let waiting = waiting.into_iter().filter(|(differs, _)| *differs).map(|(_, place)| place).collect();
    (at_once.into_iter().collect(), waiting)
}

/// The configured tokens; without any, one in a file of its own, so that the endpoint is never open by omission.
/// Beyond loopback a token must be configured.
pub fn tokens(ready: &Ready) -> Tokens {
    let wanted = ready.settings.server.local_auth == LocalAuth::Token && ready.access_tokens.is_empty();
    if wanted && reading::is_loopback(&ready.settings.server.host) {
        return Tokens::File(ready.token_file.clone());
    }
    Tokens::Given(ready.access_tokens.clone())
}
