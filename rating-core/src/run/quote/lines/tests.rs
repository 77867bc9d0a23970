use std::path::{Path, PathBuf};

use serde_json::Value;

use super::super::{Options, Quoter};
use super::Lines;
use crate::run::RunError;
use crate::run::storage::Disk;
use crate::time::Zone;

/// A folder with the files of one or more tariffs.
fn files(files: &[(&str, &str)]) -> (tempfile::TempDir, Vec<PathBuf>) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let is_settings = |name: &&str| name.ends_with(".toml");
    let paths = files.iter().map(|(name, _)| *name).filter(is_settings).map(|name| folder.path().join(name)).collect();
    (folder, paths)
}

const SETTINGS: &str = "id = \"retail\"\ncurrency = \"GBP\"\nfrom = \"2026-01-01\"\nprices = \"p/min\"\nfees = \"p\"\n\
                        decks = [\"retail.csv\"]\n[bands]\nday = [\"mon-sun 08:00-18:00\"]\nnight = [\"mon-sun 18:00-08:00\"]\n";
const DECK: &str = "prefix,destination,price_day,price_night,increments\n44,United Kingdom,2.5,1,\n447,Mobile,9,9,57.6\n\
                    33,France,3,3,60/60\nshort:101,Police,0,0,\n449,Premium,100,100,\n";

fn answers(options: &Options, lines: &str) -> Vec<Value> {
    let (quoter, _) = Quoter::open(&Disk, options).unwrap();
    let mut answered = Vec::new();
    let mut reader = Lines::new(&quoter);
    for line in lines.split_inclusive('\n') {
        reader.answer(line.as_bytes(), &mut answered);
    }
    String::from_utf8(answered).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The answers of the tariff above, for a site in London with another in New York.
fn retail(lines: &str) -> Vec<Value> {
    let (_folder, paths) = files(&[("retail.toml", SETTINGS), ("retail.csv", DECK)]);
    let mut options = Options::new(paths);
    options.zone = Zone::load("Europe/London").unwrap();
    options.sites = vec![("nyc".to_owned(), Zone::load("America/New_York").unwrap())];
    answers(&options, lines)
}

fn call(called: &str, rest: &str) -> String {
    let noon = "\"answered_at\":\"2026-07-01T12:00:00+01:00\"";
    format!("{{\"id\":\"x\",\"called\":\"{called}\",{noon},\"duration\":\"61s\"{rest}}}\n")
}

#[test]
fn a_call_is_priced_with_everything_that_it_was_worked_out_from() {
    let answer = &retail(&call("020 7946 0958", ""))[0];
    // 2.5p × 61/60 = 61/24 p = 61/2400 pounds = 0.02541666…
    let expected = serde_json::json!({
        "id": "x", "status": "rated", "charge": "0.0254166667", "unrounded": "61/2400", "currency": "GBP",
        "billed_duration_s": "61", "destination": "United Kingdom", "class": "geographic", "band": "day",
        "row": { "file": answer["row"]["file"], "line": 2 },
    });
    assert_eq!(answer, &expected);
    assert!(Path::new(answer["row"]["file"].as_str().unwrap()).ends_with("retail.csv"));
}

#[test]
fn numbers_are_read_as_people_dial_them_and_as_carriers_write_them() {
    for (called, destination, class) in [
        ("+442079460958", "United Kingdom", "geographic"),
        ("00442079460958", "United Kingdom", "geographic"),
        ("442079460958", "United Kingdom", "geographic"),
        ("07700 900123", "Mobile", "mobile"),
        ("0033199001234", "France", "geographic"),
        ("33199001234", "France", "geographic"),
        ("101", "Police", "free"),
        ("0906 123 4567", "Premium", "premium"),
    ] {
        let answer = &retail(&call(called, ""))[0];
        assert_eq!(
            (answer["destination"].as_str(), answer["class"].as_str()),
            (Some(destination), Some(class)),
            "{called}"
        );
    }
}

#[test]
fn what_has_no_price_says_why() {
    for (line, reason, class) in [
        (call("999", ""), "rating.emergency_call", "emergency"),
        (call("1", ""), "rating.called_unclassified", "ordinary"),
        (call("", ""), "rating.called_unclassified", "ordinary"),
        (call("+81312345678", ""), "rating.no_rate_for_destination", "geographic"),
        (call("07012345678", ""), "rating.class_not_priced", "personal"),
        (call("+442079460958", ",\"direction\":\"in\""), "rating.inbound_call", "geographic"),
        (call("214", ",\"direction\":\"internal\""), "rating.internal_call", "ordinary"),
        (call("+442079460958", "").replace("61s", "0s"), "rating.unanswered", "geographic"),
        (call("+442079460958", "").replace("2026", "2025"), "rating.tariff_not_in_force", "geographic"),
    ] {
        let answer = &retail(&line)[0];
        assert_eq!(answer["status"], "not_rated", "{line}");
        assert_eq!((answer["reason"].as_str(), answer["class"].as_str()), (Some(reason), Some(class)), "{line}");
        assert!(answer["charge"].is_null() && answer["row"].is_null() && answer.get("message").is_none(), "{answer}");
    }
}

#[test]
fn the_clock_is_that_of_the_site() {
    // 12:00 in London is day there, and 07:00, night, in New York.
    for (rest, band) in [("", "day"), (",\"site\":\"nyc\"", "night"), (",\"site\":null", "day")] {
        assert_eq!(retail(&call("+442079460958", rest))[0]["band"], band, "{rest}");
    }
    assert_eq!(retail(&call("+442079460958", ",\"site\":\"par\""))[0]["reason"], "price.bad_call");
}

#[test]
fn ids_come_back_as_they_are_and_lines_stay_in_order() {
    let ids = ["\"a\"", "7", "-7", "18446744073709551615", "null", "\"é\\u0000\\\"\\\\\"", "\"\""];
    let lines: String = ids.iter().map(|id| call("101", "").replace("\"x\"", id)).collect();
    let answers = retail(&lines);
    let given: Vec<Value> = ids.iter().map(|id| serde_json::from_str(id).unwrap()).collect();
    assert_eq!(answers.iter().map(|answer| answer["id"].clone()).collect::<Vec<_>>(), given);
}

#[test]
fn a_line_that_is_no_call_is_answered_and_the_next_one_is_priced() {
    let good = call("101", "");
    for (line, id, message) in [
        ("nonsense", Value::Null, "line 2, column 1: a call is one JSON object"),
        ("[{\"id\":\"x\"}]", Value::Null, "line 2, column 1: a call is one JSON object"),
        ("{", Value::Null, "line 2, column 1: EOF while parsing an object"),
        ("{\"id\":\"x\"}", "x".into(), "line 2, column 10: missing field `called`"),
        ("{\"id\":{}}", Value::Null, "line 2, column 8: invalid type: map, expected a text"),
        ("{\"id\":1.5}", Value::Null, "line 2, column 9: invalid type: floating point `1.5`, expected a text"),
    ] {
        let answers = retail(&format!("{good}{line}\n\n  \n{good}"));
        assert_eq!(answers.len(), 3, "{line}");
        assert_eq!(answers[1]["id"], id, "{line}");
        assert_eq!(answers[1]["reason"], "price.bad_call", "{line}");
        assert_eq!(answers[1]["message"], message, "{line}");
        assert_eq!((&answers[0]["status"], &answers[2]["status"]), (&"rated".into(), &"rated".into()));
    }
    for (from, to, message) in [
        ("\"101\"", "101", "column 13: texts stand in quotes, numbers of telephones too"),
        ("61s", "61", "`duration` is `61`, not a time with its unit such as `75s`"),
        ("61s", "-61s", "`duration` is `-61s`, not a time with its unit such as `75s`"),
        ("+01:00", "", "`answered_at` is `2026-07-01T12:00:00`, not an instant such as `2026-07-01T12:00:00Z`"),
    ] {
        let line = good.replacen("\"id\":\"x\",", "", 1).replace(from, to);
        let shown = retail(&line)[0]["message"].as_str().unwrap().to_owned();
        assert!(shown.ends_with(message), "{shown}");
    }
    // A byte order mark at the very beginning is none of the call.
    assert_eq!(retail(&format!("\u{feff}{good}"))[0]["status"], "rated");
    assert_eq!(retail(&format!("{good}\u{feff}{good}"))[1]["reason"], "price.bad_call");
}

#[test]
fn half_a_second_is_billed_as_decimals() {
    // Units of 57.6 s: 61 s bill two, 115.2 s.
    let answer = &retail(&call("07700900123", ""))[0];
    assert_eq!(answer["billed_duration_s"], "115.2");
    assert_eq!(answer["unrounded"], "0.1728"); // 9p × 115.2/60 = 17.28p
}

#[test]
fn several_tariffs_need_an_id_and_a_wrong_one_names_those_there_are() {
    let other = SETTINGS.replace("\"retail\"", "\"other\"");
    let (_folder, paths) = files(&[("retail.toml", SETTINGS), ("other.toml", &other), ("retail.csv", DECK)]);
    let open = |id: Option<&str>| {
        let mut options = Options::new(paths.clone());
        options.id = id.map(str::to_owned);
        Quoter::open(&Disk, &options).map(|(quoter, _)| quoter.tariff().unwrap().id().to_owned())
    };
    let message = |id| match open(id) {
        Err(RunError::Usage(message)) => message,
        other => panic!("{other:?}"),
    };
    assert_eq!(open(Some("other")).unwrap(), "other");
    assert_eq!(message(None), "the files hold several tariffs, `other`, `retail`: say which one with --id");
    assert_eq!(message(Some("x")), "there is no tariff `x` in these files; there is `other`, `retail`");
}

#[test]
fn a_tariff_that_another_inherits_from_is_not_asked_by_itself() {
    let child = SETTINGS.replace("\"retail\"", "\"child\"").replace("[bands]", "parent = \"retail\"\n[bands]");
    let (_folder, paths) = files(&[("retail.toml", SETTINGS), ("child.toml", &child), ("retail.csv", DECK)]);
    let mut options = Options::new(paths);
    let (quoter, _) = Quoter::open(&Disk, &options).unwrap();
    assert_eq!(quoter.tariff().unwrap().id(), "child");
    options.id = Some("retail".to_owned());
    let (quoter, _) = Quoter::open(&Disk, &options).unwrap();
    assert_eq!(quoter.tariff().unwrap().id(), "retail");
}

#[test]
fn mistakes_in_the_files_are_findings() {
    let (_folder, paths) = files(&[("retail.toml", SETTINGS)]);
    let Err(RunError::Invalid(found)) = Quoter::open(&Disk, &Options::new(paths)) else { panic!("no deck") };
    assert_eq!(found.iter().map(|finding| finding.code).collect::<Vec<_>>(), ["tariff.deck_missing"]);
    let (folder, paths) = files(&[("retail.toml", SETTINGS)]);
    std::fs::write(folder.path().join("retail.csv"), b"prefix,destination,price\n44,Z\xfcrich,1\n").unwrap();
    let Err(RunError::Invalid(found)) = Quoter::open(&Disk, &Options::new(paths)) else { panic!("not UTF-8") };
    assert!(found.iter().any(|finding| finding.code == "project.file_not_utf8"));
    let missing = Quoter::open(&Disk, &Options::new(vec!["nowhere.toml".into()]));
    assert!(matches!(missing, Err(RunError::Usage(message)) if message == "there is no file `nowhere.toml`"));
    let mut options = Options::new(Vec::new());
    options.country = "UK".to_owned();
    assert!(matches!(Quoter::open(&Disk, &options), Err(RunError::Usage(message)) if message.contains("`UK`")));
}

#[test]
fn who_calls_out_by_a_few_digits_is_an_extension_and_who_calls_in_is_nobody_known() {
    let settings = SETTINGS.to_owned() + "[origins]\neea = [\"33\"]\n";
    let deck = "prefix,destination,price_day,price_night,origin,direction\n44,Missing,1,1,missing,\n\
                44,Invalid,2,2,invalid,\n44,In missing,3,3,missing,in\n44,In invalid,4,4,invalid,in\n";
    let (_folder, paths) = files(&[("retail.toml", &settings), ("retail.csv", deck)]);
    let options = Options::new(paths);
    for (rest, destination) in [
        ("", "Missing"),
        (",\"calling\":\"anonymous\"", "Missing"),
        (",\"calling\":\"2001\"", "Missing"),
        (",\"calling\":\"+123\"", "Invalid"),
        (",\"calling\":\"2001\",\"direction\":\"in\"", "In invalid"),
        (",\"calling\":\"anonymous\",\"direction\":\"in\"", "In missing"),
    ] {
        let answer = &answers(&options, &call("+442079460958", rest))[0];
        assert_eq!(answer["destination"].as_str(), Some(destination), "{rest}");
    }
}

#[test]
fn rows_that_mark_up_the_carriers_charge_ask_the_carriers_tariff() {
    let settings = |id: &str| {
        format!(
            "id = \"{id}\"\ncurrency = \"GBP\"\nfrom = \"2026-01-01\"\nprices = \"p/min\"\nfees = \"p\"\ndecks = [\"{id}.csv\"]\n"
        )
    };
    let (_folder, paths) = files(&[
        ("retail.toml", &settings("retail")),
        ("retail.csv", "prefix,destination,price,connection\n*,,wholesale + 20%,1\n"),
        ("carrier.toml", &settings("carrier")),
        ("carrier.csv", "prefix,destination,price\n44,UK,2\n"),
    ]);
    let mut options = Options::new(paths[..1].to_vec());
    let lines = call("+442079460958", "") + &call("+33199001234", "");
    let told = |options: &Options| -> Vec<String> {
        let told = |answer: &Value| format!("{} {} {}", answer["reason"], answer["charge"], answer["destination"]);
        answers(options, &lines).iter().map(told).collect()
    };
    let unpriced = "\"rating.wholesale_unpriced\" null null";
    assert_eq!(told(&options), [unpriced, unpriced]);
    options.wholesale = paths[1..].to_vec();
    // 2p × 61/60 = 2.0333…p, posted as 0.0203333333; and 20% is 0.02439999996, and 1p.
    assert_eq!(told(&options), ["null \"0.0344\" \"UK\"", unpriced]);
}
