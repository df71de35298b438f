//! See `chartroom_fuzz::chart_yaml`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| chartroom_fuzz::chart_yaml::run(bytes));
