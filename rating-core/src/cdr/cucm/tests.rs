use super::super::tests::{fixture, lines, text};
use super::super::{Cdr, FileError, Format, Kind, NotACall, Options, open};
use super::{Redirect, is_bridge, number};

/// Asserts one line per record.
#[track_caller]
fn check(file: &[u8], describe: fn(&Cdr) -> String, expected: &[&str]) {
    assert_eq!(lines(Format::CiscoCucm, &Options::default(), file, describe), expected);
}

fn error(file: &[u8]) -> FileError {
    open(Format::CiscoCucm, &Options::default(), file, true).unwrap_err()
}

/// Calling, dialled and reached number, answered or not, talk.
fn call(cdr: &Cdr) -> String {
    let answered = if cdr.answered { "answered" } else { "not answered" };
    format!("{} {}>{} {answered} {}", text(cdr.calling), text(cdr.dialled), text(cdr.reached), cdr.talk)
}

fn kind(cdr: &Cdr) -> String {
    match cdr.kind {
        Kind::Conference { controller, participant, .. } => {
            format!("{} invited by {}", text(participant), text(controller))
        }
        Kind::NotACall(reason) => reason.code().into(),
        Kind::Call => "call".into(),
        Kind::LocalHalf { .. } => "half".into(),
        Kind::Part(_) => "part".into(),
        Kind::Split { legs } => format!("split {}", legs.map(|[_, leg]| text(leg)).join(" ")),
        Kind::Joined { leg: [cluster, leg] } => format!("joined {} {}", text(cluster), text(leg)),
    }
}

#[test]
fn calls_are_read_by_the_names_of_their_columns() {
    check(
        fixture!("cucm/names_and_types.txt"),
        call,
        &[
            "2001 902079460100>902079460100 answered 60s",
            "2001 902079460100>902079460100 not answered 0s", // dateTimeConnect is 0
            "2001 902079460100>902079460100 answered 62s",    // duration counts, not the difference of 60 s
            "2001 902079460100>902079460100 answered 60s",    // finalCalled is empty: originalCalled
            "2001 902079460100>902079460100 answered 60s",    // originalCalled is a pattern: finalCalled
        ],
    );
}

#[test]
fn names_alone_in_any_case_and_order_will_do_and_unknown_ones_are_passed_over() {
    let file = fixture!("cucm/names_only_other_case_and_order.csv");
    check(file, call, &["2001 902079460100>902079460100 answered 60s"]);
    let partitions = |cdr: &Cdr| format!("{:?}", cdr.partitions.map(|(calling, called)| (text(calling), text(called))));
    check(file, partitions, &[r#"Some(("Internal", "PSTN"))"#]);
    let devices = |cdr: &Cdr| format!("{} {} {}", text(cdr.ingress), text(cdr.egress), text(cdr.outpulsed));
    check(file, devices, &["SEP000000000001 GW-1 02079460100"]);
}

#[test]
fn the_account_is_the_authorization_code_else_its_name_else_the_client_matter_code() {
    check(fixture!("cucm/names_and_types.txt"), |cdr| text(cdr.account), &["", "", "771", "Legal", "9"]);
}

#[test]
fn the_key_is_the_pkid_or_else_what_identifies_the_leg() {
    let key = |cdr: &Cdr| cdr.key.map(text).join("|");
    check(
        fixture!("cucm/names_and_types.txt"),
        key,
        &[
            "00000000-0000-4000-8000-000000000001|||||",
            "00000000-0000-4000-8000-000000000002|||||",
            "00000000-0000-4000-8000-000000000003|||||",
            "00000000-0000-4000-8000-000000000004|||||",
            "|cluster-1|1|105|205|1782892800",
        ],
    );
}

#[test]
fn only_a_forward_or_transfer_has_a_forwarder() {
    check(
        fixture!("cucm/sent_on_or_not.txt"),
        |cdr| text(cdr.forwarder),
        &[
            "2001", // forward all: reason 15
            "2002", // transfer: reason 4
            "2002", // no reason given, but a third number
            "",     // no reason given, and the number dialled: a translation may have changed it
            "",     // pickup: fetched, not sent on
            "",     // lastRedirectDn is finalCalled
            "",     // a pattern is no number
        ],
    );
}

#[test]
fn the_reason_or_who_asked_for_it_tells_sending_on_from_fetching() {
    let sent_on = |last_on_behalf_of, last_reason| {
        let redirect = Redirect { original_on_behalf_of: 0, last_on_behalf_of, original_reason: 0, last_reason };
        redirect.was_sent_on(b"2001", b"2001", b"02079460100")
    };
    for (on_behalf_of, reason, expected) in [
        (5, 15, true),   // forward all
        (10, 4, true),   // transfer
        (5, 0, true),    // on behalf of forward, reason not given
        (0, 178, true),  // unregistered, on behalf of nobody known
        (24, 335, true), // mobility
        (16, 5, false),  // pickup
        (3, 8, false),   // park
        (3, 12, false),
        (4, 98, false), // conference
        (0, 0, false),
    ] {
        assert_eq!(sent_on(on_behalf_of, reason), expected, "{on_behalf_of} {reason}");
    }
}

#[test]
fn recordings_are_no_calls_and_a_bridge_makes_a_conference_leg() {
    check(
        fixture!("cucm/conferences_and_recordings.txt"),
        kind,
        &[
            "02079460102 invited by 2001",  // lastRedirectDn
            "2003 invited by 2009",         // lastRedirectDn is the bridge: the comment says who
            "902079460100 invited by 2009", // from the bridge; lastRedirectDn is finalCalled, which says nothing
            NotACall::Recording.code(),
            "call", // bob is a name
        ],
    );
}

#[test]
fn quality_records_are_recognised() {
    let quality = NotACall::QualityRecord.code();
    let file = fixture!("cucm/quality_records.txt");
    check(file, kind, &[quality, quality]);
    let reader = open(Format::CiscoCucm, &Options::default(), file, true).unwrap();
    assert!(reader.notes().quality_records);
    let mut records = reader.records(0, 0, file, true);
    assert_eq!((records.by_ref().count(), records.skipped().header_lines), (2, 2));
}

#[test]
fn files_put_together_are_read_and_a_header_with_other_columns_is_rejected() {
    let quality = NotACall::QualityRecord.code();
    let file = fixture!("cucm/files_put_together.txt");
    check(file, kind, &["call", "call", quality, "header_changed 0", "call"]);
    let reader = open(Format::CiscoCucm, &Options::default(), file, true).unwrap();
    let mut records = reader.records(0, 0, file, true);
    // Names and types three times: of CDRs, of CDRs, of quality records.
    assert_eq!((records.by_ref().count(), records.skipped().header_lines), (5, 6));
}

#[test]
fn a_file_without_the_names_of_its_columns_is_refused() {
    assert_eq!(error(fixture!("cucm/types_only.txt")), FileError::TypesOnlyHeader);
    assert_eq!(error(fixture!("cucm/no_header.txt")), FileError::HeaderMissing);
    let header = text(fixture!("cucm/header_only.txt"));
    check(header.as_bytes(), call, &[]);
    let without = header.replace("dateTimeConnect", "connectedAt");
    assert_eq!(error(without.as_bytes()), FileError::ColumnMissing { column: "dateTimeConnect" });
}

#[test]
fn every_fault_is_rejected_for_its_reason_and_reading_goes_on() {
    check(
        fixture!("cucm/rejected_each_for_its_reason.txt"),
        call,
        &[
            "2001 902079460100>902079460100 answered 60s",
            "time_malformed 5",
            "field_missing 5",
            "time_implausible 5",
            "duration_implausible 16",
            "duration_implausible 16",
            "duration_malformed 16",
            "field_missing 16",
            "end_before_start 10",
            "time_implausible 9", // answered before it was set up
            "number_malformed 1",
            "number_malformed 22",
            "column_count 0",
            "truncated 0",
        ],
    );
}

#[test]
fn patterns_are_not_numbers_and_names_are() {
    for pattern in ["+[1-9]XXXX!", "9.XXXX", "XXXX", "\\+44XX", "9.[2-9]XXXXXX"] {
        assert_eq!(text(number(pattern.as_bytes())), "", "{pattern}");
    }
    for name in ["", "+442079460100", "2001", "*67", "Xavier", "b00123456789", "alice@example.com"] {
        assert_eq!(text(number(name.as_bytes())), name);
    }
    for (name, bridge) in [("b00123456789", true), ("b123", true), ("b12", false), ("bob", false), ("2001", false)] {
        assert_eq!(is_bridge(name.as_bytes()), bridge, "{name}");
    }
}
