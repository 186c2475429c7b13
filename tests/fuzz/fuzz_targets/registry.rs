//! Hands bytes in as what an OCI registry answers.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| switchyard::fuzz_tests::registry(bytes));
