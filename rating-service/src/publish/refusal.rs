//! Why something was not done, with a stable code; and the engine's findings as data.

use std::io::ErrorKind;

use rating_core::finding::{Finding, Findings, Severity};
use rating_core::run::RunError;
use rating_core::run::storage::StorageError;
use serde::Serialize;

/// Every code of this module, sorted.
pub const CODES: &[&str] = &[
    "publish.busy",
    "publish.changed_since_check",
    "publish.disk",
    "publish.disk_full",
    "publish.file_changed",
    "publish.file_damaged",
    "publish.file_exists",
    "publish.file_path",
    "publish.file_too_large",
    "publish.input_incomplete",
    "publish.internal",
    "publish.month_closed",
    "publish.no_such_version",
    "publish.not_available",
    "publish.project_invalid",
    "publish.refused",
    "publish.source_settings",
    "publish.unbalanced",
    "publish.version_damaged",
];

/// The result of what this module does.
pub type Result<T> = std::result::Result<T, Refusal>;

/// Why something was not done. Nothing has changed then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {detail}")]
pub struct Refusal {
    /// One of [`CODES`].
    pub code: &'static str,
    /// What is the matter, and why.
    pub detail: String,
    /// How to mend it.
    pub help: Option<String>,
    /// What the engine found wrong with the project or its input.
    pub findings: Vec<Found>,
}

/// One thing that the engine found: what is wrong, where, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Found {
    /// Stable code, listed in `docs/findings.md`.
    pub code: String,
    /// `error` or `warning`.
    pub severity: &'static str,
    /// `file:line:column`, the file alone, or empty. Files are those of the project.
    pub place: String,
    /// What is wrong.
    pub what: String,
    /// How to mend it.
    pub how: Option<String>,
}

impl From<&Finding> for Found {
    fn from(finding: &Finding) -> Self {
        Self {
            code: finding.code.to_owned(),
            severity: match finding.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            place: finding.place(),
            what: finding.message.clone(),
            how: finding.help.clone(),
        }
    }
}

/// Findings as data.
#[must_use]
pub(super) fn found(findings: &Findings) -> Vec<Found> {
    findings.iter().map(Found::from).collect()
}

impl Refusal {
    /// A refusal with one of the [`CODES`].
    #[must_use]
    pub fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), help: None, findings: Vec::new() }
    }

    /// With a way to mend it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// A fault of this program.
    #[must_use]
    pub fn internal(what: impl std::fmt::Display) -> Self {
        Self::new("publish.internal", what.to_string())
    }

    /// What the disk refused. `what` says what was being done.
    #[must_use]
    pub fn disk(what: impl std::fmt::Display, error: &std::io::Error) -> Self {
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                Self::new("publish.disk_full", format!("{what}: the disk is full; nothing was changed"))
                    .help("free some space and try again")
            }
            _ => Self::new("publish.disk", format!("{what}: {error}")).help("look at the disk and the rights on it"),
        }
    }
}

impl From<StorageError> for Refusal {
    fn from(error: StorageError) -> Self {
        Self::disk(format!("cannot {} `{}`", error.action, error.path.display()), &error.error)
    }
}

impl From<RunError> for Refusal {
    fn from(error: RunError) -> Self {
        let words = error.to_string();
        match error {
            RunError::Invalid(findings) | RunError::Disagree(findings) => {
                let closed = findings.iter().find(|finding| finding.code == "run.month_closed");
                let (code, detail) = match closed {
                    Some(finding) => ("publish.month_closed", finding.message.clone()),
                    None => ("publish.project_invalid", words),
                };
                Self { findings: found(&findings), ..Self::new(code, detail) }
            }
            RunError::Incomplete(findings) => Self {
                findings: found(&findings),
                ..Self::new("publish.input_incomplete", words)
                    .help("bring the files that are missing, or accept each gap by its name")
            },
            RunError::Usage(words) => Self::new("publish.refused", words),
            RunError::Unbalanced(_) => Self::new("publish.unbalanced", words),
            RunError::Locked(_) => Self::new("publish.busy", words).help("wait for it to end"),
            RunError::Storage(error) => error.into(),
            RunError::Internal(_) => Self::internal(words),
            _ => Self::internal(words),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_and_each_once() {
        assert!(CODES.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn a_full_disk_is_told_from_one_that_refuses() {
        let full = std::io::Error::from(ErrorKind::StorageFull);
        assert_eq!(Refusal::disk("cannot write", &full).code, "publish.disk_full");
        let denied = std::io::Error::from(ErrorKind::PermissionDenied);
        assert_eq!(Refusal::disk("cannot write", &denied).code, "publish.disk");
    }
}
