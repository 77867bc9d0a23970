//! Yeastar P series: see `template/presets/yeastar.toml`.
//!
//! Sources: Yeastar, P-Series administrator's guide ("Call Detail Record (CDR) Overview") and developer guide.

use std::sync::{Arc, OnceLock};

use super::reader::{FileError, Options};
use super::switch::{Entry, Head, Opened, Sign};
use super::template::{self, Template};

pub(super) const ENTRY: Entry = Entry { layouts: &[], open, recognise };

fn preset() -> Option<&'static Arc<Template>> {
    static PRESET: OnceLock<Option<Arc<Template>>> = OnceLock::new();
    let text = include_str!("template/presets/yeastar.toml");
    PRESET.get_or_init(|| template::preset("yeastar.toml", text)).as_ref()
}

fn open(head: Head<'_>, options: &Options) -> Result<Opened, FileError> {
    let preset = preset().ok_or(FileError::UnknownLayout { columns: 0 })?;
    template::open_with(preset, head, options)
}

fn recognise(head: Head<'_>) -> Option<Sign> {
    let is_ours = template::lacks(preset()?, head).is_empty();
    is_ours.then(|| Sign::new("p-series", 90, "the first line has the titles of Yeastar's call list"))
}

#[cfg(test)]
mod tests;
