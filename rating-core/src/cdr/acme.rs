//! Oracle (Acme Packet) session border controllers.

use super::reader::{FileError, Options};
use super::switch::{Entry, Head, Opened, Sign};

pub(super) const ENTRY: Entry = Entry { layouts: &[], open, recognise };

fn open(_head: Head<'_>, _options: &Options) -> Result<Opened, FileError> {
    Err(FileError::UnknownLayout { columns: 0 })
}

fn recognise(_head: Head<'_>) -> Option<Sign> {
    None
}
