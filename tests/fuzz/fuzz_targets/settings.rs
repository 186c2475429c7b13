//! Hands bytes in as a case in JSON with its settings.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| switchyard::fuzz_tests::settings(bytes));
