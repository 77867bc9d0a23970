//! Control figures: nothing vanishes.

use std::ops::AddAssign;

/// What became of the records of a file, or of all files. Every record is in exactly one of the other fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records read.
    pub records: u64,
    /// Stand for a call.
    pub used: u64,
    /// A leg of a call that another record stands for.
    pub merged: u64,
    /// Equal, by the format's exact key, to a record that came before.
    pub duplicate: u64,
    /// Readable and not a call: recording and conference legs, quality records, records the switch was told not to bill.
    pub not_a_call: u64,
    /// A call of another month.
    pub other_period: u64,
    /// A leg whose partner has not come.
    pub waiting: u64,
    /// Not readable.
    pub rejected: u64,
}

impl Counts {
    /// The records accounted for.
    #[must_use]
    pub const fn accounted(&self) -> u64 {
        self.used + self.merged + self.duplicate + self.not_a_call + self.other_period + self.waiting + self.rejected
    }

    /// The identity `records = used + merged + duplicate + not a call + other period + waiting + rejected`, and the
    /// words for it if it does not hold.
    ///
    /// # Errors
    ///
    /// The identity with its figures.
    pub fn check(&self, of: &str) -> Result<(), String> {
        if self.records == self.accounted() {
            return Ok(());
        }
        Err(format!(
            "{of}: {} records read, but {} used in calls + {} merged legs + {} duplicates + {} not calls + {} of other \
             months + {} waiting + {} rejected = {}",
            self.records,
            self.used,
            self.merged,
            self.duplicate,
            self.not_a_call,
            self.other_period,
            self.waiting,
            self.rejected,
            self.accounted()
        ))
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.records += other.records;
        self.used += other.used;
        self.merged += other.merged;
        self.duplicate += other.duplicate;
        self.not_a_call += other.not_a_call;
        self.other_period += other.other_period;
        self.waiting += other.waiting;
        self.rejected += other.rejected;
    }
}

/// What became of the calls, by the payer's side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallCounts {
    /// All calls of the month.
    pub calls: u64,
    /// With a charge, which may be zero.
    pub rated: u64,
    /// No charge is due, by a rule.
    pub not_chargeable: u64,
    /// A charge may be due and cannot be told.
    pub suspended: u64,
}

impl CallCounts {
    /// The identity `calls = rated + not chargeable + suspended`.
    ///
    /// # Errors
    ///
    /// The identity with its figures.
    pub fn check(&self) -> Result<(), String> {
        if self.calls == self.rated + self.not_chargeable + self.suspended {
            return Ok(());
        }
        Err(format!(
            "{} calls, but {} rated + {} not chargeable + {} suspended",
            self.calls, self.rated, self.not_chargeable, self.suspended
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_that_vanished_is_named() {
        let mut counts = Counts {
            records: 7,
            used: 1,
            merged: 1,
            duplicate: 1,
            not_a_call: 1,
            other_period: 1,
            waiting: 1,
            rejected: 1,
        };
        assert_eq!(counts.check("all files"), Ok(()));
        counts += Counts { records: 1, ..Counts::default() };
        let words = counts.check("all files").unwrap_err();
        assert!(words.contains("8 records read") && words.ends_with("= 7"), "{words}");
        assert!(CallCounts { calls: 2, rated: 1, ..CallCounts::default() }.check().is_err());
    }
}
