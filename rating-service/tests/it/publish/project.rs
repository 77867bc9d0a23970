//! A snapshot becomes a project, whole or not at all.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use rating_core::run::storage::{Disk, Failing};
use rating_core::run::{Options, Silent, month};
use rating_core::time::Month;
use rating_service::publish::project::{prune, write};
use rating_service::store::snapshot::{AcceptedGap, AccountCode, File, Occupier, Snapshot, Usage};

use super::demo;
use crate::house::{House, repository};

fn october() -> Month {
    Month::parse("2026-10").unwrap()
}

/// Runs a project into a folder of its own, and gives every file that depends on no name of a table's file.
fn published(project: &Path) -> BTreeMap<String, Vec<u8>> {
    let out = tempfile::tempdir().unwrap();
    let options =
        Options { month: Some(october()), out: Some(out.path().to_owned()), ..Options::new(project, october()) };
    let summary = month(&Disk, &options, &Silent).unwrap();
    let mut files = demo::files_below(&fs::canonicalize(summary.folder).unwrap());
    assert!(files.remove("manifest.json").is_some());
    files
}

#[test]
fn the_demo_from_a_snapshot_gives_the_bytes_of_the_demo() {
    // The same project written by hand, its switch files in folders that are named like the sources.
    let house = House::demo();
    for (source, folder) in demo::CDRS {
        fs::rename(house.path(&format!("demo/cdr/{folder}")), house.path(&format!("demo/cdr/{source}"))).unwrap();
    }
    house.edit("demo/rating.toml", "cdr/ldn/*.csv", "cdr/ldn-pbx/*.csv");
    house.edit("demo/rating.toml", "\"cdr/nyc/cdr_*\", \"cdr/nyc/cmr_*\"", "\"cdr/nyc-cucm/*\"");
    let by_hand = published(&house.path("demo"));
    let data = demo::data();
    let written = write(&Disk, data.path(), &demo::snapshot(), None).unwrap();
    let ours = published(&written.folder);
    assert_eq!(ours.keys().collect::<Vec<_>>(), by_hand.keys().collect::<Vec<_>>());
    let differing: Vec<&String> =
        ours.iter().filter(|(path, bytes)| by_hand.get(*path) != Some(bytes)).map(|(path, _)| path).collect();
    assert_eq!(differing, Vec::<&String>::new());
    assert!(ours.len() > 40, "{}", ours.len());
}

#[test]
fn the_folder_and_the_command_give_the_same_run_wherever_the_project_is() {
    let (one, other) = (demo::data(), demo::data());
    let mut runs = BTreeSet::new();
    for data in [one.path(), other.path()] {
        let written = write(&Disk, data, &demo::snapshot(), None).unwrap();
        let options = Options { month: Some(october()), ..Options::new(written.folder, october()) };
        runs.insert(month(&Disk, &options, &Silent).unwrap().run);
        // Its `out` leads to the folder of all that is published.
        assert!(data.join("out/current/month=2026-10/manifest.json").exists());
    }
    assert_eq!(runs.len(), 1);
    let house = House::demo();
    let project = one.path().join("project");
    let ran = house.rating(&["run", project.to_str().unwrap(), "--month", "2026-10", "--json"]).ends(0);
    assert!(ran.out.contains(runs.first().unwrap()), "{}", ran.out);
}

#[test]
fn the_same_rows_in_any_order_give_the_same_folder_and_other_rows_another() {
    let data = demo::data();
    let snapshot = demo::snapshot();
    let first = write(&Disk, data.path(), &snapshot, None).unwrap();
    let mut turned = snapshot.clone();
    turned.allocations.reverse();
    turned.files.reverse();
    turned.sites.reverse();
    turned.sources.reverse();
    turned.assignments.reverse();
    assert_eq!(write(&Disk, data.path(), &turned, None).unwrap(), first);
    let mut more = snapshot;
    more.occupiers.push(Occupier { id: "delta".into(), name: "Delta".into(), billing_reference: String::new() });
    let second = write(&Disk, data.path(), &more, None).unwrap();
    assert_ne!(second, first);
    assert_eq!(fs::canonicalize(data.path().join("project")).unwrap(), fs::canonicalize(&second.folder).unwrap());
    // The first is as it was, until nobody needs it.
    assert!(first.folder.join("rating.toml").exists());
    assert_eq!(prune(&Disk, data.path(), &BTreeSet::from([first.hash.clone()])).unwrap(), 0);
    assert_eq!(prune(&Disk, data.path(), &BTreeSet::new()).unwrap(), 1);
    assert!(!first.folder.exists() && second.folder.exists());
}

#[test]
fn a_project_that_somebody_changed_is_written_again() {
    let data = demo::data();
    let written = write(&Disk, data.path(), &demo::snapshot(), None).unwrap();
    let whole = demo::files_below(&written.folder);
    let spoil: [&dyn Fn(&Path); 5] = [
        &|folder| fs::write(folder.join("directory/occupiers.csv"), "id,name\n").unwrap(),
        &|folder| fs::write(folder.join("tariffs/stray.toml"), "id = \"stray\"\n").unwrap(),
        &|folder| fs::remove_file(folder.join("tariffs/retail-gb.csv")).unwrap(),
        &|folder| fs::remove_file(folder.join("cdr")).unwrap(),
        &|folder| {
            fs::remove_file(folder.join("out")).unwrap();
            std::os::unix::fs::symlink("/tmp", folder.join("out")).unwrap();
        },
    ];
    for (at, spoil) in spoil.iter().enumerate() {
        spoil(&written.folder);
        assert_eq!(write(&Disk, data.path(), &demo::snapshot(), None).unwrap(), written);
        assert_eq!(demo::files_below(&written.folder), whole, "{at}");
        assert_eq!(fs::read_link(written.folder.join("out")).unwrap(), Path::new("../../out"));
    }
}

#[test]
fn whichever_call_fails_there_is_a_whole_project_or_none() {
    let snapshot = demo::snapshot();
    let mut calls = 0;
    for call in 1.. {
        let data = demo::data();
        let failing = Failing::new(Disk, call, false, ErrorKind::StorageFull);
        let result = write(&failing, data.path(), &snapshot, None);
        let projects: Vec<_> = fs::read_dir(data.path().join("projects"))
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| !name.starts_with('.'))
            .collect();
        for project in &projects {
            let folder = data.path().join("projects").join(project);
            assert!(
                folder.join("rating.toml").exists() && folder.join("tariffs/wholesale-us.csv").exists(),
                "call {call}"
            );
        }
        match result {
            Ok(_) if failing.calls() < call => break,
            Ok(_) => {}
            Err(refusal) => assert_eq!(refusal.code, "publish.disk_full", "call {call}: {refusal}"),
        }
        // Whatever happened, the next time all is well.
        let written = write(&Disk, data.path(), &snapshot, None).unwrap();
        assert!(demo::files_below(&written.folder).len() > 15);
        calls = call;
    }
    assert!(calls > 40, "only {calls} calls were tried");
}

#[test]
fn hostile_texts_come_back_as_they_were() {
    let data = demo::data();
    let mut snapshot = demo::snapshot();
    let name = "=HYPERLINK(\"http://x\"),\r\n#not a comment;'\u{202e}";
    snapshot.occupiers.push(Occupier { id: "a.b".into(), name: name.into(), billing_reference: "#1,\"2\"".into() });
    snapshot.account_codes.push(AccountCode { code: "#77".into(), holder: "a.b".into(), ..AccountCode::default() });
    snapshot.accepted_gaps.push(AcceptedGap {
        gap: "#x".into(),
        accepted_by: "M \"J\"".into(),
        reason: "a,b\nc".into(),
    });
    let folder = write(&Disk, data.path(), &snapshot, None).unwrap().folder;
    let read = |path: &str| -> Vec<Vec<String>> {
        let mut reader =
            csv::ReaderBuilder::new().comment(Some(b'#')).has_headers(false).from_path(folder.join(path)).unwrap();
        reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
    };
    assert!(read("directory/occupiers.csv").contains(&vec!["a.b".into(), name.into(), "#1,\"2\"".into()]));
    let code = ["a.b", "#77", "", "", ""].map(str::to_owned).to_vec();
    assert!(read("directory/account_codes.csv").contains(&code));
    assert!(read("tables/accepted_gaps.csv").contains(&["#x", "M \"J\"", "a,b\nc"].map(str::to_owned).to_vec()));
    let findings = rating_core::run::check(&Disk, &folder).unwrap();
    assert!(!findings.has_errors(), "{findings:?}");
}

#[test]
fn a_path_that_leads_anywhere_else_is_refused() {
    let data = demo::data();
    let deck = repository("testdata/demo/tariffs/retail-gb.csv");
    for path in [
        "../x.toml",
        "tariffs/../../x.toml",
        "/etc/passwd",
        "tariffs//x",
        "tariffs",
        "tariffs/.hidden",
        "directory/occupiers.csv",
        "rating.toml",
        "cdr/ldn-pbx/x.csv",
        "tariffs/con.toml",
        "tariffs/a\\b",
        "Tariffs/x.toml",
    ] {
        let snapshot = Snapshot { files: vec![demo::stored(path, &deck)], ..demo::snapshot() };
        assert_eq!(write(&Disk, data.path(), &snapshot, None).unwrap_err().code, "publish.file_path", "{path}");
    }
    let twice = vec![demo::stored("tariffs/x.csv", &deck), demo::stored("tariffs/X.csv", &deck)];
    let snapshot = Snapshot { files: twice, ..demo::snapshot() };
    assert_eq!(write(&Disk, data.path(), &snapshot, None).unwrap_err().code, "publish.file_path");
    for path in ["cdr/../x/y", "out/x/y", "cdr/x", "cdr/x/.y", "/cdr/x/y"] {
        let inputs = BTreeSet::from([path.to_owned()]);
        let refusal = write(&Disk, data.path(), &demo::snapshot(), Some(&inputs)).unwrap_err();
        assert_eq!(refusal.code, "publish.file_path", "{path}");
    }
}

#[test]
fn a_stored_file_that_was_changed_is_not_taken() {
    let data = demo::data();
    let deck = repository("testdata/demo/tariffs/retail-gb.csv");
    let file = File { sha256: "0".repeat(64), ..demo::stored("tariffs/x.csv", &deck) };
    let snapshot = Snapshot { files: vec![file], ..demo::snapshot() };
    assert_eq!(write(&Disk, data.path(), &snapshot, None).unwrap_err().code, "publish.file_changed");
    assert_eq!(prune(&Disk, data.path(), &BTreeSet::new()).unwrap(), 0);
}

#[test]
fn settings_of_a_source_say_only_what_has_no_field() {
    let data = demo::data();
    for (settings, expected) in [
        ("trunks = [\"PJSIP/carrier*\"]\n[expect]\nname = \"Master-*.csv\"", None),
        ("", None),
        ("trunks = [", Some("publish.source_settings")),
        ("files = [\"/etc/*\"]", Some("publish.source_settings")),
        ("id = \"x\"", Some("publish.source_settings")),
    ] {
        let mut snapshot = demo::snapshot();
        snapshot.sources[0].settings = settings.to_owned();
        let refused = write(&Disk, data.path(), &snapshot, None).err().map(|refusal| refusal.code);
        assert_eq!(refused, expected, "{settings}");
    }
}

#[test]
fn every_setting_that_a_snapshot_may_have_is_one_that_the_engine_knows() {
    let data = demo::data();
    let mut snapshot = demo::snapshot();
    snapshot.usage = Some(Usage {
        allowance: 30,
        price_per_month: "10.00 GBP".into(),
        rounding: Some(("half-even".into(), "0.01 GBP".into())),
        sites: BTreeMap::from([("ldn".to_owned(), 20)]),
    });
    snapshot.sites[0].holidays = vec!["GB-ENG".into(), "calendars/closed.csv".into()];
    let calendar = data.path().join("closed.csv");
    fs::write(&calendar, "date,name\n2026-12-24,Closed\n").unwrap();
    snapshot.files.push(demo::stored("calendars/closed.csv", &calendar));
    let allowances = data.path().join("a.toml");
    fs::write(&allowances, "").unwrap();
    snapshot.files.push(demo::stored("allowances/a.toml", &allowances));
    snapshot.reports.payer_parquet = false;
    let folder = write(&Disk, data.path(), &snapshot, None).unwrap().folder;
    let findings = rating_core::run::check(&Disk, &folder).unwrap();
    let unknown: Vec<_> = findings.iter().filter(|finding| finding.code.starts_with("settings.")).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    let settings = fs::read_to_string(folder.join("rating.toml")).unwrap();
    for part in ["half-even", "calendars/closed.csv", "allowances/a.toml", "payer_parquet = false", "price_per_month"] {
        assert!(settings.contains(part), "{part} is not in {settings}");
    }
}
