mod read;

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::number::Digits;
use crate::time::LocalTime;

const RECORDS: u64 = 100_000;

fn october() -> Month {
    Month::new(2026, 10).unwrap()
}

fn project(records: u64, seed: u64) -> Project {
    Project::new(Plan::new(records, seed, october())).unwrap()
}

fn text(project: &Project, records: Range<u64>) -> String {
    let mut out = Vec::new();
    project.write_cdrs(records, &mut out);
    String::from_utf8(out).unwrap()
}

/// The 17 columns of each line.
fn rows(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

const DST: usize = 2;
const CLID: usize = 4;
const START: usize = 9;
const ANSWER: usize = 10;
const END: usize = 11;
const DURATION: usize = 12;
const BILLSEC: usize = 13;
const DISPOSITION: usize = 14;
const UNIQUEID: usize = 16;

/// What kind of number was dialled, by its digits alone.
fn kind(dialled: &str) -> &'static str {
    let national = dialled.strip_prefix("+44").or_else(|| dialled.strip_prefix('0')).unwrap_or("");
    match (dialled.len(), national.as_bytes().first()) {
        (4, _) => "internal",
        _ if dialled.starts_with("00") => "international",
        (_, Some(b'1')) => "geographic",
        (_, Some(b'7')) => "mobile",
        (_, Some(b'3' | b'8')) => "service",
        other => panic!("{dialled}: {other:?}"),
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_every_machine() {
    // Checked in: a change of these lines changes every project that was ever generated, and every figure of a benchmark.
    let project = project(1_000, 42);
    let first = text(&project, 0..2);
    assert_eq!(
        first,
        "\"\",\"01632100096\",\"01735238283\",\"out\",\"2096\",\"SIP/2096-00000000\",\"SIP/gw-00000001\",\"Dial\",\"\",\
         \"2026-09-30 20:23:45\",\"2026-09-30 20:23:59\",\"2026-09-30 20:28:57\",312,298,\"ANSWERED\",3,\"1790799825.0\"\n\
         \"\",\"01632100068\",\"08719258361\",\"out\",\"2068\",\"SIP/2068-00000002\",\"SIP/gw-00000003\",\"Dial\",\"\",\
         \"2026-10-01 06:42:22\",\"2026-10-01 06:42:38\",\"2026-10-01 06:46:28\",246,230,\"ANSWERED\",3,\"1790836942.1\"\n"
    );
    assert_eq!(text(&project, 0..1_000), text(&self::project(1_000, 42), 0..1_000));
    assert_ne!(text(&project, 0..1_000), text(&self::project(1_000, 43), 0..1_000));
}

#[test]
fn however_records_are_cut_the_bytes_are_the_same() {
    let project = project(3_000, 7);
    let whole = text(&project, 0..3_000);
    assert_eq!(whole.lines().count(), 3_000);
    for cut in [1, 7, 997, 2_999] {
        let parts: Vec<String> =
            (0..3_000).step_by(cut).map(|from| text(&project, from..(from + cut as u64).min(3_000))).collect();
        assert!(whole == parts.concat(), "cut every {cut} records");
    }
    assert_eq!(text(&project, 2_990..4_000), text(&project, 2_990..3_000));
}

#[test]
fn the_mix_is_the_one_that_is_stated() {
    let text = text(&project(RECORDS, 1), 0..RECORDS);
    let rows = rows(&text);
    let mut shares: BTreeMap<String, u64> = BTreeMap::new();
    let mut count = |what: &str| *shares.entry(what.to_owned()).or_default() += 1;
    for row in &rows {
        let answered = row[DISPOSITION] == "ANSWERED";
        count(&row[DISPOSITION]);
        let kind = kind(&row[DST]);
        count(&format!("{} {kind}", if answered { "answered" } else { "unanswered" }));
        if row[CLID].contains(',') {
            count("comma in clid");
        } else if row[CLID].contains('"') {
            count("quotes in clid");
        }
        if !matches!(kind, "internal" | "international") {
            count(if row[DST].starts_with('+') { "+44" } else { "0" });
        }
        assert_eq!(row.len(), 17);
        assert_eq!(row[ANSWER].is_empty(), !answered);
        assert_eq!(row[BILLSEC] == "0", !answered);
    }
    // Of 100,000; three standard deviations of the largest share are 465.
    for (what, expected, slack) in [
        ("ANSWERED", 90_000, 400),
        ("NO ANSWER", 6_000, 300),
        ("BUSY", 2_000, 200),
        ("FAILED", 2_000, 200),
        ("answered geographic", 40_000, 500),
        ("answered mobile", 25_000, 500),
        ("answered internal", 10_000, 400),
        ("answered international", 10_000, 400),
        ("answered service", 5_000, 300),
        // Of the 10,000 not answered: 40, 25, 10 and 5 of 80.
        ("unanswered geographic", 5_000, 300),
        ("unanswered mobile", 3_125, 300),
        ("unanswered international", 1_250, 200),
        ("unanswered service", 625, 100),
        ("quotes in clid", 48_000, 500),
        ("comma in clid", 2_000, 200),
        // 5 of 100 of the 78,750 home calls; the pool makes it lumpy.
        ("+44", 3_937, 800),
    ] {
        let found = shares.get(what).copied().unwrap_or(0);
        assert!(found.abs_diff(expected) <= slack, "{what}: {found}, expected {expected} give or take {slack}");
    }
    assert_eq!(shares.get("unanswered internal"), None);
    // The record's length decides what a benchmark measures: 200 bytes, give or take 3.
    assert!((197..=203).contains(&(text.len() as u64 / RECORDS)), "{} bytes a record", text.len() as u64 / RECORDS);
}

#[test]
fn times_of_a_record_agree_and_nearly_all_are_in_the_month() {
    let rows = rows(&text(&project(RECORDS, 1), 0..RECORDS));
    let second = |text: &str| LocalTime::parse(text.as_bytes()).unwrap().as_millis() / 1_000;
    let (first, end) = october().days();
    let (mut outside, mut talk, mut weekend) = (0, 0, 0);
    for row in &rows {
        let (started, ended) = (second(&row[START]), second(&row[END]));
        let duration: i64 = row[DURATION].parse().unwrap();
        let billsec: i64 = row[BILLSEC].parse().unwrap();
        assert_eq!(ended - started, duration);
        assert!((3..=22).contains(&(duration - billsec)) && billsec <= 7_200, "{row:?}");
        if !row[ANSWER].is_empty() {
            assert_eq!(second(&row[ANSWER]) + billsec, ended);
        }
        assert!(row[UNIQUEID].starts_with(&format!("{started}.")), "{row:?}");
        outside +=
            usize::from(ended < first.midnight().as_millis() / 1_000 || ended >= end.midnight().as_millis() / 1_000);
        weekend += usize::from(LocalTime::parse(row[END].as_bytes()).unwrap().date().weekday().index() >= 5);
        talk += billsec;
    }
    // Six evening hours before a Thursday and six night hours of a Sunday, of 22 working days' weight: 0.5 %.
    assert!((200..1_500).contains(&outside), "{outside} outside the month");
    // Nine weekend days at 15 %, 22 working days: 1.35 / 23.35 = 5.8 %.
    assert!((5_300..6_300).contains(&weekend), "{weekend} at weekends");
    // 90,000 answered calls of 1 + 149.5 s, cut at two hours.
    assert!((145..156).contains(&(talk / 90_000)), "{} s a call", talk / 90_000);
}

#[test]
fn one_record_in_two_thousand_is_a_copy_of_one_shortly_before() {
    let text = text(&project(RECORDS, 1), 0..RECORDS);
    let mut last_seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut copies = 0;
    for (number, line) in text.lines().enumerate() {
        if let Some(before) = last_seen.insert(line, number) {
            copies += 1;
            assert!(number - before <= 997 * 3, "a copy of a copy of a copy at most");
        }
    }
    // 50, give or take three standard deviations.
    assert!((29..=71).contains(&copies), "{copies} copies");
    let unique: BTreeSet<String> = rows(&text).into_iter().map(|mut row| row.swap_remove(UNIQUEID)).collect();
    assert_eq!(unique.len(), RECORDS as usize - copies, "two records share an id only if one is a copy");
}

#[test]
fn every_outside_number_has_a_price() {
    for records in [1_000, RECORDS] {
        let project = project(records, 3);
        let prefixes: BTreeSet<Digits> = project.deck().prefixes.iter().map(|prefix| prefix.digits).collect();
        let mut below_break_out = 0;
        let mut international = 0;
        for row in rows(&text(&project, 0..records)) {
            let dialled = &row[DST];
            let digits = match kind(dialled) {
                "internal" => continue,
                "international" => dialled.trim_start_matches("00").to_owned(),
                _ => format!("44{}", dialled.trim_start_matches("+44").trim_start_matches('0')),
            };
            let number = Digits::parse(digits.as_bytes()).unwrap();
            let found = (1..=9).rev().find(|length| prefixes.contains(&number.prefix(*length)));
            let length = found.unwrap_or_else(|| panic!("no prefix for {dialled}"));
            if kind(dialled) == "international" {
                international += 1;
                below_break_out += u64::from(length > 3);
            }
        }
        assert!(below_break_out * 10 > international * 7, "{below_break_out} of {international}");
    }
}

#[test]
fn the_deck_has_the_rows_asked_for_and_prices_by_destination() {
    let deck = Deck::new(1, 60_000);
    assert_eq!(deck.prefixes.len(), 60_000);
    assert!(deck.prefixes.iter().all(|prefix| (1..=9).contains(&prefix.digits.len())));
    let distinct: BTreeSet<Digits> = deck.prefixes.iter().map(|prefix| prefix.digits).collect();
    assert_eq!(distinct.len(), 60_000);
    assert!((9_000..11_500).contains(&deck.destinations.len()), "{} destinations", deck.destinations.len());
    let used: BTreeSet<u32> = deck.prefixes.iter().map(|prefix| prefix.destination).collect();
    assert_eq!(used.len(), deck.destinations.len());
    let increments = |wanted: (u64, u64)| {
        deck.destinations.iter().filter(|destination| destination.increments_s == wanted).count() * 100
            / deck.destinations.len()
    };
    // A quarter, a quarter and a half.
    assert!((22..=28).contains(&increments((60, 60))));
    assert!((22..=28).contains(&increments((30, 6))));
    assert!((46..=54).contains(&increments((1, 1))));
    assert_eq!(Deck::new(1, 3_000).prefixes.len(), 3_000);
    assert_eq!(Deck::new(1, 10).prefixes.len(), deck::FEWEST as usize);
}

#[test]
fn every_number_has_one_holder_on_every_day() {
    let project = project(RECORDS, 1);
    let (first, end) = october().days();
    let mut held: BTreeMap<(u64, i32), u64> = BTreeMap::new();
    let mut changed: BTreeSet<u64> = BTreeSet::new();
    for allocation in project.allocations() {
        let site = &project.sites()[allocation.site];
        assert_eq!(
            allocation.first_number - site.first_number,
            allocation.first_extension - site.first_extension,
            "number and extension go together"
        );
        for number in allocation.first_number..allocation.first_number + allocation.numbers {
            let from = allocation.from.unwrap_or(first).days();
            let until = allocation.until.unwrap_or(end).days();
            assert!(first.days() <= from && from < until && until <= end.days());
            if allocation.from.is_some() {
                changed.insert(number);
            }
            for day in from..until {
                assert_eq!(held.insert((number, day), allocation.occupier), None, "{number} held twice");
            }
        }
    }
    assert_eq!(held.len(), 20_000 * 31);
    assert!((500..700).contains(&changed.len()), "{} numbers change hands", changed.len());
    let occupiers: BTreeSet<u64> = held.values().copied().collect();
    assert_eq!(occupiers.len(), 500);
    assert_eq!(occupier_id(499), "occ500");
}

#[test]
fn files_hold_every_record_once_and_a_daily_file_its_day() {
    let daily = project(20_000, 5);
    let parts = Project::new(Plan { files: Files::PerSite(7), ..*daily.plan() }).unwrap();
    for project in [&daily, &parts] {
        let mut next = 0;
        for file in project.cdr_files() {
            assert_eq!(file.records.start, next, "{}", file.path);
            next = file.records.end;
        }
        assert_eq!(next, 20_000);
        let paths: BTreeSet<String> = project.cdr_files().into_iter().map(|file| file.path).collect();
        assert_eq!(paths.len(), project.cdr_files().len());
    }
    assert_eq!(parts.cdr_files().len(), 4 * 7);
    for file in daily.cdr_files() {
        let day = &file.path[file.path.len() - 14..file.path.len() - 4];
        let rows = rows(&text(&daily, file.records.clone()));
        let others = rows.iter().filter(|row| !row[END].starts_with(day)).count();
        // Copies of the evening before may stand among the first of a day.
        assert!(others <= 2, "{}: {others} records of other days", file.path);
    }
}

#[test]
fn plans_that_cannot_be_are_refused() {
    let plan = Plan::new(1_000, 1, october());
    let refused = |plan: Plan| Project::new(plan).unwrap_err();
    assert_eq!(refused(Plan { sites: 0, ..plan }), PlanError::Sites { most: 12 });
    assert_eq!(refused(Plan { sites: 13, ..plan }), PlanError::Sites { most: 12 });
    assert_eq!(refused(Plan { numbers: 3, ..plan }), PlanError::Numbers { most_a_site: 7_000 });
    assert_eq!(refused(Plan { numbers: 100_000, ..plan }), PlanError::Numbers { most_a_site: 7_000 });
    assert_eq!(refused(Plan { occupiers: 0, ..plan }), PlanError::Occupiers);
    assert_eq!(refused(Plan { files: Files::PerSite(0), ..plan }), PlanError::Files);
    let empty = Project::new(Plan { records: 0, ..plan }).unwrap();
    assert_eq!(empty.cdr_files(), []);
    assert_eq!(text(&empty, 0..10), "");
}
