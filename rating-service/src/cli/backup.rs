//! `rating backup` and `rating restore`.

use std::path::PathBuf;

use clap::Args;
use rating_core::run::storage::Disk;

use super::{Exit, say, terminal};
use crate::backup::{self, Copied};
use crate::error::{Problem, Result};

pub(super) const BACKUP_EXAMPLES: &str = "Examples:\n  rating backup --data /var/lib/rating /backup/2026-11-02\n  rating backup copy && (cd copy && sha256sum -c SHA256SUMS)";
pub(super) const RESTORE_EXAMPLES: &str = "Example:\n  rating restore /backup/2026-11-02 --data /var/lib/rating";

/// Arguments of `rating backup`.
#[derive(Debug, Args)]
pub(super) struct BackupArguments {
    /// The data folder
    #[arg(long, value_name = "FOLDER", default_value = "rating-data", env = "RATING_DATA")]
    data: PathBuf,
    /// The folder that becomes the copy: one that is not there, or is empty
    to: PathBuf,
}

/// Arguments of `rating restore`.
#[derive(Debug, Args)]
pub(super) struct RestoreArguments {
    /// The copy
    from: PathBuf,
    /// The folder that becomes the data folder: one that is not there, or is empty
    #[arg(long, value_name = "FOLDER", default_value = "rating-data", env = "RATING_DATA")]
    data: PathBuf,
}

pub(super) fn back_up(arguments: &BackupArguments) -> Exit {
    let copied = wait(backup::back_up(&Disk, &arguments.data, &arguments.to));
    told("copied", &arguments.data, &arguments.to, copied)
}

pub(super) fn restore(arguments: &RestoreArguments) -> Exit {
    let copied = wait(backup::restore(&Disk, &arguments.from, &arguments.data));
    told("restored", &arguments.from, &arguments.data, copied)
}

fn wait(work: impl Future<Output = Result<Copied>>) -> Result<Copied> {
    // What the system says of a database that cannot be used stands in the log alone.
    let _ = tracing_subscriber::fmt().with_max_level(tracing::Level::ERROR).with_writer(std::io::stderr).try_init();
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Problem::internal)?.block_on(work)
}

fn told(what: &str, from: &std::path::Path, to: &std::path::Path, copied: Result<Copied>) -> Exit {
    match copied {
        Ok(Copied { files, bytes }) => {
            let text = format!(
                "{what} {} to {}: the database and {files} files, {bytes} bytes\n",
                from.display(),
                to.display()
            );
            say(&text, Exit::Ok)
        }
        Err(problem) => {
            terminal::complain(&format!("error: {problem}\n"));
            match problem.code() {
                "backup.nothing_there" | "backup.target_not_free" => Exit::Usage,
                "backup.damaged" => Exit::Incomplete,
                "publish.busy" => Exit::Locked,
                "internal.error" => Exit::Internal,
                _ => Exit::Storage,
            }
        }
    }
}
