//! `rating close` and `rating reopen`: months become books, and are taken back.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use rating_core::run::closing::{self, CloseOptions};
use rating_core::run::storage::Disk;
use rating_core::time::{Date, Month};

use super::run::{counted, fail};
use super::{Exit, month, say};

pub(super) const CLOSE_EXAMPLES: &str = "Examples:\n  rating close acme --month 2026-10\n  rating close acme --month 2026-10 --by 'A. Jones' --note 'invoiced' --on 2026-11-03";

pub(super) const REOPEN_EXAMPLES: &str =
    "Example:\n  rating reopen acme --month 2026-10 --by 'A. Jones' --note 'the carrier sent a new deck for October'";

/// Arguments of `rating close`.
#[derive(Debug, Args)]
pub(super) struct CloseArguments {
    /// The project's folder (with its rating.toml)
    project: PathBuf,
    /// The month to close: any the first time, then one after the other
    #[arg(long, value_name = "YYYY-MM", value_parser = month)]
    month: Month,
    /// Who closes it
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Anything worth keeping
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// The day to keep with it; none is kept by itself
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    on: Option<Date>,
    /// Where the output is [default: PROJECT/out]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Arguments of `rating reopen`.
#[derive(Debug, Args)]
pub(super) struct ReopenArguments {
    /// The project's folder (with its rating.toml)
    project: PathBuf,
    /// The last closed month
    #[arg(long, value_name = "YYYY-MM", value_parser = month)]
    month: Month,
    /// Who opens it
    #[arg(long, value_name = "NAME", required = true)]
    by: String,
    /// Why
    #[arg(long, value_name = "TEXT", required = true)]
    note: String,
    /// The day to keep with it; none is kept by itself
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    on: Option<Date>,
    /// Where the output is [default: PROJECT/out]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(super) fn day(text: &str) -> Result<Date, String> {
    Date::parse(text).ok_or_else(|| "a day is written YYYY-MM-DD, such as 2026-11-03".to_owned())
}

pub(super) fn close(arguments: &CloseArguments) -> Exit {
    let options = CloseOptions {
        out: arguments.out.clone(),
        by: arguments.by.clone(),
        note: arguments.note.clone(),
        on: arguments.on,
        ..CloseOptions::new(&arguments.project, arguments.month)
    };
    match closing::close(&Disk, &options) {
        Ok(closing) => {
            let (month, run, next) = (closing.closed.month, &closing.closed.run, closing.closed.month.next());
            let mut text = match closing.already {
                true => format!("{month}  is closed already, with {run}: nothing was written\n"),
                false => format!(
                    "{month}  closed with {run}\n\n  no run changes it any more; calls that come late go into {next}\n"
                ),
            };
            let stays = |text: &mut String, count, what, words| {
                if count > 0 {
                    let _ = writeln!(text, "  {} {words} {next}", counted(count, what));
                }
            };
            stays(&mut text, closing.suspended, "suspended call", "can still be released, into");
            stays(
                &mut text,
                closing.waiting,
                "record",
                "still waiting for a partner; a call made of it later goes into",
            );
            say(&text, Exit::Ok)
        }
        Err(error) => fail(&error, false),
    }
}

pub(super) fn reopen(arguments: &ReopenArguments) -> Exit {
    let options = CloseOptions {
        out: arguments.out.clone(),
        by: Some(arguments.by.clone()),
        note: Some(arguments.note.clone()),
        on: arguments.on,
        ..CloseOptions::new(&arguments.project, arguments.month)
    };
    match closing::reopen(&Disk, &options) {
        Ok(reopening) => {
            let mut text =
                format!("{}  is open again (it was closed with {})\n", reopening.closed.month, reopening.closed.run);
            if let Some(next) = reopening.run_again {
                let month = reopening.closed.month;
                let _ = writeln!(
                    text,
                    "\n  {next} was run with {month} closed and may hold its late calls: close {month} again, then run {next} again"
                );
            }
            say(&text, Exit::Ok)
        }
        Err(error) => fail(&error, false),
    }
}
