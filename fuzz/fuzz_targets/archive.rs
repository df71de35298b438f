//! See `chartroom_fuzz::archive`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| chartroom_fuzz::archive::run(bytes));
