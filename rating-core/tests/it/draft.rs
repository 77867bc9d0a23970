//! A draft of a whole month is looked at first, and then becomes the version in force as it is.

use std::fs;
use std::path::{Path, PathBuf};

use rating_core::run::publish::Published;
use rating_core::run::storage::{Disk, Failing};
use rating_core::run::{Options, RunError, Silent, Summary, month};

use crate::support::{files_below, no_month, testdata, write_files};

/// A project with the demo in it, and where its output goes.
struct House {
    folder: tempfile::TempDir,
    project: PathBuf,
    out: PathBuf,
}

impl House {
    fn demo() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (project, out) = (folder.path().join("project"), folder.path().join("out"));
        let mut files = files_below(&testdata().join("demo"));
        files.retain(|path, _| !path.starts_with("out/"));
        write_files(&project, &files);
        Self { folder, project, out }
    }

    fn options(&self) -> Options {
        Options { out: Some(self.out.clone()), ..Options::new(&self.project, no_month()) }
    }

    fn draft(&self) -> Summary {
        month(&Disk, &Options { draft: true, ..self.options() }, &Silent).unwrap()
    }

    fn publish(&self, expected: &str) -> Result<Summary, RunError> {
        month(&Disk, &Options { expected: Some(expected.to_owned()), ..self.options() }, &Silent)
    }

    fn current(&self) -> PathBuf {
        self.out.join("current/month=2026-10")
    }

    fn edit(&self, path: &str, from: &str, to: &str) {
        let path = self.project.join(path);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from));
        fs::write(path, text.replacen(from, to, 1)).unwrap();
    }
}

fn code(error: &RunError) -> &'static str {
    match error {
        RunError::Invalid(findings) | RunError::Incomplete(findings) => findings.iter().next().unwrap().code,
        other => panic!("{other}"),
    }
}

/// The inode tells whether a file was written again or only given another name.
fn inode(path: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata(path).unwrap().ino()
}

#[test]
fn a_draft_has_the_id_and_the_bytes_of_the_month_and_is_not_in_force() {
    let (one, other) = (House::demo(), House::demo());
    let draft = one.draft();
    assert_eq!(draft.published, Published::Draft);
    assert_eq!(draft.folder, one.out.join("drafts").join(&draft.run).join("month=2026-10"));
    assert!(!one.out.join("current").exists() && !one.out.join("versions").exists());
    let published = month(&Disk, &other.options(), &Silent).unwrap();
    assert_eq!(published.run, draft.run);
    assert_eq!(files_below(&draft.folder), files_below(&fs::canonicalize(&published.folder).unwrap()));
}

#[test]
fn what_was_looked_at_is_published_without_being_rated_again() {
    let house = House::demo();
    let draft = house.draft();
    let seen = files_below(&draft.folder);
    let written = inode(&draft.folder.join("site=ldn/itemised.parquet"));
    let published = house.publish(&draft.run).unwrap();
    assert_eq!((published.published, &published.run, published.calls), (Published::Now, &draft.run, draft.calls));
    assert_eq!(files_below(&fs::canonicalize(house.current()).unwrap()), seen);
    assert_eq!(inode(&house.current().join("site=ldn/itemised.parquet")), written);
    assert!(!draft.folder.exists());
    // Once it is in force there is nothing to do, neither for a draft nor for the month.
    assert_eq!(house.draft().published, Published::Already);
    assert_eq!(house.publish(&draft.run).unwrap().published, Published::Already);
}

#[test]
fn what_changed_since_it_was_looked_at_is_not_published() {
    let house = House::demo();
    let draft = house.draft();
    house.edit("directory/occupiers.csv", "Acme Design Ltd", "Acme Designs Ltd");
    let error = house.publish(&draft.run).unwrap_err();
    assert_eq!(code(&error), "run.inputs_changed");
    assert!(!house.out.join("current").exists() && draft.folder.exists());
    // Without a word about what was looked at, the month is what it is now.
    let published = month(&Disk, &house.options(), &Silent).unwrap();
    assert_ne!(published.run, draft.run);
}

#[test]
fn a_draft_that_somebody_changed_is_not_published_but_rated_again() {
    let house = House::demo();
    let draft = house.draft();
    let report = draft.folder.join("site=ldn/202610_ldn_call-charges.machine.csv");
    let good = fs::read(&report).unwrap();
    // As long as before: only the hash tells.
    let mut bad = good.clone();
    let at = bad.iter().position(|byte| *byte == b'1').unwrap();
    bad[at] = b'9';
    fs::write(&report, &bad).unwrap();
    assert_eq!(house.publish(&draft.run).unwrap().published, Published::Now);
    assert_eq!(fs::read(house.current().join("site=ldn/202610_ldn_call-charges.machine.csv")).unwrap(), good);
}

#[test]
fn a_draft_with_a_gap_that_nobody_accepted_is_a_draft_and_no_month() {
    let house = House::demo();
    // The demo's one file of October stands where a file for each day is expected.
    let source = "trunks = [\"PJSIP/carrier*\"]\n";
    let expect = format!("{source}[source.expect]\nname = \"Master-{{date}}*\"\nfiles_a_day = 1\n");
    house.edit("rating.toml", source, &expect);
    let draft = house.draft();
    assert!(draft.gaps.iter().any(|gap| gap.accepted.is_none()), "{:?}", draft.gaps);
    assert!(matches!(house.publish(&draft.run).unwrap_err(), RunError::Incomplete(_)));
    assert!(!house.current().exists() && draft.folder.exists());
}

#[test]
fn whichever_call_fails_the_draft_is_published_whole_or_not_at_all() {
    let kept = House::demo();
    let draft = kept.draft();
    let seen = files_below(&draft.folder);
    let all = files_below(kept.folder.path());
    let mut stopped = 0;
    // Most calls read what is there; each of the last ones changes something.
    let counting = Failing::new(Disk, u64::MAX, false, std::io::ErrorKind::StorageFull);
    month(&counting, &kept.options(), &Silent).unwrap();
    let calls = counting.calls();
    for call in (1..calls).step_by(17).chain(calls.saturating_sub(25)..=calls + 1) {
        let house = House::demo();
        write_files(house.folder.path(), &all);
        let failing = Failing::new(Disk, call, false, std::io::ErrorKind::StorageFull);
        let result = month(&failing, &house.options(), &Silent);
        let shown = fs::canonicalize(house.current()).ok().map(|folder| files_below(&folder));
        assert!(shown.is_none_or(|shown| shown == seen), "call {call}");
        if result.is_ok() && failing.calls() < call {
            break;
        }
        stopped += usize::from(result.is_err());
        assert_eq!(house.publish(&draft.run).unwrap().run, draft.run, "call {call}");
        assert_eq!(files_below(&fs::canonicalize(house.current()).unwrap()), seen, "call {call}");
    }
    assert!(stopped >= 8, "only {stopped} calls stopped it");
}
