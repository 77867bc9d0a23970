//! Rated calls as the rows of a record batch.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Decimal128Builder, DictionaryArray, Int32Builder, RecordBatch, StringArray, TimestampMillisecondBuilder,
};
use arrow::datatypes::{DataType, Field, Int32Type, Schema, SchemaRef};
use arrow::error::ArrowError;

use super::columns::{Columns, Sites};
use super::{BatchError, CallFault, Desk, FaultReason};
use crate::money::{Currency, LEDGER_SCALE};
use crate::rating::{CallRow, Outcome, Side};
use crate::run::codes;
use crate::run::project::Project;

const CHARGED: i32 = 0;
const NOT_CHARGEABLE: i32 = 1;
const SUSPENDED: i32 = 2;
const REJECTED: i32 = 3;
const STATUS: [&str; 4] = ["charged", "not chargeable", "suspended", "rejected"];

/// What a record batch came to.
#[derive(Clone, Debug)]
pub struct RatedBatch {
    /// One row for each of the batch, in its order: see [`Desk::batch`].
    pub rows: RecordBatch,
    /// Every value that no call can have, by row and column. A row with any of them is `rejected`.
    pub faults: Vec<CallFault>,
}

/// The names behind the ids: the dictionaries of all answers of a desk share them.
pub(super) struct Names {
    sites: ArrayRef,
    payers: ArrayRef,
    tariffs: ArrayRef,
    destinations: ArrayRef,
    bands: ArrayRef,
    status: ArrayRef,
    currencies: ArrayRef,
    currency_list: Vec<Currency>,
    reasons: ArrayRef,
    reason_list: Vec<&'static str>,
}

impl Names {
    pub(super) fn of(project: &Project) -> Self {
        fn texts<'n>(names: impl IntoIterator<Item = &'n str>) -> ArrayRef {
            Arc::new(StringArray::from_iter_values(names))
        }
        let tariffs = project.book.tariffs();
        let currencies: BTreeSet<Currency> =
            tariffs.iter().flat_map(|tariff| tariff.versions()).map(|version| version.currency()).collect();
        let mut reason_list = codes::suspended_or_free();
        reason_list.extend(FaultReason::ALL.map(FaultReason::code));
        Self {
            sites: texts(project.directory.sites().iter().map(|site| &*site.id)),
            payers: texts(project.directory.payers().iter().map(|payer| &*payer.id)),
            tariffs: texts(tariffs.iter().map(|tariff| tariff.id())),
            destinations: texts(project.book.destinations().iter()),
            bands: texts(project.book.bands().iter()),
            status: texts(STATUS),
            currencies: texts(currencies.iter().map(Currency::code)),
            currency_list: currencies.into_iter().collect(),
            reasons: texts(reason_list.iter().copied()),
            reason_list,
        }
    }

    fn reason(&self, code: &str) -> Option<i32> {
        key(self.reason_list.iter().position(|known| *known == code))
    }

    fn currency(&self, currency: Option<Currency>) -> Option<i32> {
        let currency = currency?;
        key(self.currency_list.iter().position(|known| *known == currency))
    }
}

fn key(index: Option<usize>) -> Option<i32> {
    i32::try_from(index?).ok()
}

impl Desk<'_> {
    /// Rates the calls of a record batch: one row out for each row in, in the same order, none left out.
    ///
    /// # Columns in
    ///
    /// Text is `Utf8`, `LargeUtf8`, `Utf8View`, or a dictionary of one of them. Instants are timestamps with a zone (s, ms,
    /// µs or ns, cut to milliseconds); Arrow keeps them in UTC whatever zone they name. Without a zone they are refused.
    ///
    /// | column | type | |
    /// | --- | --- | --- |
    /// | `site` | text | id of the site; never null |
    /// | `answered_at` | instant | null for a call that nobody answered |
    /// | `duration_s` or `duration_ms` | `Int64`, `Int32`, `UInt64`, `UInt32` | talk time in seconds or milliseconds; null only for a call that nobody answered |
    /// | `called` | text | the digits keyed, with the outside-line code where people key one; or a number that begins with `+` |
    /// | `calling` | text, may be left out | who called: an extension, or a number |
    /// | `setup_at` | instant, may be left out | needed for a call that nobody answered |
    /// | `answered` | `Boolean`, may be left out | `false`: nobody answered, whatever the other columns have |
    /// | `direction` | text, may be left out | `outbound`, `inbound`, `internal`, `forwarded`; null or `unknown`: the numbers tell |
    /// | `extension`, `forwarder`, `account_code`, `trunk`, `call_id` | text, may be left out | as the fields of [`PlainCall`](super::PlainCall) |
    ///
    /// # Columns out
    ///
    /// Names and meanings are those of the published `itemised.parquet`. Names are dictionaries (`Int32` to `Utf8`); every
    /// batch of one desk has the same ones.
    ///
    /// | column | type | |
    /// | --- | --- | --- |
    /// | `site` | name | the site that reports the call: that of the holder |
    /// | `payer_id` | name | who pays; null if that is not known |
    /// | `charged_at` | `timestamp(ms, UTC)` | the instant that decided |
    /// | `status` | name, never null | `charged`, `not chargeable`, `suspended`, `rejected` |
    /// | `reason` | name | the stable code, unless it was charged |
    /// | `tariff`, `destination`, `band` | name | what priced it |
    /// | `billed_duration_s` | `decimal(18, 3)` | duration after minimum and increments |
    /// | `cost` | `decimal(38, 10)` | what the payer is charged; null for the operator's own calls. `cost_before_allowances`, if the desk is one [before allowances](Desk::before_allowances) |
    /// | `currency` | name | of `cost` |
    /// | `wholesale_status`, `wholesale_reason`, `wholesale_tariff`, `wholesale_destination`, `wholesale_band`, `wholesale_billed_duration_s` | as above | the carrier's side |
    /// | `operator_amount`, `operator_currency` | as above | what the carrier charges |
    ///
    /// # Errors
    ///
    /// [`BatchError::Columns`] with every column that is missing, not known or of another type. Values that no call can have
    /// are no error: their rows are `rejected` on both sides under the first fault's code, and all are listed in
    /// [`RatedBatch::faults`].
    ///
    /// # Example
    ///
    /// ```
    /// use std::sync::Arc;
    /// use rating_core::run::batch::Desk;
    /// use rating_core::run::batch::arrow::array::*;
    /// use rating_core::run::{project::Project, storage::Disk};
    ///
    /// let (project, _) = Project::load(&Disk, "../testdata/demo".as_ref(), None)?;
    /// let project = project.unwrap();
    /// let desk = Desk::new(&project)?;
    ///
    /// let at = TimestampMillisecondArray::from(vec![1_790_842_509_000; 2]).with_timezone("UTC"); // 08:15:09
    /// let calls = RecordBatch::try_from_iter([
    ///     ("site", Arc::new(StringArray::from(vec!["ldn", "lnd"])) as ArrayRef),
    ///     ("answered_at", Arc::new(at)),
    ///     ("duration_s", Arc::new(Int64Array::from(vec![61, 61]))),
    ///     ("calling", Arc::new(StringArray::from(vec!["2001", "2001"]))),
    ///     ("called", Arc::new(StringArray::from(vec!["901614960123", "901614960123"]))),
    /// ])?;
    /// let rated = desk.batch(&calls)?;
    ///
    /// let cost = rated.rows.column_by_name("cost").unwrap().as_any().downcast_ref::<Decimal128Array>().unwrap();
    /// assert_eq!((cost.value_as_string(0).as_str(), cost.is_null(1)), ("0.0550000000", true));
    /// assert_eq!(rated.faults[0].to_string(), "row 1, `site`: the project has no such site [batch.site_unknown]");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn batch(&self, calls: &RecordBatch) -> Result<RatedBatch, BatchError> {
        let columns = Columns::of(calls).map_err(BatchError::Columns)?;
        let mut sites = Sites::new(&self.project().directory);
        let mut answers = Answers::new(&self.names, calls.num_rows());
        let mut faults = Vec::new();
        for (row, index) in (0..).zip(0..calls.num_rows()) {
            let before = faults.len();
            let call = columns.call(index, &mut sites, &mut |column, reason| {
                faults.push(CallFault { row, column, reason });
            });
            match call.and_then(|call| self.checked(row, &call)) {
                Some(row) => answers.push(&row),
                None => answers.reject(faults.get(before).map_or(FaultReason::SiteUnknown, |first| first.reason)),
            }
        }
        Ok(RatedBatch { rows: answers.finish(self.is_before_allowances())?, faults })
    }
}

/// The columns of answers, being filled.
struct Answers<'n> {
    names: &'n Names,
    site: Int32Builder,
    payer: Int32Builder,
    charged_at: TimestampMillisecondBuilder,
    retail: SideColumns,
    wholesale: SideColumns,
}

impl<'n> Answers<'n> {
    fn new(names: &'n Names, rows: usize) -> Self {
        Self {
            names,
            site: Int32Builder::with_capacity(rows),
            payer: Int32Builder::with_capacity(rows),
            charged_at: TimestampMillisecondBuilder::with_capacity(rows),
            retail: SideColumns::new(rows),
            wholesale: SideColumns::new(rows),
        }
    }

    fn push(&mut self, row: &CallRow<'_>) {
        self.site.append_option(id(row.site.0));
        self.payer.append_option(row.payer.and_then(|payer| id(payer.0)));
        self.charged_at.append_value(row.charging_at.as_millis());
        self.retail.push(&row.retail, self.names);
        self.wholesale.push(&row.wholesale, self.names);
    }

    fn reject(&mut self, reason: FaultReason) {
        self.site.append_null();
        self.payer.append_null();
        self.charged_at.append_null();
        for side in [&mut self.retail, &mut self.wholesale] {
            side.push_none(REJECTED, self.names.reason(reason.code()));
        }
    }

    fn finish(mut self, before_allowances: bool) -> Result<RecordBatch, ArrowError> {
        let names = self.names;
        let mut columns = Table::default();
        columns.name("site", &mut self.site, &names.sites, true)?;
        columns.name("payer_id", &mut self.payer, &names.payers, true)?;
        columns.push("charged_at", Arc::new(self.charged_at.finish().with_timezone("UTC")), true);
        let cost = if before_allowances { "cost_before_allowances" } else { "cost" };
        self.retail.finish("", cost, "currency", names, &mut columns)?;
        self.wholesale.finish("wholesale_", "operator_amount", "operator_currency", names, &mut columns)?;
        let schema: SchemaRef = Arc::new(Schema::new(columns.fields));
        RecordBatch::try_new(schema, columns.arrays)
    }
}

fn id(id: u32) -> Option<i32> {
    i32::try_from(id).ok()
}

/// One side's columns, being filled.
struct SideColumns {
    status: Int32Builder,
    reason: Int32Builder,
    tariff: Int32Builder,
    destination: Int32Builder,
    band: Int32Builder,
    billed: Decimal128Builder,
    amount: Decimal128Builder,
    currency: Int32Builder,
}

/// Decimals of `billed_duration_s`.
const SECONDS: DataType = DataType::Decimal128(18, 3);
/// Ledger amounts.
const AMOUNT: DataType = DataType::Decimal128(38, LEDGER_SCALE as i8);

impl SideColumns {
    fn new(rows: usize) -> Self {
        let keys = || Int32Builder::with_capacity(rows);
        Self {
            status: keys(),
            reason: keys(),
            tariff: keys(),
            destination: keys(),
            band: keys(),
            billed: Decimal128Builder::with_capacity(rows).with_data_type(SECONDS),
            amount: Decimal128Builder::with_capacity(rows).with_data_type(AMOUNT),
            currency: keys(),
        }
    }

    fn push(&mut self, side: &Side, names: &Names) {
        match side.outcome {
            Outcome::Rated(priced) => {
                self.status.append_value(CHARGED);
                self.reason.append_null();
                self.destination.append_option(id(priced.destination.0));
                self.band.append_option(id(priced.band.0));
                self.billed.append_value(i128::from(priced.billed.as_millis()));
                self.amount.append_value(i128::from(priced.charge.units()));
            }
            Outcome::NotChargeable(code) => self.push_unpriced(NOT_CHARGEABLE, names.reason(code)),
            Outcome::Suspended(code) => self.push_unpriced(SUSPENDED, names.reason(code)),
        }
        self.tariff.append_option(side.tariff.and_then(|tariff| id(tariff.0)));
        self.currency.append_option(names.currency(side.currency));
    }

    fn push_unpriced(&mut self, status: i32, reason: Option<i32>) {
        self.status.append_value(status);
        self.reason.append_option(reason);
        self.destination.append_null();
        self.band.append_null();
        self.billed.append_null();
        self.amount.append_null();
    }

    fn push_none(&mut self, status: i32, reason: Option<i32>) {
        self.push_unpriced(status, reason);
        self.tariff.append_null();
        self.currency.append_null();
    }

    fn finish(
        mut self,
        prefix: &str,
        amount: &str,
        currency: &str,
        names: &Names,
        columns: &mut Table,
    ) -> Result<(), ArrowError> {
        let name = |name: &str| format!("{prefix}{name}");
        columns.name(&name("status"), &mut self.status, &names.status, false)?;
        columns.name(&name("reason"), &mut self.reason, &names.reasons, true)?;
        columns.name(&name("tariff"), &mut self.tariff, &names.tariffs, true)?;
        columns.name(&name("destination"), &mut self.destination, &names.destinations, true)?;
        columns.name(&name("band"), &mut self.band, &names.bands, true)?;
        columns.push(&name("billed_duration_s"), Arc::new(self.billed.finish()), true);
        columns.push(amount, Arc::new(self.amount.finish()), true);
        columns.name(currency, &mut self.currency, &names.currencies, true)
    }
}

/// Columns with their names and types.
#[derive(Default)]
struct Table {
    fields: Vec<Field>,
    arrays: Vec<ArrayRef>,
}

impl Table {
    fn name(
        &mut self,
        name: &str,
        keys: &mut Int32Builder,
        values: &ArrayRef,
        nullable: bool,
    ) -> Result<(), ArrowError> {
        let array: DictionaryArray<Int32Type> = DictionaryArray::try_new(keys.finish(), Arc::clone(values))?;
        self.push(name, Arc::new(array), nullable);
        Ok(())
    }

    fn push(&mut self, name: &str, array: ArrayRef, nullable: bool) {
        self.fields.push(Field::new(name, array.data_type().clone(), nullable));
        self.arrays.push(array);
    }
}
