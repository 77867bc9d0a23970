//! `rating diff`: two published versions of the demo, and what a billing manager is told of the difference.

use crate::house::{House, golden};

/// Runs the demo and gives the id of the version in force.
fn publish(house: &House) -> String {
    house.rating(&["run", "demo", "--json"]).ends(0).json()["run"].as_str().unwrap().to_owned()
}

/// The comparison without the runs' ids, which change with the software's version.
fn steady(text: &str) -> String {
    text.split_once('\n').unwrap().1.to_owned()
}

/// The sum of a column of a CSV file, in 10⁻¹⁰.
fn sum(csv: &str, column: &str) -> i128 {
    let mut lines = csv.lines().map(cells);
    let at = lines.next().unwrap().iter().position(|name| name == column).unwrap();
    lines.map(|cells| units(&cells[at])).sum()
}

fn units(text: &str) -> i128 {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    sign * format!("0{whole}{fraction:0<10}").parse::<i128>().unwrap()
}

/// A line's cells; good enough for what has no quotes within quotes.
fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut quoted) = (vec![String::new()], false);
    for character in line.chars() {
        match character {
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            character => cells.last_mut().unwrap().push(character),
        }
    }
    cells
}

#[test]
fn a_dearer_row_is_told_with_both_prices_and_adds_up() {
    let house = House::demo();
    let before = publish(&house);
    // Day price of UK mobile, 9p to 10p a minute: 185 s and 200 s by day, the cost rounded up to 0.1p:
    // 3p + 27.75p = 30.8p -> 3p + 30.8333p = 33.9p, and 33p -> 36.4p (3p + 33.3333p). Together 6.5p.
    house.edit("demo/tariffs/retail-gb.csv", "447,UK mobile,mobile,9,", "447,UK mobile,mobile,10,");
    let after = publish(&house);
    let ran = house.rating(&["diff", "demo", &before, &after, "--csv", "deltas.csv"]).ends(0);
    golden("diff_tariff.txt", &steady(&ran.out));
    let csv = std::fs::read_to_string(house.path("deltas.csv")).unwrap();
    assert_eq!(csv.lines().count(), 1 + 2);
    assert_eq!(sum(&csv, "retail_difference"), 650_000_000);
    assert_eq!(sum(&csv, "wholesale_difference"), 0);
    assert!(!house.path("deltas.csv.partial").exists());
    let json = house.rating(&["diff", "demo", &before, "current", "--json"]).ends(0).json();
    assert_eq!(json["totals"][0]["difference"], "0.065");
    assert_eq!(json["causes"][0]["cause"], "tariff");
    // The other way round it is the same, with the signs turned.
    let json = house.rating(&["diff", "demo", "2026-10", &before, "--json"]).ends(0).json();
    assert_eq!(json["totals"][0]["difference"], "-0.065");
}

#[test]
fn a_new_file_a_tariff_and_an_allocation_at_once_are_told_apart() {
    let house = House::demo();
    let before = publish(&house);
    house.edit("demo/tariffs/retail-gb.csv", "447,UK mobile,mobile,9,", "447,UK mobile,mobile,10,");
    // One call of 60 s to a UK mobile by day: 3p + 10p.
    let call = "\"\",\"2001\",\"907700900123\",\"from-internal\",\"Desk\",\"PJSIP/2001-1\",\"PJSIP/carrier-1\",\"Dial\",\"\",\
                \"2026-10-02 12:00:00\",\"2026-10-02 12:00:05\",\"2026-10-02 12:01:05\",65,60,\"ANSWERED\",\"DOCUMENTATION\",\"1790938800.1\",\"\"\n";
    house.write("demo/cdr/ldn/late.csv", call);
    // Numbers of the second floor change hands five days later: a call between is bolt's now.
    let allocations = std::fs::read_to_string(house.path("demo/directory/allocations.csv")).unwrap();
    house.write("demo/directory/allocations.csv", allocations.replace("2026-10-15", "2026-10-20"));
    let after = publish(&house);
    let ran = house.rating(&["diff", "demo", &before, &after]).ends(0);
    golden("diff_three_causes.txt", &steady(&ran.out));
    let json = house.rating(&["diff", "demo", &before, &after, "--json"]).ends(0).json();
    let mut causes: Vec<&str> =
        json["causes"].as_array().unwrap().iter().map(|line| line["cause"].as_str().unwrap()).collect();
    causes.sort_unstable();
    causes.dedup();
    assert_eq!(causes, ["allocation", "new file", "tariff"]);
    assert_eq!(json["calls"]["added"], 1);
}

#[test]
fn a_renamed_file_changes_nothing_but_where_the_calls_stand() {
    let house = House::demo();
    let before = publish(&house);
    std::fs::rename(house.path("demo/cdr/ldn/Master-2026-10.csv"), house.path("demo/cdr/ldn/Master.csv")).unwrap();
    let after = publish(&house);
    assert_ne!(before, after);
    let json = house.rating(&["diff", "demo", &before, &after, "--json", "--exit-code"]).ends(0).json();
    assert_eq!((&json["same"], &json["calls"]["changed"]), (&true.into(), &0.into()));
    // A record taken out near the top moves all that come after it: they are the same calls, in another place.
    let text = std::fs::read_to_string(house.path("demo/cdr/ldn/Master.csv")).unwrap();
    let rest: Vec<&str> = text.lines().filter(|line| !line.contains("1790854200.68")).collect();
    assert_eq!(rest.len() + 1, text.lines().count());
    house.write("demo/cdr/ldn/Master.csv", rest.join("\n") + "\n");
    let shorter = publish(&house);
    let json = house.rating(&["diff", "demo", &after, &shorter, "--json"]).ends(0).json();
    assert_eq!((&json["calls"]["removed"], &json["calls"]["added"]), (&1.into(), &0.into()));
    assert_eq!(json["causes"][0]["cause"], "file changed");
    assert!(json["calls"]["moved"].as_u64().unwrap() > 10, "{json}");
}

#[test]
fn the_same_version_twice_says_so_and_a_difference_is_an_exit_code_only_on_demand() {
    let house = House::demo();
    let before = publish(&house);
    let ran = house.rating(&["diff", "demo", &before, "current", "--exit-code", "--csv", "none.csv"]).ends(0);
    golden("diff_same.txt", &steady(&ran.out));
    assert_eq!(std::fs::read_to_string(house.path("none.csv")).unwrap().lines().count(), 1);
    house.edit("demo/tariffs/retail-gb.csv", "447,UK mobile,mobile,9,", "447,UK mobile,mobile,10,");
    let after = publish(&house);
    house.rating(&["diff", "demo", &before, &after]).ends(0);
    house.rating(&["diff", "demo", &before, &after, "--exit-code"]).ends(4);
    // By folder, without the project.
    let folder = |run: &str| format!("demo/out/versions/{run}");
    house.rating(&["diff", &folder(&before), &folder(&after), "--exit-code"]).ends(4);
    house.rating(&["diff", &format!("{}/month=2026-10", folder(&before)), "demo/out/current/month=2026-10"]).ends(0);
}

#[test]
fn what_cannot_be_compared_is_refused_with_what_there_is() {
    let house = House::demo();
    let nothing = house.rating(&["diff", "demo", "2026-10", "current"]).ends(2);
    assert!(nothing.err.contains("2026-10 has not been published"), "{}", nothing.err);
    let run = publish(&house);
    for (arguments, words) in [
        (&["diff", "demo", "nosuch", &run][..], "there is no version `nosuch` in `demo/out`: there are 2026-10-"),
        (&["diff", "demo", "../../..", &run], "there is no version `../../..`"),
        (&["diff", "nowhere", &run], "there is no version in `nowhere`"),
        (&["diff", "demo", "2026-09", &run], "2026-09 has not been published"),
        (&["diff", "demo"], "2 values"),
    ] {
        let ran = house.rating(arguments).ends(2);
        assert!(ran.err.contains(words), "{arguments:?}: {}", ran.err);
    }
    // Another month.
    house.rating(&["run", "demo", "--month", "2026-09"]).ends(0);
    let ran = house.rating(&["diff", "demo", "2026-09", "2026-10"]).ends(2);
    assert!(ran.err.contains("compare versions of one month"), "{}", ran.err);
    let ran = house.rating(&["diff", "demo", "current", "current"]).ends(2);
    assert!(ran.err.contains("`current` could be 2026-09, 2026-10: name the month with --month"), "{}", ran.err);
    house.rating(&["diff", "demo", "current", "current", "--month", "2026-09"]).ends(0);
    // A draft of one site is no month.
    let draft = house.rating(&["run", "demo", "--site", "ldn", "--json"]).ends(0).json();
    let ran = house.rating(&["diff", "demo", draft["run"].as_str().unwrap(), &run]).ends(2);
    assert!(ran.err.contains("site `ldn` alone"), "{}", ran.err);
}

#[test]
fn a_damaged_version_is_an_error_of_the_disk_and_leaves_no_csv() {
    let house = House::demo();
    let before = publish(&house);
    house.edit("demo/tariffs/retail-gb.csv", "447,UK mobile,mobile,9,", "447,UK mobile,mobile,10,");
    let after = publish(&house);
    let table = format!("demo/out/versions/{after}/month=2026-10/site=ldn/itemised.parquet");
    let whole = std::fs::read(house.path(&table)).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    for damaged in [flipped, whole[..whole.len() / 2].to_vec(), Vec::new()] {
        house.write(&table, damaged);
        let ran = house.rating(&["diff", "demo", &before, &after, "--csv", "deltas.csv"]).ends(8);
        assert!(ran.err.contains("its content is not what was published"), "{}", ran.err);
        assert!(!house.path("deltas.csv").exists() && !house.path("deltas.csv.partial").exists());
    }
    std::fs::remove_file(house.path(&table)).unwrap();
    house.rating(&["diff", "demo", &before, &after]).ends(8);
    house.write(&table, whole);
    house.rating(&["diff", "demo", &before, &after]).ends(0);
    let manifest = format!("demo/out/versions/{after}/month=2026-10/manifest.json");
    house.write(&manifest, "{}");
    let ran = house.rating(&["diff", "demo", &before, &after]).ends(8);
    assert!(ran.err.contains("it is no manifest that this program knows"), "{}", ran.err);
}
