//! Versions that pages look at often: their manifests are read once. Which run is in force is asked each time, a link tells.

use std::sync::{Mutex, PoisonError};

use rating_core::time::Month;

use super::published::{Archive, Version};
use super::refusal::Result;

/// How many versions stay open: two years of months.
const OPEN: usize = 24;

/// Versions kept open.
pub struct Shelf {
    archive: Archive,
    open: Mutex<Vec<Version>>,
}

impl Shelf {
    /// Versions of an archive.
    #[must_use]
    pub fn new(archive: Archive) -> Self {
        Self { archive, open: Mutex::default() }
    }

    /// The version of a month that is in force. It may block.
    ///
    /// # Errors
    ///
    /// As [`Archive::in_force`].
    pub fn in_force(&self, month: Month) -> Result<Option<Version>> {
        let Some(run) = self.archive.run_in_force(month)? else { return Ok(None) };
        {
            let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(version) = open.iter().find(|version| version.run == run) {
                return Ok(Some(version.clone()));
            }
        }
        let found = self.archive.in_force(month)?;
        // Another may have come into force between.
        if let Some(version) = found.as_ref().filter(|version| version.run == run) {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.retain(|have| have.month != month);
            open.push(version.clone());
            if open.len() > OPEN {
                open.remove(0);
            }
        }
        Ok(found)
    }

    /// The month to date, as it was last made. It may block.
    ///
    /// # Errors
    ///
    /// As [`Archive::preview`].
    pub fn preview(&self, month: Month) -> Result<Option<Version>> {
        self.archive.preview(month)
    }
}
