//! Record batches in, record batches out.

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Arc, LazyLock};

use rating_core::money::Charge;
use rating_core::report::{PublishedCall, PublishedSide, read_calls};
use rating_core::run::batch::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, DictionaryArray, Int32Array, Int64Array, LargeStringArray,
    PrimitiveArray, RecordBatch, StringArray, StringViewArray, TimestampMicrosecondArray, TimestampMillisecondArray,
    TimestampNanosecondArray, TimestampSecondArray, UInt32Array, UInt64Array,
};
use rating_core::run::batch::arrow::datatypes::{
    ArrowTimestampType, DataType, Decimal128Type, Int8Type, Int32Type, TimeUnit, TimestampMillisecondType,
};
use rating_core::run::batch::{BatchError, Desk, FaultReason, PlainCall};
use rating_core::run::project::Project;
use rating_core::run::storage::Disk;
use rating_core::run::{self, Options, Silent};
use rating_core::time::{Duration, Month};

use super::{Written, demo, each_call, load, projects};
use crate::support::{no_month, testdata};

/// The columns of a batch.
struct Calls {
    columns: BTreeMap<&'static str, ArrayRef>,
}

impl Calls {
    fn of(project: &Project, calls: &[PlainCall<'_>]) -> Self {
        let texts = |text: &dyn Fn(&PlainCall<'_>) -> Vec<u8>| -> ArrayRef {
            let texts = calls.iter().map(|call| String::from_utf8(text(call)).unwrap());
            Arc::new(StringArray::from_iter(texts.map(|text| Some(text).filter(|text| !text.is_empty()))))
        };
        let instants = |at: &dyn Fn(&PlainCall<'_>) -> Option<i64>| -> ArrayRef {
            Arc::new(TimestampMillisecondArray::from_iter(calls.iter().map(at)).with_timezone("UTC"))
        };
        let site = |call: &PlainCall<'_>| project.directory.sites()[call.site.index()].id.clone().into_bytes();
        let durations = calls.iter().map(|call| call.duration.as_millis());
        Self {
            columns: BTreeMap::from([
                ("site", texts(&site)),
                ("call_id", texts(&|call| call.id.to_vec())),
                ("setup_at", instants(&|call| call.setup_at.map(|at| at.as_millis()))),
                ("answered_at", instants(&|call| call.answered_at.map(|at| at.as_millis()))),
                ("duration_ms", Arc::new(Int64Array::from_iter_values(durations)) as ArrayRef),
                ("direction", texts(&|call| call.direction.name().as_bytes().to_vec())),
                ("calling", texts(&|call| call.calling.to_vec())),
                ("extension", texts(&|call| call.extension.to_vec())),
                ("called", texts(&|call| call.called.to_vec())),
                ("forwarder", texts(&|call| call.forwarder.to_vec())),
                ("account_code", texts(&|call| call.account_code.to_vec())),
                ("trunk", texts(&|call| call.trunk.to_vec())),
            ]),
        }
    }

    fn with(mut self, name: &'static str, column: impl Array + 'static) -> Self {
        self.columns.insert(name, Arc::new(column));
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.columns.remove(name).unwrap();
        self
    }

    fn batch(&self) -> RecordBatch {
        RecordBatch::try_from_iter_with_nullable(
            self.columns.iter().map(|(name, column)| (*name, Arc::clone(column), true)),
        )
        .unwrap()
    }
}

/// A batch as `calls.csv` in a folder of findings has it: each column's name and type, then its cells.
pub(super) fn read(text: &str) -> RecordBatch {
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = lines.next().unwrap();
    let rows: Vec<Vec<&str>> = lines.collect();
    let columns = header.iter().enumerate().map(|(index, column)| {
        let (name, kind) = column.split_once(':').unwrap();
        let cells = rows.iter().map(|row| Some(row[index]).filter(|cell| !cell.is_empty()));
        let millis = cells.clone().map(|cell| cell.map(|cell| super::at(cell).as_millis()));
        let array: ArrayRef = match kind {
            "text" => Arc::new(StringArray::from_iter(cells)),
            "integer" => Arc::new(Int64Array::from_iter(cells.map(|cell| cell.map(|cell| cell.parse().unwrap())))),
            "instant" => Arc::new(TimestampMillisecondArray::from_iter(millis).with_timezone("UTC")),
            "local" => Arc::new(TimestampMillisecondArray::from_iter(millis)),
            kind => panic!("{kind}"),
        };
        (name, array, true)
    });
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

/// Two calls to Manchester from the demo's site in London, and one that nobody answered.
fn three(project: &Project) -> Calls {
    let site = project.directory.site_id("ldn").unwrap();
    let at = super::at("2026-10-01T08:15:09Z");
    let call = PlainCall {
        calling: b"2001",
        called: b"901614960123",
        ..PlainCall::answered(site, at, Duration::from_seconds(61))
    };
    let unanswered = PlainCall { duration: Duration::ZERO, answered_at: None, setup_at: Some(at), ..call };
    Calls::of(project, &[call, PlainCall { calling: b"2002", ..call }, unanswered])
}

fn text(batch: &RecordBatch, name: &str, row: usize) -> String {
    let column = batch.column_by_name(name).unwrap_or_else(|| panic!("{name}")).as_dictionary::<Int32Type>();
    let names = column.values().as_string::<i32>();
    column.key(row).map(|key| names.value(key).to_owned()).unwrap_or_default()
}

fn units(batch: &RecordBatch, name: &str, row: usize) -> Option<i64> {
    let column = batch.column_by_name(name).unwrap().as_primitive::<Decimal128Type>();
    column.is_valid(row).then(|| column.value(row).try_into().unwrap())
}

fn shown_side(batch: &RecordBatch, row: usize, prefix: &str, amount: &str, currency: &str) -> String {
    let text = |name: &str| text(batch, &format!("{prefix}{name}"), row);
    format!(
        "{} {} {} {} {} {:?} {:?} {}",
        text("status"),
        text("reason"),
        text("tariff"),
        text("destination"),
        text("band"),
        units(batch, &format!("{prefix}billed_duration_s"), row),
        units(batch, amount, row),
        self::text(batch, currency, row),
    )
}

fn shown(batch: &RecordBatch, row: usize) -> String {
    let at = batch.column_by_name("charged_at").unwrap().as_primitive::<TimestampMillisecondType>();
    format!(
        "{} at {} {:?}: {} | {}",
        text(batch, "payer_id", row),
        text(batch, "site", row),
        at.is_valid(row).then(|| at.value(row)),
        shown_side(batch, row, "", "cost", "currency"),
        shown_side(batch, row, "wholesale_", "operator_amount", "operator_currency"),
    )
}

fn published(call: &PublishedCall<&str>) -> String {
    let side = |side: &PublishedSide<&str>| {
        format!(
            "{} {} {} {} {} {:?} {:?} {}",
            side.status,
            side.reason,
            side.tariff,
            side.destination,
            side.band,
            side.billed.map(Duration::as_millis),
            side.charge.map(Charge::units),
            side.currency,
        )
    };
    let at = call.charged_at.map(|at| at.as_millis());
    format!("{} at {} {at:?}: {} | {}", call.payer, call.site, side(&call.retail), side(&call.wholesale))
}

/// What the months of a project publish, by file and offset of the record. The operator's own calls have no cost there.
fn months(project: &Project) -> BTreeMap<(String, u64), String> {
    let named = |entry: fs::DirEntry| Month::parse(entry.file_name().to_str().unwrap());
    let mut months: Vec<Option<Month>> = match fs::read_dir(project.root.join("expected")) {
        Ok(entries) => entries.filter_map(|entry| named(entry.unwrap())).map(Some).collect(),
        Err(_) => vec![None],
    };
    months.sort();
    let mut calls = BTreeMap::new();
    for month in months {
        let out = tempfile::tempdir().unwrap();
        let options =
            Options { month, out: Some(out.path().to_owned()), threads: 1, ..Options::new(&project.root, no_month()) };
        let summary = run::month(&Disk, &options, &Silent).unwrap();
        for site in project.directory.sites() {
            let path = summary.folder.join(format!("site={}/itemised.parquet", site.id));
            let Ok(bytes) = fs::read(path) else { continue };
            read_calls(bytes, &mut |call| {
                calls.insert((call.file.to_owned(), call.offset), published(call));
            })
            .unwrap();
        }
    }
    calls
}

#[test]
fn a_batch_charges_what_the_month_publishes() {
    let mut compared = 0;
    for project in projects() {
        let desk = Desk::new(&project).unwrap();
        let months = months(&project);
        let mut expected = Vec::new();
        let mut batches = Vec::new();
        each_call(&project, &desk, &mut |path, call, row| {
            let published = months.get(&(path.to_owned(), row.record.offset()));
            // Of duplicates one is published, and calls of other months are not; some times may be read two ways.
            if let (Some(published), None) = (published, call.other_reading) {
                let written = Written::of(&call);
                expected.push((format!("{}/{path}@{}", project.root.display(), row.record.offset()), published));
                batches.push(Calls::of(&project, &[written.call(&call)]).batch());
            }
        });
        for ((place, expected), batch) in expected.iter().zip(&batches) {
            let rated = desk.batch(batch).unwrap();
            assert_eq!((rated.rows.num_rows(), &*rated.faults), (1, &[][..]), "{place}");
            assert_eq!(&&shown(&rated.rows, 0), expected, "{place}");
        }
        compared += expected.len();
        if project.root.ends_with("demo") {
            assert_eq!(expected.len(), 36, "every call of the demo");
        }
        // Rated together they are the same rows.
        let Some(first) = batches.first() else { continue };
        let together = rating_core::run::batch::arrow::compute::concat_batches(&first.schema(), &batches).unwrap();
        let rated = desk.batch(&together).unwrap().rows;
        for (row, (place, expected)) in expected.iter().enumerate() {
            assert_eq!(&&shown(&rated, row), expected, "{place}");
        }
    }
    assert!(compared > 250, "{compared}");
}

#[test]
fn columns_may_be_of_any_type_that_says_the_same() {
    fn zoned<T: ArrowTimestampType>(array: PrimitiveArray<T>) -> PrimitiveArray<T> {
        array.with_timezone("Europe/London")
    }
    let project = demo();
    let desk = Desk::new(&project).unwrap();
    let expected = desk.batch(&three(&project).batch()).unwrap();
    assert_eq!(expected.faults, []);
    let statuses: Vec<String> = (0..3).map(|row| text(&expected.rows, "status", row)).collect();
    assert_eq!(statuses, ["charged", "charged", "not chargeable"]);

    let seconds = 1_790_842_509;
    let (answers, times) =
        ([Some(seconds), Some(seconds), None], |unit| [Some(seconds * unit), Some(seconds * unit), None]);
    let called = "901614960123";
    let keys = Int32Array::from(vec![Some(1), Some(1), Some(1)]);
    let dictionary =
        DictionaryArray::<Int32Type>::try_new(keys, Arc::new(StringViewArray::from(vec!["x", called]))).unwrap();
    let without_millis = |calls: Calls| calls.without("duration_ms");
    for (what, calls) in [
        ("s", three(&project).with("answered_at", zoned(TimestampSecondArray::from(answers.to_vec())))),
        ("µs", three(&project).with("answered_at", zoned(TimestampMicrosecondArray::from(times(1_000_000).to_vec())))),
        (
            "ns",
            three(&project).with("answered_at", zoned(TimestampNanosecondArray::from(times(1_000_000_000).to_vec()))),
        ),
        ("Int32", without_millis(three(&project)).with("duration_s", Int32Array::from(vec![61, 61, 0]))),
        ("Int64", without_millis(three(&project)).with("duration_s", Int64Array::from(vec![Some(61), Some(61), None]))),
        ("UInt32", without_millis(three(&project)).with("duration_s", UInt32Array::from(vec![61, 61, 0]))),
        ("UInt64", without_millis(three(&project)).with("duration_s", UInt64Array::from(vec![61, 61, 0]))),
        ("LargeUtf8", three(&project).with("called", LargeStringArray::from(vec![called; 3]))),
        ("Utf8View", three(&project).with("called", StringViewArray::from(vec![called; 3]))),
        ("dictionary", three(&project).with("called", dictionary)),
        ("dictionary of Int8", three(&project).with("site", DictionaryArray::<Int8Type>::from_iter(["ldn"; 3]))),
        ("nothing", three(&project).with("trunk", rating_core::run::batch::arrow::array::NullArray::new(3))),
        ("left out", three(&project).without("trunk").without("forwarder").without("account_code").without("call_id")),
        ("answered", three(&project).with("answered", BooleanArray::from(vec![Some(true), None, Some(false)]))),
        // A call that nobody answered has no duration, whatever the column says.
        (
            "not answered",
            three(&project)
                .with("answered", BooleanArray::from(vec![true, true, false]))
                .with("duration_ms", Int64Array::from(vec![61_000, 61_000, 5_000])),
        ),
    ] {
        let rated = desk.batch(&calls.batch()).unwrap();
        assert_eq!(rated.faults, [], "{what}");
        assert_eq!(rated.rows, expected.rows, "{what}");
    }
    // Parts of a batch, and none of it.
    let rows = desk.batch(&three(&project).batch().slice(1, 2)).unwrap().rows;
    assert_eq!(rows, expected.rows.slice(1, 2));
    assert_eq!(desk.batch(&three(&project).batch().slice(0, 0)).unwrap().rows.num_rows(), 0);
}

#[test]
fn every_column_that_is_wrong_is_told_at_once() {
    let project = demo();
    let desk = Desk::new(&project).unwrap();
    let calls = three(&project)
        .without("called")
        .with("site", Int64Array::from(vec![1, 2, 3]))
        .with("answered_at", TimestampMillisecondArray::from(vec![1, 2, 3]))
        .with("duration_s", Decimal128Array::from(vec![1, 2, 3]))
        .with("forwader", StringArray::from(vec!["2001"; 3]))
        .with("colour", StringArray::from(vec!["red"; 3]));
    let error = desk.batch(&calls.batch()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "7 of the record batch's columns are not as they must be; the first: column `colour`: error[batch.column_unknown]: no such column is known"
    );
    let BatchError::Columns(findings) = error else { panic!("{error}") };
    let found: Vec<String> =
        findings.iter().map(|finding| format!("{finding}; {}", finding.help.as_ref().unwrap())).collect();
    assert_eq!(
        found,
        [
            "column `colour`: error[batch.column_unknown]: no such column is known; leave it out (`RecordBatch::project`); rows keep \
             their order",
            "column `forwader`: error[batch.column_unknown]: no such column is known; did you mean `forwarder`?",
            "column `site`: error[batch.column_type]: it is Int64, and must be text (`Utf8`, `LargeUtf8`, `Utf8View`, or a \
             dictionary of one of them); cast it",
            "column `answered_at`: error[batch.column_type]: it is Timestamp(ms), and must be a timestamp with a zone, \
             `timestamp(ms, UTC)` (or s, µs, ns); without a zone it might be any clock's: say which, and cast it to UTC",
            "column `duration_s`: error[batch.column_type]: it is Decimal128(38, 10), and must be whole numbers (`Int64`, \
             `Int32`, `UInt64`, `UInt32`); cast it",
            "column `duration_ms`: error[batch.column_repeated]: the duration is there in seconds, too; leave one of them out",
            "column `called`: error[batch.column_missing]: it is not there; add it",
        ]
    );
}

#[test]
fn every_value_that_is_wrong_is_told_and_its_row_is_rejected() {
    let project = demo();
    let desk = Desk::new(&project).unwrap();
    let at = |at: [Option<i64>; 3]| TimestampMillisecondArray::from(at.to_vec()).with_timezone("UTC");
    let good = 1_790_842_509_000;
    let calls = three(&project)
        .with("site", StringArray::from(vec![Some("lnd"), None, Some("ldn")]))
        .with("direction", StringArray::from(vec![Some("out"), None, Some("outbound")]))
        .with("setup_at", at([Some(0), Some(good + 2_000), None]))
        .with("answered_at", at([Some(good), Some(good), None]))
        .with("duration_ms", Int64Array::from(vec![Some(-1), None, Some(i64::MAX)]));
    let rated = desk.batch(&calls.batch()).unwrap();
    let told: Vec<(u64, &str, FaultReason)> =
        rated.faults.iter().map(|fault| (fault.row, fault.column, fault.reason)).collect();
    assert_eq!(
        told,
        [
            (0, "site", FaultReason::SiteUnknown),
            (0, "direction", FaultReason::DirectionUnknown),
            (0, "setup_at", FaultReason::TimeImplausible),
            (0, "duration_ms", FaultReason::DurationImplausible),
            (1, "site", FaultReason::FieldMissing),
            (1, "duration_ms", FaultReason::FieldMissing),
            (1, "answered_at", FaultReason::EndBeforeStart),
            (2, "answered_at", FaultReason::FieldMissing),
            (2, "duration_ms", FaultReason::DurationImplausible),
        ]
    );
    let shown: Vec<String> = (0..3).map(|row| shown(&rated.rows, row)).collect();
    let rejected = |code: &str| format!(" at  None: rejected {code}    None None  | rejected {code}    None None ");
    assert_eq!(shown, ["batch.site_unknown", "cdr.field_missing", "cdr.field_missing"].map(rejected));
}

#[test]
fn a_desk_before_allowances_says_so_in_the_name_of_the_column() {
    let project = load(&testdata().join("scenarios/allowance_crossed_and_split"));
    let desk = Desk::before_allowances(&project);
    let rated = desk.batch(&three(&demo()).batch()).unwrap().rows;
    assert!(rated.column_by_name("cost").is_none());
    assert_eq!(rated.column_by_name("cost_before_allowances").unwrap().data_type(), &DataType::Decimal128(38, 10));
    // The types are the same in every batch, whatever is in it.
    let project = demo();
    let rated = Desk::new(&project).unwrap().batch(&three(&project).batch().slice(0, 0)).unwrap().rows;
    let name = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let types: Vec<(&str, DataType)> =
        rated.schema_ref().fields().iter().map(|field| (field.name().as_str(), field.data_type().clone())).collect();
    assert_eq!(
        types,
        [
            ("site", name.clone()),
            ("payer_id", name.clone()),
            ("charged_at", DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()))),
            ("status", name.clone()),
            ("reason", name.clone()),
            ("tariff", name.clone()),
            ("destination", name.clone()),
            ("band", name.clone()),
            ("billed_duration_s", DataType::Decimal128(18, 3)),
            ("cost", DataType::Decimal128(38, 10)),
            ("currency", name.clone()),
            ("wholesale_status", name.clone()),
            ("wholesale_reason", name.clone()),
            ("wholesale_tariff", name.clone()),
            ("wholesale_destination", name.clone()),
            ("wholesale_band", name.clone()),
            ("wholesale_billed_duration_s", DataType::Decimal128(18, 3)),
            ("operator_amount", DataType::Decimal128(38, 10)),
            ("operator_currency", name),
        ]
    );
}

/// Answer, set-up and duration of a row.
type Times = (Option<i64>, Option<i64>, Option<i64>);

/// Read once for all cases.
static DEMO: LazyLock<Project> = LazyLock::new(demo);

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_the_cells_every_row_has_an_answer(
        texts in proptest::collection::vec((".{0,20}", "[+0-9*#]{0,18}", "[a-z]{0,4}|ldn|nyc"), 1..20),
        times in proptest::collection::vec(proptest::prelude::any::<Times>(), 20),
        plausible in proptest::prelude::any::<bool>(),
    ) {
        let desk = Desk::new(&DEMO).unwrap();
        let rows = texts.len();
        let squeeze = |value: Option<i64>, modulus: i64, from: i64| {
            value.map(|value| if plausible { from + value.rem_euclid(modulus) } else { value })
        };
        let at = |pick: fn(&Times) -> Option<i64>| {
            let cells = times.iter().take(rows).map(|time| squeeze(pick(time), 86_400_000, 1_790_842_509_000));
            Arc::new(TimestampMillisecondArray::from_iter(cells).with_timezone("UTC")) as ArrayRef
        };
        let column = |pick: fn(&(String, String, String)) -> &str| {
            Arc::new(StringArray::from_iter_values(texts.iter().map(pick))) as ArrayRef
        };
        let durations = times.iter().take(rows).map(|time| squeeze(time.2, 7_200, 0));
        let calls = RecordBatch::try_from_iter_with_nullable([
            ("site", column(|texts| &texts.2), true),
            ("answered_at", at(|time| time.0), true),
            ("setup_at", at(|time| time.1), true),
            ("duration_s", Arc::new(Int64Array::from_iter(durations)) as ArrayRef, true),
            ("calling", column(|texts| &texts.0), true),
            ("called", column(|texts| &texts.1), true),
            ("extension", column(|texts| &texts.1), true),
            ("trunk", column(|texts| &texts.0), true),
        ])
        .unwrap();
        let rated = desk.batch(&calls).unwrap();
        proptest::prop_assert_eq!(rated.rows.num_rows(), rows);
        for row in 0..rows {
            let rejected = text(&rated.rows, "status", row) == "rejected";
            proptest::prop_assert_eq!(rejected, rated.faults.iter().any(|fault| fault.row == row as u64));
        }
    }
}
