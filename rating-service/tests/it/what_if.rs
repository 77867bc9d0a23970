//! `rating run --what-if`: what a month would be with drafts, and nothing written.

use crate::house::{House, golden};

/// The demo with a draft of the next retail tariff, in force from the middle of the month: UK mobile a penny dearer by day, and
/// no row for France.
fn with_draft() -> House {
    let house = House::demo();
    let read = |path: &str| std::fs::read_to_string(house.path(path)).unwrap();
    let settings = read("demo/tariffs/retail-gb.toml").replace("from = \"2026-01-01\"", "from = \"2026-10-16\"");
    let deck = read("demo/tariffs/retail-gb.csv")
        .replace("447,UK mobile,mobile,9,", "447,UK mobile,mobile,10,")
        .replace("\n33,", "\n34,");
    house.write("draft/next.toml", settings);
    house.write("draft/retail-gb.csv", deck);
    house
}

#[test]
fn a_later_version_prices_the_calls_from_its_day_on_and_nothing_is_written() {
    let house = with_draft();
    let before = house.tree("demo");
    let ran = house.rating(&["run", "demo", "--what-if", "tariff=draft/next.toml", "--csv", "deltas.csv"]).ends(0);
    // 200 s to a UK mobile on the 21st: 33p -> 3p + 33.3333p, up to 36.4p. 45 s to France on the 28th, 3p + 5p: suspended.
    golden("what_if_tariff.txt", &ran.out);
    assert!(house.tree("demo") == before, "the project is not as it was");
    let csv = std::fs::read_to_string(house.path("deltas.csv")).unwrap();
    assert!(csv.contains("rating.no_rate_for_destination"));
    let json = house.rating(&["run", "demo", "--what-if", "tariff=draft/next.toml", "--json"]).ends(0).json();
    assert_eq!(json["totals"][0]["difference"], "-0.046");
    assert_eq!(json["suspended"][0]["what"], "newly suspended");
    // However many threads.
    let one = house.rating(&["run", "demo", "--what-if", "tariff=draft/next.toml", "--threads", "1"]).ends(0);
    assert_eq!(one.out, ran.out);
}

#[test]
fn a_draft_with_the_id_and_day_of_a_version_stands_in_its_place_and_finds_its_deck_there() {
    let house = House::demo();
    // Connected for 4p instead of 3p; the deck stays where it is.
    let settings = std::fs::read_to_string(house.path("demo/tariffs/retail-gb.toml")).unwrap();
    house.write("draft.toml", settings.replace("\"3p\"", "\"4p\""));
    let json = house.rating(&["run", "demo", "--what-if", "tariff=draft.toml", "--json"]).ends(0).json();
    assert_eq!(json["calls"]["added"], 0);
    assert!(json["calls"]["changed"].as_u64().unwrap() > 3, "{json}");
    assert_eq!(json["totals"][1]["difference"], "0.00", "New York is on another tariff");
    house.write("same.toml", settings);
    let json = house.rating(&["run", "demo", "--what-if", "tariff=same.toml", "--json"]).ends(0).json();
    assert_eq!(json["same"], true);
}

#[test]
fn assignments_and_allocations_may_be_another_too() {
    let house = with_draft();
    let allocations = std::fs::read_to_string(house.path("demo/directory/allocations.csv")).unwrap();
    house.write("allocations.csv", allocations.replace("2026-10-15", "2026-10-20"));
    let json = house.rating(&["run", "demo", "--what-if", "allocations=allocations.csv", "--json"]).ends(0).json();
    assert_eq!(json["causes"][0]["cause"], "allocation");
    assert_eq!(json["totals"][0]["difference"], "0.00");
    // The same draft under a name of its own, for bolt alone.
    house.edit("draft/next.toml", "id = \"retail-gb\"", "id = \"trial\"");
    house.edit("draft/next.toml", "2026-10-16", "2026-10-01");
    let assignments = std::fs::read_to_string(house.path("demo/tariffs/assignments.csv")).unwrap();
    house.write("who.csv", format!("{assignments}retail,bolt,ldn,trial,2026-10-01,\n"));
    let arguments =
        ["run", "demo", "--what-if", "tariff=draft/next.toml", "--what-if", "assignments=who.csv", "--json"];
    let json = house.rating(&arguments).ends(0).json();
    for line in json["occupiers"].as_array().unwrap() {
        assert_eq!(line["payer"], "bolt");
    }
    assert!(json["calls"]["changed"].as_u64().unwrap() > 0);
}

#[test]
fn a_draft_that_does_not_load_is_refused_with_its_findings() {
    let house = with_draft();
    house.edit("draft/next.toml", "\"p/min\"", "\"p/mni\"");
    let ran = house.rating(&["run", "demo", "--what-if", "tariff=draft/next.toml", "--csv", "deltas.csv"]).ends(3);
    assert!(ran.err.contains("what-if: draft/next.toml"), "{}", ran.err);
    assert!(!house.path("deltas.csv").exists());
    let ran = house.rating(&["run", "demo", "--what-if", "tariff=nosuch.toml"]).ends(3);
    assert!(ran.err.contains("project.file_unreadable") && ran.err.contains("nosuch.toml"), "{}", ran.err);
    for (arguments, words) in [
        (&["run", "demo", "--what-if", "draft.toml"][..], "write KIND=FILE"),
        (&["run", "demo", "--what-if", "deck=draft.csv"], "write KIND=FILE"),
        (&["run", "demo", "--csv", "x.csv"], "--what-if"),
        (&["run", "demo", "--what-if", "assignments=a", "--what-if", "assignments=b"], "given twice"),
    ] {
        let ran = house.rating(arguments).ends(2);
        assert!(ran.err.contains(words), "{arguments:?}: {}", ran.err);
    }
    assert!(!house.path("demo/out").exists());
}
