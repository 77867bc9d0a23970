//! Help, completions, and what may be relied on in them.

use crate::house::{House, golden};

#[test]
fn help_begins_with_examples() {
    let house = House::demo();
    for (arguments, name) in [
        (&["--help"][..], "help.txt"),
        (&["run", "--help"], "help_run.txt"),
        (&["plan", "--help"], "help_plan.txt"),
        (&["rate-shard", "--help"], "help_rate_shard.txt"),
        (&["merge", "--help"], "help_merge.txt"),
        (&["check", "--help"], "help_check.txt"),
        (&["explain", "--help"], "help_explain.txt"),
        (&["price", "--help"], "help_price.txt"),
        (&["import", "--help"], "help_import.txt"),
        (&["deck-diff", "--help"], "help_deck_diff.txt"),
        (&["diff", "--help"], "help_diff.txt"),
        (&["reconcile", "--help"], "help_reconcile.txt"),
        (&["generate", "--help"], "help_generate.txt"),
        (&["inspect", "--help"], "help_inspect.txt"),
        (&["completions", "--help"], "help_completions.txt"),
    ] {
        let ran = house.rating(arguments).ends(0);
        assert!(ran.out.starts_with("Examples:\n  rating "), "{}", ran.out);
        golden(name, &ran.out);
    }
    // Without anything, help is what is said, and it is a usage error.
    let ran = house.rating(&[]).ends(2);
    assert!(ran.err.starts_with("Examples:\n"), "{}", ran.err);
}

#[test]
fn the_examples_of_the_help_are_understood() {
    let house = House::demo();
    std::fs::copy(house.path("demo/tariffs/retail-gb.toml"), house.path("draft.toml")).unwrap();
    let help = house.rating(&["run", "--help"]).ends(0).out;
    let examples: Vec<&str> =
        help.lines().skip(1).take_while(|line| line.starts_with("  rating ")).map(str::trim).collect();
    assert!(examples.len() >= 3, "{help}");
    for example in examples {
        let command = example.split(" | ").next().unwrap();
        let words: Vec<&str> = command
            .split_whitespace()
            .skip(1)
            .map(|word| if word.contains("acme") || word.contains("testdata") { "demo" } else { word })
            .collect();
        house.rating(&words).ends(0);
    }
}

#[test]
fn the_version_is_the_packages() {
    let ran = House::demo().rating(&["--version"]).ends(0);
    assert_eq!(ran.out, format!("rating {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn completions_are_printed_for_every_shell() {
    let house = House::demo();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = String::from_utf8(house.command(&["completions", shell]).output().unwrap().stdout).unwrap();
        assert!(script.contains("dry-run") && script.contains("generate"), "{shell}");
    }
    house.rating(&["completions", "tcsh"]).ends(2);
}

#[test]
fn a_generated_project_runs() {
    let house = House::demo();
    let ran = house.rating(&["generate", "big", "--records", "2000", "--prefixes", "200", "--seed", "7"]).ends(0);
    assert_eq!(ran.out, "made big with 2,000 records of 2026-10\nnext: rating run big --month 2026-10\n");
    let check = house.rating(&["check", "big"]).ends(0);
    // The made-up decks bar no premium numbers abroad.
    assert_eq!(check.out, "big: no errors, 2 warnings\n");
    assert_eq!(check.err.matches("warning[lint.class_without_row]").count(), 2, "{}", check.err);
    let json = house.rating(&["run", "big", "--month", "2026-10", "--dry-run", "--json"]);
    assert!(json.code == Some(0) || json.code == Some(4), "{}", json.err);
    assert!(json.json()["records"]["read"].as_u64().unwrap() >= 2_000);
    let again = House::demo();
    again.rating(&["generate", "big", "--records", "2000", "--prefixes", "200", "--seed", "7"]).ends(0);
    let strip = |house: &House| house.tree("big").into_values().collect::<Vec<_>>();
    assert!(strip(&house) == strip(&again), "the same seed gave another project");
}
