//! The table of the admin API: every path with its methods, the fields of its body and the parameters of its query.
//! docs/admin-api.yaml says the same; a test compares the two. Pure.

use http::Method;
use http::StatusCode;

use super::answers::Fault;
use super::fields::Field;
use super::requests;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Health,
    Metrics,
    ListKeys,
    AddKey,
    ShowKey,
    ChangeKey,
    RemoveKey,
    EnableKey,
    DisableKey,
    TestKey,
    AssignProxy,
    UnassignProxy,
    ListProxies,
    AddProxy,
    ShowProxy,
    ChangeProxy,
    RemoveProxy,
    TestProxy,
    Rebalance,
    ShowRotating,
    ConfigureRotating,
    ListRequests,
    Events,
    Reload,
    Export,
    Restore,
}

pub struct Entry {
    pub method: &'static str,
    /// `{id}` stands for one segment.
    pub path: &'static str,
    pub action: Action,
    pub fields: &'static [Field],
    pub query: &'static [&'static str],
}

const fn plain(method: &'static str, path: &'static str, action: Action) -> Entry {
    Entry { method, path, action, fields: &[], query: &[] }
}

const fn taking(method: &'static str, path: &'static str, action: Action, fields: &'static [Field]) -> Entry {
    Entry { fields, ..plain(method, path, action) }
}

pub const ROUTES: &[Entry] = &[
    plain("GET", "/admin/health", Action::Health),
    plain("GET", "/admin/metrics", Action::Metrics),
    plain("GET", "/admin/keys", Action::ListKeys),
    taking("POST", "/admin/keys", Action::AddKey, NEW_KEY),
    plain("GET", "/admin/keys/{id}", Action::ShowKey),
    taking("PATCH", "/admin/keys/{id}", Action::ChangeKey, KEY_CHANGES),
    plain("DELETE", "/admin/keys/{id}", Action::RemoveKey),
    plain("POST", "/admin/keys/{id}/enable", Action::EnableKey),
    plain("POST", "/admin/keys/{id}/disable", Action::DisableKey),
    plain("POST", "/admin/keys/{id}/test", Action::TestKey),
    taking("PUT", "/admin/keys/{id}/proxy", Action::AssignProxy, ASSIGNED),
    plain("DELETE", "/admin/keys/{id}/proxy", Action::UnassignProxy),
    plain("GET", "/admin/proxies", Action::ListProxies),
    taking("POST", "/admin/proxies", Action::AddProxy, NEW_PROXY),
    plain("GET", "/admin/proxies/{id}", Action::ShowProxy),
    taking("PATCH", "/admin/proxies/{id}", Action::ChangeProxy, PROXY_CHANGES),
    plain("DELETE", "/admin/proxies/{id}", Action::RemoveProxy),
    plain("POST", "/admin/proxies/{id}/test", Action::TestProxy),
    plain("POST", "/admin/rebalance", Action::Rebalance),
    plain("GET", "/admin/rotating-proxy", Action::ShowRotating),
    taking("PUT", "/admin/rotating-proxy", Action::ConfigureRotating, ROTATING),
    Entry { query: requests::PARAMETERS, ..plain("GET", "/admin/requests", Action::ListRequests) },
    plain("GET", "/admin/events", Action::Events),
    plain("POST", "/admin/config/reload", Action::Reload),
    plain("GET", "/admin/backup", Action::Export),
    taking("POST", "/admin/backup", Action::Restore, BACKUP),
];

const NEW_KEY: &[Field] = &[
    Field::text("name").or_null(),
    Field::text("key").required(),
    Field::number("weight").or_null(),
    Field::text("project").or_null(),
    Field::text("proxy_id").or_null(),
];
/// `project: null` forgets it.
const KEY_CHANGES: &[Field] = &[
    Field::text("name"),
    Field::number("weight"),
    Field::text("project").or_null(),
    Field::number("cooldown_seconds"),
];
const ASSIGNED: &[Field] = &[Field::text("proxy_id").required().or_null()];
const NEW_PROXY: &[Field] = &[Field::text("name").or_null(), Field::text("url").required()];
const PROXY_CHANGES: &[Field] = &[Field::text("name"), Field::text("url"), Field::flag("enabled")];
const ROTATING: &[Field] = &[Field::text("url").or_null(), Field::flag("enabled").required()];
const BACKUP: &[Field] =
    &[Field::text("text").required(), Field::text("passphrase").or_null(), Field::flag("preview")];

/// The entry for a path, and the id in it.
pub fn find(method: &Method, path: &str) -> Result<(&'static Entry, String), Fault> {
    let mut allowed = Vec::new();
    for entry in ROUTES {
        let Some(id) = matched(entry.path, path) else { continue };
        if entry.method == method.as_str() {
            return Ok((entry, id));
        }
        allowed.push(entry.method);
    }
    match allowed.is_empty() {
        true => {
            let words = "The admin API has nothing at this path. docs/admin-api.yaml lists what it serves.";
            Err(Fault::new(StatusCode::NOT_FOUND, words))
        }
        false => Err(Fault::not_allowed(allowed.join(", "))),
    }
}

/// The id, empty where the path has none.
fn matched(pattern: &str, path: &str) -> Option<String> {
    let (mut id, mut given) = (String::new(), path.split('/'));
    for wanted in pattern.split('/') {
        let segment = given.next()?;
        match wanted {
            "{id}" if !segment.is_empty() => {
                id = percent_encoding::percent_decode_str(segment).decode_utf8_lossy().into_owned();
            }
            _ if wanted == segment => {}
            _ => return None,
        }
    }
    given.next().is_none().then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_and_a_method_name_one_action() {
        let of = |method: Method, path: &str| find(&method, path).map(|(entry, id)| (entry.action, id));
        let found = of(Method::PUT, "/admin/keys/key%20one/proxy").unwrap();
        assert_eq!(found, (Action::AssignProxy, "key one".to_owned()));
        for nowhere in ["/admin", "/admin/", "/admin/keys/", "/admin/keys/a/b", "/admin/keys/a/enable/x"] {
            assert_eq!(of(Method::GET, nowhere).unwrap_err().status, 404, "{nowhere}");
        }
        assert_eq!(of(Method::PUT, "/admin/keys").unwrap_err().status, 405);
    }
}
