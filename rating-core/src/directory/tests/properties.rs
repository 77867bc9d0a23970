//! What is compiled answers as a plain scan of the rows does, whatever the rows.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::OnceLock;

use proptest::prelude::*;

use super::super::{Directory, Files, Lookup, Operator, Site};
use super::{digits, number, operator, sites};
use crate::finding::{Findings, SourceText};
use crate::ids::SiteId;
use crate::time::{Duration, Instant};

const HOUR_MS: i64 = 3_600_000;
const PAYERS: [&str; 3] = ["harbour", "acme", "birch"];

/// A row in small integers, so that rows touch and overlap often.
#[derive(Clone, Debug)]
struct Plain {
    payer: usize,
    /// Last two digits of the first number, and how many there are; `None` for an extension alone.
    numbers: Option<(u32, u32)>,
    extension: Option<u32>,
    /// Hours; `None` is open.
    from: Option<i64>,
    until: Option<i64>,
    /// Index of the row that it supersedes.
    supersedes: Option<usize>,
}

fn rows() -> impl Strategy<Value = Vec<Plain>> {
    let row = (
        0..3_usize,
        proptest::option::weighted(0.8, (1..12_u32, 1..5_u32)),
        proptest::option::of(200..206_u32),
        proptest::option::of(0..6_i64),
        proptest::option::of(1..6_i64),
        proptest::option::weighted(0.3, any::<prop::sample::Index>()),
    );
    prop::collection::vec(row, 1..8).prop_map(|rows| {
        let mut superseded = BTreeSet::new();
        rows.into_iter()
            .enumerate()
            .map(|(index, (payer, numbers, extension, from, length, supersedes))| Plain {
                payer,
                numbers,
                extension: extension.or(if numbers.is_none() { Some(203) } else { None }),
                from,
                until: length.map(|length| from.unwrap_or(0) + length),
                // Rows are recorded one after another, and each is superseded once at most.
                supersedes: supersedes
                    .filter(|_| index > 0)
                    .map(|supersedes| supersedes.index(index))
                    .filter(|old| superseded.insert(*old)),
            })
            .collect()
    })
}

fn hour(hour: i64) -> Instant {
    Instant::from_millis(1_780_000_000_000 / HOUR_MS * HOUR_MS + hour * HOUR_MS)
}

/// When the row of that index was recorded.
fn recorded(index: usize) -> Instant {
    hour(1_000 + i64::try_from(index).unwrap())
}

fn files(rows: &[Plain]) -> Files {
    let mut text = super::ALLOCATIONS.to_owned();
    let bound = |at: Option<i64>| at.map_or_else(String::new, |at| hour(at).to_rfc3339());
    for (index, row) in rows.iter().enumerate() {
        let (first, last) = match row.numbers {
            Some((first, 1)) => (format!("+4420794600{first:02}"), String::new()),
            Some((first, count)) => (format!("+4420794600{first:02}"), format!("+4420794600{:02}", first + count - 1)),
            None => (String::new(), String::new()),
        };
        let extension = row.extension.map_or_else(String::new, |extension| extension.to_string());
        let supersedes = row.supersedes.map_or_else(String::new, |old| format!("r{old}"));
        writeln!(
            text,
            "r{index},{},ldn,{first},{last},{extension},{},{},{},{supersedes}",
            PAYERS[row.payer],
            bound(row.from),
            bound(row.until),
            recorded(index).to_rfc3339(),
        )
        .unwrap();
    }
    Files { allocations: vec![SourceText::new("allocations.csv", text)], ..super::files("") }
}

/// The scan.
impl Plain {
    fn is_valid_at(&self, at: Instant) -> bool {
        self.from.is_none_or(|from| hour(from) <= at) && self.until.is_none_or(|until| at < hour(until))
    }

    /// Its extension for a number, or `None` if the number is not its own.
    fn holds(&self, last_digits: u32) -> Option<Option<u32>> {
        let (first, count) = self.numbers?;
        (first..first + count).contains(&last_digits).then(|| self.extension.map(|own| own + (last_digits - first)))
    }

    fn rings(&self, extension: u32) -> bool {
        let count = self.numbers.map_or(1, |(_, count)| count);
        self.extension.is_some_and(|first| (first..first + count).contains(&extension))
    }
}

fn believed(rows: &[Plain], known_at: Option<usize>) -> Vec<&Plain> {
    let is_known = |index: usize| known_at.is_none_or(|last| index <= last);
    rows.iter()
        .enumerate()
        .filter(|(index, _)| is_known(*index))
        .filter(|(index, _)| !rows.iter().enumerate().any(|(new, row)| is_known(new) && row.supersedes == Some(*index)))
        .map(|(_, row)| row)
        .collect()
}

/// Every bound of every row, and a millisecond before and after.
fn instants() -> impl Iterator<Item = Instant> {
    (-1..12_i64).flat_map(|at| [-1, 0, 1].map(|millis| hour(at).plus(Duration::from_millis(millis))))
}

fn read(files: &Files, known_at: Option<usize>) -> (Directory, BTreeSet<&'static str>) {
    static PROJECT: OnceLock<(Operator, Vec<Site>)> = OnceLock::new();
    let (operator, sites) = PROJECT.get_or_init(|| (operator(), sites()));
    let mut findings = Findings::default();
    let directory = Directory::read(files, operator, sites, known_at.map(recorded), &mut findings);
    (directory, findings.iter().map(|finding| finding.code).collect())
}

proptest! {
    #[test]
    fn the_compiled_directory_answers_as_a_scan_does(rows in rows()) {
        let files = files(&rows);
        for known_at in (0..rows.len()).map(Some).chain([None]) {
            let (directory, codes) = read(&files, known_at);
            let believed = believed(&rows, known_at);
            let mut expected = BTreeSet::new();
            for at in instants() {
                let valid = || believed.iter().filter(|row| row.is_valid_at(at));
                for last_digits in 0..20 {
                    let found: Vec<_> = valid().filter_map(|row| Some((row.payer, row.holds(last_digits)?))).collect();
                    if found.len() > 1 {
                        expected.insert("directory.number_held_twice");
                    } else if codes.is_empty() {
                        let asked = number(&format!("+4420794600{last_digits:02}"));
                        let answer = match directory.number_at(asked, at) {
                            Lookup::Held { payer, site: SiteId(0), number, extension, main: false } => {
                                prop_assert_eq!(number, Some(asked));
                                Some((directory.payers()[payer.index()].id.as_str(), extension))
                            }
                            Lookup::NotAllocated { site: SiteId(0), main } => {
                                prop_assert_eq!(main, last_digits == 0);
                                None
                            }
                            other => return Err(TestCaseError::fail(format!("{other:?}"))),
                        };
                        let scanned = found.first().map(|(payer, extension)| {
                            (PAYERS[*payer], extension.map(|extension| digits(&extension.to_string())))
                        });
                        prop_assert_eq!(answer, scanned, "{} at {:?} known {:?}", asked, at, known_at);
                    }
                }
                for extension in 199..212 {
                    let found: BTreeSet<usize> =
                        valid().filter(|row| row.rings(extension)).map(|row| row.payer).collect();
                    if found.len() > 1 {
                        expected.insert("directory.extension_held_twice");
                    } else if codes.is_empty() {
                        let answer = match directory.extension_at(SiteId(0), digits(&extension.to_string()), at) {
                            Lookup::Held { payer, .. } => Some(directory.payers()[payer.index()].id.as_str()),
                            _ => None,
                        };
                        let scanned = found.first().map(|payer| PAYERS[*payer]);
                        prop_assert_eq!(answer, scanned, "extension {} at {:?} known {:?}", extension, at, known_at);
                    }
                }
            }
            prop_assert_eq!(&codes, &expected, "known {:?}", known_at);
        }
    }

    /// Whatever is written in the cells, reading ends, and every complaint has a place.
    #[test]
    fn no_text_stops_the_reader(
        cells in prop::collection::vec(prop::sample::select(vec![
            "", "a1", "a2", "acme", "harbour", "ldn", "nyc", "+442079460001", "+442079460099", "+12125550100",
            "999999999999999", "100000000000000", "0", "201", "999999999999999", "2026-07-01", "1900-01-01",
            "2199-12-31", "2026-07-01T00:00:00.001Z", "\"", "\u{0}", "é",
        ]), 0..60),
        others in "\\PC{0,200}",
    ) {
        let rows: String = cells.chunks(10).map(|row| row.join(",") + "\n").collect();
        let allocations = SourceText::new("allocations.csv", format!("{}{rows}", super::ALLOCATIONS));
        let numbers = format!("number,last,site,kind\n100000000000000,999999999999999,ldn,\n{others}\n");
        let files = Files {
            allocations: vec![allocations],
            numbers: vec![SourceText::new("numbers.csv", numbers)],
            contracts: vec![SourceText::new("contracts.csv", others.clone())],
            services: vec![SourceText::new("services.csv", format!("id,contract,lines\n{others}"))],
            ..super::files("")
        };
        static PROJECT: OnceLock<(Operator, Vec<Site>)> = OnceLock::new();
        let (operator, sites) = PROJECT.get_or_init(|| (operator(), sites()));
        let mut findings = Findings::default();
        let _ = Directory::read(&files, operator, sites, None, &mut findings);
        for finding in findings.iter() {
            prop_assert!(!finding.place().is_empty(), "{}", finding);
        }
    }
}
