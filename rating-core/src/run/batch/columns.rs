//! The columns of a record batch as calls.

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, LargeStringArray, PrimitiveArray, RecordBatch, StringArray, StringViewArray,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt32Type, UInt64Type,
};

use super::FaultReason;
use super::plain::PlainCall;
use crate::directory::Directory;
use crate::finding::{Finding, Findings, did_you_mean};
use crate::ids::SiteId;
use crate::number::Direction;
use crate::time::{Duration, Instant};

const TEXT: &str = "text (`Utf8`, `LargeUtf8`, `Utf8View`, or a dictionary of one of them)";
const TIME: &str = "a timestamp with a zone, `timestamp(ms, UTC)` (or s, µs, ns)";
const WHOLE: &str = "whole numbers (`Int64`, `Int32`, `UInt64`, `UInt32`)";
const TRUTH: &str = "`Boolean`";

/// Every column that a batch may have.
const KNOWN: [&str; 14] = [
    "site",
    "call_id",
    "setup_at",
    "answered_at",
    "answered",
    "duration_s",
    "duration_ms",
    "direction",
    "calling",
    "extension",
    "called",
    "forwarder",
    "account_code",
    "trunk",
];

/// The columns of one batch, each of its type.
pub(super) struct Columns<'b> {
    site: Texts<'b>,
    call_id: Texts<'b>,
    setup_at: Option<Instants<'b>>,
    answered_at: Option<Instants<'b>>,
    answered: Option<&'b BooleanArray>,
    duration: Durations<'b>,
    /// The name that the batch has for it.
    duration_name: &'static str,
    direction: Texts<'b>,
    calling: Texts<'b>,
    extension: Texts<'b>,
    called: Texts<'b>,
    forwarder: Texts<'b>,
    account_code: Texts<'b>,
    trunk: Texts<'b>,
}

impl<'b> Columns<'b> {
    /// Finds the columns, or everything that is wrong with them.
    pub(super) fn of(batch: &'b RecordBatch) -> Result<Self, Findings> {
        let mut reader = Reader { batch, findings: Findings::default() };
        reader.names();
        let site = reader.texts("site");
        reader.require("site");
        let (setup_at, answered_at) = (reader.instants("setup_at"), reader.instants("answered_at"));
        reader.require("answered_at");
        let answered = reader.booleans("answered");
        let (seconds, millis) = (reader.durations("duration_s", 1_000), reader.durations("duration_ms", 1));
        let duration_name = if reader.has("duration_ms") { "duration_ms" } else { "duration_s" };
        match (reader.has("duration_s"), reader.has("duration_ms")) {
            (false, false) => reader.require("duration_s"),
            (true, true) => reader.repeated("duration_ms", "the duration is there in seconds, too"),
            _ => {}
        }
        let direction = reader.texts("direction");
        let calling = reader.texts("calling");
        let called = reader.texts("called");
        reader.require("called");
        let columns = Self {
            site,
            call_id: reader.texts("call_id"),
            setup_at,
            answered_at,
            answered,
            duration: seconds.or(millis).unwrap_or(Durations { values: Integers::None, millis: 1, nulls: None }),
            duration_name,
            direction,
            calling,
            extension: reader.texts("extension"),
            called,
            forwarder: reader.texts("forwarder"),
            account_code: reader.texts("account_code"),
            trunk: reader.texts("trunk"),
        };
        if reader.findings.is_empty() { Ok(columns) } else { Err(reader.findings) }
    }

    /// The call of a row. Every value that no call can have is told to `fault` by its column; then there is none.
    pub(super) fn call(
        &self,
        row: usize,
        sites: &mut Sites<'_>,
        fault: &mut impl FnMut(&'static str, FaultReason),
    ) -> Option<PlainCall<'b>> {
        let mut good = true;
        let mut wrong = |column, reason| {
            good = false;
            fault(column, reason);
        };
        let site = match self.site.get(row) {
            None => Err(FaultReason::FieldMissing),
            Some(id) => sites.id(id).ok_or(FaultReason::SiteUnknown),
        };
        let site = site.unwrap_or_else(|reason| {
            wrong("site", reason);
            SiteId(0)
        });
        let direction = match self.direction.get(row) {
            None => Direction::Unknown,
            Some(name) => Direction::ALL.into_iter().find(|direction| direction.name() == name).unwrap_or_else(|| {
                wrong("direction", FaultReason::DirectionUnknown);
                Direction::Unknown
            }),
        };
        let at = |column: &Option<Instants<'_>>| column.as_ref().and_then(|column| column.get(row));
        let answered = self.answered.filter(|column| column.is_valid(row)).map(|column| column.value(row));
        let (mut answered_at, mut duration) = (at(&self.answered_at), self.duration.get(row));
        match answered {
            // Whatever else the row has: it says that nobody answered.
            Some(false) => (answered_at, duration) = (None, None),
            Some(true) if answered_at.is_none() => wrong("answered_at", FaultReason::FieldMissing),
            _ => {}
        }
        if answered_at.is_some() && duration.is_none() {
            wrong(self.duration_name, FaultReason::FieldMissing);
        }
        let text = |column: &Texts<'b>| column.get(row).map_or(&b""[..], str::as_bytes);
        let call = PlainCall {
            site,
            id: text(&self.call_id),
            setup_at: at(&self.setup_at),
            answered_at,
            duration: duration.unwrap_or(Duration::ZERO),
            direction,
            calling: text(&self.calling),
            extension: text(&self.extension),
            called: text(&self.called),
            forwarder: text(&self.forwarder),
            account_code: text(&self.account_code),
            trunk: text(&self.trunk),
        };
        if answered != Some(true) || answered_at.is_some() {
            for (column, reason) in call.faults().into_iter().flatten() {
                wrong(if column == "duration" { self.duration_name } else { column }, reason);
            }
        }
        good.then_some(call)
    }
}

/// Sites by their ids; neighbours are mostly of one site.
pub(super) struct Sites<'d> {
    directory: &'d Directory,
    last: Option<(SiteId, &'d str)>,
}

impl<'d> Sites<'d> {
    pub(super) const fn new(directory: &'d Directory) -> Self {
        Self { directory, last: None }
    }

    fn id(&mut self, name: &str) -> Option<SiteId> {
        if let Some((id, last)) = self.last
            && last == name
        {
            return Some(id);
        }
        let id = self.directory.site_id(name)?;
        self.last = self.directory.sites().get(id.index()).map(|site| (id, &*site.id));
        Some(id)
    }
}

/// Takes columns out of a batch, and notes what is wrong with them.
struct Reader<'b> {
    batch: &'b RecordBatch,
    findings: Findings,
}

impl<'b> Reader<'b> {
    fn find(&mut self, code: &'static str, column: &str, message: String, help: String) {
        self.findings.push(Finding::error(code, message).in_file(format!("column `{column}`")).help(help));
    }

    fn has(&self, name: &str) -> bool {
        self.batch.schema_ref().column_with_name(name).is_some()
    }

    fn require(&mut self, name: &str) {
        if !self.has(name) {
            let help = if name == "duration_s" { "add it, or `duration_ms`" } else { "add it" };
            self.find("batch.column_missing", name, "it is not there".to_owned(), help.to_owned());
        }
    }

    fn repeated(&mut self, name: &str, message: &str) {
        self.find("batch.column_repeated", name, message.to_owned(), "leave one of them out".to_owned());
    }

    /// Columns that nobody knows, and those that are there twice.
    fn names(&mut self) {
        let schema = self.batch.schema();
        for (index, field) in schema.fields().iter().enumerate() {
            let name = field.name().as_str();
            if !KNOWN.contains(&name) {
                let help = match did_you_mean(name, KNOWN) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "leave it out (`RecordBatch::project`); rows keep their order".to_owned(),
                };
                self.find("batch.column_unknown", name, "no such column is known".to_owned(), help);
            } else if schema.fields().iter().take(index).any(|earlier| earlier.name() == name) {
                self.repeated(name, "it is there twice");
            }
        }
    }

    fn column(&self, name: &str) -> Option<&'b ArrayRef> {
        self.batch.column_by_name(name)
    }

    fn wrong_type(&mut self, name: &str, is: &DataType, must_be: &str) {
        let message = format!("it is {is}, and must be {must_be}");
        let help = match is {
            DataType::Timestamp(_, None) => "without a zone it might be any clock's: say which, and cast it to UTC",
            DataType::Date32 | DataType::Date64 => "a day is no instant: the time decides band and day",
            DataType::Float16 | DataType::Float32 | DataType::Float64 => "cast it; round as you mean it, first",
            _ => "cast it",
        };
        self.find("batch.column_type", name, message, help.to_owned());
    }

    fn texts(&mut self, name: &'static str) -> Texts<'b> {
        let Some(column) = self.column(name) else { return Texts::None };
        Texts::of(column).unwrap_or_else(|| {
            self.wrong_type(name, column.data_type(), TEXT);
            Texts::None
        })
    }

    fn instants(&mut self, name: &'static str) -> Option<Instants<'b>> {
        let column = self.column(name)?;
        let found = Instants::of(column);
        if found.is_none() {
            self.wrong_type(name, column.data_type(), TIME);
        }
        found
    }

    fn durations(&mut self, name: &'static str, millis: i64) -> Option<Durations<'b>> {
        let column = self.column(name)?;
        let found = Integers::of(column);
        if found.is_none() {
            self.wrong_type(name, column.data_type(), WHOLE);
        }
        found.map(|values| Durations { values, millis, nulls: column.nulls() })
    }

    fn booleans(&mut self, name: &'static str) -> Option<&'b BooleanArray> {
        let column = self.column(name)?;
        let found = column.as_boolean_opt();
        if found.is_none() {
            self.wrong_type(name, column.data_type(), TRUTH);
        }
        found
    }
}

/// Cells of text, whatever they are stored as.
enum Texts<'b> {
    None,
    Small(&'b StringArray),
    Large(&'b LargeStringArray),
    View(&'b StringViewArray),
    Dictionary { keys: Vec<usize>, nulls: Option<&'b NullBuffer>, values: Box<Self> },
}

impl<'b> Texts<'b> {
    fn of(column: &'b ArrayRef) -> Option<Self> {
        match column.data_type() {
            DataType::Utf8 => column.as_string_opt().map(Self::Small),
            DataType::LargeUtf8 => column.as_string_opt().map(Self::Large),
            DataType::Utf8View => column.as_string_view_opt().map(Self::View),
            DataType::Dictionary(..) => {
                let dictionary = column.as_any_dictionary_opt()?;
                let values = Box::new(Self::of(dictionary.values())?);
                // Of a dictionary without values every key is null.
                let keys = if dictionary.values().is_empty() { Vec::new() } else { dictionary.normalized_keys() };
                Some(Self::Dictionary { keys, nulls: dictionary.keys().nulls(), values })
            }
            // What is all null has no type in many a program.
            DataType::Null => Some(Self::None),
            _ => None,
        }
    }

    fn get(&self, row: usize) -> Option<&'b str> {
        match self {
            Self::None => None,
            Self::Small(column) => column.is_valid(row).then(|| column.value(row)),
            Self::Large(column) => column.is_valid(row).then(|| column.value(row)),
            Self::View(column) => column.is_valid(row).then(|| column.value(row)),
            Self::Dictionary { keys, nulls, values } => {
                let valid = nulls.is_none_or(|nulls| nulls.is_valid(row));
                values.get(*keys.get(row).filter(|_| valid)?)
            }
        }
    }
}

/// Instants, UTC whatever zone they are to be shown in.
struct Instants<'b> {
    values: &'b [i64],
    nulls: Option<&'b NullBuffer>,
    /// Milliseconds of one unit; 0 where a unit is less.
    millis: i64,
    /// Units of one millisecond, where a unit is less.
    units: i64,
}

impl<'b> Instants<'b> {
    fn of(column: &'b ArrayRef) -> Option<Self> {
        fn values<T: ArrowPrimitiveType<Native = i64>>(column: &ArrayRef) -> Option<&[i64]> {
            column.as_primitive_opt::<T>().map(|column| &**column.values())
        }
        let DataType::Timestamp(unit, Some(_)) = column.data_type() else { return None };
        let (values, millis, units) = match unit {
            TimeUnit::Second => (values::<TimestampSecondType>(column)?, 1_000, 1),
            TimeUnit::Millisecond => (values::<TimestampMillisecondType>(column)?, 1, 1),
            TimeUnit::Microsecond => (values::<TimestampMicrosecondType>(column)?, 0, 1_000),
            TimeUnit::Nanosecond => (values::<TimestampNanosecondType>(column)?, 0, 1_000_000),
        };
        Some(Self { values, nulls: column.nulls(), millis, units })
    }

    /// Cut to milliseconds, as switches' records are.
    fn get(&self, row: usize) -> Option<Instant> {
        if self.nulls.is_some_and(|nulls| nulls.is_null(row)) {
            return None;
        }
        let value = *self.values.get(row)?;
        let millis = if self.millis > 0 { value.saturating_mul(self.millis) } else { value.div_euclid(self.units) };
        Some(Instant::from_millis(millis))
    }
}

/// Whole numbers, whatever they are stored as.
enum Integers<'b> {
    None,
    Int32(&'b PrimitiveArray<Int32Type>),
    Int64(&'b PrimitiveArray<Int64Type>),
    UInt32(&'b PrimitiveArray<UInt32Type>),
    UInt64(&'b PrimitiveArray<UInt64Type>),
}

impl<'b> Integers<'b> {
    fn of(column: &'b ArrayRef) -> Option<Self> {
        match column.data_type() {
            DataType::Int32 => column.as_primitive_opt().map(Self::Int32),
            DataType::Int64 => column.as_primitive_opt().map(Self::Int64),
            DataType::UInt32 => column.as_primitive_opt().map(Self::UInt32),
            DataType::UInt64 => column.as_primitive_opt().map(Self::UInt64),
            _ => None,
        }
    }
}

struct Durations<'b> {
    values: Integers<'b>,
    nulls: Option<&'b NullBuffer>,
    millis: i64,
}

impl Durations<'_> {
    /// What is too large to be held is too large to be a call's.
    fn get(&self, row: usize) -> Option<Duration> {
        if self.nulls.is_some_and(|nulls| nulls.is_null(row)) {
            return None;
        }
        let units = match self.values {
            Integers::None => return None,
            Integers::Int32(column) => i64::from(*column.values().get(row)?),
            Integers::Int64(column) => *column.values().get(row)?,
            Integers::UInt32(column) => i64::from(*column.values().get(row)?),
            Integers::UInt64(column) => i64::try_from(*column.values().get(row)?).unwrap_or(i64::MAX),
        };
        Some(Duration::from_millis(units.saturating_mul(self.millis)))
    }
}
