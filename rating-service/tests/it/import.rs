//! `rating import` and `rating deck-diff`: every folder under `testdata/import` and every `testdata/findings/import.*` is
//! a command with its files, what it says, and what it writes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::house::{House, Ran, repository};

/// The words of a command line; those in single quotes stay together.
fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in command.trim().split('\'').enumerate() {
        if index % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

fn copy_into(house: &House, from: &Path, to: &str) {
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if matches!(name.as_str(), "out" | "after" | "expected.txt" | "command.txt") {
            continue;
        }
        let target = if to.is_empty() { name } else { format!("{to}/{name}") };
        if path.is_dir() {
            copy_into(house, &path, &target);
        } else {
            house.write(&target, fs::read(&path).unwrap());
        }
    }
}

fn read_tree(folder: &Path, below: &str, tree: &mut BTreeMap<String, String>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        let name = format!("{below}{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            read_tree(&path, &format!("{name}/"), tree);
        } else {
            tree.insert(name, fs::read_to_string(&path).unwrap());
        }
    }
}

fn said(ran: &Ran) -> String {
    format!("{}{}exit code {}\n", ran.err, ran.out, ran.code.unwrap())
}

/// Runs the command of a folder and compares; with `RATING_BLESS` set, writes what came out.
fn check(folder: &Path, wrong: &mut Vec<String>) -> Ran {
    let house = House::demo();
    copy_into(&house, folder, "");
    let mut before = BTreeMap::new();
    read_tree(&house.path("tariffs"), "", &mut before);
    let command = fs::read_to_string(folder.join("command.txt")).unwrap();
    let arguments = words(&command);
    let ran = house.rating(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let code = ran.code.unwrap();
    let ran = ran.ends(code);
    let bless = std::env::var_os("RATING_BLESS").is_some();
    let mut compare = |name: &str, text: &str| {
        let path = folder.join(name);
        if bless {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
        }
        if fs::read_to_string(&path).unwrap_or_default() != text {
            wrong.push(format!("{} differs; RATING_BLESS=1 writes it anew. Now:\n{text}", path.display()));
        }
    };
    compare("expected.txt", &said(&ran));
    let (mut written, mut after) = (BTreeMap::new(), BTreeMap::new());
    read_tree(&house.path("out"), "out/", &mut written);
    read_tree(&house.path("tariffs"), "", &mut after);
    written.extend(
        after
            .into_iter()
            .filter(|(name, text)| before.get(name) != Some(text))
            .map(|(name, text)| (format!("after/{name}"), text)),
    );
    for (name, text) in &written {
        compare(name, text);
    }
    let mut kept = BTreeMap::new();
    read_tree(&folder.join("out"), "out/", &mut kept);
    read_tree(&folder.join("after"), "after/", &mut kept);
    for name in kept.keys().filter(|name| !written.contains_key(*name)) {
        wrong.push(format!("{}/{name} is no longer written", folder.display()));
    }
    // What is written is a tariff without mistakes.
    for (name, _) in written.iter().filter(|(name, _)| name.ends_with(".toml")) {
        let priced = house.rating(&["price", "--tariff", &name.replacen("after/", "tariffs/", 1)]);
        if priced.code != Some(0) {
            wrong.push(format!("{}/{name}: {}", folder.display(), priced.err));
        }
    }
    ran
}

fn folders(below: &str) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = fs::read_dir(repository(below))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("command.txt").exists())
        .collect();
    folders.sort();
    folders
}

#[test]
fn every_kind_of_deck_comes_out_as_its_folder_shows() {
    let mut wrong = Vec::new();
    let folders = folders("testdata/import");
    assert!(folders.len() > 20);
    for folder in &folders {
        check(folder, &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Every kind that the command offers has a folder.
    let offered = House::demo().rating(&["import", "nothing"]).ends(2).err;
    let kinds = offered.split("[possible values: ").nth(1).unwrap().split(']').next().unwrap();
    for kind in kinds.split(", ") {
        let shown = folders.iter().any(|folder| folder.file_name().unwrap().to_str().unwrap().starts_with(kind));
        assert!(shown || kind == "cgrates", "no folder shows `{kind}`");
    }
}

#[test]
fn every_finding_of_an_import_shows_itself() {
    let mut wrong = Vec::new();
    for folder in folders("testdata/findings") {
        let code = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let ran = check(&folder, &mut wrong);
        if !said(&ran).contains(&format!("[{code}]")) {
            wrong.push(format!("{code} does not show itself:\n{}", said(&ran)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_page_on_imports_shows_what_its_examples_do() {
    let page = fs::read_to_string(repository("docs/import.md")).unwrap();
    let mut shown = 0;
    for block in page.split("\n```").skip(1).step_by(2) {
        let (info, text) = block.split_once('\n').unwrap();
        let Some((_, path)) = info.split_once(' ') else { continue };
        let file = fs::read_to_string(repository(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        let file = file.trim_start_matches('\u{feff}').replace("\r\n", "\n");
        assert!(
            file.trim_end() == text.trim_start_matches('\u{feff}').trim_end(),
            "docs/import.md shows another {path}"
        );
        shown += 1;
    }
    assert!(shown >= 25, "{shown} examples");
    let offered = House::demo().rating(&["import", "nothing"]).ends(2).err;
    let kinds = offered.split("[possible values: ").nth(1).unwrap().split(']').next().unwrap();
    for kind in kinds.split(", ") {
        assert!(page.contains(&format!("## `{kind}`")), "docs/import.md has no section on `{kind}`");
    }
}
