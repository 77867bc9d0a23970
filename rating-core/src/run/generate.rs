//! A rating project of any size from a seed: for demonstrations, benchmarks and soak runs.
//!
//! Nothing here is random and nothing is read: record `i` of `N` is a function of the seed, `i` and `N`, computed in
//! integers, so that a project is the same on every machine, and a file can be written from the middle. Nothing is written
//! either; whoever calls gets paths and bytes.
//!
//! The mix is that of a UK operator of serviced offices. Answered calls, of all: 40 % to towns, 25 % to mobiles, 10 %
//! inside, 10 % abroad, 5 % to freephone and service numbers; 10 % are not answered. Six in ten outside numbers are
//! called again and again. Of the numbers, 3 % change hands within the month. One record in 2,000 is an exact copy of one
//! shortly before. The calls of six hours each side of the month are in the files too, as they would be on a switch.
//! The switches' clocks show UTC.

mod calls;
mod deck;
mod files;
mod people;
mod random;

use std::ops::Range;

use calls::{Calls, Place, Profile};
pub use deck::{Deck, Destination, Kind, Prefix};
pub use people::{Allocation, Site, occupier_id};

use crate::time::{Date, Month};

/// What to generate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// How many records in all files together.
    pub records: u64,
    /// The same seed gives the same bytes.
    pub seed: u64,
    /// The month that the calls are in.
    pub month: Month,
    /// Rows of the rate deck; at least one for each country, town area and service is made (857).
    pub prefixes: u32,
    /// Sites, 1 to 12: the first has 20 times the numbers of the last.
    pub sites: usize,
    /// Occupiers, at least 1.
    pub occupiers: u64,
    /// Direct-dial numbers of all sites together; no site can have more than 7,000.
    pub numbers: u64,
    /// How records are cut into files.
    pub files: Files,
}

/// How records are cut into files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Files {
    /// One for each site and day, as a switch that rotates its log at midnight.
    PerSiteAndDay,
    /// So many for each site, with equally many records; at least 1.
    PerSite(u64),
}

impl Plan {
    /// A plan of a size that suits the number of records: from 100,000 records on the full one, with 12 sites, 500
    /// occupiers, 20,000 numbers and 60,000 prefixes, below that a tenth of each or so.
    #[must_use]
    pub const fn new(records: u64, seed: u64, month: Month) -> Self {
        let files = Files::PerSiteAndDay;
        if records < 100_000 {
            Self { records, seed, month, prefixes: 3_000, sites: 4, occupiers: 40, numbers: 1_000, files }
        } else {
            Self { records, seed, month, prefixes: 60_000, sites: 12, occupiers: 500, numbers: 20_000, files }
        }
    }
}

/// A plan that cannot be carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// Too few or too many sites.
    #[error("a project has 1 to {most} sites")]
    Sites {
        /// The most there can be.
        most: usize,
    },
    /// A site would have no number, or more than there are extensions.
    #[error("each site needs 1 to {most_a_site} numbers: extensions have four digits")]
    Numbers {
        /// The most a site can have.
        most_a_site: u64,
    },
    /// No occupier, or more than there are numbers.
    #[error("a project has at least 1 occupier, and not more than numbers")]
    Occupiers,
    /// No file at all.
    #[error("each site needs at least 1 file")]
    Files,
}

/// A file of CDRs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CdrFile {
    /// Path below the project's folder, with `/`.
    pub path: String,
    /// Index of the site.
    pub site: usize,
    /// Its records.
    pub records: Range<u64>,
}

/// A file of the project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratedFile {
    /// Path below the project's folder, with `/`.
    pub path: String,
    /// What is in it.
    pub content: Content,
}

/// What is in a generated file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Settings or a table, whole.
    Text(String),
    /// These records, made when they are written: a file of them may be larger than memory.
    Cdrs(Range<u64>),
}

/// A generated project, ready to be written piece by piece.
///
/// # Example
///
/// ```
/// use rating_core::run::generate::{Plan, Project};
/// use rating_core::time::Month;
/// let project = Project::new(Plan::new(1_000, 1, Month::new(2026, 10).unwrap())).unwrap();
/// let (mut whole, mut halves) = (Vec::new(), Vec::new());
/// project.write_cdrs(0..1_000, &mut whole);
/// project.write_cdrs(0..500, &mut halves);
/// project.write_cdrs(500..1_000, &mut halves);
/// assert_eq!(whole, halves);
/// ```
#[derive(Clone, Debug)]
pub struct Project {
    plan: Plan,
    sites: Vec<Site>,
    /// Where each site's records begin, and the end of all.
    bounds: Vec<u64>,
    deck: Deck,
    calls: Calls,
}

impl Project {
    /// Makes what the records refer to: sites, numbers and the rate deck.
    ///
    /// # Errors
    ///
    /// If the plan asks for what cannot be.
    pub fn new(plan: Plan) -> Result<Self, PlanError> {
        let sites = people::sites(plan.sites, plan.numbers)?;
        if plan.occupiers == 0 || plan.occupiers > plan.numbers {
            return Err(PlanError::Occupiers);
        }
        if plan.files == Files::PerSite(0) {
            return Err(PlanError::Files);
        }
        Ok(Self {
            bounds: people::by_share(plan.records, plan.sites),
            deck: Deck::new(plan.seed, plan.prefixes),
            calls: Calls { seed: plan.seed, profile: Profile::new(plan.month) },
            sites,
            plan,
        })
    }

    /// The plan it was made from.
    #[must_use]
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The sites, by index.
    #[must_use]
    pub fn sites(&self) -> &[Site] {
        &self.sites
    }

    /// The retail rate deck.
    #[must_use]
    pub const fn deck(&self) -> &Deck {
        &self.deck
    }

    /// Who holds which numbers, by site, number and time.
    #[must_use]
    pub fn allocations(&self) -> Vec<Allocation> {
        people::allocations(self.plan.seed, &self.sites, self.plan.occupiers, self.plan.month)
    }

    /// The files of CDRs, by site and time; files without a record are left out.
    #[must_use]
    pub fn cdr_files(&self) -> Vec<CdrFile> {
        let mut files = Vec::new();
        for (index, site) in self.sites.iter().enumerate() {
            let Some(all) = self.records_of(index) else { continue };
            match self.plan.files {
                Files::PerSiteAndDay => self.daily_files(index, site, all, &mut files),
                Files::PerSite(count) => {
                    let total = all.end - all.start;
                    for part in 0..count {
                        let bound = |part: u64| all.start + total / count * part + (total % count) * part / count;
                        let path = format!("cdr/{}/{}-{:03}.csv", site.id, self.plan.month, part + 1);
                        files.push(CdrFile { path, site: index, records: bound(part)..bound(part + 1) });
                    }
                }
            }
        }
        files.retain(|file| !file.records.is_empty());
        files
    }

    fn daily_files(&self, index: usize, site: &Site, all: Range<u64>, files: &mut Vec<CdrFile>) {
        let (first, end) = self.plan.month.days();
        let mut from = all.start;
        for day in first.days() - 1..=end.days() {
            // The first record that ended on a later day.
            let next = i64::from(day + 1) * 86_400;
            let (mut low, mut high) = (from, all.end);
            while low < high {
                let middle = low + (high - low) / 2;
                let before = self.place(middle).is_some_and(|place| self.calls.slot_end(place) < next);
                if before { low = middle + 1 } else { high = middle }
            }
            let path = format!("cdr/{}/{}.csv", site.id, Date::from_days(day));
            files.push(CdrFile { path, site: index, records: from..low });
            from = low;
        }
    }

    /// Appends the lines of these records, without a header, in Asterisk's `Master.csv` column order with `uniqueid`.
    ///
    /// Records are numbered by site, then by the time they ended; what lies beyond the last is left out.
    pub fn write_cdrs(&self, records: Range<u64>, out: &mut Vec<u8>) {
        for record in records.start..records.end.min(self.plan.records) {
            if let Some(place) = self.place(record) {
                self.calls.write(&self.deck, place, out);
            }
        }
    }

    /// Hands over a file's bytes in pieces of about 256 KiB.
    ///
    /// # Errors
    ///
    /// The first error of `put`; nothing is handed over after it.
    pub fn write<E>(&self, content: &Content, mut put: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        const RECORDS_AT_ONCE: u64 = 1_300;
        match content {
            Content::Text(text) => put(text.as_bytes()),
            Content::Cdrs(records) => {
                let mut piece = Vec::new();
                let mut from = records.start;
                while from < records.end {
                    let until = records.end.min(from + RECORDS_AT_ONCE);
                    piece.clear();
                    self.write_cdrs(from..until, &mut piece);
                    put(&piece)?;
                    from = until;
                }
                Ok(())
            }
        }
    }

    fn records_of(&self, site: usize) -> Option<Range<u64>> {
        Some(*self.bounds.get(site)?..*self.bounds.get(site + 1)?)
    }

    fn place(&self, record: u64) -> Option<Place<'_>> {
        let index = self.bounds.partition_point(|bound| *bound <= record).checked_sub(1)?;
        let all = self.records_of(index)?;
        Some(Place { site: self.sites.get(index)?, first: all.start, count: all.end - all.start, record })
    }
}

#[cfg(test)]
mod tests;
