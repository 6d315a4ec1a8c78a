//! The pure choice among usable keys: four strategies over plain candidates. Which keys are usable, and what
//! happens with the chosen one, is decided elsewhere.

use crate::settings::KeySelection;

/// A usable key as the strategies see it; `share` is its weight as its health allows, `turn` the state of its
/// turn-taking.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    pub share: u32,
    pub in_flight: u32,
    pub turn: i64,
}

/// The index of the chosen candidate, or `None` when there is none. Updates `turn` of the candidates it weighed.
pub fn choose(
    strategy: KeySelection,
    candidates: &mut [Candidate],
    rng: &mut fastrand::Rng,
) -> Option<usize> {
    match strategy {
        KeySelection::RoundRobin => take_turns(candidates),
        KeySelection::LeastLoaded => {
            let least = candidates.iter().map(load).min()?;
            let equal: Vec<usize> =
                (0..candidates.len()).filter(|&index| load(&candidates[index]) == least).collect();
            equal.get(rng.usize(..equal.len())).copied()
        }
        KeySelection::Random => pick_by_share(candidates, rng),
        KeySelection::FillFirst => (!candidates.is_empty()).then_some(0),
    }
}

/// Requests in flight per unit of share, scaled so that integers compare.
fn load(candidate: &Candidate) -> u64 {
    u64::from(candidate.in_flight) * 1_000_000 / u64::from(candidate.share.max(1))
}

/// Smooth weighted round robin: everyone gains its share, the richest is served and pays the whole.
/// Shares are exact over a round and spread evenly within it.
fn take_turns(candidates: &mut [Candidate]) -> Option<usize> {
    let mut total = 0;
    let mut best: Option<usize> = None;
    for index in 0..candidates.len() {
        let share = i64::from(candidates[index].share.max(1));
        candidates[index].turn += share;
        total += share;
        if best.is_none_or(|leader| candidates[index].turn > candidates[leader].turn) {
            best = Some(index);
        }
    }
    if let Some(index) = best {
        candidates[index].turn -= total;
    }
    best
}

fn pick_by_share(candidates: &[Candidate], rng: &mut fastrand::Rng) -> Option<usize> {
    let total: u64 = candidates.iter().map(|candidate| u64::from(candidate.share.max(1))).sum();
    if total == 0 {
        return None;
    }
    let mut ticket = rng.u64(..total);
    candidates.iter().position(|candidate| {
        let share = u64::from(candidate.share.max(1));
        let hit = ticket < share;
        ticket = ticket.saturating_sub(share);
        hit
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(shares: &[u32]) -> Vec<Candidate> {
        shares.iter().map(|&share| Candidate { share, in_flight: 0, turn: 0 }).collect()
    }

    #[test]
    fn round_robin_gives_each_its_share_without_runs() {
        let mut keys = candidates(&[2, 1, 1]);
        let mut rng = fastrand::Rng::with_seed(1);
        let order: Vec<_> =
            (0..8).filter_map(|_| choose(KeySelection::RoundRobin, &mut keys, &mut rng)).collect();
        assert_eq!(order, [0, 1, 2, 0, 0, 1, 2, 0]);
    }

    #[test]
    fn least_loaded_counts_requests_per_share() {
        let mut keys = candidates(&[1, 4]);
        keys[0].in_flight = 1;
        keys[1].in_flight = 3;
        let mut rng = fastrand::Rng::with_seed(1);
        assert_eq!(choose(KeySelection::LeastLoaded, &mut keys, &mut rng), Some(1));
    }

    #[test]
    fn random_follows_the_shares() {
        let mut keys = candidates(&[1, 9]);
        let mut rng = fastrand::Rng::with_seed(7);
        let second =
            (0..1_000).filter(|_| choose(KeySelection::Random, &mut keys, &mut rng) == Some(1)).count();
        assert!((850..950).contains(&second), "{second}");
    }

    #[test]
    fn nobody_is_chosen_from_nobody() {
        let mut rng = fastrand::Rng::with_seed(1);
        for strategy in [
            KeySelection::RoundRobin,
            KeySelection::LeastLoaded,
            KeySelection::Random,
            KeySelection::FillFirst,
        ] {
            assert_eq!(choose(strategy, &mut [], &mut rng), None);
        }
    }
}
