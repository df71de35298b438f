//! See `chartroom_fuzz::yaml_writer`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| chartroom_fuzz::yaml_writer::run(bytes));
