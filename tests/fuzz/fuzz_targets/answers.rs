//! Hands bytes in as an answer of Salesforce's REST API.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| switchyard::fuzz_tests::answers(bytes));
