//! The admin API: which path with which method does what, who may ask, and how what is given is read. Rooms beside this
//! file answer; whatever changes something is a command like the editor's, sent one way down the line. Nothing here edits.
//!
//! Invariant: nothing is read of a body before the guard has let the caller in.

mod answers;
mod backup;
#[cfg(test)]
mod description_tests;
mod events;
mod fields;
mod keys;
mod objects;
mod proxies;
mod requests;
mod rotating;
mod routes;
mod version;

use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use http::request::Parts;
use http::{Response, StatusCode};

use super::Service;
use super::client_body::ClientBody;
use crate::command::{Command, Reply};
use crate::dispatch::reply::ReplyBody;
use crate::health;
use crate::ids::{KeyId, ProxyId};
use crate::metrics;
use crate::state::State;
use crate::versions::About;
use answers::{Answer, Fault, object};
use fields::{Fields, Query};
use routes::{Action, find};

const MIB: usize = 1024 * 1024;
const MOST_BODY: usize = MIB;
const MOST_BACKUP: usize = 64 * MIB;

/// Whether this path is the admin API's, served or not.
pub fn owns(path: &str) -> bool {
    path == "/admin" || path.starts_with("/admin/")
}

/// One call that was let in and read.
struct Call<'a> {
    service: &'a Service,
    headers: &'a HeaderMap,
    /// Of the key or the proxy that the path names.
    id: &'a str,
    fields: Fields,
    query: Query,
}

/// What a change says.
struct Done {
    message: String,
    id: Option<String>,
}

impl Call<'_> {
    fn state(&self) -> &State {
        &self.service.state
    }

    /// Under the condition of an `If-Match`, which is about this.
    async fn ask(&self, command: Command, about: About) -> Result<Reply, Fault> {
        match self.service.line.ask(command, version::only_if(self.headers, about)).await {
            Reply::Refused(refusal) => Err(refusal.into()),
            reply => Ok(reply),
        }
    }

    async fn done(&self, command: Command, about: About) -> Result<Done, Fault> {
        match self.ask(command, about).await? {
            Reply::Done { message, id, .. } => Ok(Done { message, id }),
            _ => Err(unexpected()),
        }
    }
}

impl Service {
    pub(super) async fn administer(&self, parts: &Parts, path: &str, body: ClientBody) -> Answer {
        self.administered(parts, path, body).await.unwrap_or_else(Fault::reply)
    }

    async fn administered(&self, parts: &Parts, path: &str, body: ClientBody) -> Result<Answer, Fault> {
        self.guard.check_admin(parts)?;
        let (route, id) = find(&parts.method, path)?;
        let query = Query::read(&parts.uri, route.query)?;
        let most = if route.action == Action::Restore { MOST_BACKUP } else { MOST_BODY };
        let body = fields::collect(body, most).await?;
        let fields = Fields::read(&parts.headers, &body, route.fields)?;
        drop(body);
        let call = Call { service: self, headers: &parts.headers, id: &id, fields, query };
        call.carry_out(route.action).await
    }
}

impl Call<'_> {
    async fn carry_out(self, action: Action) -> Result<Answer, Fault> {
        match action {
            Action::Health => Ok(super::json(StatusCode::OK, &health::report(self.state()))),
            Action::Metrics => scrape(self.state()),
            Action::ListKeys => Ok(keys::list(self.state())),
            Action::AddKey => keys::add(self).await,
            Action::ShowKey => keys::one(self.state(), &KeyId::from(self.id)),
            Action::ChangeKey => keys::change(self).await,
            Action::RemoveKey => keys::remove(self).await,
            Action::EnableKey => keys::switch(self, true).await,
            Action::DisableKey => keys::switch(self, false).await,
            Action::TestKey => keys::test(self).await,
            Action::AssignProxy => keys::assign(self).await,
            Action::UnassignProxy => keys::unassign(self).await,
            Action::ListProxies => Ok(proxies::list(self.state())),
            Action::AddProxy => proxies::add(self).await,
            Action::ShowProxy => proxies::one(self.state(), &ProxyId::from(self.id)),
            Action::ChangeProxy => proxies::change(self).await,
            Action::RemoveProxy => proxies::remove(self).await,
            Action::TestProxy => proxies::test(self).await,
            Action::Rebalance => proxies::rebalance(self).await,
            Action::ShowRotating => Ok(rotating::show(self.state())),
            Action::ConfigureRotating => rotating::configure(self).await,
            Action::ListRequests => requests::list(self.state(), &self.query),
            Action::Events => {
                let Self { service, headers, .. } = self;
                Ok(events::stream(&service.state, &service.run, service.closing.subscribe(), headers))
            }
            Action::Reload => {
                let reply = self.ask(Command::ReloadConfig, About::All).await?;
                Ok(object(StatusCode::OK, &reply, None))
            }
            Action::Export => backup::export(self).await,
            Action::Restore => backup::restore(self).await,
        }
    }
}

fn scrape(state: &State) -> Result<Answer, Fault> {
    let text = metrics::text(state).map_err(|_| {
        Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "The metrics could not be written. Try again.")
    })?;
    let mut response = Response::new(ReplyBody::whole(text.into()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(metrics::CONTENT_TYPE));
    Ok(response)
}

/// A command was answered with something that is no answer to it: a fault of this program.
fn unexpected() -> Fault {
    Fault::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "The program answered with something else. Please report it.",
    )
}
