//! Keys and proxies for unit tests: numbered, valid, and recognisable in a failed assertion. Tests only.

use std::sync::Arc;

use crate::proxies::url::ProxyUrl;
use crate::secret::Secret;
use crate::vault::{EnteredKey, EnteredProxy};

/// `k1`, "key 1", enabled, weight 1.
pub fn entered_key(number: u32) -> EnteredKey {
    EnteredKey {
        id: format!("k{number}").into(),
        name: format!("key {number}"),
        secret: Secret::new(format!("test-key-number-{number:04}")),
        project: None,
        weight: 1,
        cooldown_seconds: None,
        enabled: true,
    }
}

/// `p1` at `http://127.0.0.1:9001`, enabled.
pub fn entered_proxy(number: u32) -> EnteredProxy {
    let url = format!("http://127.0.0.1:{}", 9_000 + number);
    let id = format!("p{number}");
    EnteredProxy {
        id: id.as_str().into(),
        name: id,
        url: Arc::new(ProxyUrl::parse(&url).unwrap()),
        enabled: true,
    }
}
