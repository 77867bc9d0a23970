//! `rating price`: calls in, prices out.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use crate::house::{House, Ran, golden, repository};

pub(crate) fn priced(house: &House, arguments: &[&str], input: &[u8]) -> Ran {
    let mut command = house.command(&[&["price"], arguments].concat());
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        // Arguments that are refused are refused before anything is read.
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Ran::of(&output)
}

const CALLS: &str = r#"{"id":"1","calling":"020 7946 0100","called":"+447700900123","direction":"out","answered_at":"2026-10-05T12:00:00+01:00","duration":"75s"}
{"id":2,"called":"0033 1 99 00 12 34","answered_at":"2026-10-05T20:00:00Z","duration":"61.5s"}
{"id":"emergency","called":"999","answered_at":"2026-10-05T12:00:00Z","duration":"61s"}
{"id":"premium","called":"0906 123 4567","answered_at":"2026-10-05T12:00:00Z","duration":"61s"}
"#;

const RETAIL: [&str; 4] = ["--tariff", "demo/tariffs/retail-gb.toml", "--zone", "Europe/London"];

#[test]
fn calls_of_the_demo_tariff_have_these_prices() {
    let house = House::demo();
    let ran = priced(&house, &RETAIL, CALLS.as_bytes()).ends(0);
    assert_eq!(ran.err, "");
    golden("price_demo.jsonl", &ran.out);
    // The last line needs no line end, and lines may end as Windows ends them.
    let other = CALLS.trim_end().replace('\n', "\r\n");
    assert_eq!(priced(&house, &RETAIL, other.as_bytes()).ends(0).out, ran.out);
    assert_eq!(priced(&house, &RETAIL, b"").ends(0).out, "");
}

#[test]
fn lines_that_are_no_calls_are_answered_counted_and_end_with_4() {
    let house = House::demo();
    let mut input = CALLS.replacen("75s", "75", 1).into_bytes();
    input.extend_from_slice(b"\xff\xfe\n");
    input.extend_from_slice(&vec![b'x'; 3 << 20]);
    input.extend_from_slice(b"\n");
    input.extend_from_slice(CALLS.as_bytes());
    let ran = priced(&house, &RETAIL, &input).ends(4);
    assert_eq!(
        ran.err,
        "3 lines are no call, the first at line 1: `duration` is `75`, not a time with its unit such as `75s`\n"
    );
    let reasons: Vec<_> = ran.out.lines().map(|line| line.contains("price.bad_call")).collect();
    assert_eq!(reasons, [true, false, false, false, true, true, false, false, false, false]);
    assert!(ran.out.contains("line 6: the line is too long for a call"), "{}", ran.out);
}

#[test]
fn a_program_may_ask_and_listen_in_turns() {
    let house = House::demo();
    let mut command = house.command(&[&["price"], &RETAIL[..]].concat());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut questions = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap());
    for line in CALLS.lines() {
        writeln!(questions, "{line}").unwrap();
        let mut answer = String::new();
        // Waits for ever if the answer waits for the next question.
        answers.read_line(&mut answer).unwrap();
        assert!(answer.starts_with("{\"id\":"), "{answer}");
    }
    drop(questions);
    assert!(child.wait().unwrap().success());
}

#[test]
fn what_cannot_be_asked_ends_with_2_and_what_is_wrong_in_the_files_with_3() {
    let house = House::demo();
    for (arguments, message) in [
        (&["--tariff", "nowhere.toml"][..], "error: there is no file `nowhere.toml`\n"),
        (
            &["--tariff", "demo/tariffs/retail-gb.toml", "demo/tariffs/retail-us.toml"],
            "error: the files hold several tariffs, `retail-gb`, `retail-us`: say which one with --id\n",
        ),
        (
            &["--tariff", "demo/tariffs/retail-gb.toml", "--id", "retail"],
            "error: there is no tariff `retail` in these files; there is `retail-gb`\n",
        ),
    ] {
        let ran = priced(&house, arguments, CALLS.as_bytes()).ends(2);
        assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", message));
    }
    let ran = priced(&house, &["--tariff", "demo/tariffs/retail-gb.toml", "--country", "UK"], b"").ends(2);
    assert!(ran.err.starts_with("error: no dial plan for country `UK`; the countries known are AG, "), "{}", ran.err);
    let ran = priced(&house, &["--tariff", "demo/tariffs/retail-gb.toml", "--zone", "London"], b"").ends(2);
    assert!(ran.err.contains("`London` is no IANA time zone such as Europe/London"), "{}", ran.err);
    house.edit("demo/tariffs/retail-gb.csv", "9,7.5,6", "9,7.5,x");
    let ran = priced(&house, &RETAIL, CALLS.as_bytes()).ends(3);
    assert!(ran.err.contains("error[tariff.bad_price]") && ran.out.is_empty(), "{}", ran.err);
}

#[test]
fn the_holidays_of_a_site_are_those_it_is_given() {
    let house = House::demo();
    house.edit("demo/tariffs/retail-gb.toml", "dates = [\"2026-12-25\", \"2026-12-28\"]", "calendar = \"site\"");
    let call = |site: &str, day: &str| {
        format!(
            "{{\"id\":\"{site}\",\"called\":\"+442079460958\",\"site\":\"{site}\",\"answered_at\":\"2026-{day}T12:00:00Z\",\"duration\":\"60s\"}}\n"
        )
    };
    // 3 August is a bank holiday in Scotland, 31 August elsewhere; both are Mondays.
    let calls: String = ["edi", "ldn"].map(|site| call(site, "08-03") + &call(site, "08-31")).concat();
    let zones = ["--zone", "edi=Europe/London", "--zone", "ldn=Europe/London"];
    let holidays = ["--holidays", "GB-ENG", "--holidays", "edi=GB-SCT"];
    let ran = priced(&house, &[&RETAIL[..], &zones, &holidays].concat(), calls.as_bytes()).ends(0);
    let bands: Vec<&str> =
        ran.out.lines().map(|line| line.split("\"band\":\"").nth(1).unwrap().split('"').next().unwrap()).collect();
    assert_eq!((bands, ran.err.as_str()), (vec!["weekend", "day", "day", "weekend"], ""));
    // Without any, no day is special, and that is said.
    let ran = priced(&house, &[&RETAIL[..], &zones].concat(), calls.as_bytes()).ends(0);
    assert!(!ran.out.contains("weekend") && ran.err.contains("tariff.site_calendar_missing"), "{}", ran.err);
    let ran = priced(&house, &[&RETAIL[..], &["--holidays", "GB"]].concat(), b"").ends(2);
    assert!(ran.err.contains("there is no calendar `GB`: write which one: `GB-ENG`"), "{}", ran.err);
}

#[test]
fn calls_by_a_cgrates_folder_have_these_prices() {
    let house = House::demo();
    let folder = repository("testdata/cgrates/bands");
    let folder = folder.to_str().unwrap();
    let calls = std::fs::read(format!("{folder}/calls.jsonl")).unwrap();
    let ran = priced(&house, &["--from", "cgrates", folder, "--currency", "EUR"], &calls).ends(0);
    assert_eq!(ran.err, "");
    golden("price_cgrates.jsonl", &ran.out);
    // 16:30 UTC is evening where the clock shows 19:30, as the last call is written, and peak by the clock of London.
    let ran = priced(&house, &["--from", "cgrates", folder, "--zone", "Europe/London"], &calls).ends(0);
    let last = ran.out.lines().last().unwrap();
    assert!(last.contains("\"band\":\"PEAK\"") && last.contains("\"currency\":\"XXX\""), "{last}");
    let mistakes = repository("testdata/findings/cgrates.unknown_reference");
    let ran = priced(&house, &["--from", "cgrates", mistakes.to_str().unwrap()], b"").ends(3);
    assert!(ran.err.contains("[cgrates.unknown_reference]"), "{}", ran.err);
    for (arguments, message) in [
        (["--from", "cgrates", "nowhere"], "there is no folder `nowhere`"),
        (["--from", "asterisell", folder], "there is no kind `asterisell` to price from; there is `cgrates`"),
    ] {
        assert!(priced(&house, &arguments, b"").ends(2).err.contains(message));
    }
}
