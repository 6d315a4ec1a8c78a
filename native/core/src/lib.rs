//! All behaviour of the Gemini API Key Aggregator: keys, proxies, assignments, the local endpoint and the way
//! from it to Google. It knows nothing of Node, VS Code or files of its own choosing; hosts hand it what the
//! user entered and a vault to keep it in, and talk to it through [`aggregator::Aggregator`].
//!
//! One request, one direction: accept → guard → route → decode → dispatch ⇄ attempt → encode → reply.

pub mod affinity;
pub mod aggregator;
pub mod backup;
pub mod clock;
pub mod command;
pub mod dialect;
pub mod dispatch;
pub mod events;
pub mod feed;
pub mod figures;
#[cfg(test)]
mod fixtures;
pub mod forward;
pub mod gate;
pub mod generate;
pub mod health;
pub mod ids;
pub mod joined;
pub mod keys;
mod latest;
pub mod line;
pub mod live;
pub mod lock;
pub mod metrics;
pub mod peer;
pub mod pools;
pub mod proxies;
pub mod refusal;
pub mod requests;
mod salvage;
pub mod secret;
pub mod server;
pub mod settings;
pub mod signatures;
pub mod skew;
pub mod state;
pub mod store;
pub mod tested;
pub mod token;
pub mod turn;
pub mod vault;
pub mod versions;
pub mod views;
pub mod windows;
pub mod wire;

/// The product's version, one for every part.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
