//! `rating plan`, `rating rate-shard` and `rating merge`: a month by parts.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use rating_core::run::shard::{self, Cut, MOST_SHARDS, MergeOptions, Places, PlanOptions, Planned, ShardOptions};
use rating_core::run::storage::Disk;
use rating_core::time::Month;

use super::progress::Bar;
use super::run::{counted, fail, finished, last_complete_month, show_warnings, thousands};
use super::terminal::{complain, line};
use super::{Exit, month, say, threads};

pub(super) const PLAN_EXAMPLES: &str = "\
Examples:
  rating plan acme --month 2026-10 --shards 16 --out plan.json
  rating plan acme --month 2026-10 --shard-bytes 512MiB --out plan.json

Then, anywhere the project and the plan can be read:
  rating rate-shard plan.json 1 parts/     for each shard, in any order, as often as need be
  rating merge plan.json parts/            once they are all there";

pub(super) const RATE_EXAMPLES: &str = "\
Examples:
  rating rate-shard plan.json 3 parts/                               writes parts/shard-00003.part
  seq 16 | xargs -P 4 -I{} rating rate-shard plan.json {} parts/     all shards, four at a time";

pub(super) const MERGE_EXAMPLES: &str = "\
Examples:
  rating merge plan.json parts/
  rating merge plan.json parts/*.part --acknowledged answers.jsonl --json";

/// How large a shard is at most, unless the command says how many there are.
const SHARD_BYTES: u64 = 256 << 20;

/// Arguments of `rating plan`.
#[derive(Debug, Args)]
pub(super) struct PlanArguments {
    /// The project's folder (with its rating.toml)
    project: PathBuf,
    /// The month to plan [default: the project's, or the last complete month]
    #[arg(long, value_name = "YYYY-MM", value_parser = month)]
    month: Option<Month>,
    /// How many shards
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_SHARDS)), conflicts_with = "shard_bytes")]
    shards: Option<u32>,
    /// As many shards as are needed for so many bytes of input each, such as 512MiB [default: 256MiB]
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    shard_bytes: Option<u64>,
    /// The manifest to write
    #[arg(long, value_name = "MANIFEST")]
    out: PathBuf,
    /// Where the month is going to be published [default: PROJECT/out]
    #[arg(long, value_name = "DIR")]
    publish: Option<PathBuf>,
    /// How many threads [default: one for each processor]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true, value_parser = threads)]
    threads: usize,
    /// What was planned, as JSON on standard output
    #[arg(long)]
    json: bool,
}

/// Where things are, for those who see them under other paths than the plan says.
#[derive(Debug, Args)]
struct PlaceArguments {
    /// The project's folder [default: as the plan says, from where the plan is]
    #[arg(long, value_name = "DIR")]
    project: Option<PathBuf>,
    /// Where the month is published, with the months before it [default: as the plan says]
    #[arg(long, value_name = "DIR")]
    publish: Option<PathBuf>,
}

impl PlaceArguments {
    fn places(&self) -> Places {
        Places { project: self.project.clone(), publish: self.publish.clone() }
    }
}

/// Arguments of `rating rate-shard`.
#[derive(Debug, Args)]
pub(super) struct RateArguments {
    /// The plan's manifest
    manifest: PathBuf,
    /// The shard, from 1
    #[arg(value_name = "N")]
    shard: u32,
    /// The partial file to write, or a folder for it
    #[arg(value_name = "OUT")]
    out: PathBuf,
    #[command(flatten)]
    places: PlaceArguments,
    /// How many threads [default: one for each processor]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true, value_parser = threads)]
    threads: usize,
}

/// Arguments of `rating merge`.
#[derive(Debug, Args)]
pub(super) struct MergeArguments {
    /// The plan's manifest
    manifest: PathBuf,
    /// The partial files, or folders with them (`*.part`)
    #[arg(value_name = "OUT", required = true)]
    partials: Vec<PathBuf>,
    /// What the shards answered, one line of JSON each: the files must say the same
    #[arg(long, value_name = "FILE")]
    acknowledged: Option<PathBuf>,
    #[command(flatten)]
    places: PlaceArguments,
    /// How many threads [default: one for each processor]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true, value_parser = threads)]
    threads: usize,
    /// The summary as JSON on standard output
    #[arg(long)]
    json: bool,
}

/// `1000`, `64MB` (millions), `512MiB` (powers of two).
fn bytes(text: &str) -> Result<u64, String> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let factor = match unit.trim_start() {
        "" | "B" => 1,
        "kB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => 0,
    };
    digits
        .parse::<u64>()
        .ok()
        .and_then(|count| count.checked_mul(factor))
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| "give a number of bytes, such as 500000000, 500MB or 512MiB".to_owned())
}

pub(super) fn plan(arguments: &PlanArguments) -> Exit {
    let Some(default_month) = last_complete_month() else {
        complain("error: the system clock is before 1970; name a month with --month\n");
        return Exit::Usage;
    };
    let cut = match arguments.shards {
        Some(count) => Cut::Shards(count),
        None => Cut::Bytes(arguments.shard_bytes.unwrap_or(SHARD_BYTES)),
    };
    let options = PlanOptions {
        project: arguments.project.clone(),
        month: arguments.month,
        default_month,
        publish: arguments.publish.clone(),
        cut,
        manifest: arguments.out.clone(),
        threads: arguments.threads,
    };
    match shard::plan(&Disk, &options) {
        Ok(planned) => {
            show_warnings(&planned.warnings);
            let manifest = arguments.out.display().to_string();
            let text = if arguments.json { json(&planned, &manifest) } else { table(&planned, &manifest) };
            say(&text, Exit::Ok)
        }
        Err(error) => fail(&error, arguments.json),
    }
}

fn json(planned: &Planned, manifest: &str) -> String {
    let plan = &planned.plan;
    let document = serde_json::json!({
        "manifest": manifest,
        "sha256": planned.sha256,
        "month": plan.month,
        "run": plan.run,
        "files": plan.files,
        "bytes": plan.bytes,
        "shards": plan.shards.len(),
        "warnings": super::findings::json(&planned.warnings),
    });
    format!("{document:#}\n")
}

fn table(planned: &Planned, manifest: &str) -> String {
    let plan = &planned.plan;
    let shards = counted(plan.shards.len() as u64, "shard");
    let mut text = format!("{}  {shards} planned of {}\n\n", plan.month, plan.run);
    let _ = writeln!(text, "  {} with {} bytes", counted(plan.files, "input file"), thousands(plan.bytes));
    let largest = plan.shards.iter().map(|shard| shard.bytes).max().unwrap_or(0);
    let _ = writeln!(text, "  the largest shard has {} bytes", thousands(largest));
    let _ = writeln!(text, "  plan: {}", line(manifest));
    text
}

pub(super) fn rate(arguments: &RateArguments) -> Exit {
    let options = ShardOptions {
        manifest: arguments.manifest.clone(),
        shard: arguments.shard,
        out: arguments.out.clone(),
        places: arguments.places.places(),
        threads: arguments.threads,
    };
    let bar = Bar::new();
    let rated = shard::rate_shard(&Disk, &options, &bar);
    bar.clear();
    match rated {
        Ok(acknowledgement) => say(&format!("{}\n", acknowledgement.to_line()), Exit::Ok),
        Err(error) => fail(&error, false),
    }
}

pub(super) fn merge(arguments: &MergeArguments) -> Exit {
    let options = MergeOptions {
        manifest: arguments.manifest.clone(),
        partials: arguments.partials.clone(),
        acknowledgements: arguments.acknowledged.clone(),
        places: arguments.places.places(),
        threads: arguments.threads,
    };
    let bar = Bar::new();
    let started = std::time::Instant::now();
    let merged = shard::merge(&Disk, &options, &bar);
    bar.clear();
    finished(merged, arguments.json, started.elapsed())
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn sizes_are_read_with_their_unit() {
        for (text, read) in [
            ("1", Some(1)),
            ("500000000", Some(500_000_000)),
            ("64MB", Some(64_000_000)),
            ("512MiB", Some(512 << 20)),
            ("2 GiB", Some(2 << 30)),
            ("0", None),
            ("-1", None),
            ("MB", None),
            ("1TB", None),
            ("99999999999999GB", None),
        ] {
            assert_eq!(bytes(text).ok(), read, "{text}");
        }
    }
}
