//! Bad input is harmless: nothing panics, every record is accounted for, and what is good is rated as ever.

use std::io::{ErrorKind, Write};
use std::path::Path;

use rating_core::run::control::Counts;
use rating_core::run::publish::Published;
use rating_core::run::storage::{Disk, Failing, Storage};
use rating_core::run::{Options, RunError, Silent, Summary, month};
use rating_core::time::Month;

/// The demo project in a folder of its own.
struct Demo(tempfile::TempDir);

impl Demo {
    fn new() -> Self {
        let demo = Self(tempfile::tempdir().unwrap());
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/demo"), demo.0.path());
        demo
    }

    fn write(&self, path: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.0.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        self
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.0.path().join(path)).unwrap()
    }

    fn edit(&self, path: &str, from: &str, to: &str) -> &Self {
        let text = self.read(path);
        assert!(text.contains(from), "{path} has no {from:?}");
        self.write(path, text.replacen(from, to, 1))
    }

    fn options(&self) -> Options {
        Options { threads: 1, ..Options::new(self.0.path(), Month::parse("2026-10").unwrap()) }
    }

    fn try_run(&self, storage: &dyn Storage) -> Result<Summary, RunError> {
        month(storage, &self.options(), &Silent)
    }

    /// Runs, and asserts that nothing vanished.
    #[track_caller]
    fn run(&self) -> Summary {
        let summary = self.try_run(&Disk).unwrap();
        summary.records.check("all files").unwrap();
        summary.calls.check().unwrap();
        summary
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        // What a person's own run left behind is no part of the demo.
        if entry.file_name() == "out" {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

/// The demo's own records: 42 read, of which 36 are calls, 1 is a duplicate, 2 are not calls, 2 are of other months, 1
/// is rejected.
const DEMO: Counts =
    Counts { records: 42, used: 36, merged: 0, duplicate: 1, not_a_call: 2, other_period: 2, waiting: 0, rejected: 1 };

/// A call of 61 seconds on 20 October, with a unique id of its own. 08:15:02Z on that day is 1792484102.
fn record(number: u32) -> String {
    timed(number, "2026-10-20 09:15:02", "2026-10-20 09:15:09", "2026-10-20 09:16:10", "68", "61")
}

fn timed(number: u32, start: &str, answer: &str, end: &str, duration: &str, talk: &str) -> String {
    format!(
        "\"\",\"2001\",\"901614960123\",\"from-internal\",\"\"\"Desk 2001\"\" <2001>\",\"PJSIP/2001-00{number:06x}\",\
         \"PJSIP/carrier-00{number:06x}\",\"Dial\",\"PJSIP/901614960123@carrier,60,T\",\"{start}\",\"{answer}\",\"{end}\",\
         {duration},{talk},\"ANSWERED\",\"DOCUMENTATION\",\"1792484102.{number}\",\"\"\n"
    )
}

/// What a file adds to the demo's counts: used, duplicate, other months, rejected.
#[track_caller]
fn adds(content: impl AsRef<[u8]>, expected: [u64; 4]) -> Summary {
    let demo = Demo::new();
    demo.write("cdr/ldn/zz.csv", content);
    let summary = demo.run();
    let records = summary.records;
    let added = [
        records.used - DEMO.used,
        records.duplicate - DEMO.duplicate,
        records.other_period - DEMO.other_period,
        records.rejected - DEMO.rejected,
    ];
    assert_eq!(added, expected, "{:?} {:#?}", summary.rejected, summary.warnings);
    assert_eq!((records.not_a_call, records.merged, records.waiting), (DEMO.not_a_call, 0, 0));
    summary
}

#[track_caller]
fn rejects(summary: &Summary, code: &str) {
    assert!(summary.rejected.iter().any(|aside| aside.code == code), "{code}: {:?}", summary.rejected);
}

#[track_caller]
fn warns(summary: &Summary, code: &str) {
    assert!(summary.warnings.iter().any(|finding| finding.code == code), "{code}: {:?}", summary.warnings);
}

#[test]
fn the_demo_alone_is_as_stated() {
    assert_eq!(Demo::new().run().records, DEMO);
}

#[test]
fn an_empty_file_or_a_header_alone_has_no_records() {
    adds("", [0; 4]);
    adds("\n\n\r\n", [0; 4]);
    adds("\u{feff}", [0; 4]);
    adds(
        "accountcode,src,dst,dcontext,clid,channel,dstchannel,lastapp,lastdata,start,answer,end,duration,billsec,disposition,amaflags,uniqueid\n",
        [0; 4],
    );
    let demo = Demo::new();
    demo.write("cdr/nyc/cdr_empty", "");
    assert_eq!(demo.run().records, DEMO);
}

#[test]
fn a_file_cut_off_anywhere_loses_its_last_record_only() {
    let whole = [record(1), record(2), record(3)].concat();
    let two = record(1).len() + record(2).len();
    for cut in [two + 1, two + 20, two + 100, whole.len() - 20] {
        let summary = adds(&whole[..cut], [2, 0, 0, 1]);
        rejects(&summary, "cdr.truncated");
    }
    // Cut at the line end: nothing is missing.
    adds(&whole[..whole.len() - 1], [3, 0, 0, 0]);
    adds(&whole[..two], [2, 0, 0, 0]);
}

#[test]
fn nul_bytes_spoil_the_record_that_holds_them() {
    let spoilt = record(2).replace("901614960123\",\"from", "9016\x0014960123\",\"from");
    let summary = adds([record(1), spoilt, record(3)].concat(), [2, 0, 0, 1]);
    rejects(&summary, "cdr.nul_bytes");
    // A block of them, as a crash leaves it at the end of a file.
    let mut content = record(1).into_bytes();
    content.extend([0; 5_000]);
    adds(content, [1, 0, 0, 1]);
}

#[test]
fn utf_16_is_refused_with_words() {
    let text = record(1);
    let little: Vec<u8> = [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let big: Vec<u8> = [0xfe, 0xff].into_iter().chain(text.encode_utf16().flat_map(u16::to_be_bytes)).collect();
    for content in [little, big] {
        let summary = adds(content, [0, 0, 0, 1]);
        rejects(&summary, "cdr.file_utf16");
        warns(&summary, "cdr.file_utf16");
    }
    // Without its mark it is a file of NULs; no record of it is taken for a call.
    let bare: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let demo = Demo::new();
    demo.write("cdr/ldn/zz.csv", bare);
    let records = demo.run().records;
    assert_eq!(records.used, DEMO.used);
    assert!(records.rejected > DEMO.rejected);
}

#[test]
fn names_in_latin_1_are_names() {
    let mut content = Vec::new();
    for byte in record(1).replace("Desk 2001", "Zo\u{eb} M\u{fc}ller").chars() {
        content.push(u8::try_from(u32::from(byte)).unwrap());
    }
    adds(content, [1, 0, 0, 0]);
}

#[test]
fn a_quote_never_closed_costs_its_own_record() {
    let open = record(2).replace("\"ANSWERED\",\"DOCUMENTATION\"", "\"ANSWERED,DOCUMENTATION");
    let good: String = (10..60).map(record).collect();
    let summary = adds([record(1), open, good].concat(), [51, 0, 0, 1]);
    assert_eq!(summary.calls.calls, 36 + 51);
}

#[test]
fn a_million_columns_are_one_rejected_record() {
    let summary = adds(record(1) + &",".repeat(999_999) + "\n" + &record(2), [2, 0, 0, 1]);
    rejects(&summary, "cdr.too_many_columns");
}

#[test]
fn lines_of_any_length_are_one_record_each() {
    for length in [(1 << 20) - 1, 1 << 20, (1 << 20) + 1, (8 << 20) - 7, 8 << 20, 20 << 20] {
        adds(record(1) + &"x".repeat(length) + "\n" + &record(2), [2, 0, 0, 1]);
    }
}

#[test]
fn times_that_cannot_be_are_rejected_or_suspended_and_never_charged() {
    let (start, answer, end) = ("2026-10-20 09:15:02", "2026-10-20 09:15:09", "2026-10-20 09:16:10");
    let plain = adds(record(1), [1, 0, 0, 0]).retail;
    for (talk, duration) in
        [("-61", "68"), ("61", "-68"), ("-9223372036854775808", "68"), ("1e9", "68"), ("NaN", "68"), ("", "68")]
    {
        let demo = Demo::new();
        demo.write("cdr/ldn/zz.csv", timed(1, start, answer, end, duration, talk));
        let summary = demo.run();
        assert!(summary.retail != plain || talk == "61", "{talk}: charged as if nothing were wrong");
    }
    for huge in ["99999999999999999999", "9223372036854775807", "4294967296"] {
        let demo = Demo::new();
        demo.write("cdr/ldn/zz.csv", timed(1, start, answer, end, huge, huge));
        let summary = demo.run();
        assert_eq!(summary.records.records, DEMO.records + 1, "{huge}");
        assert_eq!(summary.retail, Demo::new().run().retail, "{huge}: {:?}", summary.suspended);
    }
    // End before start.
    let demo = Demo::new();
    demo.write("cdr/ldn/zz.csv", timed(1, end, answer, start, "68", "61"));
    demo.run();
}

#[test]
fn the_years_1970_and_2099_are_of_no_month_that_is_run() {
    // A switch whose clock was never set writes 1970, one set wrong any year: outside 1990 to 2089 that is no time of a
    // call, and is shown as rejected.
    for (year, number, expected) in
        [(1970, 1, [0, 0, 0, 1]), (1999, 2, [0, 0, 1, 0]), (2025, 3, [0, 0, 1, 0]), (2099, 4, [0, 0, 0, 1])]
    {
        let day = |time: &str| format!("{year}-10-20 {time}");
        let text = timed(number, &day("09:15:02"), &day("09:15:09"), &day("09:16:10"), "68", "61")
            .replace(&format!("\"1792484102.{number}\""), "\"\"");
        adds(text, expected);
    }
}

#[test]
fn the_same_file_twice_is_charged_once() {
    let demo = Demo::new();
    let master = demo.read("cdr/ldn/Master-2026-10.csv");
    let before = demo.run();
    demo.write("cdr/ldn/copy of Master.csv", &master);
    let after = demo.run();
    assert_eq!((&after.retail, &after.wholesale, after.calls), (&before.retail, &before.wholesale, before.calls));
    assert!(after.records.duplicate > before.records.duplicate + 10);
    warns(&after, "run.same_content");
    // Packed, its bytes are others, its records are not.
    let demo = Demo::new();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(master.as_bytes()).unwrap();
    demo.write("cdr/ldn/zz.csv", packed.finish().unwrap());
    let packed = demo.run();
    assert_eq!((&packed.retail, packed.records), (&after.retail, after.records));
    // Named by two patterns, it is one file.
    let demo = Demo::new();
    demo.edit("rating.toml", "[\"cdr/ldn/*.csv\"]", "[\"cdr/ldn/*.csv\", \"cdr/ldn/Master*\", \"cdr/*/*.csv\"]");
    assert_eq!(demo.run().records, DEMO);
}

#[test]
fn a_folder_that_matches_is_warned_of_and_an_unreadable_file_stops_the_run() {
    let demo = Demo::new();
    demo.write("cdr/ldn/folder.csv/readme.txt", "x");
    let summary = demo.run();
    assert_eq!(summary.records, DEMO);
    warns(&summary, "project.folder_matches");
    for target in ["gone", "zz.csv", "/dev/zero"] {
        let demo = Demo::new();
        std::os::unix::fs::symlink(target, demo.0.path().join("cdr/ldn/zz.csv")).unwrap();
        let error = demo.try_run(&Disk).unwrap_err();
        assert!(matches!(error, RunError::Storage(_)), "{target}: {error}");
        assert!(error.to_string().contains("zz.csv"), "{error}");
        assert!(!demo.0.path().join("out/current").exists());
    }
}

#[test]
fn packed_files_that_are_cut_give_what_came_before_the_cut() {
    let text: String = (0..500).map(record).collect();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    for packed in [gzip.finish().unwrap(), zstd::encode_all(text.as_bytes(), 1).unwrap()] {
        adds(&packed, [500, 0, 0, 0]);
        for cut in [2, 4, 5, 20, packed.len() / 2, packed.len() - 1] {
            let demo = Demo::new();
            demo.write("cdr/ldn/zz.csv", &packed[..cut]);
            let summary = demo.run();
            assert!(summary.records.used <= DEMO.used + 500 && summary.records.used >= DEMO.used);
            assert!(summary.records.rejected > DEMO.rejected || !summary.warnings.is_empty(), "cut at {cut} is silent");
        }
        let mut spoilt = packed.clone();
        let middle = spoilt.len() / 2;
        spoilt[middle] ^= 0x55;
        let demo = Demo::new();
        demo.write("cdr/ldn/zz.csv", spoilt);
        let summary = demo.run();
        assert!(summary.records.rejected > DEMO.rejected || !summary.warnings.is_empty(), "damage is silent");
    }
}

#[test]
fn a_missing_tariff_suspends_its_calls_or_is_a_finding() {
    // Nobody is on a retail tariff in London: suspended, not free.
    let demo = Demo::new();
    demo.edit("tariffs/assignments.csv", "retail,*,ldn,retail-gb,2026-01-01,\n", "");
    let summary = demo.run();
    assert!(summary.suspended.iter().any(|aside| aside.code == "rating.no_tariff_assigned"), "{:?}", summary.suspended);
    assert!(summary.retail.iter().all(|(currency, _)| currency.code() == "USD"), "{:?}", summary.retail);
    assert!(summary.above_limit);
    // A tariff that is named and not there is a finding.
    let demo = Demo::new();
    std::fs::remove_file(demo.0.path().join("tariffs/retail-gb.toml")).unwrap();
    let Err(RunError::Invalid(findings)) = demo.try_run(&Disk) else { panic!("a missing tariff was not noticed") };
    assert!(findings.iter().all(|finding| finding.code == "assignment.unknown_tariff"), "{findings:?}");
    // So is a deck.
    let demo = Demo::new();
    std::fs::remove_file(demo.0.path().join("tariffs/retail-gb.csv")).unwrap();
    let Err(RunError::Invalid(findings)) = demo.try_run(&Disk) else { panic!("a missing deck was not noticed") };
    assert_eq!(findings.len(), 1, "{findings:?}");
}

#[test]
fn a_missing_exchange_rate_blanks_the_margin_and_nothing_else() {
    // New York's calls are bought in US dollars; here they are sold in pounds.
    let sold_in_pounds = |rates: Option<&str>| {
        let demo = Demo::new();
        demo.edit("tariffs/retail-us.toml", "currency = \"USD\"", "currency = \"GBP\"")
            .edit("tariffs/retail-us.toml", "prices = \"USD/min\"", "prices = \"GBP/min\"")
            .edit("tariffs/retail-us.toml", "0.01USD", "0.01GBP")
            .edit("tariffs/retail-us.csv", "0.05USD", "0.05GBP")
            .edit("tariffs/retail-us.csv", "1.99USD", "1.99GBP");
        match rates {
            Some(text) => demo.write("tariffs/exchange_rates.csv", text),
            None => demo.edit("rating.toml", "exchange_rates = \"tariffs/exchange_rates.csv\"", ""),
        };
        let summary = demo.run();
        let path = "out/current/month=2026-10/all-sites";
        let name = std::fs::read_dir(demo.0.path().join(path))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .find(|name| name.contains("charges") && name.ends_with(".machine.csv"))
            .unwrap();
        (summary, demo.read(&format!("{path}/{name}")))
    };
    const HEADER: &str = "from_currency,to_currency,rate,from,until\n";
    let (with, charges) = sold_in_pounds(Some(&format!("{HEADER}USD,GBP,0.7612,2026-01-01,\n")));
    for rates in [None, Some(HEADER.to_owned()), Some(format!("{HEADER}USD,GBP,0.7612,2026-01-01,2026-10-01\n"))] {
        let (without, blank) = sold_in_pounds(rates.as_deref());
        assert_eq!((&with.retail, &with.wholesale, with.calls), (&without.retail, &without.wholesale, without.calls));
        assert_eq!(with.suspended, without.suspended);
        assert_eq!(charges.lines().next(), blank.lines().next());
        let columns: Vec<&str> = charges.lines().next().unwrap().split(',').collect();
        let mut blanked = 0;
        for (one, other) in charges.lines().zip(blank.lines()).skip(1) {
            for ((one, other), column) in one.split(',').zip(other.split(',')).zip(&columns) {
                if one != other {
                    assert!(column.contains("margin") && other.is_empty(), "{column}: {one} became {other}");
                    blanked += 1;
                }
            }
        }
        assert!(blanked > 0, "{charges}\n{blank}");
    }
}

/// The month that readers see, as its manifest, or nothing.
fn seen(demo: &Demo) -> Option<String> {
    let current = demo.0.path().join("out/current/month=2026-10");
    let manifest = std::fs::read_to_string(current.join("manifest.json")).ok()?;
    let parsed: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    for output in parsed["outputs"].as_array().unwrap() {
        let path = current.join(output["path"].as_str().unwrap());
        let length = std::fs::metadata(&path).map_or(0, |metadata| metadata.len());
        assert_eq!(Some(length), output["bytes"].as_u64(), "{}", path.display());
    }
    Some(manifest)
}

#[test]
fn wherever_space_runs_out_a_reader_sees_the_old_month_or_the_new_one() {
    let demo = Demo::new();
    demo.run();
    let old = seen(&demo).unwrap();
    demo.write("cdr/ldn/zz.csv", record(1));
    let reset = |version: &str| {
        let out = demo.0.path().join("out");
        for entry in std::fs::read_dir(out.join("versions")).unwrap() {
            let entry = entry.unwrap();
            if entry.file_name() != *version {
                std::fs::remove_dir_all(entry.path()).unwrap();
            }
        }
        let link = out.join("current/month=2026-10");
        std::fs::remove_file(&link).unwrap();
        std::os::unix::fs::symlink(format!("../versions/{version}/month=2026-10"), &link).unwrap();
    };
    let old_run = serde_json::from_str::<serde_json::Value>(&old).unwrap()["run"].as_str().unwrap().to_owned();
    let counting = Failing::new(Disk, u64::MAX, false, ErrorKind::StorageFull);
    demo.try_run(&counting).unwrap();
    let new = seen(&demo).unwrap();
    assert_ne!(old, new);
    let calls = counting.calls();
    assert!(calls > 100, "{calls} calls to the disk");
    for for_ever in [false, true] {
        // Every call near the ends, where the order matters, and some of those between, which write reports.
        for call in (1..=calls).filter(|call| *call < 20 || *call + 30 > calls || call % 11 == 0) {
            reset(&old_run);
            let failing = Failing::new(Disk, call, for_ever, ErrorKind::StorageFull);
            let result = demo.try_run(&failing);
            let shown = seen(&demo).unwrap();
            match result {
                Ok(_) => assert_eq!(shown, new, "call {call}"),
                Err(RunError::Storage(_) | RunError::Invalid(_)) => {
                    assert!(shown == old || shown == new, "call {call}")
                }
                Err(error) => panic!("call {call}: {error}"),
            }
        }
        // A later run heals whatever the last one left.
        let healed = demo.run();
        assert!(matches!(healed.published, Published::Now | Published::Already));
        assert_eq!(seen(&demo).unwrap(), new);
    }
}

/// Codes of suspended calls and how many there are of each.
fn suspended(summary: &Summary) -> Vec<(String, u64)> {
    summary.suspended.iter().map(|aside| (aside.code.clone(), aside.count)).collect()
}

#[test]
fn a_slip_in_a_trunk_pattern_suspends_calls_and_frees_none() {
    let demo = Demo::new();
    let right = demo.run();
    demo.edit("rating.toml", "trunks = [\"PJSIP/carrier*\"]", "trunks = [\"SIP/carrier*\"]");
    let wrong = demo.run();
    // What was charged in London is not free: whatever the switch sent out by a channel that is nobody's extension waits.
    assert!(wrong.calls.suspended >= right.calls.suspended + 15, "{:?}", wrong.calls);
    assert!(suspended(&wrong).iter().any(|(code, count)| code == "rating.direction_unknown" && *count >= 15));
}

#[test]
fn a_refused_file_is_above_every_limit_and_named_in_the_exceptions() {
    let demo = Demo::new();
    demo.edit("rating.toml", "rejected = \"10%\"", "rejected = \"100%\"");
    assert!(!demo.run().above_limit);
    demo.write("cdr/ldn/b.csv", [0xff, 0xfe, b'x', 0]);
    let summary = demo.run();
    assert!(summary.above_limit);
    let month = demo.0.path().join("out/current/month=2026-10/all-sites");
    let exceptions = std::fs::read_to_string(month.join("202610_all-sites_exceptions.machine.csv")).unwrap();
    assert!(exceptions.lines().any(|line| line.contains("cdr.file_utf16") && line.contains("cdr/ldn/b.csv")));
    let listed = std::fs::read_to_string(month.join("202610_all-sites_rejected-records.machine.csv")).unwrap();
    assert!(listed.contains("cdr/ldn/b.csv,,0,cdr.file_utf16,,the file is UTF-16"), "{listed}");
}

#[test]
fn what_was_known_earlier_is_a_draft() {
    let demo = Demo::new();
    let now = demo.run();
    let known_at = rating_core::time::Instant::parse_rfc3339("2026-10-01T00:00:00Z");
    let then = month(&Disk, &Options { known_at, ..demo.options() }, &Silent).unwrap();
    assert_eq!((now.published, then.published), (Published::Now, Published::Draft));
    assert_eq!(demo.run().published, Published::Already);
}

#[test]
fn a_clock_that_is_right_is_not_warned_of_in_another_months_run() {
    let demo = Demo::new();
    for asked in ["2026-10", "2026-11", "2027-01", "2026-07"] {
        let options = Options { month: Month::parse(asked), dry_run: true, ..demo.options() };
        let summary = month(&Disk, &options, &Silent).unwrap();
        assert!(summary.warnings.is_empty(), "{asked}: {:?}", summary.warnings);
    }
}

#[test]
fn a_tariff_with_a_mistake_is_not_also_a_tariff_that_nobody_knows() {
    let demo = Demo::new();
    demo.edit("tariffs/retail-gb.toml", "from = \"2026-01-01\"", "from = 2026-01-01");
    let Err(RunError::Invalid(findings)) = demo.try_run(&Disk) else { panic!("a bare date is refused") };
    let codes: Vec<&str> = findings.iter().map(|finding| finding.code).collect();
    assert!(!codes.contains(&"assignment.unknown_tariff") && codes.contains(&"settings.wrong_type"), "{codes:?}");
}

#[test]
fn the_same_file_under_two_sources_of_a_site_is_charged_once() {
    let demo = Demo::new();
    let once = demo.run();
    demo.edit("rating.toml", "[directory]", "[[source]]\nid = \"again\"\nsite = \"ldn\"\nformat = \"asterisk\"\nfiles = [\"copy/*.csv\"]\nzone = \"Europe/London\"\ntrunks = [\"PJSIP/carrier*\"]\n\n[directory]");
    demo.write("copy/x.csv", demo.read("cdr/ldn/Master-2026-10.csv"));
    let twice = demo.run();
    assert_eq!((once.calls, once.retail, once.wholesale), (twice.calls, twice.retail, twice.wholesale));
}

#[test]
fn a_published_month_that_lost_a_file_is_made_again() {
    let demo = Demo::new();
    demo.run();
    let month = demo.0.path().join("out/current/month=2026-10");
    let path = month.join("all-sites/202610_all-sites_call-charges.csv");
    let content = std::fs::read(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(demo.run().published, Published::Now);
    assert_eq!(std::fs::read(&path).unwrap(), content);
    std::fs::write(&path, [content.as_slice(), b"1"].concat()).unwrap();
    assert_eq!(demo.run().published, Published::Now);
    assert_eq!(demo.run().published, Published::Already);
    assert_eq!(std::fs::read_dir(demo.0.path().join("out/versions")).unwrap().count(), 1);
}

#[test]
fn a_lock_that_leads_elsewhere_is_refused() {
    let demo = Demo::new();
    demo.write("victim", "keep").write("out/x", "");
    std::os::unix::fs::symlink("../victim", demo.0.path().join("out/.lock")).unwrap();
    assert!(matches!(demo.try_run(&Disk), Err(RunError::Storage(_))));
    assert_eq!(demo.read("victim"), "keep");
}

/// Two halves of a call through a `Local` channel, as one switch writes them; `serial` tells the switch's calls apart.
fn halves(extension: &str, dialled: &str, at: &str, seconds: u32, serial: u32) -> String {
    let end = format!(
        "2026-10-06 11:{:02}:{:02}",
        at[..2].parse::<u32>().unwrap() + seconds / 60,
        &at[3..].parse::<u32>().unwrap()
    );
    let row = |channel: &str, to: &str, id: u32| {
        format!(
            "\"\",\"{extension}\",\"{dialled}\",\"from-internal\",\"\",\"{channel}\",\"{to}\",\"Dial\",\"\",\"2026-10-06 11:{at}\",\
             \"2026-10-06 11:{at}\",\"{end}\",{seconds},{seconds},\"ANSWERED\",\"DOCUMENTATION\",\"17900{id:05}.{id}\",\"\"\n"
        )
    };
    row(&format!("PJSIP/{extension}-{serial:08x}"), "Local/s@queue-00000001;1", serial)
        + &row("Local/s@queue-00000001;2", &format!("PJSIP/carrier-{serial:08x}"), serial + 1)
}

#[test]
fn two_switches_of_a_site_may_name_their_channels_alike() {
    let demo = Demo::new();
    let block = "[[source]]\nid = \"second\"\nsite = \"ldn\"\nformat = \"asterisk\"\nfiles = [\"second/*.csv\"]\nzone = \"Europe/London\"\ntrunks = [\"PJSIP/carrier*\"]\n\n[directory]";
    demo.edit("rating.toml", "[directory]", block);
    demo.write("cdr/ldn/Master-2026-10.csv", halves("2001", "901614960123", "00:00", 60, 1));
    demo.write("second/b.csv", halves("2011", "901614960200", "00:30", 600, 101));
    let summary = demo.run();
    // 2001: 3p + 2.4p = 5.4p. 2011: 3p + 10 × 2.4p = 27p. Together 32.4p, and each pair is one call and one merged leg.
    assert_eq!((summary.records.used, summary.records.merged), (2 + 12, 2), "{:?}", summary.records);
    let pounds = summary.retail.iter().find(|(currency, _)| currency.code() == "GBP").unwrap();
    assert_eq!(pounds.1.to_string(), "0.324");
}
