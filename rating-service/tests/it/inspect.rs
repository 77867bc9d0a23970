//! `rating inspect`, and the page about it.

use std::process::Command;

use crate::house::{Ran, repository};

fn inspect(arguments: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rating"));
    command.arg("inspect").args(arguments).current_dir(repository("")).env("RUST_BACKTRACE", "0");
    Ran::of(&command.output().unwrap())
}

/// `INSPECT_BLESS=1 cargo test -p rating-service --test it inspect` writes what is printed into the page.
#[test]
fn what_the_page_shows_is_what_is_printed() {
    let path = repository("docs/inspect.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (mut now, mut rest, mut blocks) = (String::new(), page.as_str(), 0);
    while let Some((before, block)) = rest.split_once("```text\n$ rating inspect ") {
        let (block, after) = block.split_once("```\n").unwrap();
        let arguments = block.lines().next().unwrap();
        let words: Vec<&str> = arguments.split(' ').collect();
        let printed = inspect(&words).out;
        now.push_str(&format!("{before}```text\n$ rating inspect {arguments}\n{printed}```\n"));
        (rest, blocks) = (after, blocks + 1);
    }
    now.push_str(rest);
    if std::env::var_os("INSPECT_BLESS").is_some() {
        std::fs::write(&path, &now).unwrap();
    }
    assert!(blocks >= 2);
    assert!(
        now == page || std::env::var_os("INSPECT_BLESS").is_some(),
        "docs/inspect.md differs; INSPECT_BLESS=1 writes it anew. Now:\n{now}"
    );
}

#[test]
fn a_file_that_cannot_be_read_ends_with_4_and_a_file_that_is_not_there_with_8() {
    inspect(&["testdata/cucm/names_and_types.txt"]).ends(0);
    inspect(&["testdata/cucm/names_and_types.txt", "testdata/cucm/types_only.txt"]).ends(4);
    inspect(&["testdata/cucm/nothing.txt"]).ends(8);
    inspect(&["--format", "asteriks", "testdata/cucm/names_and_types.txt"]).ends(2);
}

#[test]
fn json_has_the_same_counts() {
    let found = inspect(&["testdata/cucm/names_and_types.txt", "--json"]).ends(0).out;
    let found: serde_json::Value = serde_json::from_str(&found).unwrap();
    assert_eq!(found["files"][0]["format"], "cisco-cucm");
    assert!(found["files"][0]["records"].as_u64().unwrap() > 0);
    assert!(found["source_blocks"][0].as_str().unwrap().contains("format = \"cisco-cucm\""));
}
