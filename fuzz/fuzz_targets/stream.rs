//! Gemini's streams, mostly ones whose events are still JSON.
#![no_main]

use aggregator_fuzz::{checks::stream, mutate};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

fuzz_target!(|input: &[u8]| stream(input));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate::events(data, size, max_size, seed).unwrap_or_else(|| fuzzer_mutate(data, size, max_size))
});
