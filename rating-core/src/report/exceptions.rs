//! Exceptions: what was not rated, or needs a look, with its first example and the money at stake.

use std::sync::{Arc, LazyLock};

use super::batch::{Batch, ColumnSpec, Schema, Totals, table};
use super::cells::Column;
use super::column;
use super::names::Names;
use crate::aggregation::{Amounts, Elapsed, ReasonKey, ReasonSums, SideName};
use crate::ids::{SiteId, SourceId};
use crate::source::RecordId;

/// What became of a record or call that is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ExceptionKind {
    /// Readable, not ratable.
    Suspended,
    /// Not readable.
    Rejected,
    /// Nearly the same as another; both are rated.
    NearDuplicate,
    /// Exactly the same as another, and left out.
    Duplicate,
    /// Left out for another reason: not a call, another period, waiting for a partner.
    NotRated,
}

impl ExceptionKind {
    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Suspended => "suspended",
            Self::Rejected => "rejected",
            Self::NearDuplicate => "near duplicate",
            Self::Duplicate => "duplicate",
            Self::NotRated => "not rated",
        }
    }
}

/// One line of the exceptions report.
#[derive(Clone, Debug)]
pub struct Exception<'a> {
    /// The site, if the line is for one.
    pub site: Option<SiteId>,
    /// The source of the example.
    pub source: Option<SourceId>,
    /// What became of them.
    pub kind: ExceptionKind,
    /// Which side, for suspended calls.
    pub side: Option<SideName>,
    /// Why: the stable code.
    pub code: &'a str,
    /// How many.
    pub count: u64,
    /// The example's file and byte offset.
    pub record: Option<RecordId>,
    /// The example's number in its file, counted from 1.
    pub record_number: Option<u64>,
    /// The digits keyed in the example.
    pub dialled: Option<&'a [u8]>,
    /// Talk time of all of them, where it can be told.
    pub duration: Option<Elapsed>,
    /// What their other side was rated at, where it was.
    pub at_stake: Amounts,
    /// What to do about it.
    pub help: &'a str,
}

impl<'a> Exception<'a> {
    /// The line of a reason for suspension, without record number.
    #[must_use]
    pub fn suspended(key: ReasonKey, sums: &'a ReasonSums, help: &'a str) -> Self {
        Self {
            site: Some(key.site),
            source: Some(sums.example.source),
            kind: ExceptionKind::Suspended,
            side: Some(key.side),
            code: key.code,
            count: sums.calls,
            record: Some(sums.example.record),
            record_number: None,
            dialled: Some(&sums.example.dialled),
            duration: Some(sums.duration),
            at_stake: sums.at_stake.clone(),
            help,
        }
    }
}

table! {
    /// The exceptions report.
    ExceptionColumns {
        site: Name,
        source: Name,
        kind: Word required,
        side: Word,
        reason: Word required,
        count: Integer,
        duration_s: Seconds,
        money_at_stake: Amount,
        currency: Word,
        example_file: Name,
        example_record: Integer,
        example_offset: Integer,
        example_dialled: Text,
        help: Word,
    }
}

static SCHEMA: LazyLock<Arc<Schema>> = LazyLock::new(|| {
    let columns = ExceptionColumns::COLUMNS.to_vec();
    Arc::new(Schema { name: "exceptions", columns, totals: Totals::None })
});

/// The exceptions report, in the order given.
///
/// `money_at_stake` is what the side that could be priced comes to; it is blank where neither could. Money in several
/// currencies takes several rows, with count and duration in the first.
#[must_use]
pub fn exceptions(list: &[Exception<'_>], names: &Names) -> Batch {
    let mut columns = ExceptionColumns {
        site: column::Name::of(&names.sites),
        source: column::Name::of(&names.sources),
        example_file: column::Name::of(&names.files),
        ..ExceptionColumns::default()
    };
    for exception in list {
        let mut amounts = exception.at_stake.iter();
        columns.push(exception, true, amounts.next());
        for amount in amounts {
            columns.push(exception, false, Some(amount));
        }
    }
    Batch::new(SCHEMA.clone(), columns.into_columns(), 0)
}

impl ExceptionColumns {
    fn push(
        &mut self,
        exception: &Exception<'_>,
        first: bool,
        at_stake: Option<(crate::money::Currency, crate::aggregation::Sum)>,
    ) {
        self.site.push(exception.site.map(|site| site.0));
        self.source.push(exception.source.map(|source| source.0));
        self.kind.push(Some(exception.kind.name()));
        self.side.push(exception.side.map(SideName::name));
        self.reason.push(Some(exception.code));
        self.count.push(first.then_some(exception.count));
        self.duration_s.push(exception.duration.filter(|_| first));
        self.money_at_stake.push(at_stake.map(|(_, sum)| sum.total));
        self.currency.push_currency(at_stake.map(|(currency, _)| currency));
        self.example_file.push(exception.record.map(RecordId::file));
        self.example_record.push(exception.record_number);
        self.example_offset.push(exception.record.map(RecordId::offset));
        self.example_dialled.push(exception.dialled.filter(|dialled| !dialled.is_empty()));
        self.help.push(Some(exception.help).filter(|help| !help.is_empty()));
    }
}
