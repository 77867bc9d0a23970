use super::super::tests::{fixture, lines, text};
use super::super::{Cdr, End, FileError, Format, Kind, Options, Reader, Stamp, open};

fn options(file_name: &str) -> Options {
    Options { file_name: file_name.into(), ..Options::default() }
}

fn reader(file: &[u8]) -> Reader {
    open(Format::Mitel, &options("smdr-2026-10-06.log"), file, true).unwrap()
}

/// Asserts the layout and one line per record.
#[track_caller]
fn check(file: &[u8], layout: &str, describe: fn(&Cdr) -> String, expected: &[&str]) {
    assert_eq!(reader(file).layout_name(), layout);
    assert_eq!(lines(Format::Mitel, &options("smdr-2026-10-06.log"), file, describe), expected);
}

fn side(end: End) -> &'static str {
    match end {
        End::Untold => "?",
        End::Inside => "in",
        End::Outside => "out",
    }
}

/// Who called whom, where they are and by which trunks, who sent it on, and how long they talked.
fn call(cdr: &Cdr) -> String {
    let [caller, callee] = cdr.ends.map(side);
    let mut line = format!("{caller} {} {} > ", text(cdr.calling), text(cdr.ingress));
    line += &format!("{callee} {} {}", text(cdr.dialled), text(cdr.egress));
    if !cdr.forwarder.is_empty() {
        line += &format!(", for {}", text(cdr.forwarder));
    }
    if !cdr.account.is_empty() {
        line += &format!(", account {}", text(cdr.account));
    }
    line + &if cdr.answered { format!(": {}", cdr.talk) } else { ": no answer".to_owned() }
}

fn time(cdr: &Cdr) -> String {
    match cdr.setup {
        Some(Stamp::Local(local)) => local.to_string(),
        other => format!("{other:?}"),
    }
}

/// Without ANI and DNIS.
const CALLS: [&str; 9] = [
    "in 2001  > out 02079460958 T054: 60s",
    "in 2002  > out 901632960123 X999, account 4711: 45s",
    "out  T102 > in 2001 : 142s",
    "out  T102 > in 2001 : no answer",
    "in 2001  > out 02079460958 T054: no answer",
    "in 2001  > out 02079460958 T054: no answer",
    "in 2001  > in 2002 : 600s",
    "out  T102 > out 07700900123 T054, for 2003: 300s",
    "in ATT1  > out 07700900124 T054, for 2004: 1800s",
];

fn with_ani() -> Vec<String> {
    CALLS.iter().map(|line| line.replace("out  T102 > in", "out 1614960123 T102 > in")).collect()
}

#[test]
fn the_layout_is_where_the_separators_stand() {
    check(fixture!("mitel/standard_90_columns.txt"), "standard", call, &CALLS);
    let expected = with_ani();
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    check(fixture!("mitel/standard_131_columns.txt"), "standard", call, &expected);
    check(fixture!("mitel/extended_139_columns.txt"), "extended", call, &expected);
    check(fixture!("mitel/level_1_169_columns.txt"), "level_1", call, &expected);
    check(fixture!("mitel/level_2_207_columns.txt"), "level_2", call, &expected);
}

#[test]
fn lines_may_lack_their_trailing_blanks() {
    check(fixture!("mitel/trailing_blanks_cut_off_by_an_editor.txt"), "level_2", call, &CALLS);
}

#[test]
fn a_layout_named_in_the_settings_is_taken() {
    let options = Options { layout: Some("standard".into()), ..options("smdr-2026-10-06.log") };
    let file = fixture!("mitel/level_2_207_columns.txt");
    // Nothing fits, and nothing else claims the file.
    assert_eq!(open(Format::Mitel, &options, file, true).unwrap().layout_name(), "standard");
    assert!(lines(Format::Mitel, &options, file, call).iter().all(|line| line == "malformed 0"));
}

#[test]
fn stretches_of_a_call_share_call_id_and_day() {
    fn part(cdr: &Cdr) -> String {
        match cdr.kind {
            Kind::Part(part) => format!("{} {} {:?}", text(part.group[0]), text(part.group[1]), part.role),
            other => format!("{other:?}"),
        }
    }
    check(
        fixture!("mitel/transferred_calls_in_stretches.txt"),
        "level_2",
        part,
        &[
            "B0000201 10/05 Segment { number: 0, more: false }",
            "B0000201 10/05 Segment { number: 0, more: false }",
            "B0000202 10/05 Segment { number: 0, more: false }",
            "B0000202 10/05 Segment { number: 0, more: false }",
        ],
    );
    // Without seconds the letters count.
    let first = |cdr: &Cdr| part(cdr).split_once(" 10/05 ").map(|(_, role)| role.to_owned()).unwrap_or_default();
    let role = &lines(Format::Mitel, &options("smdr2026"), fixture!("mitel/level_1_169_columns.txt"), first)[0];
    assert_eq!(role, "Segment { number: 1, more: false }");
    let key = |cdr: &Cdr| cdr.key.map(text).join("|");
    let keys = lines(Format::Mitel, &options("smdr2026"), fixture!("mitel/transferred_calls_in_stretches.txt"), key);
    assert_eq!(keys[1], "B0000201|B|10/05 10:01:00 |0000:04:00|2005|02079460958");
    // Without a call id the line is its own key.
    check(fixture!("mitel/over_new_year.txt"), "level_2", |cdr| (cdr.key[0] == cdr.raw).to_string(), &["true"; 2]);
}

#[test]
fn the_year_is_that_of_the_settings_or_the_nearest_to_the_files_name() {
    let file = fixture!("mitel/over_new_year.txt");
    let times = |options: &Options| lines(Format::Mitel, options, file, time);
    assert_eq!(times(&options("smdr-2027-01-01.log")), ["2026-12-31T23:59:30", "2027-01-01T00:01:00"]);
    assert_eq!(times(&options("smdr-2026-12-31.log")), ["2026-12-31T23:59:30", "2027-01-01T00:01:00"]);
    let set = Options { year: Some(2025), ..options("smdr-2027-01-01.log") };
    assert_eq!(times(&set), ["2025-12-31T23:59:30", "2025-01-01T00:01:00"]);
    assert_eq!(open(Format::Mitel, &options("smdr.log"), file, true).unwrap_err(), FileError::YearUnknown);
}

#[test]
fn p_is_the_afternoon_and_12_without_it_the_hour_after_midnight() {
    let file = fixture!("mitel/twelve_hour_clock.txt");
    check(
        file,
        "standard",
        time,
        &["2026-10-05T00:30:00", "2026-10-05T09:15:00", "2026-10-05T12:45:00", "2026-10-05T15:27:00"],
    );
    assert!(reader(file).notes().minutes_only);
    assert!(!reader(fixture!("mitel/over_new_year.txt")).notes().minutes_only);
}

#[test]
fn what_cannot_be_read_says_why() {
    check(
        fixture!("mitel/rejected_each_for_its_reason.txt"),
        "level_2",
        call,
        &[
            "in 2001  > out 02079460958 T054: 60s",
            "time_malformed 2",
            "time_malformed 2",
            "time_malformed 2",
            "duration_implausible 18",
            "duration_implausible 18",
            "malformed 0",
            "malformed 0",
            "duration_malformed 18",
            // Cut off in the middle of the number: it must not be charged as a shorter one.
            "truncated 0",
        ],
    );
}

#[test]
fn lines_are_taken_for_granted_if_duration_and_system_id_stand_in_place() {
    let sign = |file| {
        let found = super::super::recognise(file, true);
        assert_eq!(found[0].0, Format::Mitel);
        (found[0].1.layout.clone(), found[0].1.certainty)
    };
    assert_eq!(sign(fixture!("mitel/level_1_169_columns.txt")), ("level_1".into(), 90));
    // Without a duration nothing tells the layouts apart for certain.
    assert_eq!(sign(b" 10/05 09:00           2001      02079460958\n"), ("standard".into(), 50));
    let error = open(Format::Asterisk, &Options::default(), fixture!("mitel/standard_90_columns.txt"), true);
    assert!(matches!(error, Err(FileError::WrongFormat { looks_like: Format::Mitel, .. })));
}
