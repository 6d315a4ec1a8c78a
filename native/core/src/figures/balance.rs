//! How evenly the work lies on the proxies: the spread of assigned keys and of requests in flight among those that work,
//! and how many keys moved. Pure; the moves themselves are decided in `proxies/balance`.

use super::minutes::Minutes;
use crate::clock::Millis;

/// What one proxy that works carries now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    pub keys: u32,
    pub requests: u32,
}

/// The most loaded proxy less the least loaded one; 0 while at most one works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spread {
    pub keys: u32,
    pub requests: u32,
}

impl Spread {
    pub fn of(loads: impl IntoIterator<Item = Load>) -> Self {
        let mut loads = loads.into_iter();
        let Some(first) = loads.next() else { return Self::default() };
        let (least, most) = loads.fold((first, first), |(least, most), load| {
            let least = Load { keys: least.keys.min(load.keys), requests: least.requests.min(load.requests) };
            (least, Load { keys: most.keys.max(load.keys), requests: most.requests.max(load.requests) })
        });
        Self { keys: most.keys - least.keys, requests: most.requests - least.requests }
    }
}

/// How often keys changed their proxy, by themselves or by hand.
#[derive(Clone, Debug, Default)]
pub struct Moves {
    pub total: u64,
    /// Those of the last hour.
    pub minutes: Minutes,
}

impl Moves {
    pub fn count(&mut self, now: Millis) {
        self.total += 1;
        self.minutes.add(now, 1, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_the_most_less_the_least_of_each() {
        let load = |keys, requests| Load { keys, requests };
        assert_eq!(Spread::of([load(2, 9), load(4, 1), load(3, 5)]), Spread { keys: 2, requests: 8 });
        assert_eq!(Spread::of([load(7, 7)]), Spread::default());
        assert_eq!(Spread::of([]), Spread::default());
    }
}
