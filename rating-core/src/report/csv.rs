//! CSV in two profiles, from the same columns.
//!
//! | | spreadsheet | machine |
//! | --- | --- | --- |
//! | encoding | UTF-8 with byte-order mark | UTF-8 without |
//! | lines, quotes | RFC 4180: CRLF, `"` doubled | the same |
//! | phone numbers | `'442079460958`: text, no `+` | `+442079460958` (E.164) |
//! | text | guarded, see below | as it is |
//! | money, counts, seconds | plain decimals with a point, never guarded | the same |
//! | instants | ISO 8601 on the site's clock, with offset | the same |
//!
//! A null is an empty cell, an empty text is `""`.
//!
//! # The guard
//!
//! A spreadsheet reads a cell that begins with `=`, `+`, `-` or `@` as a formula (OWASP, "CSV Injection"; CWE-1236), and
//! one that looks like a number or a date as that: `0201` loses its zero, a number of sixteen digits its last ones, `1-2`
//! becomes a day in January. There is no mark in CSV for "this is text", and quotes do not help. So a text cell gets a
//! leading apostrophe if it begins (after blanks and quotes) with one of these characters, their full-width forms, or an
//! apostrophe, or if it would be read as a number, date or truth value. The apostrophe is what people know as the mark of
//! text; both Excel and LibreOffice keep such a cell as text, digit for digit. Whoever reads the file back drops one
//! leading apostrophe. Inside a text, a formula character after `;` gets one too: where `;` separates fields, what follows
//! could be read as a cell of its own.
//!
//! Only text is guarded. A negative amount is a number and stays one.

use super::batch::{Batch, Kind, Totals, View};
use super::cells::{Cells, Column, Numbers, Packed, as_digits, eight_digits};
use super::names::Dictionary;
use crate::ids::SiteId;
use crate::money::{LEDGER_SCALE, PRICE_SCALE};
use crate::time::{Instant, LocalTime};

/// Who is to read the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// A person with a spreadsheet program.
    Spreadsheet,
    /// A program.
    Machine,
}

const NEW_LINE: &[u8] = b"\r\n";

/// Writes a whole table: header, rows, and total rows where the table has them in this profile.
pub fn write(view: &View<'_>, profile: Profile, out: &mut Vec<u8>) {
    write_header(view, profile, out);
    write_rows(view, profile, out);
}

/// Writes the byte-order mark, if the profile has one, and the line of column names.
pub fn write_header(view: &View<'_>, profile: Profile, out: &mut Vec<u8>) {
    if profile == Profile::Spreadsheet {
        out.extend_from_slice("\u{feff}".as_bytes());
    }
    for (at, column) in view.schema.columns.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        out.extend_from_slice(column.name.as_bytes());
    }
    out.extend_from_slice(NEW_LINE);
}

/// Writes the rows; total rows last, where the table has them in this profile.
///
/// A pure function: parts of a table may be written side by side and joined.
pub fn write_rows(view: &View<'_>, profile: Profile, out: &mut Vec<u8>) {
    let totals = match (view.schema.totals, profile) {
        (Totals::EveryCsv, _) | (Totals::Spreadsheet, Profile::Spreadsheet) => view.totals.clone(),
        _ => 0..0,
    };
    let rows = view.detail.len() + totals.len();
    let specs = view.schema.columns.iter();
    let mut columns: Vec<ColumnWriter<'_>> = specs
        .zip(view.columns())
        .map(|(spec, column)| ColumnWriter::new(view.batch, column, spec.kind, rows))
        .collect();
    let mut clock = Clock::default();
    for row in view.detail.clone().chain(totals) {
        for (at, column) in columns.iter_mut().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            column.write(view.batch, row, profile, &mut clock, out);
        }
        out.extend_from_slice(NEW_LINE);
    }
}

/// Writes the cells of one column. What many rows share is guarded, quoted and formatted once.
struct ColumnWriter<'v> {
    kind: Kind,
    cells: &'v Cells,
    from: Shared<'v>,
    /// Cells as they are written, and where each that was met stands; empty if it is not worth it.
    written: Vec<u8>,
    places: Vec<(usize, usize)>,
}

/// Where a row's cell comes from.
#[derive(Clone, Copy)]
enum Shared<'v> {
    /// It is the cell of that number.
    Row,
    /// It is the cell whose number stands here.
    Code(&'v [u32]),
    /// It is the name whose id stands here.
    Name(&'v [u32], &'v Dictionary),
}

/// The place of a cell that has not been written yet.
const UNWRITTEN: (usize, usize) = (usize::MAX, 0);

impl<'v> ColumnWriter<'v> {
    fn new(batch: &'v Batch, column: &'v Column, kind: Kind, rows: usize) -> Self {
        let (from, shared) = match (column.codes, &column.cells) {
            (Some(list), cells) => {
                (Shared::Code(batch.codes.get(list).map(Vec::as_slice).unwrap_or_default()), cells.len())
            }
            (None, Cells::Names(ids, names)) => (Shared::Name(ids, names), names.len()),
            (None, _) => (Shared::Row, 0),
        };
        // An instant is written on the clock of its row.
        let worth_it = shared <= rows && kind != Kind::Instant;
        let places = if worth_it { vec![UNWRITTEN; shared] } else { Vec::new() };
        Self { kind, cells: &column.cells, from, written: Vec::new(), places }
    }

    fn write(&mut self, batch: &Batch, row: usize, profile: Profile, clock: &mut Clock, out: &mut Vec<u8>) {
        let Self { kind, cells, from, written, places } = self;
        let cell = match *from {
            Shared::Row => row,
            Shared::Code(codes) | Shared::Name(codes, _) => codes.get(row).map_or(usize::MAX, |code| *code as usize),
        };
        let mut write = |out: &mut Vec<u8>| match *from {
            Shared::Name(_, names) => {
                let Ok(id) = u32::try_from(cell) else { return };
                let Some(name) = names.get(id) else { return };
                if profile == Profile::Machine && names.is_plain(id) {
                    out.extend_from_slice(name.as_bytes());
                } else {
                    write_text(name.as_bytes(), profile, out);
                }
            }
            _ => write_cell(*kind, cells, cell, (batch, row), profile, clock, out),
        };
        let Some(place) = places.get_mut(cell) else { return write(out) };
        if *place == UNWRITTEN {
            let start = written.len();
            write(written);
            *place = (start, written.len());
        }
        out.extend_from_slice(written.get(place.0..place.1).unwrap_or_default());
    }
}

/// The clock of the row's site, and the day that was last written.
#[derive(Default)]
pub(super) struct Clock {
    /// The offset that holds at a site from one instant until another.
    holds: Option<(SiteId, Instant, Instant, i64)>,
    day: Option<(i64, [u8; 11])>,
}

impl Clock {
    /// Offset east of UTC of the row's site, in milliseconds.
    fn offset(&mut self, batch: &Batch, row: usize, at: Instant) -> i64 {
        let Some(site) = batch.site(row) else { return 0 };
        if let Some((of, from, until, offset)) = self.holds
            && of == site
            && from <= at
            && at < until
        {
            return offset;
        }
        let Some(zone) = batch.zone(row) else { return 0 };
        let (offset, until) = zone.offset_and_end(at);
        self.holds = Some((site, at, until, offset));
        offset
    }

    /// `2026-10-25T01:29:50+01:00`, with `.250` where there are milliseconds. Offsets are whole minutes.
    pub(super) fn write(&mut self, instant: Instant, offset: i64, out: &mut Vec<u8>) {
        let local = LocalTime::from_millis(instant.as_millis().saturating_add(offset));
        let number = local.as_millis().div_euclid(24 * 3_600_000);
        let day = match self.day {
            Some((of, text)) if of == number => text,
            _ => {
                let (year, month, day) = local.date().civil();
                let year = u32::try_from(year).unwrap_or(0);
                let [[a, b], [c, d], [e, f], [g, h]] = [two(year / 100), two(year), two(month), two(day)];
                let text = [a, b, c, d, b'-', e, f, b'-', g, h, b'T'];
                self.day = Some((number, text));
                text
            }
        };
        out.extend_from_slice(&day);
        let millis = u32::try_from(local.millis_of_day()).unwrap_or(0);
        let seconds = millis / 1_000;
        let [[a, b], [c, d], [e, f]] = [two(seconds / 3_600), two(seconds / 60 % 60), two(seconds % 60)];
        out.extend_from_slice(&[a, b, b':', c, d, b':', e, f]);
        if millis % 1_000 != 0 {
            let [a, b] = two(millis % 100);
            out.extend_from_slice(&[b'.', b'0' + (millis / 100 % 10) as u8, a, b]);
        }
        let minutes = u32::try_from(offset.abs() / 60_000).unwrap_or(0);
        let ([a, b], [c, d]) = (two(minutes / 60), two(minutes % 60));
        out.extend_from_slice(&[if offset < 0 { b'-' } else { b'+' }, a, b, b':', c, d]);
    }
}

/// The last two digits of `value`.
#[inline]
fn two(value: u32) -> [u8; 2] {
    [b'0' + (value / 10 % 10) as u8, b'0' + (value % 10) as u8]
}

/// Writes one cell; it is shown on the clock of `(batch, row)`.
fn write_cell(
    kind: Kind,
    cells: &Cells,
    cell: usize,
    (batch, row): (&Batch, usize),
    profile: Profile,
    clock: &mut Clock,
    out: &mut Vec<u8>,
) {
    match cells {
        Cells::Text(heap) => {
            if let Some(text) = heap.get(cell) {
                write_text(text, profile, out);
            }
        }
        Cells::Numbers(numbers) => {
            if let Some(packed) = numbers.packed(cell) {
                write_packed(numbers, packed, profile, out);
            }
        }
        Cells::Names(ids, names) => {
            if let Some(name) = ids.get(cell).and_then(|id| names.get(*id)) {
                write_text(name.as_bytes(), profile, out);
            }
        }
        Cells::Units(values) => {
            if let Some(units) = values.get(cell) {
                match kind {
                    Kind::Instant => {
                        let instant = Instant::from_millis(units);
                        let offset = clock.offset(batch, row, instant);
                        clock.write(instant, offset, out);
                    }
                    Kind::Boolean => out.extend_from_slice(if units == 0 { b"false" } else { b"true" }),
                    _ => write_units(kind, i128::from(units), out),
                }
            }
        }
        Cells::Wide(values) => {
            if let Some(units) = values.get(cell) {
                write_units(kind, units, out);
            }
        }
    }
}

pub(super) fn write_units(kind: Kind, units: i128, out: &mut Vec<u8>) {
    match kind {
        Kind::Amount => write_decimal(units, LEDGER_SCALE, 2, out),
        Kind::Price => write_decimal(units, PRICE_SCALE, 2, out),
        Kind::Decimal => write_decimal(units, PRICE_SCALE, 0, out),
        Kind::Seconds => write_decimal(units, 3, 0, out),
        _ => out.extend_from_slice(itoa::Buffer::new().format(units).as_bytes()),
    }
}

/// A phone number that is digits needs no look at each of them.
fn write_packed(numbers: &Numbers, packed: Packed, profile: Profile, out: &mut Vec<u8>) {
    match as_digits(packed) {
        Some((text, from)) => {
            let text = text.get(from..).unwrap_or_default();
            match (profile, text.strip_prefix(b"+").unwrap_or(text)) {
                (_, []) => write_number(text, profile, out),
                (Profile::Spreadsheet, digits) => {
                    out.push(b'\'');
                    out.extend_from_slice(digits);
                }
                (Profile::Machine, _) => out.extend_from_slice(text),
            }
        }
        None => write_number(numbers.text(packed), profile, out),
    }
}

/// A phone number: in a spreadsheet its digits as text; anything else in its place is text.
fn write_number(text: &[u8], profile: Profile, out: &mut Vec<u8>) {
    let digits = text.strip_prefix(b"+").unwrap_or(text);
    if profile == Profile::Spreadsheet && !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) {
        out.push(b'\'');
        out.extend_from_slice(digits);
    } else {
        write_text(text, profile, out);
    }
}

/// Bytes for which a cell is quoted in either profile, and those for which it is in a spreadsheet's.
const QUOTED: u8 = 1;
const GUARDED: u8 = 2;

/// What each byte may ask of the cell that it stands in.
const MARKS: [u8; 256] = {
    let mut marks = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        marks[byte] = match byte as u8 {
            b',' | b'"' | b'\r' | b'\n' => QUOTED,
            b';' | b'\t' => GUARDED,
            _ => 0,
        };
        byte += 1;
    }
    marks
};

/// Whether a text is written for programs as it is.
pub(super) fn is_plain(text: &[u8]) -> bool {
    let marks = text.iter().fold(0, |marks, byte| marks | MARKS.get(usize::from(*byte)).copied().unwrap_or(0));
    !text.is_empty() && marks & QUOTED == 0
}

/// A text cell, guarded and quoted as the profile asks.
fn write_text(text: &[u8], profile: Profile, out: &mut Vec<u8>) {
    let guard = profile == Profile::Spreadsheet;
    if !text.is_empty() && text.iter().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'.')) {
        // Our own codes and most ids: nothing to guard or quote, unless it is a truth value.
        if !(guard && looks_like_a_value(text)) {
            out.extend_from_slice(text);
            return;
        }
    }
    let marks = text.iter().fold(0, |marks, byte| marks | MARKS.get(usize::from(*byte)).copied().unwrap_or(0));
    let inside = guard && text.contains(&b';');
    let leading = guard && (begins_formula(text) || looks_like_a_value(text));
    let quoted = text.is_empty() || marks & QUOTED != 0 || (guard && marks & GUARDED != 0);
    if quoted {
        out.push(b'"');
    }
    if leading {
        out.push(b'\'');
    }
    if marks == 0 {
        out.extend_from_slice(text);
    }
    for (at, byte) in text.iter().enumerate().filter(|_| marks != 0) {
        match byte {
            b'"' => out.extend_from_slice(b"\"\""),
            byte => out.push(*byte),
        }
        if inside && *byte == b';' && text.get(at + 1..).is_some_and(begins_formula) {
            out.push(b'\'');
        }
    }
    if quoted {
        out.push(b'"');
    }
}

/// Writes a cell that the machine profile has as `text` (`None` for a null), in a profile: guarded and quoted as a cell of
/// its kind is.
pub fn write_text_of(kind: Kind, text: Option<&str>, profile: Profile, out: &mut Vec<u8>) {
    match (kind, text) {
        (_, None) => {}
        (Kind::Text, Some(text)) => write_text(text.as_bytes(), profile, out),
        (Kind::Number, Some(text)) => write_number(text.as_bytes(), profile, out),
        (_, Some(text)) => out.extend_from_slice(text.as_bytes()),
    }
}

/// Whether a spreadsheet would see a formula or a mark of text at the beginning, blanks and quotes apart.
fn begins_formula(text: &[u8]) -> bool {
    let start = text.iter().position(|byte| !matches!(byte, b' ' | b'"')).unwrap_or(text.len());
    match text.get(start..) {
        Some([b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r' | b'\n' | 0, ..]) => true,
        // An apostrophe is a mark only at the very beginning; doubling it keeps "drop one" true.
        Some([b'\'', ..]) => start == 0,
        // ＝ ＋ － ＠, which some input methods and importers treat as their ASCII forms; U+2212 MINUS SIGN.
        Some(rest) => ["＝", "＋", "－", "＠", "\u{2212}"].iter().any(|wide| rest.starts_with(wide.as_bytes())),
        None => false,
    }
}

/// Whether a spreadsheet could read the text as a number, a date, a time or a truth value.
fn looks_like_a_value(text: &[u8]) -> bool {
    const MONTHS: [&[u8; 3]; 12] =
        [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"];
    if text.eq_ignore_ascii_case(b"true") || text.eq_ignore_ascii_case(b"false") {
        return true;
    }
    if !text.iter().any(u8::is_ascii_digit) {
        return false;
    }
    let is_month = |start: &[u8]| MONTHS.iter().any(|month| start.eq_ignore_ascii_case(*month));
    if text.get(..3).is_some_and(is_month) {
        return true;
    }
    let first = text.iter().find(|byte| **byte != b' ').copied().unwrap_or(b' ');
    if !(first.is_ascii_digit() || matches!(first, b'.' | b',' | b'(' | b'$') || first >= 0x80) {
        return false;
    }
    let plain = |byte: &u8| {
        byte.is_ascii_digit()
            || *byte >= 0x80
            || matches!(byte, b' ' | b'.' | b',' | b':' | b'/' | b'+' | b'-' | b'(' | b')' | b'%' | b'$')
            || matches!(byte.to_ascii_lowercase(), b'e' | b'd' | b'a' | b'p' | b'm')
    };
    text.iter().all(plain) || (first.is_ascii_digit() && text.windows(3).any(is_month))
}

/// `units` of 10⁻ˢᶜᵃˡᵉ as a decimal number: at least `least` decimals, no trailing zeros after these.
fn write_decimal(units: i128, scale: u32, least: usize, out: &mut Vec<u8>) {
    if units < 0 {
        out.push(b'-');
    }
    let magnitude = units.unsigned_abs();
    let fraction = match u64::try_from(magnitude) {
        Ok(small) => {
            let unit = 10_u64.pow(scale);
            let whole = small / unit;
            match u8::try_from(whole) {
                Ok(digit) if digit < 10 => out.push(b'0' + digit),
                _ => out.extend_from_slice(itoa::Buffer::new().format(whole).as_bytes()),
            }
            small % unit
        }
        Err(_) => {
            let unit = 10_u128.pow(scale);
            out.extend_from_slice(itoa::Buffer::new().format(magnitude / unit).as_bytes());
            u64::try_from(magnitude % unit).unwrap_or(0)
        }
    };
    if fraction == 0 && least == 0 {
        return;
    }
    // Sixteen decimals, of which those are written that say something.
    let sixteen = fraction * 10_u64.pow(16 - scale);
    let (high, low) = (eight_digits(sixteen / 100_000_000), eight_digits(sixteen % 100_000_000));
    let digits = u128::from(high) | u128::from(low) << 64;
    let zeros = (digits ^ u128::from_le_bytes([b'0'; 16])).leading_zeros() / 8;
    let length = (16 - zeros as usize).max(least);
    out.push(b'.');
    out.extend_from_slice(digits.to_le_bytes().get(..length).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;
    use crate::money::Total;
    use crate::time::Zone;

    fn text(text: &str, profile: Profile) -> String {
        let mut out = Vec::new();
        write_text(text.as_bytes(), profile, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn formulas_become_inert_text_in_a_spreadsheet_and_stay_as_they_are_for_machines() {
        for (payload, spreadsheet, machine) in [
            ("=HYPERLINK(\"http://x\",\"y\")", "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\"", None),
            ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0", Some("+cmd|' /C calc'!A0")),
            ("-2+3", "'-2+3", Some("-2+3")),
            ("@SUM(1+9)*cmd|' /C calc'!A0", "'@SUM(1+9)*cmd|' /C calc'!A0", None),
            ("  =1+1", "'  =1+1", Some("  =1+1")),
            ("\"=1+1", "\"'\"\"=1+1\"", Some("\"\"\"=1+1\"")),
            ("＝1+1", "'＝1+1", Some("＝1+1")),
            ("x;=1+1", "\"x;'=1+1\"", Some("x;=1+1")),
            ("x; \"=1+1", "\"x;' \"\"=1+1\"", None),
            ("'quoted", "''quoted", Some("'quoted")),
            ("O'Neill", "O'Neill", Some("O'Neill")),
            ("a,b", "\"a,b\"", Some("\"a,b\"")),
            ("", "\"\"", Some("\"\"")),
            ("rating.no_rate", "rating.no_rate", Some("rating.no_rate")),
        ] {
            assert_eq!(text(payload, Profile::Spreadsheet), spreadsheet, "{payload}");
            if let Some(machine) = machine {
                assert_eq!(text(payload, Profile::Machine), machine, "{payload}");
            }
        }
    }

    #[test]
    fn what_a_spreadsheet_would_read_as_a_value_stays_text() {
        for value in [
            "0201",
            "007",
            "1792888190.10",
            "12345678901234567",
            "1e5",
            "1E5",
            "1-2",
            "1/2",
            "2026-10",
            "12:30",
            "10%",
            "(12)",
            ".5",
            "true",
            "FALSE",
            "mar1",
            "MARCH 1",
            "2 Mar 2026",
            "$12",
            "£12",
            "1 234",
            "1\u{a0}234",
            " 12",
        ] {
            assert_eq!(text(value, Profile::Spreadsheet), format!("'{value}"));
            assert_eq!(text(value, Profile::Machine), value);
        }
        for words in ["3 Mobile Ltd", "Marks", "Acme 2", "UK", "A1", "London (020)"] {
            assert_eq!(text(words, Profile::Spreadsheet), words);
        }
    }

    #[test]
    fn phone_numbers_keep_every_digit() {
        for (number, spreadsheet) in [
            ("+442079460958", "'442079460958"),
            ("0201", "'0201"),
            ("+999999999999999", "'999999999999999"),
            ("withheld", "withheld"),
            ("*60", "*60"),
            ("+44 20", "'+44 20"),
            ("+", "'+"),
        ] {
            let mut out = Vec::new();
            write_number(number.as_bytes(), Profile::Spreadsheet, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), spreadsheet);
            let mut out = Vec::new();
            write_number(number.as_bytes(), Profile::Machine, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), number);
        }
    }

    #[test]
    fn decimals_are_plain_and_drop_zeros_that_say_nothing() {
        for (units, scale, least, expected) in [
            (0, 10, 2, "0.00"),
            (5_000_000_000, 10, 2, "0.50"),
            (-650_000_000, 10, 2, "-0.065"),
            (1, 10, 2, "0.0000000001"),
            (i128::MAX, 10, 2, "17014118346046923173168730371.5884105727"),
            (i128::MIN, 10, 2, "-17014118346046923173168730371.5884105728"),
            (61_000, 3, 0, "61"),
            (57_600, 3, 0, "57.6"),
            (5, 3, 0, "0.005"),
            (0, 3, 0, "0"),
            (25_000_000_000, 12, 2, "0.025"),
        ] {
            let mut out = Vec::new();
            write_decimal(units, scale, least, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }

    proptest! {
        #[test]
        fn amounts_are_written_as_money_displays_them(units in any::<i64>()) {
            let mut out = Vec::new();
            write_decimal(i128::from(units), LEDGER_SCALE, 2, &mut out);
            prop_assert_eq!(String::from_utf8(out).unwrap(), Total::from_units(i128::from(units)).to_string());
        }

        #[test]
        fn instants_are_written_as_the_zone_formats_them(seconds in -300_000_000..4_000_000_000_i64, millis in 0..1_000_i64) {
            static ZONES: LazyLock<[Zone; 4]> = LazyLock::new(|| {
                ["Europe/London", "America/St_Johns", "Asia/Kolkata", "UTC"].map(|name| Zone::load(name).unwrap())
            });
            let instant = Instant::from_millis(seconds * 1_000 + millis);
            for zone in ZONES.iter() {
                let mut out = Vec::new();
                Clock::default().write(instant, zone.offset_at(instant), &mut out);
                prop_assert_eq!(String::from_utf8(out).unwrap(), zone.format(instant));
            }
        }

        #[test]
        fn no_text_cell_begins_a_formula_and_dropping_one_apostrophe_gives_it_back(payload in "[=+@;\"' ,0-9a-cm.\\-]{0,12}") {
            let written = text(&payload, Profile::Spreadsheet);
            let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(written.as_bytes());
            let cell = reader.records().next().map_or(String::new(), |record| record.unwrap()[0].to_owned());
            prop_assert!(!cell.trim_start_matches([' ', '"']).starts_with(['=', '+', '-', '@']), "{}", cell);
            let given_back = cell.strip_prefix('\'').unwrap_or(&cell);
            if !payload.contains(';') {
                prop_assert_eq!(given_back, payload.as_str());
            }
            for part in cell.split(';') {
                prop_assert!(!part.trim_start_matches([' ', '"']).starts_with(['=', '+', '-', '@']), "{}", cell);
            }
            let machine = text(&payload, Profile::Machine);
            let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(machine.as_bytes());
            let cell = reader.records().next().map_or(String::new(), |record| record.unwrap()[0].to_owned());
            prop_assert_eq!(cell, payload);
        }
    }
}
