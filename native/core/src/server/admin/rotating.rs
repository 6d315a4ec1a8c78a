//! `/admin/rotating-proxy`: the one proxy for all keys, shown and configured.

use http::StatusCode;

use super::answers::{Answer, Fault, object};
use super::{Call, objects};
use crate::command::Command;
use crate::state::State;
use crate::versions::About;

pub fn show(state: &State) -> Answer {
    let rotating = objects::rotating(state);
    object(StatusCode::OK, &rotating, Some(&rotating.version))
}

/// `url` left out keeps the one there is; an empty one, switched off, forgets it.
pub async fn configure(mut call: Call<'_>) -> Result<Answer, Fault> {
    let command = Command::ConfigureRotating {
        url: call.fields.text("url"),
        enabled: call.fields.flag("enabled").unwrap_or_default(),
    };
    call.done(command, About::Rotating).await?;
    Ok(show(call.state()))
}
