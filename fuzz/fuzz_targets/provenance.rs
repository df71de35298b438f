//! See `chartroom_fuzz::provenance`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| chartroom_fuzz::provenance::run(bytes));
