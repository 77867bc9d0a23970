use super::super::tests::{fixture, lines, text};
use super::super::{Cdr, End, FileError, Format, Options, Reader, Stamp, open};

fn reader(file: &[u8]) -> Reader {
    open(Format::ThreeCx, &Options::default(), file, true).unwrap()
}

/// Asserts the layout and one line per record.
#[track_caller]
fn check(file: &[u8], layout: &str, describe: fn(&Cdr) -> String, expected: &[&str]) {
    assert_eq!(reader(file).layout_name(), layout);
    assert_eq!(lines(Format::ThreeCx, &Options::default(), file, describe), expected);
}

fn side(end: End) -> &'static str {
    match end {
        End::Untold => "?",
        End::Inside => "in",
        End::Outside => "out",
    }
}

/// Who called whom, where they are, who sent it on to whom, and how long they talked.
fn call(cdr: &Cdr) -> String {
    let [caller, callee] = cdr.ends.map(side);
    let mut line = format!("{caller} {} > {callee} {}", text(cdr.calling), text(cdr.dialled));
    if !cdr.forwarder.is_empty() {
        line += &format!(", {} sends it to {}", text(cdr.forwarder), text(cdr.reached));
    }
    if !cdr.account.is_empty() {
        line += &format!(", account {}", text(cdr.account));
    }
    line + &if cdr.answered { format!(": {}", cdr.talk) } else { ": no answer".to_owned() }
}

fn time(stamp: Option<Stamp>) -> String {
    match stamp {
        Some(Stamp::Local(local)) => local.to_string(),
        Some(Stamp::Instant(instant)) => instant.to_rfc3339(),
        None => "-".into(),
    }
}

fn times(cdr: &Cdr) -> String {
    format!("{} {} {}", time(cdr.setup), time(cdr.answer), time(cdr.end))
}

const CALLS: [&str; 7] = [
    "in 114 > out 02079460958: 60s",
    "in 114 > out 02079460958: no answer",
    "out 01614960123 > in 610: 316s",
    "out 01614960123 > out 610, 102 sends it to 07700900123: 90s",
    "in 102 > out 118, 118 sends it to 07700900124: 45s",
    "in 125 > out 02079460111: 30s",
    // The caller was replaced by somebody outside, whose own leg is another row.
    "in 143 > in 195: 700s",
];

#[test]
fn the_last_party_inside_that_sent_the_call_outside_pays() {
    check(fixture!("3cx/who_pays_for_forwarded_and_transferred_calls.csv"), "27_columns", call, &CALLS);
}

#[test]
fn semicolons_may_stand_between_fields_and_in_the_chain() {
    check(fixture!("3cx/semicolons_inside_and_between.csv"), "27_columns", call, &CALLS);
}

#[test]
fn older_rows_stop_after_the_chain_and_numbers_tell_where_a_party_is() {
    check(fixture!("3cx/older_20_columns.csv"), "20_columns", call, &CALLS[..4]);
}

#[test]
fn times_are_utc_and_those_turned_into_local_time_are_turned_back_by_the_epoch_in_the_call_id() {
    let raw = fixture!("3cx/who_pays_for_forwarded_and_transferred_calls.csv");
    let shifted = fixture!("3cx/times_turned_into_local_by_a_spreadsheet.csv");
    let mut of_raw = lines(Format::ThreeCx, &Options::default(), raw, times);
    assert_eq!(of_raw[0], "2026-07-01T08:00:00Z 2026-07-01T08:00:05Z 2026-07-01T08:01:05Z");
    assert_eq!(of_raw[1], "2026-07-01T08:10:00Z - 2026-07-01T08:10:12Z");
    // A call of winter in the same file.
    of_raw.push("2026-12-01T08:00:00Z 2026-12-01T08:00:05Z 2026-12-01T08:01:05Z".into());
    assert_eq!(lines(Format::ThreeCx, &Options::default(), shifted, times), of_raw);
    let notes = reader(shifted).notes();
    assert_eq!((notes.epoch_offset_minutes, notes.epoch_evidence), (Some(60), 8));
    assert_eq!(reader(raw).notes().epoch_offset_minutes, None);
    assert_eq!(lines(Format::ThreeCx, &Options::default(), shifted, call)[..7], CALLS);
}

#[test]
fn the_systems_own_parties_are_inside_and_account_codes_are_taken_off_the_number() {
    check(
        fixture!("3cx/parties_that_are_no_telephone_account_codes_and_names_with_commas.csv"),
        "27_columns",
        call,
        &[
            // Ended by the system after it had reached the outside; the next one never did.
            "in 318 > out 08081570000: 6s",
            "in 111 > in +447700900125: 3s",
            "out 07700900126 > in 009: 2s",
            "in MakeCall > in 111: 4s",
            "in MakeCall > in 195: 15s",
            "in 114 > in 700, account 114: 55s",
            "in 114 > out 02079460114, account 4711: 55s",
            "in 114 > out 02079460114, account 4711: 55s",
            "out anonymous > in 610: 9s",
            "in 185 > in 07700900127: no answer",
            // Extension 112 calls the emergency services.
            "in 112 > out 112: 60s",
            "in 114 > out 003225550123: 60s",
        ],
    );
}

#[test]
fn newer_types_tell_the_same_and_their_call_ids_hold_no_epoch() {
    let file = fixture!("3cx/newer_types_and_call_ids.csv");
    check(
        file,
        "27_columns",
        call,
        &[
            "in 10016 > out +447700900128: 25s",
            "out +447700900128 > out 800, 102 sends it to 07700900129: 25s",
            "out +447700900128 > in 102: 25s",
        ],
    );
    check(file, "27_columns", |cdr| format!("{:?}", cdr.epoch), &["None"; 3]);
    check(
        file,
        "27_columns",
        |cdr| format!("{} {}", text(cdr.ingress), text(cdr.egress)),
        &["10016 10020", "10020 10020", "10020 102"],
    );
}

#[test]
fn columns_in_the_sites_order_are_named_in_the_settings() {
    let file = fixture!("3cx/order_of_the_site.csv");
    let names = [
        "time-start",
        "Time_Answered",
        "duration",
        "from-no",
        "dial-no",
        "callid",
        "historyid",
        "chain",
        "from-type",
        "to-type",
        "final-type",
    ];
    let options = |columns: &[&str]| Options {
        columns: columns.iter().map(|name| (*name).to_owned()).collect(),
        ..Options::default()
    };
    let found = lines(Format::ThreeCx, &options(&names), file, call);
    assert_eq!(found[..3], [CALLS[0], CALLS[1], CALLS[2]]);
    // Neither reason nor final number are there, so nothing says that the fourth was sent on.
    assert_eq!(found[3], "out 01614960123 > in 610: 90s");
    let missing = open(Format::ThreeCx, &options(&names[3..]), file, true).unwrap_err();
    assert_eq!(missing, FileError::ColumnMissing { column: "time-start" });
    let sign = &super::super::recognise(file, true)[0];
    assert_eq!((sign.0, sign.1.layout.as_str(), sign.1.certainty), (Format::ThreeCx, "columns", 60));
    assert!(open(Format::ThreeCx, &Options::default(), file, true).is_err());
}

#[test]
fn what_cannot_be_read_says_why() {
    check(
        fixture!("3cx/rejected_each_for_its_reason.csv"),
        "27_columns",
        call,
        &[
            "in 114 > out 02079460958: 60s",
            "malformed 1",
            "column_count 0",
            "time_malformed 4",
            "time_implausible 4",
            "duration_malformed 3",
            "duration_implausible 3",
            "field_missing 5",
            "field_missing 3",
            "field_missing 4",
            "end_before_start 6",
            "truncated 0",
        ],
    );
}

#[test]
fn the_key_is_call_id_row_times_and_numbers() {
    let key = |cdr: &Cdr| cdr.key.map(text).join("|");
    let keys = lines(Format::ThreeCx, &Options::default(), fixture!("3cx/newer_types_and_call_ids.csv"), key);
    assert_eq!(
        keys[0],
        "4cc2c72490010000_301|Call 301|2026/07/03 08:00:00|2026/07/03 08:00:34|+447700900128|+447700900128"
    );
}

#[test]
fn a_raw_file_is_taken_for_granted() {
    let found = super::super::recognise(fixture!("3cx/semicolons_inside_and_between.csv"), true);
    assert_eq!((found[0].0, found[0].1.certainty), (Format::ThreeCx, 95));
}
