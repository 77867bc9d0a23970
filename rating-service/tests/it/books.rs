//! `rating close`, `reopen`, `suspense` and `recycle`: what they say, and how they end.

use crate::house::House;

#[test]
fn a_month_is_closed_run_again_for_nothing_and_opened_only_with_a_reason() {
    let house = House::demo();
    let ran = house.rating(&["close", "demo", "--month", "2026-10"]).ends(2);
    assert!(ran.err.contains("2026-10 has not been published: run it first"), "{}", ran.err);
    house.rating(&["run", "demo"]).ends(0);
    let closed = house.rating(&["close", "demo", "--month", "2026-10", "--by", "A. Jones"]).ends(0);
    assert!(closed.out.starts_with("2026-10  closed with 2026-10-"), "{}", closed.out);
    assert!(closed.out.contains("4 suspended calls can still be released, into 2026-11"), "{}", closed.out);
    let again = house.rating(&["close", "demo", "--month", "2026-10"]).ends(0);
    assert!(again.out.contains("is closed already"), "{}", again.out);
    let same = house.rating(&["run", "demo"]).ends(0);
    assert!(same.out.contains("the month is closed"), "{}", same.out);

    // The settings are an input, too, their remarks included.
    house.edit("demo/rating.toml", "Europe/London\"", "Europe/London\" # as ever");
    let refused = house.rating(&["run", "demo", "--json"]).ends(3).json();
    assert_eq!(refused["findings"][0]["code"], "run.month_closed");

    house.rating(&["reopen", "demo", "--month", "2026-10", "--by", "A. Jones"]).ends(2);
    let why = ["reopen", "demo", "--month", "2026-10", "--by", "A. Jones", "--note", "a new deck"];
    let open = house.rating(&why).ends(0);
    assert!(open.out.starts_with("2026-10  is open again"), "{}", open.out);
    let none = house.rating(&why).ends(2);
    assert!(none.err.contains("no month is closed"), "{}", none.err);
}

#[test]
fn the_work_list_names_the_change_and_recycling_releases_it() {
    let house = House::demo();
    house.rating(&["run", "demo"]).ends(0);
    let list = house.rating(&["suspense", "demo", "--today", "2026-11-22", "--json"]).ends(0).json();
    assert_eq!(list["calls"], 5);
    let first = &list["work"][0];
    assert_eq!(first["code"], "attribution.extension_unknown");
    assert_eq!(
        first["action"],
        "add extension 2050 at `ldn` to directory/allocations.csv with a holder from 2026-10-26"
    );
    // 26 October to 22 November.
    assert_eq!(first["age_days"], 27);
    let nothing = house.rating(&["recycle", "demo"]).ends(0);
    assert!(nothing.out.contains("nothing is released, and nothing was written"), "{}", nothing.out);
    let unpublished = house.rating(&["recycle", "demo", "--month", "2026-11"]).ends(2);
    assert!(unpublished.err.contains("2026-11 has not been published"), "{}", unpublished.err);
}
