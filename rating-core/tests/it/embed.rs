//! Calls that a program hands over cost what a month charges for them, whichever way they are handed over.

#[cfg(feature = "parquet")]
mod record_batches;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use rating_core::cdr::{Cdr, open};
use rating_core::ids::SourceId;
use rating_core::mediation::{Call, Mediated};
use rating_core::number::{Direction, Party};
use rating_core::rating::{CallRow, Outcome, Side};
use rating_core::run::batch::{self, BatchError, Desk, FaultReason, PlainCall, Unrated};
use rating_core::run::project::Project;
use rating_core::run::storage::Disk;
use rating_core::time::{Duration, Instant};

use crate::support::testdata;

fn load(folder: &Path) -> Project {
    let (project, findings) = Project::load(&Disk, folder, None).unwrap();
    project.unwrap_or_else(|| panic!("{}: {findings:?}", folder.display()))
}

fn demo() -> Project {
    load(&testdata().join("demo"))
}

#[test]
fn a_path_that_is_given_twice_is_refused() {
    let texts = [("rating.toml", ""), ("retail.csv", "1"), ("retail.csv", "2")];
    let Err(error) = batch::project(texts) else { panic!("one of them would count for nothing") };
    assert_eq!(error.to_string(), "`retail.csv` is given twice");
}

fn at(text: &str) -> Instant {
    Instant::parse_rfc3339(text).unwrap()
}

/// Every project of the test data that has switch files and no allowances.
fn projects() -> Vec<Project> {
    let mut folders = vec![testdata().join("demo"), testdata().join("explain/project")];
    folders.extend(fs::read_dir(testdata().join("scenarios")).unwrap().map(|entry| entry.unwrap().path()));
    folders.sort();
    let projects = folders.iter().filter(|folder| folder.join("rating.toml").exists()).map(|folder| load(folder));
    projects.filter(|project| !project.assignments.has_allowances()).collect()
}

/// The bytes of a source's files that are not packed, by their paths.
fn files(project: &Project, source: SourceId) -> Vec<(String, Vec<u8>)> {
    let files = project.files_of(&Disk, source).unwrap().files;
    let plain = files.into_iter().filter(|path| !path.ends_with(".gz") && !path.ends_with(".zst"));
    plain.map(|path| (path.clone(), fs::read(project.root.join(path)).unwrap())).collect()
}

/// Who pays, and both sides, in words.
fn shown(project: &Project, row: &CallRow<'_>) -> String {
    let payer = row.payer.map_or("", |payer| &*project.directory.payers()[payer.index()].id);
    let side = |side: &Side| match side.outcome {
        Outcome::Rated(priced) => {
            let (destination, band) = (project.book.destination(priced.destination), project.book.band(priced.band));
            let currency = side.currency.unwrap();
            format!("charged {} {} {destination} {band} {}", priced.charge, currency.code(), priced.billed)
        }
        Outcome::NotChargeable(code) => format!("not chargeable {code}"),
        Outcome::Suspended(code) => format!("suspended {code}"),
    };
    let site = &project.directory.sites()[row.site.index()].id;
    format!("{payer} at {site} {}: {} | {}", row.charging_at.to_rfc3339(), side(&row.retail), side(&row.wholesale))
}

/// A party as somebody would write it.
fn written(party: Party<'_>) -> Vec<u8> {
    match party {
        Party::Number(number) => number.to_string().into_bytes(),
        Party::Extension(digits) | Party::Emergency(digits) | Party::ShortCode(digits) => {
            digits.to_string().into_bytes()
        }
        Party::Withheld => b"anonymous".to_vec(),
        Party::Feature(text) | Party::Name(text) | Party::Unclassified(text) => text.to_vec(),
        Party::Missing => Vec::new(),
    }
}

/// What a program that knows a call would have of it.
struct Written {
    calling: Vec<u8>,
    extension: Vec<u8>,
    called: Vec<u8>,
    forwarder: Vec<u8>,
}

impl Written {
    fn of(call: &Call<'_>) -> Self {
        // The caller's number as it was shown, and the extension behind it.
        let calling = call.shown.map_or_else(|| written(call.calling), |number| number.to_string().into_bytes());
        let extension = call.calling.extension().map(|digits| digits.to_string().into_bytes()).unwrap_or_default();
        Self {
            calling,
            extension,
            called: written(call.called),
            forwarder: call.forwarder.map(written).unwrap_or_default(),
        }
    }

    fn call<'a>(&'a self, call: &Call<'a>) -> PlainCall<'a> {
        PlainCall {
            id: call.cdr.call_id,
            setup_at: call.setup_at,
            answered_at: call.answered_at,
            duration: if call.answered_at.is_some() { call.duration } else { Duration::ZERO },
            direction: call.direction,
            calling: &self.calling,
            extension: &self.extension,
            called: &self.called,
            forwarder: &self.forwarder,
            account_code: call.cdr.account,
            // As tariffs name it: by the source's pattern, where one matches.
            trunk: if call.trunk.is_empty() { call.cdr.egress } else { call.trunk },
            ..PlainCall::answered(call.site, call.charging_at, call.duration)
        }
    }
}

/// Shows every call of a project that is one record, as the record and as its row.
fn each_call(project: &Project, desk: &Desk<'_>, visit: &mut dyn FnMut(&str, Call<'_>, CallRow<'_>)) {
    for source in project.sources() {
        let settings = &project.settings.sources[source.index()];
        for (path, bytes) in files(project, source) {
            let name = path.rsplit('/').next().unwrap();
            let Ok(file) = desk.switch_file(&settings.id, name, &bytes, true) else { continue };
            let (format, options) = &project.formats[source.index()];
            let options = rating_core::cdr::Options { file_name: name.to_owned(), ..options.clone() };
            let reader = open(*format, &options, &bytes, true).unwrap();
            let records: BTreeMap<u64, Cdr<'_>> =
                reader.records(0, 0, &bytes, true).filter_map(Result::ok).map(|cdr| (cdr.id.offset(), cdr)).collect();
            let mut answers = 0;
            for row in file.rate(&bytes) {
                answers += 1;
                let Ok(row) = row else { continue };
                match project.mediators[source.index()].mediate(&records[&row.record.offset()]) {
                    Mediated::Call(call) | Mediated::Linked(call, _) => visit(&path, call, row),
                    Mediated::Suspended(..) => {}
                    other => panic!("{path}: rated, and {other:?}"),
                }
            }
            assert_eq!(answers, reader.records(0, 0, &bytes, true).count(), "{path}: one answer for each record");
        }
    }
}

/// What a desk says to what a folder of findings has: a batch of calls to the demo's (`calls.csv`), records of one of its
/// sources (`SOURCE.records`), or another project that is to have a desk (`project.txt`). `None` if it takes Arrow, and that
/// is not built.
pub(crate) fn told(folder: &Path) -> Option<String> {
    let mut told = String::new();
    if let Ok(path) = fs::read_to_string(folder.join("project.txt")) {
        let error = Desk::new(&load(&testdata().join(path.trim_end()))).err().unwrap();
        writeln!(told, "[{}]: {error}", error.code()).unwrap();
        return Some(told);
    }
    let project = demo();
    let desk = Desk::new(&project).unwrap();
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.extension().is_some_and(|extension| extension == "records") {
            let bytes = fs::read(&entry).unwrap();
            let source = entry.file_stem().unwrap().to_str().unwrap();
            match desk.switch_file(source, "records", &bytes, true) {
                Ok(file) => {
                    for row in file.rate(&bytes) {
                        writeln!(told, "{}", row.map_or_else(|why| why.to_string(), |row| shown(&project, &row)))
                            .unwrap();
                    }
                }
                Err(error) => writeln!(told, "[{}]: {error}", error.code()).unwrap(),
            }
            return Some(told);
        }
    }
    #[cfg(not(feature = "parquet"))]
    return None;
    #[cfg(feature = "parquet")]
    match desk.batch(&record_batches::read(&fs::read_to_string(folder.join("calls.csv")).unwrap())) {
        Ok(rated) => rated.faults.iter().for_each(|fault| writeln!(told, "{fault}").unwrap()),
        Err(BatchError::Columns(findings)) => {
            for finding in findings.iter() {
                writeln!(told, "{finding}; {}", finding.help.as_ref().unwrap()).unwrap();
            }
        }
        Err(error) => panic!("{error}"),
    }
    #[cfg(feature = "parquet")]
    Some(told)
}

#[test]
fn a_plain_call_costs_what_the_record_of_a_switch_costs() {
    let mut calls = 0;
    for project in projects() {
        let desk = Desk::new(&project).unwrap();
        each_call(&project, &desk, &mut |path, call, row| {
            // Its time may be read two ways; a program that has instants has read it.
            if call.other_reading.is_some() {
                return;
            }
            calls += 1;
            let written = Written::of(&call);
            let plain = desk.call(&written.call(&call)).unwrap_or_else(|fault| panic!("{path}: {fault}"));
            let place = format!("{}/{path}@{}", project.root.display(), row.record.offset());
            assert_eq!(shown(&project, &plain), shown(&project, &row), "{place}");
            assert_eq!((plain.retail, plain.wholesale), (row.retail, row.wholesale), "{place}");
        });
    }
    assert!(calls > 300, "{calls}");
}

#[test]
fn threads_share_a_desk() {
    fn shared<T: Send + Sync>(_: &T) {}
    let project = demo();
    let desk = Desk::new(&project).unwrap();
    shared(&desk);
    let ldn = desk.site("ldn").unwrap();
    let call = PlainCall {
        calling: b"2001",
        called: b"901614960123",
        ..PlainCall::answered(ldn, at("2026-10-01T08:15:09Z"), Duration::from_seconds(61))
    };
    let alone = shown(&project, &desk.call(&call).unwrap());
    assert_eq!(
        alone,
        "acme at ldn 2026-10-01T08:15:09Z: charged 0.055 GBP UK landline day 61s | charged 0.00427 GBP GB fixed peak 61s"
    );
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for row in desk.calls(std::iter::repeat_n(call, 100)) {
                    assert_eq!(shown(&project, &row.unwrap()), alone);
                }
            });
        }
    });
}

#[test]
fn a_value_that_no_call_can_have_is_told_by_its_place() {
    let project = demo();
    let desk = Desk::new(&project).unwrap();
    let ldn = desk.site("ldn").unwrap();
    let good = PlainCall::answered(ldn, at("2026-10-01T08:15:09Z"), Duration::from_seconds(61));
    for (call, column, reason) in [
        (PlainCall { site: rating_core::ids::SiteId(2), ..good }, "site", FaultReason::SiteUnknown),
        (PlainCall { answered_at: None, ..good }, "answered_at", FaultReason::FieldMissing),
        (PlainCall { answered_at: None, duration: Duration::ZERO, ..good }, "setup_at", FaultReason::FieldMissing),
        (
            PlainCall { answered_at: Some(at("1989-12-31T23:59:59Z")), ..good },
            "answered_at",
            FaultReason::TimeImplausible,
        ),
        (PlainCall { setup_at: Some(at("2090-01-01T00:00:00Z")), ..good }, "setup_at", FaultReason::TimeImplausible),
        (PlainCall { setup_at: Some(at("2026-10-01T08:15:11Z")), ..good }, "answered_at", FaultReason::EndBeforeStart),
        (PlainCall { duration: Duration::from_millis(-1), ..good }, "duration", FaultReason::DurationImplausible),
        (PlainCall { duration: Duration::from_seconds(604_801), ..good }, "duration", FaultReason::DurationImplausible),
    ] {
        let fault = desk.call(&call).unwrap_err();
        assert_eq!((fault.column, fault.reason), (column, reason), "{call:?}");
    }
    // A clock may step back by a second within a call; seven days are long, and can be.
    let call =
        PlainCall { setup_at: Some(at("2026-10-01T08:15:10Z")), duration: Duration::from_seconds(604_800), ..good };
    assert!(desk.call(&call).is_ok());
    // Rows are numbered from 0.
    let rows: Vec<_> = desk.calls([good, PlainCall { answered_at: None, ..good }]).collect();
    assert_eq!(rows[0].unwrap().record.offset(), 0);
    assert_eq!(rows[1].unwrap_err().row, 1);
}

#[test]
fn which_way_a_call_went_is_told_by_its_numbers_unless_it_is_said() {
    let project = demo();
    let desk = Desk::new(&project).unwrap();
    let ldn = desk.site("ldn").unwrap();
    let good = PlainCall::answered(ldn, at("2026-10-01T08:15:09Z"), Duration::from_seconds(61));
    for (calling, called, direction) in [
        ("2001", "901614960123", Direction::Outbound),
        ("+441614960123", "2001", Direction::Inbound),
        ("2001", "2002", Direction::Internal),
        ("anonymous", "2001", Direction::Inbound),
        ("", "901614960123", Direction::Unknown),
    ] {
        let call = PlainCall { calling: calling.as_bytes(), called: called.as_bytes(), ..good };
        assert_eq!(desk.call(&call).unwrap().direction, direction, "{calling} {called}");
        for direction in [Direction::Outbound, Direction::Inbound, Direction::Internal, Direction::Forwarded] {
            assert_eq!(desk.call(&PlainCall { direction, ..call }).unwrap().direction, direction);
        }
    }
}

#[test]
fn what_needs_several_records_is_named_and_not_rated() {
    let project = demo();
    let desk = Desk::new(&project).unwrap();
    let line = b"\"\",\"2001\",\"901614960123\",\"from-internal\",\"Ann\",\"Local/0@from-internal-0000000f;2\",\"PJSIP/carrier-2\",\
        \"Dial\",\"\",\"2026-10-01 09:15:00\",\"2026-10-01 09:15:09\",\"2026-10-01 09:16:10\",70,61,\"ANSWERED\",\"DOCUMENTATION\"\n\
        no record\n";
    let file = desk.switch_file("ldn-pbx", "Master.csv", line, true).unwrap();
    let told: Vec<String> = file.rate(line).map(|row| row.map(|_| ()).unwrap_err().to_string()).collect();
    assert_eq!(
        told,
        [
            "byte 0: the record is one of several that together tell of a call [batch.part_of_a_call]",
            "byte 209: the record cannot be read [cdr.column_count]"
        ]
    );
    assert!(matches!(file.rate(line).next(), Some(Err(Unrated::PartOfACall(..)))));
    // In pieces, as it comes.
    let cut = file.reader().split_point(line, false);
    let pieces = file.piece(0, &line[..cut], false).chain(file.piece(cut as u64, &line[cut..], true));
    assert_eq!(pieces.map(|row| row.map(|_| ()).unwrap_err().to_string()).collect::<Vec<_>>(), told);

    let unknown = desk.switch_file("ldn", "x.csv", line, true).err().unwrap();
    assert_eq!(
        (unknown.code(), unknown.to_string().as_str()),
        ("batch.source_unknown", "there is no source `ldn` in the project")
    );
    let gzip = desk.switch_file("ldn-pbx", "x.csv", b"\x1f\x8b", true).err().unwrap();
    assert_eq!(gzip.code(), "cdr.file_not_text");
}

#[test]
fn allowances_are_refused_unless_prices_before_them_are_asked_for() {
    let project = load(&testdata().join("scenarios/allowance_crossed_and_split"));
    let Err(refused) = Desk::new(&project) else { panic!("occupiers have allowances") };
    assert!(matches!(refused, BatchError::Allowances));
    assert_eq!(refused.code(), "batch.allowances");
    let desk = Desk::before_allowances(&project);
    let mut charged = 0;
    each_call(&project, &desk, &mut |_, _, row| charged += i32::from(matches!(row.retail.outcome, Outcome::Rated(_))));
    assert!(charged > 0);
}

#[test]
fn a_project_of_texts_needs_no_switch() {
    let texts = |deck: &'static str| {
        [
            (
                "rating.toml",
                "source = []\n[operator]\nid = \"o\"\ncurrency = \"GBP\"\nzone = \"UTC\"\n[[site]]\nid = \"s\"\nzone = \"UTC\"\n\
                 country = \"GB\"\n[directory]\noccupiers = \"d/o.csv\"\nallocations = \"d/a.csv\"\n[tariffs]\n\
                 files = [\"t/*.toml\"]\nassignments = \"t/assignments.csv\"\n",
            ),
            ("d/o.csv", "id,name\nacme,Acme\n"),
            ("d/a.csv", "id,holder,site,extension,from,until\na1,acme,s,2001,2026-01-01,\n"),
            ("t/a.toml", "id = \"a\"\ncurrency = \"GBP\"\nfrom = \"2026-01-01\"\ndecks = [\"a.csv\"]\n"),
            ("t/a.csv", deck),
            ("t/assignments.csv", "side,payer,site,tariff\nretail,*,*,a\nwholesale,*,*,a\n"),
        ]
    };
    let (project, findings) =
        batch::project(texts("prefix,destination,price,increments\n44,UK,2p/min,60/60\n")).unwrap();
    assert!(!findings.has_errors());
    let desk = Desk::new(&project).unwrap();
    let call = PlainCall {
        calling: b"2001",
        called: b"01614960123",
        ..PlainCall::answered(desk.site("s").unwrap(), at("2026-10-01T08:15:09Z"), Duration::from_seconds(61))
    };
    let row = desk.call(&call).unwrap();
    assert_eq!(
        shown(&project, &row),
        "acme at s 2026-10-01T08:15:09Z: charged 0.04 GBP UK all 120s | charged 0.04 GBP UK all 120s"
    );
    // Every mistake is told where it is, as on disk.
    let Err(rating_core::run::RunError::Invalid(findings)) =
        batch::project(texts("prefix,destination,price\n44,a,x\n45,b,y\n"))
    else {
        panic!()
    };
    let places: Vec<String> = findings.iter().map(rating_core::finding::Finding::place).collect();
    assert_eq!(places, ["t/a.csv:2:6", "t/a.csv:3:6"]);
    assert!(matches!(batch::project([("a", "b")]), Err(rating_core::run::RunError::Usage(_))));
}
