//! What a host may ask of the core and how it is answered: one tagged value in, one out. The same commands serve
//! the editor and, later, the admin API; carrying them out is the aggregator's part.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::backup::diff::BackupDiff;
use crate::ids::{KeyId, ProxyId};
use crate::keys::KeyError;
use crate::proxies::pool::PoolError;
use crate::requests::RequestView;
use crate::requests::filter::RequestFilter;
use crate::settings::Settings;
use crate::tested::Tested;

#[derive(Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[ts(optional_fields)]
pub enum Command {
    AddKey {
        key: String,
        name: Option<String>,
        project: Option<String>,
        weight: Option<u32>,
        cooldown_seconds: Option<u32>,
    },
    /// A pasted list or the text of a file: one key to a line, CSV, `.env`, or the YAML or JSON of the headless program.
    AddKeys {
        text: String,
    },
    ModifyKey {
        id: KeyId,
        key: Option<String>,
        name: Option<String>,
        project: Option<String>,
        weight: Option<u32>,
        cooldown_seconds: Option<u32>,
    },
    RemoveKey {
        id: KeyId,
    },
    EnableKey {
        id: KeyId,
    },
    DisableKey {
        id: KeyId,
    },
    TestKey {
        id: KeyId,
    },
    AddProxy {
        url: String,
        name: Option<String>,
    },
    /// A pasted list: one to a line or between commas, `name=url`, `name url` or the URL alone, `#` for comments.
    AddProxies {
        text: String,
    },
    UpdateProxy {
        id: ProxyId,
        url: Option<String>,
        name: Option<String>,
        enabled: Option<bool>,
    },
    RemoveProxy {
        id: ProxyId,
    },
    TestProxy {
        id: ProxyId,
    },
    /// Manual: stays until changed by hand. `proxy_id: null` pins "No Proxy".
    AssignProxy {
        key_id: KeyId,
        #[ts(optional = false)]
        proxy_id: Option<ProxyId>,
    },
    /// Back to automatic.
    UnassignProxy {
        key_id: KeyId,
    },
    /// Evens automatic keys out among the proxies that work, whatever the threshold.
    RebalanceProxies,
    /// What `RebalanceProxies` would do now; changes nothing.
    PlanRebalance,
    /// Many keys as one change: all of them or none.
    EditKeys {
        ids: Vec<KeyId>,
        action: KeysAction,
    },
    /// Many proxies as one change: all of them or none.
    RemoveProxies {
        ids: Vec<ProxyId>,
    },
    /// Takes a removal back; `undo` is what its `Done` said.
    UndoRemoval {
        undo: String,
    },
    /// One page of the request log, newest first.
    ListRequests {
        offset: usize,
        /// 1 to 500.
        limit: usize,
        #[serde(default)]
        filter: RequestFilter,
    },
    /// While no proxy works: keys with a proxy may go direct until one is back.
    AllowDirectUntilRecovery,
    /// `url` left out keeps the one there is; an empty one, switched off, forgets it.
    ConfigureRotating {
        url: Option<String>,
        enabled: bool,
    },
    /// One tunnel through the rotating proxy, on or off. One that works ends whatever it was let alone for.
    TestRotating,
    ApplySettings {
        settings: Box<Settings>,
    },
    RotateLocalToken,
    /// Headless: reads file, environment and command line anew and applies what changed.
    ReloadConfig,
    /// With a passphrase everything, encrypted; without one no key's text and no proxy's credentials.
    ExportBackup {
        passphrase: Option<String>,
    },
    /// What restoring this backup would change.
    PreviewBackup {
        text: String,
        passphrase: Option<String>,
    },
    ImportBackup {
        text: String,
        passphrase: Option<String>,
    },
}

/// What is done to each of several keys.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum KeysAction {
    Enable,
    Disable,
    Remove,
    /// By hand, or back to automatic.
    Assign {
        /// A proxy's id, null for "No Proxy", "auto" for the balancer's choice.
        #[ts(type = "ProxyId | null | \"auto\"")]
        proxy_id: Option<ProxyId>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum RefusalCode {
    Invalid,
    NotFound,
    Duplicate,
    /// The vault did not take the change; nothing was applied.
    NotSaved,
    /// A test ran and failed.
    Failed,
}

/// `message` is a whole sentence for the user; `field` names the faulty input (for example `url`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Reply {
    Done {
        message: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        id: Option<String>,
        /// After a removal: what `UndoRemoval` takes it back by, for ten minutes.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        undo: Option<String>,
    },
    /// To `ListRequests`: `total` are held, `matched` fit the filter, `rows` are those of them from `offset` on.
    Requests {
        total: usize,
        matched: usize,
        offset: usize,
        rows: Vec<Arc<RequestView>>,
    },
    /// To `PlanRebalance`. A spread is how many keys more the most loaded proxy has than the least loaded one.
    RebalancePlan {
        message: String,
        moves: Vec<PlannedMove>,
        spread_before: u32,
        spread_after: u32,
    },
    /// To `ExportBackup`: the text of the file.
    Backup {
        message: String,
        text: String,
    },
    /// To `PreviewBackup`: what would change. To `ImportBackup`: what did.
    BackupDiff {
        message: String,
        diff: Box<BackupDiff>,
    },
    /// To `AddProxies`.
    ProxiesListed {
        message: String,
        entries: Vec<ListedProxy>,
    },
    /// To `AddKeys`.
    KeysListed {
        message: String,
        entries: Vec<ListedKey>,
    },
    Tested(Tested),
    /// To `ReloadConfig`.
    Reloaded(Reloaded),
    Refused(Refusal),
}

/// What reading the configuration anew changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, TS)]
pub struct Reloaded {
    /// One line with the counts.
    pub message: String,
    pub keys: Counts,
    pub proxies: Counts,
    /// Settings that changed, by their place: `proxy.failurePolicy`.
    pub settings: Vec<String>,
    /// What should be known besides, as sentences: what waits for a restart, say.
    pub notes: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, TS)]
pub struct Counts {
    pub added: usize,
    pub changed: usize,
    pub removed: usize,
}

/// One key that would change its proxy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct PlannedMove {
    pub key_id: KeyId,
    pub key_name: String,
    pub from: Option<NamedProxy>,
    pub to: NamedProxy,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct NamedProxy {
    pub id: ProxyId,
    pub name: String,
}

impl Reply {
    /// Done, with nothing more to say than the message.
    pub fn done(message: impl Into<String>) -> Self {
        Self::Done { message: message.into(), id: None, undo: None }
    }

    /// Done to this key or proxy.
    pub fn done_to(message: impl Into<String>, id: impl ToString) -> Self {
        Self::Done { message: message.into(), id: Some(id.to_string()), undo: None }
    }
}

/// What became of one entry of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct ListedProxy {
    /// From 1.
    pub line: u32,
    pub result: ListedResult,
    /// A whole sentence, without credentials.
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub id: Option<ProxyId>,
}

/// What became of one row of a list of keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct ListedKey {
    /// From 1.
    pub line: u32,
    pub result: ListedResult,
    /// A whole sentence; of the key at most its last four characters.
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub id: Option<KeyId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ListedResult {
    Added,
    Duplicate,
    Refused,
    /// Something else than what the list is for, such as another service's variable in a `.env` file.
    Skipped,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct Refusal {
    pub code: RefusalCode,
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub field: Option<String>,
}

impl Refusal {
    pub fn new(code: RefusalCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), field: None }
    }

    pub fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self { field: Some(field.to_owned()), ..Self::new(RefusalCode::Invalid, message) }
    }
}

impl From<KeyError> for Refusal {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Text(error) => Self::invalid("key", error.to_string()),
            KeyError::Name(message) => Self::invalid("name", message),
            KeyError::NameTaken(name) => Self {
                code: RefusalCode::Duplicate,
                ..Self::invalid(
                    "name",
                    format!("A key named \"{name}\" is there already; choose another name."),
                )
            },
            KeyError::WeightOutOfRange(weight) => {
                Self::invalid("weight", format!("The weight {weight} is out of range; use 1 to 100."))
            }
            KeyError::CooldownOutOfRange(seconds) => Self::invalid(
                "cooldown_seconds",
                format!("A cooldown of {seconds} seconds is out of range; use 1 to 86400."),
            ),
            KeyError::Duplicate(name) => Self {
                code: RefusalCode::Duplicate,
                ..Self::invalid("key", format!("This key is there already, under the name \"{name}\"."))
            },
            KeyError::NotFound(id) => {
                Self::new(RefusalCode::NotFound, format!("There is no key with the id \"{id}\"."))
            }
        }
    }
}

impl From<PoolError> for Refusal {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Name(message) => Self::invalid("name", message),
            PoolError::NameTaken(name) => Self {
                code: RefusalCode::Duplicate,
                ..Self::invalid(
                    "name",
                    format!("A proxy named \"{name}\" is there already; choose another name."),
                )
            },
            PoolError::Duplicate(name) => Self {
                code: RefusalCode::Duplicate,
                ..Self::invalid("url", format!("This proxy is there already, under the name \"{name}\"."))
            },
            PoolError::NotFound(id) => {
                Self::new(RefusalCode::NotFound, format!("There is no proxy with the id \"{id}\"."))
            }
        }
    }
}

impl From<Result<Reply, Refusal>> for Reply {
    fn from(result: Result<Reply, Refusal>) -> Self {
        result.unwrap_or_else(Self::Refused)
    }
}
