//! Tells when a resting key is available again. Picks never wait for this: they compare times themselves; it is for
//! those who watch, so that a panel does not show a rest that is over.

use std::sync::Arc;
use std::time::Duration;

use super::Aggregator;
use crate::clock::Millis;
use crate::events::{Event, EventType, Level};
use crate::keys::ApiKey;
use crate::pools::Pools;

/// As fine as a countdown in seconds shows. The wall clock is asked each time, so a clock that jumps is no trouble.
const TICK: Duration = Duration::from_secs(1);

impl Aggregator {
    pub(super) async fn tell_returns_forever(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(TICK);
        loop {
            ticks.tick().await;
            let now = self.state.now();
            let returned = returned(&mut self.state.pools.lock(), now);
            returned.into_iter().for_each(|event| self.state.events.publish(event));
        }
    }
}

fn returned(pools: &mut Pools, now: Millis) -> Vec<Event> {
    let free = pools.quotas.returned(now);
    let back = pools.keys.iter().filter(|key| free.iter().any(|project| *project == key.quota_project()));
    let event = |key: &ApiKey| {
        let words = format!("Key \"{}\" is available again.", key.entered.name);
        Event::new(EventType::KeyAvailable, Level::Info, now, words).key(&key.entered.id)
    };
    back.map(event).collect()
}
