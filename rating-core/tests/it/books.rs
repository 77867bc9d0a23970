//! The stories in `testdata/books`: months that are run, closed, and run again when more has come.
//!
//! Each begins with a copy of `testdata/books/project`; `steps.txt` says what is done, step by step, and `expected.txt` what
//! came of each. The sums are worked out in the story's `README.md`. Whatever a step does, the files of a month that is
//! closed stay as they are, byte for byte; that is looked at after each.
//!
//! | step | |
//! | --- | --- |
//! | `add FOLDER` | the story's folder is laid over the project |
//! | `rename OLD NEW` | a file of the project |
//! | `run MONTH [retail only]`, `close MONTH [by NAME]`, `reopen MONTH by NAME: NOTE` | as the commands |
//! | `recycle MONTH [dry]`, `suspense [MONTH]` | as the commands |
//! | `damage FILE`, `restore` | changes a byte of a file of the last month that was closed; and back |
//! | `lose FILE`, `restore` | removes a file of the output folder; and back |
//!
//! `UPDATE_EXPECTED=1 cargo test -p rating-core --test it books` writes what came over what was expected: read the difference.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use rating_core::run::closing::{self, CloseOptions};
use rating_core::run::publish::Published;
use rating_core::run::recycle::{RecycleOptions, recycle};
use rating_core::run::storage::Disk;
use rating_core::run::suspense::{SuspenseOptions, suspense};
use rating_core::run::{Options, RunError, Silent, Summary, month};
use rating_core::time::Month;

use crate::support::{files_below, no_month, testdata, write_files};

type Tree = BTreeMap<String, Vec<u8>>;

struct Story {
    folder: PathBuf,
    project: PathBuf,
    closed: Vec<(Month, Tree)>,
    damaged: Option<(PathBuf, Vec<u8>)>,
    /// The run that was drafted last.
    drafted: Option<String>,
    text: String,
}

/// What a story's steps come to.
pub(crate) fn told(story: &Path) -> String {
    let place = tempfile::tempdir().unwrap();
    let project = place.path().join("project");
    write_files(&project, &files_below(&testdata().join("books/project")));
    let mut told = Story {
        folder: story.to_owned(),
        project,
        closed: Vec::new(),
        damaged: None,
        drafted: None,
        text: String::new(),
    };
    for step in fs::read_to_string(story.join("steps.txt")).unwrap().lines() {
        writeln!(told.text, "> {step}").unwrap();
        told.step(step);
        if told.damaged.is_none() {
            for (month, files) in &told.closed {
                assert!(files_below(&told.current(*month)) == *files, "{step} changed {month}, which is closed");
            }
        }
        told.text.push('\n');
    }
    // Where the project lay is no part of the story.
    without_hashes(&told.text.trim_end().replace(&format!("{}", told.project.display()), "project")) + "\n"
}

/// The text without the hashes of runs, which change with the program's version.
fn without_hashes(text: &str) -> String {
    let is_hash = |word: &str| word.len() == 16 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.split('-')
        .map(|word| match word.split_at_checked(16) {
            Some((hash, rest)) if is_hash(hash) => format!("RUN{rest}"),
            _ => word.to_owned(),
        })
        .collect::<Vec<_>>()
        .join("-")
}

impl Story {
    fn out(&self) -> PathBuf {
        self.project.join("out")
    }

    fn current(&self, month: Month) -> PathBuf {
        self.out().join(format!("current/month={month}")).canonicalize().unwrap()
    }

    fn step(&mut self, step: &str) {
        let (verb, rest) = step.split_once(' ').unwrap_or((step, ""));
        let (first, after) = rest.split_once(' ').unwrap_or((rest, ""));
        let month = Month::parse(first);
        match (verb, month) {
            ("add", _) => write_files(&self.project, &files_below(&self.folder.join(rest))),
            ("rename", _) => fs::rename(self.project.join(first), self.project.join(after)).unwrap(),
            ("run", Some(month)) => self.run(month, after),
            ("close", Some(month)) => self.close(month, after.strip_prefix("by ")),
            ("reopen", Some(month)) => self.reopen(month, after.strip_prefix("by ").unwrap()),
            ("recycle", Some(month)) => self.recycle(month, after == "dry"),
            ("suspense", month) => self.suspense(month),
            ("damage", _) => {
                let path = self.current(self.closed.last().unwrap().0).join(rest);
                let content = fs::read(&path).unwrap();
                let mut changed = content.clone();
                *changed.last_mut().unwrap() ^= 1;
                fs::write(&path, changed).unwrap();
                self.damaged = Some((path, content));
            }
            ("lose", _) => {
                let path = self.out().join(rest);
                self.damaged = Some((path.clone(), fs::read(&path).unwrap()));
                fs::remove_file(path).unwrap();
            }
            ("restore", _) => {
                let (path, content) = self.damaged.take().unwrap();
                fs::write(path, content).unwrap();
            }
            _ => panic!("{}: what is `{step}`?", self.folder.display()),
        }
    }

    fn refused(&mut self, error: &RunError) {
        match error {
            RunError::Invalid(findings) => {
                for finding in findings.iter() {
                    writeln!(self.text, "refused [{}]: {}", finding.code, finding.message).unwrap();
                    if let Some(help) = &finding.help {
                        writeln!(self.text, "  help: {help}").unwrap();
                    }
                }
            }
            RunError::Usage(words) => writeln!(self.text, "refused: {words}").unwrap(),
            other => panic!("{}: {other:?}", self.folder.display()),
        }
    }

    /// Runs a month: `draft` makes a draft of it, `as drafted` goes on only if it is what was drafted last.
    fn run(&mut self, of: Month, how: &str) {
        let options = Options {
            month: Some(of),
            retail_only: how == "retail only",
            draft: how == "draft",
            expected: (how == "as drafted").then(|| self.drafted.clone().unwrap()),
            ..Options::new(&self.project, no_month())
        };
        let before = fs::read_link(self.out().join(format!("current/month={of}"))).ok();
        match month(&Disk, &options, &Silent) {
            Ok(summary) => {
                if how == "draft" {
                    self.drafted = Some(summary.run.clone());
                }
                self.summary(&summary);
            }
            Err(error) => {
                self.refused(&error);
                let after = fs::read_link(self.out().join(format!("current/month={of}"))).ok();
                assert_eq!(before, after, "refused, and published all the same");
            }
        }
    }

    fn summary(&mut self, summary: &Summary) {
        let text = &mut self.text;
        if summary.published == Published::Already {
            let closed = if summary.closed { ", and the month is closed" } else { "" };
            writeln!(text, "nothing to do{closed}").unwrap();
        }
        let (records, calls) = (&summary.records, &summary.calls);
        let mut counts = String::new();
        for (name, count) in [
            ("records", records.records),
            ("used", records.used),
            ("duplicate", records.duplicate),
            ("of other months", records.other_period),
            ("in closed months", summary.in_closed_months.0),
            ("suspended in closed months", summary.in_closed_months.1),
            ("calls", calls.calls),
            ("rated", calls.rated),
            ("not chargeable", calls.not_chargeable),
            ("suspended", calls.suspended),
        ] {
            if count > 0 {
                write!(counts, "{}{count} {name}", if counts.is_empty() { "" } else { ", " }).unwrap();
            }
        }
        writeln!(text, "{counts}").unwrap();
        let sums = |sums: &[(rating_core::money::Currency, rating_core::money::Total)]| {
            let sums: Vec<String> = sums.iter().map(|(currency, total)| format!("{total} {currency}")).collect();
            if sums.is_empty() { "nothing".to_owned() } else { sums.join(" + ") }
        };
        writeln!(text, "retail {}, wholesale {}", sums(&summary.retail), sums(&summary.wholesale)).unwrap();
        for late in &summary.late {
            let (retail, wholesale) = (sums(&late.retail), sums(&late.wholesale));
            let (calls, month) = (&late.calls, late.month);
            let split = format!("{} rated, {} free, {} suspended", calls.rated, calls.not_chargeable, calls.suspended);
            writeln!(
                text,
                "late, correcting {month}: {} calls ({split}), retail {retail}, wholesale {wholesale}",
                calls.calls
            )
            .unwrap();
        }
        let folder = summary.folder.canonicalize().unwrap();
        for (path, content) in files_below(&folder) {
            if path.ends_with("_exceptions.machine.csv") {
                for row in rows(&content) {
                    writeln!(text, "{} {} {} [{}]", row["count"], row["kind"], row["side"], row["reason"]).unwrap();
                }
            }
            if let Some((_, name)) = path.split_once("_itemised_").filter(|_| path.ends_with(".machine.csv")) {
                for row in rows(&content) {
                    let payer = name.trim_end_matches(".machine.csv");
                    let adjusts = match row["adjusts_month"].as_str() {
                        "" => String::new(),
                        month => format!(", adjusts {month}"),
                    };
                    let cost = match row["cost"].as_str() {
                        "" => format!("{} [{}]", row["status"], row["reason"]),
                        cost => format!("{cost} {}", row["currency"]),
                    };
                    writeln!(text, "{payer}: {} to {}: {cost}{adjusts}", row["charged_at"], row["called"]).unwrap();
                }
            }
        }
    }

    fn close(&mut self, of: Month, by: Option<&str>) {
        let options = CloseOptions { by: by.map(str::to_owned), ..CloseOptions::new(&self.project, of) };
        match closing::close(&Disk, &options) {
            Ok(closing) => {
                let already = if closing.already { " already" } else { "" };
                writeln!(self.text, "closed{already}, {} calls stay suspended", closing.suspended).unwrap();
                self.closed.push((of, files_below(&self.current(of))));
            }
            Err(error) => self.refused(&error),
        }
    }

    fn recycle(&mut self, of: Month, dry_run: bool) {
        let options = RecycleOptions { month: Some(of), dry_run, ..RecycleOptions::new(&self.project, no_month()) };
        let before = self.in_force();
        match recycle(&Disk, &options, &Silent) {
            Ok(recycled) => {
                writeln!(self.text, "{:?}, {} still suspended", recycled.published, recycled.suspended).unwrap();
                for released in &recycled.released {
                    let sums: Vec<String> =
                        released.charges.iter().map(|(currency, total)| format!("{total} {currency}")).collect();
                    let corrects = released.corrects.map_or_else(String::new, |month| format!(", correcting {month}"));
                    let (count, side, code) = (released.calls, released.side.name(), &released.code);
                    writeln!(self.text, "released {count} {side} [{code}]: {}{corrects}", sums.join(" + ")).unwrap();
                }
                match recycled.published {
                    Published::Now => self.summary(&recycled.summary),
                    _ => assert_eq!(before, self.in_force(), "nothing was to be published"),
                }
            }
            Err(error) => {
                self.refused(&error);
                assert_eq!(before, self.in_force(), "refused, and published all the same");
            }
        }
    }

    /// What the months point at, and all there is on the shelf.
    fn in_force(&self) -> Vec<PathBuf> {
        let links = |folder: &str| {
            let entries =
                fs::read_dir(self.out().join(folder)).into_iter().flatten().map(|entry| entry.unwrap().path());
            entries.map(|path| fs::read_link(&path).unwrap_or(path)).collect::<Vec<_>>()
        };
        let mut found = [links("current"), links("versions")].concat();
        found.sort();
        found
    }

    fn suspense(&mut self, of: Option<Month>) {
        let options = SuspenseOptions { month: of, ..SuspenseOptions::new(&self.project) };
        let list = suspense(&Disk, &options).unwrap();
        writeln!(self.text, "{} calls, {} records", list.calls, list.records).unwrap();
        for work in &list.work {
            let sums: Vec<String> =
                work.at_stake.iter().map(|(currency, total)| format!("{total} {currency}")).collect();
            let stake = match &work.estimated_by {
                Some(by) => format!(", about {} by {by}", sums.join(" + ")),
                None => String::new(),
            };
            let since = work.oldest.map_or_else(String::new, |day| format!(", since {day}"));
            let closed = match work.in_closed_months {
                0 => String::new(),
                count => format!(", {count} of closed months"),
            };
            let side = work.side.map_or("records", rating_core::aggregation::SideName::name);
            writeln!(self.text, "{}: {}", work.count, work.action).unwrap();
            writeln!(
                self.text,
                "   {side} [{}]{stake}{since}{closed}; {}: {}",
                work.code, work.example, work.looks_like
            )
            .unwrap();
        }
    }

    fn reopen(&mut self, of: Month, said: &str) {
        let (by, note) = said.split_once(": ").unwrap();
        let options = CloseOptions {
            by: Some(by.to_owned()),
            note: Some(note.to_owned()),
            ..CloseOptions::new(&self.project, of)
        };
        match closing::reopen(&Disk, &options) {
            Ok(reopening) => {
                let again = reopening.run_again.map_or_else(String::new, |month| format!(", run {month} again"));
                writeln!(self.text, "open again{again}").unwrap();
                self.closed.pop();
                let log = fs::read_to_string(self.out().join("closed/log.jsonl")).unwrap();
                let last: serde_json::Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
                assert_eq!(
                    (&last["event"], &last["by"], &last["note"]),
                    (&"reopened".into(), &by.into(), &note.into())
                );
            }
            Err(error) => self.refused(&error),
        }
    }
}

/// The rows of a table by column.
fn rows(content: &[u8]) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(content);
    let header = reader.headers().unwrap().clone();
    let row = |row: csv::StringRecord| header.iter().map(str::to_owned).zip(row.iter().map(str::to_owned)).collect();
    reader.records().map(|record| row(record.unwrap())).collect()
}

#[test]
fn every_story_comes_out_as_it_is_worked_out() {
    let mut stories = 0;
    let mut wrong = String::new();
    for entry in fs::read_dir(testdata().join("books")).unwrap() {
        let story = entry.unwrap().path();
        if !story.join("steps.txt").exists() {
            continue;
        }
        stories += 1;
        assert!(story.join("README.md").is_file(), "{}: how is the sum worked out?", story.display());
        let (path, found) = (story.join("expected.txt"), told(&story));
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            fs::write(&path, &found).unwrap();
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        if expected != found {
            write!(wrong, "{}: expected\n{expected}\nfound\n{found}\n", story.display()).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(stories >= 8, "{stories}");
}
