//! The chartroom binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    chartroom::cli::run()
}
