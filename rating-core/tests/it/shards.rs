//! A month by shards is the month: whatever the cut, in whatever order and however often shards are rated, what is
//! published is what one run publishes, byte for byte. And what is not whole, or not of the plan, publishes nothing.
//!
//! The folders `testdata/findings/shard.*` tell what is refused, step by step, with the demo:
//!
//! | step | |
//! | --- | --- |
//! | `plan N`, `rate N…`, `merge [FILE…]` | as the commands; without files, every partial file |
//! | `change FILE`, `lose FILE` | a file of the project gets another line at its end; is removed |
//! | `edit TEXT => TEXT` | replaces a text of the plan |
//! | `flip FILE`, `cut FILE` | changes a byte in the middle of a partial file; takes its last byte away |
//! | `copy FILE FILE`, `lose FILE` | a partial file |
//! | `say TEXT => TEXT`, `unsay N` | changes what was acknowledged; forgets it |

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use rating_core::finding::Findings;
use rating_core::run::shard::{self, Cut, MergeOptions, Places, PlanOptions, ShardOptions};
use rating_core::run::storage::Disk;
use rating_core::run::{Options, RunError, Silent, Summary, month};
use rating_core::time::Month;

use crate::support::{files_below, no_month, testdata, write_files};

/// Numbers that look like chance and are the same in every run of the tests.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}

/// Plans a month of a project in so many shards, rates them in some order, some twice, on one thread or several, and
/// merges them.
pub(crate) fn by_shards(project: &Path, out: &Path, of: Option<Month>, shards: u32) -> Result<Summary, RunError> {
    let place = tempfile::tempdir().unwrap();
    let manifest = place.path().join("plan.json");
    let planned = shard::plan(
        &Disk,
        &PlanOptions {
            project: project.to_owned(),
            month: of,
            default_month: no_month(),
            publish: Some(out.to_owned()),
            cut: Cut::Shards(shards),
            manifest: manifest.clone(),
            threads: 1,
        },
    )?;
    assert_eq!(planned.plan.shards.len(), shards as usize);
    let parts = place.path().join("parts");
    let mut chance = Chance(u64::from(shards));
    let mut order: Vec<u32> = (1..=shards).flat_map(|shard| vec![shard; 1 + chance.below(3) / 2]).collect();
    for at in (1..order.len()).rev() {
        order.swap(at, chance.below(at + 1));
    }
    let mut said: BTreeMap<u32, String> = BTreeMap::new();
    let mut lines = String::new();
    for shard in order {
        let options = ShardOptions {
            manifest: manifest.clone(),
            shard,
            out: parts.join(format!("{shard}.part")),
            places: Places::default(),
            threads: 1 + chance.below(3),
        };
        let line = shard::rate_shard(&Disk, &options, &Silent)?.to_line();
        assert_eq!(said.entry(shard).or_insert_with(|| line.clone()), &line, "rated twice, with another result");
        writeln!(lines, "{line}").unwrap();
    }
    assert_eq!(files_below(&parts).len(), shards as usize, "attempts leave nothing behind");
    let acknowledgements = place.path().join("acknowledged.jsonl");
    fs::write(&acknowledgements, lines).unwrap();
    let options = MergeOptions {
        manifest,
        partials: vec![parts],
        acknowledgements: Some(acknowledgements),
        places: Places::default(),
        threads: 1 + chance.below(3),
    };
    shard::merge(&Disk, &options, &Silent)
}

/// Everything published below an output folder, and where its links point.
fn published(out: &Path) -> (BTreeMap<String, Vec<u8>>, Vec<PathBuf>) {
    let links = fs::read_dir(out.join("current")).map_or_else(
        |_| Vec::new(),
        |entries| entries.map(|entry| fs::read_link(entry.unwrap().path()).unwrap()).collect(),
    );
    let files = if out.join("versions").exists() { files_below(&out.join("versions")) } else { BTreeMap::new() };
    (files, links)
}

fn same(one: &Path, other: &Path, what: &str) {
    let ((run, run_links), (merged, merged_links)) = (published(one), published(other));
    assert_eq!(run_links, merged_links, "{what}");
    assert!(run.keys().eq(merged.keys()), "{what}: other files are published");
    for (path, content) in &run {
        assert!(merged[path] == *content, "{what}: {path} differs");
    }
}

fn codes(findings: &Findings) -> Vec<&str> {
    findings.iter().map(|finding| finding.code).collect()
}

/// Both ways must come to the same, or be refused for the same, into however many shards the month is cut.
fn compare(project: &Path, of: Option<Month>, cuts: &[u32]) -> bool {
    let place = tempfile::tempdir().unwrap();
    let run_out = place.path().join("run");
    let options = Options { month: of, out: Some(run_out.clone()), threads: 1, ..Options::new(project, no_month()) };
    let run = month(&Disk, &options, &Silent);
    cuts.iter().all(|shards| {
        let merged_out = place.path().join(format!("merged-{shards}"));
        let merged = by_shards(project, &merged_out, of, *shards);
        let what = format!("{} in {shards}", project.display());
        same(&run_out, &merged_out, &what);
        alike(&run, &merged, &what)
    })
}

fn alike(run: &Result<Summary, RunError>, merged: &Result<Summary, RunError>, what: &str) -> bool {
    match (run, merged) {
        (Ok(run), Ok(merged)) => {
            // What patterns find is looked at when shards are planned.
            let of_run = run.warnings.iter().filter(|finding| !finding.code.starts_with("project."));
            assert!(merged.warnings.iter().eq(of_run), "{what}: {:?}", merged.warnings);
            assert_eq!((merged.records, merged.calls), (run.records, run.calls), "{what}");
            assert_eq!(merged.above_limit, run.above_limit, "{what}");
            true
        }
        (Err(RunError::Invalid(run)), Err(RunError::Invalid(merged)))
        | (Err(RunError::Incomplete(run)), Err(RunError::Incomplete(merged))) => {
            assert_eq!(codes(run), codes(merged), "{what}");
            false
        }
        (run, merged) => panic!("{what}: {run:?}, by shards {merged:?}"),
    }
}

/// Every folder below one that has a `rating.toml`.
fn projects(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    if folder.join("rating.toml").exists() {
        found.push(folder.to_owned());
        return;
    }
    entries.iter().filter(|path| path.is_dir()).for_each(|path| projects(path, found));
}

#[test]
fn every_story_by_shards_is_the_story() {
    let mut stories = 0;
    let mut folders = Vec::new();
    projects(&testdata().join("scenarios"), &mut folders);
    for project in folders {
        for run in fs::read_dir(project.join("expected")).unwrap() {
            let name = run.unwrap().file_name().into_string().unwrap();
            // What was known earlier is a draft, and no month that is planned.
            let Some(of) = Month::parse(&name) else { continue };
            let cuts = if stories % 2 == 0 { [1, 3] } else { [2, 7] };
            assert!(compare(&project, Some(of), &cuts), "{}", project.display());
            stories += 1;
        }
    }
    assert!(stories >= 20, "only {stories} runs of stories were found");
}

#[test]
fn every_other_project_by_shards_is_published_or_refused_as_in_one_run() {
    let mut folders = Vec::new();
    projects(&testdata(), &mut folders);
    folders.retain(|folder| !folder.starts_with(testdata().join("scenarios")));
    let of = Month::parse("2026-10").unwrap();
    assert!(compare(&testdata().join("demo"), None, &[1, 2, 7]));
    let done = folders.iter().filter(|project| compare(project, Some(of), &[3])).count();
    assert!(done >= 30, "only {done} of {} projects were published", folders.len());
}

/// Three sites with 5,000 records, duplicates across files, allowances that are shared, exceeded and rated again, tiers.
#[test]
fn a_month_with_allowances_and_duplicates_across_files_is_the_same_however_it_is_cut() {
    let place = tempfile::tempdir().unwrap();
    let project = place.path().join("project");
    write_files(&project, &crate::determinism::project());
    assert!(compare(&project, None, &[1, 2, 3, 7, 12]));
}

#[test]
fn shards_of_so_many_bytes_each_are_as_many_as_are_needed() {
    let place = tempfile::tempdir().unwrap();
    let project = place.path().join("project");
    write_files(&project, &crate::determinism::project());
    let plan = |cut| {
        let options = PlanOptions {
            project: project.clone(),
            month: None,
            default_month: no_month(),
            publish: None,
            cut,
            manifest: place.path().join("plan.json"),
            threads: 1,
        };
        let planned = shard::plan(&Disk, &options).unwrap();
        let bytes = fs::read(&options.manifest).unwrap();
        assert_eq!(shard::plan(&Disk, &options).unwrap().sha256, planned.sha256);
        assert_eq!(fs::read(&options.manifest).unwrap(), bytes, "the same plan is the same bytes");
        planned.plan
    };
    let whole = plan(Cut::Bytes(u64::MAX));
    assert_eq!((whole.shards.len(), whole.files), (1, 10));
    let room = whole.bytes / 3;
    let cut = plan(Cut::Bytes(room));
    assert!(cut.shards.len() > 3 && cut.shards.iter().all(|shard| shard.bytes <= room));
    let paths = |plan: &shard::Plan| plan.inputs().map(|input| input.path.clone()).collect::<Vec<_>>();
    assert_eq!(paths(&cut), paths(&whole), "shards keep the canonical order");
    assert_eq!(whole.project, "project");
    assert_eq!(whole.publish, "project/out");
}

struct Story {
    place: tempfile::TempDir,
    acknowledged: BTreeMap<u32, String>,
    text: String,
}

/// What a folder of `testdata/findings` shows.
pub(crate) fn told(folder: &Path) -> String {
    let place = tempfile::tempdir().unwrap();
    let mut demo = files_below(&testdata().join("demo"));
    demo.retain(|path, _| !path.starts_with("out/"));
    write_files(&place.path().join("demo"), &demo);
    let mut story = Story { place, acknowledged: BTreeMap::new(), text: String::new() };
    for step in fs::read_to_string(folder.join("shards.txt")).unwrap().lines() {
        writeln!(story.text, "> {step}").unwrap();
        story.step(step);
    }
    let root = format!("{}/", story.place.path().display());
    // Hashes change with the program's version.
    let text = story.text.replace(&root, "");
    let is_hash = |word: &str| word.len() >= 16 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let words = text.split_inclusive(|c: char| !c.is_ascii_alphanumeric());
    words
        .map(|word| {
            let end = word.len() - word.chars().last().filter(|c| !c.is_ascii_alphanumeric()).map_or(0, char::len_utf8);
            if is_hash(&word[..end]) { format!("HASH{}", &word[end..]) } else { word.to_owned() }
        })
        .collect()
}

impl Story {
    fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    fn step(&mut self, step: &str) {
        let (verb, rest) = step.split_once(' ').unwrap_or((step, ""));
        match verb {
            "plan" => {
                let options = PlanOptions {
                    project: self.path("demo"),
                    month: None,
                    default_month: no_month(),
                    publish: None,
                    cut: Cut::Shards(rest.parse().unwrap()),
                    manifest: self.path("plan.json"),
                    threads: 1,
                };
                match shard::plan(&Disk, &options) {
                    Ok(planned) => writeln!(self.text, "{} shards", planned.plan.shards.len()).unwrap(),
                    Err(error) => self.refused(&error),
                }
            }
            "rate" => rest.split(' ').for_each(|shard| self.rate(shard.parse().unwrap())),
            "merge" => self.merge(rest),
            "change" => {
                let path = self.path(rest);
                let mut content = fs::read(&path).unwrap();
                content.extend_from_slice(b"# another line\n");
                fs::write(path, content).unwrap();
            }
            "edit" => {
                let (from, to) = rest.split_once(" => ").unwrap();
                let path = self.path("plan.json");
                let text = fs::read_to_string(&path).unwrap();
                assert!(text.contains(from), "{from}");
                fs::write(path, text.replacen(from, to, 1)).unwrap();
            }
            "flip" | "cut" => {
                let path = self.path(rest);
                let mut content = fs::read(&path).unwrap();
                if verb == "cut" {
                    content.pop();
                } else {
                    let middle = content.len() / 2;
                    content[middle] ^= 1;
                }
                fs::write(path, content).unwrap();
            }
            "copy" => {
                let (from, to) = rest.split_once(' ').unwrap();
                fs::copy(self.path(from), self.path(to)).unwrap();
            }
            "lose" => fs::remove_file(self.path(rest)).unwrap(),
            "say" => {
                let (from, to) = rest.split_once(" => ").unwrap();
                let found = self.acknowledged.values_mut().find(|line| line.contains(from)).unwrap();
                *found = found.replacen(from, to, 1);
            }
            "unsay" => assert!(self.acknowledged.remove(&rest.parse().unwrap()).is_some()),
            _ => panic!("what is `{step}`?"),
        }
    }

    fn rate(&mut self, shard: u32) {
        let options = ShardOptions {
            manifest: self.path("plan.json"),
            shard,
            out: self.path("parts/"),
            places: Places::default(),
            threads: 1,
        };
        match shard::rate_shard(&Disk, &options, &Silent) {
            Ok(acknowledgement) => {
                let totals = &acknowledgement.totals;
                writeln!(self.text, "shard {shard}: {} records, {} calls", totals.records, totals.calls).unwrap();
                self.acknowledged.insert(shard, acknowledgement.to_line());
            }
            Err(error) => self.refused(&error),
        }
    }

    fn merge(&mut self, files: &str) {
        let acknowledgements = self.path("acknowledged.jsonl");
        fs::write(&acknowledgements, self.acknowledged.values().map(|line| format!("{line}\n")).collect::<String>())
            .unwrap();
        let partials = if files.is_empty() { "parts" } else { files };
        let options = MergeOptions {
            manifest: self.path("plan.json"),
            partials: partials.split(' ').map(|name| self.path(name)).collect(),
            acknowledgements: Some(acknowledgements),
            places: Places::default(),
            threads: 1,
        };
        match shard::merge(&Disk, &options, &Silent) {
            Ok(summary) => writeln!(self.text, "published, {} calls", summary.calls.calls).unwrap(),
            Err(error) => {
                self.refused(&error);
                assert!(!self.path("demo/out/current").exists(), "refused, and published all the same");
                assert!(!self.path("demo/out/versions").exists(), "refused, and something was written");
            }
        }
    }

    fn refused(&mut self, error: &RunError) {
        let (how, findings) = match error {
            RunError::Invalid(findings) => ("invalid", findings),
            RunError::Incomplete(findings) => ("incomplete", findings),
            RunError::Disagree(findings) => ("do not agree", findings),
            other => panic!("{other}"),
        };
        for finding in findings.iter() {
            writeln!(self.text, "refused, {how} [{}]: {}", finding.code, finding.message).unwrap();
            if let Some(help) = &finding.help {
                writeln!(self.text, "  help: {help}").unwrap();
            }
        }
    }
}
