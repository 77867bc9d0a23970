use super::super::tests::{fixture, lines, text};
use super::super::{Cdr, End, FileError, Format, Kind, Options, Part, Stamp, open, recognise};

fn named(columns: &[&str]) -> Options {
    Options { columns: columns.iter().map(|name| (*name).to_owned()).collect(), ..Options::default() }
}

fn extras() -> Options {
    named(&["src_user", "dst_ouser", "dst_user", "src_ip"])
}

fn time(stamp: Option<Stamp>) -> String {
    match stamp {
        Some(Stamp::Instant(instant)) => instant.to_rfc3339(),
        Some(Stamp::Local(local)) => local.to_string(),
        None => "-".into(),
    }
}

/// What a row is, when, and who called whom.
fn row(cdr: &Cdr) -> String {
    let parties = format!("{}>{}", text(cdr.calling), text(cdr.dialled));
    match cdr.kind {
        Kind::Part(Part { group, role }) => {
            format!("{role:?} {} {} {parties}", text(&group.join(&b' ')), time(cdr.setup))
        }
        Kind::NotACall(why) => why.code().into(),
        Kind::Call if cdr.answered => format!("{} {} {} {parties}", cdr.talk, time(cdr.setup), time(cdr.answer)),
        Kind::Call => format!("not answered {} {parties}", time(cdr.setup)),
        kind => format!("{kind:?}"),
    }
}

#[track_caller]
fn check(options: &Options, file: &[u8], describe: fn(&Cdr) -> String, expected: &[&str]) {
    assert_eq!(lines(Format::SipAcc, options, file, describe), expected);
}

#[test]
fn a_bye_of_either_party_has_the_group_of_its_invite() {
    let file = fixture!("opensips/invite_and_bye_of_either_party.txt");
    check(
        &extras(),
        file,
        row,
        &[
            "Begin c1@192.0.2.1 ft1 tt1 2026-07-01T08:00:00Z 2001>901632960123",
            "End c1@192.0.2.1 ft1 tt1 2026-07-01T08:01:02Z >",
            "End c2@192.0.2.1 ft2 tt2 2026-07-01T08:02:10Z >",
            "Begin c2@192.0.2.1 ft2 tt2 2026-07-01T08:01:40Z 2001>901632960123",
        ],
    );
    let place = |cdr: &Cdr| format!("{} {}", text(cdr.reached), text(cdr.ingress));
    assert_eq!(lines(Format::SipAcc, &extras(), file, place)[0], "441632960123 192.0.2.50");
}

#[test]
fn only_final_refusals_of_an_invite_are_calls_and_they_were_not_answered() {
    let call = |second: u32| format!("not answered 2026-07-01T08:00:{second:02}Z 2001>901632960123");
    let (busy, unknown, cancelled, declined) = (call(1), call(2), call(3), call(4));
    let event = "cdr.event";
    check(
        &extras(),
        fixture!("opensips/what_is_no_call_and_what_was_not_answered.txt"),
        row,
        &[
            event,
            &busy,
            &unknown,
            &cancelled,
            &declined,
            event,
            event,
            event,
            event,
            event,
            "End c1 f t 2026-07-01T08:00:10Z 2001>901632960123",
            "cdr.not_voice",
            event,
        ],
    );
}

#[test]
fn an_ack_tells_when_a_call_began_whose_invite_has_no_time() {
    check(
        &extras(),
        fixture!("opensips/invite_without_time_stray_quote_and_repeats.txt"),
        row,
        &[
            "field_missing 7",
            "Begin c1 f t 2026-07-01T08:00:00Z 2001>901632960123",
            "Begin c1 f t 2026-07-01T08:00:01Z 2001>901632960123",
            "cdr.event",
            "Begin c1 f t 2026-07-01T08:00:20Z 2001>901632960123",
            "End c1 f t 2026-07-01T08:01:00Z >",
        ],
    );
}

#[test]
fn what_cannot_be_read_names_the_column() {
    check(
        &extras(),
        fixture!("opensips/broken_rows.txt"),
        row,
        &[
            "Begin c1 f t 2026-07-01T08:00:00Z 2001>901632960123",
            "disposition_unknown 1",
            "field_missing 1",
            "field_missing 4",
            "number_malformed 5",
            "time_malformed 7",
            "field_missing 7",
            "column_count 0",
            "time_malformed 7",
            "truncated 0",
        ],
    );
}

#[test]
fn a_broken_first_row_hides_no_layout() {
    check(
        &extras(),
        fixture!("opensips/first_row_is_broken.txt"),
        row,
        &["disposition_unknown 1", "Begin c1 f t 2026-07-01T08:00:00Z 2001>901632960123"],
    );
}

#[test]
fn a_header_names_the_columns_and_may_come_again() {
    let file = fixture!("opensips/table_with_header_twice.csv");
    check(
        &Options::default(),
        file,
        row,
        &[
            "Begin c1 f t 2026-07-01T09:00:00 2001>+441632960123",
            // A long number turned into a short one was delivered to an extension.
            "Begin c2 f t 2026-07-01T09:00:10 +441632960777>2001",
            "End c1 f t 2026-07-01T09:01:00 2001>",
            "Begin c3 f t 2026-07-01T09:00:10 2001>%2B441632960123",
        ],
    );
    let place = |cdr: &Cdr| format!("{}>{}", text(cdr.ingress), text(cdr.egress));
    check(
        &Options::default(),
        file,
        place,
        &["192.0.2.50>gw04.example.com", "192.0.2.30>pbx.example.com", "192.0.2.50>", "192.0.2.50>"],
    );
}

#[test]
fn a_table_without_header_needs_the_names_of_the_extra_columns() {
    let file = fixture!("opensips/table_without_header.csv");
    check(
        &named(&["src_user", "dst_user"]),
        file,
        row,
        &["Begin c1 f t 2026-07-01T09:00:00 2001>2002", "End c1 f t 2026-07-01T09:01:00 2001>2002", "cdr.event"],
    );
    let error = |columns: &[&str]| open(Format::SipAcc, &named(columns), file, true).unwrap_err();
    assert_eq!(error(&[]), FileError::ColumnMissing { column: "src_user" });
    assert_eq!(error(&["src_user"]), FileError::ColumnMissing { column: "dst_user" });
}

#[test]
fn a_row_with_a_duration_of_its_own_is_a_call() {
    let file = fixture!("opensips/opensips_calls_with_duration.tsv");
    check(
        &Options::default(),
        file,
        row,
        &[
            "60.412s 2026-07-01T09:00:00 2026-07-01T09:00:05 2001>01632960123",
            "not answered 2026-07-01T09:10:00 2001>2002",
            "30s 2026-07-01T09:20:05 2026-07-01T09:20:05 +441632960777>2001",
            "Begin c4 f t 2026-07-01T09:30:05 2001>2002",
            "duration_implausible 8",
            "duration_malformed 9",
        ],
    );
    let ends = |cdr: &Cdr| format!("{:?}", cdr.ends);
    let found = lines(Format::SipAcc, &Options::default(), file, ends);
    let expected = [[End::Inside, End::Outside], [End::Inside; 2], [End::Outside, End::Inside], [End::Untold; 2]];
    assert_eq!(found[..4], expected.map(|ends| format!("{ends:?}")));
}

#[test]
fn a_row_of_kamailio_cdrs_is_a_call_to_the_millisecond() {
    check(
        &Options::default(),
        fixture!("opensips/kamailio_cdrs.csv"),
        row,
        &[
            "62.417s 2026-07-01T09:00:00 2026-07-01T09:00:00 2001>+441632960123",
            "not answered 2026-07-01T09:05:00 2001>+441632960123",
            // 01:50 summer time to 01:10 winter time is 20 minutes.
            "1200.5s 2026-10-25T01:50:00 2026-10-25T01:50:00 2001>+441632960123",
            "end_before_start 3",
            "field_missing 2",
            "field_missing 4",
            "duration_malformed 4",
            "duration_implausible 4",
        ],
    );
    check(
        &named(&["start_time", "end_time", "duration", "caller", "callee"]),
        fixture!("opensips/kamailio_cdrs_without_header.csv"),
        row,
        &["62.417s 2026-07-01T09:00:00 2026-07-01T09:00:00 2001>+441632960123"],
    );
}

#[test]
fn files_are_recognised_by_where_method_code_and_time_stand() {
    for (file, layout) in [
        (fixture!("opensips/invite_and_bye_of_either_party.txt"), "flatstore"),
        (fixture!("opensips/table_with_header_twice.csv"), "acc"),
        (fixture!("opensips/table_without_header.csv"), "acc"),
        (fixture!("opensips/kamailio_cdrs.csv"), "cdrs"),
    ] {
        let found = recognise(file, true);
        assert_eq!((found[0].0, &*found[0].1.layout), (Format::SipAcc, layout));
    }
}
