//! Bytes that a switch wrote, from wherever they come.

use std::fmt;

use super::Desk;
use crate::cdr::{Cdr, Group, NotACall, Reader, Reject};
use crate::ids::SourceId;
use crate::mediation::Mediated;
use crate::rating::CallRow;
use crate::source::RecordId;

/// The layout of a switch's file, ready to rate its records: made by [`Desk::switch_file`].
pub struct SwitchFile<'d, 'p> {
    pub(super) desk: &'d Desk<'p>,
    pub(super) source: SourceId,
    pub(super) reader: Reader,
}

/// Why a record has no row.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Unrated<'a> {
    /// It cannot be read.
    Rejected(Reject<'a>),
    /// It is readable, and no call.
    NotACall(RecordId, NotACall),
    /// It is one of several records of a call, which only a run puts together. Records of one source with equal groups
    /// belong together.
    PartOfACall(RecordId, Group<'a>),
}

impl Unrated<'_> {
    /// Where the record begins.
    #[must_use]
    pub const fn record(&self) -> RecordId {
        match self {
            Self::Rejected(reject) => reject.id,
            Self::NotACall(record, _) | Self::PartOfACall(record, _) => *record,
        }
    }

    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Rejected(reject) => reject.reason.code(),
            Self::NotACall(_, why) => why.code(),
            Self::PartOfACall(..) => "batch.part_of_a_call",
        }
    }
}

impl fmt::Display for Unrated<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "byte {}: ", self.record().offset())?;
        match self {
            Self::Rejected(reject) if reject.column > 0 => write!(f, "column {} cannot be read", reject.column)?,
            Self::Rejected(_) => f.write_str("the record cannot be read")?,
            Self::NotACall(..) => f.write_str("the record is no call")?,
            Self::PartOfACall(..) => f.write_str("the record is one of several that together tell of a call")?,
        }
        write!(f, " [{}]", self.code())
    }
}

impl std::error::Error for Unrated<'_> {}

impl SwitchFile<'_, '_> {
    /// Rates the records of a whole file, or of any stretch of it that begins and ends with a record; a header line that is
    /// there again is passed over. Each record has one answer, in the order in which they stand.
    ///
    /// # Example: one line of an Asterisk
    ///
    /// ```
    /// use rating_core::rating::Outcome;
    /// use rating_core::run::{batch::Desk, project::Project, storage::Disk};
    /// let (project, _) = Project::load(&Disk, "../testdata/demo".as_ref(), None).unwrap();
    /// let project = project.unwrap();
    /// let desk = Desk::new(&project).unwrap();
    ///
    /// let line = b"\"\",\"2001\",\"901614960123\",\"from-internal\",\"Ann\",\"PJSIP/2001-00000001\",\"PJSIP/carrier-00000002\",\
    ///     \"Dial\",\"\",\"2026-10-01 09:15:00\",\"2026-10-01 09:15:09\",\"2026-10-01 09:16:10\",70,61,\"ANSWERED\",\"DOCUMENTATION\"\n";
    /// let file = desk.switch_file("ldn-pbx", "Master.csv", line, true).unwrap();
    /// let row = file.rate(line).next().unwrap().unwrap();
    /// let Outcome::Rated(priced) = row.retail.outcome else { panic!() };
    /// assert_eq!(priced.charge.to_string(), "0.055");
    /// ```
    pub fn rate<'a>(&'a self, bytes: &'a [u8]) -> impl Iterator<Item = Result<CallRow<'a>, Unrated<'a>>> + 'a {
        self.piece(0, bytes, true)
    }

    /// Rates a piece of a file that is read as it comes: `offset` is where the piece begins in the file, and `last` says
    /// that the file ends with it. [`SwitchFile::reader`] says where a file may be cut.
    pub fn piece<'a>(
        &'a self,
        offset: u64,
        bytes: &'a [u8],
        last: bool,
    ) -> impl Iterator<Item = Result<CallRow<'a>, Unrated<'a>>> + 'a {
        self.reader.records(0, offset, bytes, last).map(|record| self.record(record))
    }

    /// The reader of its layout.
    #[must_use]
    pub const fn reader(&self) -> &Reader {
        &self.reader
    }

    fn record<'a>(&'a self, record: Result<Cdr<'a>, Reject<'a>>) -> Result<CallRow<'a>, Unrated<'a>> {
        let cdr = record.map_err(Unrated::Rejected)?;
        match self.desk.engine.mediate(self.source, &cdr) {
            // What is linked is a call by itself; that it tells of others is of no use here.
            Mediated::Call(call) | Mediated::Linked(call, _) => Ok(self.desk.charge(call, None)),
            Mediated::Suspended(call, reason) => Ok(self.desk.charge(call, Some(reason.code()))),
            Mediated::NeedsPartner(group) => Err(Unrated::PartOfACall(cdr.id, group)),
            Mediated::NotACall(why) => Err(Unrated::NotACall(cdr.id, why)),
        }
    }
}
