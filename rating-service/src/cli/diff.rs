//! `rating diff`.

use std::path::{Path, PathBuf};

use clap::Args;
use rating_core::run::diff::{DiffOptions, diff as compare};
use rating_core::run::storage::Disk;
use rating_core::time::Month;

use super::compared::{self, CsvFile};
use super::run::fail;
use super::terminal::{complain, line};
use super::{Exit, month, say};

pub(super) const EXAMPLES: &str = "\
Examples:
  rating diff acme 2026-10-0f3a 2026-10-77c1     two runs, by the beginning of their ids
  rating diff acme 2026-10-0f3a current          a run and the version in force
  rating diff acme 2026-10-0f3a 2026-10 --csv differences.csv
  rating diff old/out/versions/2026-10-0f3a new/out/versions/2026-10-77c1";

/// Arguments of `rating diff`.
#[derive(Debug, Args)]
pub(super) struct DiffArguments {
    /// The project and two of its versions: each the id of a run (or its beginning), a month (its version in force), `current`, or a
    /// folder below `versions` or `drafts`. Without a project, two such folders
    #[arg(value_name = "PROJECT|RUN", num_args = 2..=3, required = true)]
    versions: Vec<String>,
    /// The month that `current` means
    #[arg(long, value_name = "YYYY-MM", value_parser = month)]
    month: Option<Month>,
    /// Where the project's output is [default: PROJECT/out]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write every call that is not the same to this file (machine CSV)
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// The comparison as JSON on standard output
    #[arg(long)]
    json: bool,
    /// Exit with 4 if any call is not the same
    #[arg(long)]
    exit_code: bool,
}

pub(super) fn diff(arguments: &DiffArguments) -> Exit {
    let (project, before, after) = match arguments.versions.as_slice() {
        [project, before, after] => (Some(PathBuf::from(project)), before, after),
        [before, after] => (None, before, after),
        _ => return Exit::Usage,
    };
    let options = DiffOptions {
        project,
        out: arguments.out.clone(),
        month: arguments.month,
        before: before.clone(),
        after: after.clone(),
    };
    let found = with_csv(arguments.csv.as_deref(), |csv| compare(&Disk, &options, csv));
    let found = match found {
        Ok(found) => found,
        Err(Refused::Run(error)) => return fail(&error, arguments.json),
        Err(Refused::Csv(exit)) => return exit,
    };
    let exit = if arguments.exit_code && !found.is_same() { Exit::AboveLimit } else { Exit::Ok };
    if arguments.json {
        return say(&format!("{:#}\n", compared::json(&found)), exit);
    }
    say(&compared::text(&found), exit)
}

/// Why there is nothing to show.
pub(super) enum Refused {
    /// The library's reason.
    Run(rating_core::run::RunError),
    /// The CSV file, which has been complained about.
    Csv(Exit),
}

/// Does something that may write lines of CSV to a file; the file is there only if all went well.
pub(super) fn with_csv<T>(
    path: Option<&Path>,
    work: impl FnOnce(Option<&mut dyn std::io::Write>) -> Result<T, rating_core::run::RunError>,
) -> Result<T, Refused> {
    let refused = |error: std::io::Error| {
        let path = path.map(|path| path.display().to_string()).unwrap_or_default();
        complain(&format!("error: cannot write `{}`: {error}\n", line(&path)));
        Refused::Csv(Exit::Storage)
    };
    let mut file = CsvFile::create(path).map_err(refused)?;
    let done = work(file.as_mut().map(|file| file as &mut dyn std::io::Write));
    let ended = file.map_or(Ok(()), |file| file.end(done.is_ok()));
    match (done, ended) {
        (Err(error), _) => Err(Refused::Run(error)),
        (Ok(_), Err(error)) => Err(refused(error)),
        (Ok(done), Ok(())) => Ok(done),
    }
}
