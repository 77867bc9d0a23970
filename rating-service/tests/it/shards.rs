//! `rating plan`, `rating rate-shard`, `rating merge`: what they answer, how they end, and what a kill leaves behind.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::house::House;

/// The published month, whichever output folder it is in.
fn published(house: &House, out: &str) -> BTreeMap<PathBuf, Vec<u8>> {
    let root = house.path(out);
    let trees = ["versions", "current"].map(|shelf| house.tree(&format!("{out}/{shelf}")));
    let tree: BTreeMap<PathBuf, Vec<u8>> = trees
        .into_iter()
        .flatten()
        .map(|(path, content)| (path.strip_prefix(&root).unwrap().to_owned(), content))
        .collect();
    assert!(tree.len() > 10, "nothing is published in {out}");
    tree
}

#[test]
fn a_month_by_shards_is_the_month() {
    let house = House::demo();
    house.rating(&["run", "demo", "--out", "one"]).ends(0);
    let plan =
        house.rating(&["plan", "demo", "--shards", "3", "--out", "plans/plan.json", "--publish", "merged"]).ends(0);
    assert!(plan.out.starts_with("2026-10  3 shards planned of 2026-10-"), "{}", plan.out);
    assert_eq!(plan.err, "");
    let mut answers = String::new();
    for shard in ["2", "3", "1", "2"] {
        let rated = house.rating(&["rate-shard", "plans/plan.json", shard, "parts/"]).ends(0);
        let answer = rated.json();
        assert_eq!((answer["shard"].to_string().as_str(), &answer["of"]), (shard, &3.into()));
        assert_eq!(rated.out.lines().count(), 1, "one line of JSON");
        answers.push_str(&rated.out);
    }
    house.write("answers.jsonl", &answers);
    let merged =
        house.rating(&["merge", "plans/plan.json", "parts", "--acknowledged", "answers.jsonl", "--json"]).ends(0);
    assert_eq!(merged.json()["published"], "now");
    assert_eq!(merged.json()["calls"]["calls"], 36);
    assert!(published(&house, "merged") == published(&house, "one"), "a merge publishes something else");
    let again = house.rating(&["merge", "plans/plan.json", "parts"]).ends(0);
    assert!(again.out.starts_with("2026-10  nothing to do"), "{}", again.out);
}

#[test]
fn a_plan_may_move_with_its_project_or_be_told_where_it_is() {
    let house = House::demo();
    house.rating(&["plan", "demo", "--shards", "1", "--out", "demo/plan.json"]).ends(0);
    std::fs::rename(house.path("demo"), house.path("moved")).unwrap();
    house.rating(&["rate-shard", "moved/plan.json", "1", "one.part"]).ends(0);
    std::fs::rename(house.path("moved/plan.json"), house.path("plan.json")).unwrap();
    // From here the way leads nowhere.
    std::fs::create_dir(house.path("plans")).unwrap();
    std::fs::rename(house.path("plan.json"), house.path("plans/plan.json")).unwrap();
    let lost = house.rating(&["rate-shard", "plans/plan.json", "1", "two.part"]).ends(2);
    assert!(lost.err.contains("there is no project"), "{}", lost.err);
    let places = ["--project", "moved", "--publish", "moved/out"];
    house.rating(&[&["rate-shard", "plans/plan.json", "1", "two.part"], &places[..]].concat()).ends(0);
    assert_eq!(std::fs::read(house.path("one.part")).unwrap(), std::fs::read(house.path("two.part")).unwrap());
    house.rating(&[&["merge", "plans/plan.json", "two.part"], &places[..]].concat()).ends(0);
    assert!(house.path("moved/out/current/month=2026-10/manifest.json").is_file());
}

#[test]
fn each_refusal_has_its_exit_code_and_publishes_nothing() {
    let house = House::demo();
    for arguments in [
        &["plan", "demo"][..],
        &["plan", "demo", "--shards", "0", "--out", "plan.json"],
        &["plan", "demo", "--shards", "2", "--shard-bytes", "5MB", "--out", "plan.json"],
        &["plan", "demo", "--shard-bytes", "many", "--out", "plan.json"],
        &["merge", "plan.json"],
    ] {
        house.rating(arguments).ends(2);
    }
    house.rating(&["rate-shard", "plan.json", "1", "parts/"]).ends(8);
    house.rating(&["plan", "demo", "--shards", "2", "--out", "plan.json", "--json"]).ends(0);
    let none = house.rating(&["rate-shard", "plan.json", "3", "parts/"]).ends(2);
    assert!(none.err.contains("there is no shard 3; the plan has 2, from 1"), "{}", none.err);
    let first = house.rating(&["rate-shard", "plan.json", "1", "parts/"]).ends(0);
    let ran = house.rating(&["merge", "plan.json", "parts/"]).ends(6);
    assert!(ran.err.contains("error[shard.missing]: shard 2 of 2 is missing"), "{}", ran.err);
    house.rating(&["rate-shard", "plan.json", "2", "parts/"]).ends(0);
    house.write("answers.jsonl", first.out.replace("\"calls\":", "\"calls\":1"));
    let ran = house.rating(&["merge", "plan.json", "parts/", "--acknowledged", "answers.jsonl", "--json"]).ends(5);
    let findings = ran.json()["findings"].clone();
    assert_eq!(findings[0]["code"], "shard.acknowledgement_differs");
    assert_eq!(findings[1]["code"], "shard.not_acknowledged");
    house.edit("demo/tariffs/retail-gb.csv", "\n", "\n\n");
    let ran = house.rating(&["merge", "plan.json", "parts/"]).ends(3);
    assert!(ran.err.contains("error[shard.project_changed]"), "{}", ran.err);
    assert!(!house.path("demo/out/current").exists() && !house.path("demo/out/versions").exists());
}

#[test]
fn a_merge_waits_for_nobody_who_holds_the_lock() {
    let house = House::demo();
    house.rating(&["plan", "demo", "--shards", "1", "--out", "plan.json"]).ends(0);
    house.rating(&["rate-shard", "plan.json", "1", "parts/"]).ends(0);
    std::fs::create_dir_all(house.path("demo/out")).unwrap();
    let lock = std::fs::File::create(house.path("demo/out/.lock")).unwrap();
    lock.lock().unwrap();
    house.rating(&["merge", "plan.json", "parts/"]).ends(7);
    // Shards need no lock.
    house.rating(&["rate-shard", "plan.json", "1", "parts/"]).ends(0);
    drop(lock);
    house.rating(&["merge", "plan.json", "parts/"]).ends(0);
}

#[test]
fn whenever_a_shard_is_killed_its_partial_file_is_whole_or_not_there() {
    let house = House::demo();
    let size = ["--records", "12000", "--prefixes", "300", "--files", "4", "--seed", "3"];
    house.rating(&[&["generate", "big"], &size[..]].concat()).ends(0);
    house.rating(&["plan", "big", "--shards", "2", "--out", "plan.json"]).ends(0);
    let rate = ["rate-shard", "plan.json", "1", "parts/", "--threads", "2"];
    let started = Instant::now();
    let whole = house.rating(&rate).ends(0);
    let took = started.elapsed();
    let path = house.path("parts/shard-00001.part");
    let bytes = std::fs::read(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let mut killed = 0;
    // From the beginning to a little after the end; the file of an earlier attempt that was not killed in time stays.
    for moment in 0..16_u32 {
        let mut child = house
            .command(&rate)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(took * moment / 13 + Duration::from_millis(u64::from(moment)));
        child.kill().unwrap();
        killed += u32::from(!child.wait().unwrap().success());
        if path.exists() {
            assert!(std::fs::read(&path).unwrap() == bytes, "a partial file that is not whole has its name");
            if moment % 2 == 0 {
                std::fs::remove_file(&path).unwrap();
            }
        }
    }
    assert!(killed >= 6, "only {killed} attempts were killed");
    // What was killed is in nobody's way.
    assert_eq!(house.rating(&rate).ends(0).out, whole.out);
    assert!(std::fs::read(&path).unwrap() == bytes);
    house.rating(&["rate-shard", "plan.json", "2", "parts/"]).ends(0);
    let merged = house.rating(&["merge", "plan.json", "parts/"]);
    assert!(matches!(merged.code, Some(0 | 4)), "{}", merged.err);
    let left: Vec<_> =
        std::fs::read_dir(house.path("parts")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "a merge sweeps what killed attempts left: {left:?}");
    let run = house.rating(&["run", "big", "--out", "one"]);
    assert_eq!(run.code, merged.code);
    assert!(published(&house, "big/out") == published(&house, "one"), "a merge publishes something else");
}
