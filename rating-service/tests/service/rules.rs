//! That docs/rules.md is true: each rule has a test, and each test that it names is there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The rules that a test's name speaks of: `rule_7_…`, `rules_41_and_42_…`, `rules_2_to_8_…`.
fn rules_of(name: &str) -> BTreeSet<u32> {
    let Some(rest) = name.strip_prefix("rules_").or_else(|| name.strip_prefix("rule_")) else { return BTreeSet::new() };
    let (mut rules, mut last, mut is_range) = (BTreeSet::new(), 0, false);
    for word in rest.split('_') {
        match word.parse::<u32>() {
            Ok(rule) if is_range => rules.extend(last..=rule),
            Ok(rule) => {
                last = rule;
                rules.insert(rule);
            }
            Err(_) if word == "to" && !rules.is_empty() => is_range = true,
            Err(_) if word == "and" => {}
            Err(_) => break,
        }
    }
    rules
}

/// The tests of this program, `module::name`.
fn tests() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/service");
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let module = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let mut is_test = false;
        for line in text.lines() {
            if line.starts_with("#[tokio::test") || line.starts_with("#[test]") {
                is_test = true;
            } else if let Some((_, rest)) = line.split_once("fn ")
                && is_test
            {
                let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                found.insert(format!("{module}::{name}"));
                is_test = false;
            }
        }
    }
    found
}

#[test]
fn every_rule_has_a_test_that_is_there() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let text = std::fs::read_to_string(docs.join("rules.md")).unwrap();
    let (tests, mut rules) = (tests(), BTreeMap::new());
    for line in text.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let Ok(rule) = cells[0].parse::<u32>() else { continue };
        let named: Vec<&str> = cells[1].split('`').filter(|name| name.contains("::")).collect();
        assert!(!named.is_empty(), "rule {rule} has no test");
        for name in named {
            assert!(tests.contains(name), "rule {rule}: there is no test `{name}`");
            let of = rules_of(name.split_once("::").unwrap().1);
            assert!(of.contains(&rule), "rule {rule}: `{name}` is about {of:?}");
        }
        if let Some((_, rest)) = cells[2].split_once('(') {
            let decision = rest.trim_end_matches(')');
            assert!(docs.join(decision).exists(), "rule {rule}: there is no {decision}");
        }
        assert_eq!(rules.insert(rule, ()), None, "rule {rule} is there twice");
    }
    let all: Vec<u32> = rules.into_keys().collect();
    assert_eq!(all, (1..=80).collect::<Vec<_>>());
}

#[test]
fn the_reading_of_names_is_itself_right() {
    for (name, expected) in [
        ("rule_07_without_a_month", vec![7]),
        ("rules_41_and_42_activation", vec![41, 42]),
        ("rules_45_46_and_47_the_first_voice_service_of_3", vec![45, 46, 47]),
        ("rules_2_to_8_a_report", (2..=8).collect()),
        ("a_rule_9_of_thumb", vec![]),
    ] {
        assert_eq!(rules_of(name).into_iter().collect::<Vec<_>>(), expected, "{name}");
    }
    assert!(tests().len() > 100);
}
