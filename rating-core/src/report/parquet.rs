//! Parquet, from the same columns as CSV.
//!
//! A file is a run of row groups; a row group is encoded from one [`View`] by [`Encoder::encode`], a pure function that may
//! run on any thread, and appended by [`Writer::write`]. Bytes depend on the rows of each view, their order and this
//! crate's version, and on nothing else: there is no time stamp, and a dictionary holds only the values that occur, so a
//! payer's file shows nothing of others.
//!
//! Types: UTF-8 strings, `decimal(38, 10)` for money, `decimal(38, 12)` for prices, `decimal(18, 3)` for seconds,
//! `timestamp(ms, UTC)`, 64-bit integers, booleans. Compression is zstd level 1, none for small tables; no total rows.

use std::io::Write;
use std::sync::Arc;

use ::parquet::arrow::ArrowSchemaConverter;
use ::parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowRowGroupWriterFactory, compute_leaves};
use ::parquet::basic::{Compression, ZstdLevel};
use ::parquet::errors::ParquetError;
use ::parquet::file::properties::{EnabledStatistics, WriterProperties};
use ::parquet::file::writer::SerializedFileWriter;
use arrow::array::{
    ArrayRef, BooleanArray, Decimal128Array, DictionaryArray, Int64Array, StringArray, TimestampMillisecondArray,
    UInt32Array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Schema as ArrowSchema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;

use super::batch::{ColumnSpec, Kind, Schema, View};
use super::column::{Column, Heap, Nulls};
use crate::money::{LEDGER_SCALE, PRICE_SCALE};

/// What every file says it was made by; without a version number, so that an update alone changes no byte.
const CREATED_BY: &str = "rating-core";
const SECONDS_SCALE: i8 = 3;
/// A table with fewer rows is not compressed by [`write`]: making a zstd context for each of its columns costs more than the
/// disk space it saves, and a month has thousands of such tables.
const SMALL_TABLE_ROWS: usize = 1_024;

/// Why a table could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The rows are not of the writer's table.
    #[error("rows of table `{given}` offered to a file of `{expected}`")]
    OtherTable {
        /// The rows' table.
        given: &'static str,
        /// The file's.
        expected: &'static str,
    },
    /// The columns could not be laid out.
    #[error("columns do not fit Parquet's types")]
    Columns(#[from] ArrowError),
    /// The file could not be encoded or written.
    #[error("Parquet file could not be written")]
    File(#[from] ParquetError),
}

/// Encodes row groups of one table. Shared by threads.
pub struct Encoder {
    schema: Arc<Schema>,
    arrow: SchemaRef,
    compression: Compression,
    factory: ArrowRowGroupWriterFactory,
}

/// An encoded row group, ready to be appended.
pub struct RowGroup {
    columns: Vec<ArrowColumnChunk>,
    rows: usize,
    schema: Arc<Schema>,
}

impl Encoder {
    /// An encoder for tables of `schema`.
    ///
    /// # Errors
    ///
    /// [`WriteError::File`] if the schema has no Parquet form; none of this crate's does that.
    pub fn new(schema: &Arc<Schema>) -> Result<Self, WriteError> {
        Self::with(schema, zstd()?)
    }

    fn with(schema: &Arc<Schema>, compression: Compression) -> Result<Self, WriteError> {
        let arrow = arrow_schema(schema);
        let writer = file_writer(std::io::sink(), &arrow, compression)?;
        let factory = ArrowRowGroupWriterFactory::new(&writer, arrow.clone());
        Ok(Self { schema: schema.clone(), arrow, compression, factory })
    }

    /// The table's columns.
    #[must_use]
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// Encodes the rows of `view`, without its total rows, as one row group.
    ///
    /// # Errors
    ///
    /// [`WriteError::OtherTable`], or [`WriteError::Columns`] if a value does not fit its type.
    pub fn encode(&self, view: &View<'_>) -> Result<RowGroup, WriteError> {
        check_table(&view.schema, &self.schema)?;
        let mut columns = Vec::with_capacity(self.schema.columns.len());
        let writers = self.factory.create_column_writers(0)?;
        for ((field, column), mut writer) in self.arrow.fields().iter().zip(view.columns()).zip(writers) {
            let array = to_array(column, view.detail.clone())?;
            for leaf in compute_leaves(field, &array)? {
                writer.write(&leaf)?;
            }
            columns.push(writer.close()?);
        }
        Ok(RowGroup { columns, rows: view.rows(), schema: self.schema.clone() })
    }
}

/// Writes one Parquet file, row group by row group.
pub struct Writer<W: Write + Send> {
    file: SerializedFileWriter<W>,
    schema: Arc<Schema>,
}

impl<W: Write + Send> Writer<W> {
    /// Begins a file in `sink` for what `encoder` encodes.
    ///
    /// # Errors
    ///
    /// [`WriteError::File`] if `sink` fails.
    pub fn new(encoder: &Encoder, sink: W) -> Result<Self, WriteError> {
        Ok(Self { file: file_writer(sink, &encoder.arrow, encoder.compression)?, schema: encoder.schema.clone() })
    }

    /// Appends a row group; one without rows is left out.
    ///
    /// # Errors
    ///
    /// [`WriteError::OtherTable`], or [`WriteError::File`] if the sink fails.
    pub fn write(&mut self, rows: RowGroup) -> Result<(), WriteError> {
        check_table(&rows.schema, &self.schema)?;
        if rows.rows == 0 {
            return Ok(());
        }
        let mut group = self.file.next_row_group()?;
        for column in rows.columns {
            column.append_to_row_group(&mut group)?;
        }
        group.close()?;
        Ok(())
    }

    /// Ends the file and gives the sink back.
    ///
    /// # Errors
    ///
    /// [`WriteError::File`] if the sink fails.
    pub fn finish(self) -> Result<W, WriteError> {
        Ok(self.file.into_inner()?)
    }
}

/// Writes a whole table, not compressed if it is small, in row groups of [`ROW_GROUP_ROWS`](super::ROW_GROUP_ROWS).
///
/// # Errors
///
/// [`WriteError`].
pub fn write<W: Write + Send>(view: &View<'_>, sink: W) -> Result<W, WriteError> {
    let compression = if view.rows() < SMALL_TABLE_ROWS { Compression::UNCOMPRESSED } else { zstd()? };
    let encoder = Encoder::with(&view.schema, compression)?;
    let mut writer = Writer::new(&encoder, sink)?;
    for start in view.detail.clone().step_by(super::ROW_GROUP_ROWS) {
        let end = view.detail.end.min(start + super::ROW_GROUP_ROWS);
        writer.write(encoder.encode(&View { detail: start..end, ..view.clone() })?)?;
    }
    writer.finish()
}

fn check_table(given: &Arc<Schema>, expected: &Arc<Schema>) -> Result<(), WriteError> {
    if Arc::ptr_eq(given, expected) || given == expected {
        return Ok(());
    }
    Err(WriteError::OtherTable { given: given.name, expected: expected.name })
}

fn zstd() -> Result<Compression, WriteError> {
    Ok(Compression::ZSTD(ZstdLevel::try_new(1)?))
}

fn file_writer<W: Write + Send>(
    sink: W,
    arrow: &SchemaRef,
    compression: Compression,
) -> Result<SerializedFileWriter<W>, WriteError> {
    let properties = WriterProperties::builder()
        .set_created_by(CREATED_BY.to_owned())
        .set_compression(compression)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .build();
    let parquet = ArrowSchemaConverter::new().schema_root("rows").convert(arrow)?;
    Ok(SerializedFileWriter::new(sink, parquet.root_schema_ptr(), Arc::new(properties))?)
}

fn arrow_schema(schema: &Schema) -> SchemaRef {
    let field = |spec: &ColumnSpec| Field::new(spec.name, data_type(spec.kind), !spec.required);
    Arc::new(ArrowSchema::new(schema.columns.iter().map(field).collect::<Vec<_>>()))
}

/// Names are text to a reader; that they come as dictionaries shows in the encoding only.
fn data_type(kind: Kind) -> DataType {
    match kind {
        Kind::Text | Kind::Number => DataType::Utf8,
        Kind::Integer => DataType::Int64,
        Kind::Amount => DataType::Decimal128(38, LEDGER_SCALE as i8),
        Kind::Price | Kind::Decimal => DataType::Decimal128(38, PRICE_SCALE as i8),
        Kind::Seconds => DataType::Decimal128(18, SECONDS_SCALE),
        Kind::Instant => DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())),
        Kind::Boolean => DataType::Boolean,
    }
}

type Rows = std::ops::Range<usize>;

fn to_array(column: &Column, rows: Rows) -> Result<ArrayRef, WriteError> {
    let decimals = |values: &super::column::Values<i128>, precision, scale| -> Result<ArrayRef, WriteError> {
        let cells = cells(&values.values, &rows)?.to_vec();
        let array = Decimal128Array::try_new(cells.into(), nulls(&values.nulls, &rows)?)?;
        let array = array.with_precision_and_scale(precision, scale)?;
        array.validate_decimal_precision(precision)?;
        Ok(Arc::new(array))
    };
    Ok(match column {
        Column::Text(heap) | Column::Number(heap) => Arc::new(strings(heap, &rows)?),
        Column::Name(ids, dictionary) => {
            let keys = UInt32Array::try_new(cells(&ids.values, &rows)?.to_vec().into(), nulls(&ids.nulls, &rows)?)?;
            Arc::new(DictionaryArray::try_new(keys, dictionary.array())?)
        }
        Column::Integer(values) => {
            let cells = cells(&values.values, &rows)?.to_vec();
            Arc::new(Int64Array::try_new(cells.into(), nulls(&values.nulls, &rows)?)?)
        }
        Column::Amount(values) => decimals(values, 38, LEDGER_SCALE as i8)?,
        Column::Price(values) | Column::Decimal(values) => decimals(values, 38, PRICE_SCALE as i8)?,
        Column::Seconds(values) => decimals(values, 18, SECONDS_SCALE)?,
        Column::Instant(values) => {
            let cells = cells(&values.values, &rows)?.to_vec();
            let array = TimestampMillisecondArray::try_new(cells.into(), nulls(&values.nulls, &rows)?)?;
            Arc::new(array.with_timezone("UTC"))
        }
        Column::Boolean(values) => {
            let cells = cells(&values.values, &rows)?.to_vec();
            Arc::new(BooleanArray::new(cells.into(), nulls(&values.nulls, &rows)?))
        }
    })
}

fn cells<'v, T>(values: &'v [T], rows: &Rows) -> Result<&'v [T], ArrowError> {
    values.get(rows.clone()).ok_or_else(|| ArrowError::InvalidArgumentError("rows beyond the table".to_owned()))
}

fn nulls(nulls: &Nulls, rows: &Rows) -> Result<Option<NullBuffer>, ArrowError> {
    nulls.valid().map(|valid| Ok(NullBuffer::from(cells(valid, rows)?))).transpose()
}

fn strings(heap: &Heap, rows: &Rows) -> Result<StringArray, WriteError> {
    let ends = cells(&heap.ends, &(rows.start..rows.end + 1))?;
    let (first, last) = (ends.first().copied().unwrap_or(0), ends.last().copied().unwrap_or(0));
    let bytes = cells(&heap.bytes, &(first..last))?.to_vec();
    let too_long = || ArrowError::OffsetOverflowError(last - first);
    let offsets: Vec<i32> =
        ends.iter().map(|end| i32::try_from(end - first).map_err(|_| too_long())).collect::<Result<_, _>>()?;
    Ok(StringArray::try_new(OffsetBuffer::new(offsets.into()), bytes.into(), nulls(&heap.nulls, rows)?)?)
}
