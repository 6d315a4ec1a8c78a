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
    /// The secrets named by `secretNames`, those that exist.
    #[ts(type = "Record<string, string>")]
    pub secrets: HashMap<String, String>,
    /// Where the local token lies; made with mode 0600 when absent.
    pub token_file: String,
    /// The JSON file that keeps learned state over a restart (rests, circuits, owners of files); without one it is
    /// forgotten.
    #[serde(default)]
    #[ts(optional)]
    pub state_file: Option<String>,
    /// PEM file of Node's NODE_EXTRA_CA_CERTS, when it is set.
    #[serde(default)]
    #[ts(optional)]
    pub extra_ca_file: Option<String>,
}

#[derive(Serialize, TS)]
pub struct OpenReport {
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
    /// The host stores these, then calls `vaultWritten(ticket, error)`.
    VaultWrite {
        ticket: u32,
        writes: Vec<crate::vault::secrets::SecretWrite>,
    },
}
