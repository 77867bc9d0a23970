use super::super::tests::{fixture, lines, text};
use super::super::{Cdr, End, FileError, Format, Kind, Options, Part, Stamp, open, recognise};

fn time(stamp: Option<Stamp>) -> String {
    match stamp {
        Some(Stamp::Instant(instant)) => instant.to_rfc3339(),
        Some(Stamp::Local(local)) => format!("local {local}"),
        None => "-".into(),
    }
}

const fn side(end: End) -> &'static str {
    match end {
        End::Untold => "?",
        End::Inside => "in",
        End::Outside => "out",
    }
}

/// Who called whom, from where to where, how long, and who sent it on.
fn call(cdr: &Cdr) -> String {
    if let Kind::NotACall(why) = cdr.kind {
        if cdr.context.is_empty() {
            return why.code().into();
        }
        return format!("{} {} {}", why.code(), text(cdr.context), time(cdr.setup));
    }
    let [caller, callee] = cdr.ends.map(side);
    let answered = if cdr.answered { "" } else { " not answered" };
    let forwarder = if cdr.forwarder.is_empty() { String::new() } else { format!(" by {}", text(cdr.forwarder)) };
    format!("{}({caller})>{}({callee}) {}{answered}{forwarder}", text(cdr.calling), text(cdr.dialled), cdr.talk)
}

/// The parts a record says it has, and its key.
fn part(cdr: &Cdr) -> String {
    match cdr.kind {
        Kind::Part(Part { group, role }) => format!("{role:?} {}", text(&group.join(&b' ')).trim_end()),
        kind => format!("{kind:?}"),
    }
}

#[track_caller]
fn check(file: &[u8], describe: fn(&Cdr) -> String, expected: &[&str]) {
    assert_eq!(lines(Format::BroadWorks, &Options::default(), file, describe), expected);
}

// Answered 08:30:04.250, released 08:31:05.512: 61.262 s.
const USUAL: &str = "+442079460101(in)>+441632960123(out) 61.262s";

#[test]
fn markers_are_no_calls_and_the_direction_places_both_ends() {
    let file = fixture!("broadworks/version_line_markers_and_calls.csv");
    check(
        file,
        call,
        &[
            "cdr.file_marker Start 2026-07-01T08:00:00Z",
            USUAL,
            "+441632960777(out)>+442079460101(in) 61.262s",
            "+442079460101(in)>+441632960123(out) 0s not answered",
            "anonymous(out)>+442079460101(in) 61.262s",
            "cdr.file_marker End 2026-07-01T09:00:00Z",
        ],
    );
    let times = |cdr: &Cdr| format!("{} {} {}", time(cdr.setup), time(cdr.answer), time(cdr.end));
    assert_eq!(
        lines(Format::BroadWorks, &Options::default(), file, times)[1],
        "2026-07-01T08:30:00Z 2026-07-01T08:30:04.250Z 2026-07-01T08:31:05.512Z"
    );
    let lines_of = |cdr: &Cdr| format!("{}>{}", text(cdr.ingress), text(cdr.egress));
    let found = lines(Format::BroadWorks, &Options::default(), file, lines_of);
    assert_eq!(found[1..3], [">192.0.2.30:5060", "192.0.2.31:5060>"]);
}

#[test]
fn a_backslash_takes_the_meaning_from_a_comma_and_from_a_backslash() {
    check(fixture!("broadworks/backslash_comma_and_backslash_backslash.csv"), call, &[USUAL; 4]);
    let account = |cdr: &Cdr| text(cdr.account);
    check(fixture!("broadworks/backslash_comma_and_backslash_backslash.csv"), account, &["", "1234", "\"4", ""]);
}

#[test]
fn a_call_has_34_fields_or_more() {
    check(
        fixture!("broadworks/any_width_from_34.csv"),
        part,
        &[
            "Call",
            "Final 3:0 20260701083000.000",
            "Final 4:0 20260701083000.000",
            "Final 5:0 20260701083000.000",
            "Final 6:0 20260701083000.000",
            "column_count 0",
        ],
    );
}

#[test]
fn both_records_of_an_on_net_call_have_one_group() {
    let file = fixture!("broadworks/on_net_call_is_written_twice.csv");
    check(file, part, &["Leg { rank: 0 } 20:0 21:0", "Leg { rank: 1 } 20:0 21:0"]);
    check(file, call, &["+442079460101(in)>2102(in) 61.262s", "2101(in)>2102(in) 61.262s"]);
}

#[test]
fn the_user_of_the_onward_leg_pays() {
    check(
        fixture!("broadworks/redirected_call.csv"),
        call,
        &[
            "+441632960777(out)>+442079460101(in) 61.262s",
            "+441632960777(?)>+447700900123(out) 61.262s by +442079460101",
            "(out)>+447700900123(out) 61.262s by +442079460101",
            "+441632960777(?)>+447700900123(out) 61.262s by +442079460105",
        ],
    );
}

#[test]
fn charge_indicator_n_is_not_billed() {
    check(fixture!("broadworks/charge_indicator_n.csv"), call, &["cdr.omitted_by_switch", USUAL, USUAL]);
}

#[test]
fn interim_records_share_call_id_and_start_with_the_final_one() {
    check(
        fixture!("broadworks/interim_records_of_a_long_call.csv"),
        part,
        &[
            "Interim 40:0 20260701083000.000",
            "Interim 40:0 20260701083000.000",
            "Final 40:0 20260701083000.000",
            "field_missing 45",
        ],
    );
}

#[test]
fn the_key_is_the_record_id() {
    let key = |cdr: &Cdr| text(&cdr.key.concat());
    let id = "00000000024f2a91c020260701083000.0001+010000";
    check(fixture!("broadworks/failover_record_repeated.csv"), key, &[id, id]);
}

#[test]
fn the_translated_number_comes_before_the_called_one_and_that_before_the_digits() {
    let dialled = |cdr: &Cdr| text(cdr.dialled);
    check(
        fixture!("broadworks/seven_digit_called_number.csv"),
        dialled,
        &["14255550142", "5550142", "95550142", "+441632960123"],
    );
}

#[test]
fn the_end_of_the_file_may_cut_a_line_but_a_marker_is_whole() {
    let end = "cdr.file_marker End 2026-07-01T09:00:00Z";
    check(fixture!("broadworks/end_marker_without_line_end.csv"), call, &[USUAL, end]);
    check(fixture!("broadworks/cut_off_last_line.csv"), call, &[USUAL, "truncated 0"]);
}

#[test]
fn a_version_line_in_the_middle_is_a_header() {
    let start = "cdr.file_marker Start 2026-07-01T09:00:00Z";
    check(fixture!("broadworks/files_put_together.csv"), call, &[USUAL, start, USUAL]);
}

#[test]
fn what_cannot_be_read_names_the_field() {
    check(
        fixture!("broadworks/broken.csv"),
        call,
        &[
            "disposition_unknown 3",
            "field_missing 3",
            "time_malformed 10",
            "field_missing 10",
            "disposition_unknown 12",
            "field_missing 13",
            "field_missing 14",
            "end_before_start 14",
            "end_before_start 13",
            "time_malformed 13",
            "duration_implausible 14",
            "time_implausible 10",
            // 08:30:04.2 to 08:31:05.51: 61.310 s.
            "+442079460101(in)>+441632960123(out) 61.31s",
        ],
    );
}

#[test]
fn xml_is_read_without_its_entities_and_in_any_encoding() {
    let file = fixture!("broadworks/doctype_entities_and_latin_1.xml");
    check(
        file,
        call,
        &[
            "cdr.file_marker Start 2026-07-01T08:00:00Z",
            USUAL,
            "+441632960777(out)>2101(in) 61.262s",
            "+441632960777(?)>2102(?) 61.262s",
            USUAL,
            "cdr.omitted_by_switch",
            "+442079460101(in)>2102(in) 61.262s",
            "+442079460101(in)>&x(out) 61.262s",
            "time_malformed 0",
            "cdr.file_marker End 2026-07-01T09:00:00Z",
        ],
    );
    assert_eq!(lines(Format::BroadWorks, &Options::default(), file, part)[6], "Leg { rank: 0 } 54:0 55:0");
}

#[test]
fn an_element_that_is_not_closed_swallows_nothing() {
    check(fixture!("broadworks/elements_not_closed.xml"), call, &["malformed 0", USUAL, "truncated 0"]);
}

#[test]
fn both_variants_are_recognised_and_other_files_refused() {
    for file in [
        fixture!("broadworks/version_line_markers_and_calls.csv"),
        fixture!("broadworks/doctype_entities_and_latin_1.xml"),
    ] {
        let found = recognise(file, true);
        assert_eq!((found[0].0, found[0].1.certainty), (Format::BroadWorks, 100));
    }
    let without_version_line = fixture!("broadworks/on_net_call_is_written_twice.csv");
    let first_line = without_version_line.iter().position(|byte| *byte == b'\n').unwrap();
    assert_eq!(recognise(&without_version_line[first_line + 1..], true)[0].1.certainty, 90);
    assert!(matches!(
        open(Format::BroadWorks, &Options::default(), b"a,b,c\n", true),
        Err(FileError::UnknownLayout { columns: 3 })
    ));
}
