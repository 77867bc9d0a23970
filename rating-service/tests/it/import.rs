//! `rating import` and `rating deck-diff`: every folder under `testdata/import` and every `testdata/findings/import.*` is
//! a command with its files, what it says, and what it writes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::house::{House, Ran, repository};
use crate::price::priced;

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
    if let Ok(calls) = fs::read_to_string(folder.join("prices.txt")) {
        price_by_hand(&house, folder, &calls, wrong);
    }
    ran
}

/// The tariff that a command has made or changed.
fn tariff(house: &House) -> String {
    let mut made = BTreeMap::new();
    read_tree(&house.path("out"), "out/", &mut made);
    read_tree(&house.path("tariffs"), "tariffs/", &mut made);
    made.into_keys().find(|name| name.ends_with(".toml")).unwrap()
}

/// Lines of `called duration expected [in] [key=value …] # sum`, priced by the tariff just written.
fn price_by_hand(house: &House, folder: &Path, calls: &str, wrong: &mut Vec<String>) {
    let lines: Vec<&str> = calls.lines().filter(|line| !line.starts_with('#')).collect();
    let mut input = String::new();
    for (id, line) in lines.iter().enumerate() {
        let mut words = line.split('#').next().unwrap().split_whitespace();
        let (called, duration) = (words.next().unwrap(), words.next().unwrap());
        let mut call = serde_json::json!({
            "id": id, "called": called, "duration": duration, "answered_at": "2026-12-02T12:00:00Z",
        });
        if let Some(code) = called.strip_prefix("code:") {
            call["called"] = "+442079460958".into();
            call["charge_code"] = code.replace('_', " ").into();
        }
        for word in words.skip(1) {
            match word.split_once('=') {
                Some(("from", calling)) => call["calling"] = calling.into(),
                Some(("at", at)) => call["answered_at"] = at.into(),
                Some((key, value)) => call[key] = value.into(),
                None => call["direction"] = word.into(),
            }
        }
        input.push_str(&format!("{call}\n"));
    }
    let ran = priced(house, &["--tariff", &tariff(house), "--zone", "Europe/London"], input.as_bytes()).ends(0);
    let answers: Vec<serde_json::Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), lines.len());
    for (line, answer) in lines.iter().zip(&answers) {
        let expected = line.split_whitespace().nth(2).unwrap();
        let right = match answer["unrounded"].as_str() {
            Some(amount) => !expected.contains('_') && fraction(amount) == fraction(expected),
            None => answer["reason"] == expected,
        };
        if !right {
            wrong.push(format!("{}: {line}\n  but: {answer}", folder.display()));
        }
    }
}

/// A decimal or `n/d` in lowest terms.
fn fraction(text: &str) -> (i128, i128) {
    let (top, bottom) = text.split_once('/').unwrap_or((text, "1"));
    let (whole, decimals) = top.split_once('.').unwrap_or((top, ""));
    let number: i128 = format!("{whole}{decimals}").parse().unwrap();
    lowest(number, 10_i128.pow(u32::try_from(decimals.len()).unwrap()) * bottom.parse::<i128>().unwrap())
}

fn lowest(top: i128, bottom: i128) -> (i128, i128) {
    let (mut a, mut b) = (top, bottom);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    (top / a, bottom / a)
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

#[test]
fn without_a_folder_the_import_goes_where_one_stands() {
    let house = House::demo();
    house.write("rates.csv", "prefix,destination,price\n44,UK,1\n");
    let command = [
        "import",
        "deck",
        "rates.csv",
        "--id",
        "az",
        "--currency",
        "GBP",
        "--unit",
        "p/min",
        "--increments",
        "1/1",
        "--from",
        "2026-01-01",
    ];
    let shown = house.rating(&command).ends(0);
    assert!(shown.out.contains("would write az.csv (2 lines)"), "{}", shown.out);
    assert!(!house.path("az.csv").exists());
    house.rating(&[&command[..], &["--write"]].concat()).ends(0);
    assert!(house.path("az.csv").exists() && house.path("az.toml").exists());
    let again = house.rating(&[&command[..], &["--write"]].concat()).ends(2);
    assert!(again.err.contains("is there already"), "{}", again.err);
}

/// Imports a file with a command and prices calls of 1 to 400 seconds to `called`, in units of 10⁻⁴ ÷ 60.
fn costs(command: &str, file: &str, content: &str, called: &str) -> Vec<i128> {
    let house = House::demo();
    house.write(file, content);
    let arguments = words(command);
    house.rating(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).ends(0);
    let calls: String = (1..=400)
        .map(|seconds| {
            format!("{{\"id\":{seconds},\"called\":\"{called}\",\"answered_at\":\"2026-12-02T12:00:00Z\",\"duration\":\"{seconds}s\"}}\n")
        })
        .collect();
    let ran = priced(&house, &["--tariff", &tariff(&house)], calls.as_bytes()).ends(0);
    ran.out
        .lines()
        .map(|line| {
            let answer: serde_json::Value = serde_json::from_str(line).unwrap();
            let (top, bottom) = fraction(answer["unrounded"].as_str().unwrap());
            assert_eq!(600_000 * top % bottom, 0, "{answer}");
            600_000 * top / bottom
        })
        .collect()
}

fn up(seconds: i128, block: i128) -> i128 {
    if block > 0 { (seconds + block - 1) / block * block } else { seconds }
}

/// Rates are in 10⁻⁴ a minute, so a second costs the rate in units of 10⁻⁴ ÷ 60.
#[test]
fn a2billing_rate_cards_cost_what_a2billing_computes() {
    // initblock, billingblock, connect, step a, charge a, time a, block a, step b, charge b, time b, block b, minimal
    for card in [
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        [60, 30, 500, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        [30, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 900],
        [60, 60, 200, 400, 300, 180, 60, 0, 0, 0, 0, 0],
        [0, 1, 0, 0, 300, 120, 30, 100, 250, 90, 15, 0],
        [30, 60, 100, 50, 300, 60, 10, 75, 250, 100, 20, 1_000],
    ] {
        let [init, block, connect, step_a, a, time_a, block_a, step_b, b, time_b, block_b, minimal] = card;
        if a == 0 && init % block.max(1) != 0 {
            continue;
        }
        let amount = |value: i128| format!("{}.{:04}", value / 10_000, value % 10_000);
        let row = format!(
            "44;UK;{};{init};{block};{};{};{};{time_a};{block_a};{};{};{time_b};{block_b};{}\n",
            amount(200),
            amount(connect),
            amount(step_a),
            amount(a),
            amount(step_b),
            amount(b),
            amount(minimal)
        );
        let command = "import a2billing card.csv --id a2b --currency EUR --from 2026-01-01 --columns \
            dialprefix,destination,rateinitial,initblock,billingblock,connectcharge,stepchargea,chargea,timechargea,\
            billingblocka,stepchargeb,chargeb,timechargeb,billingblockb,minimal_cost --out out --write";
        for (at, cost) in costs(command, "card.csv", &row, "+442079460958").into_iter().enumerate() {
            let mut left = (at as i128 + 1).max(init);
            let mut expected = connect * 60;
            if a == 0 {
                expected += (if left > init { up(left, block) } else { left }) * 200;
            } else {
                let part = left.min(time_a);
                expected += step_a * 60 + up(part, block_a) * a;
                left -= part;
                if left > 0 && b > 0 {
                    let part = left.min(time_b);
                    expected += step_b * 60 + up(part, block_b) * b;
                    left -= part;
                }
                expected += up(left, block) * 200;
            }
            assert_eq!(cost, expected.max(minimal * 60), "{card:?}, {} s", at + 1);
        }
    }
}

#[test]
fn astpp_rates_cost_what_astpp_computes() {
    for (connection, grace, first, further) in [(0, 0, 60, 6), (100, 5, 60, 60), (50, 30, 0, 0), (0, 10, 30, 7)] {
        let file = format!(
            "Code,Destination,Connection Cost (USD),Grace Time,Cost / Min (USD),Initial Increment,Increment\n\
             44,UK,0.{connection:04},{grace},0.0210,{first},{further}\n33,France,0,0,0.01,1,1\n"
        );
        let command = "import astpp rates.csv --id astpp --from 2026-01-01 --out out --write";
        for (at, cost) in costs(command, "rates.csv", &file, "+442079460958").into_iter().enumerate() {
            let left = at as i128 + 1 - grace;
            let (first, further) = (first.max(1), further.max(1));
            let billed = if left <= 0 { 0 } else { first + up((left - first).max(0), further) };
            assert_eq!(cost, connection * 60 + billed * 210, "{file}{} s", at + 1);
        }
    }
}

#[test]
fn kazoo_rates_cost_what_kazoo_computes() {
    for (surcharge, free, minimum, increment) in [(0, 0, 60, 60), (100, 6, 30, 6), (50, 61, 60, 1)] {
        let file = format!(
            "prefix,rate_cost,rate_surcharge,rate_nocharge_time,rate_minimum,rate_increment\n\
             44,0.0210,0.{surcharge:04},{free},{minimum},{increment}\n33,0.01,0,0,60,60\n"
        );
        let command = "import kazoo rates.csv --id kazoo --currency USD --from 2026-01-01 --out out --write";
        for (at, cost) in costs(command, "rates.csv", &file, "+442079460958").into_iter().enumerate() {
            let seconds = at as i128 + 1;
            let billed = minimum + up((seconds - minimum).max(0), increment);
            let expected = if seconds < free { 0 } else { surcharge * 60 + billed * 210 };
            assert_eq!(cost, expected, "{file}{seconds} s");
        }
    }
}
