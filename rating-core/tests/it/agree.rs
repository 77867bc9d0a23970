//! A call costs the same whichever switch wrote it: `testdata/agree` has the same seven calls in every format, and the same
//! prices for all.
//!
//! | call | talk | price |
//! | --- | --- | --- |
//! | London 2001 to Manchester, 5 October 09:00:10 | 61 s = 2 min begun | 2 × 2p = 4p |
//! | 2001 to Berlin, 5 October 18:30:05 | 125 s = 3 min | 3 × 3p = 9p |
//! | 2001 to Manchester, 6 October, nobody answers | 0 s | nothing |
//! | 2001 to 2002, 7 October | 20 s | nothing: inside |
//! | Manchester to 2001, 8 October | 40 s | nothing: it came in |
//! | 2002 to a mobile, 10 October 12:00:07 | 30 s = 1 min | 1 × 10p = 10p |
//! | 2001 to Manchester, 26 October 09:00:06, a day after the clocks went back | 600 s = 10 min | 10 × 2p = 20p |

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::support::{files_below, run_month, testdata, write_files};

const CALLS: &str = "\
2026-10-05T09:00:10+01:00 outbound 2001 > +441614960123 61 s: charged 0.04
2026-10-05T18:30:05+01:00 outbound 2001 > +4930901820 125 s: charged 0.09
2026-10-06T10:00:00+01:00 outbound 2001 > +441614960123 0 s: not chargeable
2026-10-07T11:00:03+01:00 internal 2001 > 2002 20 s: not chargeable
2026-10-08T12:00:04+01:00 inbound 2001 > 2001 40 s: not chargeable
2026-10-10T12:00:07+01:00 outbound 2002 > +447700900123 30 s: charged 0.10
2026-10-26T09:00:06+00:00 outbound 2001 > +441614960123 600 s: charged 0.20
";

/// What the project of one format comes to, in lines like [`CALLS`]: the extension is the holder's.
fn shown(folder: &Path) -> String {
    let place = tempfile::tempdir().unwrap();
    let project = place.path().join("project");
    write_files(&project, &files_below(&folder.parent().unwrap().join("common")));
    write_files(&project, &files_below(folder));
    let settings = fs::read_to_string(project.join("rating.toml")).unwrap();
    let source = fs::read_to_string(project.join("source.toml")).unwrap();
    fs::write(project.join("rating.toml"), settings + &source).unwrap();
    let summary = run_month(&project, &place.path().join("out"), 1);
    let mut text = String::new();
    for finding in summary.warnings.iter() {
        writeln!(text, "{finding}").unwrap();
    }
    let path = summary.folder.join("site=ldn/payer=acme/202610_ldn_itemised_acme.machine.csv");
    if let Ok(mut rows) = csv::Reader::from_path(path) {
        let header = rows.headers().unwrap().clone();
        for row in rows.records().map(Result::unwrap) {
            let cell = |name: &str| row.get(header.iter().position(|column| column == name).unwrap()).unwrap();
            // The holder's number and its extension are one telephone; formats that know one of them show it.
            let called = match cell("called") {
                "+442079460101" => "2001",
                "+442079460102" => "2002",
                called => called,
            };
            let extension = match cell("extension") {
                "" => cell("number")
                    .trim_start_matches("+4420794601")
                    .to_owned()
                    .replace("01", "2001")
                    .replace("02", "2002"),
                extension => extension.to_owned(),
            };
            let cost = if cell("cost").is_empty() { String::new() } else { format!(" {}", cell("cost")) };
            writeln!(
                text,
                "{} {} {extension} > {called} {} s: {}{cost}",
                cell("charged_at"),
                cell("direction"),
                cell("duration_s"),
                cell("status"),
            )
            .unwrap();
        }
    }
    for aside in &summary.suspended {
        writeln!(text, "suspended: {} {} {}", aside.count, aside.code, aside.looks_like).unwrap();
    }
    for aside in &summary.rejected {
        writeln!(text, "rejected: {} {} {}", aside.count, aside.code, aside.looks_like).unwrap();
    }
    text
}

#[test]
fn a_call_costs_the_same_whichever_switch_wrote_it() {
    let mut wrong = String::new();
    let mut formats = 0;
    let mut folders: Vec<_> =
        fs::read_dir(testdata().join("agree")).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    for folder in folders.iter().filter(|folder| folder.join("source.toml").exists()) {
        formats += 1;
        // What a format cannot say: `without.txt` has the lines of CALLS that it lacks, or has otherwise, and why.
        let without = fs::read_to_string(folder.join("without.txt")).unwrap_or_default();
        let mut expected: String =
            CALLS.lines().filter(|line| !without.contains(line)).fold(String::new(), |all, line| all + line + "\n");
        let mut instead: Vec<&str> = without.lines().filter_map(|line| line.strip_prefix("instead: ")).collect();
        if !instead.is_empty() {
            instead.extend(expected.lines());
            instead.sort_unstable();
            expected = instead.join("\n") + "\n";
        }
        let found = shown(folder);
        if found != expected {
            writeln!(wrong, "{}: expected\n{expected}found\n{found}", folder.file_name().unwrap().display()).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(formats >= 17, "{formats}");
}
