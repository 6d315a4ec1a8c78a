//! What a test on demand found, as hosts see it: stage after stage of the way to Gemini, each with its time and words.
//! Data alone; running a test and wording it is `aggregator/testing.rs` and `aggregator/stages.rs`. It must not carry
//! a key, a password or a URL that is not masked.

use serde::Serialize;
use ts_rs::TS;

/// To `TestKey`, `TestProxy` and `TestRotating`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct Tested {
    pub works: bool,
    /// Whole sentences for the user: that all is well, or what failed and what to do.
    pub message: String,
    /// Of the key or the proxy; the rotating one has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub id: Option<String>,
    /// Left out when it works.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub fault: Option<TestFault>,
    /// In the order of the way; the first that is not `ok` is the last. Stages that were not reached are left out.
    pub stages: Vec<TestStage>,
    /// At which the proxy says that Gemini sees it; null where it does not tell.
    pub address: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct TestStage {
    pub stage: TestStageName,
    #[ts(type = "number")]
    pub ms: u64,
    pub ok: bool,
    /// Whole sentences: what was done, or the exact fault.
    pub words: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum TestStageName {
    /// What this machine looks up; what the proxy does, it does not tell.
    Dns,
    /// TCP to Gemini, without a proxy.
    Connect,
    ProxyConnect,
    /// TLS with an https proxy.
    ProxyTls,
    /// The tunnel: credentials, and that the proxy reaches Gemini.
    ProxyLogin,
    /// With Gemini.
    Tls,
    Gemini,
}

/// Whose fault it is that a test failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum TestFault {
    /// Gemini refuses the key.
    Key,
    /// The key is valid; its quota is used up.
    Quota,
    Proxy,
    /// Gemini, the network, or this machine.
    Upstream,
}
