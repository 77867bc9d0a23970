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

use super::batch::{Totals, View};
use super::column::Column;
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
    for row in view.detail.clone().chain(totals) {
        for (at, column) in view.columns().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            write_cell(view, column, row, profile, out);
        }
        out.extend_from_slice(NEW_LINE);
    }
}

fn write_cell(view: &View<'_>, column: &Column, row: usize, profile: Profile, out: &mut Vec<u8>) {
    match column {
        Column::Text(heap) => {
            if let Some(text) = heap.get(row) {
                write_text(text, profile, out);
            }
        }
        Column::Number(heap) => {
            if let Some(text) = heap.get(row) {
                write_number(text, profile, out);
            }
        }
        Column::Name(ids, dictionary) => {
            if let Some(name) = ids.get(row).and_then(|id| dictionary.get(id)) {
                write_text(name.as_bytes(), profile, out);
            }
        }
        Column::Integer(values) => {
            if let Some(value) = values.get(row) {
                out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
            }
        }
        Column::Amount(values) => {
            if let Some(units) = values.get(row) {
                write_decimal(units, LEDGER_SCALE, 2, out);
            }
        }
        Column::Price(values) => {
            if let Some(units) = values.get(row) {
                write_decimal(units, PRICE_SCALE, 2, out);
            }
        }
        Column::Decimal(values) => {
            if let Some(units) = values.get(row) {
                write_decimal(units, PRICE_SCALE, 0, out);
            }
        }
        Column::Seconds(values) => {
            if let Some(millis) = values.get(row) {
                write_decimal(millis, 3, 0, out);
            }
        }
        Column::Instant(values) => {
            if let Some(millis) = values.get(row) {
                let instant = Instant::from_millis(millis);
                write_instant(instant, view.batch.offset_at(row, instant), out);
            }
        }
        Column::Boolean(values) => match values.get(row) {
            Some(true) => out.extend_from_slice(b"true"),
            Some(false) => out.extend_from_slice(b"false"),
            None => {}
        },
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
    let inside = guard && text.contains(&b';');
    let leading = guard && (begins_formula(text) || looks_like_a_value(text));
    let quoted = text.is_empty()
        || text.iter().any(|byte| matches!(byte, b',' | b'"' | b'\r' | b'\n'))
        || (guard && text.iter().any(|byte| matches!(byte, b';' | b'\t')));
    if quoted {
        out.push(b'"');
    }
    if leading {
        out.push(b'\'');
    }
    for (at, byte) in text.iter().enumerate() {
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
    let (whole, mut fraction) = match u64::try_from(magnitude) {
        Ok(small) => {
            let unit = 10_u64.pow(scale);
            out.extend_from_slice(itoa::Buffer::new().format(small / unit).as_bytes());
            (None, small % unit)
        }
        Err(_) => {
            let unit = 10_u128.pow(scale);
            (Some(magnitude / unit), u64::try_from(magnitude % unit).unwrap_or(0))
        }
    };
    if let Some(whole) = whole {
        out.extend_from_slice(itoa::Buffer::new().format(whole).as_bytes());
    }
    if fraction == 0 && least == 0 {
        return;
    }
    out.push(b'.');
    let start = out.len();
    let mut unit = 10_u64.pow(scale);
    let mut written = 0;
    while unit > 1 && (fraction > 0 || written < least) {
        unit /= 10;
        out.push(b'0' + u8::try_from(fraction / unit).unwrap_or(0));
        fraction %= unit;
        written = out.len() - start;
    }
}

/// `2026-10-25T01:29:50+01:00`, with `.250` where there are milliseconds. Offsets are whole minutes.
fn write_instant(instant: Instant, offset: i64, out: &mut Vec<u8>) {
    let local = LocalTime::from_millis(instant.as_millis().saturating_add(offset));
    let (year, month, day) = local.date().civil();
    let millis = u32::try_from(local.millis_of_day()).unwrap_or(0);
    let seconds = millis / 1_000;
    let year = u32::try_from(year).unwrap_or(0);
    two(year / 100, out);
    two(year % 100, out);
    for (mark, value) in
        [(b'-', month), (b'-', day), (b'T', seconds / 3_600), (b':', seconds / 60 % 60), (b':', seconds % 60)]
    {
        out.push(mark);
        two(value, out);
    }
    if millis % 1_000 != 0 {
        out.extend_from_slice(b".");
        out.push(b'0' + (millis / 100 % 10) as u8);
        two(millis % 100, out);
    }
    let minutes = u32::try_from(offset.abs() / 60_000).unwrap_or(0);
    out.push(if offset < 0 { b'-' } else { b'+' });
    two(minutes / 60, out);
    out.push(b':');
    two(minutes % 60, out);
}

/// The last two digits of `value`.
#[inline]
fn two(value: u32, out: &mut Vec<u8>) {
    out.extend_from_slice(&[b'0' + (value / 10 % 10) as u8, b'0' + (value % 10) as u8]);
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
                write_instant(instant, zone.offset_at(instant), &mut out);
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
