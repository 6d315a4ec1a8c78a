//! New server settings while the endpoint is open: limits, tokens and certificate hold from the next request or connection
//! on; another address is opened before the old one is left, whose requests under way finish there.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::Aggregator;
use super::listening::{address, bind_within, listening, port_taken};
use crate::secret::Secret;
use crate::server::Endpoint;
use crate::server::guard::allowed;
use crate::settings::Settings;
use crate::views::EndpointView;

/// A listener that was closed lets go of its port at once, but not in the same instant.
const UNTIL_FREE: Duration = Duration::from_secs(2);

impl Aggregator {
    /// Takes the new address before anything is changed. `None`: it stays, or it can be had only once the old one is
    /// left: the same port on another interface. An error is a sentence for the user.
    pub(super) async fn reserve(
        &self,
        before: &Settings,
        after: &Settings,
        tokens: &[Secret],
    ) -> Result<Option<TcpListener>, String> {
        let endpoint = self.endpoint.lock().await;
        let Some(open) = endpoint.as_ref() else { return Ok(None) };
        if !moves(before, after) {
            allowed(open.addr, after.server.local_auth, tokens).map_err(|open| open.0)?;
            return Ok(None);
        }
        let addr = address(after).await?;
        allowed(addr, after.server.local_auth, tokens).map_err(|open| open.0)?;
        match bind_within(addr, Duration::ZERO).await {
            Ok(listener) => Ok(Some(listener)),
            Err(error) if error.kind() == ErrorKind::AddrInUse && addr.port() == open.addr.port() => Ok(None),
            Err(error) => Err(port_taken(addr, &error).await),
        }
    }

    /// What the settings say is in force already but for the endpoint, which follows here. A stopped one stays stopped.
    /// Answers what did not work out, as a sentence.
    pub(super) async fn serve_anew(
        self: &Arc<Self>,
        before: &Settings,
        listener: Option<TcpListener>,
        tls: Option<TlsAcceptor>,
    ) -> Option<String> {
        let settings = self.state.settings();
        let mut endpoint = self.endpoint.lock().await;
        let open = endpoint.as_ref()?;
        if !moves(before, &settings) {
            let (tokens, admin) = (self.tokens.read().clone(), self.admin.read().clone());
            open.service.guard.set_access(settings.server.local_auth, tokens, admin);
            open.service.limits.set(&settings.server);
            open.set_tls(tls);
            self.show(listening(open, &settings));
            return None;
        }
        if let Some(old) = endpoint.take() {
            self.leave(old, &settings).await;
        }
        let opened = match listener {
            Some(listener) => self.open_on(listener, &settings, tls).await,
            None => self.listen(&settings, UNTIL_FREE).await.map_err(words),
        };
        let (opened, settings, trouble) = match opened {
            Ok(opened) => (opened, settings, None),
            Err(why) => {
                let back = self.address_stays(before);
                match self.listen(&back, UNTIL_FREE).await {
                    Ok(opened) => (opened, back, Some(format!("The address stays as it was: {why}"))),
                    Err(view) => {
                        self.show(view);
                        return Some(why);
                    }
                }
            }
        };
        self.show(listening(&opened, &settings));
        *endpoint = Some(opened);
        trouble
    }

    /// Lets the requests under way finish, without holding anything up.
    async fn leave(&self, old: Endpoint, settings: &Settings) {
        let grace = Duration::from_secs(settings.server.shutdown_grace_seconds);
        let left = old.leave(grace);
        let mut leaving = self.leaving.lock().await;
        while leaving.try_join_next().is_some() {}
        leaving.spawn(left);
    }

    fn address_stays(&self, before: &Settings) -> Arc<Settings> {
        let mut settings = Settings::clone(&self.state.settings());
        settings.server.host.clone_from(&before.server.host);
        settings.server.port = before.server.port;
        self.state.set_settings(settings);
        self.state.settings()
    }
}

fn moves(before: &Settings, after: &Settings) -> bool {
    (&before.server.host, before.server.port) != (&after.server.host, after.server.port)
}

fn words(view: EndpointView) -> String {
    match view {
        EndpointView::Failed { message } => message,
        EndpointView::Stopped | EndpointView::Starting | EndpointView::Listening { .. } => String::new(),
    }
}
