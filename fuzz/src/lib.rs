//! The laws of reading CDRs, as assertions for the fuzz targets.

use rating_core::cdr::records::{LineEnd, MIN_BUFFER_BYTES};
use rating_core::cdr::{Cdr, Format, Options, Reader, Reject, RejectReason, Template, open};
use rating_core::finding::{Findings, SourceText};

/// Files of the repository that open, so that damaged records meet every layout and not only what the bytes show.
const ASTERISK: [&[u8]; 3] = [
    include_bytes!("../../testdata/asterisk/cdr_csv_16_to_21_columns.csv"),
    include_bytes!("../../testdata/asterisk/freepbx_table_all_widths.csv"),
    include_bytes!("../../testdata/asterisk/gui_export_with_broken_quoting.csv"),
];
const CUCM: [&[u8]; 2] = [
    include_bytes!("../../testdata/cucm/names_and_types.txt"),
    include_bytes!("../../testdata/cucm/quality_records.txt"),
];
const FREESWITCH: [&[u8]; 3] = [
    include_bytes!("../../testdata/freeswitch/example_template_legs_ab.csv"),
    include_bytes!("../../testdata/freeswitch/names_that_break_the_quotes.csv"),
    include_bytes!("../../testdata/freeswitch/documents_of_both_legs.json"),
];
const BROADWORKS: [&[u8]; 2] = [
    include_bytes!("../../testdata/broadworks/version_line_markers_and_calls.csv"),
    include_bytes!("../../testdata/broadworks/doctype_entities_and_latin_1.xml"),
];
const KAZOO: [&[u8]; 3] = [
    include_bytes!("../../testdata/kazoo/legs_of_three_interactions.csv"),
    include_bytes!("../../testdata/kazoo/names_with_commas.csv"),
    include_bytes!("../../testdata/kazoo/documents_of_a_database.json"),
];
const OPENSIPS: [&[u8]; 2] = [
    include_bytes!("../../testdata/opensips/table_with_header_twice.csv"),
    include_bytes!("../../testdata/opensips/kamailio_cdrs.csv"),
];
const ORACLE_SBC: [&[u8]; 1] = [include_bytes!("../../testdata/oracle-sbc/quotes_that_nobody_escaped.csv")];
const THREE_CX: [&[u8]; 2] = [
    include_bytes!("../../testdata/3cx/who_pays_for_forwarded_and_transferred_calls.csv"),
    include_bytes!("../../testdata/3cx/semicolons_inside_and_between.csv"),
];
const IP_OFFICE: [&[u8]; 2] = [
    include_bytes!("../../testdata/ip_office/names_with_commas.csv"),
    include_bytes!("../../testdata/ip_office/collector_stamps_before_the_lines.log"),
];
const MITEL: [&[u8]; 3] = [
    include_bytes!("../../testdata/mitel/standard_90_columns.txt"),
    include_bytes!("../../testdata/mitel/extended_139_columns.txt"),
    include_bytes!("../../testdata/mitel/level_2_207_columns.txt"),
];
const UK_WHOLESALE: [&[u8]; 2] = [
    include_bytes!("../../testdata/uk-wholesale/header-and-42-columns.csv"),
    include_bytes!("../../testdata/uk-wholesale/no-header-30-columns.csv"),
];
const TEAMS: [&[u8]; 2] = [
    include_bytes!("../../testdata/teams/pstn-graph-names.csv"),
    include_bytes!("../../testdata/teams/direct-routing-export-titles.csv"),
];
const YEASTAR: [&[u8]; 1] = [include_bytes!("../../testdata/yeastar/names-in-number-columns.csv")];
const GRANDSTREAM: [&[u8]; 1] = [include_bytes!("../../testdata/grandstream/main-and-sub-records.csv")];

/// Templates and the files they read. None has date records: what such a record says depends on those before it.
const TEMPLATES: [(&str, &[u8]); 4] = [
    (include_str!("../../testdata/templates/plain.toml"), include_bytes!("../../testdata/templates/plain.csv")),
    (
        include_str!("../../testdata/templates/comma-and-blank.toml"),
        include_bytes!("../../testdata/templates/comma-and-blank.csv"),
    ),
    (
        include_str!("../../testdata/templates/fixed-positions.toml"),
        include_bytes!("../../testdata/templates/fixed-positions.txt"),
    ),
    (
        include_str!("../../testdata/templates/partial-and-complete.toml"),
        include_bytes!("../../testdata/templates/partial-and-complete.csv"),
    ),
];

/// Checks every law for any bytes read by a template; the bytes are read as a template, too.
pub fn check_template(data: &[u8]) {
    let Some((&first, file)) = data.split_first() else { return };
    let read = |text: &str| Template::read(&SourceText::new("template.toml", text), &mut Findings::default());
    if let Ok(text) = std::str::from_utf8(file) {
        let _ = read(text);
    }
    let (text, known) = TEMPLATES[usize::from(first & 3)];
    let template = read(text).expect("a template of the repository is right");
    let format = template.format();
    let options = Options { template: Some(template.into()), ..Options::default() };
    let block = usize::from(first >> 2) * 7 + 1;
    if let Ok(reader) = open(format, &options, file, true) {
        check_laws(&reader, file, block);
    }
    let reader = open(format, &options, known, true).expect("a file of the repository opens");
    check_laws(&reader, file, block);
}

/// Checks every law for any bytes. The first byte says how the file is cut and which reader reads it.
pub fn check(format: Format, data: &[u8]) {
    let Some((&first, file)) = data.split_first() else { return };
    let block = usize::from(first >> 2) * 7 + 1;
    // The date is for formats that write no year.
    let options = Options { file_name: "calls-2026-10-06.log".into(), ..Options::default() };
    if let Ok(reader) = open(format, &options, file, true) {
        check_laws(&reader, file, block);
    }
    let known: &[&[u8]] = match format {
        Format::Asterisk => &ASTERISK,
        Format::CiscoCucm => &CUCM,
        Format::FreeSwitch => &FREESWITCH,
        Format::Kazoo => &KAZOO,
        Format::BroadWorks => &BROADWORKS,
        Format::SipAcc => &OPENSIPS,
        Format::OracleSbc => &ORACLE_SBC,
        Format::UkWholesale => &UK_WHOLESALE,
        Format::Teams => &TEAMS,
        Format::Yeastar => &YEASTAR,
        Format::Grandstream => &GRANDSTREAM,
        Format::ThreeCx => &THREE_CX,
        Format::IpOffice => &IP_OFFICE,
        Format::Mitel => &MITEL,
        _ => return,
    };
    let known = known[usize::from(first & 3) % known.len()];
    let reader = open(format, &options, known, true).expect("a file of the repository opens");
    check_laws(&reader, file, block);
}

/// Records come in order, are where their ids say, cover the file, read again alike, and do not depend on the blocks.
fn check_laws(reader: &Reader, file: &[u8], block: usize) {
    let mut expected = Vec::new();
    let mut records = reader.records(0, 0, file, true);
    let mut bytes = 0;
    let mut previous = None;
    let mut too_long = false;
    for record in &mut records {
        let (id, raw) = match &record {
            Ok(cdr) => (cdr.id, cdr.raw),
            Err(reject) => (reject.id, reject.raw),
        };
        assert!(previous < Some(id), "records out of order");
        previous = Some(id);
        let start = usize::try_from(id.offset()).expect("the file is in memory");
        assert_eq!(&file[start..start + raw.len()], raw, "record not where its id says");
        bytes += raw.len() as u64;
        let text = everything(&record);
        match &record {
            Err(reject) if reject.reason == RejectReason::RecordTooLong => too_long = true,
            Err(reject) if matches!(reject.reason, RejectReason::Truncated | RejectReason::HeaderChanged) => {}
            _ => assert_eq!(text, everything(&reader.parse_one(id, raw)), "read again differently"),
        }
        expected.push(text);
    }
    assert!(too_long || bytes + records.skipped().bytes == file.len() as u64, "bytes unaccounted for");
    assert_eq!(in_blocks(reader, file, block), expected, "records depend on the blocks");
}

fn in_blocks(reader: &Reader, file: &[u8], block: usize) -> Vec<String> {
    let end_of_line = if reader.line_end() == LineEnd::Lf { b'\n' } else { b'\r' };
    let mut found = Vec::new();
    let (mut base, mut read) = (0, 0);
    while base < file.len() {
        read = (read + block).min(file.len());
        let last = read == file.len();
        let buffer = &file[base..read];
        let point = reader.split_point(buffer, last);
        if point == 0 && buffer.len() >= MIN_BUFFER_BYTES {
            found.push(everything(&Err(reader.too_long(0, base as u64, buffer))));
            base += file[base..].iter().position(|byte| *byte == end_of_line).map_or(file.len() - base, |at| at + 1);
            read = read.max(base);
            continue;
        }
        found.extend(reader.records(0, base as u64, &buffer[..point], last).map(|record| everything(&record)));
        base += point;
    }
    found
}

fn everything(record: &Result<Cdr, Reject>) -> String {
    match record {
        Ok(cdr) => format!("{cdr:?}"),
        Err(reject) => format!("{reject:?}"),
    }
}
