//! `rating recycle`: what a fix releases is charged, and nothing else changes.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use rating_core::run::publish::Published;
use rating_core::run::recycle::{self, RecycleOptions, Recycled, Released};
use rating_core::run::storage::Disk;
use rating_core::time::Month;

use super::progress::Bar;
use super::run::{counted, fail, last_complete_month, show_warnings};
use super::suspense::amounts;
use super::terminal::{complain, line};
use super::{Exit, month, say, threads};

pub(super) const EXAMPLES: &str = "Examples:\n  rating recycle acme --dry-run\n  rating recycle acme --month 2026-10";

/// Arguments of `rating recycle`.
#[derive(Debug, Args)]
pub(super) struct RecycleArguments {
    /// The project's folder (with its rating.toml)
    project: PathBuf,
    /// The month; what is released of a closed one is charged in the month after the last closed one [default: the
    /// project's, or the last complete month]
    #[arg(long, value_name = "YYYY-MM", value_parser = month)]
    month: Option<Month>,
    /// Only say what would be released
    #[arg(long)]
    dry_run: bool,
    /// Where the output is [default: PROJECT/out]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// How many threads [default: one for each processor]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true, value_parser = threads)]
    threads: usize,
    /// What came of it as JSON on standard output
    #[arg(long)]
    json: bool,
}

pub(super) fn recycle(arguments: &RecycleArguments) -> Exit {
    let Some(default_month) = last_complete_month() else {
        complain("error: the system clock is before 1970; name a month with --month\n");
        return Exit::Usage;
    };
    let options = RecycleOptions {
        out: arguments.out.clone(),
        month: arguments.month,
        threads: arguments.threads,
        dry_run: arguments.dry_run,
        ..RecycleOptions::new(&arguments.project, default_month)
    };
    let bar = Bar::new();
    let result = recycle::recycle(&Disk, &options, &bar);
    bar.clear();
    match result {
        Ok(recycled) => {
            show_warnings(&recycled.summary.warnings);
            match arguments.json {
                true => say(&format!("{:#}\n", json(&recycled)), Exit::Ok),
                false => say(&table(&recycled), Exit::Ok),
            }
        }
        Err(error) => fail(&error, arguments.json),
    }
}

fn money(released: &Released) -> String {
    if released.charges.is_empty() { "nothing due".to_owned() } else { amounts(&released.charges) }
}

fn table(recycled: &Recycled) -> String {
    let (month, run) = (recycled.month, &recycled.run);
    let still = counted(recycled.suspended, "call");
    if recycled.released.is_empty() {
        return format!("{month}  nothing is released, and nothing was written; {still} still suspended\n");
    }
    let mut text = match recycled.published {
        Published::Now => format!("{month}  published as {run}; no other call changed\n\n  released\n"),
        _ => {
            format!("{month}  nothing was written; a run would release this, and change no other call\n\n  released\n")
        }
    };
    let rows: Vec<[String; 4]> = recycled
        .released
        .iter()
        .map(|released| {
            let corrects = released.corrects.map_or_else(String::new, |month| format!("correcting {month}"));
            let calls = counted(released.calls, "call");
            [calls, format!("{}: {}", released.side.name(), line(&released.code)), money(released), corrects]
        })
        .collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let (calls, code, sums) = (width(0), width(1), width(2));
    for [count, what, sum, corrects] in &rows {
        let row = format!("    {count:>calls$}  {what:<code$}  {sum:<sums$}  {corrects}");
        let _ = writeln!(text, "{}", row.trim_end());
    }
    let _ = writeln!(text, "\n  {still} of {month} still suspended");
    text
}

fn json(recycled: &Recycled) -> serde_json::Value {
    let one = |released: &Released| {
        let charges: serde_json::Map<String, serde_json::Value> = released
            .charges
            .iter()
            .map(|(currency, total)| (currency.code().to_owned(), total.to_string().into()))
            .collect();
        serde_json::json!({
            "side": released.side.name(), "code": released.code, "calls": released.calls, "charges": charges,
            "corrects": released.corrects.map(|month| month.to_string()),
        })
    };
    serde_json::json!({
        "month": recycled.month.to_string(),
        "run": recycled.run,
        "published": recycled.published == Published::Now,
        "released": recycled.released.iter().map(one).collect::<Vec<_>>(),
        "still_suspended": recycled.suspended,
    })
}
