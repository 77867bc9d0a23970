//! `rating check`: every mistake in one pass, with its place.

use crate::house::{House, golden};

/// A demo with one mistake in each kind of file.
fn broken() -> House {
    let house = House::demo();
    for (path, from, to) in [
        ("demo/rating.toml", "name = \"Harbour", "nmae = \"Harbour"),
        // A site with a wrong zone is there all the same: its source, numbers and assignments are not blamed.
        ("demo/rating.toml", "zone = \"Europe/London\"\ncountry", "zone = \"Europe/Lodnon\"\ncountry"),
        ("demo/rating.toml", "area_code = \"212\"", "area_code = 212"),
        ("demo/rating.toml", "format = \"cisco-cucm\"", "format = \"cisco\""),
        ("demo/directory/allocations.csv", "2026-01-01,2026-10-15", "2026-01-01,2026-10-20"),
        ("demo/directory/contracts.csv", "c2,bolt", "c2,blot"),
        ("demo/tariffs/retail-gb.toml", "rule = \"up\"", "rule = \"upp\""),
        ("demo/tariffs/retail-gb.csv", "443,UK 03 numbers,non_geographic", "443,UK 03 numbers,nongeographic"),
        ("demo/tariffs/assignments.csv", "retail,*,ldn,retail-gb", "retail,*,ldn,retail-bg"),
        ("demo/tariffs/exchange_rates.csv", "0.7612", "0,7612"),
    ] {
        house.edit(path, from, to);
    }
    house
}

#[test]
fn every_mistake_is_shown_in_one_pass_with_its_place_and_how_to_mend_it() {
    let house = broken();
    let ran = house.rating(&["check", "demo"]).ends(3);
    golden("check_broken_demo.txt", &format!("{}{}", ran.err, ran.out));
    for place in [
        "rating.toml:6:1",
        "rating.toml:13:8",
        "rating.toml:24:13",
        "rating.toml:39:10",
        "directory/allocations.csv:5:1",
        "directory/contracts.csv:3:4",
        "tariffs/assignments.csv:2:",
        "tariffs/exchange_rates.csv:2:",
        "tariffs/retail-gb.csv:3:",
        "tariffs/retail-gb.toml:",
    ] {
        assert!(ran.err.contains(&format!("--> {place}")), "{place}\n{}", ran.err);
    }
    assert!(!ran.err.contains("site_unknown") && !ran.err.contains("unknown_site"), "{}", ran.err);
    // `run` says the same and rates nothing.
    let run = house.rating(&["run", "demo"]).ends(3);
    assert_eq!(run.err.rsplit_once("error: ").unwrap().0, ran.err);
    // As JSON: the same findings.
    let json = house.rating(&["check", "demo", "--json"]).ends(3);
    assert_eq!(json.err, "");
    let list = json.json();
    assert_eq!(list.as_array().unwrap().len(), ran.err.matches("\n\n").count());
    for finding in list.as_array().unwrap() {
        assert!(ran.err.contains(&format!("error[{}]: ", finding["code"].as_str().unwrap())));
    }
}

/// The demo with its one call to an American premium number priced by a row of its own.
fn flawless() -> House {
    let house = House::demo();
    house.edit("demo/tariffs/wholesale-us.csv", "\n1,US", "\n1246976;1345976;1900,US premium,premium,1.5,,,\n1,US");
    house
}

#[test]
fn a_project_without_mistakes_is_told_so() {
    let house = flawless();
    let ran = house.rating(&["check", "demo"]).ends(0);
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("demo: nothing wrong\n", ""));
    assert_eq!(house.rating(&["check", "demo", "--json"]).ends(0).json(), serde_json::json!([]));
    house.rating(&["check", "demo", "--deny", "warnings"]).ends(0);
    assert!(!house.path("demo/out").exists());
}

#[test]
fn warnings_stop_nothing() {
    let house = flawless();
    house.write("demo/cdr/ldn/folder.csv/notes.txt", "x");
    house.edit("demo/rating.toml", "\"cdr/nyc/cdr_*\", \"cdr/nyc/cmr_*\"", "\"cdr/nyc/nothing*\"");
    let ran = house.rating(&["check", "demo"]).ends(0);
    assert_eq!(ran.out, "demo: no errors, 2 warnings\n");
    golden("check_warnings.txt", &ran.err);
}

#[test]
fn a_file_that_is_missing_is_one_finding() {
    for (path, places) in [
        ("directory/occupiers.csv", &["rating.toml:45:13"][..]),
        ("directory/numbers.csv", &["rating.toml:48:11"]),
        ("directory/contracts.csv", &["rating.toml:46:13"]),
        ("tariffs/assignments.csv", &["rating.toml:54:15"]),
    ] {
        let house = House::demo();
        std::fs::remove_file(house.path("demo").join(path)).unwrap();
        let list = house.rating(&["check", "demo", "--json"]).ends(3).json();
        let found: Vec<String> = list
            .as_array()
            .unwrap()
            .iter()
            .map(|finding| {
                let label = &finding["labels"][0];
                format!("{}:{}:{}", label["file"].as_str().unwrap_or(""), label["line"], label["column"])
            })
            .collect();
        assert_eq!(found, places, "{path}: {list:#}");
    }
}

#[test]
fn a_tariff_can_be_checked_without_a_project() {
    let house = House::demo();
    let tariffs = ["check", "demo/tariffs/retail-gb.toml", "demo/tariffs/retail-us.toml"];
    let ran = house.rating(&tariffs).ends(0);
    assert_eq!(
        (ran.out.as_str(), ran.err.as_str()),
        ("demo/tariffs/retail-gb.toml, demo/tariffs/retail-us.toml: nothing wrong\n", "")
    );
    house.edit("demo/tariffs/retail-gb.csv", "9,7.5,6", "9,7.5,x");
    assert!(house.rating(&tariffs).ends(3).err.contains("error[tariff.bad_price]"));
    assert_eq!(
        house.rating(&["check", "demo/nowhere.toml"]).ends(2).err,
        "error: there is no file `demo/nowhere.toml`\n"
    );
    house.rating(&["check", "demo", "demo/tariffs/retail-gb.toml"]).ends(2);
}

#[test]
fn what_is_worth_a_look_fails_a_pipeline_only_if_it_is_denied() {
    // The run of the demo suspends a call for this.
    let house = House::demo();
    let ran = house.rating(&["check", "demo"]).ends(0);
    assert_eq!(ran.out, "demo: no errors, 1 warning\n");
    golden("check_lint.txt", &ran.err);
    let denied = house.rating(&["check", "demo", "--deny", "warnings"]).ends(3);
    assert_eq!((denied.out.as_str(), denied.err), ("demo: no errors, 1 warning (denied)\n", ran.err));
    house.rating(&["check", "demo", "--deny", "warnings", "--json"]).ends(3);
    house.rating(&["check", "demo", "--deny", "everything"]).ends(2);
    // A run rates all the same, and does not speak of it.
    assert_eq!(house.rating(&["run", "demo", "--dry-run"]).ends(0).err, "");
}

#[test]
fn numbers_that_were_called_and_have_no_price_are_listed_with_what_is_at_stake() {
    let house = House::demo();
    let ran = house.rating(&["check", "demo", "--calls"]).ends(0);
    assert_eq!(ran.out, "demo: no errors, 6 warnings\n");
    golden("check_calls.txt", &ran.err);
    house.rating(&["check", "demo", "--calls", "--deny", "warnings"]).ends(3);
    house.rating(&["check", "demo/tariffs/retail-gb.toml", "--calls"]).ends(2);
}
