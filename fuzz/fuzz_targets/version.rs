//! See `chartroom_fuzz::version`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| chartroom_fuzz::version::run(bytes));
