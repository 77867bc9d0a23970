//! `rating`: runs a month of telephone calls and publishes its reports.

use std::process::ExitCode;

fn main() -> ExitCode {
    rating_service::cli::main()
}
