//! See `chartroom_fuzz::multipart`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| chartroom_fuzz::multipart::run(bytes));
