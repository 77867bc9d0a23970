//! Pages and chunks of columns: headers, compression, and what the footer says of them.

use ::parquet::basic::{CompressionCodec, Encoding};
use ::parquet::data_type::{ByteArray, FixedLenByteArray};
use ::parquet::file::statistics::Statistics;

use super::Unfit;
use super::compress::{Contexts, Effort};
use super::packing::{write_varint, zigzag};
use crate::report::batch::Kind;

/// A least or greatest value.
#[derive(Clone, Debug)]
pub(super) enum Bound {
    None,
    Int64(i64),
    Fixed([u8; 16]),
    Text(Vec<u8>),
}

/// What was written into the pages of a column.
pub(super) struct Draft {
    /// Cells with a value.
    pub(super) values: usize,
    pub(super) encoding: Encoding,
    /// How many values the dictionary has, if there is one.
    pub(super) in_dictionary: Option<usize>,
    /// How it is worth compressing, if it is.
    pub(super) effort: Option<Effort>,
    pub(super) least: Bound,
    pub(super) most: Bound,
}

impl Draft {
    pub(super) const fn plain(values: usize, effort: Option<Effort>) -> Self {
        let (least, most) = (Bound::None, Bound::None);
        Self { values, encoding: Encoding::PLAIN, in_dictionary: None, effort, least, most }
    }
}

/// A column chunk as it lies in a row group's bytes.
pub(super) struct Chunk {
    pub(super) codec: CompressionCodec,
    pub(super) encoding: Encoding,
    pub(super) has_dictionary: bool,
    /// Where the data page begins, counted from the beginning of the chunk.
    pub(super) data_at: usize,
    pub(super) length: usize,
    pub(super) uncompressed: usize,
    pub(super) values: usize,
    pub(super) nulls: usize,
    least: Bound,
    most: Bound,
}

/// The pages of a column before they are compressed.
#[derive(Default)]
pub(super) struct Pages {
    pub(super) dictionary: Vec<u8>,
    /// Definition levels and values.
    pub(super) data: Vec<u8>,
    compressed: Vec<u8>,
}

enum Header {
    Dictionary { values: usize },
    Data { rows: usize, encoding: Encoding },
}

impl Pages {
    pub(super) fn clear(&mut self) {
        self.dictionary.clear();
        self.data.clear();
    }

    /// Writes the column's chunk of `rows` rows.
    pub(super) fn write(
        &mut self,
        draft: Draft,
        rows: usize,
        compress: bool,
        contexts: &mut Contexts,
        out: &mut Vec<u8>,
    ) -> Result<Chunk, Unfit> {
        let start = out.len();
        let mut effort = draft.effort.filter(|_| compress);
        let mut uncompressed = 0;
        if let Some(values) = draft.in_dictionary {
            // Values of a dictionary are alike, so that it pays to search.
            let searched = effort.map(|_| Effort::Search);
            uncompressed +=
                page(&Header::Dictionary { values }, &self.dictionary, searched, contexts, &mut self.compressed, out)?;
            effort = effort.map(|_| Effort::Try);
        }
        let data_at = out.len() - start;
        let header = Header::Data { rows, encoding: draft.encoding };
        uncompressed += page(&header, &self.data, effort, contexts, &mut self.compressed, out)?;
        Ok(Chunk {
            codec: if effort.is_some() { CompressionCodec::ZSTD } else { CompressionCodec::UNCOMPRESSED },
            encoding: draft.encoding,
            has_dictionary: draft.in_dictionary.is_some(),
            data_at,
            length: out.len() - start,
            uncompressed,
            values: rows,
            nulls: rows - draft.values,
            least: draft.least,
            most: draft.most,
        })
    }
}

/// Writes a page, and says how long it were if it was not compressed.
fn page(
    header: &Header,
    bytes: &[u8],
    effort: Option<Effort>,
    contexts: &mut Contexts,
    compressed: &mut Vec<u8>,
    out: &mut Vec<u8>,
) -> Result<usize, Unfit> {
    let body = match effort {
        Some(effort) => {
            compressed.clear();
            contexts.compress(bytes, effort, compressed).map_err(|_| Unfit)?;
            compressed.as_slice()
        }
        None => bytes,
    };
    let before = out.len();
    write_header(header, bytes.len(), body.len(), out)?;
    let header_length = out.len() - before;
    out.extend_from_slice(body);
    Ok(header_length + bytes.len())
}

/// A page header in Thrift's compact protocol (parquet.thrift, `PageHeader`): each field is a byte of the step from the
/// field before it and its type, then its value.
fn write_header(header: &Header, uncompressed: usize, compressed: usize, out: &mut Vec<u8>) -> Result<(), Unfit> {
    const INT: u8 = 0x05;
    const STRUCT: u8 = 0x0c;
    const END: u8 = 0;
    let int = |step: u8, value: usize, out: &mut Vec<u8>| -> Result<(), Unfit> {
        let value = i32::try_from(value).map_err(|_| Unfit)?;
        out.push(step << 4 | INT);
        write_varint(zigzag(i64::from(value)), out);
        Ok(())
    };
    let encoding = |encoding: Encoding| encoding as i32 as usize;
    let kind = if matches!(header, Header::Data { .. }) { 0 } else { 2 };
    int(1, kind, out)?;
    int(1, uncompressed, out)?;
    int(1, compressed, out)?;
    match header {
        Header::Data { rows, encoding: values } => {
            out.push(2 << 4 | STRUCT);
            int(1, *rows, out)?;
            int(1, encoding(*values), out)?;
            // Of definition and repetition levels.
            int(1, encoding(Encoding::RLE), out)?;
            int(1, encoding(Encoding::RLE), out)?;
        }
        Header::Dictionary { values } => {
            out.push(4 << 4 | STRUCT);
            int(1, *values, out)?;
            int(1, encoding(Encoding::PLAIN), out)?;
        }
    }
    out.extend_from_slice(&[END, END]);
    Ok(())
}

impl Chunk {
    /// Encodings of its pages and levels.
    pub(super) fn encodings(&self) -> Vec<Encoding> {
        let mut encodings = vec![Encoding::RLE, self.encoding];
        if self.has_dictionary {
            encodings.push(Encoding::PLAIN);
        }
        encodings
    }

    /// How many nulls it has and, where they are told, its least and greatest value.
    pub(super) fn statistics(&self, kind: Kind) -> Statistics {
        let nulls = Some(self.nulls as u64);
        let fixed = |bound: &Bound| match bound {
            Bound::Fixed(bytes) => Some(FixedLenByteArray::from(bytes.to_vec())),
            _ => None,
        };
        let int = |bound: &Bound| if let Bound::Int64(value) = bound { Some(*value) } else { None };
        let text = |bound: &Bound| match bound {
            Bound::Text(text) => Some(ByteArray::from(text.clone())),
            _ => None,
        };
        match kind {
            Kind::Text | Kind::Number => {
                Statistics::byte_array(text(&self.least), text(&self.most), None, nulls, false)
            }
            Kind::Amount | Kind::Price | Kind::Decimal => {
                Statistics::fixed_len_byte_array(fixed(&self.least), fixed(&self.most), None, nulls, false)
            }
            Kind::Integer | Kind::Seconds | Kind::Instant => {
                Statistics::int64(int(&self.least), int(&self.most), None, nulls, false)
            }
            Kind::Boolean => Statistics::boolean(None, None, None, nulls, false),
        }
    }
}
