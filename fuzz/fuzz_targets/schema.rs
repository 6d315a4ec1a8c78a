//! JSON Schemas from any client, mostly ones that are still JSON.
#![no_main]

use aggregator_fuzz::{checks::schema, mutate};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

fuzz_target!(|input: &[u8]| schema(input));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate::json(data, size, max_size, seed).unwrap_or_else(|| fuzzer_mutate(data, size, max_size))
});
