//! Cells to column chunks: which encoding a column gets, and its pages.
//!
//! | cells | encoding |
//! | --- | --- |
//! | names, words; anything that rows share | dictionary of the values that occur, numbers packed |
//! | instants, and integers that hardly repeat | packed differences |
//! | texts and numbers that hardly repeat | what each shares with the one before it, and the rest; compressed |
//! | amounts that hardly repeat | sixteen bytes each; compressed |
//! | a handful of rows | as they are |

use std::ops::Range;

use ::parquet::basic::Encoding;

use super::Unfit;
use super::compress::{Contexts, Effort};
use super::distinct::Distinct;
use super::packing::{width_of, write_bits, write_delta, write_hybrid, write_levels, write_run, write_texts};
use super::pages::{self, Chunk, Pages};
use crate::report::batch::{ColumnSpec, Kind};
use crate::report::cells::{Cells, Column, NO_NAME, NUMBER_BYTES, Packed, as_digits};
use crate::report::codes::mix;

/// A table with fewer rows is written as it is: no page of it is worth a dictionary.
const FEW_ROWS: usize = 32;
/// How many rows tell whether values repeat.
const SAMPLE: usize = 1_024;
/// A dictionary page of fewer bytes is not compressed.
const SMALL_PAGE: usize = 512;
/// Longer texts are not written as least and greatest value.
const LONGEST_BOUND: usize = 64;

/// Buffers of a thread, filled anew for each column.
#[derive(Default)]
pub(super) struct Scratch {
    lists: Vec<List>,
    distinct: Distinct,
    /// For each code that occurs, the number of its value.
    numbers: Vec<u32>,
    /// Whether each code that occurs stands for a null.
    nulls: Vec<bool>,
    /// What is packed.
    ids: Vec<u32>,
    /// Cells that have a value.
    cells: Vec<u32>,
    /// The rows that `cells` are, if they are just these, one after the other: nearly every column has a value in each row.
    whole: Option<Range<usize>>,
    /// How many rows there are.
    count: usize,
    units: Vec<i64>,
    text: Vec<u8>,
    ends: Vec<usize>,
    lengths: [Vec<i64>; 2],
    /// Which rows have a value, unless all have.
    valid: Vec<bool>,
    pages: Pages,
    pub(super) contexts: Contexts,
}

/// The codes of some rows, renumbered in the order in which they occur there.
#[derive(Default)]
struct List {
    known: bool,
    /// The code behind each number.
    order: Vec<u32>,
    /// The number of each row's code.
    rows: Vec<u32>,
    /// Number plus one of each code; zero for codes that were not met.
    seen: Vec<u32>,
    /// Which rows are left where certain codes stand for nulls.
    masks: Vec<Mask>,
}

/// Rows without those of certain codes.
struct Mask {
    nulls: Vec<bool>,
    levels: Vec<u8>,
    rows: Vec<u32>,
}

impl List {
    fn renumber(&mut self, codes: &[u32]) {
        self.known = true;
        self.order.clear();
        self.rows.clear();
        self.seen.clear();
        self.masks.clear();
        let Self { order, rows, seen, .. } = self;
        rows.extend(codes.iter().map(|code| {
            let at = *code as usize;
            if at >= seen.len() {
                seen.resize((at + 1).next_power_of_two(), 0);
            }
            let Some(number) = seen.get_mut(at) else { return 0 };
            if *number == 0 {
                order.push(*code);
                *number = order.len() as u32;
            }
            *number - 1
        }));
    }

    /// The rows whose codes do not stand for nulls, with their definition levels.
    fn mask(&mut self, nulls: &[bool]) -> &Mask {
        let at = self.masks.iter().position(|mask| mask.nulls == nulls).unwrap_or_else(|| {
            let is_null = |number: u32| nulls.get(number as usize).copied().unwrap_or(true);
            let valid: Vec<bool> = self.rows.iter().map(|number| !is_null(*number)).collect();
            let mut levels = Vec::new();
            let all = valid.iter().all(|valid| *valid);
            write_levels((!all).then_some(&valid), valid.len(), &mut levels);
            let mut rows = vec![0; self.rows.len() + 1];
            let mut kept = 0;
            for (number, valid) in self.rows.iter().zip(&valid) {
                // Written in any case, and kept only if it counts: no branch that cannot be foreseen.
                if let Some(into) = rows.get_mut(kept) {
                    *into = *number;
                }
                kept += usize::from(*valid);
            }
            rows.truncate(kept);
            self.masks.push(Mask { nulls: nulls.to_vec(), levels, rows });
            self.masks.len() - 1
        });
        &self.masks[at]
    }
}

/// What is told of a row group besides its columns.
pub(super) struct Rows<'b> {
    pub(super) codes: &'b [Vec<u32>],
    pub(super) rows: Range<usize>,
    pub(super) compress: bool,
}

impl Scratch {
    /// Forgets the codes of an earlier table.
    pub(super) fn begin(&mut self) {
        self.lists.iter_mut().for_each(|list| list.known = false);
    }

    /// Encodes one column into `out`.
    pub(super) fn encode(
        &mut self,
        spec: &ColumnSpec,
        column: &Column,
        of: &Rows<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Chunk, Unfit> {
        self.pages.clear();
        let count = of.rows.len();
        self.count = count;
        let chunk = match column.codes {
            Some(list) if count > FEW_ROWS => self.shared(spec, &column.cells, list, of)?,
            Some(list) => {
                let codes = codes_of(of, list);
                self.whole = None;
                self.valid.clear();
                self.cells.clear();
                for code in codes {
                    let valid = word(&column.cells, *code).is_some();
                    self.valid.push(valid);
                    if valid {
                        self.cells.push(*code);
                    }
                }
                self.plain(spec, &column.cells)?
            }
            None => self.own(spec, &column.cells, &of.rows)?,
        };
        let nulls = count - chunk.values;
        if spec.required && nulls > 0 {
            return Err(Unfit);
        }
        self.pages.write(chunk, count, of.compress, &mut self.contexts, out)
    }

    /// A column whose rows share cells.
    fn shared(&mut self, spec: &ColumnSpec, cells: &Cells, list: usize, of: &Rows<'_>) -> Result<pages::Draft, Unfit> {
        if self.lists.len() <= list {
            self.lists.resize_with(list + 1, List::default);
        }
        let Self { lists, distinct, numbers, nulls, ids, pages, .. } = self;
        let list_of = &mut lists[list];
        if !list_of.known {
            list_of.renumber(codes_of(of, list));
        }
        numbers.clear();
        nulls.clear();
        if let Cells::Names(ids, names) = cells {
            distinct.clear_for_ids(names.len());
            for code in &list_of.order {
                let id = ids.get(*code as usize).copied().unwrap_or(NO_NAME);
                nulls.push(id == NO_NAME);
                numbers.push(if id == NO_NAME { 0 } else { distinct.number_id(id, *code) });
            }
        } else {
            distinct.clear();
            for code in &list_of.order {
                let word = word(cells, *code);
                nulls.push(word.is_none());
                numbers.push(word.map_or(0, |word| distinct.number(word, *code, |_| true)));
            }
        }
        let mask = list_of.mask(nulls);
        if !spec.required {
            pages.data.extend_from_slice(&mask.levels);
        }
        let number_of = |row: &u32| numbers.get(*row as usize).copied().unwrap_or(0);
        ids.clear();
        if spec.kind == Kind::Boolean {
            let truth =
                |number: u32| distinct.firsts.get(number as usize).is_some_and(|cell| word(cells, *cell) == Some(1));
            ids.extend(mask.rows.iter().map(|row| u32::from(truth(number_of(row)))));
            write_bits(ids, &mut pages.data);
            return Ok(pages::Draft::plain(mask.rows.len(), None));
        }
        if distinct.len() > 1 {
            ids.extend(mask.rows.iter().map(number_of));
        }
        let values = mask.rows.len();
        self.dictionary(spec.kind, cells, values)
    }

    /// A column whose rows have cells of their own.
    fn own(&mut self, spec: &ColumnSpec, cells: &Cells, rows: &Range<usize>) -> Result<pages::Draft, Unfit> {
        let valid = match cells {
            Cells::Text(heap) => heap.nulls.valid(rows),
            Cells::Units(values) => values.nulls.valid(rows),
            Cells::Wide(values) => values.nulls.valid(rows),
            Cells::Numbers(_) | Cells::Names(..) => None,
        };
        let all = match (cells, valid) {
            (_, Some(valid)) => valid.iter().all(|valid| *valid),
            (Cells::Numbers(numbers), None) => {
                numbers.packed.get(rows.clone()).unwrap_or_default().iter().all(|packed| *packed != Packed::NONE)
            }
            (Cells::Names(ids, _), None) => ids.get(rows.clone()).unwrap_or_default().iter().all(|id| *id != NO_NAME),
            (_, None) => true,
        };
        if !all {
            self.keep_valid(cells, valid, rows);
        } else if self.whole.as_ref() != Some(rows) {
            self.cells.clear();
            self.cells.extend(rows.clone().map(|row| row as u32));
            self.whole = Some(rows.clone());
        }
        let kept = self.cells.len();
        if rows.len() <= FEW_ROWS || kept == 0 {
            return self.plain(spec, cells);
        }
        let narrow = self.gather_units(spec.kind, cells)?;
        if spec.kind == Kind::Boolean {
            self.levels(spec);
            self.ids.clear();
            self.ids.extend(self.units.iter().map(|truth| u32::from(*truth != 0)));
            write_bits(&self.ids, &mut self.pages.data);
            return Ok(pages::Draft::plain(kept, None));
        }
        self.levels(spec);
        let repeats = narrow && spec.kind != Kind::Instant && self.number(cells, spec.kind);
        if repeats {
            return self.dictionary(spec.kind, cells, kept);
        }
        match (cells, spec.kind) {
            (Cells::Text(_) | Cells::Numbers(_) | Cells::Names(..), _) => {
                self.gather_text(cells);
                write_texts(&self.text, &self.ends, &mut self.lengths, &mut self.pages.data);
                Ok(pages::Draft {
                    encoding: Encoding::DELTA_BYTE_ARRAY,
                    ..pages::Draft::plain(kept, Some(Effort::Count))
                })
            }
            (_, Kind::Instant | Kind::Integer | Kind::Seconds) => {
                write_delta(&self.units, &mut self.pages.data);
                let (least, most) = bounds(&self.units);
                Ok(pages::Draft {
                    encoding: Encoding::DELTA_BINARY_PACKED,
                    least: pages::Bound::Int64(least),
                    most: pages::Bound::Int64(most),
                    ..pages::Draft::plain(kept, None)
                })
            }
            _ => {
                self.write_cells(spec.kind, cells);
                Ok(pages::Draft::plain(kept, Some(Effort::Search)))
            }
        }
    }

    /// Keeps the cells that have a value, where some have not.
    fn keep_valid(&mut self, cells: &Cells, valid: Option<&[bool]>, rows: &Range<usize>) {
        self.whole = None;
        self.valid.clear();
        match (cells, valid) {
            (_, Some(valid)) => self.valid.extend_from_slice(valid),
            (Cells::Numbers(numbers), None) => {
                let packed = numbers.packed.get(rows.clone()).unwrap_or_default();
                self.valid.extend(packed.iter().map(|packed| *packed != Packed::NONE));
            }
            (Cells::Names(ids, _), None) => {
                self.valid.extend(ids.get(rows.clone()).unwrap_or_default().iter().map(|id| *id != NO_NAME));
            }
            (_, None) => self.valid.resize(rows.len(), true),
        }
        self.cells.clear();
        if !self.valid.iter().any(|valid| *valid) {
            return;
        }
        self.cells.resize(rows.len() + 1, 0);
        let mut kept = 0;
        for (row, valid) in (rows.start..).zip(&self.valid) {
            if let Some(into) = self.cells.get_mut(kept) {
                *into = row as u32;
            }
            kept += usize::from(*valid);
        }
        self.cells.truncate(kept);
    }

    fn levels(&mut self, spec: &ColumnSpec) {
        if !spec.required {
            let all = self.cells.len() == self.count;
            write_levels((!all).then_some(&self.valid), self.count, &mut self.pages.data);
        }
    }

    /// The cells as they are.
    fn plain(&mut self, spec: &ColumnSpec, cells: &Cells) -> Result<pages::Draft, Unfit> {
        self.levels(spec);
        self.gather_units(spec.kind, cells)?;
        if spec.kind == Kind::Boolean {
            self.ids.clear();
            self.ids.extend(self.cells.iter().map(|cell| u32::from(word(cells, *cell) == Some(1))));
            write_bits(&self.ids, &mut self.pages.data);
        } else {
            self.write_cells(spec.kind, cells);
        }
        Ok(pages::Draft::plain(self.cells.len(), None))
    }

    fn write_cells(&mut self, kind: Kind, cells: &Cells) {
        for cell in &self.cells {
            write_plain(kind, cells, *cell as usize, &mut self.pages.data);
        }
    }

    /// The cells as 64-bit integers, if that is what they are; `false` if some do not fit (or are wide and checked one by
    /// one).
    fn gather_units(&mut self, kind: Kind, cells: &Cells) -> Result<bool, Unfit> {
        /// What `decimal(18, 3)` and `decimal(38, …)` hold.
        const SECONDS: i128 = 10_i128.pow(18);
        const MONEY: i128 = 10_i128.pow(38);
        let limit = if kind == Kind::Seconds { SECONDS } else { MONEY };
        self.units.clear();
        match cells {
            Cells::Units(values) => {
                match self.whole.clone().and_then(|rows| values.values.get(rows)) {
                    Some(whole) => self.units.extend_from_slice(whole),
                    None => {
                        let unit = |cell: &u32| values.values.get(*cell as usize).copied().unwrap_or(0);
                        self.units.extend(self.cells.iter().map(unit));
                    }
                }
                let (least, most) = bounds(&self.units);
                if kind == Kind::Seconds && (i128::from(least) <= -limit || i128::from(most) >= limit) {
                    return Err(Unfit);
                }
                Ok(true)
            }
            Cells::Wide(values) => {
                let mut narrow = true;
                for cell in &self.cells {
                    let units = values.values.get(*cell as usize).copied().unwrap_or(0);
                    if units <= -limit || units >= limit {
                        return Err(Unfit);
                    }
                    match i64::try_from(units) {
                        Ok(units) => self.units.push(units),
                        Err(_) => narrow = false,
                    }
                }
                Ok(narrow)
            }
            _ => Ok(true),
        }
    }

    /// Numbers the values of the cells; `false` if hardly any repeats.
    fn number(&mut self, cells: &Cells, kind: Kind) -> bool {
        let Self { distinct, ids, cells: rows, units, .. } = self;
        // Sixteen bytes are worth more searching than eight.
        let most = |rows: usize| if matches!(kind, Kind::Amount | Kind::Price) { rows / 4 * 3 } else { rows / 2 };
        if kind == Kind::Seconds && distinct.number_seconds(units, rows, ids) {
            return distinct.len() <= most(ids.len()).max(FEW_ROWS);
        }
        distinct.clear();
        ids.clear();
        for at in (0..rows.len()).step_by(SAMPLE) {
            let some = rows.get(at..rows.len().min(at + SAMPLE)).unwrap_or_default();
            match cells {
                Cells::Units(_) | Cells::Wide(_) => {
                    let units = units.get(at..at + some.len()).unwrap_or_default();
                    ids.extend(units.iter().zip(some).map(|(unit, row)| distinct.number(*unit as u64, *row, |_| true)));
                }
                Cells::Text(heap) => {
                    let text = |row: u32| heap.get(row as usize).unwrap_or_default();
                    let number = |row: &u32| distinct.number(hash(text(*row)), *row, |first| text(first) == text(*row));
                    ids.extend(some.iter().map(number));
                }
                _ => {
                    let number = |row: &u32| distinct.number(word(cells, *row).unwrap_or(0), *row, |_| true);
                    ids.extend(some.iter().map(number));
                }
            }
            // Names are few in any case.
            if distinct.len() > most(ids.len()).max(FEW_ROWS) && !matches!(cells, Cells::Names(..)) {
                return false;
            }
        }
        true
    }

    /// A dictionary of what was found to occur, and the numbers of the rows: `ids`, which may be empty if all have one.
    fn dictionary(&mut self, kind: Kind, cells: &Cells, values: usize) -> Result<pages::Draft, Unfit> {
        let Self { distinct, ids, pages, .. } = self;
        if distinct.len() == 0 {
            return Ok(pages::Draft::plain(values, None));
        }
        for cell in &distinct.firsts {
            write_plain(kind, cells, *cell as usize, &mut pages.dictionary);
        }
        let width = width_of(distinct.len());
        pages.data.push(width as u8);
        if distinct.len() == 1 {
            write_run(0, values, width, &mut pages.data);
        } else {
            write_hybrid(ids, width, &mut pages.data);
        }
        let (least, most) = self.bounds(kind, cells);
        let effort = (self.pages.dictionary.len() >= SMALL_PAGE).then_some(Effort::Count);
        Ok(pages::Draft {
            values,
            encoding: Encoding::RLE_DICTIONARY,
            in_dictionary: Some(self.distinct.len()),
            effort,
            least,
            most,
        })
    }

    /// The least and the greatest value of a dictionary.
    fn bounds(&mut self, kind: Kind, cells: &Cells) -> (pages::Bound, pages::Bound) {
        let firsts = &self.distinct.firsts;
        match cells {
            Cells::Units(_) | Cells::Wide(_) => {
                self.units.clear();
                self.units.extend(firsts.iter().filter_map(|cell| narrow(cells, *cell)));
                if self.units.len() != firsts.len() {
                    return (pages::Bound::None, pages::Bound::None);
                }
                let (least, most) = bounds(&self.units);
                match kind {
                    Kind::Amount | Kind::Price | Kind::Decimal => {
                        let fixed = |units: i64| pages::Bound::Fixed(i128::from(units).to_be_bytes());
                        (fixed(least), fixed(most))
                    }
                    _ => (pages::Bound::Int64(least), pages::Bound::Int64(most)),
                }
            }
            _ => {
                // The dictionary page itself holds the texts, each behind its length.
                let texts = || texts(&self.pages.dictionary);
                let bound = |text: Option<&[u8]>| match text {
                    Some(text) if text.len() <= LONGEST_BOUND => pages::Bound::Text(text.to_vec()),
                    _ => pages::Bound::None,
                };
                (bound(texts().min()), bound(texts().max()))
            }
        }
    }

    /// The texts of the cells one after the other.
    fn gather_text(&mut self, cells: &Cells) {
        let Self { text, ends, cells: rows, .. } = self;
        text.clear();
        ends.clear();
        ends.push(0);
        match cells {
            Cells::Numbers(numbers) => {
                text.resize(rows.len() * NUMBER_BYTES + NUMBER_BYTES, 0);
                let mut end = 0;
                for row in rows {
                    let packed = numbers.packed(*row as usize).unwrap_or(Packed::NONE);
                    if let Some((digits, from)) = as_digits(packed) {
                        // All sixteen bytes are moved; those behind the number are written over by the next.
                        let moved = u128::from_le_bytes(digits).checked_shr(8 * from as u32).unwrap_or(0);
                        if let Some(into) = text.get_mut(end..end + NUMBER_BYTES) {
                            into.copy_from_slice(&moved.to_le_bytes());
                        }
                        end += NUMBER_BYTES - from;
                    } else {
                        let other = numbers.text(packed);
                        text.resize(text.len() + other.len(), 0);
                        if let Some(into) = text.get_mut(end..end + other.len()) {
                            into.copy_from_slice(other);
                        }
                        end += other.len();
                    }
                    ends.push(end);
                }
                text.truncate(end);
            }
            Cells::Text(heap) => {
                for row in rows {
                    text.extend_from_slice(heap.get(*row as usize).unwrap_or_default());
                    ends.push(text.len());
                }
            }
            Cells::Names(ids, names) => {
                for row in rows {
                    let name = ids.get(*row as usize).and_then(|id| names.get(*id)).unwrap_or_default();
                    text.extend_from_slice(name.as_bytes());
                    ends.push(text.len());
                }
            }
            Cells::Units(_) | Cells::Wide(_) => {}
        }
    }
}

fn codes_of<'b>(of: &Rows<'b>, list: usize) -> &'b [u32] {
    of.codes.get(list).and_then(|codes| codes.get(of.rows.clone())).unwrap_or_default()
}

/// A word that is equal for equal values of a column; `None` for a null. (Texts and wide integers have one each: that of
/// the cell.)
#[inline]
fn word(cells: &Cells, cell: u32) -> Option<u64> {
    let at = cell as usize;
    match cells {
        Cells::Names(ids, _) => ids.get(at).filter(|id| **id != NO_NAME).map(|id| u64::from(*id)),
        Cells::Numbers(numbers) => numbers.packed(at).map(|packed| packed.0),
        Cells::Units(values) => values.get(at).map(|units| units as u64),
        Cells::Text(heap) => heap.get(at).map(|_| u64::from(cell)),
        Cells::Wide(values) => values.get(at).map(|_| u64::from(cell)),
    }
}

fn narrow(cells: &Cells, cell: u32) -> Option<i64> {
    match cells {
        Cells::Units(values) => values.get(cell as usize),
        Cells::Wide(values) => i64::try_from(values.get(cell as usize)?).ok(),
        _ => None,
    }
}

fn hash(text: &[u8]) -> u64 {
    let (eights, rest) = text.as_chunks::<8>();
    let mut last = [0; 8];
    for (into, byte) in last.iter_mut().zip(rest) {
        *into = *byte;
    }
    let start = mix(text.len() as u64, u64::from_le_bytes(last));
    eights.iter().fold(start, |hash, eight| mix(hash, u64::from_le_bytes(*eight)))
}

fn bounds(units: &[i64]) -> (i64, i64) {
    units.iter().fold((i64::MAX, i64::MIN), |(least, most), unit| (least.min(*unit), most.max(*unit)))
}

/// A value in Parquet's plain form: text behind its length, integers in eight bytes, money and prices in sixteen.
fn write_plain(kind: Kind, cells: &Cells, cell: usize, out: &mut Vec<u8>) {
    let mut text = |text: &[u8]| {
        out.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
        out.extend_from_slice(text);
    };
    let units = match cells {
        Cells::Text(heap) => return text(heap.get(cell).unwrap_or_default()),
        Cells::Names(ids, names) => {
            return text(ids.get(cell).and_then(|id| names.get(*id)).unwrap_or_default().as_bytes());
        }
        Cells::Numbers(numbers) => {
            let packed = numbers.packed(cell).unwrap_or(Packed::NONE);
            return text(numbers.write(packed, &mut [0; NUMBER_BYTES]));
        }
        Cells::Units(values) => i128::from(values.get(cell).unwrap_or(0)),
        Cells::Wide(values) => values.get(cell).unwrap_or(0),
    };
    match kind {
        Kind::Amount | Kind::Price | Kind::Decimal => out.extend_from_slice(&units.to_be_bytes()),
        // What does not fit was refused before.
        _ => out.extend_from_slice(&i64::try_from(units).unwrap_or(i64::MAX).to_le_bytes()),
    }
}

/// The texts of a plain page.
fn texts(mut page: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = page.split_first_chunk::<4>()?;
        let (text, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        page = rest;
        Some(text)
    })
}
