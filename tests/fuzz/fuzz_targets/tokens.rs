//! Hands bytes in as an answer of the token endpoint.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| switchyard::fuzz_tests::tokens(bytes));
