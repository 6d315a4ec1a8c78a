//! `/admin/proxies` and `/admin/rebalance`: proxies shown, added, changed, removed and tested, and keys evened out among
//! them. Each change is a command; the answer is the proxy as it is then.

use http::{StatusCode, header};

use super::answers::{Answer, Fault, Said, nothing, object, with};
use super::{Call, objects};
use crate::command::{Command, Reply};
use crate::ids::ProxyId;
use crate::state::State;
use crate::versions::About;

pub fn list(state: &State) -> Answer {
    let proxies = objects::proxies(state);
    object(StatusCode::OK, &proxies, Some(&proxies.version))
}

pub fn one(state: &State, id: &ProxyId) -> Result<Answer, Fault> {
    let proxy = objects::proxy(state, id)?;
    Ok(object(StatusCode::OK, &proxy, Some(&proxy.version)))
}

pub async fn add(mut call: Call<'_>) -> Result<Answer, Fault> {
    let command = Command::AddProxy {
        url: call.fields.text("url").unwrap_or_default(),
        name: call.fields.text("name"),
    };
    let id = ProxyId::from(call.done(command, About::Proxies).await?.id.unwrap_or_default());
    let proxy = objects::proxy(call.state(), &id)?;
    let mut answer = object(StatusCode::CREATED, &proxy, Some(&proxy.version));
    with(&mut answer, header::LOCATION, format!("/admin/proxies/{id}"));
    Ok(answer)
}

pub async fn change(mut call: Call<'_>) -> Result<Answer, Fault> {
    let id = ProxyId::from(call.id);
    let command = Command::UpdateProxy {
        id: id.clone(),
        url: call.fields.text("url"),
        name: call.fields.text("name"),
        enabled: call.fields.flag("enabled"),
    };
    call.done(command, About::Proxy(id.clone())).await?;
    one(call.state(), &id)
}

pub async fn remove(call: Call<'_>) -> Result<Answer, Fault> {
    let id = ProxyId::from(call.id);
    call.done(Command::RemoveProxy { id: id.clone() }, About::Proxy(id)).await?;
    Ok(nothing())
}

pub async fn test(call: Call<'_>) -> Result<Answer, Fault> {
    let id = ProxyId::from(call.id);
    match call.ask(Command::TestProxy { id: id.clone() }, About::Proxy(id)).await? {
        Reply::Tested(tested) => Ok(object(StatusCode::OK, &tested, None)),
        _ => Err(super::unexpected()),
    }
}

pub async fn rebalance(call: Call<'_>) -> Result<Answer, Fault> {
    let done = call.done(Command::RebalanceProxies, About::Keys).await?;
    Ok(object(StatusCode::OK, &Said { message: done.message }, None))
}
