//! Where a record came from: source, file, record number, byte offset.

use std::fmt;

/// A record's place in the canonical order of a run: inputs by source, then natural file name, then position.
///
/// Packed into one word (file index in the high 20 bits, byte offset of the record in the uncompressed file in the low
/// 44), so the order of the words is the canonical order whatever order files were read in.
///
/// # Example
///
/// ```
/// use rating_core::source::RecordId;
/// let id = RecordId::new(3, 1_000_000).unwrap();
/// assert_eq!((id.file(), id.offset()), (3, 1_000_000));
/// assert!(id < RecordId::new(4, 0).unwrap());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordId(u64);

impl RecordId {
    const OFFSET_BITS: u32 = 44;
    /// The most input files one run can have: 1,048,576.
    pub const MAX_FILES: u32 = 1 << 20;
    /// The largest offset inside one uncompressed input: 16 TiB.
    pub const MAX_OFFSET: u64 = (1 << Self::OFFSET_BITS) - 1;

    /// Packs a file index (in canonical order) and a byte offset; `None` beyond the limits.
    #[must_use]
    #[inline]
    pub const fn new(file: u32, offset: u64) -> Option<Self> {
        if file >= Self::MAX_FILES || offset > Self::MAX_OFFSET {
            return None;
        }
        Some(Self(((file as u64) << Self::OFFSET_BITS) | offset))
    }

    /// Index of the input file in the canonical order.
    #[must_use]
    #[inline]
    pub const fn file(self) -> u32 {
        (self.0 >> Self::OFFSET_BITS) as u32
    }

    /// Byte offset of the record's first byte in the uncompressed file.
    #[must_use]
    #[inline]
    pub const fn offset(self) -> u64 {
        self.0 & Self::MAX_OFFSET
    }

    /// The packed word, for storage.
    #[must_use]
    pub const fn to_bits(self) -> u64 {
        self.0
    }

    /// The inverse of [`RecordId::to_bits`].
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }
}

impl fmt::Debug for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.file(), self.offset())
    }
}

/// Compares names as a person sorts them: runs of digits by value, so `cdr_9` comes before `cdr_10`.
///
/// Ties by value (`01`, `1`) fall back to plain text order, so two different names are never equal.
///
/// # Example
///
/// ```
/// use rating_core::source::natural_order;
/// let mut names = ["cdr_10.csv", "cdr_9.csv", "cdr_09.csv"];
/// names.sort_by(|a, b| natural_order(a, b));
/// assert_eq!(names, ["cdr_09.csv", "cdr_9.csv", "cdr_10.csv"]);
/// ```
#[must_use]
pub fn natural_order(left: &str, right: &str) -> std::cmp::Ordering {
    let (mut a, mut b) = (left.as_bytes(), right.as_bytes());
    loop {
        match (a.first(), b.first()) {
            (None, None) => return left.cmp(right),
            (None, Some(_)) => return std::cmp::Ordering::Less,
            (Some(_), None) => return std::cmp::Ordering::Greater,
            (Some(x), Some(y)) if x.is_ascii_digit() && y.is_ascii_digit() => {
                let (run_a, rest_a) = digit_run(a);
                let (run_b, rest_b) = digit_run(b);
                let order = run_a.len().cmp(&run_b.len()).then_with(|| run_a.cmp(run_b));
                if order.is_ne() {
                    return order;
                }
                (a, b) = (rest_a, rest_b);
            }
            (Some(x), Some(y)) => {
                if x != y {
                    return x.cmp(y);
                }
                (a, b) = (&a[1..], &b[1..]);
            }
        }
    }
}

/// Splits off the leading digits, without their leading zeros, and the rest.
fn digit_run(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let zeros = text[..end].iter().take_while(|byte| **byte == b'0').count();
    (&text[zeros..end], &text[end..])
}
