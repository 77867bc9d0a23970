//! `rating run` and `rating check`.

use std::fmt::Write as _;
use std::path::PathBuf;

use rating_core::aggregation::SideName;
use rating_core::finding::Findings;
use rating_core::money::{Currency, Total};
use rating_core::rating::Reason;
use rating_core::run::project::SETTINGS_FILE;
use rating_core::run::publish::Published;
use rating_core::run::storage::Disk;
use rating_core::run::what_if::StandIns;
use rating_core::run::{self, Aside, Late, Options, RunError, Summary};
use rating_core::time::{Instant, Month, Zone};

use super::compared;
use super::diff::{Refused, with_csv};
use super::progress::Bar;
use super::terminal::{complain, line};
use super::{CheckArguments, Exit, RunArguments, fancy, findings, say};

/// The last month that is over in UTC: the default when neither the command nor the project names one.
pub(super) fn last_complete_month() -> Option<Month> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).ok()?;
    let now = Instant::from_millis(i64::try_from(since.as_millis()).ok()?);
    Some(Month::of(Zone::utc().to_local(now).date()).previous())
}

pub(super) fn run(arguments: &RunArguments) -> Exit {
    let Some(default_month) = last_complete_month() else {
        complain("error: the system clock is before 1970; name a month with --month\n");
        return Exit::Usage;
    };
    let options = Options {
        project: arguments.project.clone(),
        month: arguments.month,
        default_month,
        site: arguments.site.clone(),
        retail_only: arguments.retail_only,
        out: arguments.out.clone(),
        threads: arguments.threads,
        dry_run: arguments.dry_run,
        known_at: arguments.known_at,
        draft: arguments.draft,
        expected: arguments.expect.clone(),
    };
    if !arguments.what_if.is_empty() {
        return what_if(arguments, &options);
    }
    let bar = Bar::new();
    let started = std::time::Instant::now();
    let result = run::month(&Disk, &options, &bar);
    bar.clear();
    finished(result, arguments.json, started.elapsed())
}

/// Says what a month came to, or why it came to nothing.
pub(super) fn finished(result: Result<Summary, RunError>, as_json: bool, elapsed: std::time::Duration) -> Exit {
    match result {
        Ok(summary) => {
            show_warnings(&summary.warnings);
            let gap = summary.gaps.iter().any(|gap| gap.accepted.is_none());
            let exit = match summary.above_limit {
                _ if gap => Exit::Incomplete,
                true => Exit::AboveLimit,
                false => Exit::Ok,
            };
            let text = if as_json { format!("{:#}\n", json(&summary)) } else { table(&summary, elapsed) };
            say(&text, exit)
        }
        Err(error) => fail(&error, as_json),
    }
}

/// What the month would be with other files; nothing is published.
fn what_if(arguments: &RunArguments, options: &Options) -> Exit {
    let mut stand_ins = StandIns::default();
    for (kind, file) in &arguments.what_if {
        let table = match kind.as_str() {
            "tariff" => {
                stand_ins.tariffs.push(file.clone());
                continue;
            }
            "assignments" => &mut stand_ins.assignments,
            _ => &mut stand_ins.allocations,
        };
        if table.replace(file.clone()).is_some() {
            let message = format!("`{kind}` is given twice; only `tariff` may be repeated");
            return fail(&RunError::Usage(message), arguments.json);
        }
    }
    let bar = Bar::new();
    let found = with_csv(arguments.csv.as_deref(), |csv| run::what_if::what_if(&Disk, options, &stand_ins, &bar, csv));
    bar.clear();
    match found {
        Ok(found) if arguments.json => say(&format!("{:#}\n", compared::json(&found)), Exit::Ok),
        Ok(found) => say(&compared::text(&found), Exit::Ok),
        Err(Refused::Run(error)) => fail(&error, arguments.json),
        Err(Refused::Csv(exit)) => exit,
    }
}

pub(super) fn check(arguments: &CheckArguments) -> Exit {
    let (as_json, paths) = (arguments.json, &arguments.paths);
    let is_settings = |path: &&PathBuf| {
        path.extension().is_some_and(|extension| extension == "toml")
            && path.file_name().is_none_or(|name| name != SETTINGS_FILE)
    };
    let found = match paths.as_slice() {
        [project] if arguments.calls && !is_settings(&project) => {
            // Nothing is rated by a project with mistakes.
            run::check(&Disk, project).and_then(|mut found| {
                if !found.has_errors() {
                    found.extend(run::check_calls(&Disk, project)?);
                }
                Ok(found)
            })
        }
        _ if arguments.calls => {
            Err(RunError::Usage("--calls looks at the records of one project: give its folder".to_owned()))
        }
        tariffs if tariffs.iter().all(|path| is_settings(&path)) => run::check_tariffs(&Disk, tariffs),
        [project] => run::check(&Disk, project),
        _ => Err(RunError::Usage("give the folder of one project, or settings files of tariffs (`.toml`)".to_owned())),
    };
    let found = match found {
        Ok(found) => found,
        Err(error) => return fail(&error, as_json),
    };
    let denied = arguments.deny.is_some() && !found.is_empty();
    let exit = if found.has_errors() || denied { Exit::Invalid } else { Exit::Ok };
    if as_json {
        return say(&format!("{:#}\n", findings::json(&found)), exit);
    }
    complain(&findings::render(&found, fancy()));
    let what = paths.iter().map(|path| line(&path.display().to_string())).collect::<Vec<_>>().join(", ");
    let denied = if denied && !found.has_errors() { " (denied)" } else { "" };
    say(&format!("{what}: {}{denied}\n", verdict(&found)), exit)
}

fn verdict(found: &Findings) -> String {
    let errors = found.iter().filter(|finding| finding.severity == rating_core::finding::Severity::Error).count();
    let warnings = found.len() - errors;
    let (errors, warnings) = (counted(errors as u64, "error"), counted(warnings as u64, "warning"));
    match (found.has_errors(), found.is_empty(), warnings.starts_with("0 ")) {
        (_, true, _) => "nothing wrong".to_owned(),
        (true, _, true) => errors,
        (true, ..) => format!("{errors}, {warnings}"),
        (false, ..) => format!("no errors, {warnings}"),
    }
}

pub(super) fn show_warnings(warnings: &Findings) {
    complain(&findings::render(warnings, fancy()));
}

pub(super) fn fail(error: &RunError, as_json: bool) -> Exit {
    let exit = Exit::from(error);
    let mut document = serde_json::json!({ "error": error.to_string(), "exit_code": exit as u8 });
    match error {
        RunError::Invalid(found) => {
            document["findings"] = findings::json(found);
            if !as_json {
                complain(&findings::render(found, fancy()));
            }
            complain(&format!("error: {}; nothing was rated\n", verdict(found)));
        }
        RunError::Incomplete(found) | RunError::Disagree(found) => {
            document["findings"] = findings::json(found);
            if !as_json {
                complain(&findings::render(found, fancy()));
            }
            complain(&format!("error: {error} ({})\n", verdict(found)));
        }
        other => complain(&format!("error: {}\n", line(&other.to_string()))),
    }
    if as_json { say(&format!("{document:#}\n"), exit) } else { exit }
}

pub(super) fn counted(count: u64, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {what}{plural}", thousands(count))
}

/// `1234567` as `1,234,567`.
pub(super) fn thousands(count: u64) -> String {
    grouped(&count.to_string())
}

fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A sum of money to the last decimal: what stands before the point (thousands grouped), and what stands from there on.
pub(super) fn money((currency, total): &(Currency, Total)) -> (String, String) {
    let exact = total.to_string();
    let (sign, digits) = exact.strip_prefix('-').map_or(("", exact.as_str()), |digits| ("-", digits));
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, "00"));
    (format!("{sign}{}", grouped(whole)), format!(".{decimals} {currency}"))
}

/// A sum of money to the last decimal, thousands grouped, without its currency.
pub(super) fn grouped_money(total: Total) -> String {
    let (whole, rest) = money(&(Currency::NONE, total));
    (whole + &rest).trim_end_matches(Currency::NONE.code()).trim_end().to_owned()
}

/// Width of the column of figures, up to the decimal point.
const FIGURES: usize = 15;

fn figure(text: &mut String, name: &str, count: u64, remark: &str) {
    let _ = writeln!(text, "{}", format!("  {name:<22}{:>FIGURES$}  {remark}", thousands(count)).trim_end());
}

/// One line for each currency, the decimal points below each other.
fn amounts(text: &mut String, name: &str, amounts: &[(Currency, Total)]) {
    if amounts.is_empty() {
        let _ = writeln!(text, "  {name:<22}{:>FIGURES$}", "nothing");
    }
    for (index, amount) in amounts.iter().enumerate() {
        let (whole, rest) = money(amount);
        let _ = writeln!(text, "  {:<22}{whole:>FIGURES$}{rest}", if index == 0 { name } else { "" });
    }
}

/// The closing table.
fn table(summary: &Summary, elapsed: std::time::Duration) -> String {
    let mut text = String::new();
    let (records, calls) = (&summary.records, &summary.calls);
    let _ = writeln!(text, "{}  {}\n", summary.month, headline(summary));
    figure(&mut text, "records read", records.records, &format!("from {}", counted(summary.files as u64, "file")));
    for (name, count) in [
        ("  used in calls", records.used),
        ("  merged legs", records.merged),
        ("  duplicates", records.duplicate),
        ("  not calls", records.not_a_call),
        ("  of other months", records.other_period),
        ("  waiting", records.waiting),
        ("  rejected", records.rejected),
    ] {
        if count > 0 {
            let remark = if name.ends_with("months") { elsewhere(summary) } else { String::new() };
            figure(&mut text, name, count, &remark);
        }
    }
    figure(&mut text, "calls", calls.calls, "");
    for (name, count) in
        [("  rated", calls.rated), ("  not chargeable", calls.not_chargeable), ("  suspended", calls.suspended)]
    {
        figure(&mut text, name, count, "");
    }
    if summary.near_duplicates > 0 {
        figure(&mut text, "nearly equal calls", summary.near_duplicates, "rated, and listed for a decision");
    }
    late(&mut text, &summary.late);
    amounts(&mut text, "occupiers pay", &summary.retail);
    let not_rated = Reason::WholesaleNotRated.code();
    if summary.wholesale.is_empty() && summary.suspended.iter().any(|aside| aside.code == not_rated) {
        let _ = writeln!(text, "  {:<22}{:>FIGURES$}", "the operator pays", "not rated");
    } else {
        amounts(&mut text, "the operator pays", &summary.wholesale);
    }
    asides(&mut text, "suspended, by reason", &summary.suspended);
    asides(&mut text, "rejected, by reason", &summary.rejected);
    let _ = writeln!(text);
    if summary.published != Published::DryRun {
        let _ = writeln!(text, "  reports: {}", line(&summary.folder.display().to_string()));
    }
    let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
    if summary.published != Published::Already {
        let rate = records.records.saturating_mul(1_000) / millis;
        let rate = counted(rate, "record");
        let _ = writeln!(text, "  {}.{:03} s, {rate} a second", millis / 1_000, millis % 1_000);
    }
    if summary.above_limit {
        let _ = writeln!(
            text,
            "  suspended, rejected or waiting are above the limits in rating.toml (exit code 4), or a file was refused or is\n  \
             damaged: the exceptions report says what to do about each"
        );
    }
    text
}

/// What closed months know of records of other months.
fn elsewhere(summary: &Summary) -> String {
    let (settled, suspended) = summary.in_closed_months;
    match (settled, suspended) {
        (0, 0) => String::new(),
        (settled, 0) => format!("{} in the books of closed months", thousands(settled)),
        (settled, suspended) => {
            format!("{} in the books of closed months, {} suspended there", thousands(settled), thousands(suspended))
        }
    }
}

/// Late calls, a line for each month that they correct.
fn late(text: &mut String, late: &[Late]) {
    for late in late {
        let money: Vec<String> = late.retail.iter().map(money).map(|(one, two)| one + &two).collect();
        let money = if money.is_empty() { "nothing charged".to_owned() } else { money.join(" + ") };
        let suspended = match late.calls.suspended {
            0 => String::new(),
            count => format!(", {} suspended", thousands(count)),
        };
        let remark = format!("{money}, correcting {}{suspended}", late.month);
        figure(text, "late calls", late.calls.calls, &remark);
    }
}

fn headline(summary: &Summary) -> String {
    match summary.published {
        Published::Now => format!("published as {}", summary.run),
        Published::Already => {
            let closed = if summary.closed { "; the month is closed" } else { "" };
            format!("nothing to do: {} is the version in force, made from the same inputs{closed}", summary.run)
        }
        Published::Draft => format!("draft {}", summary.run),
        Published::DryRun => format!("dry run of {}: nothing was written", summary.run),
    }
}

/// What was set aside, as columns as wide as they must be: how often, why, the money, an example.
fn asides(text: &mut String, title: &str, asides: &[Aside]) {
    if asides.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n  {title}");
    let rows: Vec<[String; 4]> = asides
        .iter()
        .map(|aside| {
            let stake: Vec<String> = aside
                .at_stake
                .iter()
                .map(|amount| {
                    let (whole, rest) = money(amount);
                    whole + &rest
                })
                .collect();
            let stake = if stake.is_empty() { String::new() } else { format!("{} at stake", stake.join(" + ")) };
            let example = format!("e.g. {} {}", line(&aside.example), line(&aside.looks_like));
            let code = match aside.side {
                Some(SideName::Wholesale) => format!("{} (wholesale)", aside.code),
                _ => aside.code.clone(),
            };
            [thousands(aside.count), code, stake, example]
        })
        .collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths = [width(0).max(5), width(1), width(2)];
    for [count, code, stake, example] in &rows {
        let money = if widths[2] > 0 { format!("  {stake:<0$}", widths[2]) } else { String::new() };
        let _ = writeln!(text, "  {count:>0$}  {code:<1$}{money}  {example}", widths[0], widths[1]);
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
                    "code": aside.code, "side": aside.side.map(SideName::name), "count": aside.count, "example": aside.example,
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
        "late": summary.late.iter().map(|late| serde_json::json!({
            "corrects": late.month.to_string(), "calls": late.calls.calls, "rated": late.calls.rated,
            "not_chargeable": late.calls.not_chargeable, "suspended": late.calls.suspended,
            "retail": money(&late.retail), "wholesale": money(&late.wholesale),
        })).collect::<Vec<_>>(),
        "in_closed_months": { "settled": summary.in_closed_months.0, "suspended": summary.in_closed_months.1 },
        "closed": summary.closed,
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

    #[test]
    fn money_keeps_every_decimal() {
        let gbp = Currency::parse("GBP").unwrap();
        for (units, text) in [
            (0, "0.00 GBP"),
            (12_345_678_901_234, "1,234.5678901234 GBP"),
            (-12_345_670_000_000_000, "-1,234,567.00 GBP"),
            (-1, "-0.0000000001 GBP"),
        ] {
            let (whole, rest) = money(&(gbp, Total::from_units(units)));
            assert_eq!(whole + &rest, text);
        }
    }
}
