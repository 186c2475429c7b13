//! Hands bytes in as a policy's file.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| switchyard::fuzz_tests::policies(bytes));
