//! See `chartroom_fuzz::log_record`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| chartroom_fuzz::log_record::run(bytes));
