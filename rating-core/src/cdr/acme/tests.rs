use super::super::tests::{fixture, lines, text};
use super::super::{Cdr, FileError, Format, Kind, Options, Part, Stamp, open, recognise};

fn time(stamp: Option<Stamp>) -> String {
    match stamp {
        Some(Stamp::Instant(instant)) => instant.to_rfc3339(),
        Some(Stamp::Local(local)) => local.to_string(),
        None => "-".into(),
    }
}

/// Who called whom and how long.
fn call(cdr: &Cdr) -> String {
    let answered = if cdr.answered { "" } else { " not answered" };
    format!("{}>{} {}{answered}", text(cdr.calling), text(cdr.dialled), cdr.talk)
}

fn kind(cdr: &Cdr) -> String {
    match cdr.kind {
        Kind::Part(Part { group, role }) => format!("{role:?} {}", text(&group.join(&b' ')).trim_end()),
        Kind::NotACall(why) => why.code().into(),
        kind => format!("{kind:?}"),
    }
}

#[track_caller]
fn check(file: &[u8], describe: fn(&Cdr) -> String, expected: &[&str]) {
    assert_eq!(lines(Format::OracleSbc, &Options::default(), file, describe), expected);
}

const USUAL: &str = "+442079460101>+441632960123 61s";

#[test]
fn what_stands_behind_the_realms_does_not_matter() {
    let file = fixture!("oracle-sbc/stop_records_of_175_and_269_columns.csv");
    check(file, call, &[USUAL, USUAL, USUAL, "column_count 0"]);
    let realms = |cdr: &Cdr| format!("{}>{}", text(cdr.ingress), text(cdr.egress));
    assert_eq!(lines(Format::OracleSbc, &Options::default(), file, realms)[0], "tenants>carrier");
}

#[test]
fn start_and_interim_records_have_their_columns_elsewhere() {
    let file = fixture!("oracle-sbc/start_interim_and_stop_have_other_columns.csv");
    check(
        file,
        kind,
        &["cdr.event", "Interim SDabc01@192.0.2.70 in1@192.0.2.1", "Final SDabc01@192.0.2.70 in1@192.0.2.1"],
    );
    let place = |cdr: &Cdr| format!("{} {}>{}", time(cdr.setup), text(cdr.ingress), text(cdr.egress));
    check(file, place, &["2026-07-01T09:00:00.100 tenants>carrier"; 3]);
}

#[test]
fn a_field_ends_at_a_quote_before_a_comma() {
    check(
        fixture!("oracle-sbc/quotes_that_nobody_escaped.csv"),
        call,
        &[
            USUAL,
            "02079460101>+441632960123 61s",
            "2001>901632960123 61s",
            "anonymous>+441632960123 61s",
            "\"never closed>+441632960123 61s",
        ],
    );
}

#[test]
fn a_connect_time_that_was_never_set_is_no_answer() {
    let no = "+442079460101>+441632960123 0s not answered";
    check(fixture!("oracle-sbc/zero_connect_time_is_unanswered.csv"), call, &[no; 4]);
}

#[test]
fn a_zone_is_never_guessed_from_its_abbreviation() {
    let file = fixture!("oracle-sbc/zones_of_times.csv");
    let times = |cdr: &Cdr| {
        let epoch = cdr.epoch.map_or("-".into(), |epoch| epoch.to_rfc3339());
        format!("{} {epoch}", time(cdr.setup))
    };
    check(
        file,
        times,
        &[
            "2017-12-18T15:54:56.868 2017-12-18T23:54:56.868Z",
            "2026-07-01T08:00:00.100Z -",
            "2026-07-01T08:00:00 -",
            "2026-07-01T08:00:00.100Z -",
            "2026-10-25T01:50:00 2026-10-25T00:50:00Z",
        ],
    );
    // What the names say is compared with the zone in the settings: of −8 h and +1 h the later in order.
    let notes = open(Format::OracleSbc, &Options::default(), file, true).unwrap().notes();
    assert_eq!((notes.epoch_offset_minutes, notes.epoch_evidence), (Some(60), 2));
}

#[test]
fn the_session_time_is_in_the_unit_that_the_times_tell() {
    // Connected 09:00:04.250, disconnected 09:01:05.512: 61.262 s.
    let milliseconds = "+442079460101>+441632960123 61.262s";
    let rounded_up = "+442079460101>+441632960123 62s";
    let (short, shorter) = ("+442079460101>+441632960123 0.9s", "+442079460101>+441632960123 1s");
    check(
        fixture!("oracle-sbc/session_time_in_milliseconds.csv"),
        call,
        &[milliseconds, USUAL, rounded_up, short, shorter],
    );
}

#[test]
fn what_cannot_be_read_names_the_column() {
    check(
        fixture!("oracle-sbc/broken.csv"),
        call,
        &[
            USUAL,
            "disposition_unknown 1",
            "time_malformed 14",
            "field_missing 14",
            "time_implausible 14",
            "field_missing 4",
            "field_missing 13",
            "duration_malformed 13",
            "duration_implausible 13",
            "end_before_start 16",
            "time_malformed 15",
            "truncated 0",
        ],
    );
}

#[test]
fn files_are_recognised_by_their_times() {
    let found = recognise(fixture!("oracle-sbc/stop_records_of_175_and_269_columns.csv"), true);
    assert_eq!((found[0].0, found[0].1.certainty), (Format::OracleSbc, 95));
    assert!(matches!(
        open(Format::OracleSbc, &Options::default(), b"a,b,c\n", true),
        Err(FileError::UnknownLayout { columns: 3 })
    ));
}
