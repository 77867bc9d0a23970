//! What is worth a look in tariffs, for `check`.

use std::path::{Path, PathBuf};

use super::RunError;
use super::quote::{self, text};
use super::storage::Storage;
use crate::finding::Findings;
use crate::mediation::dial_plan::Countries;
use crate::number::{Digits, NumberClass};
use crate::tariff::TariffBook;

/// Reads tariffs' settings files and their decks, and finds what is wrong with them and what is worth a look.
///
/// # Errors
///
/// [`RunError::Usage`] for a file that there is not, [`RunError::Storage`] for one that cannot be read.
pub fn check_tariffs(storage: &dyn Storage, files: &[PathBuf]) -> Result<Findings, RunError> {
    let (book, mut findings) = quote::read(storage, &quote::Options::new(files.to_vec()))?;
    if !findings.has_errors() {
        findings.extend(lint(storage, Path::new(""), &book));
    }
    Ok(findings)
}

/// What is worth a look in the tariffs of a book whose files are named from `root`.
pub(super) fn lint(storage: &dyn Storage, root: &Path, book: &TariffBook) -> Findings {
    let ranges: Vec<(Digits, NumberClass)> = Countries::embedded().class_ranges().collect();
    let unread = Default::default();
    let mut load = |name: &str| text(name, storage.read(&root.join(name)).ok()?, &unread);
    book.lint(&ranges, &mut load)
}
