//! The command line: what can be asked, and how the answer looks.

#[cfg(feature = "serve")]
mod backup;
mod books;
mod compared;
mod diff;
mod exit;
mod explain;
mod findings;
mod generate;
mod import;
mod import_cgrates;
mod inspect;
mod numbers;
mod price;
mod progress;
mod reconcile;
mod recycle;
mod run;
#[cfg(feature = "serve")]
mod serve;
mod shards;
mod suspense;
mod terminal;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand};
use rating_core::time::{Instant, Month};

pub use exit::Exit;

const EXAMPLES: &str = "\
Examples:
  rating run testdata/demo                      rate and publish the project's month
  rating run acme --month 2026-10               rate and publish October 2026
  rating run acme --site ldn --out /tmp/draft   try one site, as a draft
  rating check acme                             find every mistake in settings, directory and tariffs
  rating explain acme 1790842502.66             why a call costs what it costs
  rating price --tariff retail.toml < calls     price calls as JSON Lines, without a project
  rating diff acme 2026-10-0f3a current         what changed between two versions of a month, and why
  rating inspect Master.csv                     what a switch's file is, and the settings to read it by
  rating generate big --records 1000000         make a project to try things on
  rating serve --demo --data demo               the service, with a made-up operator to look around in
  rating backup --data rating-data copy         everything that the service keeps, copied while it runs
  rating restore copy --data rating-data        and back again

Exit codes:
  0 done  1 internal error  2 usage  3 tariff, directory or settings invalid
  4 done, but suspended or rejected above the limit  5 totals do not balance, nothing published
  6 input incomplete, nothing published  7 another run holds the lock  8 disk or I/O  130 interrupted";

/// Turns what phone switches write into exact charges and monthly call reports.
#[derive(Debug, Parser)]
#[command(name = "rating", version, before_help = EXAMPLES, max_term_width = 110, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Rate a month and publish its reports
    #[command(
        before_help = "Examples:\n  rating run testdata/demo\n  rating run acme --month 2026-10 --threads 2\n  rating run acme --dry-run --json | jq .retail\n  rating run acme --what-if tariff=draft.toml"
    )]
    Run(RunArguments),
    /// Plan a month by parts: a manifest of its inputs and tables, with their hashes, cut into shards
    #[command(before_help = shards::PLAN_EXAMPLES)]
    Plan(shards::PlanArguments),
    /// Rate one shard of a plan into a partial file; its totals and hash are the answer, as JSON
    #[command(before_help = shards::RATE_EXAMPLES)]
    RateShard(shards::RateArguments),
    /// Merge the partial files of all shards, and publish the month as `rating run` would
    #[command(before_help = shards::MERGE_EXAMPLES)]
    Merge(shards::MergeArguments),
    /// Start the service: occupiers, numbers, months and reports over HTTP, in one data folder
    #[cfg(feature = "serve")]
    #[command(before_help = serve::EXAMPLES)]
    Serve(serve::ServeArguments),
    /// Copy everything that a service keeps, also while it runs
    #[cfg(feature = "serve")]
    #[command(before_help = backup::BACKUP_EXAMPLES)]
    Backup(backup::BackupArguments),
    /// Make a service's data folder from a copy
    #[cfg(feature = "serve")]
    #[command(before_help = backup::RESTORE_EXAMPLES)]
    Restore(backup::RestoreArguments),
    /// Close a published month: its version in force becomes the books, and no run changes it
    #[command(before_help = books::CLOSE_EXAMPLES)]
    Close(books::CloseArguments),
    /// Open the last closed month again
    #[command(before_help = books::REOPEN_EXAMPLES)]
    Reopen(books::ReopenArguments),
    /// Rate what a fix releases of the suspended calls, and nothing else
    #[command(before_help = recycle::EXAMPLES)]
    Recycle(recycle::RecycleArguments),
    /// List what is charged to nobody: causes, money at stake, and the change that clears most
    #[command(before_help = suspense::EXAMPLES)]
    Suspense(suspense::SuspenseArguments),
    /// Find every mistake in a project's settings, directory and tariffs, and what is worth a look, without rating anything
    #[command(
        before_help = "Examples:\n  rating check acme\n  rating check acme --json\n  rating check acme --calls\n  rating check tariffs/*.toml --deny warnings"
    )]
    Check(CheckArguments),
    /// Say why a call costs what it costs, from the digits keyed to the last rounding
    #[command(before_help = explain::EXAMPLES)]
    Explain(explain::ExplainArguments),
    /// Price calls (JSON Lines on standard input) by a tariff, without a project
    #[command(before_help = price::EXAMPLES)]
    Price(price::PriceArguments),
    /// Look at a switch's files: what they are, how one knows, what is in them, and the settings to read them by
    #[command(before_help = inspect::EXAMPLES)]
    Inspect(inspect::InspectArguments),
    /// Say how a dial plan reads numbers, and what country, type and place they are
    #[command(before_help = numbers::EXAMPLES)]
    Numbers(numbers::NumbersArguments),
    /// Make a project with any number of records, the same for the same seed
    #[command(
        before_help = "Examples:\n  rating generate big --records 1000000\n  rating generate big --records 20000 --seed 7 --month 2026-10"
    )]
    Generate(generate::GenerateArguments),
    /// Turn another system's rate deck into settings and a deck, or bring a deck up to date with it
    #[command(
        before_help = "Examples:\n  rating import twilio OutboundSipTrunkPricing.csv --id sip --from 2026-12-01 --out tariffs\n  rating import deck carrier.csv --id carrier --currency EUR --unit EUR/min --from 2026-12-01 --out tariffs --write\n  rating import deck december.csv --into tariffs/carrier.toml --currency EUR --unit EUR/min --from 2026-12-01\n  rating import cgrates tariffplan/ --currency EUR --out tariffs"
    )]
    Import(Box<import::ImportArguments>),
    /// Compare two decks: new, closed, dearer, cheaper, unchanged
    #[command(
        before_help = "Examples:\n  rating deck-diff november.csv december.csv\n  rating deck-diff old/retail.toml new/retail.toml --at 2026-12-01"
    )]
    DeckDiff(import::DeckDiffArguments),
    /// Compare two published versions of a month, call by call: every difference with its cause, down to the cent
    #[command(before_help = diff::EXAMPLES)]
    Diff(diff::DiffArguments),
    /// Compare our wholesale charges with a carrier's own file: missing calls, durations, prices by cause
    #[command(before_help = reconcile::EXAMPLES)]
    Reconcile(Box<reconcile::ReconcileArguments>),
    /// Print a completion script for a shell
    #[command(
        before_help = "Examples:\n  rating completions bash > /etc/bash_completion.d/rating\n  rating completions zsh > ~/.zfunc/_rating"
    )]
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

/// Arguments of `rating run`.
#[derive(Debug, Args)]
struct RunArguments {
    /// The project's folder (with its rating.toml)
    project: PathBuf,
    /// The month to run [default: the project's, or the last complete month]
    #[arg(long, value_name = "YYYY-MM", value_parser = month)]
    month: Option<Month>,
    /// Only this site, as a draft beside the published month
    #[arg(long, value_name = "SITE")]
    site: Option<String>,
    /// Only what payers are charged, not what carriers charge, as a draft beside the published month
    #[arg(long, conflicts_with = "what_if")]
    retail_only: bool,
    /// Where the output goes [default: PROJECT/out]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// How many threads [default: one for each processor]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true, value_parser = threads)]
    threads: usize,
    /// Rate everything, write nothing
    #[arg(long)]
    dry_run: bool,
    /// Use the directory as it was known at this instant (RFC 3339), as a draft
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    known_at: Option<Instant>,
    /// Make a draft to look at first; running the month again without this publishes it as it is
    #[arg(long, conflicts_with = "dry_run")]
    draft: bool,
    /// Go on only if the run has this id: publish what was looked at, and nothing else
    #[arg(long, value_name = "RUN", conflicts_with = "what_if")]
    expect: Option<String>,
    /// Write nothing, and say what would be another with this file: `tariff=FILE` (in place of the version with its id and
    /// `from`, or beside the others), `assignments=FILE` or `allocations=FILE`; may be repeated
    #[arg(long, value_name = "KIND=FILE", value_parser = what_if, conflicts_with = "dry_run")]
    what_if: Vec<(String, PathBuf)>,
    /// With --what-if: write every call that would be another to this file (machine CSV)
    #[arg(long, value_name = "FILE", requires = "what_if")]
    csv: Option<PathBuf>,
    /// The summary as JSON on standard output
    #[arg(long)]
    json: bool,
}

/// Arguments of `rating check`.
#[derive(Debug, Args)]
struct CheckArguments {
    /// The project's folder (with its rating.toml), or settings files of tariffs
    #[arg(value_name = "PROJECT", required = true)]
    paths: Vec<PathBuf>,
    /// Findings as JSON on standard output
    #[arg(long)]
    json: bool,
    /// Also look at the project's records: which numbers were called that no row prices
    #[arg(long)]
    calls: bool,
    /// Exit with 3 also for what is only worth a look
    #[arg(long, value_name = "WHAT", value_parser = ["warnings"])]
    deny: Option<String>,
}

fn what_if(text: &str) -> Result<(String, PathBuf), String> {
    const KINDS: [&str; 3] = ["tariff", "assignments", "allocations"];
    match text.split_once('=') {
        Some((kind, file)) if KINDS.contains(&kind) && !file.is_empty() => Ok((kind.to_owned(), PathBuf::from(file))),
        _ => Err(format!("write KIND=FILE, where KIND is {}", KINDS.join(", "))),
    }
}

fn month(text: &str) -> Result<Month, String> {
    Month::parse(text).ok_or_else(|| "a month is written YYYY-MM, such as 2026-10".to_owned())
}

fn threads(text: &str) -> Result<usize, String> {
    const MOST: usize = 512;
    text.parse().ok().filter(|threads| *threads <= MOST).ok_or_else(|| format!("give a number from 1 to {MOST}"))
}

fn instant(text: &str) -> Result<Instant, String> {
    Instant::parse_rfc3339(text).ok_or_else(|| "an instant is written such as 2026-11-01T00:00:00Z".to_owned())
}

/// Whether messages may have colours and drawn lines.
fn fancy() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

/// Reads the command line, does what it says, and returns the exit code.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Ok.into() };
        }
    };
    let done = std::panic::catch_unwind(|| obey(cli.command));
    let exit = done.unwrap_or_else(|_| {
        terminal::complain(
            "error: internal error: the lines above say where; please report them. Nothing half-made was published\n",
        );
        Exit::Internal
    });
    exit.into()
}

fn obey(command: Command) -> Exit {
    match command {
        Command::Run(arguments) => run::run(&arguments),
        #[cfg(feature = "serve")]
        Command::Serve(arguments) => serve::run(arguments),
        #[cfg(feature = "serve")]
        Command::Backup(arguments) => backup::back_up(&arguments),
        #[cfg(feature = "serve")]
        Command::Restore(arguments) => backup::restore(&arguments),
        Command::Plan(arguments) => shards::plan(&arguments),
        Command::RateShard(arguments) => shards::rate(&arguments),
        Command::Merge(arguments) => shards::merge(&arguments),
        Command::Close(arguments) => books::close(&arguments),
        Command::Reopen(arguments) => books::reopen(&arguments),
        Command::Recycle(arguments) => recycle::recycle(&arguments),
        Command::Suspense(arguments) => suspense::suspense(&arguments),
        Command::Check(arguments) => run::check(&arguments),
        Command::Explain(arguments) => explain::explain(&arguments),
        Command::Price(arguments) => price::price(&arguments),
        Command::Inspect(arguments) => inspect::look(&arguments),
        Command::Numbers(arguments) => numbers::numbers(&arguments),
        Command::Generate(arguments) => generate::generate(&arguments),
        Command::Import(arguments) => import::import(&arguments),
        Command::DeckDiff(arguments) => import::deck_diff(&arguments),
        Command::Diff(arguments) => diff::diff(&arguments),
        Command::Reconcile(arguments) => reconcile::reconcile(&arguments),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "rating", &mut script);
            say(&String::from_utf8_lossy(&script), Exit::Ok)
        }
    }
}

/// Writes to standard output, then exits with `exit`, unless the output cannot be written.
fn say(text: &str, exit: Exit) -> Exit {
    match terminal::print(text) {
        Ok(()) => exit,
        Err(error) => {
            terminal::complain(&format!("error: cannot write to standard output: {error}\n"));
            Exit::Storage
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
