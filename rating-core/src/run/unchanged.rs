//! Whether input files are still what they were hashed as: what is rated must be what the run's id and manifest say.

use std::io::{ErrorKind, Read as _};

use rayon::prelude::*;

use super::RunError;
use super::first_pass::InputFile;
use super::hashing::FileHasher;
use super::project::Project;
use super::storage::{Storage, StorageError, failed};
use crate::finding::{Finding, Findings};

/// Refuses a month of which an input file was written to while it was rated. What a switch has written behind the end that
/// a file had is no part of the month yet, and no reason to refuse it.
///
/// # Errors
///
/// `run.file_changed`; or if a file cannot be looked at.
pub(super) fn check(storage: &dyn Storage, project: &Project, files: &[InputFile]) -> Result<(), RunError> {
    let changed: Vec<Option<&str>> = files
        .par_iter()
        .map(|file| Ok(if is_unchanged(storage, project, file)? { None } else { Some(file.path.as_str()) }))
        .collect::<Result<_, StorageError>>()?;
    let mut findings = Findings::default();
    changed.into_iter().flatten().for_each(|path| findings.push(finding(path)));
    if findings.is_empty() { Ok(()) } else { Err(RunError::Invalid(findings)) }
}

/// Files that were hashed elsewhere have no stamp: whoever did it has looked.
fn is_unchanged(storage: &dyn Storage, project: &Project, file: &InputFile) -> Result<bool, StorageError> {
    let Some(before) = file.stamp else { return Ok(true) };
    let path = project.root.join(&file.path);
    let gone = |error: &StorageError| error.error.kind() == ErrorKind::NotFound;
    match storage.stamp(&path) {
        Ok(now) if now == before && now.bytes == file.bytes => return Ok(true),
        Err(error) if gone(&error) => return Ok(false),
        now => _ = now?,
    }
    let mut beginning = match storage.open(&path) {
        Err(error) if gone(&error) => return Ok(false),
        opened => opened?.take(file.bytes),
    };
    let hashed = FileHasher::new().hash(&mut beginning).map_err(|error| failed("read", &path, error))?;
    Ok(hashed == (file.sha256.clone(), file.bytes))
}

/// A month of which this file is not what it was.
pub(super) fn refuse(path: &str) -> RunError {
    let mut findings = Findings::default();
    findings.push(finding(path));
    RunError::Invalid(findings)
}

fn finding(path: &str) -> Finding {
    Finding::error("run.file_changed", format!("`{path}` was changed or removed while the month was rated"))
        .in_file(path)
        .help(
            "let whoever writes the file finish, and run again; if its shard was rated already, bring the file back as it was, or \
             plan the month again and rate all its shards",
        )
}
