//! `rating run`: what it publishes, what it says, and how it ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::house::{House, Ran, golden};

/// The table without the line that tells the time.
fn steady(table: &str) -> String {
    table.lines().filter(|line| !line.ends_with(" a second")).map(|line| format!("{line}\n")).collect()
}

#[test]
fn code_0_a_month_is_published_and_the_second_run_has_nothing_to_do() {
    let house = House::demo();
    let first = house.rating(&["run", "demo"]).ends(0);
    // The month is the one that rating.toml names.
    assert!(first.out.starts_with("2026-10  published as 2026-10-"), "{}", first.out);
    assert!(first.out.contains("reports: demo/out/current/month=2026-10\n"), "{}", first.out);
    assert_eq!(first.err, "");
    assert!(house.path("demo/out/current/month=2026-10/manifest.json").is_file());
    // The lock tells which process had it last; all else is the month.
    let published = (house.tree("demo/out/current"), house.tree("demo/out/versions"));
    let second = house.rating(&["run", "demo"]).ends(0);
    assert!(second.out.starts_with("2026-10  nothing to do: 2026-10-"), "{}", second.out);
    assert!(
        (house.tree("demo/out/current"), house.tree("demo/out/versions")) == published,
        "a second run changed something"
    );
}

#[test]
fn the_closing_table_is_as_it_was_agreed() {
    let house = House::demo();
    let ran = house.rating(&["run", "demo", "--dry-run"]).ends(0);
    // The run's id changes with the software's version.
    let (_, after) = ran.out.split_once(": nothing was written").unwrap();
    golden("demo_table.txt", &steady(after));
}

#[test]
fn code_2_the_command_line_asks_for_what_is_not_there() {
    let house = House::demo();
    for (arguments, words) in [
        (&["run", "demo", "--mnoth", "2026-10"][..], "a similar argument exists: '--month'"),
        (&["chek", "demo"], "a similar subcommand exists: 'check'"),
        (&["run"], "<PROJECT>"),
        (&["run", "demo", "--month", "October"], "a month is written YYYY-MM, such as 2026-10"),
        (&["run", "demo", "--month", "2026-13"], "a month is written YYYY-MM, such as 2026-10"),
        (&["run", "demo", "--threads", "100000"], "give a number from 1 to 512"),
        (&["run", "demo", "--known-at", "yesterday"], "an instant is written such as 2026-11-01T00:00:00Z"),
        (&["run", "demo", "--site", "lnd"], "there is no site `lnd`; the sites are ldn, nyc"),
        (&["run", "demo/rating.toml"], "give the project's folder"),
        (&["run", "nowhere"], "there is no project at `nowhere`"),
        (&["check", "nowhere"], "there is no project at `nowhere`"),
        (&["generate", "demo"], "`demo` is there already and not empty"),
    ] {
        let ran = house.rating(arguments).ends(2);
        assert!(ran.err.contains(words), "{arguments:?}: {}", ran.err);
        assert_eq!(ran.out, "", "{arguments:?}");
    }
    assert!(!house.path("demo/out").exists());
}

#[test]
fn code_3_settings_directory_or_tariffs_are_invalid() {
    let house = House::demo();
    house.edit("demo/rating.toml", "\"Europe/London\"", "\"Europe/Lodnon\"");
    let ran = house.rating(&["run", "demo"]).ends(3);
    assert!(ran.err.ends_with("error: 1 error; nothing was rated\n"), "{}", ran.err);
    assert_eq!(ran.out, "");
    let json = house.rating(&["run", "demo", "--json"]).ends(3).json();
    assert_eq!(json["exit_code"], 3);
    assert_eq!(json["findings"][0]["code"], "settings.zone_unknown");
    assert_eq!(json["findings"][0]["labels"][0]["file"], "rating.toml");
    assert_eq!(json["findings"][0]["labels"][0]["line"], 8);
    assert!(!house.path("demo/out").exists());
}

#[test]
fn code_4_done_but_above_the_limit() {
    let house = House::demo();
    // 4 of 36 calls are suspended: 11 %.
    house.edit("demo/rating.toml", "suspended = \"25%\"", "suspended = \"11.1%\"");
    let ran = house.rating(&["run", "demo"]).ends(4);
    assert!(ran.out.contains("above the limits in rating.toml (exit code 4)"), "{}", ran.out);
    assert!(house.path("demo/out/current/month=2026-10/manifest.json").is_file());
    // It stays above the limit when it is asked again.
    house.rating(&["run", "demo"]).ends(4);
    // 4/36 is 11.11…%: a limit of 11.2 % is not exceeded.
    house.edit("demo/rating.toml", "\"11.1%\"", "\"11.2%\"");
    house.rating(&["run", "demo"]).ends(0);
}

#[test]
fn code_7_another_run_holds_the_lock() {
    let house = House::demo();
    house.rating(&["run", "demo"]).ends(0);
    let before = house.tree("demo/out/versions");
    house.write("demo/tariffs/exchange_rates.csv", "from_currency,to_currency,rate,from,until\n");
    // `flock` on the same file is what another run holds.
    let lock = std::fs::File::options().write(true).open(house.path("demo/out/.lock")).unwrap();
    lock.lock().unwrap();
    let ran = house.rating(&["run", "demo"]).ends(7);
    assert!(ran.err.starts_with("error: another run holds the lock: process "), "{}", ran.err);
    assert!(ran.err.contains("(`demo/out/.lock`)"), "{}", ran.err);
    assert!(house.tree("demo/out/versions") == before);
    // A dry run writes nothing and needs no lock; another output folder has a lock of its own.
    house.rating(&["run", "demo", "--dry-run"]).ends(0);
    house.rating(&["run", "demo", "--out", "elsewhere"]).ends(0);
    drop(lock);
    house.rating(&["run", "demo"]).ends(0);
}

#[test]
fn code_8_the_disk_refuses() {
    let house = House::demo();
    // The output folder is a file.
    house.write("taken", "x");
    let ran = house.rating(&["run", "demo", "--out", "taken"]).ends(8);
    assert!(ran.err.starts_with("error: cannot create the folder `taken`"), "{}", ran.err);
    // An input is a link to nothing.
    std::os::unix::fs::symlink("gone", house.path("demo/cdr/ldn/z.csv")).unwrap();
    let ran = house.rating(&["run", "demo"]).ends(8);
    assert!(ran.err.starts_with("error: cannot open `demo/cdr/ldn/z.csv`"), "{}", ran.err);
    assert_eq!(house.rating(&["run", "demo", "--json"]).ends(8).json()["exit_code"], 8);
    // An input is a pipe that nobody writes to: no waiting.
    std::fs::remove_file(house.path("demo/cdr/ldn/z.csv")).unwrap();
    if Command::new("mkfifo").arg(house.path("demo/cdr/ldn/z.csv")).status().is_ok_and(|status| status.success()) {
        let ran = house.rating(&["run", "demo"]).ends(8);
        assert!(ran.err.contains("it is a pipe or a device"), "{}", ran.err);
        std::fs::remove_file(house.path("demo/cdr/ldn/z.csv")).unwrap();
    }
    assert!(!house.path("demo/out/current").exists());
    house.rating(&["run", "demo"]).ends(0);
}

#[test]
fn code_8_no_space_left_for_the_reports_and_a_later_run_heals() {
    let house = House::demo();
    house.rating(&["run", "demo", "--month", "2026-09"]);
    let before = house.tree("demo/out/current");
    // No file may be larger than one block: the larger reports cannot be written. The signal that the system would
    // send is ignored, so that the write fails as it does on a full disk.
    let script = format!("trap '' XFSZ; ulimit -f 1; exec '{}' run demo", env!("CARGO_BIN_EXE_rating"));
    let output = house.command(&[]).get_current_dir().map(|folder| {
        Command::new("sh").args(["-c", &script]).current_dir(folder).env("RUST_BACKTRACE", "0").output().unwrap()
    });
    let ran = Ran::of(&output.unwrap()).ends(8);
    assert!(ran.err.contains("error: cannot write `demo/out/versions/.partial-"), "{}", ran.err);
    assert!(house.tree("demo/out/current") == before);
    let left: Vec<_> = std::fs::read_dir(house.path("demo/out/versions")).unwrap().collect();
    assert_eq!(left.len(), 1, "what was written aside is gone: {left:?}");
    house.rating(&["run", "demo"]).ends(0);
}

#[test]
fn code_8_standard_output_is_full_and_a_reader_that_stops_is_no_error() {
    let house = House::demo();
    if let Ok(full) = std::fs::File::options().write(true).open("/dev/full") {
        let output = house.command(&["run", "demo", "--dry-run"]).stdout(full).output().unwrap();
        let ran = Ran::of(&output).ends(8);
        assert!(ran.err.starts_with("error: cannot write to standard output"), "{}", ran.err);
    }
    for arguments in
        [&["run", "demo", "--json", "--dry-run"][..], &["completions", "bash"], &["check", "demo", "--json"]]
    {
        let mut child = house.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let ran = Ran::of(&child.wait_with_output().unwrap()).ends(0);
        assert_eq!(ran.err, "", "{arguments:?}");
    }
}

#[test]
fn code_130_an_interrupted_run_leaves_the_old_month_and_a_later_one_heals() {
    let house = House::demo();
    house.rating(&["run", "demo", "--threads", "1"]).ends(0);
    let old = house.tree("demo/out/current");
    // Many more records, so that there is time to interrupt.
    let line = std::fs::read_to_string(house.path("demo/cdr/ldn/Master-2026-10.csv")).unwrap();
    let line = line.lines().next().unwrap();
    let many: String = (0..40_000)
        .map(|number| format!("{}\n", line.replace("1790842502.66", &format!("1790842502.{number}"))))
        .collect();
    house.write("demo/cdr/ldn/many.csv", many);
    // A shell starts background jobs with SIGINT ignored, and they hand that on; `env` undoes it.
    let rating = house.command(&["run", "demo", "--threads", "1"]);
    let mut child = Command::new("env")
        .arg("--default-signal=INT")
        .arg(rating.get_program())
        .args(rating.get_args())
        .current_dir(house.path(""))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // In mid-run: the folder to write in is there, the version is not.
    let started = Instant::now();
    let is_writing = || {
        std::fs::read_dir(house.path("demo/out/versions"))
            .unwrap()
            .any(|entry| entry.unwrap().file_name().to_string_lossy().starts_with(".partial-"))
    };
    while !is_writing() && started.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(child.try_wait().unwrap().is_none(), "the run ended before it could be interrupted");
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let status = child.wait().unwrap();
    // Ended by signal 2: a shell calls that 128 + 2 = 130.
    assert_eq!((status.code(), status.signal()), (None, Some(2)));
    assert!(house.tree("demo/out/current") == old, "the old month changed");
    let healed = house.rating(&["run", "demo"]).ends(0);
    assert!(healed.out.starts_with("2026-10  published as "), "{}", healed.out);
    let names: Vec<_> =
        std::fs::read_dir(house.path("demo/out/versions")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "the old version and the new one: {names:?}");
    assert!(!house.path("demo/out/.work").exists());
}

#[test]
fn a_dry_run_changes_no_byte_and_comes_to_the_same_totals() {
    let house = House::demo();
    let before = house.tree("demo");
    let dry = house.rating(&["run", "demo", "--dry-run", "--json"]).ends(0).json();
    let dry_table = house.rating(&["run", "demo", "--dry-run"]).ends(0);
    assert!(dry_table.out.contains("nothing was written"), "{}", dry_table.out);
    assert!(house.tree("demo") == before, "a dry run changed something");
    let wet = house.rating(&["run", "demo", "--json"]).ends(0).json();
    assert_eq!((dry["published"].as_str(), wet["published"].as_str()), (Some("dry-run"), Some("now")));
    for key in
        ["run", "month", "files", "records", "calls", "retail", "wholesale", "suspended", "rejected", "above_limit"]
    {
        assert_eq!(dry[key], wet[key], "{key}");
        assert!(!wet[key].is_null(), "{key}");
    }
    // Still nothing, where a version is in force already.
    let before = house.tree("demo");
    house.rating(&["run", "demo", "--dry-run"]).ends(0);
    assert!(house.tree("demo") == before);
}

#[test]
fn json_and_table_have_the_same_figures() {
    let house = House::demo();
    let json = house.rating(&["run", "demo", "--json", "--dry-run"]).ends(0).json();
    let table = house.rating(&["run", "demo", "--dry-run"]).ends(0).out;
    let shown = |name: &str| {
        let line = table.lines().find(|line| line.trim_start().starts_with(name)).unwrap_or("");
        line.trim_start().strip_prefix(name).unwrap_or("").split_whitespace().next().unwrap_or("").replace(',', "")
    };
    for (name, figure) in [
        ("records read", &json["records"]["read"]),
        ("used in calls", &json["records"]["used"]),
        ("duplicates", &json["records"]["duplicate"]),
        ("rejected", &json["records"]["rejected"]),
        ("rated", &json["calls"]["rated"]),
        ("not chargeable", &json["calls"]["not_chargeable"]),
        ("suspended", &json["calls"]["suspended"]),
    ] {
        assert_eq!(shown(name), figure.to_string(), "{name}\n{table}");
    }
    assert_eq!(shown("occupiers pay"), json["retail"]["GBP"].as_str().unwrap());
    assert_eq!(shown("the operator pays"), json["wholesale"]["GBP"].as_str().unwrap());
    // Every record is accounted for.
    let records = json["records"].as_object().unwrap();
    let count = |key: &str| records[key].as_u64().unwrap();
    let accounted: u64 = records.keys().filter(|key| *key != "read").map(|key| count(key)).sum();
    assert_eq!(count("read"), accounted);
    assert!(count("read") > 0);
}

#[test]
fn the_retail_side_alone_is_a_draft_that_says_so() {
    let house = House::demo();
    let whole = house.rating(&["run", "demo"]).ends(0);
    let in_force = house.tree("demo/out/current");
    let half = house.rating(&["run", "demo", "--retail-only"]).ends(0);
    assert!(half.out.starts_with("2026-10  draft 2026-10-"), "{}", half.out);
    let operator_pays = half.out.lines().find(|line| line.contains("the operator pays")).unwrap();
    assert!(operator_pays.ends_with("  not rated"), "{operator_pays}");
    assert!(half.out.contains("rating.wholesale_not_rated (wholesale)"), "{}", half.out);
    let occupiers_pay = |text: &str| text.lines().find(|line| line.contains("occupiers pay")).map(str::to_owned);
    assert!(occupiers_pay(&half.out).is_some() && occupiers_pay(&half.out) == occupiers_pay(&whole.out));
    assert!(house.tree("demo/out/current") == in_force, "a draft came into force");
    // What would be another is asked of both sides.
    house.rating(&["run", "demo", "--retail-only", "--what-if", "tariff=t.toml"]).ends(2);
}

#[test]
fn one_site_is_a_draft_and_the_version_in_force_stays() {
    let house = House::demo();
    house.rating(&["run", "demo"]).ends(0);
    let before = (house.tree("demo/out/current"), house.tree("demo/out/versions"));
    let ran = house.rating(&["run", "demo", "--site", "ldn"]).ends(0);
    assert!(ran.out.starts_with("2026-10  draft 2026-10-"), "{}", ran.out);
    assert!((house.tree("demo/out/current"), house.tree("demo/out/versions")) == before);
    let folder = ran.out.lines().find_map(|line| line.trim().strip_prefix("reports: ")).unwrap();
    assert!(folder.starts_with("demo/out/drafts/"), "{folder}");
    assert!(house.path(folder).join("site=ldn").is_dir());
    assert!(!house.path(folder).join("site=nyc").exists());
}

#[test]
fn the_output_goes_where_it_is_asked_to_go() {
    let house = House::demo();
    let before = house.tree("demo");
    let ran = house.rating(&["run", "demo", "--out", "deep/down"]).ends(0);
    assert!(ran.out.contains("reports: deep/down/current/month=2026-10\n"), "{}", ran.out);
    assert!(house.path("deep/down/current/month=2026-10/all-sites").is_dir());
    assert!(house.tree("demo") == before);
}

#[test]
fn another_month_than_the_projects_may_be_asked_for() {
    let house = House::demo();
    let ran = house.rating(&["run", "demo", "--month", "2026-09", "--json"]).ends(0).json();
    assert_eq!(ran["month"], "2026-09");
    // Without a month anywhere, it is the last complete one.
    house.edit("demo/rating.toml", "month = \"2026-10\"", "");
    let ran = house.rating(&["run", "demo", "--dry-run", "--json"]);
    assert_eq!(ran.json()["month"].as_str().unwrap().len(), "2026-10".len());
}

/// The bar needs a terminal: `script` (util-linux) makes one.
#[test]
fn the_bar_is_for_terminals_only() {
    let house = House::demo();
    let piped = house.rating(&["run", "demo", "--dry-run"]).ends(0);
    assert!(!piped.err.contains("records") && !piped.err.contains('\r'), "{}", piped.err);
    let line = format!("'{}' run demo --dry-run", env!("CARGO_BIN_EXE_rating"));
    let script = Command::new("script")
        .args(["-qec", &line, "/dev/null"])
        .current_dir(house.path(""))
        .env("TERM", "xterm")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut child) = script else {
        eprintln!("skipped: there is no `script` command");
        return;
    };
    let _ = child.stdin.take().map(|mut input| input.write_all(b""));
    let mut shown = Vec::new();
    BufReader::new(child.stdout.take().unwrap()).read_to_end(&mut shown).unwrap();
    child.wait().unwrap();
    let shown = String::from_utf8_lossy(&shown);
    assert!(shown.contains("rating  ") && shown.contains(" left"), "{shown}");
    let lines = BufReader::new(shown.as_bytes()).lines().count();
    assert!(lines > 20, "the table is there too: {shown}");
}

/// Two files of three came: nothing is published before the third comes, or somebody accepts that it will not.
#[test]
fn a_missing_file_holds_up_the_month_until_it_comes_or_its_gap_is_accepted() {
    let house = House::demo();
    let file = "demo/cdr/ldn/Master-2026-10.csv";
    let text = std::fs::read_to_string(house.path(file)).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let (first, rest) = lines.split_at(lines.len() / 3);
    let (second, third) = rest.split_at(rest.len() / 2);
    std::fs::remove_file(house.path(file)).unwrap();
    for (number, lines) in [(1, first), (3, third)] {
        house.write(&format!("demo/cdr/ldn/Master_{number}.csv"), lines.join("\n") + "\n");
    }
    house.edit("demo/rating.toml", "[directory]", "[completeness]\naccepted = \"accepted.csv\"\n\n[directory]");
    house.write("demo/accepted.csv", "gap,accepted_by,reason\n");
    let settings = std::fs::read_to_string(house.path("demo/rating.toml")).unwrap();
    let at = settings.find("cdr/ldn/").unwrap();
    let line = settings[at..].find('\n').unwrap() + at;
    let after = settings[line..].find("\n\n").unwrap() + line;
    let expect = "\n\n[source.expect]\nname = \"Master_{sequence}.csv\"";
    house.write("demo/rating.toml", format!("{}{expect}{}", &settings[..after], &settings[after..]));
    let source = settings[..at].rsplit("id = \"").next().unwrap().split('"').next().unwrap().to_owned();

    let before = house.tree("demo/out/current");
    let refused = house.rating(&["run", "demo"]).ends(6);
    assert!(
        refused.err.contains("run.incomplete") && refused.err.contains(&format!("{source}:sequence:2")),
        "{}",
        refused.err
    );
    assert_eq!(house.tree("demo/out/current"), before);
    // A dry run goes on, and ends with the same code.
    house.rating(&["run", "demo", "--dry-run"]).ends(6);

    house
        .write("demo/accepted.csv", format!("gap,accepted_by,reason\n{source}:sequence:2,J. Moor,the disk was lost\n"));
    let accepted = house.rating(&["run", "demo", "--json"]);
    assert!(accepted.out.contains("\"published\""), "{}", accepted.out);
    let manifest = std::fs::read_to_string(house.path("demo/out/current/month=2026-10/manifest.json")).unwrap();
    assert!(manifest.contains("J. Moor") && manifest.contains("the disk was lost"), "{manifest}");

    // The file comes after all: the acceptance has nothing to accept, and every record of the demo is there.
    house.write("demo/cdr/ldn/Master_2.csv", second.join("\n") + "\n");
    let whole = house.rating(&["run", "demo"]);
    assert!(whole.err.contains("run.nothing_to_accept"), "{}", whole.err);
}
