//! Calls by CGRateS folders cost what is written beside them, and what the reference in Python says.
//!
//! A folder of `testdata/cgrates` has its `calls.jsonl` and `expected.jsonl`, worked by hand in `README.md` there. The
//! reference (`testdata/oracle/cgrates_reference.py`) works with fractions and was written from the documentation.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rating_core::finding::{Findings, SourceText};
use rating_core::money::Currency;
use rating_core::rating::cgrates;
use rating_core::run::RunError;
use rating_core::run::quote::cgrates::{CgratesOptions, CgratesQuoter};
use rating_core::run::quote::lines::{Lines, Quotes};
use rating_core::run::quote::{Options, Quoter};
use rating_core::run::storage::Disk;
use rating_core::tariff::cgrates::{CgratesCall, CgratesImport, CgratesPlan};
use rating_core::time::{Duration, Instant, Zone};
use serde_json::Value;

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata")
}

/// The keys that a reference gives, of an answer.
fn comparable(line: &str, like: &Value) -> Value {
    let mut answer: Value = serde_json::from_str(line).unwrap();
    let object = answer.as_object_mut().unwrap();
    object.retain(|key, _| like.get(key).is_some());
    answer
}

/// How many calls of a folder were compared; every difference is reported.
fn compare(folder: &Path) -> usize {
    let (quoter, _) = CgratesQuoter::open(&Disk, &CgratesOptions::new(folder.to_owned())).unwrap();
    let calls = fs::read_to_string(folder.join("calls.jsonl")).unwrap();
    let expected = fs::read_to_string(folder.join("expected.jsonl")).unwrap();
    let mut answered = Vec::new();
    let mut lines = Lines::new(&quoter);
    for call in calls.lines() {
        lines.answer(call.as_bytes(), &mut answered);
    }
    let answered = String::from_utf8(answered).unwrap();
    assert_eq!(answered.lines().count(), expected.lines().count(), "{}", folder.display());
    let mut wrong = Vec::new();
    for ((answer, expected), call) in answered.lines().zip(expected.lines()).zip(calls.lines()) {
        let expected: Value = serde_json::from_str(expected).unwrap();
        if comparable(answer, &expected) != expected {
            wrong.push(format!("{call}\n  expected {expected}\n  answered {answer}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), folder.display(), wrong.join("\n"));
    calls.lines().count()
}

fn folders(of: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> =
        fs::read_dir(of).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

#[test]
fn calls_cost_what_is_worked_by_hand_beside_their_folder() {
    let compared: usize = folders(&testdata().join("cgrates")).iter().map(|folder| compare(folder)).sum();
    assert!(compared >= 50, "{compared}");
}

fn reference(arguments: &[&str]) -> Vec<u8> {
    let output = Command::new("python3")
        .arg(testdata().join("oracle/cgrates_reference.py"))
        .args(arguments)
        .output()
        .expect("python3 runs the reference");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// As many folders as `CGRATES_FOLDERS` says, of a hundred calls each; 500 in the soak.
#[test]
fn random_calls_by_random_folders_cost_what_the_reference_says() {
    let count = std::env::var("CGRATES_FOLDERS").unwrap_or_else(|_| "40".to_owned());
    let out = tempfile::tempdir().unwrap();
    reference(&["generate", "rating", &count, "100", out.path().to_str().unwrap()]);
    let compared: usize = folders(out.path()).iter().map(|folder| compare(folder)).sum();
    assert_eq!(compared, 100 * count.parse::<usize>().unwrap());
}

/// What a folder of `testdata/findings` shows: its findings, and the reasons why its calls are not rated.
fn shown(folder: &Path) -> String {
    let mut text = String::new();
    let list = |findings: &Findings, text: &mut String| {
        findings.iter().for_each(|finding| text.push_str(&format!("{finding}\n")));
    };
    match CgratesQuoter::open(&Disk, &CgratesOptions::new(folder.to_owned())) {
        Err(RunError::Invalid(findings)) => list(&findings, &mut text),
        Err(error) => panic!("{error}"),
        Ok((quoter, findings)) => {
            list(&findings, &mut text);
            let mut answered = Vec::new();
            for call in fs::read_to_string(folder.join("calls.jsonl")).unwrap_or_default().lines() {
                Lines::new(&quoter).answer(call.as_bytes(), &mut answered);
            }
            for answer in String::from_utf8(answered).unwrap().lines() {
                let answer: Value = serde_json::from_str(answer).unwrap();
                text.push_str(&format!(
                    "call {}: [{}]\n",
                    answer["id"].as_str().unwrap(),
                    answer["reason"].as_str().unwrap_or("rated")
                ));
            }
        }
    }
    text
}

#[test]
fn every_finding_of_a_folder_shows_itself() {
    let mut compared = 0;
    for folder in folders(&testdata().join("findings")) {
        let name = folder.file_name().unwrap().to_str().unwrap();
        if !folder.join("RatingPlans.csv").exists() {
            continue;
        }
        let (found, path) = (shown(&folder), folder.join("expected.txt"));
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            fs::write(&path, &found).unwrap();
        }
        assert!(found.contains(&format!("[{name}]")), "{name}: {found}");
        assert_eq!(found, fs::read_to_string(&path).unwrap(), "{name}");
        compared += 1;
    }
    assert_eq!(compared, 15);
}

/// Prices of calls, or why there is none, by the tariffs in a folder.
fn prices(quotes: &dyn Quotes, calls: &[String]) -> Vec<Result<String, String>> {
    let mut answered = Vec::new();
    let mut lines = Lines::new(quotes);
    for call in calls {
        lines.answer(call.as_bytes(), &mut answered);
    }
    let answers = String::from_utf8(answered).unwrap();
    let text = |answer: &Value, key: &str| answer[key].as_str().unwrap_or_default().to_owned();
    answers
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(
            |answer| {
                if answer["status"] == "rated" { Ok(text(&answer, "charge")) } else { Err(text(&answer, "reason")) }
            },
        )
        .collect()
}

/// Every profile of a folder as tariffs of our own, and calls by both: how many had a price, and what differs.
fn compare_import(folder: &Path, wrong: &mut Vec<String>) -> usize {
    let (quoter, _) = CgratesQuoter::open(&Disk, &CgratesOptions::new(folder.to_owned())).unwrap();
    // Without a plus in the folder, its prefixes are digits, and so are the numbers that it is asked.
    let plus = fs::read_to_string(folder.join("Destinations.csv")).unwrap_or_default().contains(",+");
    let options = CgratesImport { currency: Currency::parse("EUR").unwrap(), zone: &Zone::utc() };
    let mut compared = 0;
    for tariff in quoter.plan().import(&options) {
        let found = tariff.check(&Zone::utc());
        let errors: Vec<String> = found
            .iter()
            .filter(|finding| finding.severity == rating_core::finding::Severity::Error)
            .map(ToString::to_string)
            .collect();
        if !errors.is_empty() {
            wrong.push(format!("{} {:?}: {errors:?}", folder.display(), tariff.profile));
            continue;
        }
        let out = tempfile::tempdir().unwrap();
        for (name, text) in &tariff.files {
            fs::write(out.path().join(name), text).unwrap();
        }
        let settings = tariff.files.iter().filter(|file| file.0.ends_with(".toml"));
        let files = settings.map(|(name, _)| out.path().join(name)).collect();
        let (ours, _) = Quoter::open(&Disk, &Options::new(files)).unwrap();
        let [tenant, category, subject] = &tariff.profile;
        let mut calls = Vec::new();
        // None of them is over a change of plans: docs/import.md says what differs there.
        for called in ["+4915112345678", "+4930901820", "+12125550123", "+442079460958", "+33199001234"] {
            for at in ["2026-01-05T07:59:37Z", "2026-01-05T12:30:20Z", "2026-01-04T23:59:41Z", "2026-01-31T18:58:00Z"] {
                for duration in ["7.5s", "61s", "100s", "185s", "4000s"] {
                    calls.push(format!(
                        "{{\"called\":\"{called}\",\"answered_at\":\"{at}\",\"duration\":\"{duration}\",\
                         \"tenant\":\"{tenant}\",\"category\":\"{category}\",\"subject\":\"{subject}\"}}"
                    ));
                }
            }
        }
        let theirs: Vec<String> =
            calls.iter().map(|call| if plus { call.clone() } else { call.replace("\"+", "\"") }).collect();
        for ((theirs, ours), call) in prices(&quoter, &theirs).into_iter().zip(prices(&ours, &calls)).zip(&calls) {
            match (&theirs, &ours) {
                (Ok(theirs), Ok(ours)) if theirs == ours => compared += 1,
                // What could not be said is suspended, and what neither prices is not priced.
                (_, Err(reason)) if reason == "rating.price_unknown" => {}
                (Err(_), Err(_)) => {}
                _ => wrong.push(format!(
                    "{} {call}\n  {theirs:?}, imported {ours:?}\n{:?}",
                    folder.display(),
                    tariff.files
                )),
            }
        }
    }
    compared
}

#[test]
fn an_imported_profile_prices_calls_as_its_folder_does_or_suspends_them() {
    let out = tempfile::tempdir().unwrap();
    let count = std::env::var("CGRATES_FOLDERS").unwrap_or_else(|_| "20".to_owned());
    reference(&["generate", "import", &count, "0", out.path().to_str().unwrap()]);
    let mut wrong = Vec::new();
    let mut compared = 0;
    for folder in folders(&testdata().join("cgrates")).iter().chain(&folders(out.path())) {
        compared += compare_import(folder, &mut wrong);
    }
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong.iter().take(5).cloned().collect::<Vec<_>>().join("\n")
    );
    assert!(compared > 500, "{compared}");
}

/// What a call costs by two timings, EARLY from 01:30 at 1 a minute and the rest of the day at 0.1, on a clock.
fn by_clock(zone: &str, answered_at: &str, minutes: i64) -> String {
    let files = [
        ("Timings.csv", "NIGHT,*any,*any,*any,*any,00:00:00\nEARLY,*any,*any,*any,*any,01:30:00\n"),
        ("Rates.csv", "CHEAP,0,0.1,60s,60s,0s\nDEAR,0,1,60s,60s,0s\n"),
        ("DestinationRates.csv", "DR_CHEAP,*any,CHEAP,*up,4,,\nDR_DEAR,*any,DEAR,*up,4,,\n"),
        ("RatingPlans.csv", "RP,DR_CHEAP,NIGHT,10\nRP,DR_DEAR,EARLY,10\n"),
        ("RatingProfiles.csv", "cgrates.org,call,*any,,RP,\n"),
    ];
    let mut read =
        |name: &str| files.iter().find(|file| file.0 == name).map(|(name, text)| SourceText::new(*name, *text));
    let zone = Zone::load(zone).unwrap();
    let plan = CgratesPlan::read(&[], &mut read, &zone, &mut Findings::default()).unwrap();
    let call = CgratesCall {
        tenant: "cgrates.org",
        category: "call",
        subject: "x",
        called: "1",
        answered_at: Instant::parse_rfc3339(answered_at).unwrap(),
        duration: Duration::from_seconds(60 * minutes),
    };
    cgrates::price(&plan, &call, &zone).unwrap().charge.to_string()
}

#[test]
fn timings_go_by_the_clock_of_a_zone_through_its_changes() {
    for (zone, answered_at, minutes, charge) in [
        // 01:20 until 01:40 in London: ten minutes cheap, ten dear.
        ("Europe/London", "2026-07-01T00:20:00Z", 20, "11.00"),
        ("UTC", "2026-07-01T00:20:00Z", 20, "2.00"),
        // 01:50 summer time; after ten minutes the clock goes back to 01:00, where it is night until 01:30 again.
        ("Europe/London", "2026-10-25T00:50:00Z", 20, "11.00"),
        ("Europe/London", "2026-10-25T00:50:00Z", 50, "23.00"),
        // 00:50; after ten minutes the clock jumps to 02:00, past the beginning of EARLY.
        ("Europe/London", "2026-03-29T00:50:00Z", 20, "11.00"),
        // A day of 25 hours: 90 minutes and the hour that comes twice, of which half is night; the rest is dear.
        // 01:30 + 00:30 of the first pass dear, then 30 minutes of night: 120 × 0.1 + (1500 − 120) × 1.
        ("Europe/London", "2026-10-24T23:00:00Z", 25 * 60, "1392.00"),
    ] {
        assert_eq!(by_clock(zone, answered_at, minutes), charge, "{zone} {answered_at} {minutes} min");
    }
}
