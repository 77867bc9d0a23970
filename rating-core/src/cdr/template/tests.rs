//! Templates of every kind, against small files of our own.

use std::sync::Arc;

use super::super::reader::{FileError, Format, Options, open};
use super::super::times::LastDay;
use super::super::{Cdr, End, Frame, Kind, NotACall, PartRole, RejectReason, Stamp};
use super::Template;
use super::clock::{Pattern, date_in_name};
use super::length::Length;
use crate::finding::{Findings, SourceText};

/// A template and what was found about it.
fn read(text: &str) -> (Option<Template>, Vec<String>) {
    let mut findings = Findings::default();
    let template = Template::read(&SourceText::new("switches/t.toml", text), &mut findings);
    (template, findings.iter().map(ToString::to_string).collect())
}

#[track_caller]
fn template(text: &str) -> Arc<Template> {
    let (template, findings) = read(text);
    assert_eq!(findings, [""; 0]);
    Arc::new(template.unwrap())
}

#[track_caller]
fn reader_of(toml: &str, file: &[u8], name: &str) -> Result<super::super::Reader, FileError> {
    let template = template(toml);
    let options = Options { template: Some(Arc::clone(&template)), file_name: name.to_owned(), ..Options::default() };
    open(template.format(), &options, file, true)
}

/// One line for each record: what a person would look at.
#[track_caller]
fn shown(toml: &str, file: &[u8], name: &str) -> Vec<String> {
    let reader = reader_of(toml, file, name).unwrap();
    let read: Vec<String> = reader
        .records(0, 0, file, true)
        .map(|record| match record {
            Ok(cdr) => show(&cdr),
            Err(reject) => format!("{} {}", reject.reason.code(), reject.column),
        })
        .collect();
    // In chunks it is the same.
    for cut in 1..file.len() {
        let point = reader.split_point(&file[..cut], false);
        let first = reader.records(0, 0, &file[..point], point == file.len());
        let rest = reader.records(0, point as u64, &file[point..], true);
        let again: Vec<String> = first
            .chain(rest)
            .map(|record| match record {
                Ok(cdr) => show(&cdr),
                Err(reject) => format!("{} {}", reject.reason.code(), reject.column),
            })
            .collect();
        assert_eq!(again, read, "cut at {point}");
    }
    read
}

fn stamp(stamp: Option<Stamp>) -> String {
    match stamp {
        None => "-".to_owned(),
        Some(Stamp::Instant(at)) => at.to_rfc3339(),
        Some(Stamp::Local(local)) => {
            let (year, month, day) = local.date().civil();
            let ms = local.millis_of_day();
            format!("{year}-{month:02}-{day:02} {:02}:{:02}:{:02}", ms / 3_600_000, ms / 60_000 % 60, ms / 1_000 % 60)
        }
    }
}

fn show(cdr: &Cdr<'_>) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let way = match cdr.ends {
        [End::Outside, End::Inside] => "in",
        [End::Inside, End::Outside] => "out",
        [End::Inside, End::Inside] => "internal",
        [End::Outside, End::Outside] => "forwarded",
        _ => "?",
    };
    match cdr.kind {
        Kind::NotACall(why) => why.code().to_owned(),
        _ => format!(
            "{} {} {} {}>{} {} {}{}{}",
            stamp(cdr.setup),
            stamp(cdr.answer),
            stamp(cdr.end),
            text(cdr.calling),
            text(cdr.dialled),
            cdr.talk,
            if cdr.answered { "answered " } else { "" },
            way,
            match cdr.kind {
                Kind::Part(part) => format!(" {:?}", part.role),
                _ => String::new(),
            }
        ),
    }
}

const PLAIN: &str = r#"
kind = "delimited"
delimiter = ";"
[fields]
setup = "Started"
calling = "From"
dialled = "To"
talk = "Seconds"
[times]
format = "YYYY-MM-DD hh:mm:ss"
"#;

#[test]
fn columns_are_found_by_name_whatever_their_order_case_and_punctuation() {
    let file = b"TO;seconds (s);FROM;Sta-rted\n+442079460000;61;2001;2026-10-05 09:30:00\n";
    assert_eq!(shown(PLAIN, file, ""), ["2026-10-05 09:30:00 - - 2001>+442079460000 61s answered ?"]);
}

#[test]
fn a_header_may_come_behind_a_title_and_again_in_the_middle() {
    let file = b"Calls of October\nFrom;To;Started;Seconds\n1;2;2026-10-05 09:30:00;0\nFrom;To;Started;Seconds\n1;2;2026-10-05 09:30:00;5\n";
    let line = |end: &str| format!("2026-10-05 09:30:00 - - 1>2 {end}");
    assert_eq!(shown(PLAIN, file, ""), [line("0s ?"), line("5s answered ?")]);
}

#[test]
fn records_before_the_header_are_no_title() {
    // Two files put together, the first of which had lost its header: none of the records may vanish.
    let file = b"Calls;of;October;\n1;2;2026-10-05 09:30:00;7\n1;2;5 Oct.;8\nFrom;To;Started;Seconds\n1;2;2026-10-05 09:30:00;9\n";
    let line = |end: &str| format!("2026-10-05 09:30:00 - - 1>2 {end}");
    assert_eq!(
        shown(PLAIN, file, ""),
        [line("7s answered ?"), "cdr.time_malformed 3".to_owned(), line("9s answered ?")]
    );
}

#[test]
fn a_header_that_lacks_a_column_is_refused_by_name() {
    let error = reader_of(PLAIN, b"From;To;Seconds\n1;2;3\n", "").unwrap_err();
    assert_eq!(error.to_string(), "the file lacks columns that `t` files have: `Started` (setup)");
    let error = reader_of(PLAIN, b"a;b\n1;2\n", "").unwrap_err();
    assert_eq!(error.to_string(), "the file has no line with the names of `t` columns");
    assert!(reader_of(PLAIN, b"From;To;Started;Seconds\n", "").is_ok());
    assert!(reader_of(PLAIN, b"", "").is_ok());
}

#[test]
fn a_record_with_more_or_fewer_columns_than_the_header_is_rejected() {
    let file = b"From;To;Started;Seconds\n1;2;2026-10-05 09:30:00\n1;2;x;2026-10-05 09:30:00;3\n1;2;2026-10-05 09:30:00;3;\n1;2;2026-10-05 09:30:00;4\n1;2;2026-10-05";
    assert_eq!(
        shown(PLAIN, file, ""),
        [
            "cdr.column_count 0",
            "cdr.column_count 0",
            "cdr.column_count 0",
            "2026-10-05 09:30:00 - - 1>2 4s answered ?",
            "cdr.truncated 0"
        ]
    );
}

#[test]
fn an_empty_column_at_the_end_of_every_record_is_passed_over() {
    let file = b"From;To;Started;Seconds\n1;2;2026-10-05 09:30:00;3;\n1;2;2026-10-05 09:30:00;4;\n";
    let line = |end: &str| format!("2026-10-05 09:30:00 - - 1>2 {end} answered ?");
    assert_eq!(shown(PLAIN, file, ""), [line("3s"), line("4s")]);
}

#[test]
fn all_mistakes_of_a_template_are_found_in_one_pass() {
    let (template, found) = read(
        r#"
kind = "delimitd"
delimiter = "/"
heder = "names"
[fields]
setup = "Started"
diald = "To"
talk = 0
[times]
format = "YYYY-QQ"
[durations]
talk = "hh:xx"
[rules]
answered_when = { dispositon = ["ANSWERED"] }
[direction]
otherwise = "outgoing"
[parts]
revision = true
"#,
    );
    assert!(template.is_none());
    let expected = [
        "switches/t.toml:2:8: error[template.bad_value]: `kind` cannot be `delimitd`",
        "switches/t.toml:3:13: error[template.bad_value]: `delimiter` cannot be `/`",
        "switches/t.toml:8:8: error[template.bad_column]: `talk`: no column 0",
        "switches/t.toml:5:2: error[template.field_missing]: the template does not tell `dialled`: the number that was called",
        "switches/t.toml:5:2: error[template.field_missing]: the template does not tell `talk`: how long the parties talked; or `answer` and `end`, or `duration` and `ring`",
        "switches/t.toml:7:1: error[settings.unknown_key]: unknown key `diald`",
        "switches/t.toml:10:10: error[template.bad_time]: `YYYY-QQ` is no way to write a time: `QQ` means nothing",
        "switches/t.toml:12:8: error[template.bad_duration]: `hh:xx` is no way to write a duration: `x` means nothing",
        "switches/t.toml:14:19: error[template.unknown_field]: there is no field `dispositon`",
        "switches/t.toml:16:13: error[template.bad_value]: `otherwise` cannot be `outgoing`",
        "switches/t.toml:17:2: error[settings.missing_key]: key `group` is missing in `[parts]`",
        "switches/t.toml:4:1: error[settings.unknown_key]: unknown key `heder`",
    ];
    assert_eq!(found, expected);
}

#[test]
fn times_are_read_as_their_pattern_says() {
    use super::clock::Parts;
    for (pattern, text, expected) in [
        ("YYYY-MM-DD hh:mm:ss", "2026-10-05 09:30:01", Some("2026-10-05 09:30:01")),
        ("dd/mm/yyyy hh:mm:ss", "05/10/2026 09:30:01", Some("2026-10-05 09:30:01")),
        ("D/M/YYYY h:mm:ss", "5/10/2026 9:30:01", Some("2026-10-05 09:30:01")),
        ("DD.MM.YYYY hh.mm.ss", "05.10.2026 09.30.01", Some("2026-10-05 09:30:01")),
        ("YYYYMMDDhhmmss", "20261005093001", Some("2026-10-05 09:30:01")),
        ("DD MMM YY hh:mm:ss AM", "05 Oct 26 09:30:01 PM", Some("2026-10-05 21:30:01")),
        ("YYYY/MM/DD hh:mm[:ss]", "2026/10/05 09:30", Some("2026-10-05 09:30:00")),
        ("YYYY/MM/DD hh:mm[:ss]", "2026/10/05 09:30:59", Some("2026-10-05 09:30:59")),
        ("YYYY-MM-DDThh:mm:ss.fffZ", "2026-10-05T09:30:01.999+02:00", Some("2026-10-05T07:30:01.999Z")),
        ("iso", "2026-10-05T09:30:01Z", Some("2026-10-05T09:30:01Z")),
        ("iso", "2026-10-05T09:30:01.1234567+01:00", Some("2026-10-05T08:30:01.123Z")),
        ("iso", "2026-10-05 09:30:01", Some("2026-10-05 09:30:01")),
        ("epoch", "1791192601", Some("2026-10-05T09:30:01Z")),
        ("epoch", "1791192601.25", Some("2026-10-05T09:30:01.250Z")),
        ("epoch-ms", "1791192601250", Some("2026-10-05T09:30:01.250Z")),
        ("YYYY-MM-DD hh:mm:ss", "0000-00-00 00:00:00", Some("-")),
        ("YYYY-MM-DD hh:mm:ss", "1970-01-01 00:00:00", Some("-")),
        ("YYYY-MM-DD hh:mm:ss", "2026-02-30 00:00:00", None),
        ("YYYY-MM-DD hh:mm:ss", "2026-10-05 24:00:00", None),
        ("YYYY-MM-DD hh:mm:ss", "2026-10-05 09:30", None),
        ("YYYY-MM-DD hh:mm:ss", "2026-10-05 09:30:01  ", Some("2026-10-05 09:30:01")),
        ("YYYYMMDD hhmmss", "20261005  93001", Some("2026-10-05 09:30:01")),
        ("DD/MM/YYYY hh:mm:ss", "5/10/2026 09:30:01", None),
        ("iso", "2026-10-05", None),
        ("iso", "2026-10-05T09:30:01+99:00", None),
        ("epoch", "x", None),
    ] {
        let mut parts = Parts::default();
        let found = Pattern::parse(pattern).unwrap().read(text.as_bytes(), &mut parts);
        let found =
            found.and_then(|()| parts.stamp(false, |_, _| None, || None, &mut LastDay::default())).ok().map(stamp);
        assert_eq!(found.as_deref(), expected, "{pattern} {text}");
    }
    for pattern in ["", "YYYY", "YYYY-MM", "hh", "MM/DD/MM hh:mm", "YYYY-MM-DD[ hh][:mm]", "QQ"] {
        assert!(Pattern::parse(pattern).is_err(), "{pattern}");
    }
}

#[test]
fn durations_are_read_as_their_pattern_says() {
    for (pattern, text, expected) in [
        ("seconds", "61", Ok("61s")),
        ("seconds", "0000061", Ok("61s")),
        ("seconds", "61.25", Ok("61.25s")),
        ("seconds", "61,5", Ok("61.5s")),
        ("milliseconds", "61250", Ok("61.25s")),
        ("minutes", "1.5", Ok("90s")),
        ("hh:mm:ss", "00:01:01", Ok("61s")),
        ("hh:mm:ss", "0123:00:00", Ok("442800s")),
        ("mm:ss", "75:30", Ok("4530s")),
        ("hhmmss", "010203", Ok("3723s")),
        ("hmmt", "1025", Ok("3750s")), // 1 h 02 min and 5 tenths: 3 600 + 120 + 30
        ("hmmt", "  15", Ok("90s")),   // blanks for zeros: 1 min and 5 tenths
        ("h mm t", "1 02 5", Ok("3750s")),
        ("units", "5m", Ok("300s")),
        ("units", "10s", Ok("10s")),
        ("units", "1h 2m 3s", Ok("3723s")),
        ("seconds", "-1", Err(RejectReason::DurationImplausible)),
        ("seconds", "604801", Err(RejectReason::DurationImplausible)),
        ("seconds", "1e3", Err(RejectReason::DurationMalformed)),
        ("seconds", "5m", Err(RejectReason::DurationMalformed)),
        ("hh:mm:ss", "00:60:00", Err(RejectReason::DurationMalformed)),
        ("hh:mm:ss", "01:01", Err(RejectReason::DurationMalformed)),
        ("hhmmss", "10203", Err(RejectReason::DurationMalformed)),
        ("units", "5", Err(RejectReason::DurationMalformed)),
        ("units", "5 apples", Err(RejectReason::DurationMalformed)),
    ] {
        let found = Length::parse(pattern).unwrap().read(text.as_bytes());
        let found = found.map(|found| found.unwrap().to_string());
        assert_eq!(found, expected.map(str::to_owned), "{pattern} {text}");
    }
    assert_eq!(Length::Seconds.read(b""), Ok(None));
    for pattern in ["", ":", "hh:hh", "x"] {
        assert!(Length::parse(pattern).is_err(), "{pattern}");
    }
}

#[test]
fn rules_decide_what_is_answered_which_way_it_went_and_what_is_no_call() {
    let toml = r#"
kind = "delimited"
header = "none"
[fields]
type = 1
setup_date = 2
setup_time = 3
calling = 4
dialled = 5
talk = 6
disposition = 7
direction = 8
[times]
date = "DD/MM/YYYY"
time = "hh:mm:ss"
[durations]
talk = "mm:ss"
unset = ["-1"]
[rules]
marker_when = { type = ["HDR*", "TRL*"] }
skip_when = { type = ["test"] }
not_voice_when = { type = ["sms", "*data*"] }
answered_when = [{ disposition = ["ok"] }, { disposition = ["fwd"], direction = ["o"] }]
unanswered_when = { disposition = ["busy", ""] }
[direction]
in = ["i"]
out = ["o"]
internal = { direction = ["n"] }
otherwise = "forwarded"
"#;
    let file = b"HDR0001\nv,05/10/2026,09:30:00,1,2,01:01,OK,i\nv,05/10/2026,09:30:00,1,2,01:01,fwd,o\nv,05/10/2026,09:30:00,1,2,-1,busy,n\n\
sms,,,,,,,\nMobile Data,x,,,,,,\ntest\nv,05/10/2026,09:30:00,1,2,01:01,fwd,i\nv,05/10/2026,09:30:00,1,2,,,z\nv,05/10/2026,,1,2,01:01,OK,i\nTRL000009\n";
    assert_eq!(
        shown(toml, file, ""),
        [
            "cdr.file_marker",
            "2026-10-05 09:30:00 - - 1>2 61s answered in",
            "2026-10-05 09:30:00 - - 1>2 61s answered out",
            "2026-10-05 09:30:00 - - 1>2 0s internal",
            "cdr.not_voice",
            "cdr.not_voice",
            "cdr.omitted_by_switch",
            "cdr.disposition_unknown 7",
            "2026-10-05 09:30:00 - - 1>2 0s forwarded",
            "cdr.field_missing 2",
            "cdr.file_marker",
        ]
    );
}

#[test]
fn quoting_is_what_the_template_says() {
    let with = |delimiter: &str, quoting: &str, file: &str| {
        let toml = format!(
            "kind = \"delimited\"\nheader = \"none\"\ndelimiter = \"{delimiter}\"\nquoting = \"{quoting}\"\n[fields]\nsetup = 1\n\
             calling = 2\ndialled = 3\ntalk = 4\n[times]\nformat = \"epoch\"\n"
        );
        shown(&toml, file.as_bytes(), "").join("; ")
    };
    let line = |from: &str| format!("2026-10-05T09:30:01Z - - {from}>2 5s answered ?");
    assert_eq!(with(",", "rfc4180", "1791192601,\"a,b\",2,5\n"), line("a,b"));
    assert_eq!(with(",", "none", "1791192601,\"a,2,5\n"), line("\"a"));
    assert_eq!(with(",", "backslash", "1791192601,a\\,b,2,5\n"), line("a\\,b"));
    assert_eq!(with(", ", "rfc4180", "1791192601, \"a, b\", 2, 5\n"), line("a, b"));
    assert_eq!(with("tab", "none", "1791192601\ta\t2\t5\n"), line("a"));
    assert_eq!(with("|", "rfc4180", "1791192601|Ann<2001>|2|5\n"), line("2001"));
}

#[test]
fn a_name_without_brackets_goes_before_one_with_brackets() {
    let toml = "kind = \"delimited\"\n[fields]\nsetup = \"t\"\ndialled = \"d\"\ntalk = \"s\"\ncharge = \"Price\"\n[times]\nformat = \"epoch\"\n[charge]\ncurrency = \"EUR\"\n";
    let file = b"t,d,s,Price (net),PRICE\n1791192601,2,5,9,7\n";
    let reader = reader_of(toml, file, "").unwrap();
    let cdr = reader.records(0, 0, file, true).next().unwrap().unwrap();
    assert_eq!((cdr.carrier_price, cdr.carrier_currency), (&b"7"[..], &b"EUR"[..]));
}

#[test]
fn partial_records_wait_and_revisions_replace() {
    let toml = r#"
kind = "delimited"
header = "none"
[fields]
call_id = 1
setup = 2
dialled = 3
talk = 4
partial = 5
[times]
format = "epoch"
[parts]
group = ["call_id"]
interim_when = { partial = ["partial"] }
final_when = { partial = ["complete"] }
"#;
    let file = b"a,1791192601,2,5,partial\na,1791192601,2,9,complete\n,1791192601,2,9,complete\n";
    let reader = reader_of(toml, file, "").unwrap();
    let kinds: Vec<_> = reader.records(0, 0, file, true).map(|cdr| cdr.unwrap().kind).collect();
    let roles: Vec<_> =
        kinds.iter().map(|kind| if let Kind::Part(part) = kind { Some(part.role) } else { None }).collect();
    assert_eq!(roles, [Some(PartRole::Interim), Some(PartRole::Final), None]);
}

/// TELESEER: end of the call as HHMM, duration as H MM T, a date record before.
const DATED: &str = r#"
kind = "fixed"
nul_padding = true
[fields]
end = "4-7"
talk = "8-11"
disposition = "12"
dialled = "19-33"
calling = "34-38"
[times]
format = "hhmm"
date_record = "MM DD"
[durations]
talk = "hmmt"
[rules]
answered_when = { disposition = ["7", "9", "A"] }
"#;

fn dated(time: &str, length: &str, code: &str, dialled: &str, calling: &str) -> String {
    format!("   {time}{length}{code}{:6}{dialled:<15}{calling:<5}\r\n\0\0\0", "")
}

#[test]
fn date_records_date_the_calls_behind_them() {
    let file = [
        "10 31\r\n\0\0\0".to_owned(),
        dated("0930", "0015", "7", "902079460000", "2001"),
        dated("2359", "1025", "A", "902079460000", "2001"),
        dated("0002", "0001", "E", "902079460000", "2001"),
        "11 01\r\n\0\0\0".to_owned(),
        dated("0003", "0010", "9", "2001", ""),
        "99 99\r\n\0\0\0".to_owned(),
    ]
    .concat();
    assert_eq!(
        shown(DATED, file.as_bytes(), "cdr-2026-10.txt"),
        [
            "cdr.file_marker",
            "- - 2026-10-31 09:30:00 2001>902079460000 90s answered ?",
            "- - 2026-10-31 23:59:00 2001>902079460000 3750s answered ?",
            "- - 2026-11-01 00:02:00 2001>902079460000 6s ?",
            "cdr.file_marker",
            "- - 2026-11-01 00:03:00 >2001 60s answered ?",
            "cdr.time_malformed 0",
        ]
    );
    assert_eq!(reader_of(DATED, file.as_bytes(), "cdr.txt").unwrap_err(), FileError::YearUnknown);
}

#[test]
fn the_year_of_a_date_record_is_the_nearest_to_the_files_name() {
    let file = [
        "12 31\r\n".to_owned(),
        dated("2300", "0010", "7", "1", "2"),
        "01 01\r\n".to_owned(),
        dated("0010", "0010", "7", "1", "2"),
    ]
    .concat();
    for (name, expected) in [
        ("smdr-2026-12-31.log", ["2026-12-31 23:00:00", "2027-01-01 00:10:00"]),
        ("smdr-20270101.log", ["2026-12-31 23:00:00", "2027-01-01 00:10:00"]),
    ] {
        let found = shown(DATED, file.as_bytes(), name);
        assert!(found[1].contains(expected[0]) && found[3].contains(expected[1]), "{name} {found:?}");
    }
}

#[test]
fn a_call_that_began_before_midnight_began_the_day_before_its_date_record() {
    let toml = DATED.replace("end = ", "setup = ");
    let file =
        ["11 01\r\n".to_owned(), dated("2358", "0050", "7", "1", "2"), dated("0010", "0010", "7", "1", "2")].concat();
    // 23:58 and five minutes is 00:03 of the day that the date record names.
    assert_eq!(
        shown(&toml, file.as_bytes(), "2026-11.txt")[1..],
        ["2026-10-31 23:58:00 - - 2>1 300s answered ?", "2026-11-01 00:10:00 - - 2>1 60s answered ?"]
    );
}

#[test]
fn equal_lines_of_two_days_are_two_calls() {
    let file = [
        "10 30\r\n".to_owned(),
        dated("0930", "0010", "7", "1", "2"),
        "10 31\r\n".to_owned(),
        dated("0930", "0010", "7", "1", "2"),
    ]
    .concat();
    let reader = reader_of(DATED, file.as_bytes(), "2026-10.txt").unwrap();
    let keys: Vec<_> = reader.records(0, 0, file.as_bytes(), true).map(|cdr| cdr.unwrap().key).collect();
    assert_ne!(keys[1], keys[3]);
    assert_eq!(keys[1][0], keys[3][0]);
}

#[test]
fn a_call_without_a_date_record_before_it_is_rejected() {
    let file = dated("0930", "0010", "7", "1", "2");
    assert_eq!(shown(DATED, file.as_bytes(), "2026-10.txt"), ["cdr.field_missing 4"]);
}

#[test]
fn a_fixed_line_without_its_trailing_blanks_is_read_and_one_cut_short_is_not() {
    let toml = "kind = \"fixed\"\nwidth = [20, 40]\n[fields]\nsetup = \"1-14\"\ntalk = \"15-18\"\ndialled = \"19-30\"\naccount = \"31-40\"\n[times]\nformat = \"YYYYMMDDhhmmss\"\n";
    let file = b"202610050930010061442079460000\n2026100509300100611\n20261005093001006";
    assert_eq!(
        shown(toml, file, ""),
        ["2026-10-05 09:30:01 - - >442079460000 61s answered ?", "cdr.malformed 0", "cdr.truncated 0"]
    );
}

#[test]
fn a_date_is_found_in_a_files_name() {
    for (name, expected) in [
        ("smdr-2026-10-03.log", Some((2026, 10, 3))),
        ("20261003.txt", Some((2026, 10, 3))),
        ("cdr_2026_10.csv", Some((2026, 10, 1))),
        ("site42-202610.csv", Some((2026, 10, 1))),
        ("12345.csv", None),
        ("calls.csv", None),
        ("x-2026-13-01", None),
    ] {
        assert_eq!(date_in_name(name).map(crate::time::Date::civil), expected, "{name}");
    }
}

#[test]
fn without_a_template_nothing_is_read() {
    let error = open(Format::Delimited, &Options::default(), b"a,b\n", true).unwrap_err();
    assert_eq!(error.code(), "cdr.file_unreadable");
}

#[test]
fn markers_tell_how_many_records_their_file_has() {
    let toml = "kind = \"fixed\"\n[fields]\ntype = \"1-3\"\nsetup = \"4-17\"\ntalk = \"18-21\"\ndialled = \"22-33\"\n[columns]\n\
                count = \"4-9\"\n[times]\nformat = \"YYYYMMDDhhmmss\"\n[rules]\nbegin_when = { type = [\"HDR\"] }\n\
                end_when = { type = [\"TRL\"] }\ncount = \"count\"\n";
    let file = b"HDRABC\nCDR202610050930010061442079460000\nTRL000001\n";
    let reader = reader_of(toml, file, "").unwrap();
    let frames: Vec<_> =
        reader.records(0, 0, file, true).map(|cdr| cdr.unwrap()).map(|cdr| (cdr.kind, cdr.frame)).collect();
    let marker = Kind::NotACall(NotACall::Marker);
    assert_eq!(frames[0], (marker, Some(Frame { end: false, records: None })));
    assert_eq!(frames[1], (Kind::Call, None));
    assert_eq!(frames[2], (marker, Some(Frame { end: true, records: Some(1) })));
}

/// Reads every file of a folder of `testdata` that is no template, and compares what a person would look at with the
/// `.expected` beside it. `UPDATE_EXPECTED=1` writes what is found: read the difference before you keep it.
pub(in crate::cdr) fn check_folder(
    folder: &str,
    open_file: impl Fn(&str, &[u8]) -> Result<super::super::Reader, FileError>,
) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata").join(folder);
    let mut files: Vec<_> = std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending != "expected" && ending != "toml"));
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        let name = file.file_name().unwrap().to_str().unwrap();
        let found = match open_file(name, &bytes) {
            Err(error) => format!("{}: {error}\n", error.code()),
            Ok(reader) => {
                let mut lines = format!("layout {}\n", reader.layout_name());
                for record in reader.records(0, 0, &bytes, true) {
                    lines += &match record {
                        Ok(cdr) => format!("{}{}\n", show(&cdr), show_more(&cdr)),
                        Err(reject) => format!("{} {}\n", reject.reason.code(), reject.column),
                    };
                }
                lines
            }
        };
        let expected = file.with_extension("expected");
        if option_env!("UPDATE_EXPECTED").is_some() {
            std::fs::write(&expected, &found).unwrap();
        }
        assert_eq!(found, std::fs::read_to_string(&expected).unwrap_or_default(), "{}", file.display());
    }
}

fn show_more(cdr: &Cdr<'_>) -> String {
    let mut text = String::new();
    for (name, bytes) in [
        ("id", cdr.call_id),
        ("account", cdr.account),
        ("extension", cdr.peer),
        ("forwarder", cdr.forwarder),
        ("reached", cdr.reached),
        ("cost", cdr.carrier_price),
        ("", cdr.carrier_currency),
    ] {
        if !bytes.is_empty() && !matches!(cdr.kind, Kind::NotACall(_)) {
            text += &format!(" {name} {}", String::from_utf8_lossy(bytes));
        }
    }
    if let Some(frame) = cdr.frame {
        text += &format!(" end {} records {:?}", frame.end, frame.records);
    }
    text
}

#[test]
fn the_templates_of_the_guide_read_their_files() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/templates");
    check_folder("templates", |name, bytes| {
        let stem = name.split('.').next().unwrap();
        let toml = std::fs::read_to_string(folder.join(format!("{stem}.toml"))).unwrap();
        // A file's name tells the year where its dates do not.
        reader_of(&toml, bytes, "calls-2026-10.txt")
    });
}
