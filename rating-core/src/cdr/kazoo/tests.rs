use super::super::tests::{fixture, lines, text};
use super::super::{Cdr, End, FileError, Format, Kind, Options, Part, PartRole, Stamp, open, recognise};

/// Asserts the layout and one line per record.
#[track_caller]
fn check(file: &[u8], layout: &str, describe: fn(&Cdr) -> String, expected: &[&str]) {
    let options = Options::default();
    assert_eq!(open(Format::Kazoo, &options, file, true).unwrap().layout_name(), layout);
    assert_eq!(lines(Format::Kazoo, &options, file, describe), expected);
    assert_eq!(recognise(file, true).first().map(|(format, _)| *format), Some(Format::Kazoo));
}

/// Who called whom, who answered, how long.
fn call(cdr: &Cdr) -> String {
    let sign = if cdr.answered { "" } else { " unanswered" };
    format!("{}>{}|{} {}{sign}", text(cdr.calling), text(cdr.dialled), text(cdr.reached), cdr.talk)
}

fn times(cdr: &Cdr) -> String {
    let time = |stamp| match stamp {
        Some(Stamp::Instant(instant)) => instant.to_rfc3339(),
        Some(Stamp::Local(local)) => local.to_string(),
        None => "-".into(),
    };
    format!("{} {} {}", time(cdr.setup), time(cdr.answer), time(cdr.end))
}

fn leg(cdr: &Cdr) -> String {
    match cdr.kind {
        Kind::Part(Part { group, role: PartRole::Leg { rank } }) => {
            format!("{} leg {rank} of {}", text(cdr.call_id), group.map(text).join(" ").trim())
        }
        kind => format!("{} {kind:?}", text(cdr.call_id)),
    }
}

/// Where caller and called party are, by which device, whose account.
fn way(cdr: &Cdr) -> String {
    let end = |end| match end {
        End::Untold => "?",
        End::Inside => "in",
        End::Outside => "out",
    };
    let [caller, callee] = cdr.ends.map(end);
    format!("{caller}>{callee} {} {}", text(cdr.peer), text(cdr.account)).trim_end().to_owned()
}

#[test]
fn legs_of_an_interaction_are_one_call_which_the_leg_that_came_in_stands_for() {
    let file = fixture!("kazoo/legs_of_three_interactions.csv");
    check(
        file,
        "csv",
        leg,
        &[
            "b1 leg 1 of 63950112000-1a2b3c4d",
            "a1 leg 0 of 63950112000-1a2b3c4d",
            "b2 leg 1 of 63950112600-2b3c4d5e",
            "a2 leg 0 of 63950112600-2b3c4d5e",
            "a3 leg 0 of 63950113200-3c4d5e6f",
        ],
    );
    check(
        file,
        "csv",
        call,
        &[
            "+442079460101>+442079460958|+442079460958 60s",
            "2001>02079460958|+442079460958 60s",
            "+447700900123>user_2001|2001 30s",
            "+447700900123>+442079460101|2001 30s",
            "2002>07700900123| 0s unanswered",
        ],
    );
    // Without interactions, legs name each other.
    check(
        fixture!("kazoo/older_columns_without_interaction.csv"),
        "csv",
        leg,
        &["a1 leg 0 of a1 b1", "b1 leg 1 of a1 b1", "a3 Call"],
    );
}

#[test]
fn who_was_authorized_is_inside_and_who_was_not_outside() {
    check(
        fixture!("kazoo/legs_of_three_interactions.csv"),
        "csv",
        way,
        &["?>?", "in>? 2001", "?>?", "out>in", "in>? 2002"],
    );
    // Authorized by the account itself, or as a carrier's line: a call from outside.
    let account = "acc00000000000000000000000000003";
    check(
        fixture!("kazoo/documents_of_a_database.json"),
        "json",
        way,
        &[
            &format!("?>?  {account}"),
            &format!("in>? 2001 {account}"),
            &format!("out>in  {account}"),
            &format!("out>in  {account}"),
        ],
    );
}

#[test]
fn a_listing_has_the_beginning_and_a_document_the_end_in_gregorian_seconds() {
    // 63950112000 − 62167219200 = 1782892800, 2026-07-01T08:00:00Z; answered 65 − 60 = 5 s later.
    let expected = "2026-07-01T08:00:00Z 2026-07-01T08:00:05Z 2026-07-01T08:01:05Z";
    for file in [fixture!("kazoo/legs_of_three_interactions.csv"), fixture!("kazoo/documents_of_a_database.json")] {
        assert_eq!(lines(Format::Kazoo, &Options::default(), file, times)[1], expected);
    }
    check(fixture!("kazoo/document_of_the_listing.json"), "json", times, &[expected]);
    check(fixture!("kazoo/documents_with_their_rows.json"), "json", times, &[expected]);
}

#[test]
fn a_reseller_has_two_columns_more_and_a_second_page_no_header() {
    let expected = ["a1 leg 0 of 63950112000-1a2b3c4d", "b1 leg 1 of 63950112000-1a2b3c4d"];
    check(fixture!("kazoo/for_a_reseller.csv"), "csv", leg, &expected);
    check(fixture!("kazoo/second_page_without_header.csv"), "csv", leg, &expected);
    check(fixture!("kazoo/second_page_for_a_reseller_without_header.csv"), "csv_reseller", leg, &expected);
}

#[test]
fn commas_in_names_move_no_other_column() {
    let file = fixture!("kazoo/names_with_commas.csv");
    let good = "2001>02079460958|+442079460958 60s";
    // `12` of `Flat 7,12` may be the called number as well: it is not needed.
    check(file, "csv", call, &[good, good, good, "2001>02079460958| 60s", good, good, good]);
    check(file, "csv", leg, &["a1 leg 0 of 63950112000-1a2b3c4d"; 7]);
    check(fixture!("kazoo/resaved_by_spreadsheet_with_quotes.csv"), "csv", call, &[good]);
}

#[test]
fn rows_that_cannot_be_read_say_which_column() {
    check(
        fixture!("kazoo/rows_that_cannot_be_read.csv"),
        "csv",
        call,
        &[
            "field_missing 9",
            "time_malformed 9",
            "duration_implausible 7",
            "duration_malformed 8",
            "disposition_unknown 15",
            "column_count 0",
            "column_count 0",
            "header_changed 0",
            // Unix seconds where Gregorian ones belong.
            "time_implausible 9",
        ],
    );
}

#[test]
fn documents_that_lack_what_is_needed_are_rejected() {
    check(
        fixture!("kazoo/documents_that_lack_something.json"),
        "json",
        call,
        &[
            // A skeleton: nothing says when, or how long.
            "field_missing 0",
            "field_missing 0",
            "field_missing 0",
            "time_implausible 0",
            "malformed 0",
            "2001>02079460958|+442079460958 0s unanswered",
        ],
    );
}

#[test]
fn an_answer_with_all_calls_in_one_object_is_refused_with_advice() {
    for (file, list) in
        [(fixture!("kazoo/answer_of_the_api.json"), "data"), (fixture!("kazoo/answer_of_the_database.json"), "rows")]
    {
        let error = open(Format::Kazoo, &Options::default(), file, true).unwrap_err();
        assert_eq!(error.to_string(), format!("the file is one JSON object with all calls in its `{list}`"));
        assert!(matches!(error, FileError::Unreadable { .. }));
        assert_eq!(recognise(file, true).first().map(|(format, _)| *format), Some(Format::Kazoo));
    }
}
