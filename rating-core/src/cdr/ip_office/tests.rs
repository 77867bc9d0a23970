use super::super::tests::{fixture, lines, text};
use super::super::{Cdr, End, FileError, Format, Kind, Options, Reader, Stamp, open};

fn reader(file: &[u8]) -> Reader {
    open(Format::IpOffice, &Options::default(), file, true).unwrap()
}

/// Asserts the layout and one line per record.
#[track_caller]
fn check(file: &[u8], layout: &str, describe: fn(&Cdr) -> String, expected: &[&str]) {
    assert_eq!(reader(file).layout_name(), layout);
    assert_eq!(lines(Format::IpOffice, &Options::default(), file, describe), expected);
}

fn side(end: End) -> &'static str {
    match end {
        End::Untold => "?",
        End::Inside => "in",
        End::Outside => "out",
    }
}

/// Who called whom, where they are and by which trunks, who sent it on to whom, and how long they talked.
fn call(cdr: &Cdr) -> String {
    let [caller, callee] = cdr.ends.map(side);
    let mut line = format!("{caller} {} {} > ", text(cdr.calling), text(cdr.ingress));
    line += &format!("{callee} {} {}", text(cdr.dialled), text(cdr.egress));
    if !cdr.forwarder.is_empty() {
        line += &format!(", {} sends it to {}", text(cdr.forwarder), text(cdr.reached));
    }
    if !cdr.account.is_empty() {
        line += &format!(", account {}", text(cdr.account));
    }
    line + &if cdr.answered { format!(": {}", cdr.talk) } else { ": no answer".to_owned() }
}

fn times(cdr: &Cdr) -> String {
    let time = |stamp: Option<Stamp>| match stamp {
        Some(Stamp::Local(local)) => local.to_string(),
        other => format!("{other:?}"),
    };
    format!("{} {}", time(cdr.setup), time(cdr.answer))
}

const CALLS: [&str; 5] = [
    "in 2001  > out 902079460958 T9001, account 4711: 60s",
    "in 2001  > out 902079460958 T9001: no answer",
    "out 01614960123 T9001 > in 2002 : 142s",
    "in 2001  > in 2002 : 600s",
    // Voicemail answered.
    "out 01614960123 T9001 > in 2002 : 20s",
];

#[test]
fn releases_write_16_to_37_fields_with_or_without_a_comma_at_the_end() {
    check(fixture!("ip_office/16_fields.csv"), "16_fields", call, &CALLS);
    check(fixture!("ip_office/17_fields_and_a_trailing_comma.csv"), "17_fields", call, &CALLS);
    check(fixture!("ip_office/30_fields.csv"), "30_fields", call, &CALLS);
    check(fixture!("ip_office/33_fields_and_a_trailing_comma.csv"), "33_fields", call, &CALLS);
    check(fixture!("ip_office/35_fields.csv"), "35_fields", call, &CALLS);
    check(fixture!("ip_office/37_fields.csv"), "37_fields", call, &CALLS);
}

#[test]
fn a_header_line_and_a_collectors_stamps_are_passed_over() {
    check(fixture!("ip_office/delta_server_header_and_crlf.csv"), "30_fields", call, &CALLS);
    let stamped = fixture!("ip_office/collector_stamps_before_the_lines.log");
    check(stamped, "30_fields", call, &CALLS);
    // The same line fetched by two collectors is one record.
    let key = |cdr: &Cdr| text(cdr.key[0]);
    let of_plain = lines(Format::IpOffice, &Options::default(), fixture!("ip_office/30_fields.csv"), key);
    assert_eq!(lines(Format::IpOffice, &Options::default(), stamped, key), of_plain);
}

#[test]
fn commas_in_names_are_counted_out_from_both_ends() {
    let mut expected = vec![CALLS[0]];
    expected.extend(CALLS);
    check(fixture!("ip_office/names_with_commas.csv"), "30_fields", call, &expected);
}

#[test]
fn whoever_had_the_call_sent_outside_pays_and_the_targeted_number_was_called() {
    check(
        fixture!("ip_office/sent_on_to_the_outside.csv"),
        "30_fields",
        call,
        &[
            "out 01614960123 T9002 > out 2001 T9001, 2001 sends it to 907700900123: 90s",
            // The hunt group's number, which was called.
            "out 01614960123 T9002 > out 2500 T9001, 2500 sends it to 907700900124: 30s",
            "in 2002  > out 2001 T9001, 2001 sends it to 907700900125: 45s",
            // Whose number nothing tells: not that of the called party, who was not the one to transfer it.
            "out 01614960123 T9002 > out 2001 T9001, Kim sends it to 907700900126: 180s",
        ],
    );
}

#[test]
fn stretches_of_a_call_share_start_and_call_id_and_continuation_says_that_more_come() {
    let file = fixture!("ip_office/stretches_and_conferences.csv");
    let part = |cdr: &Cdr| match cdr.kind {
        Kind::Part(part) => format!("{} {} {:?}", text(part.group[0]), text(part.group[1]), part.role),
        other => format!("{other:?}"),
    };
    check(
        file,
        "30_fields",
        part,
        &[
            "2026/10/05 11:00 1000020 Segment { number: 0, more: true }",
            "2026/10/05 11:00 1000020 Segment { number: 0, more: true }",
            "2026/10/05 11:00 1000020 Segment { number: 0, more: false }",
            "2026/10/05 11:30 1000021 Segment { number: 0, more: false }",
        ],
    );
    check(
        file,
        "30_fields",
        call,
        &[
            "in 2001  > out 902079460958 T9001: 60s",
            "in 2001  > out 902079460958 T9001: 120s",
            // The conference bridge: nobody outside.
            "in 2002  > in  : 30s",
            "in 2001  > in 2002 : 30s",
        ],
    );
    assert!(reader(file).notes().minutes_only);
}

#[test]
fn sip_addresses_authorisation_codes_and_charges_without_mark_up_are_read() {
    let file = fixture!("ip_office/sip_addresses_authorisation_and_charges.csv");
    check(
        file,
        "30_fields",
        call,
        &[
            "out +441614960123 T17001 > in 02079460100 : 60s",
            "in 2001  > out 902079460958 T9001, account 8842: 60s",
            "in 2001  > out 902079460958 T9001: 60s",
        ],
    );
    let cost = |cdr: &Cdr| format!("{} {}", text(cdr.carrier_price), text(cdr.carrier_currency));
    check(file, "30_fields", cost, &[" ", "12.50 GBP", " "]);
    assert_eq!(lines(Format::IpOffice, &Options::default(), file, times)[0], "2026-10-05T12:00:00 2026-10-05T12:00:05");
}

#[test]
fn what_cannot_be_read_says_why() {
    check(
        fixture!("ip_office/rejected_each_for_its_reason.csv"),
        "30_fields",
        call,
        &[
            "in 2001  > out 902079460958 T9001: 60s",
            "time_malformed 1",
            "time_implausible 1",
            "time_malformed 1",
            "duration_malformed 2",
            "field_missing 2",
            "duration_implausible 2",
            "duration_malformed 3",
            "field_missing 5",
            "disposition_unknown 5",
            "number_malformed 9",
            "number_malformed 11",
            "column_count 0",
            "column_count 0",
            "truncated 0",
        ],
    );
}

#[test]
fn lines_are_taken_for_granted_and_other_files_are_not() {
    for file in [fixture!("ip_office/16_fields.csv"), fixture!("ip_office/collector_stamps_before_the_lines.log")] {
        let found = super::super::recognise(file, true);
        assert_eq!((found[0].0, found[0].1.certainty), (Format::IpOffice, 92));
    }
    let header = fixture!("ip_office/delta_server_header_and_crlf.csv");
    let header = header.split_inclusive(|byte| *byte == b'\n').next().unwrap();
    assert_eq!(lines(Format::IpOffice, &Options::default(), header, call).len(), 0);
    let error = open(Format::IpOffice, &Options::default(), b"1,2,3\n", true).unwrap_err();
    assert_eq!(error, FileError::UnknownLayout { columns: 3 });
}
