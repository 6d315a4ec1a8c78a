//! The shapes that only cross the addon: what it is opened with, what it reports, what its callback receives.
//! Converting them is the addon's part; they stand here so that one test generates every TypeScript type.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::settings::Settings;
use crate::vault::legacy::LegacySettings;

#[derive(Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct OpenOptions {
    /// What is left out takes the core's default.
    #[ts(type = "object")]
    pub settings: Settings,
    /// The secrets named by `secretNames`, those that exist. Left out, they are asked for (`vault_wanted`) when this
    /// window begins to lead: a window that shares a folder must not have read them before that.
    #[serde(default)]
    #[ts(type = "Record<string, string>", optional)]
    pub secrets: Option<HashMap<String, String>>,
    /// Where the windows of one profile find each other; without it this one is alone.
    #[serde(default)]
    #[ts(optional)]
    pub windows_folder: Option<String>,
    /// Where the local token lies; made with mode 0600 when absent.
    pub token_file: String,
    /// The database that keeps learned state over a restart (rests, circuits, owners of files, the request log); without
    /// one it is forgotten. A JSON file of the same name beside it stands in where it cannot be used.
    #[serde(default)]
    #[ts(optional)]
    pub state_file: Option<String>,
    /// PEM file of Node's NODE_EXTRA_CA_CERTS, when it is set.
    #[serde(default)]
    #[ts(optional)]
    pub extra_ca_file: Option<String>,
}

/// A window's part: the leader has the core and serves, followers show and ask what it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum WindowRole {
    Leader,
    Follower,
    /// Neither yet, or not any more: the leader is being looked for.
    Waiting,
}

#[derive(Debug, Serialize, TS)]
pub struct OpenReport {
    pub role: WindowRole,
    /// Stored data that could not be read, one sentence each; the rest is loaded.
    pub warnings: Vec<String>,
    /// What was taken over from an earlier version, for the log.
    pub notes: Vec<String>,
    /// Settings of an earlier version. The core runs with them where its own had their defaults; the host keeps each one
    /// that the user has not set, then applies its settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub legacy_settings: Option<LegacySettings>,
}

impl OpenReport {
    /// Of a window that read nothing.
    pub fn empty(role: WindowRole) -> Self {
        Self { role, warnings: Vec::new(), notes: Vec::new(), legacy_settings: None }
    }
}

/// What the addon's callback receives: a JSON array of these, at most four calls a second.
#[derive(Serialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CoreMessage {
    Event {
        event: std::sync::Arc<crate::events::Event>,
    },
    Snapshot {
        snapshot: Box<crate::views::Snapshot>,
    },
    Role {
        role: WindowRole,
    },
    /// This window began to lead after it was opened, with what its own store held.
    Opened {
        report: OpenReport,
    },
    /// The host reads what `secretNames` names, then calls `vaultRead(ticket, secrets)`.
    VaultWanted {
        ticket: u32,
    },
    /// The host stores these, then calls `vaultWritten(ticket, error)`.
    VaultWrite {
        ticket: u32,
        writes: Vec<crate::vault::secrets::SecretWrite>,
    },
}
