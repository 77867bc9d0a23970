//! Calls of several records: the same bytes at any number of threads and however the records are cut into files; what
//! waits is joined when the rest has come, and never charged twice.

use std::collections::BTreeMap;
use std::path::Path;

use rating_core::run::explain::{self, Audience};
use rating_core::run::storage::Disk;

use crate::support::{files_below, run_month, testdata, write_files};

type Tree = BTreeMap<String, Vec<u8>>;

const STORIES: [&str; 5] = [
    "a_and_b_legs_in_two_files",
    "conference",
    "invite_in_one_file_and_bye_in_the_next",
    "queue_with_three_attempts",
    "transfer_to_outside",
];

fn story(name: &str) -> Tree {
    let mut files = files_below(&testdata().join("scenarios").join(name));
    files.retain(|path, _| !path.starts_with("expected/") && !path.starts_with("out/"));
    files
}

/// What is charged to whom, and what became of the records.
fn outcome(project: &Tree, threads: usize) -> (String, String) {
    let (folder, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write_files(folder.path(), project);
    let summary = run_month(folder.path(), out.path(), threads);
    let charges = files_below(&summary.folder.canonicalize().unwrap())
        .into_iter()
        .filter(|(path, _)| {
            path.ends_with("call-charges.machine.csv") || path.contains("_itemised_") && path.ends_with(".csv")
        })
        .map(|(path, content)| {
            let text = String::from_utf8(content).unwrap();
            // Rows of one moment are in the order of their records.
            let mut rows: Vec<&str> = text.lines().collect();
            rows.sort_unstable();
            format!("{path}\n{}\n", rows.join("\n"))
        })
        .collect();
    let records = summary.records;
    (charges, format!("{} {} {} {}", records.records, records.used, records.merged, records.waiting))
}

/// The lines of all input files, each file's header lines set apart.
fn lines(project: &Tree) -> (Vec<String>, Vec<String>) {
    let (mut header, mut records) = (Vec::new(), Vec::new());
    for (_, content) in project.iter().filter(|(path, _)| path.starts_with("cdr/")) {
        let text = String::from_utf8(content.clone()).unwrap();
        let is_header =
            |line: &&str| ["calldate,", "\"cdrRecordType", "INTEGER,"].iter().any(|head| line.starts_with(head));
        let (of_header, of_records): (Vec<&str>, Vec<&str>) = text.lines().partition(is_header);
        header = of_header.into_iter().map(str::to_owned).collect();
        records.extend(of_records.into_iter().map(str::to_owned));
    }
    (header, records)
}

#[test]
fn calls_of_several_records_are_the_same_at_any_number_of_threads_and_however_the_files_are_cut() {
    for name in STORIES {
        let project = story(name);
        let expected = outcome(&project, 1);
        assert_eq!(outcome(&project, 4), expected, "{name}, four threads");
        let folder = project.keys().find(|path| path.starts_with("cdr/")).unwrap();
        let folder = folder.rsplit_once('/').unwrap().0;
        let (header, records) = lines(&project);
        for per_file in [1, 3, records.len()] {
            for backwards in [false, true] {
                let mut records = records.clone();
                if backwards {
                    records.reverse();
                }
                let mut cut: Tree = project.clone();
                cut.retain(|path, _| !path.starts_with("cdr/"));
                for (index, piece) in records.chunks(per_file).enumerate() {
                    let mut text = header.join("\n");
                    text.extend((!header.is_empty()).then_some('\n'));
                    text.push_str(&piece.join("\n"));
                    text.push('\n');
                    cut.insert(format!("{folder}/piece-{index}.csv"), text.into_bytes());
                }
                assert_eq!(outcome(&cut, 2), expected, "{name}, {per_file} a file, backwards: {backwards}");
            }
        }
    }
}

#[test]
fn what_waits_is_joined_when_the_rest_has_come_and_charged_once() {
    let name = "invite_in_one_file_and_bye_in_the_next";
    let whole = story(name);
    let mut first = whole.clone();
    let second = first.remove("cdr/ldn/acc-2.txt").unwrap();
    let (folder, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write_files(folder.path(), &first);
    let before = run_month(folder.path(), out.path(), 2);
    // Five INVITEs and a BYE, none with its other half.
    assert_eq!((before.records.waiting, before.calls.calls, before.retail.len()), (6, 0, 0));
    write_files(folder.path(), [(&"cdr/ldn/acc-2.txt".to_owned(), &second)]);
    let after = run_month(folder.path(), out.path(), 2);
    assert_eq!((after.records.waiting, after.records.merged, after.calls.calls), (2, 5, 3));
    // 0.06 + 0.18 + 0.06.
    assert_eq!(after.retail[0].1.to_string(), "0.30");
    // Once more changes nothing.
    assert_eq!(run_month(folder.path(), out.path(), 2).retail, after.retail);
}

fn explained(project: &Path, call: &str, audience: Audience) -> Result<String, String> {
    let options = explain::Options { audience, ..explain::Options::new(project, call) };
    explain::explain(&Disk, &options).map(|explanation| explanation.to_string()).map_err(|error| error.to_string())
}

#[test]
fn an_explanation_shows_the_records_of_a_call_and_what_a_record_waits_for() {
    let story = |name: &str| testdata().join("scenarios").join(name);
    let sip = story("invite_in_one_file_and_bye_in_the_next");
    let call = explained(&sip, "c1@192.0.2.1", Audience::Operator).unwrap();
    for words in [
        "records       cdr/ldn/acc-1.txt@0: beginning, stands for the call, 2026-06-10T09:00:00+01:00",
        "cdr/ldn/acc-2.txt@0: end, merged, 2026-06-10T09:01:00+01:00",
        "one call      the time from the answer to the first end behind it is the talk time; whoever called pays",
        "talk time     60 s",
    ] {
        assert!(call.contains(words), "{words}\n{call}");
    }
    // Asked by the end, it is the same call.
    assert_eq!(explained(&sip, "cdr/ldn/acc-2.txt@0", Audience::Operator).as_ref(), Ok(&call));
    let waits = explained(&sip, "c5@192.0.2.1", Audience::Operator).unwrap();
    assert!(waits.contains("waits         its end has not come: nothing is charged for it until then"), "{waits}");
    let waits = explained(&sip, "c4@192.0.2.1", Audience::Operator).unwrap();
    assert!(waits.contains("its beginning has not come"), "{waits}");
    assert!(explained(&sip, "c5@192.0.2.1", Audience::Occupier).is_err());

    // An occupier is told of the records, not of their places, and of no number but those of the call.
    let queue = story("queue_with_three_attempts");
    let call = explained(&queue, "1781081990.1", Audience::Operator).unwrap();
    assert!(call.contains("cdr/ldn/Master-1.csv@"), "{call}");
    let call = explained(&queue, "1781081990.1", Audience::Occupier).unwrap();
    assert!(call.contains("leg of whoever called, stands for the call") && !call.contains("Master"), "{call}");

    // The participant of a conference, and the call by which it came in.
    let conference = story("conference");
    let call = explained(&conference, "00000000-0000-4000-8000-000000000010", Audience::Operator).unwrap();
    assert!(call.contains("call until its parties were joined with others, tells how a party came in"), "{call}");
    assert!(call.contains("whoever controlled it pays"), "{call}");
    let call = explained(&conference, "00000000-0000-4000-8000-000000000008", Audience::Operator).unwrap();
    assert!(call.contains("its time in the conference is not charged"), "{call}");
}
