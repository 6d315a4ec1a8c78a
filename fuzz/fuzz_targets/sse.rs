//! Server-Sent Events from anywhere.
#![no_main]

use aggregator_fuzz::checks::sse;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| sse(input));
