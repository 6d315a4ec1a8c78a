//! From file, environment and command line to what the core opens with, in that order of rising precedence, and
//! every problem on the way as `place: path: sentence`. It opens no sockets.

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use aggregator_core::proxies::rotating;
use aggregator_core::secret::Secret;
use aggregator_core::settings::{LocalAuth, Problem, Settings};
use aggregator_core::vault::Entered;

use crate::config::{Config, KeySection, ProxySection};
use crate::shape::{Misread, Shape, shape};
use crate::tree::Tree;
use crate::wording::shown;

/// Used when it is there and no other file is named.
const DEFAULT_FILE: &str = "config/keys.yaml";
/// A configuration is a page or two; a larger file is not one.
const MOST_BYTES: u64 = 4 * 1024 * 1024;
const DEFAULT_STATE_FOLDER: &str = ".runtime";

/// What the command line says.
#[derive(Clone, Debug, Default)]
pub struct Line {
    pub file: Option<PathBuf>,
    pub host: Option<String>,
    pub port: Option<u32>,
}

impl Line {
    /// Where the configuration lies, or would lie.
    pub fn path(&self) -> &Path {
        self.file.as_deref().unwrap_or(Path::new(DEFAULT_FILE))
    }
}

/// Everything the program runs with.
pub struct Ready {
    pub settings: Settings,
    pub entered: Entered,
    pub access_tokens: Vec<Secret>,
    /// Opens the admin API; without one it answers nobody.
    pub admin_token: Option<Secret>,
    /// Where a token is kept that nobody configured.
    pub token_file: PathBuf,
    /// Where learned state is kept; `None` when persistence is switched off.
    pub state: Option<StateFiles>,
    pub config: Config,
    /// What is accepted and should be known.
    pub warnings: Vec<String>,
    pub file: Option<PathBuf>,
}

/// The database, and the file that stands in for it.
pub struct StateFiles {
    pub sqlite: PathBuf,
    pub json: PathBuf,
}

/// All problems, one to a line, each with its place as its path.
#[derive(Debug)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> =
            self.0.iter().map(|problem| format!("{}: {}", problem.path, problem.message)).collect();
        f.write_str(&lines.join("\n"))
    }
}

/// `environment` gives a variable's value; empty ones count as absent.
pub fn read(line: &Line, environment: impl Fn(&str) -> Option<String>) -> Result<Ready, Problems> {
    let file = line.file.clone().or_else(|| Some(PathBuf::from(DEFAULT_FILE)).filter(|path| path.is_file()));
    let text = match &file {
        Some(path) => read_file(path)?,
        None => String::new(),
    };
    let Shape { config, misread } = shape(&text);
    let unread = || misread.iter().map(|misread| render_misread(misread, file.as_deref()));
    let Some(mut config) = config else { return Err(Problems(unread().collect())) };
    let variable =
        |name: &str| environment(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let mut from_environment = Vec::new();
    let mut problems = Vec::new();
    let mut warnings = Vec::from_iter(second_file(file.as_deref()));
    overlay_rotating(&mut config, variable("ROTATING_PROXY"), &mut warnings);
    overlay(&mut config, line, variable, &mut from_environment, &mut problems);
    problems.extend(config.settings().problems());
    problems.extend(open_door(&config));
    problems.extend(admin_problem(&config));
    let entered = config.entered().unwrap_or_else(|more| {
        problems.extend(more);
        Entered::default()
    });
    problems.retain(|problem| !is_doubtful(problem, &misread));
    if !problems.is_empty() || !misread.is_empty() {
        let tree = Tree::of(&text);
        let placed = |problem: &Problem| render(problem, file.as_deref(), &tree, &from_environment);
        return Err(Problems(unread().chain(problems.iter().map(placed)).collect()));
    }
    let unusual = entered.rotating.as_ref().and_then(|proxy| rotating::warning(&proxy.url));
    warnings.extend(unusual.map(str::to_owned));
    Ok(Ready {
        settings: config.settings(),
        entered,
        access_tokens: config.server.access_tokens.iter().map(|text| Secret::new(text.as_str())).collect(),
        admin_token: config.server.admin_token.as_deref().map(Secret::new),
        token_file: state_folder(&config).join("access-token"),
        state: state_files(&config),
        config,
        warnings,
        file,
    })
}

/// The older program read a second file, `proxy.yaml`; its fields belong into the one configuration now.
fn second_file(file: Option<&Path>) -> Option<String> {
    let path = file?.with_file_name("proxy.yaml");
    (file != Some(path.as_path()) && path.is_file()).then(|| {
        format!(
            "{} of the older program is not read: move what it says into {}; `check --config` with it names today's fields.",
            path.display(),
            file.map(|file| file.display().to_string()).unwrap_or_default()
        )
    })
}

fn read_file(path: &Path) -> Result<String, Problems> {
    let fail = |words: String| Problems(vec![Problem::new(path.display().to_string(), words)]);
    let length = std::fs::metadata(path).map_err(|error| fail(format!("cannot be read: {error}.")))?.len();
    if length > MOST_BYTES {
        return Err(fail("is larger than 4 MiB, which no configuration is.".to_owned()));
    }
    std::fs::read_to_string(path).map_err(|error| fail(format!("cannot be read: {error}.")))
}

fn overlay(
    config: &mut Config,
    line: &Line,
    variable: impl Fn(&str) -> Option<String>,
    from_environment: &mut Vec<(&'static str, &'static str)>,
    problems: &mut Vec<Problem>,
) {
    if let Some(list) = variable("GEMINI_API_KEYS") {
        config.keys = entries(&list).map(|key| bare_key(&key)).collect();
        from_environment.push(("keys", "GEMINI_API_KEYS"));
    }
    if let Some(list) = variable("PROXY_SERVERS") {
        config.proxies = entries(&list).map(|url| ProxySection { name: None, url }).collect();
        from_environment.push(("proxies", "PROXY_SERVERS"));
    }
    if let Some(token) = variable("GEMINI_AGGREGATOR_ACCESS_TOKEN") {
        config.server.access_tokens = vec![token];
    }
    if let Some(token) = variable("GEMINI_AGGREGATOR_ADMIN_TOKEN") {
        config.server.admin_token = Some(token);
    }
    if let Some(port) = variable("PORT") {
        match port.parse::<u16>() {
            Ok(port) => config.server.port = port.into(),
            Err(_) => problems.push(Problem::new("PORT", "is not a port; use a number from 0 to 65535.")),
        }
    }
    if let Some(host) = &line.host {
        config.server.host.clone_from(host);
    }
    config.server.port = line.port.unwrap_or(config.server.port);
}

/// The variable alone switches the rotating proxy on. One that cannot be used is warned of, and leaves each key to its
/// own proxy: a typing error in an environment should not keep a server down.
fn overlay_rotating(config: &mut Config, variable: Option<String>, warnings: &mut Vec<String>) {
    let Some(url) = variable else { return };
    let section = &mut config.rotating_proxy;
    match rotating::parse(&url) {
        Ok(_) => (section.url, section.enabled) = (Some(url), true),
        Err(error) => {
            (section.url, section.enabled) = (None, false);
            warnings.push(format!("ROTATING_PROXY is not used, each key keeps its own way out: {error}"));
        }
    }
}

/// Beyond loopback a token must be configured; the core refuses to listen otherwise, `check` says it beforehand.
fn open_door(config: &Config) -> Option<Problem> {
    let server = &config.server;
    if is_loopback(&server.host) {
        return None;
    }
    match server.local_auth {
        LocalAuth::Off => Some(Problem::new(
            "server.localAuth",
            "off is allowed on loopback only; use token, or the host 127.0.0.1.",
        )),
        LocalAuth::Token if server.access_tokens.is_empty() => {
            let words = "an access token is needed to listen beyond loopback; set one here or in \
                         GEMINI_AGGREGATOR_ACCESS_TOKEN, or use the host 127.0.0.1.";
            Some(Problem::new("server.accessTokens", words))
        }
        LocalAuth::Token => None,
    }
}

/// Whoever may send requests may not administer for that alone, nor the other way round.
fn admin_problem(config: &Config) -> Option<Problem> {
    let token = config.server.admin_token.as_ref()?;
    let words = match token.trim() {
        "" => "is empty; give a token, or leave the field out to keep the admin API closed.",
        text if config.server.access_tokens.iter().any(|access| access == text) => {
            "is one of server.accessTokens, too; the admin API needs a token of its own."
        }
        _ => return None,
    };
    Some(Problem::new("server.adminToken", words))
}

pub fn is_loopback(host: &str) -> bool {
    let bare = host.trim_matches(['[', ']']);
    bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn entries(list: &str) -> impl Iterator<Item = String> {
    list.split(',').map(|entry| entry.trim().to_owned()).filter(|entry| !entry.is_empty())
}

fn bare_key(key: &str) -> KeySection {
    KeySection {
        name: None,
        key: key.to_owned(),
        weight: 1,
        cooldown_seconds: None,
        project: None,
        proxy: None,
        enabled: true,
    }
}

/// Whether it may only say that something is missing which was there, and could not be read.
fn is_doubtful(problem: &Problem, misread: &[Misread]) -> bool {
    let lost = misread.iter().filter(|misread| misread.lost).filter_map(|misread| misread.path.as_deref());
    lost.map(section_of).any(|section| section == section_of(&problem.path))
}

/// Keys name proxies, so that the two are judged together.
fn section_of(path: &str) -> &str {
    match path.split('.').next().unwrap_or_default() {
        "proxies" => "keys",
        section => section,
    }
}

/// `config/keys.yaml:2:9: server.port: a whole number …`
fn render_misread(misread: &Misread, file: Option<&Path>) -> Problem {
    let file = file.map(|file| file.display().to_string()).unwrap_or_default();
    let place = misread.at.map(|(line, column)| format!(":{line}:{column}")).unwrap_or_default();
    let parts = |path: &String| path.split('.').map(shown).collect::<Vec<_>>().join(".");
    let path = misread.path.as_ref().map(|path| format!(": {}", parts(path))).unwrap_or_default();
    Problem::new(format!("{file}{place}{path}"), misread.words.as_str())
}

/// `config/keys.yaml:12:9: keys.0.key: The key contains …`
fn render(problem: &Problem, file: Option<&Path>, tree: &Tree, from_environment: &[(&str, &str)]) -> Problem {
    let section = problem.path.split('.').next().unwrap_or_default();
    if let Some((_, variable)) = from_environment.iter().find(|(name, _)| *name == section) {
        let entry = problem.path.split('.').nth(1).and_then(|place| place.parse::<usize>().ok());
        let entry = entry.map(|place| format!(", entry {}", place + 1)).unwrap_or_default();
        return Problem::new(format!("{variable}{entry}"), problem.message.as_str());
    }
    let place = match (file, tree.find(&problem.path)) {
        (Some(file), Some((line, column))) => format!("{}:{line}:{column}: ", file.display()),
        _ => String::new(),
    };
    Problem::new(format!("{place}{}", problem.path), problem.message.as_str())
}

fn state_folder(config: &Config) -> PathBuf {
    let file = config.persistence.sqlite_path.as_ref().map(PathBuf::from);
    file.and_then(|path| path.parent().map(Path::to_path_buf))
        .unwrap_or_else(|| PathBuf::from(DEFAULT_STATE_FOLDER))
}

fn state_files(config: &Config) -> Option<StateFiles> {
    let persistence = &config.persistence;
    let file = |own: &Option<String>, name: &str| match own {
        Some(path) => PathBuf::from(path),
        None => state_folder(config).join(name),
    };
    persistence.enabled.unwrap_or(true).then(|| StateFiles {
        sqlite: file(&persistence.sqlite_path, "state.sqlite"),
        json: file(&persistence.fallback_json_path, "state.json"),
    })
}

#[cfg(test)]
#[path = "reading_tests.rs"]
mod tests;
