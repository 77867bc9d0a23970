//! Files of every format, as large as one likes: lines of the small files in `testdata/agree`, drawn at random, with other
//! numbers in the places of theirs. Of formats that are not there, records of other files in `testdata`.
//!
//! The same bytes every time. No two calls have the same digits, and no pattern of lines comes again, for a processor would
//! learn a file of seven lines by heart.

use std::path::Path;
use std::sync::Arc;

use rating_core::cdr::{Format, Options, Reader, Template, open};
use rating_core::finding::{Findings, SourceText};

/// A file and how to read it.
#[derive(Debug)]
pub struct Sample {
    /// The name of its folder in `testdata/agree`, or of its format and notation.
    pub name: &'static str,
    /// All of it.
    pub bytes: Vec<u8>,
    /// How many lines were drawn.
    pub records: u64,
    /// For its layout.
    pub reader: Reader,
}

/// Folder and file, format, and how many lines at the beginning are no calls.
const FILES: [(&str, &str, Format, usize); 15] = [
    ("3cx", "cdr.log", Format::ThreeCx, 0),
    ("avaya-ip-office", "smdr.csv", Format::IpOffice, 0),
    ("broadworks", "BW-CDR-20261031-2-as1-000001.csv", Format::BroadWorks, 2),
    ("delimited", "calls.txt", Format::Delimited, 0),
    ("fixed", "calls.txt", Format::Fixed, 0),
    ("freeswitch", "Master.csv", Format::FreeSwitch, 0),
    ("freeswitch-json", "calls.cdr.json", Format::FreeSwitch, 0),
    ("grandstream", "cdr.csv", Format::Grandstream, 1),
    ("kazoo", "cdrs.csv", Format::Kazoo, 1),
    ("mitel-3300", "smdr-2026-10.log", Format::Mitel, 0),
    ("opensips", "acc.log", Format::SipAcc, 0),
    ("oracle-sbc", "cdr202610", Format::OracleSbc, 0),
    ("teams", "pstn.csv", Format::Teams, 1),
    ("uk-wholesale", "20261031.csv", Format::UkWholesale, 0),
    ("yeastar", "cdr.csv", Format::Yeastar, 1),
];

/// Name, file in `testdata`, format, and what ends a record.
const OTHERS: [(&str, &str, Format, &[u8]); 2] = [
    ("broadworks-xml", "broadworks/doctype_entities_and_latin_1.xml", Format::BroadWorks, b"</cdrData>\n"),
    ("kazoo-json", "kazoo/documents_of_a_database.json", Format::Kazoo, b"\n"),
];

/// A file of every format but Asterisk and CUCM, whose calls are generated, about `bytes` long.
///
/// # Panics
///
/// If `testdata` is not where it should be.
#[must_use]
pub fn samples(bytes: usize) -> Vec<Sample> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/agree");
    FILES
        .into_iter()
        .map(|(name, file, format, header)| {
            let folder = folder.join(name);
            let text = std::fs::read(folder.join(file)).expect("a file of `testdata/agree`");
            let mut options = Options { file_name: file.to_owned(), ..Options::default() };
            if name == "opensips" {
                options.columns = ["src_user", "dst_ouser", "dst_user", "src_ip", "dst_ip"].map(str::to_owned).to_vec();
            }
            if matches!(format, Format::Delimited | Format::Fixed) {
                options.template = Some(template(&folder));
            }
            let (bytes, records) = file_of(&text, header, bytes);
            let reader = open(format, &options, &bytes, true).expect("a file of its format");
            Sample { name, bytes, records, reader }
        })
        .chain(OTHERS.into_iter().map(|(name, file, format, end)| other(name, file, (format, end), bytes)))
        .collect()
}

fn other(name: &'static str, file: &str, (format, end): (Format, &[u8]), bytes: usize) -> Sample {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata").join(file);
    let text = std::fs::read(path).expect("a file of `testdata`");
    let (mut records, mut rest) = (Vec::new(), &text[..]);
    while let Some(at) = rest.windows(end.len()).position(|found| found == end) {
        let (record, behind) = rest.split_at(at + end.len());
        records.push(record);
        rest = behind;
    }
    // Some are there because they cannot be read.
    let reader = open(format, &Options::default(), &text, true).expect("a file of its format");
    records.retain(|record| reader.records(0, 0, record, true).all(|read| read.is_ok()));
    let (bytes, records) = drawn(Vec::new(), &records, bytes);
    let reader = open(format, &Options::default(), &bytes, true).expect("a file of its format");
    Sample { name, bytes, records, reader }
}

fn template(folder: &Path) -> Arc<Template> {
    let text = std::fs::read_to_string(folder.join("template.toml")).expect("a template");
    let mut findings = Findings::default();
    let template = Template::read(&SourceText::new("template.toml", text), &mut findings);
    Arc::new(template.unwrap_or_else(|| panic!("{findings:?}")))
}

/// The header, and lines drawn at random.
fn file_of(text: &[u8], header: usize, bytes: usize) -> (Vec<u8>, u64) {
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    let (header, lines) = lines.split_at(header);
    let is_call = |line: &&&[u8]| !line.ends_with(b",,End\n");
    let lines: Vec<&[u8]> = lines.iter().filter(is_call).copied().collect();
    drawn(header.concat(), &lines, bytes)
}

/// What stands in the file, and records drawn at random.
fn drawn(mut file: Vec<u8>, lines: &[&[u8]], bytes: usize) -> (Vec<u8>, u64) {
    let (mut random, mut records) = (SplitMix(7), 0);
    while file.len() < bytes {
        let line = lines[random.below(lines.len())];
        push_with_other_digits(&mut file, line, &mut random);
        records += 1;
    }
    (file, records)
}

/// Other digits in numbers and extensions, as many as there were.
fn push_with_other_digits(file: &mut Vec<u8>, line: &[u8], random: &mut SplitMix) {
    const NUMBERS: [&[u8]; 3] = [b"4960123", b"0901820", b"0900123"];
    let (number, extension) = (random.below(9_000_000) + 1_000_000, random.below(500) + 2_000);
    let mut rest = line;
    while let Some(byte) = rest.first() {
        if NUMBERS.iter().any(|number| rest.starts_with(number)) {
            file.extend_from_slice(number.to_string().as_bytes());
            rest = &rest[7..];
        } else if rest.starts_with(b"2001") {
            file.extend_from_slice(extension.to_string().as_bytes());
            rest = &rest[4..];
        } else {
            file.push(*byte);
            rest = &rest[1..];
        }
    }
}

/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators".
struct SplitMix(u64);

impl SplitMix {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((bits ^ (bits >> 31)) % bound as u64).expect("below a bound that is a usize")
    }
}
