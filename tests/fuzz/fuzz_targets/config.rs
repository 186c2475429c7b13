//! Hands bytes in as `switchyard.toml`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| switchyard::fuzz_tests::config(bytes));
