use super::*;

fn expect(settings: &str) -> (Option<Expect>, Vec<&'static str>) {
    let mut findings = Findings::default();
    let source = SourceText::new("rating.toml", settings);
    let section = Section::parse(&source, &mut findings);
    let expect = Expect::read(section, &mut findings);
    (expect, findings.iter().map(|finding| finding.code).collect())
}

/// The names of the gaps of October 2026 in source `s`; a file is `name` or `name#content`.
#[track_caller]
fn check(settings: &str, files: &str, expected: &[&str]) {
    let (expect, found) = expect(settings);
    assert!(found.is_empty(), "{settings}: {found:?}");
    let files: Vec<(&str, &str)> =
        files.split_whitespace().map(|file| file.split_once('#').unwrap_or((file, file))).collect();
    let gaps = of_names("s", &expect.unwrap(), Month::parse("2026-10").unwrap(), &files);
    let names: Vec<&str> = gaps.iter().map(|gap| gap.name.as_str()).collect();
    assert_eq!(names, expected, "{settings}");
}

#[test]
fn missing_numbers_are_gaps_and_repeated_ones_if_their_content_differs() {
    let name = "name = \"cdr_{sequence}.csv\"";
    check(name, "cdr_9.csv cdr_10.csv cdr_11.csv", &[]);
    check(name, "cdr_9.csv cdr_11.csv cdr_15.csv", &["s:sequence:10", "s:sequence:12-14"]);
    check(name, "a/cdr_0009.csv.gz a/cdr_0010.csv", &[]);
    // The same file under two names of one number is told as a duplicate; another content under the number is not.
    check(name, "a/cdr_9.csv#x b/cdr_9.csv#x cdr_10.csv", &[]);
    check(name, "a/cdr_9.csv#x b/cdr_9.csv#y cdr_10.csv", &["s:repeat:b/cdr_9.csv"]);
    check(name, "cdr_9.csv notes.txt", &["s:name:notes.txt"]);
}

#[test]
fn a_declared_wrap_is_no_gap_and_a_hole_over_it_is_one() {
    let name = "name = \"cdr_{sequence}\"\nwraps_after = 9999\nwraps_to = 0";
    check(name, "cdr_9998 cdr_9999 cdr_0000 cdr_0001", &[]);
    // 9999, 0 and 1 are missing: (2 + 10000 − 9999) mod 10000 = 3 files.
    check(name, "cdr_9997 cdr_9998 cdr_0002", &["s:sequence:9999-1"]);
    check(
        "name = \"{date}_{sequence}\"\nwraps_after = 99",
        "20261001_98 20261002_99 20261003_01 20261004_03",
        &["s:sequence:2"],
    );
}

#[test]
fn numbers_that_begin_again_ask_for_a_look() {
    // Undeclared: 9999 -> 1.
    check(
        "name = \"{date}_{sequence}\"",
        "20261001_9998 20261001_9999 20261002_1 20261003_2",
        &["s:restart:20261002_1"],
    );
    // Declared at 9999, but it happens at 41.
    let wraps = "name = \"{date}_{sequence}\"\nwraps_after = 9999";
    check(wraps, "20261001_40 20261001_41 20261002_1 20261002_2", &["s:restart:20261002_1"]);
}

#[test]
fn days_without_their_files_are_gaps() {
    let days = |skip: &[u32], times: u32| -> String {
        (1..=31)
            .filter(|day| !skip.contains(day))
            .flat_map(|day| (0..times).map(move |n| format!("c202610{day:02}T{n} ")))
            .collect()
    };
    check("name = \"c{date}T*\"\nfiles_a_day = 1", &days(&[], 1), &[]);
    check("name = \"c{date}T*\"\nfiles_a_day = 2", &days(&[14], 2), &["s:day:2026-10-14"]);
    // 17 and 18 October 2026 are a weekend, the 19th a Monday.
    check("name = \"c{date}T*\"\nfiles_a_day = 1\nweekends = false", &days(&[17, 18, 19], 1), &["s:day:2026-10-19"]);
}

#[test]
fn months_that_are_not_run_cannot_hold_up_this_one() {
    check("name = \"{date}_{sequence}\"", "20260801_1 20260815_7 20261001_40 20261031_41", &[]);
    // The last file of the month before tells what the first of this one should be.
    check("name = \"{date}_{sequence}\"", "20260930_38 20261001_40 20261031_41", &["s:sequence:39"]);
}

#[test]
fn mistakes_in_the_settings_are_told() {
    for (settings, codes) in [
        ("name = \"cdr.csv\"", &["settings.expect_malformed"][..]),
        ("name = \"{date}{date}\"", &["settings.expect_malformed"]),
        ("name = \"{sequence}\"\nfiles_a_day = 1", &["settings.expect_malformed"]),
        ("name = \"{date}\"\nwraps_after = 9", &["settings.expect_malformed"]),
        ("name = \"{date}\"\nfiles_a_day = 0", &["settings.expect_malformed"]),
        ("name = \"{sequence}\"\nwraps_after = 9\nwraps_to = 10", &["settings.expect_malformed"]),
        ("name = \"{date}\"\nfile_a_day = 1", &["settings.unknown_key"]),
        ("files_a_day = 1", &["settings.missing_key"]),
    ] {
        assert_eq!(expect(settings).1, codes, "{settings}");
    }
}

#[test]
fn markers_count_the_records_of_a_file_whatever_the_chunks() {
    use crate::cdr::Frame;
    let header = Frame { end: false, records: Some(3) };
    let trailer = Frame { end: true, records: Some(4) };
    let whole = |parts: &[(&[Frame], u64)]| {
        let mut all = Frames::default();
        for (frames, records) in parts {
            let mut one = Frames { records: *records, ..Frames::default() };
            frames.iter().for_each(|frame| one.add(*frame));
            all.merge(one);
        }
        all
    };
    let expected = Frames { begins: 1, ends: 1, declared: Some(4), records: 4 };
    assert_eq!(whole(&[(&[header, trailer], 4)]), expected);
    assert_eq!(whole(&[(&[header], 2), (&[], 1), (&[trailer], 1)]), expected);
    assert_eq!(whole(&[(&[trailer], 1), (&[header], 3)]), expected);
}

proptest::proptest! {
    #[test]
    fn names_never_panic(pattern in "[a*{}datesqunc0-9_é]{0,20}", name in "[a0-9_é-]{0,20}") {
        let _ = matching(&parse_name(&pattern), &name);
    }

    #[test]
    fn exactly_the_files_taken_out_are_missing(taken in proptest::collection::btree_set(101_u64..140, 0..10)) {
        let files: Vec<String> = (100..=140).filter(|number| !taken.contains(number)).map(|number| format!("c{number}")).collect();
        let paths: Vec<(&str, &str)> = files.iter().map(|file| (file.as_str(), file.as_str())).collect();
        let (expect, _) = expect("name = \"c{sequence}\"");
        let mut missing = BTreeSet::new();
        for gap in of_names("s", &expect.unwrap(), Month::parse("2026-10").unwrap(), &paths) {
            let range = gap.name.strip_prefix("s:sequence:").unwrap();
            let (from, until) = range.split_once('-').unwrap_or((range, range));
            missing.extend(from.parse::<u64>().unwrap()..=until.parse().unwrap());
        }
        proptest::prop_assert_eq!(missing, taken);
    }
}
