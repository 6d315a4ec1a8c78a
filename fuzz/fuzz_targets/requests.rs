//! OpenAI's requests from any client, mostly ones that are still JSON.
#![no_main]

use aggregator_fuzz::{checks::requests, mutate};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

fuzz_target!(|input: &[u8]| requests(input));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate::json(data, size, max_size, seed).unwrap_or_else(|| fuzzer_mutate(data, size, max_size))
});
