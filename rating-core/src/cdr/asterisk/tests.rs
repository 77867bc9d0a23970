use super::super::tests::{fixture, lines, text};
use super::super::{Cdr, DateOrder, FileError, Format, Kind, NotACall, Options, Reader, Stamp, open};

fn reader(file: &[u8]) -> Reader {
    open(Format::Asterisk, &Options::default(), file, true).unwrap()
}

/// Asserts the layout and one line per record.
#[track_caller]
fn check(file: &[u8], layout: &str, describe: fn(&Cdr) -> String, expected: &[&str]) {
    assert_eq!(reader(file).layout_name(), layout);
    assert_eq!(lines(Format::Asterisk, &Options::default(), file, describe), expected);
}

fn time(stamp: Option<Stamp>) -> String {
    match stamp {
        Some(Stamp::Local(local)) => local.to_string(),
        Some(Stamp::Instant(instant)) => instant.to_rfc3339(),
        None => "-".into(),
    }
}

/// Unique id, epoch, who called whom, how long.
fn call(cdr: &Cdr) -> String {
    let epoch = cdr.epoch.map_or("-".into(), |epoch| epoch.to_rfc3339());
    format!("{} {epoch} {}>{} {}", text(cdr.call_id), text(cdr.calling), text(cdr.dialled), cdr.talk)
}

/// Set-up, answer, end.
fn times(cdr: &Cdr) -> String {
    format!("{} {} {}", time(cdr.setup), time(cdr.answer), time(cdr.end))
}

fn answered(cdr: &Cdr) -> String {
    format!("{} {}", if cdr.answered { "answered" } else { "not answered" }, cdr.talk)
}

fn dialled(cdr: &Cdr) -> String {
    text(cdr.dialled)
}

fn kind(cdr: &Cdr) -> String {
    match cdr.kind {
        Kind::Call => "call".into(),
        Kind::LocalHalf { pair } => text(pair),
        Kind::NotACall(reason) => reason.code().into(),
        Kind::Conference { .. } => "conference".into(),
        Kind::Part(_) => "part".into(),
        Kind::Split { .. } | Kind::Joined { .. } => "CUCM's".into(),
    }
}

#[test]
fn cdr_csv_has_16_to_21_columns_and_the_17th_is_a_uniqueid_if_it_looks_like_one() {
    check(
        fixture!("asterisk/cdr_csv_16_to_21_columns.csv"),
        "cdr_csv",
        call,
        &[
            " - 2001>02079460958 60s",
            "1782892800.10 2026-07-01T08:00:00Z 2001>02079460958 60s",
            " - 2001>02079460958 60s",
            "pbx-west-1782892800.11 2026-07-01T08:00:00Z 2001>02079460958 60s",
            " - 2001>02079460958 60s",
            "1782892800.13 2026-07-01T08:00:00Z 2001>02079460958 60s",
            "1782892800.14 2026-07-01T08:00:00Z 2001>02079460958 60s",
        ],
    );
}

#[test]
fn the_key_is_uniqueid_sequence_channels_dst_and_the_start_however_it_is_written() {
    let key = |cdr: &Cdr| cdr.key.map(text).join("|");
    let expected = "1782892800.14|9|SIP/2001-0000001a|02079460958|SIP/carrier-0000001b|";
    // Without a uniqueid the record is its own key.
    let same_bytes = |cdr: &Cdr| (cdr.key[0] == cdr.raw).to_string();
    let file = fixture!("asterisk/cdr_csv_16_to_21_columns.csv");
    check(file, "cdr_csv", same_bytes, &["true", "false", "true", "false", "true", "false", "false"]);
    let all = lines(Format::Asterisk, &Options::default(), fixture!("asterisk/cdr_csv_16_to_21_columns.csv"), key);
    assert_eq!(all[6], expected);
    let line = |start: &str| {
        format!(
            "\"\",\"2001\",\"02079460958\",\"\",\"\",\"SIP/2001-1a\",\"SIP/gw-1b\",\"\",\"\",\"{start}\",\"\",\"\",60,60,\"ANSWERED\",3,\"1782896400.1\"\n"
        )
    };
    let written = ["2026-07-01 09:00:00", "1/7/2026 9:00:00", "7/1/2026 9:00:00", "2026-07-01 09:00:01"].map(line);
    let keys = written.each_ref().map(|file| {
        let reader = open(Format::Asterisk, &Options::default(), file.as_bytes(), true).unwrap();
        let cdr = reader.records(0, 0, file.as_bytes(), true).next().unwrap().unwrap();
        format!("{:?}", cdr.exact_key())
    });
    // Three spellings of one moment, told apart by the epoch 1782896400 = 09:00:00Z; and a second later.
    assert!(keys[0] == keys[1] && keys[1] == keys[2] && keys[2] != keys[3], "{keys:?}");
    check(
        fixture!("asterisk/freepbx_table_all_widths.csv"),
        "freepbx_table",
        |cdr| text(cdr.key[1]),
        &["", "", "", "5", "6", "7"],
    );
}

#[test]
fn the_shipped_cdr_custom_template_is_told_by_its_columns() {
    let file = fixture!("asterisk/cdr_custom_shipped_template.csv");
    let expected = [
        "1782896400.1 2026-07-01T09:00:00Z 2002>00442079460001 31s",
        "1782896700.3 2026-07-01T09:05:00Z 2002>00442079460002 0s",
    ];
    check(file, "cdr_custom", call, &expected);
    check(file, "cdr_custom", |cdr| text(cdr.account), &["4711", ""]);
    // The site's clock is an hour ahead of UTC.
    assert_eq!(reader(file).notes().epoch_offset_minutes, Some(60));
}

#[test]
fn a_table_dump_has_no_answer_time_so_it_is_start_plus_duration_less_talk() {
    // 11:00:00 + 20 s − 12 s = 11:00:08, whatever the width.
    let line = "2026-07-01T11:00:00 2026-07-01T11:00:08 -";
    check(fixture!("asterisk/freepbx_table_all_widths.csv"), "freepbx_table", times, &[line; 6]);
}

#[test]
fn badly_quoted_names_and_literal_null_are_read() {
    check(
        fixture!("asterisk/gui_export_with_broken_quoting.csv"),
        "header",
        call,
        &[
            "1782903600.1 2026-07-01T11:00:00Z 2010>02079460010 6s",
            "1782903660.3 2026-07-01T11:01:00Z 2011>02079460011 7s",
            "1782903720.5 2026-07-01T11:02:00Z 2011>02079460012 8s",
            "1782903780.7 2026-07-01T11:03:00Z 2012>02079460013 9s",
            "1782903840.9 2026-07-01T11:04:00Z 2013>02079460014 10s", // src is NULL: from the caller id
        ],
    );
}

#[test]
fn the_unique_ids_decide_the_order_of_day_and_month() {
    let expected = ["2026-09-01T16:33:01 2026-09-01T16:33:01 -", "2026-09-02T06:05:00 2026-09-02T06:05:00 -"];
    for (file, order) in [
        (fixture!("asterisk/resaved_by_spreadsheet_day_first.csv"), DateOrder::DayFirst),
        (fixture!("asterisk/resaved_by_spreadsheet_month_first.csv"), DateOrder::MonthFirst),
    ] {
        check(file, "freepbx_table", times, &expected);
        assert_eq!(reader(file).notes().date_order, Some(order));
        assert_eq!(reader(file).notes().epoch_offset_minutes, Some(60));
    }
}

#[test]
fn an_order_of_day_and_month_that_nothing_decides_is_not_guessed() {
    let file = fixture!("asterisk/resaved_by_spreadsheet_order_unknown.csv");
    check(file, "freepbx_table", times, &["time_malformed 1", "time_malformed 1"]);
    // A thirteenth month would decide it.
    let decided = text(file).replace("9/2/2026", "9/13/2026");
    let expected = ["2026-09-01T16:33:01 2026-09-01T16:33:01 -", "2026-09-13T06:05:00 2026-09-13T06:05:00 -"];
    check(decided.as_bytes(), "freepbx_table", times, &expected);
}

#[test]
fn a_call_is_answered_if_the_switch_says_so_and_talk_time_ran() {
    check(
        fixture!("asterisk/answered_only_if_switch_says_so_and_talk_ran.csv"),
        "cdr_csv",
        answered,
        &[
            "answered 60s",
            "not answered 0s",
            "not answered 60s",
            "not answered 3s",
            "not answered 0s",
            "not answered 0s",
            "not answered 0s",
        ],
    );
}

#[test]
fn zeros_and_1970_mean_that_there_was_no_answer() {
    let (none, some) =
        ("2026-07-02T09:00:00 - 2026-07-02T09:01:05", "2026-07-02T09:00:00 2026-07-02T09:00:05 2026-07-02T09:01:05");
    check(fixture!("asterisk/answer_time_unset.csv"), "cdr_csv", times, &[none, none, none, none, some]);
}

#[test]
fn what_nobody_can_have_keyed_is_looked_up_in_the_dial_string() {
    check(
        fixture!("asterisk/number_only_in_dial_string.csv"),
        "cdr_csv",
        dialled,
        &["02079460060", "02079460061", "s", "h", "*60", "2006"],
    );
}

#[test]
fn what_the_switch_was_told_to_omit_is_no_call() {
    let omitted = NotACall::Omitted.code();
    let expected = [omitted, omitted, omitted, "call", "call", "call", "call"];
    check(fixture!("asterisk/omitted_by_amaflags.csv"), "cdr_csv", kind, &expected);
}

#[test]
fn records_on_either_side_of_a_local_channel_are_its_halves() {
    let pair = "Local/02079460070@from-internal-0000000f";
    let file = fixture!("asterisk/halves_of_local_channels.csv");
    check(file, "freepbx_table", kind, &[pair, pair, "Local/2009@x-00000010"]);
    check(file, "freepbx_table", |cdr| text(cdr.peer), &["2007", "", ""]);
}

#[test]
fn every_fault_is_rejected_for_its_reason_and_reading_goes_on() {
    check(
        fixture!("asterisk/rejected_each_for_its_reason.csv"),
        "cdr_csv",
        answered,
        &[
            "answered 60s",
            "time_malformed 10",
            "time_implausible 10",
            "time_implausible 10",
            "field_missing 10",
            "duration_implausible 13",
            "duration_implausible 13",
            "duration_malformed 14",
            "end_before_start 12",
            "disposition_unknown 15",
            "field_missing 15",
            "field_missing 14",
            "time_implausible 11",
            "column_count 0",
            "nul_bytes 0",
            "quote_not_closed 0",
            "too_many_columns 0",
            "answered 60s",
        ],
    );
}

#[test]
fn an_end_before_the_start_is_read_if_the_clock_went_back() {
    let expected = "2026-10-25T01:50:00 2026-10-25T01:50:10 2026-10-25T01:10:00";
    check(fixture!("asterisk/clock_goes_back_during_the_call.csv"), "cdr_csv", times, &[expected]);
}

#[test]
fn names_are_bytes_in_any_encoding() {
    let expected = "1782892800.10 2026-07-01T08:00:00Z 2001>02079460958 60s";
    check(fixture!("asterisk/latin_1_and_control_characters.csv"), "cdr_csv", call, &[expected]);
}

#[test]
fn a_name_may_span_lines_and_a_byte_order_mark_is_no_part_of_the_record() {
    let file = fixture!("asterisk/name_over_two_lines_crlf_and_byte_order_mark.csv");
    check(file, "cdr_csv", call, &[" - 2001>02079460958 60s"; 2]);
    let reader = reader(file);
    let mut records = reader.records(0, 0, file, true);
    let first = records.next().unwrap().unwrap();
    assert_eq!((first.id.offset(), first.raw[0]), (3, b'"'));
    assert_eq!(records.skipped().blank_lines, 0);
    assert_eq!(records.by_ref().count(), 1);
    assert_eq!(records.skipped().blank_lines, 1);
}

#[test]
fn a_header_in_the_middle_is_skipped_and_a_last_line_cut_off_is_truncated() {
    let file = fixture!("asterisk/header_in_the_middle_and_last_line_cut_off.csv");
    check(file, "header", answered, &["answered 6s", "answered 7s", "truncated 0"]);
    let reader = reader(file);
    let mut records = reader.records(0, 0, file, true);
    assert_eq!(records.by_ref().count(), 3);
    assert_eq!(records.skipped().header_lines, 2);
}

#[test]
fn a_last_line_without_newline_is_truncated_if_it_has_fewer_columns_than_the_first() {
    let file = fixture!("asterisk/cdr_custom_shipped_template.csv");
    let whole = file.strip_suffix(b"\n").unwrap();
    check(whole, "cdr_custom", answered, &["answered 31s", "not answered 0s"]);
    // Without its last column the record would be one of an older release.
    let cut = whole.strip_suffix(b",3").unwrap();
    check(cut, "cdr_custom", answered, &["answered 31s", "truncated 0"]);
    // Inside a quote.
    let cut = whole.strip_suffix(b"\",\"\",3").unwrap();
    check(cut, "cdr_custom", answered, &["answered 31s", "truncated 0"]);
}

#[test]
fn a_header_with_other_columns_in_the_middle_is_rejected() {
    let file = text(fixture!("asterisk/gui_export_with_broken_quoting.csv")) + "dst,start,billsec,disposition\n";
    let all = lines(Format::Asterisk, &Options::default(), file.as_bytes(), answered);
    assert_eq!(all[5], "header_changed 0");
}

#[test]
fn the_first_header_is_no_record_whatever_layout_the_project_names() {
    let options = Options { layout: Some("cdr_csv".into()), ..Options::default() };
    let file = fixture!("asterisk/gui_export_with_broken_quoting.csv");
    let header = &file[..=file.iter().position(|byte| *byte == b'\n').unwrap()];
    assert!(lines(Format::Asterisk, &options, header, dialled).is_empty());
}

#[test]
fn a_project_can_name_the_columns_of_its_own_template() {
    let file = fixture!("asterisk/template_of_the_site.csv");
    let columns = ["START", "x", "dst", "disposition", "billsec", "src", "uniqueid"].map(String::from).to_vec();
    let options = Options { layout: Some("cdr_custom".into()), columns, ..Options::default() };
    let expected = ["1782907200.5 2026-07-01T12:00:00Z 2020>02079460090 33s"];
    assert_eq!(lines(Format::Asterisk, &options, file, call), expected);

    // The template has neither sequence nor channels: legs of one call would look alike.
    let same_bytes = |cdr: &Cdr| (cdr.key[0] == cdr.raw).to_string();
    assert_eq!(lines(Format::Asterisk, &options, file, same_bytes), ["true"]);

    let unknown = open(Format::Asterisk, &Options::default(), file, true).unwrap_err();
    assert_eq!(unknown, FileError::UnknownLayout { columns: 7 });
    let too_few = Options {
        layout: Some("cdr_custom".into()),
        columns: vec!["dst".into(), "start".into()],
        ..Options::default()
    };
    let missing = open(Format::Asterisk, &too_few, file, true).unwrap_err();
    assert_eq!(missing, FileError::ColumnMissing { column: "billsec" });
}

#[test]
fn a_channel_in_is_not_shown_where_the_layout_has_no_column_for_the_channel_out() {
    // An empty channel out means that a call went nowhere, and such calls are free.
    let columns = |text: &str| text.split(' ').map(String::from).collect();
    let shown = |cdr: &Cdr| format!("{}>{} {}", text(cdr.ingress), text(cdr.egress), text(cdr.peer));
    let alone = Options {
        layout: Some("cdr_custom".into()),
        columns: columns("src dst channel start billsec disposition"),
        ..Options::default()
    };
    let file = b"114,901632960123,SIP/114-0000000a,2026-07-01 12:00:00,60,ANSWERED\n";
    assert_eq!(lines(Format::Asterisk, &alone, file, shown), ["> 114"]);
    let both = Options {
        layout: Some("cdr_custom".into()),
        columns: columns("src dst channel dstchannel start billsec disposition"),
        ..Options::default()
    };
    let file = b"114,901632960123,SIP/114-0000000a,,2026-07-01 12:00:00,60,ANSWERED\n";
    assert_eq!(lines(Format::Asterisk, &both, file, shown), ["SIP/114-0000000a> 114"]);
}

#[test]
fn a_layout_can_be_named_where_no_record_would_show_it() {
    let options = Options { layout: Some("freepbx_table".into()), ..Options::default() };
    assert_eq!(lines(Format::Asterisk, &options, b"1,2\n", call), ["column_count 0"]);
    let unreadable = b"\"never closed\n\0\n";
    assert_eq!(lines(Format::Asterisk, &Options::default(), unreadable, call), ["quote_not_closed 0", "nul_bytes 0"]);
}
