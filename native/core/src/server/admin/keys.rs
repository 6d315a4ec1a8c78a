//! `/admin/keys`: keys shown, added, changed, removed, switched, tested, and given a proxy by hand or back to the
//! balancer. Each change is a command; the answer is the key as it is then.

use http::{StatusCode, header};

use super::answers::{Answer, Fault, nothing, object, with};
use super::{Call, objects};
use crate::command::{Command, Reply};
use crate::ids::{KeyId, ProxyId};
use crate::state::State;
use crate::versions::About;

pub fn list(state: &State) -> Answer {
    let keys = objects::keys(state);
    object(StatusCode::OK, &keys, Some(&keys.version))
}

pub fn one(state: &State, id: &KeyId) -> Result<Answer, Fault> {
    let key = objects::key(state, id)?;
    Ok(object(StatusCode::OK, &key, Some(&key.version)))
}

pub async fn add(mut call: Call<'_>) -> Result<Answer, Fault> {
    let command = Command::AddKey {
        key: call.fields.text("key").unwrap_or_default(),
        name: call.fields.text("name"),
        project: call.fields.text("project"),
        weight: call.fields.number("weight"),
        cooldown_seconds: None,
        proxy_id: call.fields.text("proxy_id").map(ProxyId::from),
    };
    let id = KeyId::from(call.done(command, About::Keys).await?.id.unwrap_or_default());
    let key = objects::key(call.state(), &id)?;
    let mut answer = object(StatusCode::CREATED, &key, Some(&key.version));
    with(&mut answer, header::LOCATION, format!("/admin/keys/{id}"));
    Ok(answer)
}

pub async fn change(mut call: Call<'_>) -> Result<Answer, Fault> {
    let project = match call.fields.is_null("project") {
        true => Some(String::new()),
        false => call.fields.text("project"),
    };
    let id = KeyId::from(call.id);
    let command = Command::ModifyKey {
        id: id.clone(),
        key: None,
        name: call.fields.text("name"),
        project,
        weight: call.fields.number("weight"),
        cooldown_seconds: call.fields.number("cooldown_seconds"),
    };
    changed(call, id, command).await
}

pub async fn remove(call: Call<'_>) -> Result<Answer, Fault> {
    let id = KeyId::from(call.id);
    call.done(Command::RemoveKey { id: id.clone() }, About::Key(id)).await?;
    Ok(nothing())
}

pub async fn switch(call: Call<'_>, on: bool) -> Result<Answer, Fault> {
    let id = KeyId::from(call.id);
    let command = match on {
        true => Command::EnableKey { id: id.clone() },
        false => Command::DisableKey { id: id.clone() },
    };
    changed(call, id, command).await
}

/// By hand; null pins "No Proxy".
pub async fn assign(mut call: Call<'_>) -> Result<Answer, Fault> {
    let id = KeyId::from(call.id);
    let proxy_id = call.fields.text("proxy_id").map(ProxyId::from);
    changed(call, id.clone(), Command::AssignProxy { key_id: id, proxy_id }).await
}

pub async fn unassign(call: Call<'_>) -> Result<Answer, Fault> {
    let id = KeyId::from(call.id);
    changed(call, id.clone(), Command::UnassignProxy { key_id: id }).await
}

pub async fn test(call: Call<'_>) -> Result<Answer, Fault> {
    let id = KeyId::from(call.id);
    match call.ask(Command::TestKey { id: id.clone() }, About::Key(id)).await? {
        Reply::Tested(tested) => Ok(object(StatusCode::OK, &tested, None)),
        _ => Err(super::unexpected()),
    }
}

async fn changed(call: Call<'_>, id: KeyId, command: Command) -> Result<Answer, Fault> {
    call.done(command, About::Key(id.clone())).await?;
    one(call.state(), &id)
}
