//! `rating generate`.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use rating_core::run::generate::{Content, Files, GeneratedFile, Plan, Project};
use rating_core::time::Month;

use super::{Exit, month};

/// Arguments of `rating generate`.
#[derive(Debug, Args)]
pub(super) struct GenerateArguments {
    /// The folder to make; it must not exist, or be empty
    out: PathBuf,
    /// How many records in all files together
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    records: u64,
    /// The same seed (and records, month, sizes) gives the same bytes
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// The month that the calls are in
    #[arg(long, value_name = "YYYY-MM", value_parser = month, default_value = "2026-10")]
    month: Month,
    /// Rows of the rate deck [default: 60000, or 3000 below 100000 records]
    #[arg(long, value_name = "N")]
    prefixes: Option<u32>,
    /// Sites, 1 to 12 [default: 12, or 4 below 100000 records]
    #[arg(long, value_name = "N")]
    sites: Option<usize>,
    /// Occupiers [default: 500, or 40 below 100000 records]
    #[arg(long, value_name = "N")]
    occupiers: Option<u64>,
    /// Direct-dial numbers of all sites [default: 20000, or 1000 below 100000 records]
    #[arg(long, value_name = "N")]
    numbers: Option<u64>,
    /// So many files of records for each site [default: one for each day]
    #[arg(long, value_name = "N")]
    files: Option<u64>,
}

impl GenerateArguments {
    fn plan(&self) -> Plan {
        let plan = Plan::new(self.records, self.seed, self.month);
        Plan {
            prefixes: self.prefixes.unwrap_or(plan.prefixes),
            sites: self.sites.unwrap_or(plan.sites),
            occupiers: self.occupiers.unwrap_or(plan.occupiers),
            numbers: self.numbers.unwrap_or(plan.numbers),
            files: self.files.map_or(plan.files, Files::PerSite),
            ..plan
        }
    }
}

pub(super) fn generate(arguments: &GenerateArguments) -> Exit {
    let project = match Project::new(arguments.plan()) {
        Ok(project) => project,
        Err(error) => {
            eprintln!("error: {error}");
            return Exit::Usage;
        }
    };
    let out = &arguments.out;
    match is_free(out) {
        Ok(true) => {}
        Ok(false) => {
            eprintln!("error: {} is there already and not empty; name another folder", out.display());
            return Exit::Usage;
        }
        Err(error) => {
            eprintln!("error: {}: {error}", out.display());
            return Exit::Storage;
        }
    }
    let mut files = project.files();
    // A folder becomes a project by its settings: they are written last.
    files.sort_by_key(|file| file.path == "rating.toml");
    let mut bytes = 0;
    for file in &files {
        match write(&project, out, file) {
            Ok(written) => bytes += written,
            Err(error) => {
                eprintln!("error: {}: {error}", out.join(&file.path).display());
                return Exit::Storage;
            }
        }
    }
    println!(
        "{}: {} records of {} in {} files, {bytes} bytes\nnext: rating run {}",
        out.display(),
        arguments.records,
        arguments.month,
        files.len(),
        out.display()
    );
    Exit::Ok
}

/// Whether nothing would be overwritten.
fn is_free(folder: &Path) -> io::Result<bool> {
    match fs::read_dir(folder) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

fn write(project: &Project, out: &Path, generated: &GeneratedFile) -> io::Result<u64> {
    let path = out.join(&generated.path);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = File::create_new(path)?;
    let mut bytes = 0;
    let content: &Content = &generated.content;
    project.write(content, |piece| {
        bytes += piece.len() as u64;
        file.write_all(piece)
    })?;
    Ok(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on must fail loudly")]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        arguments: GenerateArguments,
    }

    fn generate_in(folder: &Path, more: &[&str]) -> Exit {
        let line = ["generate", folder.to_str().unwrap()].into_iter().chain(more.iter().copied());
        generate(&Line::parse_from(line).arguments)
    }

    #[test]
    fn a_project_is_written_once_and_never_over_another() {
        let folder = tempfile::tempdir().unwrap();
        let project = folder.path().join("project");
        assert_eq!(generate_in(&project, &["--records", "50", "--files", "1", "--sites", "1"]), Exit::Ok);
        let cdrs = fs::read_to_string(project.join("cdr/site01/2026-10-001.csv")).unwrap();
        assert_eq!(cdrs.lines().count(), 50);
        let settings = fs::read_to_string(project.join("rating.toml")).unwrap();
        assert!(settings.contains("month = \"2026-10\""), "{settings}");
        assert_eq!(generate_in(&project, &[]), Exit::Usage);
        assert_eq!(fs::read_to_string(project.join("cdr/site01/2026-10-001.csv")).unwrap(), cdrs);
    }

    #[test]
    fn what_cannot_be_is_refused_before_anything_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let project = folder.path().join("project");
        assert_eq!(generate_in(&project, &["--sites", "13"]), Exit::Usage);
        assert_eq!(generate_in(&project, &["--files", "0"]), Exit::Usage);
        assert!(!project.exists());
    }
}
