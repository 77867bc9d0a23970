//! The same inputs give the same bytes, whatever the number of threads, the order in which files were made, how they are
//! packed, the zone and locale of the machine; and a version once published is never touched again.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use rating_core::cdr;
use rating_core::run::Summary;
use rating_core::run::generate::{Content, Files, Plan, Project};
use rating_core::run::publish::Published;
use rating_core::time::Month;
use tempfile::TempDir;

use crate::support::{files_below, run_month, testdata, write_files};

type Tree = BTreeMap<String, Vec<u8>>;

const ALLOWANCES: &str = "\
[allowances.pool]
scope = \"group\"
time = \"300min\"
priority = 3
[allowances.minutes]
time = \"20min\"
calls = 15
weights = { mobile = \"2.5\" }
priority = 1
[allowances.extension]
scope = \"extension\"
time = \"90s\"
step = \"30s\"
priority = 2
[allowances.exceeded]
time = \"60s\"
crossing = \"re-rate-period\"
[volume.tiers]
by = \"time\"
applies = \"whole\"
tiers = [{ from = \"30min\", discount = \"12.5%\" }]
";

/// Three sites with three files each, 5,000 records; one file is there twice, and another's last record, too.
pub(crate) fn project() -> Tree {
    let plan = Plan {
        prefixes: 900,
        sites: 3,
        occupiers: 12,
        numbers: 120,
        files: Files::PerSite(3),
        ..Plan::new(5_000, 7, Month::parse("2026-06").unwrap())
    };
    let project = Project::new(plan).unwrap();
    let mut files = Tree::new();
    for file in project.files() {
        let mut content = Vec::new();
        let collected = project.write(&file.content, |piece| {
            content.extend_from_slice(piece);
            Ok::<(), ()>(())
        });
        collected.unwrap();
        if matches!(file.content, Content::Cdrs(_)) {
            assert!(content.ends_with(b"\n"));
        }
        files.insert(file.path, content);
    }
    let settings = String::from_utf8(files["rating.toml"].clone()).unwrap();
    // So that packed files are found, too.
    let settings = settings.replace("/*.csv\"]", "/*\"]");
    let named = "[tariffs]\nallowances = [\"tariffs/allowances.toml\"]\n";
    assert!(settings.contains("[tariffs]\n"), "{settings}");
    files.insert("rating.toml".to_owned(), settings.replace("[tariffs]\n", named).into_bytes());
    // Allowances that run out: by payer, by extension, one that all share, and one that breaks; and tiers.
    files.insert("tariffs/allowances.toml".to_owned(), ALLOWANCES.as_bytes().to_vec());
    let assignments = files.iter_mut().find(|(path, _)| path.contains("assignments")).unwrap().1;
    let columns = assignments.split(|byte| *byte == b'\n').next().unwrap().to_vec();
    assert_eq!(String::from_utf8(columns).unwrap().trim(), "side,payer,site,tariff,from,until");
    let table = String::from_utf8(assignments.clone()).unwrap();
    let mut rows = table.lines().map(|line| format!("{line},,\n")).collect::<String>();
    rows = rows.replacen("until,,", "until,quantity,group", 1);
    for name in ["minutes", "extension", "exceeded", "tiers"] {
        rows.push_str(&format!("allowance,*,*,{name},,,,\n"));
    }
    rows.push_str("allowance,*,*,pool,,,,all\n");
    *assignments = rows.into_bytes();
    let [first, second, ..] = &cdr_paths(&files)[..] else { panic!("no files of records") };
    let copy = files[first].clone();
    let last = lines(&files[second]).pop().unwrap();
    files.insert(format!("{first}-again"), copy);
    files.get_mut(second).unwrap().extend(last);
    files
}

fn cdr_paths(files: &Tree) -> Vec<String> {
    files.keys().filter(|path| path.starts_with("cdr/")).cloned().collect()
}

fn lines(content: &[u8]) -> Vec<Vec<u8>> {
    content.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}

/// Writes a project into a folder of its own and runs its month.
struct Ran {
    folder: TempDir,
    summary: Summary,
}

impl Ran {
    fn new(files: &Tree, threads: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write_files(&folder.path().join("project"), files);
        Self::again(folder, threads)
    }

    fn again(folder: TempDir, threads: usize) -> Self {
        let summary = run_month(&folder.path().join("project"), &folder.path().join("out"), threads);
        Self { folder, summary }
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    /// Everything that a reader of the version in force sees.
    fn published(&self) -> Tree {
        files_below(&self.summary.folder.canonicalize().unwrap())
    }

    /// The reports that name no input file: a payer's own, and all sums.
    fn reports(&self) -> Tree {
        let mut published = self.published();
        published.retain(|path, _| {
            path.contains("/payer=")
                || path.contains("_call-charges")
                || path.contains("_destinations")
                || path.ends_with("_record-index.bin")
        });
        assert!(published.len() > 50, "{}", published.len());
        published
    }
}

/// Names the files that differ, rather than printing megabytes.
fn check_same(one: &Tree, other: &Tree, what: &str) {
    let names: Vec<&String> = one.keys().chain(other.keys()).collect();
    let different: Vec<_> = names.into_iter().filter(|name| one.get(*name) != other.get(*name)).collect();
    assert!(different.is_empty(), "{what}: {different:?}");
}

/// What was counted and charged, but for the names of files.
fn figures(summary: &Summary) -> String {
    format!(
        "{:?} {:?} {:?} {:?} {}",
        summary.records, summary.calls, summary.retail, summary.wholesale, summary.near_duplicates
    )
}

#[test]
fn threads_change_no_byte() {
    let files = project();
    let one = Ran::new(&files, 1);
    assert_eq!(one.summary.published, Published::Now);
    let accounts = &one.published()["all-sites/202606_all-sites_allowances.machine.csv"];
    let accounts = String::from_utf8(accounts.clone()).unwrap();
    for shown in [",pool,", ",minutes,", ",extension,", ",tiers,", "charged in full"] {
        assert!(accounts.contains(shown), "{shown}: {accounts}");
    }
    assert!(one.summary.records.duplicate > 500, "{:?}", one.summary.records);
    let expected = one.published();
    assert!(expected.contains_key("manifest.json"));
    for threads in [2, 3, 8] {
        let other = Ran::new(&files, threads);
        assert_eq!(other.summary.run, one.summary.run);
        check_same(&expected, &other.published(), &format!("{threads} threads"));
    }
}

#[test]
fn the_order_in_which_files_were_made_changes_no_byte() {
    let files = project();
    let folder = tempfile::tempdir().unwrap();
    let mut made: Vec<_> = files.iter().collect();
    // Last first, then every other one, so that neither names nor inode numbers nor times are in order.
    made.reverse();
    let (even, odd): (Vec<_>, Vec<_>) = made.into_iter().enumerate().partition(|(index, _)| index % 2 == 0);
    write_files(&folder.path().join("project"), odd.into_iter().chain(even).map(|(_, file)| file));
    check_same(&Ran::new(&files, 2).published(), &Ran::again(folder, 2).published(), "made in another order");
}

#[test]
fn names_and_packing_of_files_change_no_report() {
    let files = project();
    let plain = Ran::new(&files, 2);
    type Change = fn(&str, &[u8]) -> (String, Vec<u8>);
    let changes: [(&str, Change); 3] = [
        ("gzip", |path, content| {
            let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            packed.write_all(content).unwrap();
            (format!("{path}.gz"), packed.finish().unwrap())
        }),
        ("zstd", |path, content| (format!("{path}.zst"), zstd::encode_all(content, 1).unwrap())),
        ("renamed", |path, content| {
            let (folder, name) = path.rsplit_once('/').unwrap();
            (format!("{folder}/Master-{name}"), content.to_vec())
        }),
    ];
    for (what, change) in changes {
        let changed: Tree = files
            .iter()
            .map(|(path, content)| match path.starts_with("cdr/") {
                true => change(path, content),
                false => (path.clone(), content.clone()),
            })
            .collect();
        let other = Ran::new(&changed, 3);
        assert_ne!(other.summary.run, plain.summary.run, "the manifest names the files");
        assert_eq!(figures(&other.summary), figures(&plain.summary), "{what}");
        check_same(&plain.reports(), &other.reports(), what);
    }
}

#[test]
fn zone_and_locale_of_the_machine_change_no_byte() {
    // Started by itself below, in a process with another zone and locale: then it only runs the project.
    if let Some(folder) = std::env::var_os("RATING_TEST_FOLDER").map(PathBuf::from) {
        run_month(&folder.join("project"), &folder.join("out"), 2);
        return;
    }
    let files = project();
    let here = Ran::new(&files, 2);
    for (zone, locale) in [("Pacific/Apia", "tr_TR.UTF-8"), ("America/St_Johns", "de_DE.ISO-8859-1")] {
        let folder = tempfile::tempdir().unwrap();
        write_files(&folder.path().join("project"), &files);
        let done = Command::new(std::env::current_exe().unwrap())
            .args(["determinism::zone_and_locale_of_the_machine_change_no_byte", "--exact"])
            .env("RATING_TEST_FOLDER", folder.path())
            .envs([("TZ", zone), ("LANG", locale), ("LC_ALL", locale), ("LANGUAGE", locale)])
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
        let there = files_below(&folder.path().join("out/current/month=2026-06").canonicalize().unwrap());
        check_same(&here.published(), &there, zone);
    }
}

/// Every file and link below a folder with what a write would change.
fn stamps(folder: &Path) -> BTreeMap<PathBuf, (SystemTime, u64)> {
    let mut found = BTreeMap::new();
    let mut left = vec![folder.to_owned()];
    while let Some(folder) = left.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let metadata = std::fs::symlink_metadata(entry.path()).unwrap();
            if metadata.is_dir() {
                left.push(entry.path());
            }
            // Who runs writes its name into the lock.
            if entry.file_name() != ".lock" {
                found.insert(entry.path(), (metadata.modified().unwrap(), metadata.len()));
            }
        }
    }
    found
}

#[test]
fn the_same_run_twice_touches_nothing_and_another_stands_beside_it() {
    let first = Ran::new(&project(), 2);
    let before = stamps(&first.out());
    let version = first.out().join("versions").join(&first.summary.run);
    let old = files_below(&version);

    let (summary, folder) = (first.summary.clone(), first.folder);
    let again = Ran::again(folder, 3);
    assert_eq!(again.summary.published, Published::Already);
    assert_eq!(again.summary.run, summary.run);
    assert_eq!(figures(&again.summary), figures(&summary));
    assert_eq!(stamps(&again.out()), before);

    // One call less in one file: another version, and the old one as it was.
    let project = again.folder.path().join("project");
    let path = project.join(&cdr_paths(&files_below(&project))[2]);
    let mut records = lines(&std::fs::read(&path).unwrap());
    records.remove(records.len() / 2);
    std::fs::write(&path, records.concat()).unwrap();
    let changed = Ran::again(again.folder, 2);
    assert_eq!(changed.summary.published, Published::Now);
    assert_ne!(changed.summary.run, summary.run);
    assert_eq!(changed.summary.records.records, summary.records.records - 1);
    let versions = std::fs::read_dir(changed.out().join("versions")).unwrap().count();
    assert_eq!(versions, 2);
    check_same(&old, &files_below(&version), "the version that was in force");
    let unchanged = |path: &&PathBuf| path.starts_with(&version);
    let after = stamps(&changed.out());
    assert!(before.keys().filter(unchanged).all(|path| before[path] == after[path]));
    let link = std::fs::read_link(changed.out().join("current/month=2026-06")).unwrap();
    assert!(link.to_str().unwrap().contains(&changed.summary.run));
}

#[test]
fn cutting_a_file_in_two_changes_no_report() {
    let files = project();
    let whole = Ran::new(&files, 2);
    for path in &cdr_paths(&files)[1..3] {
        let records = lines(&files[path]);
        let count = records.len();
        // The last cut is between a record and its exact copy, where there is one.
        let twin = (1..count).find(|at| records[..*at].contains(&records[*at])).unwrap_or(count / 2);
        for cut in [1, count / 3, count / 2, count - 1, twin] {
            let mut parts = files.clone();
            parts.remove(path);
            let stem = path.strip_suffix(".csv").unwrap_or(path);
            parts.insert(format!("{stem}.1.csv"), records[..cut].concat());
            parts.insert(format!("{stem}.2.csv"), records[cut..].concat());
            let cut_in_two = Ran::new(&parts, 2);
            assert_eq!(figures(&cut_in_two.summary), figures(&whole.summary), "{path} after record {cut}");
            check_same(&whole.reports(), &cut_in_two.reports(), &format!("{path} after record {cut}"));
        }
    }
}

/// How many lines of a file stand before its first record.
fn header_lines(file: &[u8]) -> usize {
    let (format, _) = cdr::recognise(file, true)[0].clone();
    // What cannot be opened without settings has no header to say it.
    let Ok(reader) = cdr::open(format, &cdr::Options::default(), file, true) else { return 0 };
    file[..reader.body_start()].iter().filter(|byte| **byte == b'\n').count()
}

/// The stories have what generated records lack: halves of `Local` channels, clock changes, near duplicates, CUCM.
#[test]
fn cutting_a_story_between_any_two_records_changes_no_report() {
    let reports = |ran: &Ran| {
        let mut published = ran.published();
        published.retain(|path, _| path.contains("/payer=") || path.contains("_call-charges"));
        assert!(!published.is_empty());
        published
    };
    let mut cuts = 0;
    for story in std::fs::read_dir(testdata().join("scenarios")).unwrap() {
        let story = story.unwrap().path();
        if !story.is_dir() {
            continue;
        }
        let mut files = files_below(&story);
        files.retain(|path, _| !path.starts_with("expected/"));
        let whole = Ran::new(&files, 1);
        for path in cdr_paths(&files) {
            let mut records = lines(&files[&path]);
            let header: Vec<_> = records.drain(..header_lines(&files[&path])).collect();
            for cut in 1..records.len() {
                let mut parts = files.clone();
                parts.remove(&path);
                parts.insert(format!("{path}.1"), [&header[..], &records[..cut]].concat().concat());
                parts.insert(format!("{path}.2"), [&header[..], &records[cut..]].concat().concat());
                let cut_in_two = Ran::new(&parts, 2);
                let what = format!("{path} of {} after record {cut}", story.display());
                assert_eq!(figures(&cut_in_two.summary), figures(&whole.summary), "{what}");
                check_same(&reports(&whole), &reports(&cut_in_two), &what);
                cuts += 1;
            }
        }
    }
    assert!(cuts > 40, "{cuts}");
}
