//! One core with its keys and proxies, open on a free port in front of the tests' upstream, and what can be read off it
//! afterwards. Only the public handle is used. What a test expects is not known here.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use aggregator_core::aggregator::{Aggregator, Opening, Tokens};
use aggregator_core::proxies::url::ProxyUrl;
use aggregator_core::requests::RequestView;
use aggregator_core::secret::Secret;
use aggregator_core::server::guard::AdminAccess;
use aggregator_core::settings::Settings;
use aggregator_core::vault::{Assignment, DeclaredVault, Entered, EnteredKey, EnteredProxy};
use aggregator_core::views::EndpointView;
use tokio::task::JoinSet;

use crate::client::TOKEN;
use crate::upstream::Upstream;

/// Far longer than any request takes here.
pub const NEVER: Duration = Duration::from_secs(30);

pub struct World {
    pub core: Arc<Aggregator>,
    pub endpoint: SocketAddr,
    pub upstream: Arc<Upstream>,
    /// Servers of the test; they end with the world.
    _tasks: JoinSet<()>,
}

pub fn key_id(number: usize) -> String {
    format!("k{number}")
}

pub fn proxy_id(number: usize) -> String {
    format!("p{number}")
}

pub fn secret(number: usize) -> String {
    format!("text-of-the-key-{number:04}")
}

impl World {
    /// `ways`: for each key the proxy it takes, by number; `None` goes direct.
    pub async fn open(
        upstream: Arc<Upstream>,
        proxies: &[SocketAddr],
        ways: &[Option<usize>],
        max_attempts: u32,
        tasks: JoinSet<()>,
    ) -> Self {
        let mut settings = Settings { max_attempts, ..Settings::default() };
        settings.server.port = 0;
        settings.server.shutdown_grace_seconds = 0;
        settings.upstream.base_url = format!("http://{}", upstream.address);
        let core = Aggregator::open(Opening {
            settings,
            entered: entered(proxies, ways),
            admin: AdminAccess::Own(None),
            tokens: Tokens::Given(vec![Secret::new(TOKEN)]),
            vault: Arc::new(DeclaredVault),
            store: None,
            config: None,
            extra_ca: Vec::new(),
        })
        .expect("the core opens");
        upstream.watch(core.state());
        let EndpointView::Listening { port, .. } = core.start_server().await else {
            panic!("the endpoint does not listen")
        };
        let endpoint = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Self { core, endpoint, upstream, _tasks: tasks }
    }

    /// Until `count` requests have ended and nothing is counted as under way; what is wrong when that never comes.
    pub async fn settled(&self, count: usize) -> Option<String> {
        let mut changes = self.core.state().events.changes();
        let all_over = async {
            while self.records().len() < count || self.in_flight() != (0, 0) {
                let _ = changes.changed().await;
            }
        };
        let in_time = tokio::time::timeout(NEVER, all_over).await.is_ok();
        let (ended, (keys, proxies)) = (self.records().len(), self.in_flight());
        (!in_time).then(|| format!("{ended} of {count} ended, {keys} counted by keys, {proxies} by proxies"))
    }

    pub fn records(&self) -> Vec<Arc<RequestView>> {
        self.core.state().log.newest(usize::MAX)
    }

    /// Requests under way, by the counters of the keys and by those of the proxies.
    pub fn in_flight(&self) -> (u32, u32) {
        let view = self.core.snapshot();
        let keys = view.keys.iter().map(|key| key.current_requests).sum();
        (keys, view.proxies.iter().map(|proxy| proxy.active_requests).sum())
    }
}

fn entered(proxies: &[SocketAddr], ways: &[Option<usize>]) -> Entered {
    let proxy = |(number, address): (usize, &SocketAddr)| EnteredProxy {
        id: proxy_id(number).into(),
        name: proxy_id(number),
        url: Arc::new(ProxyUrl::parse(&format!("http://{address}")).expect("a proxy URL")),
        enabled: true,
    };
    let key = |number: usize| EnteredKey {
        id: key_id(number).into(),
        name: key_id(number),
        secret: Secret::new(secret(number)),
        project: None,
        weight: 1,
        cooldown_seconds: None,
        enabled: true,
    };
    let assignment = |(number, way): (usize, &Option<usize>)| Assignment {
        key_id: key_id(number).into(),
        proxy_id: way.map(|proxy| proxy_id(proxy).into()),
        assigned_at: 0,
        is_manual: true,
        home: None,
    };
    Entered {
        keys: (0..ways.len()).map(key).collect(),
        proxies: proxies.iter().enumerate().map(proxy).collect(),
        assignments: ways.iter().enumerate().map(assignment).collect(),
        rotating: None,
    }
}
