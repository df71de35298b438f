//! The chartroom binary.
fn main() {}
