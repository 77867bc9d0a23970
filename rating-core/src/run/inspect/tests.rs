use std::path::PathBuf;

use super::super::storage::Disk;
use super::*;
use crate::finding::settings::Section;
use crate::finding::{Findings, SourceText};

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../testdata").join(name)
}

#[track_caller]
fn look(name: &str) -> Inspection {
    inspect(&Disk, &fixture(name), &Known::default()).unwrap()
}

#[test]
fn every_record_of_a_file_is_counted_once() {
    for name in [
        "asterisk/freepbx_table_all_widths.csv",
        "asterisk/halves_of_local_channels.csv",
        "asterisk/rejected_each_for_its_reason.csv",
        "cucm/conferences_and_recordings.txt",
        "cucm/quality_records.txt",
    ] {
        let tally = look(name).tally;
        let rejected: u64 = tally.rejected.values().map(|(count, ..)| count).sum();
        let not_calls: u64 = tally.not_calls.values().sum();
        assert_eq!(
            tally.records,
            tally.answered + tally.unanswered + tally.duplicates + not_calls + rejected,
            "{name}"
        );
        assert!(tally.records > 0, "{name}");
    }
}

#[test]
fn the_clock_is_told_by_the_ids_and_the_zones_that_had_it_then_are_named() {
    // testdata/zones writes uniqueids an hour behind the clock: British summer time.
    let mut file = tempfile::NamedTempFile::new().unwrap();
    for second in 0..5 {
        // 2026-07-01 09:00:0n on the clock is 08:00:0n UTC = 1782892800 + n.
        let line = format!(
            "\"\",\"101\",\"0207946000\",\"internal\",\"101\",\"SIP/101-01\",\"SIP/trunk-02\",\"Dial\",\"\",\"2026-07-01 09:00:0{second}\",\
             \"2026-07-01 09:00:1{second}\",\"2026-07-01 09:01:1{second}\",70,60,\"ANSWERED\",\"DOCUMENTATION\",\"{}.1\"\n",
            1_782_892_800 + second
        );
        std::io::Write::write_all(&mut file, line.as_bytes()).unwrap();
    }
    let found = inspect(&Disk, file.path(), &Known::default()).unwrap();
    assert_eq!(found.clock.map(|(minutes, evidence, _)| (minutes, evidence)), Some((60, 5)));
    assert!(found.zones.starts_with(&["Europe/London", "Europe/Dublin", "Europe/Lisbon"]), "{:?}", found.zones);
    let block = &source_blocks(&[found], &Known::default())[0];
    assert!(block.contains("zone = \"Europe/London\""), "{block}");
    assert!(block.contains("trunks = [\"SIP/trunk\"]"), "{block}");
}

#[test]
fn the_block_to_paste_is_toml_that_names_known_settings_alone() {
    for name in ["asterisk/freepbx_table_all_widths.csv", "cucm/names_and_types.txt"] {
        let found = look(name);
        let text = source_blocks(&[found], &Known::default())[0].clone();
        let mut findings = Findings::default();
        let file = Section::parse(&SourceText::new("rating.toml", text.clone()), &mut findings);
        let section = file.tables("source", &mut findings).pop().unwrap();
        for key in ["id", "site", "format", "layout", "zone"] {
            section.text(key, &mut findings);
        }
        for key in ["files", "trunks"] {
            section.texts(key, &mut findings);
        }
        section.finish(&mut findings);
        file.finish(&mut findings);
        assert!(findings.is_empty(), "{text}\n{findings:?}");
    }
}

#[test]
fn a_file_that_cannot_be_read_says_why_and_what_to_do() {
    let found = look("cucm/types_only.txt");
    assert_eq!(found.format, Some(Format::CiscoCucm));
    let (what, help) = found.refused.unwrap();
    assert!(what.contains("types") && help.contains("first line"), "{what}: {help}");
    let mut file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file, b"Dear all,\nplease find the calls attached.\n").unwrap();
    let found = inspect(&Disk, file.path(), &Known::default()).unwrap();
    assert_eq!((found.format, found.bytes), (None, 42));
    assert!(found.refused.unwrap().1.contains("template"));
    assert!(source_blocks(&[look("cucm/types_only.txt")], &Known::default()).is_empty());
}

#[test]
fn a_running_number_is_no_part_of_a_lines_name() {
    for (line, name) in [
        ("PJSIP/trunk-out-0000001f", "PJSIP/trunk-out"),
        ("SIP/114-000000c4", "SIP/<digits>"),
        ("Local/0@from-internal-000f;1", "Local/…"),
        ("SEPCC7F750586B7", "SEPCC7F750586B7"),
        ("DAHDI/i1/0711-2", "DAHDI/i1/0711"),
    ] {
        assert_eq!(tally::line_name(line.as_bytes()), name, "{line}");
    }
}

#[test]
fn a_template_to_begin_with_reads_the_file_it_was_made_from() {
    use crate::cdr::Template;
    for (file, records) in [
        ("2026-10-05 02:43:30;442079460101;+441632960101;368\n2026-10-05 02:53:30;442079460101;+441632960102;12\n", 2),
        ("cdrdate;caller;called;seconds\n2026-10-05 02:43:30;442079460101;441632960101;368\n", 1),
        ("1790000000, 442079460101, 441632960101, 77, x\n1790000100, 442079460101, 441632960101, 0, y\n", 2),
        ("A1 20261005024330 442079460101   441632960101   000368\n", 1),
    ] {
        let text = sketch::template(file.as_bytes()).unwrap();
        let mut findings = Findings::default();
        let template = Template::read(&SourceText::new("t.toml", text.clone()), &mut findings);
        let template = template.unwrap_or_else(|| panic!("{text}{findings:?}"));
        let options = Options { template: Some(template.clone().into()), ..Options::default() };
        let reader = cdr::open(template.format(), &options, file.as_bytes(), true).unwrap();
        let read: Vec<_> = reader.records(0, 0, file.as_bytes(), true).map(|record| record.is_ok()).collect();
        assert_eq!(read, vec![true; records], "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn sketches_never_panic(head in "[a;,| \"\t0-9:./-]{0,60}(\n[a;,| \"é0-9:./-]{0,60})?") {
        let _ = sketch::template(head.as_bytes());
    }
}
