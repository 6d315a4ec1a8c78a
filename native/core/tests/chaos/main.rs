//! The core between a raw upstream, a raw proxy and raw clients, on loopback, with cuts at every place there is. Each
//! file here is one of these parties or one test; only the core's public handle is used.
//!
//! `CUTS=10000 cargo test -p aggregator-core --test chaos` runs more cases; `CUTS_SEED` begins at another one, as a
//! failure names it. `CREATIONS` likewise.
#![cfg(test)]

mod answer;
mod client;
mod creations;
mod cuts;
mod plan;
mod proxy;
mod runs;
mod upstream;
mod wire;
mod world;
