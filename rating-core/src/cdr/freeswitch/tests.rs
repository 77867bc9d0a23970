use super::super::tests::{fixture, lines, text};
use super::super::{Cdr, End, FileError, Format, Kind, Options, Part, PartRole, Stamp, open, recognise};

/// Asserts the layout and one line per record.
#[track_caller]
fn check(file: &[u8], layout: &str, describe: fn(&Cdr) -> String, expected: &[&str]) {
    let options = Options::default();
    assert_eq!(open(Format::FreeSwitch, &options, file, true).unwrap().layout_name(), layout);
    assert_eq!(lines(Format::FreeSwitch, &options, file, describe), expected);
    assert_eq!(recognise(file, true).first().map(|(format, _)| *format), Some(Format::FreeSwitch));
}

fn time(stamp: Option<Stamp>) -> String {
    match stamp {
        Some(Stamp::Local(local)) => local.to_string(),
        Some(Stamp::Instant(instant)) => instant.to_rfc3339(),
        None => "-".into(),
    }
}

/// Who called whom, how long, whose account.
fn call(cdr: &Cdr) -> String {
    let sign = if cdr.answered { "" } else { " unanswered" };
    format!("{}>{} {}{sign} {}", text(cdr.calling), text(cdr.dialled), cdr.talk, text(cdr.account))
}

fn times(cdr: &Cdr) -> String {
    format!("{} {} {}", time(cdr.setup), time(cdr.answer), time(cdr.end))
}

/// The first digits of the UUID, and what joins the record to others.
fn leg(cdr: &Cdr) -> String {
    let short = |uuid: &[u8]| text(uuid.get(6..8).unwrap_or_default());
    let kind = match cdr.kind {
        Kind::Part(Part { group, role: PartRole::Leg { rank } }) => {
            format!("leg {rank} of {}", group.map(short).join(" ").trim())
        }
        kind => format!("{kind:?}"),
    };
    format!("{} {kind}", short(cdr.call_id))
}

/// Where the call came in and went out, and who sent it where.
fn way(cdr: &Cdr) -> String {
    let end = |end| match end {
        End::Untold => "?",
        End::Inside => "in",
        End::Outside => "out",
    };
    let [caller, callee] = cdr.ends.map(end);
    let numbers = [cdr.dialled, cdr.reached, cdr.outpulsed, cdr.forwarder].map(text).join("|");
    format!("{caller}>{callee} {} {} {numbers}", text(cdr.ingress), text(cdr.egress))
}

#[test]
fn a_blank_before_an_opening_quote_belongs_to_no_value() {
    let file = fixture!("freeswitch/default_template_blank_before_account.csv");
    check(file, "default", call, &["2001>02079460958 60s acme", "2002>07700900123 0s unanswered "]);
    check(
        file,
        "default",
        times,
        &["2026-07-01T09:00:00 2026-07-01T09:00:05 2026-07-01T09:01:05", "2026-07-01T09:10:00 - 2026-07-01T09:10:20"],
    );
}

#[test]
fn insert_statements_hold_a_record_each() {
    let file = fixture!("freeswitch/sql_template.sql");
    check(file, "sql", call, &["2001>02079460958 60s acme", "2002>07700900123 30s acme"]);
}

#[test]
fn the_templates_that_go_on_behind_the_account_are_told_by_their_width() {
    check(fixture!("freeswitch/snom_template.csv"), "snom", call, &["2001>02079460958 60s acme"]);
    check(fixture!("freeswitch/linksys_template.csv"), "linksys", call, &["2001>02079460958 60s acme"]);
}

#[test]
fn the_asterisk_template_is_not_taken_for_asterisks_own_and_tells_where_calls_went() {
    let file = fixture!("freeswitch/asterisk_template.csv");
    check(file, "asterisk", call, &["2001>02079460958 60s acme", "02079460777>2001 30s ", "2002>*98 30s acme"]);
    check(
        file,
        "asterisk",
        way,
        &[
            "?>out sofia/internal/2001@pbx.example.com sofia/external/442079460958 02079460958|||",
            "?>in sofia/external/02079460777@carrier.example.com sofia/internal/2001@10.0.0.9:5060 2001|||",
            "?>? sofia/internal/2002@pbx.example.com  *98|||",
        ],
    );
}

#[test]
fn legs_are_joined_by_the_uuid_that_the_callers_leg_names() {
    check(
        fixture!("freeswitch/example_template_legs_ab.csv"),
        "example",
        leg,
        &["12 leg 1 of 12", "11 leg 0 of 12", "22 Call", "21 Call", "31 leg 1 of 31"],
    );
}

#[test]
fn legs_that_name_each_other_are_ranked_by_direction_and_begin_with_the_answer() {
    let file = fixture!("freeswitch/opencdrrate_template.csv");
    check(file, "opencdrrate", leg, &["72 leg 1 of 71 72", "71 leg 0 of 71 72", "73 Call"]);
    check(
        file,
        "opencdrrate",
        times,
        &[
            "2026-07-01T09:00:05 2026-07-01T09:00:05 2026-07-01T09:01:05",
            "2026-07-01T09:00:05 2026-07-01T09:00:05 2026-07-01T09:01:05",
            "2026-07-01T09:05:05 - 2026-07-01T09:05:05",
        ],
    );
}

#[test]
fn a_name_that_breaks_the_quotes_is_what_is_left_between_both_ends() {
    let good = "2001>02079460958 60s acme";
    check(
        fixture!("freeswitch/names_that_break_the_quotes.csv"),
        "example",
        call,
        // Half a record; a quote in another column, which cannot be mended; a time that is none.
        &[good, good, good, good, good, good, good, good, "column_count 0", "duration_malformed 8", "time_malformed 7"],
    );
}

#[test]
fn a_channel_with_three_records_is_one_call() {
    let file = fixture!("freeswitch/one_uuid_three_times_with_another_cause.csv");
    check(file, "example", leg, &["91 leg 1 of 91", "91 leg 1 of 91", "91 leg 1 of 91"]);
    let reader = open(Format::FreeSwitch, &Options::default(), file, true).unwrap();
    let keys: Vec<_> = reader.records(0, 0, file, true).map(|cdr| cdr.unwrap().key).collect();
    // The second is the first written twice, as in the file of all calls and that of an account; the third is not.
    assert_eq!(keys[0], keys[1]);
    assert_ne!(keys[0], keys[2]);
}

#[test]
fn a_call_is_answered_only_with_an_answer_and_talk_whatever_the_cause() {
    check(
        fixture!("freeswitch/answered_only_with_an_answer_and_talk.csv"),
        "example",
        call,
        &[
            "2001>02079460958 60s acme",
            "2001>02079460958 0s unanswered acme",
            "2001>02079460958 20s acme",
            "2001>02079460958 0s unanswered acme",
            "2001>02079460958 0s unanswered acme",
            "2001>02079460958 5s unanswered acme",
            "duration_implausible 9",
            "field_missing 9",
            "time_implausible 6",
            "end_before_start 7",
            "duration_malformed 9",
            "field_missing 5",
        ],
    );
}

#[test]
fn a_spreadsheet_loses_the_seconds_and_the_answer_is_reckoned() {
    let file = fixture!("freeswitch/resaved_by_spreadsheet_without_seconds.csv");
    check(
        file,
        "example",
        times,
        &[
            // 65 − 60 = 5 s and 25 − 15 = 10 s after the full minute.
            "2026-07-01T09:00:00 2026-07-01T09:00:05 2026-07-01T09:01:00",
            "2026-07-01T09:00:00 2026-07-01T09:00:10 2026-07-01T09:01:00",
            "2026-12-31T22:41:00 - 2026-12-31T22:41:00",
            // Nothing tells day from month.
            "time_malformed 6",
            "time_malformed 5",
        ],
    );
    let reader = open(Format::FreeSwitch, &Options::default(), file, true).unwrap();
    assert!(reader.notes().minutes_only);
    let with_seconds = fixture!("freeswitch/example_template_legs_ab.csv");
    assert!(!open(Format::FreeSwitch, &Options::default(), with_seconds, true).unwrap().notes().minutes_only);
}

#[test]
fn a_sites_own_template_is_read_by_the_names_of_its_variables() {
    let file = fixture!("freeswitch/template_of_the_site_with_milliseconds.csv");
    let columns =
        ["uuid", "start_epoch", "answer_epoch", "end_epoch", "caller_id_number", "${destination_number}", "billmsec"];
    let mut options = Options { columns: columns.map(str::to_owned).into(), ..Options::default() };
    options.columns.push("\"${accountcode}\"".to_owned());
    assert_eq!(
        lines(Format::FreeSwitch, &options, file, |cdr| format!("{} {}", call(cdr), times(cdr))),
        [
            "2001>+442079460958 60.54s acme 2026-07-01T08:00:00Z 2026-07-01T08:00:05Z 2026-07-01T08:01:06Z",
            "2002>02079460777 0s unanswered acme 2026-07-01T08:01:40Z - 2026-07-01T08:02:00Z",
        ]
    );
    options.columns[6] = "mduration".to_owned();
    let error = open(Format::FreeSwitch, &options, file, true).unwrap_err();
    assert_eq!(error, FileError::ColumnMissing { column: "billsec" });
}

#[test]
fn a_header_is_read_where_a_database_writes_one() {
    check(
        fixture!("freeswitch/header_of_a_database_export.csv"),
        "header",
        call,
        &["2001>02079460958 60s ", "2001>07700900123 60s ", "header_changed 0"],
    );
}

#[test]
fn a_document_tells_who_called_whom_by_which_channels() {
    for file in [fixture!("freeswitch/document_over_several_lines.json"), fixture!("freeswitch/values_encoded.json")] {
        let first =
            |describe: fn(&Cdr) -> String| lines(Format::FreeSwitch, &Options::default(), file, describe).remove(0);
        assert_eq!(first(call), "2001>902079460958 61s acme");
        assert_eq!(first(times), "2026-07-01T08:00:00Z 2026-07-01T08:00:05Z 2026-07-01T08:01:06Z");
        assert_eq!(
            first(way),
            "in>out sofia/internal/2001@192.0.2.10 sofia/external/442079460958 902079460958||442079460958|"
        );
    }
    check(fixture!("freeswitch/document_over_several_lines.json"), "json", leg, &["d1 leg 0 of d1"]);
}

#[test]
fn an_encoded_channel_that_stands_nowhere_else_is_left_out_with_its_other() {
    let file = fixture!("freeswitch/values_encoded.json");
    assert_eq!(lines(Format::FreeSwitch, &Options::default(), file, way)[1], "?>out   902079460958|||");
}

#[test]
fn talk_in_milliseconds_is_taken_if_the_settings_say_so() {
    let options = Options { layout: Some("json_billmsec".to_owned()), ..Options::default() };
    let file = fixture!("freeswitch/document_over_several_lines.json");
    assert_eq!(lines(Format::FreeSwitch, &options, file, |cdr| cdr.talk.to_string()), ["60.54s"]);
}

#[test]
fn documents_of_both_legs_are_joined_by_the_uuid_of_the_call() {
    let expected = ["d2 leg 1 of d1", "d1 leg 0 of d1"];
    check(fixture!("freeswitch/documents_of_both_legs.json"), "json", leg, &expected);
    check(fixture!("freeswitch/documents_in_an_array.json"), "json", leg, &expected);
}

#[test]
fn the_oldest_entry_has_what_was_dialled_and_the_newest_where_it_was_sent() {
    check(
        fixture!("freeswitch/transferred_and_only_routed.json"),
        "json",
        way,
        &[
            "?>out sofia/external/02079460777@carrier.example.com sofia/external/442079460958 2001|07700900123|447700900123|2001",
            // rdnis is set, and yet nobody sent the call on.
            "in>? sofia/internal/2001@192.0.2.10  02079460958|||",
        ],
    );
}

#[test]
fn documents_that_cannot_be_read_take_nothing_with_them() {
    check(
        fixture!("freeswitch/documents_that_cannot_be_read.json"),
        "json",
        call,
        &[
            "2001>902079460958 0s unanswered ",
            "field_missing 0",
            "malformed 0",
            // Nested too deeply.
            "malformed 0",
            "malformed 0",
            "duration_malformed 0",
            // An old version's single entry instead of a list.
            "2001>902079460958 0s unanswered ",
            "truncated 0",
        ],
    );
}

#[test]
fn a_file_of_xml_is_refused_with_advice() {
    let error = open(Format::FreeSwitch, &Options::default(), b"<cdr core-uuid=\"1\"></cdr>\n", true).unwrap_err();
    assert!(matches!(&error, FileError::Unreadable { .. }), "{error}");
}
