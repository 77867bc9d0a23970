//! `rating run` and `rating check`.

use std::fmt::Write as _;
use std::path::Path;

use rating_core::finding::Findings;
use rating_core::money::{Currency, Total};
use rating_core::run::publish::Published;
use rating_core::run::storage::Disk;
use rating_core::run::{self, Aside, Options, RunError, Summary};
use rating_core::time::{Instant, Month, Zone};

use super::progress::Bar;
use super::{Exit, RunArguments, fancy, findings};

/// The last month that is over in UTC: the default when neither the command nor the project names one.
fn last_complete_month() -> Option<Month> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).ok()?;
    let now = Instant::from_millis(i64::try_from(since.as_millis()).ok()?);
    Some(Month::of(Zone::utc().to_local(now).date()).previous())
}

pub(super) fn run(arguments: &RunArguments) -> Exit {
    let Some(default_month) = last_complete_month() else {
        eprintln!("error: the system clock is before 1970; name a month with --month");
        return Exit::Usage;
    };
    let options = Options {
        project: arguments.project.clone(),
        month: arguments.month,
        default_month,
        site: arguments.site.clone(),
        out: arguments.out.clone(),
        threads: arguments.threads,
        dry_run: arguments.dry_run,
        known_at: arguments.known_at,
    };
    let bar = Bar::new();
    let started = std::time::Instant::now();
    let result = run::month(&Disk, &options, &bar);
    bar.clear();
    match result {
        Ok(summary) => {
            show_warnings(&summary.warnings);
            if arguments.json {
                println!("{:#}", json(&summary));
            } else {
                print!("{}", table(&summary, started.elapsed()));
            }
            if summary.above_limit { Exit::AboveLimit } else { Exit::Ok }
        }
        Err(error) => fail(&error, arguments.json),
    }
}

pub(super) fn check(project: &Path, as_json: bool) -> Exit {
    let found = match run::check(&Disk, project) {
        Ok(found) => found,
        Err(error) => return fail(&error, as_json),
    };
    if as_json {
        println!("{:#}", findings::json(&found));
    } else {
        eprint!("{}", findings::render(&found, fancy()));
        println!("{}: {}", project.display(), verdict(&found));
    }
    if found.has_errors() { Exit::Invalid } else { Exit::Ok }
}

fn verdict(found: &Findings) -> String {
    let errors = found.iter().filter(|finding| finding.severity == rating_core::finding::Severity::Error).count();
    let warnings = found.len() - errors;
    match (errors, warnings) {
        (0, 0) => "nothing wrong".to_owned(),
        (0, _) => format!("no errors, {}", counted(warnings as u64, "warning")),
        _ => format!("{}, {}", counted(errors as u64, "error"), counted(warnings as u64, "warning")),
    }
}

fn show_warnings(warnings: &Findings) {
    if !warnings.is_empty() {
        eprint!("{}", findings::render(warnings, fancy()));
    }
}

fn fail(error: &RunError, as_json: bool) -> Exit {
    match error {
        RunError::Invalid(found) => {
            if as_json {
                println!("{:#}", serde_json::json!({ "error": "invalid", "findings": findings::json(found) }));
            } else {
                eprint!("{}", findings::render(found, fancy()));
                eprintln!("error: {}; nothing was rated", verdict(found));
            }
        }
        other => {
            if as_json {
                println!("{:#}", serde_json::json!({ "error": other.to_string() }));
            }
            eprintln!("error: {other}");
        }
    }
    Exit::from(error)
}

fn counted(count: u64, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {what}{plural}", thousands(count))
}

/// `1234567` as `1,234,567`.
fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn amounts(amounts: &[(Currency, Total)]) -> String {
    if amounts.is_empty() {
        return "-".to_owned();
    }
    amounts.iter().map(|(currency, total)| format!("{total} {currency}")).collect::<Vec<_>>().join(" + ")
}

/// The closing table.
fn table(summary: &Summary, elapsed: std::time::Duration) -> String {
    let mut text = String::new();
    let (records, calls) = (&summary.records, &summary.calls);
    let _ = writeln!(text, "{}  {}", summary.month, headline(summary));
    let _ = writeln!(text);
    let _ = writeln!(
        text,
        "  records read        {:>14}   from {}",
        thousands(records.records),
        counted(summary.files as u64, "file")
    );
    for (name, count) in [
        ("used in calls", records.used),
        ("merged legs", records.merged),
        ("duplicates", records.duplicate),
        ("not calls", records.not_a_call),
        ("of other months", records.other_period),
        ("waiting", records.waiting),
        ("rejected", records.rejected),
    ] {
        if count > 0 {
            let _ = writeln!(text, "    {name:<18}{:>14}", thousands(count));
        }
    }
    let _ = writeln!(text, "  calls               {:>14}", thousands(calls.calls));
    for (name, count) in
        [("rated", calls.rated), ("not chargeable", calls.not_chargeable), ("suspended", calls.suspended)]
    {
        let _ = writeln!(text, "    {name:<18}{:>14}", thousands(count));
    }
    let _ = writeln!(text, "  occupiers pay       {:>14}", amounts(&summary.retail));
    let _ = writeln!(text, "  the operator pays   {:>14}", amounts(&summary.wholesale));
    if summary.near_duplicates > 0 {
        let _ = writeln!(
            text,
            "  nearly equal calls  {:>14}   rated, listed for a decision",
            thousands(summary.near_duplicates)
        );
    }
    asides(&mut text, "suspended, by reason", &summary.suspended);
    asides(&mut text, "rejected, by reason", &summary.rejected);
    let _ = writeln!(text);
    if summary.published != Published::DryRun {
        let _ = writeln!(text, "  reports: {}", summary.folder.display());
    }
    let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
    if summary.published != Published::Already {
        let rate = records.records.saturating_mul(1_000) / millis;
        let _ = writeln!(text, "  {}.{:03} s, {} records a second", millis / 1_000, millis % 1_000, thousands(rate));
    }
    if summary.above_limit {
        let _ = writeln!(
            text,
            "  suspended or rejected are above the limit that rating.toml sets: look at the exceptions report"
        );
    }
    text
}

fn headline(summary: &Summary) -> String {
    match summary.published {
        Published::Now => format!("published as {}", summary.run),
        Published::Already => {
            format!("nothing to do: {} is the version in force, made from the same inputs", summary.run)
        }
        Published::Draft => format!("draft {}", summary.run),
        Published::DryRun => format!("dry run of {}: nothing was written", summary.run),
    }
}

fn asides(text: &mut String, title: &str, asides: &[Aside]) {
    if asides.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n  {title}");
    for aside in asides {
        let stake =
            if aside.at_stake.is_empty() { String::new() } else { format!("  {} at stake", amounts(&aside.at_stake)) };
        let _ = writeln!(
            text,
            "    {:>9}  {:<38} e.g. {} {}{stake}",
            thousands(aside.count),
            aside.code,
            aside.example,
            aside.looks_like
        );
    }
}

fn json(summary: &Summary) -> serde_json::Value {
    let money = |amounts: &[(Currency, Total)]| -> serde_json::Value {
        amounts
            .iter()
            .map(|(currency, total)| (currency.code().to_owned(), serde_json::Value::from(total.to_string())))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let asides = |asides: &[Aside]| -> serde_json::Value {
        asides
            .iter()
            .map(|aside| {
                serde_json::json!({
                    "code": aside.code, "count": aside.count, "example": aside.example,
                    "looks_like": aside.looks_like, "at_stake": money(&aside.at_stake),
                })
            })
            .collect()
    };
    let (records, calls) = (&summary.records, &summary.calls);
    serde_json::json!({
        "month": summary.month.to_string(),
        "run": summary.run,
        "published": match summary.published {
            Published::Now => "now",
            Published::Already => "already",
            Published::Draft => "draft",
            Published::DryRun => "dry-run",
        },
        "folder": summary.folder.display().to_string(),
        "files": summary.files,
        "records": {
            "read": records.records, "used": records.used, "merged": records.merged, "duplicate": records.duplicate,
            "not_a_call": records.not_a_call, "other_period": records.other_period, "waiting": records.waiting,
            "rejected": records.rejected,
        },
        "calls": {
            "calls": calls.calls, "rated": calls.rated, "not_chargeable": calls.not_chargeable, "suspended": calls.suspended,
        },
        "retail": money(&summary.retail),
        "wholesale": money(&summary.wholesale),
        "suspended": asides(&summary.suspended),
        "rejected": asides(&summary.rejected),
        "near_duplicates": summary.near_duplicates,
        "above_limit": summary.above_limit,
        "warnings": findings::json(&summary.warnings),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped_by_thousands() {
        for (count, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(thousands(count), text);
        }
    }
}
