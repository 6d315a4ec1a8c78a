//! Tells when a resting key is available again. Picks never wait for this: they compare times themselves; it is for
//! those who watch, so that a panel does not show a rest that is over.

use std::sync::Arc;
use std::time::Duration;

use super::Aggregator;
use crate::clock::Millis;
use crate::events::{Event, EventType, Level};
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
    let over = pools.keys.iter_mut().filter_map(|key| {
        key.learned.cooling.take_if(|cooling| cooling.until <= now)?;
        let words = format!("Key \"{}\" is available again.", key.entered.name);
        Some(Event::new(EventType::KeyAvailable, Level::Info, now, words).key(&key.entered.id))
    });
    over.collect()
}
