//! Carries out commands: each is an edit on a copy of the pools, a test, or new settings. The one path for edits
//! (copy, save, take over, tell) lives here, so that no command can skip a step of it.

use std::collections::HashSet;
use std::sync::Arc;

use super::edit::{self, Edited, NewKey, Subject};
use super::{Aggregator, changes, forwarder, many, rotating};
use crate::clock::Millis;
use crate::command::{Command, Refusal, RefusalCode, Reply};
use crate::ids::{KeyId, ProxyId, mint};
use crate::keys::KeyPatch;
use crate::pools::Pools;
use crate::requests::filter::{RequestFilter, page};
use crate::secret::Secret;
use crate::settings::Settings;
use crate::token;
use crate::vault::{Entered, EnteredKey};
use crate::views::EndpointView;

/// Rows of one page of the log.
const MOST_ROWS: usize = 500;

/// What was entered before a change and after it.
pub(super) struct Difference {
    pub before: Entered,
    pub after: Entered,
}

impl Aggregator {
    pub async fn command(self: &Arc<Self>, command: Command) -> Reply {
        self.carry_out(command).await.into()
    }

    async fn carry_out(self: &Arc<Self>, command: Command) -> Result<Reply, Refusal> {
        match command {
            Command::TestKey { id } => return self.test_key(&id).await,
            Command::TestProxy { id } => return self.test_proxy(&id).await,
            Command::TestRotating => return self.test_rotating().await,
            Command::ApplySettings { settings } => return self.apply_settings(*settings).await,
            Command::RotateLocalToken => return self.rotate_local_token().await,
            Command::ReloadConfig => return self.reload_config().await,
            Command::AllowDirectUntilRecovery => return self.allow_direct(),
            Command::AddProxies { text } => return self.add_proxies(&text).await,
            Command::AddKeys { text } => return self.add_keys(&text).await,
            Command::ExportBackup { passphrase } => return self.export_backup(passphrase).await,
            Command::PreviewBackup { text, passphrase } => {
                return self.preview_backup(text, passphrase).await;
            }
            Command::ImportBackup { text, passphrase } => return self.import_backup(text, passphrase).await,
            Command::UndoRemoval { undo } => return self.undo_removal(&undo).await,
            Command::PlanRebalance => return Ok(self.plan_rebalance()),
            Command::ListRequests { offset, limit, filter } => {
                return self.list_requests(offset, limit, &filter);
            }
            _ => {}
        }
        let settings = self.state.settings();
        self.edit(|pools, now| match command {
            Command::AddKey { key, name, project, weight, cooldown_seconds } => {
                edit::add_key(pools, NewKey { key, name, project, weight, cooldown_seconds }, now)
            }
            Command::ModifyKey { id, key, name, project, weight, cooldown_seconds } => {
                let secret = key.map(Secret::new);
                edit::modify_key(pools, id, KeyPatch { secret, name, project, weight, cooldown_seconds })
            }
            Command::RemoveKey { id } => edit::remove_key(pools, id),
            Command::EnableKey { id } => edit::set_key_enabled(pools, id, true),
            Command::DisableKey { id } => edit::set_key_enabled(pools, id, false),
            Command::AddProxy { url, name } => edit::add_proxy(pools, &url, name, now),
            Command::UpdateProxy { id, url, name, enabled } => {
                edit::update_proxy(pools, id, url.as_deref(), name, enabled)
            }
            Command::RemoveProxy { id } => edit::remove_proxy(pools, id),
            Command::EditKeys { ids, action } => many::edit_keys(pools, ids, action, now),
            Command::RemoveProxies { ids } => many::remove_proxies(pools, ids),
            Command::AssignProxy { key_id, proxy_id } => edit::assign_proxy(pools, key_id, proxy_id, now),
            Command::UnassignProxy { key_id } => edit::unassign_proxy(pools, key_id),
            Command::RebalanceProxies => Ok(edit::rebalance(pools, &settings, now)),
            Command::ConfigureRotating { url, enabled } => {
                rotating::configure(pools, url.as_deref(), enabled, settings.rotating_proxy.enabled)
            }
            Command::TestKey { .. }
            | Command::TestProxy { .. }
            | Command::TestRotating
            | Command::ApplySettings { .. }
            | Command::AllowDirectUntilRecovery
            | Command::RotateLocalToken
            | Command::ReloadConfig
            | Command::AddProxies { .. }
            | Command::AddKeys { .. }
            | Command::PlanRebalance
            | Command::UndoRemoval { .. }
            | Command::ListRequests { .. }
            | Command::ExportBackup { .. }
            | Command::PreviewBackup { .. }
            | Command::ImportBackup { .. } => {
                Err(Refusal::new(RefusalCode::Invalid, "This command changes nothing."))
            }
        })
        .await
    }

    /// Copy, change, save, take over, tell.
    pub(super) async fn edit(
        &self,
        change: impl FnOnce(&mut Pools, Millis) -> Result<Edited, Refusal>,
    ) -> Result<Reply, Refusal> {
        let _one_at_a_time = self.editing.lock().await;
        let (mut edited, Difference { before, after }) =
            self.edit_alone(&self.state.settings(), None, change).await?;
        let undo = match &edited.subject {
            Subject::Removed(_) => Some(self.keep_removal(&before, &after, self.state.now())),
            _ => None,
        };
        if let Some(caution) = self.vault.caution().filter(|_| !edited.message.is_empty()) {
            edited.message = format!("{} {caution}", edited.message);
        }
        Ok(Reply::Done { message: edited.message, id: edited.subject.id(), undo })
    }

    /// The steps themselves, for whoever holds `editing`. `declared` is what the host's file says, when that is the change.
    pub(super) async fn edit_alone(
        &self,
        settings: &Settings,
        declared: Option<&Entered>,
        change: impl FnOnce(&mut Pools, Millis) -> Result<Edited, Refusal>,
    ) -> Result<(Edited, Difference), Refusal> {
        let now = self.state.now();
        let (before, mut next) = {
            let mut pools = self.state.pools.lock();
            // A fork, so that the next edit draws other numbers than this copy does.
            let rng = pools.rng.fork();
            let mut copy = pools.clone();
            copy.rng = rng;
            (pools.entered(), copy)
        };
        let edited = change(&mut next, now)?;
        next.settle_assignments(settings, now);
        let after = next.entered();
        let saved = self.saved.lock().clone();
        let kept = match declared {
            Some(declared) => self.vault.save_declared(declared, &saved, &after).await,
            None => self.vault.save(&saved, &after).await,
        };
        kept.map_err(|error| {
            let words = format!("The change was not saved and not applied: {}", error.0);
            Refusal::new(RefusalCode::NotSaved, words)
        })?;
        *self.saved.lock() = after.clone();
        let renewed = renewed(&before, &after);
        let (switched_on, rebalanced) = {
            let mut pools = self.state.pools.lock();
            let balance = pools.balance(now);
            pools.take_over(next, &renewed);
            if let Subject::ForgivenKeys(ids) = &edited.subject {
                // The copy's own forgiving is not taken over with what was entered.
                ids.iter().for_each(|id| pools.forgive(id));
            }
            // A proxy may have failed while the change was saved: its keys leave it anew, and that is saved in turn.
            pools.settle_assignments(settings, now);
            let switched_on = match &edited.subject {
                Subject::Rotating => pools.forgive_rotating(now),
                _ => None,
            };
            (switched_on, pools.rebalanced_event(balance, now))
        };
        self.state.moved.notify_one();
        self.state.affinity.forget(&renewed);
        self.state.signatures.forget(&renewed);
        self.uploads.forget(&renewed);
        let (gone, kept): (HashSet<_>, _) = (renewed.iter().collect(), after.proxies_by_id());
        let stays = |id: Option<&ProxyId>| id.is_none_or(|id| kept.contains_key(id));
        self.forwarder().clients().retain(|key, proxy| !gone.contains(key) && stays(proxy));
        if before.proxies != after.proxies || before.rotating != after.rotating {
            self.pool_changed.notify_one();
        }
        let events = changes::between(&before, &after, now).into_iter().chain(switched_on).chain(rebalanced);
        events.for_each(|event| self.state.events.publish(event));
        Ok((edited, Difference { before, after }))
    }

    /// Answers what it can be brought back by.
    fn keep_removal(&self, before: &Entered, after: &Entered, now: Millis) -> String {
        let undo = mint("undo", now, &mut self.state.pools.lock().rng);
        self.removals.lock().keep(undo.clone(), before, after, now);
        undo
    }

    fn plan_rebalance(&self) -> Reply {
        let pools = {
            let pools = self.state.pools.lock();
            // As `edit` will fork it.
            let rng = pools.rng.clone().fork();
            let mut copy = pools.clone();
            copy.rng = rng;
            copy
        };
        edit::plan_rebalance(pools, &self.state.settings(), self.state.now())
    }

    fn list_requests(&self, offset: usize, limit: usize, filter: &RequestFilter) -> Result<Reply, Refusal> {
        if !(1..=MOST_ROWS).contains(&limit) {
            let words = format!("A page has 1 to {MOST_ROWS} requests, not {limit}.");
            return Err(Refusal::invalid("limit", words));
        }
        let all = self.state.log.all();
        let (matched, rows) = page(&all, filter, offset, limit);
        Ok(Reply::Requests { total: all.len(), matched, offset, rows })
    }

    async fn apply_settings(self: &Arc<Self>, settings: Settings) -> Result<Reply, Refusal> {
        if let Some(problem) = settings.problems().into_iter().next() {
            return Err(Refusal::invalid(&problem.path, problem.message));
        }
        let before = self.state.settings();
        if before.upstream != settings.upstream {
            let (built, _) = forwarder(&settings, &self.extra_ca)
                .map_err(|problem| Refusal::invalid(&problem.path, problem.message))?;
            *self.forwarder.write() = Arc::new(built);
        }
        let server_changed = before.server != settings.server;
        let replace = before.proxy.auto_assignment != settings.proxy.auto_assignment
            || before.proxy.rebalance_threshold != settings.proxy.rebalance_threshold;
        let rotating_changed = before.rotating_proxy.enabled != settings.rotating_proxy.enabled;
        self.state.set_settings(settings);
        if rotating_changed {
            self.tell_rotating_switch();
        }
        let view = if server_changed { Some(self.restart_server().await) } else { None };
        if replace {
            self.edit(|_, _| Ok(Edited { subject: Subject::Nothing, message: String::new() })).await?;
        }
        if let Some(EndpointView::Failed { message }) = view {
            return Err(Refusal::new(RefusalCode::Failed, message));
        }
        Ok(Reply::done("The settings are applied."))
    }

    fn allow_direct(&self) -> Result<Reply, Refusal> {
        if !self.state.pools.lock().allow_direct_until_recovery() {
            return Err(Refusal::new(
                RefusalCode::Failed,
                "A proxy works again: nothing needs to go direct.",
            ));
        }
        let message =
            "Keys go direct until a proxy is back. Google sees this machine's own address meanwhile.";
        Ok(Reply::done(message))
    }

    async fn rotate_local_token(&self) -> Result<Reply, Refusal> {
        let Some(path) = self.token_file.read().clone() else {
            let words = "The local tokens come from the configuration; change server.accessTokens there.";
            return Err(Refusal::new(RefusalCode::Invalid, words));
        };
        let token = token::create(&path).map_err(|error| {
            let words =
                format!("The new local token could not be written: {error}. The old one stays valid.");
            Refusal::new(RefusalCode::NotSaved, words)
        })?;
        *self.tokens.write() = vec![token];
        self.tokens_changed().await;
        let message = "The local token is new. Copy it into every tool that uses this endpoint; the old one no longer works.";
        Ok(Reply::done(message))
    }
}

/// Keys that are gone or have another text. What was learned of the old text, and tunnels opened for it, are not the
/// new one's.
fn renewed(before: &Entered, after: &Entered) -> Vec<KeyId> {
    let after = after.keys_by_id();
    let kept = |old: &EnteredKey| after.get(&old.id).is_some_and(|key| key.secret == old.secret);
    before.keys.iter().filter(|old| !kept(old)).map(|old| old.id.clone()).collect()
}
