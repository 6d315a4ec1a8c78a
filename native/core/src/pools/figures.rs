//! The figures among the pools: which entry's an attempt counts for, how evenly the work lies, how much memory all of it
//! holds. Counting only; nothing is decided here.

use super::{Pick, PickedProxy, Pools};
use crate::clock::Millis;
use crate::events::{Event, EventType, Level};
use crate::figures::Figures;
use crate::figures::balance::{Load, Spread};
use crate::figures::meter::Meters;
use crate::ids::KeyId;
use crate::proxies::pool::ProxyStatus;

/// Moves are told for this time, in milliseconds.
const HOUR: Millis = 3_600_000;

/// How well the keys are spread over the proxies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// Among the proxies that work.
    pub spread: Spread,
    /// Keys that changed their proxy, since the start and within the last hour.
    pub moves: u64,
    pub moves_last_hour: u64,
}

/// About how many bytes each part of the pools holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    pub keys: usize,
    pub proxies: usize,
    pub assignments: usize,
    pub rests: usize,
}

impl Pools {
    /// What the connections of an attempt count on.
    pub(super) fn meters(&self, key: &KeyId, proxy: Option<&PickedProxy>) -> Meters {
        let way = match proxy {
            Some(proxy) if proxy.rotating => self.rotating.as_ref().map(|rotating| &rotating.figures),
            Some(proxy) => self.proxies.get(&proxy.id).map(|server| &server.figures),
            None => Some(&self.direct),
        };
        let key = self.keys.get(key).map(|key| &key.figures);
        let [key, way] = [key, way].map(|figures| figures.map(|figures| figures.meter.clone()));
        Meters { key, way }
    }

    /// Those of the way an attempt took; `None` when it is gone, or is another by now.
    pub(super) fn figures_of_way(&mut self, pick: &Pick) -> Option<&mut Figures> {
        match &pick.proxy {
            Some(proxy) if proxy.rotating => self.rotating_of(pick).map(|rotating| &mut rotating.figures),
            Some(proxy) => {
                let server = self.proxies.get_mut(&proxy.id)?;
                (server.entered.url == proxy.url).then_some(&mut server.figures)
            }
            None => Some(&mut self.direct),
        }
    }

    pub fn balance(&self, now: Millis) -> Balance {
        let working = self.proxies.iter().filter(|proxy| proxy.status() == ProxyStatus::Active);
        let loads = working.map(|proxy| Load {
            keys: self.assignments.count(&proxy.entered.id),
            requests: proxy.health.in_flight,
        });
        let (moves_last_hour, _) = self.assignments.moves.minutes.since(now.saturating_sub(HOUR));
        Balance { spread: Spread::of(loads), moves: self.assignments.moves.total, moves_last_hour }
    }

    /// What to tell when keys changed their proxy since `before`.
    pub fn rebalanced_event(&self, before: Balance, now: Millis) -> Option<Event> {
        let after = self.balance(now);
        let moved = after.moves.saturating_sub(before.moves);
        let keys = if moved == 1 { "1 key".to_owned() } else { format!("{moved} keys") };
        let even = match after.spread.keys {
            0 => "All proxies that work carry as many keys.".to_owned(),
            spread => format!("Between the most and the least loaded proxy that works lie {spread}."),
        };
        let words = format!("{keys} changed the proxy. {even}");
        (moved > 0).then(|| Event::new(EventType::Rebalanced, Level::Info, now, words))
    }

    pub fn held(&self) -> Held {
        let keys = self.keys.iter().map(|key| size_of_val(key) + key.held_bytes());
        let proxies = self.proxies.iter().map(|proxy| size_of_val(proxy) + proxy.figures.held_bytes());
        Held {
            keys: keys.sum(),
            proxies: proxies.sum(),
            assignments: self.assignments.held_bytes(),
            rests: self.quotas.held_bytes(),
        }
    }
}
