//! Files that are written to while they are rated: what is published is what was hashed, or nothing is.

use std::fs;
use std::path::{Path, PathBuf};

use rating_core::run::shard::{self, Acknowledgement, Cut, MergeOptions, Places, PlanOptions, ShardOptions};
use rating_core::run::storage::Disk;
use rating_core::run::{Options, Progress, RunError, Silent, month};

use crate::support::{files_below, no_month, testdata, write_files};

const MASTER: &str = "cdr/ldn/Master-2026-10.csv";
const COPY: &str = "cdr/ldn/again.csv";

/// Changes something when the inputs are hashed and not yet read.
struct Meanwhile<'m>(&'m (dyn Fn() + Sync));

impl Progress for Meanwhile<'_> {
    fn begin(&self, _: u64) {
        (self.0)();
    }
}

/// The demo, and a file with copies of its first records.
fn project(place: &Path) -> PathBuf {
    let folder = place.join("demo");
    let mut demo = files_below(&testdata().join("demo"));
    demo.retain(|path, _| !path.starts_with("out/"));
    let master = String::from_utf8(demo[MASTER].clone()).unwrap();
    let copies: String = master.split_inclusive('\n').take(4).collect();
    demo.insert(COPY.to_owned(), copies.into_bytes());
    write_files(&folder, &demo);
    folder
}

fn append(path: &Path, text: &str) {
    fs::write(path, [fs::read(path).unwrap(), text.as_bytes().to_vec()].concat()).unwrap();
}

/// One call less at the end.
fn shorten(path: &Path) {
    let text = fs::read_to_string(path).unwrap();
    let last = text.trim_end().rfind('\n').unwrap();
    fs::write(path, &text[..=last]).unwrap();
}

fn is_refused<T: std::fmt::Debug>(result: Result<T, RunError>, file: &str) {
    let Err(RunError::Invalid(findings)) = result else { panic!("{result:?}") };
    let told: Vec<(&str, Option<&str>)> =
        findings.iter().map(|finding| (finding.code, finding.file.as_deref())).collect();
    assert_eq!(told, [("run.file_changed", Some(file))]);
}

#[test]
fn a_run_publishes_what_was_hashed_or_nothing() {
    let place = tempfile::tempdir().unwrap();
    let project = project(place.path());
    let run = |out: &str, meanwhile: &(dyn Fn() + Sync)| {
        let options = Options { out: Some(place.path().join(out)), ..Options::new(&project, no_month()) };
        month(&Disk, &options, &Meanwhile(meanwhile))
    };
    let quiet = run("quiet", &|| {}).unwrap();
    // A switch that goes on writing: what came behind is no part of what was hashed.
    let line = fs::read_to_string(project.join(MASTER)).unwrap().lines().nth(5).unwrap().replace("1791", "1792");
    let whole = fs::read(project.join(MASTER)).unwrap();
    let appended = run("appended", &|| append(&project.join(MASTER), &format!("{line}\n"))).unwrap();
    assert_eq!((appended.records, &appended.run), (quiet.records, &quiet.run));
    let published = |out: &str| files_below(&place.path().join(out).join("versions"));
    assert_eq!(published("appended"), published("quiet"));
    fs::write(project.join(MASTER), whole).unwrap();
    // Whatever else happens to a file, nothing is published.
    is_refused(run("shorter", &|| shorten(&project.join(MASTER))), MASTER);
    assert!(!place.path().join("shorter/current").exists());
    assert!(!place.path().join("shorter/versions").exists());
    let renewed = || fs::write(project.join(COPY), "no record\n").unwrap();
    is_refused(run("other", &renewed), COPY);
}

struct Parts {
    place: tempfile::TempDir,
    project: PathBuf,
    manifest: PathBuf,
}

impl Parts {
    fn planned() -> Self {
        let place = tempfile::tempdir().unwrap();
        let project = project(place.path());
        let parts = Self { manifest: place.path().join("plan.json"), project, place };
        parts.plan(&parts.manifest).unwrap();
        parts
    }

    fn plan(&self, manifest: &Path) -> Result<shard::Planned, RunError> {
        let options = PlanOptions {
            project: self.project.clone(),
            month: None,
            default_month: no_month(),
            publish: None,
            cut: Cut::Shards(2),
            manifest: manifest.to_owned(),
            threads: 1,
        };
        shard::plan(&Disk, &options)
    }

    fn rate(&self, shard: u32, out: &Path, progress: &dyn Progress) -> Result<Acknowledgement, RunError> {
        let (manifest, out) = (self.manifest.clone(), out.to_owned());
        shard::rate_shard(
            &Disk,
            &ShardOptions { manifest, shard, out, places: Places::default(), threads: 1 },
            progress,
        )
    }

    fn merge(&self, partials: &[&Path]) -> Result<rating_core::run::Summary, RunError> {
        let options = MergeOptions {
            manifest: self.manifest.clone(),
            partials: partials.iter().map(|path| (*path).to_owned()).collect(),
            acknowledgements: None,
            places: Places::default(),
            threads: 1,
        };
        shard::merge(&Disk, &options, &Silent)
    }
}

#[test]
fn a_shard_is_of_the_files_that_were_planned_from_their_first_byte_to_their_last() {
    let parts = Parts::planned();
    let folder = parts.place.path().join("parts");
    fs::create_dir(&folder).unwrap();
    let quiet = parts.rate(1, &folder, &Silent).unwrap();
    let file = folder.join("shard-00001.part");
    let bytes = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    let whole = fs::read(parts.project.join(MASTER)).unwrap();
    is_refused(parts.rate(1, &folder, &Meanwhile(&|| shorten(&parts.project.join(MASTER)))), MASTER);
    assert!(files_below(&folder).is_empty(), "nothing is there, not even what was set aside");
    fs::write(parts.project.join(MASTER), whole).unwrap();
    let appends = || append(&parts.project.join(MASTER), "no record\n");
    assert_eq!(parts.rate(1, &folder, &Meanwhile(&appends)).unwrap(), quiet);
    assert_eq!(fs::read(&file).unwrap(), bytes);
}

#[test]
fn records_that_a_merge_compares_are_what_they_were_when_they_were_rated() {
    let parts = Parts::planned();
    let folder = parts.place.path().join("parts");
    fs::create_dir(&folder).unwrap();
    for shard in 1..=2 {
        parts.rate(shard, &folder, &Silent).unwrap();
    }
    let copy = parts.project.join(COPY);
    let whole = fs::read_to_string(&copy).unwrap();
    let first = whole.lines().next().unwrap();
    // Another unique id of the same length: it would be a call of its own, and charged twice.
    let (before, id) = first.rsplit_once("1790").unwrap();
    for changed in [whole.replacen(&format!("{before}1790{id}"), &format!("{before}1791{id}"), 1), String::new()] {
        assert_ne!(changed, whole);
        fs::write(&copy, changed).unwrap();
        is_refused(parts.merge(&[&folder]), COPY);
        assert!(!parts.project.join("out/current").exists());
    }
    fs::remove_file(&copy).unwrap();
    is_refused(parts.merge(&[&folder]), COPY);
    fs::write(&copy, whole).unwrap();
    // A file that is named twice is one file.
    let summary = parts.merge(&[&folder, &folder.join("../parts/shard-00002.part")]).unwrap();
    assert_eq!(summary.records.duplicate, 4 + 1, "the four copies, and the one that the demo has");
}

#[test]
fn nothing_but_a_plan_or_a_partial_file_is_replaced() {
    let parts = Parts::planned();
    let settings = parts.project.join("rating.toml");
    let master = parts.project.join(MASTER);
    let before = files_below(parts.place.path());
    let is_usage = |told: Result<(), RunError>, words: &str| {
        let Err(RunError::Usage(text)) = told else { panic!("{told:?}") };
        assert!(text.contains(words), "{text}");
    };
    for path in [&settings, &master, Path::new("/dev/null")] {
        is_usage(parts.plan(path).map(drop), "is there and is no plan of shards");
        is_usage(parts.rate(1, path, &Silent).map(drop), "is there and is no partial file");
    }
    is_usage(parts.rate(1, &parts.manifest, &Silent).map(drop), "is there and is no partial file");
    assert_eq!(files_below(parts.place.path()), before);
    // A name that stands for a folder that is not there is one file: of one shard.
    let out = parts.place.path().join("parts");
    parts.rate(1, &out, &Silent).unwrap();
    is_usage(parts.rate(2, &out, &Silent).map(drop), "is the partial file of shard 1 of this plan");
    parts.rate(1, &out, &Silent).unwrap();
    parts.plan(&parts.manifest).unwrap();
}
