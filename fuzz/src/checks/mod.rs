//! The properties, one function for each target: it takes an input and panics where something does not hold. The fuzz
//! targets call them with whatever they make up, `native/core/tests/corpora.rs` with every file in `fuzz/corpus`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a panic is how a finding is told

mod requests;
mod schema;
mod sse;
mod stream;

pub use requests::requests;
pub use schema::schema;
pub use sse::sse;
pub use stream::stream;

/// The input cut into pieces: whole, byte by byte, and twice by chance, the same for the same input.
fn cuts(input: &[u8]) -> [Vec<&[u8]>; 4] {
    let seed = input.iter().fold(input.len() as u64, |seed, byte| seed.rotate_left(5) ^ u64::from(*byte));
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut by_chance = |longest: usize| {
        let (mut rest, mut pieces) = (input, Vec::new());
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(rng.usize(..=longest).min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
        pieces
    };
    [vec![input], input.chunks(1).collect(), by_chance(8), by_chance(200)]
}
