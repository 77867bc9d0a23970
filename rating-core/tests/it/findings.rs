//! Every stable code is explained in `docs/findings.md` and has a folder in `testdata/findings` that brings it about.
//!
//! A folder with a `rating.toml` is a project: it is checked, run if nothing is an error, and what became of its records
//! is compared with `expected.txt`. One with a `shards.txt` is a story
//! of shards of the demo, one with a `plan.toml` is a country's dial plan, one with `calls.jsonl` calls to be priced,
//! one of `lint` a tariff that is not wrong; those of `batch` hand calls over to the demo's project. The others are tables of the
//! directory, assignments or a tariff by themselves, and are compared by the tests of those modules.
//!
//! `UPDATE_EXPECTED=1 cargo test -p rating-core --test it findings` writes what is found into `expected.txt`: read the
//! difference before you keep it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use rating_core::attribution::attribute;
use rating_core::cdr;
use rating_core::finding::{Findings, SourceText};
use rating_core::ids::SourceId;
use rating_core::mediation::Mediated;
use rating_core::mediation::dial_plan::Countries;
use rating_core::rating::{Outcome, Rater};
use rating_core::run::project::Project;
use rating_core::run::quote;
use rating_core::run::storage::Disk;
use rating_core::run::{self, Options, RunError};
use rating_core::time::Month;

/// What the codes are about: the word before the point.
const AREAS: [&str; 21] = [
    "settings",
    "table",
    "project",
    "directory",
    "allowance",
    "assignment",
    "tariff",
    "import",
    "exchange",
    "dial_plan",
    "run",
    "shard",
    "cdr",
    "mediation",
    "attribution",
    "rating",
    "cgrates",
    "price",
    "lint",
    "template",
    "batch",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn is_code(text: &str) -> bool {
    let Some((area, what)) = text.split_once('.') else { return false };
    AREAS.contains(&area)
        && what.starts_with(|c: char| c.is_ascii_lowercase())
        && !what.ends_with('_')
        && what.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        && !matches!(what, "toml" | "csv" | "rs" | "md" | "org" | "db")
}

/// The codes in the literals of all sources but tests and comments. Rooms of the service that only its interface enters are
/// left out: their codes are problems, listed in one table, and actions of its audit log.
fn codes_in_sources() -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    let mut folders = vec![root().join("rating-core/src"), root().join("rating-service/src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() {
                let is_interfaces = ["auth", "error", "http", "store", "wire", "portal"].contains(&name)
                    && path.starts_with(root().join("rating-service"));
                if name != "tests" && !is_interfaces {
                    folders.push(path);
                }
                continue;
            }
            if !name.ends_with(".rs") || ["tests.rs", "testing.rs", "fixtures.rs"].contains(&name) {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let product = text.split("\nmod tests {").next().unwrap();
            for line in product.lines().filter(|line| !line.trim_start().starts_with("//")) {
                codes.extend(line.split('"').skip(1).step_by(2).filter(|text| is_code(text)).map(str::to_owned));
            }
        }
    }
    codes
}

/// The codes that `docs/findings.md` explains: rows of its tables begin with one.
fn codes_in_docs() -> BTreeSet<String> {
    let text = fs::read_to_string(root().join("docs/findings.md")).unwrap();
    let mut codes = BTreeSet::new();
    for line in text.lines() {
        let Some((code, rest)) = line.strip_prefix("| `").and_then(|rest| rest.split_once('`')) else { continue };
        if is_code(code) {
            let cells = rest.trim().trim_matches('|').split(" | ").filter(|cell| !cell.trim().is_empty()).count();
            assert_eq!(cells, 2, "`{code}` needs its meaning and what to do: {line}");
            assert!(codes.insert(code.to_owned()), "`{code}` is explained twice");
        }
    }
    codes
}

fn folders() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = fs::read_dir(root().join("testdata/findings"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders
}

fn name(folder: &Path) -> String {
    folder.file_name().unwrap().to_str().unwrap().to_owned()
}

#[test]
fn every_code_is_explained_and_has_a_folder_and_none_is_left_over() {
    let (sources, docs) = (codes_in_sources(), codes_in_docs());
    assert!(sources.len() > 150, "the scan finds {} codes", sources.len());
    let folders: BTreeSet<String> = folders().iter().map(|folder| name(folder)).collect();
    let missing =
        |from: &BTreeSet<String>, of: &BTreeSet<String>| -> Vec<String> { of.difference(from).cloned().collect() };
    assert_eq!(missing(&docs, &sources), [""; 0], "not in docs/findings.md");
    assert_eq!(missing(&sources, &docs), [""; 0], "in docs/findings.md, but no longer in the sources");
    assert_eq!(missing(&folders, &sources), [""; 0], "without a folder in testdata/findings");
    assert_eq!(missing(&sources, &folders), [""; 0], "a folder in testdata/findings for no code");
}

/// What a project's check says, and if that is no error, what becomes of its records.
fn of_project(folder: &Path) -> String {
    let month = Month::parse("2026-10").unwrap();
    let found = run::check(&Disk, folder).unwrap();
    let mut text = String::new();
    if found.has_errors() {
        list(&found, &mut text);
        let mut options = Options::new(folder, month);
        options.dry_run = true;
        let refused = run::month(&Disk, &options, &run::Silent);
        assert!(matches!(refused, Err(RunError::Invalid(_))), "a project with errors is not run");
        return text;
    }
    let out = tempfile::tempdir().unwrap();
    let mut options = Options::new(folder, month);
    options.out = Some(out.path().to_owned());
    let summary = match run::month(&Disk, &options, &run::Silent) {
        Err(RunError::Incomplete(gaps)) => {
            list(&gaps, &mut text);
            return text;
        }
        done => done.unwrap(),
    };
    list(&summary.warnings, &mut text);
    let name = format!("all-sites/{}_all-sites_exceptions.machine.csv", summary.month.compact());
    let mut exceptions = csv::Reader::from_path(summary.folder.join(name)).unwrap();
    let header = exceptions.headers().unwrap().clone();
    for row in exceptions.records() {
        let row = row.unwrap();
        let cell = |name: &str| row.get(header.iter().position(|column| column == name).unwrap()).unwrap();
        let at = match (cell("example_file"), cell("example_offset")) {
            ("", _) => String::new(),
            (file, offset) => format!(", first {file}@{offset}"),
        };
        let side = if cell("side").is_empty() { String::new() } else { format!("{} ", cell("side")) };
        writeln!(text, "{side}{}: {} [{}]{at}", cell("kind"), cell("count"), cell("reason")).unwrap();
    }
    let (project, _) = Project::load(&Disk, folder, None).unwrap();
    not_charged(&project.unwrap(), &mut text);
    text
}

fn list(findings: &Findings, text: &mut String) {
    for finding in findings.iter() {
        writeln!(text, "{finding}").unwrap();
    }
}

/// The calls that a rule says are not charged, record by record: no exception, so no report of exceptions has them.
fn not_charged(project: &Project, text: &mut String) {
    let rater = Rater::new(&project.book, &project.assignments);
    for path in project.files_of(&Disk, SourceId(0)).unwrap().files {
        let bytes = fs::read(project.root.join(&path)).unwrap();
        let (format, options) = &project.formats[0];
        let Ok(reader) = cdr::open(*format, options, &bytes, true) else { continue };
        for record in reader.records(0, 0, &bytes, true).filter_map(Result::ok) {
            let Mediated::Call(call) = project.mediators[0].mediate(&record) else { continue };
            let row = rater.rate(attribute(&call, &project.directory)).row();
            for (side, outcome) in [("retail", row.retail.outcome), ("wholesale", row.wholesale.outcome)] {
                if let Outcome::NotChargeable(code) = outcome {
                    writeln!(text, "{side} not chargeable: {path}@{} [{code}]", row.record.offset()).unwrap();
                }
            }
        }
    }
}

/// What a check of the tariff alone says, its files named from the folder.
fn of_tariff(folder: &Path) -> String {
    let folder = folder.canonicalize().unwrap();
    let found = run::check_tariffs(&Disk, &[folder.join("tariff.toml")]).unwrap();
    assert!(!found.has_errors() && found.iter().all(|finding| finding.help.is_some()), "{}", folder.display());
    let mut text = String::new();
    list(&found, &mut text);
    text.replace(&format!("{}/", folder.display()), "")
}

/// What the tariff beside them says to calls.
fn of_calls(folder: &Path) -> String {
    let options = quote::Options::new(vec![folder.join("tariff.toml")]);
    let (quoter, _) = quote::Quoter::open(&Disk, &options).unwrap();
    let mut lines = quote::lines::Lines::new(&quoter);
    let mut out = Vec::new();
    for line in fs::read(folder.join("calls.jsonl")).unwrap().split_inclusive(|byte| *byte == b'\n') {
        lines.answer(line, &mut out);
    }
    let mut text = String::new();
    for answer in String::from_utf8(out).unwrap().lines() {
        let answer: serde_json::Value = serde_json::from_str(answer).unwrap();
        writeln!(text, "[{}]: {}", answer["reason"].as_str().unwrap(), answer["message"].as_str().unwrap()).unwrap();
    }
    text
}

fn of_plan(folder: &Path) -> String {
    let mut findings = Findings::default();
    let text = fs::read_to_string(folder.join("plan.toml")).unwrap();
    Countries::default().add(&SourceText::new("plan.toml", text), &mut findings);
    let mut text = String::new();
    list(&findings, &mut text);
    text
}

/// What a folder shows; `None` if another test has it.
fn shown(folder: &Path) -> Option<String> {
    if name(folder) == "lint.called_without_row" {
        let mut text = String::new();
        list(&run::check_calls(&Disk, folder).unwrap(), &mut text);
        Some(text)
    } else if folder.join("shards.txt").exists() {
        Some(crate::shards::told(folder))
    } else if name(folder).starts_with("batch.") {
        crate::embed::told(folder)
    } else if folder.join("steps.txt").exists() {
        Some(crate::books::told(folder))
    } else if folder.join("rating.toml").exists() {
        Some(of_project(folder))
    } else if name(folder).starts_with("lint.") {
        Some(of_tariff(folder))
    } else if folder.join("tariff.toml").exists() && folder.join("calls.jsonl").exists() {
        Some(of_calls(folder))
    } else if folder.join("plan.toml").exists() {
        Some(of_plan(folder))
    } else {
        None
    }
}

#[test]
fn every_folder_shows_its_code_and_what_its_page_says() {
    let mut wrong = Vec::new();
    for folder in folders() {
        let code = name(&folder);
        let path = folder.join("expected.txt");
        if std::env::var_os("UPDATE_EXPECTED").is_some()
            && let Some(found) = shown(&folder)
        {
            fs::write(&path, found).unwrap();
        }
        let expected = fs::read_to_string(&path).unwrap();
        let found = shown(&folder).unwrap_or_else(|| expected.clone());
        if !found.contains(&format!("[{code}]")) {
            wrong.push(format!("{code} does not show itself:\n{found}"));
        } else if found != expected {
            wrong.push(format!("{code}: expected\n{expected}found\n{found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
