//! The YAML of the manual loads, and every kind of mistake in it is named with its place and without its value.

use super::*;

fn read_text(text: &str) -> Result<Ready, Problems> {
    read_with(text, |_| None)
}

fn read_with(text: &str, environment: impl Fn(&str) -> Option<String>) -> Result<Ready, Problems> {
    static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let number = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("gka-reading-{}-{number}.yaml", std::process::id()));
    std::fs::write(&path, text).unwrap();
    let ready = read(&Line { file: Some(path.clone()), ..Line::default() }, environment);
    std::fs::remove_file(&path).unwrap();
    ready
}

fn problems(text: &str) -> String {
    read_text(text).err().map(|problems| problems.to_string()).unwrap_or_default()
}

const WHOLE: &str = r#"
server: { host: 127.0.0.1, port: 3146, localAuth: token, accessTokens: [], adminToken: "t", tls: null, shutdownGraceSeconds: 30, maxBodyMb: 64, maxUploadMb: 2048 }
upstream: { baseUrl: "https://generativelanguage.googleapis.com", caFile: null, requestTimeoutSeconds: 300, connectTimeoutSeconds: 10, http2: auto }
keys:
  - { name: personal-1, key: "test-key-alpha-0001", weight: 1, cooldownSeconds: 30, project: my-project, proxy: eu-1, enabled: true }
proxies:
  - { name: eu-1, url: "socks5://user:pass@127.0.0.1:1080" }
keySelection: round_robin
maxAttempts: 4
maxWaitSeconds: 0
proxy: { autoAssignment: true, loadBalancingStrategy: least_loaded, healthCheckIntervalSeconds: 60, maxErrorsBeforeDisable: 3, rebalanceThreshold: 1, failurePolicy: reassign }
rotatingProxy: { url: null, enabled: false, maxRetries: 2 }
monitoring: { failureThreshold: 3, recoveryTimeSeconds: 30, windowSeconds: 300 }
persistence: { sqlitePath: .runtime/state.sqlite, fallbackJsonPath: .runtime/state.json, enabled: true }
log: { level: info, format: json }
"#;

#[test]
fn the_manuals_example_loads_whole() {
    let ready = read_text(WHOLE).map_err(|problems| problems.to_string()).unwrap();
    assert_eq!(ready.entered.keys[0].name, "personal-1");
    assert_eq!(ready.entered.assignments[0].proxy_id, Some("eu-1".into()));
    assert!(ready.entered.assignments[0].is_manual);
}

#[test]
fn a_bare_key_file_of_the_older_program_loads() {
    let ready = read_text(
        "keys:\n  - name: a\n    key: test-key-alpha-0001\n    weight: 2\n    cooldownSeconds: 5\n",
    );
    assert_eq!(ready.map_err(|problems| problems.to_string()).unwrap().entered.keys[0].weight, 2);
}

#[test]
fn the_older_programs_second_file_is_pointed_at_and_its_fields_are_named_as_today() {
    let words = problems("proxy:\n  adminToken: secret-of-the-admin\n");
    assert!(words.contains("yaml:2:3") && words.contains("is server.adminToken now"), "{words}");
    assert!(!words.contains("secret-of-the-admin"), "{words}");
    let folder = std::env::temp_dir().join(format!("gka-second-file-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("keys.yaml");
    std::fs::write(&file, "keys:\n  - key: test-key-alpha-0001\n").unwrap();
    std::fs::write(folder.join("proxy.yaml"), "proxy:\n  port: 1\n").unwrap();
    let ready = read(&Line { file: Some(file), ..Line::default() }, |_| None);
    std::fs::remove_dir_all(&folder).unwrap();
    let ready = ready.map_err(|problems| problems.to_string()).unwrap();
    assert_eq!(ready.settings.server.port, 3146);
    assert!(ready.warnings.concat().contains("proxy.yaml of the older program is not read"));
}

#[test]
fn an_empty_or_commented_file_is_the_defaults() {
    assert!(read_text("").is_ok());
    assert!(read_text("# nothing yet\n").is_ok());
}

#[test]
fn an_unknown_field_is_named_with_its_line() {
    let words = problems("server:\n  prot: 1\n");
    assert!(words.contains("yaml:2:3") && words.contains("prot"), "{words}");
}

#[test]
fn each_bad_value_is_named_with_its_line_all_at_once() {
    let words = problems(
        "maxAttempts: 0\nkeys:\n  - key: \"two words\"\n  - { key: \"test-key-alpha-0001\", proxy: gone }\nproxies:\n  - { name: a, url: \"ftp://user:hidden@h:1\" }\nproxy:\n  healthCheckIntervalSeconds: 5\n",
    );
    for expected in [
        "yaml:1:14: maxAttempts",
        "yaml:3:10: keys.0.key",
        "keys.1.proxy",
        "proxies.0.url",
        "healthCheckIntervalSeconds",
    ] {
        assert!(words.contains(expected), "{expected} in {words}");
    }
    assert!(!words.contains("hidden") && !words.contains("two words"), "{words}");
}

#[test]
fn whatever_has_the_wrong_shape_is_named_all_at_once_and_with_what_else_is_wrong() {
    let text = "\
server:
  prot: 1
  port: many
  localAuth: perhaps
keys:
  - key: [test-key-secret-1]
    wieght: 2
  - { name: b, key: test-key-beta-0002, weight: heavy, enabled: maybe }
  - just-a-text
proxies:
  - name: eu
maxAttempts: 0
log:
  level: loud
kyes: []
";
    let words = problems(text);
    let told: Vec<&str> =
        words.lines().map(|line| line.split_once(".yaml:").map_or(line, |(_, rest)| rest)).collect();
    for expected in [
        "2:3: server.prot: there is no field `prot` here",
        "3:9: server.port: a whole number from 0 to 4294967295 is expected.",
        "4:14: server.localAuth: one of token, off is expected.",
        "6:10: keys.0.key: a text is expected.",
        "7:5: keys.0.wieght: there is no field `wieght` here",
        "8:49: keys.1.weight: a whole number",
        "8:65: keys.1.enabled: true or false is expected.",
        "9:5: keys.2: fields are expected: name: value.",
        "11:5: proxies.0: the field `url` is missing.",
        "14:10: log.level: one of ",
        "15:1: kyes: there is no field `kyes` here",
        "12:14: maxAttempts: 0 is out of range",
    ] {
        assert!(told.iter().any(|line| line.starts_with(expected)), "{expected} in\n{words}");
    }
    assert_eq!(told.len(), 12, "and nothing that is so only because of these:\n{words}");
    assert!(!words.contains("secret"), "{words}");
}

#[test]
fn a_key_in_the_place_of_a_fields_name_is_not_quoted() {
    let key = "AIzaSy-this-is-no-key-of-anybodys-0000001";
    for text in [
        format!("keys:\n  - {key}: work\n"),
        format!("{key}: work\n"),
        format!("keys:\n  - key: a\n    {key}: 1\n    {key}: 2\n"),
        format!("keys:\n  - {key}.{key}: work\n"),
    ] {
        let words = problems(&text);
        assert!(words.contains(".yaml:") && words.contains('…'), "{words}");
        assert!(!words.contains("AIza") && !words.contains("anybodys"), "{words}");
    }
}

#[test]
fn a_text_that_is_no_yaml_is_named_where_it_breaks() {
    let words = problems("server: { port: 1\nkeys: []\n");
    assert_eq!(words.lines().count(), 1, "{words}");
    assert!(words.contains(".yaml:"), "{words}");
    let words = problems("server:\n  port: 2\n  port: 1\n");
    assert!(words.contains("yaml:3:3") && words.contains("`port` is there twice"), "{words}");
}

#[test]
fn a_port_out_of_range_is_named() {
    let words = problems("server:\n  port: 70000\n");
    assert!(words.ends_with("yaml:2:9: server.port: 70000 is out of range; use 0 to 65535."), "{words}");
    let words =
        read_with("", |name| (name == "PORT").then(|| "seventy".to_owned())).err().unwrap().to_string();
    assert_eq!(words, "PORT: is not a port; use a number from 0 to 65535.");
}

#[test]
fn a_misplaced_key_is_not_quoted() {
    for text in
        ["keys: [\"test-key-secret-9\"]", "keys: test-key-secret-9", "server: { port: test-key-secret-9 }"]
    {
        let words = problems(text);
        assert!(!words.is_empty() && !words.contains("secret-9"), "{words}");
    }
}

#[test]
fn the_environment_replaces_the_lists_and_names_its_entries() {
    let environment = |name: &str| match name {
        "GEMINI_API_KEYS" => Some("test-key-env-00001, test key".to_owned()),
        "PROXY_SERVERS" => Some("http://127.0.0.1:8080,nonsense".to_owned()),
        _ => None,
    };
    let words = read_with(WHOLE, environment).err().unwrap().to_string();
    assert!(
        words.contains("GEMINI_API_KEYS, entry 2:") && words.contains("PROXY_SERVERS, entry 2:"),
        "{words}"
    );
}

#[test]
fn the_rotating_proxy_is_read_and_each_mistake_in_it_named() {
    let ready =
        read_text("rotatingProxy: { url: \"ada-rotate:secret@h:8080\", enabled: true, maxRetries: 5 }\n");
    let ready = ready.map_err(|problems| problems.to_string()).unwrap();
    let rotating = ready.entered.rotating.unwrap();
    assert_eq!((rotating.url.masked().as_str(), rotating.enabled), ("http://ada-rotate:••••@h:8080", true));
    assert_eq!((ready.settings.rotating_proxy.max_retries, ready.warnings.len()), (5, 0));
    for (section, expected) in [
        ("{ enabled: true }", "rotatingProxy.url: a rotating proxy that is on needs its URL"),
        (
            "{ url: \"ada-rotate@h:1\" }",
            "yaml:1:23: rotatingProxy.url: The rotating proxy's URL has a user name and no password",
        ),
        ("{ url: \"ada-rotate:hidden@h:1x\" }", "rotatingProxy.url: The proxy URL's port"),
        ("{ maxRetries: 11 }", "yaml:1:30: rotatingProxy.maxRetries: 11 is out of range; use 0 to 10."),
    ] {
        let words = problems(&format!("rotatingProxy: {section}\n"));
        assert!(words.contains(expected) && !words.contains("hidden"), "{section}: {words}");
    }
}

#[test]
fn the_variable_alone_switches_rotating_on_and_a_bad_one_only_warns() {
    let with = |url: &'static str| {
        let environment = move |name: &str| (name == "ROTATING_PROXY").then(|| url.to_owned());
        read_with("rotatingProxy: { enabled: false }\n", environment)
            .map_err(|problems| problems.to_string())
            .unwrap()
    };
    let ready = with("ada-rotate:secret@h:8080");
    assert!(ready.entered.rotating.is_some_and(|proxy| proxy.enabled) && ready.warnings.is_empty());
    let unusual = with("http://ada:secret@h:8080");
    assert!(unusual.entered.rotating.is_some() && unusual.warnings[0].contains("-rotate"));
    for bad in ["ada-rotate@h:8080", "ada-rotate:hidden@h:port", "ftp://h:1"] {
        let ready = with(bad);
        assert!(ready.entered.rotating.is_none(), "{bad}");
        let words = &ready.warnings[0];
        assert!(words.starts_with("ROTATING_PROXY is not used") && !words.contains("hidden"), "{words}");
    }
}

#[test]
fn tls_takes_both_of_its_files() {
    assert_eq!(problems("server:\n  tls: { certFile: a, keyFile: b }\n"), "");
    assert!(problems("server:\n  tls: { certFile: a, keyFile: \"\" }\n").contains("server.tls.keyFile"));
    assert!(problems("server:\n  tls: { certFile: a }\n").contains("the field `keyFile` is missing"));
}

#[test]
fn a_door_open_to_the_network_is_refused_before_it_is_opened() {
    assert!(problems("server: { host: 0.0.0.0 }\n").contains("server.accessTokens"));
    assert!(problems("server: { host: 192.0.2.1, localAuth: off }\n").contains("server.localAuth"));
    assert_eq!(problems("server: { host: \"::1\", localAuth: off }\n"), "");
    assert_eq!(problems("server: { host: 0.0.0.0, accessTokens: [\"token-of-a-team\"] }\n"), "");
}

#[test]
fn the_admin_token_is_one_of_its_own() {
    assert_eq!(problems("server: { accessTokens: [\"for-requests\"], adminToken: for-the-admin }\n"), "");
    assert!(problems("server: { adminToken: \" \" }\n").contains("server.adminToken: is empty"));
    let words = problems("server: { accessTokens: [\"shared-by-both\"], adminToken: shared-by-both }\n");
    assert!(words.contains("yaml:1:") && words.contains("a token of its own"), "{words}");
    assert!(!words.contains("shared-by-both"), "{words}");
}

const EXAMPLE: &str = include_str!("../../../config/keys.example.yaml");

#[test]
fn the_example_is_accepted() {
    let ready = read_text(EXAMPLE).map_err(|problems| problems.to_string()).unwrap();
    assert_eq!((ready.entered.keys.len(), ready.entered.proxies.len()), (2, 2));
}

/// What a section may hold, in the reader's own words about a field that it does not know.
fn fields_of(section: &str) -> Vec<String> {
    let unknown = "\"not-a-field\": 1";
    let text = match section {
        "" => format!("{{{unknown}}}"),
        "keys" => format!("{{\"keys\": [{{\"key\": \"k\", {unknown}}}]}}"),
        "proxies" => format!("{{\"proxies\": [{{\"url\": \"u\", {unknown}}}]}}"),
        other => format!("{{\"{other}\": {{{unknown}}}}}"),
    };
    let words = serde_json::from_str::<Config>(&text).unwrap_err().to_string();
    let names = words.split("expected").nth(1).unwrap_or_default();
    names.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_example_shows_every_field_with_a_comment_in_its_section() {
    let sections = [
        "",
        "server",
        "upstream",
        "keys",
        "proxies",
        "proxy",
        "rotatingProxy",
        "monitoring",
        "persistence",
        "requestLog",
        "log",
    ];
    for section in sections {
        let fields = fields_of(section);
        assert!(!fields.is_empty(), "{section}");
        let begin = if section.is_empty() { Some(0) } else { EXAMPLE.find(&format!("\n{section}:")) };
        let part = &EXAMPLE[begin.unwrap()..];
        let part = match section {
            "" => part,
            _ => part[1..].split("\n\n").next().unwrap(),
        };
        for field in fields {
            let shown = part.contains(&format!("{field}:"));
            assert!(shown, "config/keys.example.yaml does not show {field} under \"{section}\"");
        }
    }
}
