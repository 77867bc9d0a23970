//! `rating suspense`: what is charged to nobody, as a list of things to do.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use rating_core::aggregation::SideName;
use rating_core::money::{Currency, Total};
use rating_core::run::storage::Disk;
use rating_core::run::suspense::{self, Suspense, SuspenseOptions, Work};
use rating_core::time::{Date, Instant, Month, Zone};

use super::books::day;
use super::run::{counted, fail, money, thousands};
use super::terminal::line;
use super::{Exit, month, say};

pub(super) const EXAMPLES: &str = "Examples:\n  rating suspense acme\n  rating suspense acme --month 2026-10\n  rating suspense acme --json | jq '.work[0].action'";

/// Arguments of `rating suspense`.
#[derive(Debug, Args)]
pub(super) struct SuspenseArguments {
    /// The project's folder (with its rating.toml)
    project: PathBuf,
    /// Only calls of this month [default: all that there are records of]
    #[arg(long, value_name = "YYYY-MM", value_parser = month)]
    month: Option<Month>,
    /// The day that ages are counted to [default: today, in UTC]
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    today: Option<Date>,
    /// Where the output is [default: PROJECT/out]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The list as JSON on standard output
    #[arg(long)]
    json: bool,
}

fn today() -> Option<Date> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(Zone::utc().to_local(Instant::from_millis(i64::try_from(since.as_millis()).ok()?)).date())
}

pub(super) fn suspense(arguments: &SuspenseArguments) -> Exit {
    let options = SuspenseOptions {
        out: arguments.out.clone(),
        month: arguments.month,
        ..SuspenseOptions::new(&arguments.project)
    };
    let today = arguments.today.or_else(today);
    match suspense::suspense(&Disk, &options) {
        Ok(list) if arguments.json => say(&format!("{:#}\n", json(&list, today)), Exit::Ok),
        Ok(list) => say(&table(&list, today), Exit::Ok),
        Err(error) => fail(&error, arguments.json),
    }
}

fn age(work: &Work, today: Option<Date>) -> Option<i32> {
    Some(today?.days() - work.oldest?.days())
}

pub(super) fn amounts(amounts: &[(Currency, Total)]) -> String {
    let amounts: Vec<String> = amounts.iter().map(money).map(|(one, two)| one + &two).collect();
    amounts.join(" + ")
}

fn side(work: &Work) -> &'static str {
    match work.side {
        Some(SideName::Wholesale) => "wholesale, ",
        Some(SideName::Retail) | None => "",
    }
}

fn table(list: &Suspense, today: Option<Date>) -> String {
    if list.work.is_empty() {
        return "nothing is suspended, rejected or waiting\n".to_owned();
    }
    let mut text = format!("{} suspended", counted(list.calls, "call"));
    if list.records > 0 {
        let _ = write!(text, ", {} rejected or waiting", counted(list.records, "record"));
    }
    text.push_str("; what clears most comes first\n");
    for work in &list.work {
        let what = if work.side.is_some() { "call" } else { "record" };
        let _ = writeln!(text, "\n{}: clears {}", line(&work.action), counted(work.count, what));
        let mut facts = vec![format!("{}{}", side(work), work.code)];
        if !work.at_stake.is_empty() {
            let by = work.estimated_by.as_deref().unwrap_or("what the other side is charged");
            facts.push(format!("about {} at stake, by {by}", amounts(&work.at_stake)));
        }
        if let Some(days) = age(work, today) {
            facts.push(format!("the oldest is {} old", counted(u64::try_from(days).unwrap_or(0), "day")));
        }
        if work.in_closed_months > 0 {
            let count = match work.in_closed_months == work.count {
                true => "all".to_owned(),
                false => thousands(work.in_closed_months),
            };
            facts.push(format!("{count} of closed months"));
        }
        let _ = writeln!(text, "  {}", facts.join("; "));
        let _ = writeln!(text, "  e.g. {}: {}", line(&work.example), line(&work.looks_like));
    }
    text
}

fn json(list: &Suspense, today: Option<Date>) -> serde_json::Value {
    let one = |work: &Work| {
        let at_stake: serde_json::Map<String, serde_json::Value> = work
            .at_stake
            .iter()
            .map(|(currency, total)| (currency.code().to_owned(), total.to_string().into()))
            .collect();
        serde_json::json!({
            "action": work.action, "clears": work.count, "side": work.side.map(SideName::name), "code": work.code,
            "in_closed_months": work.in_closed_months, "duration_ms": work.duration.as_millis(),
            "at_stake": at_stake, "estimated_by": work.estimated_by,
            "oldest": work.oldest.map(|day| day.to_string()), "age_days": age(work, today),
            "example": work.example, "looks_like": work.looks_like,
        })
    };
    serde_json::json!({
        "calls": list.calls,
        "records": list.records,
        "work": list.work.iter().map(one).collect::<Vec<_>>(),
    })
}
