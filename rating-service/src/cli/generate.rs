//! `rating generate`.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use rating_core::run::generate::{Files, GeneratedFile, Plan, Project};
use rating_core::time::Month;

use super::terminal::{complain, line};
use super::{Exit, month, say};

/// Arguments of `rating generate`.
#[derive(Debug, Args)]
pub(super) struct GenerateArguments {
    /// The folder to make; it must not exist yet, or be empty
    project: PathBuf,
    /// How many call records
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    records: u64,
    /// The same seed gives the same project
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    seed: u64,
    /// The month that the calls are in
    #[arg(long, value_name = "YYYY-MM", default_value = "2026-10", value_parser = month)]
    month: Month,
    /// Rows of the rate decks [default: 3,000, or 60,000 from 100,000 records on]
    #[arg(long, value_name = "N")]
    prefixes: Option<u32>,
    /// Files for each site [default: one for each day]
    #[arg(long, value_name = "N")]
    files: Option<u64>,
}

pub(super) fn generate(arguments: &GenerateArguments) -> Exit {
    let mut plan = Plan::new(arguments.records, arguments.seed, arguments.month);
    if let Some(prefixes) = arguments.prefixes {
        plan.prefixes = prefixes;
    }
    if let Some(files) = arguments.files {
        plan.files = Files::PerSite(files);
    }
    let project = match Project::new(plan) {
        Ok(project) => project,
        Err(error) => {
            complain(&format!("error: {error}\n"));
            return Exit::Usage;
        }
    };
    let folder = &arguments.project;
    if std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) || folder.is_file() {
        complain(&format!(
            "error: `{}` is there already and not empty; name a new folder\n",
            line(&folder.display().to_string())
        ));
        return Exit::Usage;
    }
    for file in project.files() {
        if let Err(error) = write(&project, folder, &file) {
            complain(&format!(
                "error: cannot write `{}`: {error}\n",
                line(&folder.join(&file.path).display().to_string())
            ));
            return Exit::Storage;
        }
    }
    let shown = line(&folder.display().to_string());
    let records = super::run::counted(arguments.records, "record");
    say(
        &format!(
            "made {shown} with {records} of {}\nnext: rating run {shown} --month {}\n",
            arguments.month, arguments.month
        ),
        Exit::Ok,
    )
}

fn write(project: &Project, folder: &Path, file: &GeneratedFile) -> std::io::Result<()> {
    let path = folder.join(&file.path);
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    let mut output = std::fs::File::create(path)?;
    project.write(&file.content, |bytes| output.write_all(bytes))
}
