//! Starting and stopping the endpoint, and what is said when its port is taken: by this product in another editor,
//! profile or terminal, or by a stranger. Which window of one profile has a core at all is decided in `windows`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::net::{TcpListener, lookup_host};
use tokio_rustls::TlsAcceptor;

use super::Aggregator;
use crate::dispatch::RequestDispatcher;
use crate::events::{Event, EventType, Level};
use crate::peer;
use crate::server::guard::Guard;
use crate::server::{Endpoint, Limits, Service, tls};
use crate::settings::Settings;
use crate::views::EndpointView;

const BETWEEN_TRIES: Duration = Duration::from_millis(20);

impl Aggregator {
    /// Opens the endpoint; a second call while it listens changes nothing. A taken port is a view, not an error.
    pub async fn start_server(self: &Arc<Self>) -> EndpointView {
        self.start_server_within(Duration::ZERO).await
    }

    /// The same, waiting for a port that is about to become free: a program that dies lets go of one thing after another.
    pub async fn start_server_within(self: &Arc<Self>, patience: Duration) -> EndpointView {
        let mut endpoint = self.endpoint.lock().await;
        if endpoint.is_some() {
            return self.view.lock().clone();
        }
        self.show(EndpointView::Starting);
        let settings = self.state.settings();
        let view = match self.listen(&settings, patience).await {
            Ok(opened) => {
                let view = listening(&opened, &settings);
                *endpoint = Some(opened);
                view
            }
            Err(view) => view,
        };
        // What reading the vault left to do comes first; whoever could not listen has time for it later.
        if matches!(view, EndpointView::Listening { .. }) {
            if let Err(words) = self.save_moves().await {
                self.warn(words);
            }
            self.start_watching();
        }
        self.show(view.clone());
        view
    }

    /// Stops accepting, waits for requests under way as long as the settings allow, then ends them.
    pub async fn stop_server(&self) -> EndpointView {
        let mut endpoint = self.endpoint.lock().await;
        if let Some(open) = endpoint.take() {
            let grace = Duration::from_secs(self.state.settings().server.shutdown_grace_seconds);
            open.stop(grace).await;
        }
        let mut leaving = self.leaving.lock().await;
        while leaving.join_next().await.is_some() {}
        self.show(EndpointView::Stopped);
        EndpointView::Stopped
    }

    /// New server settings: a listener moves, one that could not listen tries again. A stopped one stays stopped.
    pub(super) async fn restart_server(self: &Arc<Self>) -> EndpointView {
        let view = self.view.lock().clone();
        match view {
            EndpointView::Listening { .. } | EndpointView::Failed { .. } => {
                self.stop_server().await;
                self.start_server().await
            }
            other => other,
        }
    }

    /// Requests from now on need the new token.
    pub(super) async fn tokens_changed(&self) {
        if let Some(endpoint) = self.endpoint.lock().await.as_ref() {
            endpoint.service.guard.set_tokens(self.tokens.read().clone());
        }
    }

    pub(super) async fn listen(
        &self,
        settings: &Settings,
        patience: Duration,
    ) -> Result<Endpoint, EndpointView> {
        let failed = |message: String| EndpointView::Failed { message };
        let addr = address(settings).await.map_err(failed)?;
        let tls = settings.server.tls.as_ref().map(tls::acceptor).transpose();
        let tls = tls.map_err(|problem| failed(format!("{}: {}", problem.path, problem.message)))?;
        let listener = match bind_within(addr, patience).await {
            Ok(listener) => listener,
            Err(error) => return Err(failed(port_taken(addr, &error).await)),
        };
        self.open_on(listener, settings, tls).await.map_err(failed)
    }

    /// An error is a sentence for the user.
    pub(super) async fn open_on(
        &self,
        listener: TcpListener,
        settings: &Settings,
        tls: Option<TlsAcceptor>,
    ) -> Result<Endpoint, String> {
        let addr = listener.local_addr().map_err(|error| format!("The port cannot be used: {error}."))?;
        let (tokens, admin) = (self.tokens.read().clone(), self.admin.read().clone());
        let guard = Guard::new(addr, settings.server.local_auth, tokens, admin).map_err(|open| open.0)?;
        self.load_kept().await;
        let dispatcher = RequestDispatcher::new(
            Arc::clone(&self.state),
            Arc::clone(&self.forwarder),
            Arc::clone(&self.uploads),
        );
        let run = format!("{:06x}", self.state.pools.lock().rng.u32(..0x0100_0000));
        let service = Service {
            state: Arc::clone(&self.state),
            guard,
            dispatcher,
            uploads: Arc::clone(&self.uploads),
            limits: Limits::of(&settings.server),
            run,
            count: AtomicU64::new(0),
            tls_hint: Mutex::default(),
        };
        Ok(Endpoint::serve(listener, addr, service, tls))
    }

    fn start_watching(self: &Arc<Self>) {
        let mut watching = self.watching.lock();
        if watching.is_empty() {
            watching.spawn(Arc::clone(self).probe_forever());
            watching.spawn(Arc::clone(self).tell_returns_forever());
            watching.spawn(Arc::clone(self).keep_forever());
            watching.spawn(Arc::clone(self).save_moves_forever());
        }
    }

    pub(super) fn show(&self, view: EndpointView) {
        let (level, words) = match &view {
            EndpointView::Stopped => (Level::Info, "The endpoint is stopped.".to_owned()),
            EndpointView::Starting => (Level::Debug, "The endpoint is starting.".to_owned()),
            EndpointView::Listening { url, .. } => (Level::Info, format!("The endpoint listens on {url}.")),
            EndpointView::Failed { message } => (Level::Error, message.clone()),
        };
        let changed = std::mem::replace(&mut *self.view.lock(), view.clone()) != view;
        if changed {
            self.state.events.publish(Event::new(EventType::EndpointChanged, level, self.state.now(), words));
        }
    }
}

pub(super) fn listening(opened: &Endpoint, settings: &Settings) -> EndpointView {
    EndpointView::Listening {
        url: format!("http://{}", opened.addr),
        port: opened.addr.port(),
        local_auth: settings.server.local_auth,
    }
}

pub(super) async fn bind_within(addr: SocketAddr, patience: Duration) -> std::io::Result<TcpListener> {
    let until = Instant::now() + patience;
    loop {
        match TcpListener::bind(addr).await {
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse && Instant::now() < until => {
                tokio::time::sleep(BETWEEN_TRIES).await;
            }
            result => return result,
        }
    }
}

/// An error is a sentence for the user.
pub(super) async fn address(settings: &Settings) -> Result<SocketAddr, String> {
    let (host, port) = (settings.server.host.trim_matches(['[', ']']), settings.port());
    let cannot = |why: String| format!("The address {host} cannot be used{why}. Correct server.host.");
    let mut found = lookup_host((host, port)).await.map_err(|error| cannot(format!(": {error}")))?;
    found.next().ok_or_else(|| cannot(String::new()))
}

pub(super) async fn port_taken(addr: SocketAddr, error: &std::io::Error) -> String {
    if error.kind() != std::io::ErrorKind::AddrInUse {
        return format!("The endpoint cannot listen on {addr}: {error}.");
    }
    let (port, ours) = (addr.port(), peer::is_peer(addr).await);
    match ours {
        true => format!(
            "Port {port} is taken by the Gemini API Key Aggregator of another editor, profile or terminal. Choose \
             another port, or stop that one and retry."
        ),
        false => format!(
            "Port {port} is taken by another program. Choose another port, or end that program and retry."
        ),
    }
}
