//! `rating reconcile`.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use rating_core::run::compare::Money;
use rating_core::run::reconcile::{Part, ReconcileOptions, Reconciliation, reconcile as compare};
use rating_core::run::storage::Disk;
use rating_core::run::{Options, RunError};
use rating_core::time::{Duration, Month, Zone};

use super::compared::{columns, signed};
use super::diff::{Refused, with_csv};
use super::progress::Bar;
use super::run::{fail, grouped_money, last_complete_month, thousands};
use super::terminal::line;
use super::{Exit, month, say};

pub(super) const EXAMPLES: &str = "\
Examples:
  rating reconcile acme --month 2026-10 --site ldn --carrier carrier.csv --zone Europe/London
  rating reconcile acme --month 2026-10 --site ldn --carrier october.cdr --format uk-wholesale
  rating reconcile acme --site ldn --carrier part1.csv part2.csv --tolerance 5s --csv calls.csv";

/// Arguments of `rating reconcile`.
#[derive(Debug, Args)]
pub(super) struct ReconcileArguments {
    /// The project's folder (with its rating.toml)
    project: PathBuf,
    /// The month [default: the project's, or the last complete month]
    #[arg(long, value_name = "YYYY-MM", value_parser = month)]
    month: Option<Month>,
    /// The carrier's files: CSV with the header calling,called,start,duration_s,price,currency[,reference], or see --format
    #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
    carrier: Vec<PathBuf>,
    /// The site whose calls the carrier bills [default: the source's, or the only one]
    #[arg(long, value_name = "SITE")]
    site: Option<String>,
    /// Read the files as this source's
    #[arg(long, value_name = "ID", conflicts_with = "format")]
    source: Option<String>,
    /// Read the files by this format, whose records must carry a price
    #[arg(long, value_name = "NAME")]
    format: Option<String>,
    /// The carrier's clock, for times without an offset [default: the source's, or the site's]
    #[arg(long, value_name = "ZONE", value_parser = zone)]
    zone: Option<Zone>,
    /// How far the beginnings of one call may be apart
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = tolerance)]
    tolerance: Duration,
    /// Write every call of either side to this file (machine CSV)
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// The result as JSON on standard output
    #[arg(long)]
    json: bool,
}

fn zone(text: &str) -> Result<Zone, String> {
    Zone::load(text).ok_or_else(|| "a zone is written as IANA does, such as Europe/London".to_owned())
}

fn tolerance(text: &str) -> Result<Duration, String> {
    let most = Duration::from_seconds(600);
    let parsed = Duration::parse(text).filter(|time| *time >= Duration::ZERO && *time <= most);
    parsed.ok_or_else(|| "write a time up to ten minutes, such as 2s".to_owned())
}

pub(super) fn reconcile(arguments: &ReconcileArguments) -> Exit {
    let Some(default_month) = last_complete_month() else {
        let message = "the system clock is before 1970; name a month with --month".to_owned();
        return fail(&RunError::Usage(message), arguments.json);
    };
    let run = Options {
        month: arguments.month,
        site: arguments.site.clone(),
        ..Options::new(arguments.project.clone(), default_month)
    };
    let options = ReconcileOptions {
        run,
        files: arguments.carrier.clone(),
        source: arguments.source.clone(),
        format: arguments.format.clone(),
        zone: arguments.zone.clone(),
        tolerance: arguments.tolerance,
    };
    let bar = Bar::new();
    let found = with_csv(arguments.csv.as_deref(), |csv| compare(&Disk, &options, &bar, csv));
    bar.clear();
    match found {
        Ok(found) => {
            let exit = if found.unreadable > 0 { Exit::AboveLimit } else { Exit::Ok };
            let shown = if arguments.json { format!("{:#}\n", json(&found)) } else { text(&found) };
            say(&shown, exit)
        }
        Err(Refused::Run(error)) => fail(&error, arguments.json),
        Err(Refused::Csv(exit)) => exit,
    }
}

/// Ours, theirs and the difference, by currency.
fn amounts(money: &[Money]) -> [String; 3] {
    let all = |show: &dyn Fn(&Money) -> String| {
        if money.is_empty() { "-".to_owned() } else { money.iter().map(show).collect::<Vec<_>>().join(", ") }
    };
    let code = |money: &Money| money.currency.code().to_owned();
    [
        all(&|money| format!("{} {}", grouped_money(money.amounts.before), code(money))),
        all(&|money| format!("{} {}", grouped_money(money.amounts.after), code(money))),
        all(&|money| signed(money.amounts.difference(), &code(money))),
    ]
}

fn text(found: &Reconciliation) -> String {
    let mut text = format!("{}  our wholesale charges and the carrier's\n\n", found.month);
    let [ours, theirs, difference] = amounts(&found.totals);
    let head = ["calls", "here", "there", "difference", "", ""];
    let mut rows = Vec::new();
    for part in &found.parts {
        let [ours, theirs, difference] = amounts(&part.money);
        let cause = part.cause.to_owned();
        rows.push(vec![thousands(part.calls), ours, theirs, difference, cause, line(&part.what)]);
    }
    let calls = format!("{} / {}", thousands(found.ours), thousands(found.theirs));
    rows.push(vec![calls, ours, theirs, difference, "in all".to_owned(), String::new()]);
    columns(&mut text, &head, 4, &rows);
    let _ = writeln!(text, "\n  {} calls are in both", thousands(found.matched));
    for (hours, calls) in &found.clock {
        let way = if *hours > 0 { "ahead" } else { "behind" };
        let _ = writeln!(
            text,
            "  the carrier's clock is {} h {way} for {} of them: see --zone",
            hours.abs(),
            thousands(*calls)
        );
    }
    let longer = |part: &&Part| part.other_durations > 0;
    let calls: u64 = found.parts.iter().map(|part| part.other_durations).sum();
    if calls > 0 {
        let millis: i128 = found.parts.iter().filter(longer).map(|part| part.longer_millis).sum();
        let sign = if millis > 0 { "+" } else { "" };
        let _ = writeln!(
            text,
            "  {} of them last another time there, {sign}{} s in all",
            thousands(calls),
            seconds(millis)
        );
    }
    if let Some(first) = &found.first_unreadable {
        let _ = writeln!(
            text,
            "  {} lines cannot be read, the first {} (exit code 4)",
            thousands(found.unreadable),
            line(first)
        );
    }
    let examples: Vec<&Part> = found.parts.iter().filter(|part| part.cause != "same").collect();
    if !examples.is_empty() {
        let _ = writeln!(text, "\n  the first of each");
        let rows: Vec<Vec<String>> =
            examples.iter().map(|part| vec![part.cause.to_owned(), line(&part.example)]).collect();
        columns(&mut text, &["", ""], 0, &rows);
    }
    text
}

/// Milliseconds as seconds, without zeros at the end.
fn seconds(millis: i128) -> String {
    let sign = if millis < 0 { "-" } else { "" };
    let millis = millis.unsigned_abs();
    let text = format!("{sign}{}.{:03}", millis / 1_000, millis % 1_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn json(found: &Reconciliation) -> serde_json::Value {
    let money = |money: &[Money]| -> serde_json::Value {
        money
            .iter()
            .map(|money| {
                serde_json::json!({
                    "currency": money.currency.code(),
                    "here": money.amounts.before.to_string(),
                    "there": money.amounts.after.to_string(),
                    "difference": money.amounts.difference().to_string(),
                })
            })
            .collect()
    };
    let part = |part: &Part| {
        serde_json::json!({
            "cause": part.cause,
            "what": part.what,
            "calls": part.calls,
            "other_durations": part.other_durations,
            "longer_there_s": seconds(part.longer_millis),
            "money": money(&part.money),
            "example": part.example,
        })
    };
    serde_json::json!({
        "month": found.month.to_string(),
        "calls": { "here": found.ours, "there": found.theirs, "in_both": found.matched },
        "unreadable": found.unreadable,
        "first_unreadable": found.first_unreadable,
        "clock": found.clock.iter().map(|(hours, calls)| serde_json::json!({ "hours": hours, "calls": calls })).collect::<Vec<_>>(),
        "totals": money(&found.totals),
        "parts": found.parts.iter().map(part).collect::<Vec<_>>(),
    })
}
