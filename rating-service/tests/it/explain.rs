//! `rating explain`, and the page about it.

use std::process::Command;

use crate::house::{House, Ran, repository};

/// What the command says in the repository, where the page's examples are.
fn explain(arguments: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rating"));
    command.arg("explain").args(arguments).current_dir(repository("")).env("RUST_BACKTRACE", "0");
    Ran::of(&command.output().unwrap())
}

/// `EXPLAIN_BLESS=1 cargo test -p rating-service --test it explain` writes what is printed into the page.
#[test]
fn the_examples_of_the_page_are_what_the_command_prints() {
    let path = repository("docs/explain.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let mut now = String::new();
    let mut rest = page.as_str();
    let mut blocks = 0;
    while let Some((before, block)) = rest.split_once("```text\n$ rating explain ") {
        let (shown, after) = block.split_once("```\n").unwrap();
        let arguments = shown.lines().next().unwrap();
        let words: Vec<&str> = arguments.split(' ').collect();
        let printed = explain(&words).ends(0).out;
        now.push_str(&format!("{before}```text\n$ rating explain {arguments}\n{printed}```\n"));
        (rest, blocks) = (after, blocks + 1);
    }
    now.push_str(rest);
    assert_eq!(blocks, 8);
    let json = explain(&["testdata/explain/project", "moved-in", "--side", "retail", "--format", "json"]).ends(0).out;
    let (before, block) = now.split_once("```json\n").unwrap();
    let (_, after) = block.split_once("```\n").unwrap();
    let now = format!("{before}```json\n{json}```\n{after}");
    if std::env::var_os("EXPLAIN_BLESS").is_some() {
        std::fs::write(&path, &now).unwrap();
    }
    assert!(now == page, "docs/explain.md differs; EXPLAIN_BLESS=1 writes it anew. Now:\n{now}");
}

#[test]
fn every_call_of_the_demo_is_explained_one_line_each() {
    let house = House::demo();
    let ran = house.rating(&["explain", "demo", "--all", "--format", "json"]).ends(0);
    let lines: Vec<serde_json::Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 38);
    assert!(lines.iter().all(|line| line["audience"] == "operator" && line["sides"].as_array().unwrap().len() == 2));
    let text = house.rating(&["explain", "demo", "--all"]).ends(0).out;
    assert_eq!(text.matches("\nRetail: ").count(), 38);
}

#[test]
fn what_cannot_be_explained_ends_with_2() {
    let house = House::demo();
    for (arguments, message) in [
        (&["explain", "demo", "nowhere"][..], "error: there is no call `nowhere`"),
        (&["explain", "nowhere", "1"], "error: there is no project at `nowhere`"),
        (&["explain", "demo"], "error: the following required arguments were not provided"),
        (&["explain", "demo", "1", "--all"], "error: the argument"),
    ] {
        let ran = house.rating(arguments).ends(2);
        assert!(ran.err.starts_with(message) && ran.out.is_empty(), "{arguments:?}: {}{}", ran.err, ran.out);
    }
    house.edit("demo/tariffs/retail-gb.csv", "9,7.5,6", "9,7.5,x");
    house.rating(&["explain", "demo", "1790842502.66"]).ends(3);
}
