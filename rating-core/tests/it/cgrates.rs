//! Calls by CGRateS folders cost what is written beside them, and what the reference in Python says.
//!
//! A folder of `testdata/cgrates` has its `calls.jsonl` and `expected.jsonl`, worked by hand in `README.md` there. The
//! reference (`testdata/oracle/cgrates_reference.py`) works with fractions and was written from the documentation.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rating_core::finding::Findings;
use rating_core::run::RunError;
use rating_core::run::quote::cgrates::{CgratesOptions, CgratesQuoter};
use rating_core::run::quote::lines::Lines;
use rating_core::run::storage::Disk;
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
