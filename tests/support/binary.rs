//! The program under test.

use std::env;
use std::path::PathBuf;

/// The chartroom that cargo built, or the one that `CHARTROOM_BIN` names: a release build, or a
/// stand-in to check a harness with.
pub(crate) fn chartroom() -> PathBuf {
    env::var_os("CHARTROOM_BIN").map_or_else(
        || PathBuf::from(env!("CARGO_BIN_EXE_chartroom")),
        PathBuf::from,
    )
}
