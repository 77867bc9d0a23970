//! A site's itemised calls read back, as they were published.

use crate::money::{Charge, Price};
use crate::time::{Duration, Instant};

/// What one side of a call came to, in a published version. `T` is text, or what stands for it; the default of `T` stands
/// for an empty cell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PublishedSide<T> {
    /// `charged`, `not chargeable` or `suspended`.
    pub status: T,
    /// The stable code of the latter two.
    pub reason: T,
    /// The tariff that decided.
    pub tariff: T,
    /// Which of its versions, from 0.
    pub version: Option<i64>,
    /// Report name of the destination.
    pub destination: T,
    /// The time band.
    pub band: T,
    /// The usage price.
    pub rate: Option<Price>,
    /// The time that it is for.
    pub per: Option<Duration>,
    /// The connection charge.
    pub connection: Option<Price>,
    /// Duration after minimum and increments.
    pub billed: Option<Duration>,
    /// What is charged.
    pub charge: Option<Charge>,
    /// In this currency.
    pub currency: T,
}

/// A call, in a published version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PublishedCall<T> {
    /// What identifies the record for a person.
    pub call_id: T,
    /// The site that reports it.
    pub site: T,
    /// Id of who pays.
    pub payer: T,
    /// Set-up.
    pub started_at: Option<Instant>,
    /// The instant that decides holder, band, version and month.
    pub charged_at: Option<Instant>,
    /// The extension it is reported under.
    pub extension: T,
    /// The number that its holder held.
    pub number: T,
    /// Who called.
    pub calling: T,
    /// The digits keyed.
    pub dialled: T,
    /// Who was called.
    pub called: T,
    /// Who sent the call on.
    pub forwarder: T,
    /// Class of the called number.
    pub class: T,
    /// Which way it went.
    pub direction: T,
    /// Whether it was answered.
    pub answered: bool,
    /// Talk time.
    pub duration: Duration,
    /// Time taken from allowances.
    pub allowance: Option<Duration>,
    /// VAT of the call.
    pub vat: Option<Charge>,
    /// The closed month that the row corrects.
    pub adjusts_month: T,
    /// Things worth a look.
    pub flags: T,
    /// What the payer is charged.
    pub retail: PublishedSide<T>,
    /// What the carrier charges the operator.
    pub wholesale: PublishedSide<T>,
    /// The source of its record.
    pub source: T,
    /// The file of its record.
    pub file: T,
    /// Where its record begins, in bytes of the unpacked file.
    pub offset: u64,
}

impl<T> PublishedSide<T> {
    fn map<U>(self, to: &mut dyn FnMut(T) -> U) -> PublishedSide<U> {
        PublishedSide {
            status: to(self.status),
            reason: to(self.reason),
            tariff: to(self.tariff),
            version: self.version,
            destination: to(self.destination),
            band: to(self.band),
            rate: self.rate,
            per: self.per,
            connection: self.connection,
            billed: self.billed,
            charge: self.charge,
            currency: to(self.currency),
        }
    }
}

impl<T> PublishedCall<T> {
    /// The same with other texts, such as ids in their place.
    pub fn map<U>(self, to: &mut dyn FnMut(T) -> U) -> PublishedCall<U> {
        PublishedCall {
            call_id: to(self.call_id),
            site: to(self.site),
            payer: to(self.payer),
            started_at: self.started_at,
            charged_at: self.charged_at,
            extension: to(self.extension),
            number: to(self.number),
            calling: to(self.calling),
            dialled: to(self.dialled),
            called: to(self.called),
            forwarder: to(self.forwarder),
            class: to(self.class),
            direction: to(self.direction),
            answered: self.answered,
            duration: self.duration,
            allowance: self.allowance,
            vat: self.vat,
            adjusts_month: to(self.adjusts_month),
            flags: to(self.flags),
            retail: self.retail.map(to),
            wholesale: self.wholesale.map(to),
            source: to(self.source),
            file: to(self.file),
            offset: self.offset,
        }
    }
}

/// Why a published table cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The library was built without Parquet.
    #[error("this program was built without Parquet, and cannot read it")]
    NotBuilt,
    /// It is no such table.
    #[error("it is no table of itemised calls: {0}")]
    NoTable(String),
}

/// Shows every call of a site's `itemised.parquet` to `visit`, in the order of the file.
///
/// # Errors
///
/// [`ReadError`] if the bytes are no such file.
#[cfg(not(feature = "parquet"))]
pub fn read_calls(_: Vec<u8>, _: &mut dyn FnMut(&PublishedCall<&str>)) -> Result<(), ReadError> {
    Err(ReadError::NotBuilt)
}

#[cfg(feature = "parquet")]
pub use with_parquet::read_calls;

#[cfg(feature = "parquet")]
mod with_parquet {
    use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    use arrow::array::{
        Array, BooleanArray, Decimal128Array, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray,
    };

    use super::{PublishedCall, PublishedSide, ReadError};
    use crate::money::{Charge, LEDGER_SCALE, PRICE_SCALE, Price};
    use crate::time::{Duration, Instant};

    /// Rows that are decoded together.
    const BATCH_ROWS: usize = 8_192;

    fn no_table(what: impl std::fmt::Display) -> ReadError {
        ReadError::NoTable(what.to_string())
    }

    fn column<'b, T: 'static>(batch: &'b RecordBatch, name: &str) -> Result<&'b T, ReadError> {
        let column = batch.column_by_name(name).ok_or_else(|| no_table(format_args!("it has no column `{name}`")))?;
        column.as_any().downcast_ref::<T>().ok_or_else(|| no_table(format_args!("column `{name}` is of another type")))
    }

    fn decimals<'b>(batch: &'b RecordBatch, name: &str, scale: u32) -> Result<&'b Decimal128Array, ReadError> {
        let column: &Decimal128Array = column(batch, name)?;
        if i64::from(column.scale()) == i64::from(scale) {
            return Ok(column);
        }
        Err(no_table(format_args!("column `{name}` has another scale")))
    }

    fn text(column: &StringArray, row: usize) -> &str {
        if column.is_null(row) { "" } else { column.value(row) }
    }

    fn units(column: &Decimal128Array, row: usize) -> Result<Option<i64>, ReadError> {
        if column.is_null(row) {
            return Ok(None);
        }
        i64::try_from(column.value(row)).map(Some).map_err(|_| no_table("an amount is out of range"))
    }

    struct Side<'b> {
        status: &'b StringArray,
        reason: &'b StringArray,
        tariff: &'b StringArray,
        version: &'b Int64Array,
        destination: &'b StringArray,
        band: &'b StringArray,
        rate: &'b Decimal128Array,
        per: &'b Decimal128Array,
        connection: &'b Decimal128Array,
        billed: &'b Decimal128Array,
        charge: &'b Decimal128Array,
        currency: &'b StringArray,
    }

    impl<'b> Side<'b> {
        fn of(batch: &'b RecordBatch, prefix: &str, charge: &str, currency: &str) -> Result<Self, ReadError> {
            let name = |name: &str| format!("{prefix}{name}");
            Ok(Self {
                status: column(batch, &name("status"))?,
                reason: column(batch, &name("reason"))?,
                tariff: column(batch, &name("tariff"))?,
                version: column(batch, &name("tariff_version"))?,
                destination: column(batch, &name("destination"))?,
                band: column(batch, &name("band"))?,
                rate: decimals(batch, &name("rate"), PRICE_SCALE)?,
                per: decimals(batch, &name("rate_per_s"), 3)?,
                connection: decimals(batch, &name("connection_charge"), PRICE_SCALE)?,
                billed: decimals(batch, &name("billed_duration_s"), 3)?,
                charge: decimals(batch, charge, LEDGER_SCALE)?,
                currency: column(batch, currency)?,
            })
        }

        fn at(&self, row: usize) -> Result<PublishedSide<&'b str>, ReadError> {
            Ok(PublishedSide {
                status: text(self.status, row),
                reason: text(self.reason, row),
                tariff: text(self.tariff, row),
                version: self.version.is_valid(row).then(|| self.version.value(row)),
                destination: text(self.destination, row),
                band: text(self.band, row),
                rate: units(self.rate, row)?.map(Price::from_units),
                per: units(self.per, row)?.map(Duration::from_millis),
                connection: units(self.connection, row)?.map(Price::from_units),
                billed: units(self.billed, row)?.map(Duration::from_millis),
                charge: units(self.charge, row)?.map(Charge::from_units),
                currency: text(self.currency, row),
            })
        }
    }

    /// Shows every call of a site's `itemised.parquet` to `visit`, in the order of the file.
    ///
    /// # Errors
    ///
    /// [`ReadError`] if the bytes are no such file.
    pub fn read_calls(bytes: Vec<u8>, visit: &mut dyn FnMut(&PublishedCall<&str>)) -> Result<(), ReadError> {
        let reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes)).map_err(no_table)?;
        for batch in reader.with_batch_size(BATCH_ROWS).build().map_err(no_table)? {
            read_batch(&batch.map_err(no_table)?, visit)?;
        }
        Ok(())
    }

    fn read_batch(batch: &RecordBatch, visit: &mut dyn FnMut(&PublishedCall<&str>)) -> Result<(), ReadError> {
        let texts = |name| column::<StringArray>(batch, name);
        let instants = |name| column::<TimestampMillisecondArray>(batch, name);
        let (call_id, site, payer) = (texts("call_id")?, texts("site")?, texts("payer_id")?);
        let (started_at, charged_at) = (instants("started_at")?, instants("charged_at")?);
        let (extension, number, calling) = (texts("extension")?, texts("number")?, texts("calling")?);
        let (dialled, called, forwarder) = (texts("dialled")?, texts("called")?, texts("forwarder")?);
        let (class, direction) = (texts("class")?, texts("direction")?);
        let answered: &BooleanArray = column(batch, "answered")?;
        let (duration, allowance) = (decimals(batch, "duration_s", 3)?, decimals(batch, "allowance_taken_s", 3)?);
        let vat = decimals(batch, "vat", LEDGER_SCALE)?;
        let (adjusts_month, flags) = (texts("adjusts_month")?, texts("flags")?);
        let (source, file) = (texts("source")?, texts("file")?);
        let offset: &Int64Array = column(batch, "record_offset")?;
        let retail = Side::of(batch, "", "cost", "currency")?;
        let wholesale = Side::of(batch, "wholesale_", "operator_amount", "operator_currency")?;
        let instant = |column: &TimestampMillisecondArray, row| {
            column.is_valid(row).then(|| Instant::from_millis(column.value(row)))
        };
        for row in 0..batch.num_rows() {
            visit(&PublishedCall {
                call_id: text(call_id, row),
                site: text(site, row),
                payer: text(payer, row),
                started_at: instant(started_at, row),
                charged_at: instant(charged_at, row),
                extension: text(extension, row),
                number: text(number, row),
                calling: text(calling, row),
                dialled: text(dialled, row),
                called: text(called, row),
                forwarder: text(forwarder, row),
                class: text(class, row),
                direction: text(direction, row),
                answered: answered.is_valid(row) && answered.value(row),
                duration: Duration::from_millis(units(duration, row)?.unwrap_or(0)),
                allowance: units(allowance, row)?.map(Duration::from_millis),
                vat: units(vat, row)?.map(Charge::from_units),
                adjusts_month: text(adjusts_month, row),
                flags: text(flags, row),
                retail: retail.at(row)?,
                wholesale: wholesale.at(row)?,
                source: text(source, row),
                file: text(file, row),
                offset: u64::try_from(offset.value(row)).map_err(|_| no_table("an offset is negative"))?,
            });
        }
        Ok(())
    }
}
