//! Input that means harm, or might as well: memory stays bounded, the terminal stays as it is, nothing waits for ever.

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use crate::house::{House, Ran};

/// Runs, and tells the most memory that was in use at once (of which a look every few milliseconds may miss the last).
fn peak_kib(house: &House, arguments: &[&str]) -> (Ran, u64) {
    // The peak of a process is in `/proc` until it ends; a pipe that is read late keeps it from ending.
    let mut child = house.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let path = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let status = std::fs::read_to_string(&path).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("");
        peak = line.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(peak).max(peak);
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    (Ran::of(&child.wait_with_output().unwrap()), peak)
}

/// The demo alone takes 27 MiB; a hostile file of 64 MiB and more may add a few chunks of 8 MiB, never itself.
fn stays_small(house: &House, rejected: u64) -> serde_json::Value {
    let (ran, peak) = peak_kib(house, &["run", "demo", "--dry-run", "--json", "--threads", "2"]);
    let ran = if ran.code == Some(4) { ran.ends(4) } else { ran.ends(0) };
    assert!(peak > 0 && peak < 60 << 10, "{peak} KiB at the peak");
    let json = ran.json();
    // The demo rejects one record of its own.
    assert_eq!(json["records"]["rejected"], 1 + rejected, "{json:#}");
    assert_eq!(json["calls"]["calls"], 36, "the other files are rated as ever");
    json
}

#[test]
fn a_line_of_64_mb_is_one_rejected_record() {
    let house = House::demo();
    // Behind a good record that is a duplicate of the demo's first, with another such record behind it.
    let first = std::fs::read_to_string(house.path("demo/cdr/ldn/Master-2026-10.csv")).unwrap();
    let first = first.lines().next().unwrap();
    let mut file = std::fs::File::create(house.path("demo/cdr/ldn/zz.csv")).unwrap();
    writeln!(file, "{first}").unwrap();
    let block = vec![b'x'; 1 << 20];
    for _ in 0..64 {
        file.write_all(&block).unwrap();
    }
    writeln!(file, "\n{first}").unwrap();
    let json = stays_small(&house, 1);
    assert_eq!(json["records"]["duplicate"], 1 + 2);
    // The same without any line end at all: no layout can be told, or one record is rejected; either way it is one.
    std::fs::write(house.path("demo/cdr/ldn/zz.csv"), vec![b'x'; 64 << 20]).unwrap();
    stays_small(&house, 1);
    // Quotes all the way.
    std::fs::write(house.path("demo/cdr/ldn/zz.csv"), vec![b'"'; 64 << 20]).unwrap();
    stays_small(&house, 1);
}

#[test]
fn a_bomb_of_zeros_is_one_rejected_record() {
    let house = House::demo();
    // 96 MiB of zeros in 96 KiB.
    let mut child = match Command::new("gzip").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn() {
        Ok(child) => child,
        Err(_) => {
            eprintln!("skipped: there is no `gzip` command");
            return;
        }
    };
    let mut input = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || {
        let zeros = vec![0; 1 << 20];
        for _ in 0..96 {
            input.write_all(&zeros).unwrap();
        }
    });
    let mut packed = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut packed).unwrap();
    writer.join().unwrap();
    child.wait().unwrap();
    assert!(packed.len() < 1 << 20);
    house.write("demo/cdr/ldn/zz.csv", packed);
    stays_small(&house, 1);
}

#[test]
fn names_that_act_on_a_terminal_are_shown_without_acting() {
    let house = House::demo();
    let name = "demo/cdr/ldn/\u{1b}[2J\u{1b}]0;x\u{7}line\nbreak\u{202e}.csv";
    house.write(name, "\u{1b}[31mred\u{1b}[0m,\u{9b}1m,three\n");
    let ran = house.rating(&["run", "demo"]);
    let ran = if ran.code == Some(4) { ran.ends(4) } else { ran.ends(0) };
    let shown = format!("{}{}", ran.out, ran.err);
    assert!(shown.contains("\u{fffd}[2J") && !shown.contains('\u{202e}'), "{shown}");
    // In JSON it is there, escaped.
    let json = house.rating(&["run", "demo", "--json"]);
    assert!(json.json().to_string().contains("\\u001b[2J"), "{}", json.out);
    // In settings too, and the place stays where it is.
    house.edit("demo/rating.toml", "name = \"Harbour", "\"n\u{9b}\u{202e}me\" = \"Harbour");
    let ran = house.rating(&["check", "demo"]).ends(3);
    assert!(ran.err.contains("--> rating.toml:6:1\n"), "{}", ran.err);
    assert!(!ran.err.contains('\u{202e}'), "{}", ran.err);
}

#[test]
fn a_huge_settings_file_is_judged_in_a_moment() {
    let house = House::demo();
    let text = std::fs::read_to_string(house.path("demo/rating.toml")).unwrap();
    let many: String = (0..50_000).map(|number| format!("key{number} = {number}\n")).collect();
    house.write("demo/rating.toml", text.clone() + &many);
    let ran = house.rating(&["check", "demo"]).ends(3);
    assert_eq!(ran.out, "demo: 50,000 errors\n");
    assert!(ran.err.ends_with("and 49,900 more, which --json lists too\n\n"), "{}", ran.err.len());
    // One line of a megabyte: what is shown of it is the place and a little around it.
    house.write("demo/rating.toml", text + "rejectd = \"" + &"x".repeat(1 << 20) + "\"\n");
    let ran = house.rating(&["check", "demo"]).ends(3);
    assert!(ran.err.contains("rejectd") && ran.err.len() < 1_000, "{}", ran.err.len());
}

#[test]
fn a_circle_of_links_ends() {
    let house = House::demo();
    for (target, link) in
        [(".", "demo/round"), ("..", "demo/cdr/up"), ("../nyc", "demo/cdr/ldn/nyc"), ("../ldn", "demo/cdr/nyc/ldn")]
    {
        std::os::unix::fs::symlink(target, house.path(link)).unwrap();
    }
    house.edit("demo/rating.toml", "cdr/ldn/*.csv", "cdr/ldn/**/*.csv");
    let json = house.rating(&["run", "demo", "--json"]).ends(0).json();
    // The two files of `nyc` are not `.csv`; the one of `ldn` is found once.
    assert_eq!(json["files"], 3);
    house.edit("demo/rating.toml", "cdr/ldn/**/*.csv", "**/*.csv");
    let ran = house.rating(&["check", "demo"]).ends(0);
    assert!(ran.out.starts_with("demo: "), "{}", ran.out);
}
