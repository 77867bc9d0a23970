//! What the tests of the formats share, and the laws that hold for every format and any bytes.

use proptest::prelude::*;

use super::records::{KEPT_OF_TOO_LONG, MAX_RECORD_BYTES, MIN_BUFFER_BYTES};
use super::*;

/// A fixture from the repository's `testdata`.
macro_rules! fixture {
    ($path:literal) => {
        &include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/", $path))[..]
    };
}
pub(super) use fixture;

pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// One line for each record of a file: what `describe` says of it, or why it was rejected and in which column.
pub(super) fn lines(format: Format, options: &Options, file: &[u8], describe: fn(&Cdr) -> String) -> Vec<String> {
    let reader = open(format, options, file, true).unwrap();
    reader
        .records(0, 0, file, true)
        .map(|record| match record {
            Ok(cdr) => describe(&cdr),
            Err(reject) => format!("{} {}", reject.reason.code().trim_start_matches("cdr."), reject.column),
        })
        .collect()
}

/// Everything that can be told of a record, with its place, as text.
fn everything(record: &Result<Cdr, Reject>) -> String {
    match record {
        Ok(cdr) => format!("{cdr:?}"),
        Err(reject) => format!("{reject:?}"),
    }
}

/// Reads a file in one piece.
fn whole(reader: &Reader, file: &[u8]) -> Vec<String> {
    reader.records(7, 0, file, true).map(|record| everything(&record)).collect()
}

/// Reads a file the way [`records::split_point`] tells a caller to, in blocks of the given sizes.
fn in_blocks(reader: &Reader, file: &[u8], blocks: &[usize]) -> Vec<String> {
    let end_of_line = if reader.line_end() == records::LineEnd::Lf { b'\n' } else { b'\r' };
    let mut found = Vec::new();
    let (mut base, mut read, mut turn) = (0, 0, 0);
    while base < file.len() {
        read = (read + blocks[turn % blocks.len()]).min(file.len());
        turn += 1;
        let last = read == file.len();
        let buffer = &file[base..read];
        let point = reader.split_point(buffer, last);
        if point == 0 && buffer.len() >= MIN_BUFFER_BYTES {
            found.push(everything(&Err(reader.too_long(7, base as u64, buffer))));
            base += file[base..].iter().position(|byte| *byte == end_of_line).map_or(file.len() - base, |at| at + 1);
            read = read.max(base);
            continue;
        }
        found.extend(reader.records(7, base as u64, &buffer[..point], last).map(|record| everything(&record)));
        base += point;
    }
    found
}

/// Good files to damage.
fn good_files() -> Vec<(Format, &'static [u8])> {
    vec![
        (Format::Asterisk, fixture!("asterisk/cdr_csv_16_to_21_columns.csv")),
        (Format::Asterisk, fixture!("asterisk/gui_export_with_broken_quoting.csv")),
        (Format::Asterisk, fixture!("asterisk/name_over_two_lines_crlf_and_byte_order_mark.csv")),
        (Format::CiscoCucm, fixture!("cucm/files_put_together.txt")),
        (Format::BroadWorks, fixture!("broadworks/backslash_comma_and_backslash_backslash.csv")),
        (Format::SipAcc, fixture!("opensips/table_with_header_twice.csv")),
        (Format::SipAcc, fixture!("opensips/kamailio_cdrs.csv")),
        (Format::OracleSbc, fixture!("oracle-sbc/quotes_that_nobody_escaped.csv")),
        (Format::BroadWorks, fixture!("broadworks/doctype_entities_and_latin_1.xml")),
        (Format::ThreeCx, fixture!("3cx/who_pays_for_forwarded_and_transferred_calls.csv")),
        (Format::ThreeCx, fixture!("3cx/semicolons_inside_and_between.csv")),
        (Format::IpOffice, fixture!("ip_office/names_with_commas.csv")),
        (Format::IpOffice, fixture!("ip_office/collector_stamps_before_the_lines.log")),
        (Format::Mitel, fixture!("mitel/level_2_207_columns.txt")),
        (Format::Mitel, fixture!("mitel/trailing_blanks_cut_off_by_an_editor.txt")),
    ]
}

/// A file's name with a date in it, for formats that write no year.
fn dated() -> Options {
    Options { file_name: "calls-2026-10-06.log".into(), ..Options::default() }
}

/// Asserts every law that must hold for any bytes: they end, cover the file, are the same in any blocks, and a record
/// read again is the record read before.
fn check_laws(reader: &Reader, file: &[u8], blocks: &[usize]) {
    let expected = whole(reader, file);
    assert_eq!(in_blocks(reader, file, blocks), expected);

    let mut records = reader.records(7, 0, file, true);
    let mut bytes = 0;
    let mut previous = None;
    for record in &mut records {
        let (id, raw) = match &record {
            Ok(cdr) => (cdr.id, cdr.raw),
            Err(reject) => (reject.id, reject.raw),
        };
        assert!(previous < Some(id), "records come in order");
        previous = Some(id);
        let start = usize::try_from(id.offset()).unwrap();
        assert_eq!(&file[start..start + raw.len()], raw, "a record is where its id says");
        bytes += raw.len() as u64;
        let again = reader.parse_one(id, raw);
        match &record {
            Err(reject)
                if matches!(
                    reject.reason,
                    RejectReason::Truncated | RejectReason::RecordTooLong | RejectReason::HeaderChanged
                ) => {}
            record => assert_eq!(everything(record), everything(&again)),
        }
    }
    let too_long = expected.iter().any(|record| record.contains("RecordTooLong"));
    assert!(too_long || bytes + records.skipped().bytes == file.len() as u64, "every byte is accounted for");
}

/// Damages a good file: each change is a place and what to put there.
fn damage(file: &[u8], changes: &[(prop::sample::Index, Vec<u8>, usize)]) -> Vec<u8> {
    let mut file = file.to_vec();
    for (place, put, take) in changes {
        let start = place.index(file.len() + 1);
        let end = (start + take).min(file.len());
        file.splice(start..end, put.iter().copied());
    }
    file
}

fn changes() -> impl Strategy<Value = Vec<(prop::sample::Index, Vec<u8>, usize)>> {
    let put = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..6),
        prop::sample::select(vec!["\"", "\n", "\r\n", ",", "\"\"", "\0", "\"\n", ",\"", "\u{feff}"])
            .prop_map(|text| text.as_bytes().to_vec()),
    ];
    proptest::collection::vec((any::<prop::sample::Index>(), put, 0_usize..20), 0..8)
}

proptest! {
    #[test]
    fn the_laws_hold_for_damaged_files(
        which in 0..good_files().len(),
        changes in changes(),
        blocks in proptest::collection::vec(1_usize..700, 1..5),
    ) {
        let (format, good) = good_files()[which];
        let reader = open(format, &dated(), good, true).unwrap();
        let file = damage(good, &changes);
        check_laws(&reader, &file, &blocks);
        if let Ok(reader) = open(format, &dated(), &file, true) {
            check_laws(&reader, &file, &blocks);
        }
    }

    #[test]
    fn the_laws_hold_for_any_bytes(
        file in proptest::collection::vec(any::<u8>(), 0..300),
        blocks in proptest::collection::vec(1_usize..50, 1..5),
    ) {
        for (format, good) in good_files() {
            check_laws(&open(format, &dated(), good, true).unwrap(), &file, &blocks);
            if let Ok(reader) = open(format, &dated(), &file, true) {
                check_laws(&reader, &file, &blocks);
            }
        }
    }
}

#[test]
fn a_line_longer_than_any_buffer_is_one_reject_and_the_next_record_is_read() {
    let good = fixture!("asterisk/cdr_csv_16_to_21_columns.csv");
    let first_line = &good[..good.iter().position(|byte| *byte == b'\n').unwrap() + 1];
    let reader = open(Format::Asterisk, &Options::default(), good, true).unwrap();
    for quote in ["", "\""] {
        let mut file = first_line.to_vec();
        file.extend_from_slice(quote.as_bytes());
        file.resize(file.len() + 3 * MAX_RECORD_BYTES, b'x');
        file.push(b'\n');
        file.extend_from_slice(first_line);
        let found = whole(&reader, &file);
        assert_eq!(found.len(), 3);
        assert!(found[1].contains("RecordTooLong"));
        // Blocks smaller than the line, and one that holds it all.
        check_laws(&reader, &file, &[64 << 10, 1 << 20]);
        check_laws(&reader, &file, &[8 << 20]);
        let reject = reader.records(0, 0, &file, true).nth(1).unwrap().unwrap_err();
        assert_eq!((reject.raw.len(), reject.id.offset()), (KEPT_OF_TOO_LONG, first_line.len() as u64));
    }
}

#[test]
fn a_record_of_a_million_columns_is_rejected() {
    let good = fixture!("asterisk/cdr_csv_16_to_21_columns.csv");
    let reader = open(Format::Asterisk, &Options::default(), good, true).unwrap();
    let file = ",".repeat(1_000_000) + "\n" + &text(good);
    let first = reader.records(0, 0, file.as_bytes(), true).next().unwrap().unwrap_err();
    assert_eq!(first.reason, RejectReason::TooManyColumns);
}

#[test]
fn a_file_with_nothing_in_it_has_no_records() {
    for format in Format::ALL {
        for file in ["", "\n\r\n\n", "\u{feff}", "\u{feff}\n"] {
            let reader = open(format, &Options::default(), file.as_bytes(), true).unwrap();
            let mut records = reader.records(0, 0, file.as_bytes(), true);
            assert!(records.next().is_none(), "{format:?} {file:?}");
            assert_eq!(records.skipped().bytes, file.len() as u64, "{format:?} {file:?}");
        }
    }
}

#[test]
fn a_file_that_is_no_text_is_refused_as_a_whole() {
    for format in Format::ALL {
        for (head, code) in [
            (&b"\xFF\xFE1\0,\0"[..], "cdr.file_utf16"),
            (b"\xFE\xFF\x001\x00,", "cdr.file_utf16"),
            (b"\x1F\x8B\x08", "cdr.file_not_text"),
            (b"PK\x03\x04", "cdr.file_not_text"),
        ] {
            let error = open(format, &Options::default(), head, false).unwrap_err();
            assert_eq!(error.code(), code);
            assert!(!error.help().is_empty() && !error.to_string().is_empty());
        }
    }
}

#[test]
fn the_other_formats_file_is_recognised() {
    for (chosen, file, looks_like) in [
        (Format::CiscoCucm, fixture!("asterisk/cdr_csv_16_to_21_columns.csv"), Format::Asterisk),
        (Format::CiscoCucm, fixture!("asterisk/gui_export_with_broken_quoting.csv"), Format::Asterisk),
        (Format::Asterisk, fixture!("cucm/names_and_types.txt"), Format::CiscoCucm),
        (Format::Asterisk, fixture!("cucm/types_only.txt"), Format::CiscoCucm),
        (Format::Asterisk, fixture!("cucm/quality_records.txt"), Format::CiscoCucm),
    ] {
        let error = open(chosen, &Options::default(), file, true).unwrap_err();
        assert!(matches!(error, FileError::WrongFormat { looks_like: found, .. } if found == looks_like), "{error}");
    }
}

#[test]
fn formats_and_layouts_are_found_by_their_names() {
    for format in Format::ALL {
        assert_eq!(Format::from_name(format.name()), Some(format));
    }
    for format in Format::ALL {
        assert!(format.layouts().iter().all(|layout| *layout != "auto"), "{format:?}");
    }
    assert_eq!(Format::from_name("avaya"), None);
}

#[test]
fn codes_of_rejects_differ() {
    let mut codes: Vec<_> = RejectReason::ALL.iter().map(|reason| reason.code()).collect();
    codes.extend(NotACall::ALL.iter().map(|reason| reason.code()));
    codes.sort_unstable();
    let count = codes.len();
    codes.dedup();
    assert_eq!(codes.len(), count);
}
