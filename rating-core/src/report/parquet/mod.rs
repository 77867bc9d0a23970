//! Parquet, from the same columns as CSV.
//!
//! A file is a run of row groups; a row group is encoded from one [`View`] by [`Encoder::encode`], a pure function that may
//! run on any thread, and appended by [`Writer::write`]. Bytes depend on the rows of each view, their order and this
//! crate's version, and on nothing else: there is no time stamp, and a dictionary holds only the values that occur, so a
//! payer's file shows nothing of others.
//!
//! Types: UTF-8 strings, `decimal(38, 10)` for money, `decimal(38, 12)` for prices, `decimal(18, 3)` for seconds,
//! `timestamp(ms, UTC)`, 64-bit integers, booleans. Compression is zstd level 1, none for small tables; no total rows.

mod compress;
mod distinct;
mod encode;
mod packing;
mod pages;
mod rows;

use std::cell::RefCell;
use std::io::Write;
use std::sync::Arc;

use ::parquet::basic::{LogicalType, Repetition, TimeUnit, Type as Physical};
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::{
    ColumnChunkMetaData, FileMetaData, ParquetMetaData, ParquetMetaDataWriter, RowGroupMetaData,
};
use ::parquet::schema::types::{SchemaDescriptor, Type};

use self::encode::{Rows, Scratch};
use self::pages::Chunk;
use super::batch::{ColumnSpec, Kind, Schema, View};
use crate::money::{LEDGER_SCALE, PRICE_SCALE};

pub use rows::read_rows;

/// What every file says it was made by; without a version number, so that an update alone changes no byte.
const CREATED_BY: &str = "rating-core";
const MAGIC: &[u8] = b"PAR1";
const SECONDS_SCALE: u32 = 3;
/// A table with fewer rows is not compressed by [`write`]: a month has thousands of such tables.
const SMALL_TABLE_ROWS: usize = 1_024;

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
    /// Encoders of whole tables that were made before: a month has thousands of tables of a handful of kinds.
    static ENCODERS: RefCell<Vec<Arc<Encoder>>> = RefCell::default();
}

/// A value that its column's type does not hold.
struct Unfit;

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
    /// A value is beyond what the type of its column holds.
    #[error("a value of column `{0}` does not fit its Parquet type")]
    Columns(&'static str),
    /// The file could not be encoded or written.
    #[error("Parquet file could not be written")]
    File(#[from] ParquetError),
    /// The sink failed.
    #[error("Parquet file could not be written")]
    Sink(#[from] std::io::Error),
}

/// Encodes row groups of one table. Shared by threads.
pub struct Encoder {
    schema: Arc<Schema>,
    parquet: Arc<SchemaDescriptor>,
    compress: bool,
}

/// An encoded row group, ready to be appended.
pub struct RowGroup {
    bytes: Vec<u8>,
    chunks: Vec<Chunk>,
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
        Self::with(schema, true)
    }

    fn with(schema: &Arc<Schema>, compress: bool) -> Result<Self, WriteError> {
        let fields = schema.columns.iter().map(|spec| Ok(Arc::new(parquet_type(spec)?)));
        let fields = fields.collect::<Result<Vec<_>, ParquetError>>()?;
        let root = Type::group_type_builder("rows").with_fields(fields).build()?;
        Ok(Self { schema: schema.clone(), parquet: Arc::new(SchemaDescriptor::new(Arc::new(root))), compress })
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
        let rows = view.rows();
        let of = Rows { codes: &view.batch.codes, rows: view.detail.clone(), compress: self.compress };
        let mut bytes = Vec::with_capacity(rows * self.schema.columns.len() * 2);
        let chunks = SCRATCH.with_borrow_mut(|scratch| {
            scratch.begin();
            let columns = self.schema.columns.iter().zip(view.columns());
            let chunks = columns.map(|(spec, column)| {
                scratch.encode(spec, column, &of, &mut bytes).map_err(|Unfit| WriteError::Columns(spec.name))
            });
            chunks.collect::<Result<Vec<_>, _>>()
        })?;
        Ok(RowGroup { bytes, chunks, rows, schema: self.schema.clone() })
    }
}

/// Writes one Parquet file, row group by row group.
pub struct Writer<W: Write + Send> {
    sink: W,
    /// Bytes written.
    at: usize,
    schema: Arc<Schema>,
    parquet: Arc<SchemaDescriptor>,
    row_groups: Vec<RowGroupMetaData>,
}

impl<W: Write + Send> Writer<W> {
    /// Begins a file in `sink` for what `encoder` encodes.
    ///
    /// # Errors
    ///
    /// [`WriteError::Sink`] if `sink` fails.
    pub fn new(encoder: &Encoder, mut sink: W) -> Result<Self, WriteError> {
        sink.write_all(MAGIC)?;
        let (schema, parquet) = (encoder.schema.clone(), encoder.parquet.clone());
        Ok(Self { sink, at: MAGIC.len(), schema, parquet, row_groups: Vec::new() })
    }

    /// Appends a row group; one without rows is left out.
    ///
    /// # Errors
    ///
    /// [`WriteError::OtherTable`], or [`WriteError::Sink`] if the sink fails.
    pub fn write(&mut self, rows: RowGroup) -> Result<(), WriteError> {
        check_table(&rows.schema, &self.schema)?;
        if rows.rows == 0 {
            return Ok(());
        }
        self.sink.write_all(&rows.bytes)?;
        let mut group = RowGroupMetaData::builder(self.parquet.clone())
            .set_num_rows(rows.rows as i64)
            .set_file_offset(self.at as i64)
            .set_total_byte_size(rows.chunks.iter().map(|chunk| chunk.uncompressed as i64).sum());
        if let Ok(ordinal) = i16::try_from(self.row_groups.len()) {
            group = group.set_ordinal(ordinal);
        }
        let mut at = self.at;
        let specs = self.schema.columns.iter().zip(self.parquet.columns());
        for (chunk, (spec, column)) in rows.chunks.iter().zip(specs) {
            let meta = ColumnChunkMetaData::builder(column.clone())
                .set_compression_codec(chunk.codec)
                .set_encodings(chunk.encodings())
                .set_num_values(chunk.values as i64)
                .set_total_compressed_size(chunk.length as i64)
                .set_total_uncompressed_size(chunk.uncompressed as i64)
                .set_dictionary_page_offset(chunk.has_dictionary.then_some(at as i64))
                .set_data_page_offset((at + chunk.data_at) as i64)
                .set_statistics(chunk.statistics(spec.kind));
            group = group.add_column_metadata(meta.build()?);
            at += chunk.length;
        }
        self.row_groups.push(group.build()?);
        self.at = at;
        Ok(())
    }

    /// Ends the file and gives the sink back.
    ///
    /// # Errors
    ///
    /// [`WriteError::Sink`] if the sink fails.
    pub fn finish(mut self) -> Result<W, WriteError> {
        /// Of the format; since the second, files may have the encodings used here.
        const FORMAT: i32 = 2;
        let rows = self.row_groups.iter().map(RowGroupMetaData::num_rows).sum();
        let file = FileMetaData::new(FORMAT, rows, Some(CREATED_BY.to_owned()), None, self.parquet, None);
        let metadata = ParquetMetaData::new(file, self.row_groups);
        let mut footer = Vec::new();
        ParquetMetaDataWriter::new(&mut footer, &metadata).finish()?;
        self.sink.write_all(&footer)?;
        Ok(self.sink)
    }
}

/// Writes a whole table, not compressed if it is small, in row groups of [`ROW_GROUP_ROWS`](super::ROW_GROUP_ROWS).
///
/// # Errors
///
/// [`WriteError`].
pub fn write<W: Write + Send>(view: &View<'_>, sink: W) -> Result<W, WriteError> {
    let encoder = known(&view.schema, view.rows() >= SMALL_TABLE_ROWS)?;
    let mut writer = Writer::new(&encoder, sink)?;
    for start in view.detail.clone().step_by(super::ROW_GROUP_ROWS) {
        let end = view.detail.end.min(start + super::ROW_GROUP_ROWS);
        writer.write(encoder.encode(&View { detail: start..end, ..view.clone() })?)?;
    }
    writer.finish()
}

/// The thread's encoder of whole tables of `schema`.
fn known(schema: &Arc<Schema>, compress: bool) -> Result<Arc<Encoder>, WriteError> {
    let same = |known: &&Arc<Encoder>| Arc::ptr_eq(&known.schema, schema) && known.compress == compress;
    let known = ENCODERS.with_borrow(|all| all.iter().find(same).cloned());
    known.map_or_else(
        || {
            let fresh = Arc::new(Encoder::with(schema, compress)?);
            ENCODERS.with_borrow_mut(|all| all.push(Arc::clone(&fresh)));
            Ok(fresh)
        },
        Ok,
    )
}

fn check_table(given: &Arc<Schema>, expected: &Arc<Schema>) -> Result<(), WriteError> {
    if Arc::ptr_eq(given, expected) || given == expected {
        return Ok(());
    }
    Err(WriteError::OtherTable { given: given.name, expected: expected.name })
}

fn parquet_type(spec: &ColumnSpec) -> Result<Type, ParquetError> {
    let repetition = if spec.required { Repetition::REQUIRED } else { Repetition::OPTIONAL };
    let builder = |physical| Type::primitive_type_builder(spec.name, physical).with_repetition(repetition);
    let decimal = |physical, precision: i32, scale: u32| {
        let scale = scale as i32;
        builder(physical)
            .with_logical_type(Some(LogicalType::decimal(scale, precision)))
            .with_precision(precision)
            .with_scale(scale)
    };
    let money = |scale| decimal(Physical::FIXED_LEN_BYTE_ARRAY, 38, scale).with_length(16);
    match spec.kind {
        Kind::Text | Kind::Number => builder(Physical::BYTE_ARRAY).with_logical_type(Some(LogicalType::String)),
        Kind::Integer => builder(Physical::INT64),
        Kind::Amount => money(LEDGER_SCALE),
        Kind::Price | Kind::Decimal => money(PRICE_SCALE),
        Kind::Seconds => decimal(Physical::INT64, 18, SECONDS_SCALE),
        Kind::Instant => {
            builder(Physical::INT64).with_logical_type(Some(LogicalType::timestamp(true, TimeUnit::MILLIS)))
        }
        Kind::Boolean => builder(Physical::BOOLEAN),
    }
    .build()
}
