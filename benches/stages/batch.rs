//! Calls that a program hands over, with 60,000 prefixes on each side: borrowed records, a switch's bytes, record batches.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput};
use rating_benches::{full_size, generate, inputs, load};
use rating_core::mediation::Mediated;
use rating_core::run::batch::arrow::array::{
    ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray,
};
use rating_core::run::batch::arrow::compute::cast;
use rating_core::run::batch::arrow::datatypes::DataType;
use rating_core::run::batch::{Desk, PlainCall};

use crate::RECORDS;

/// Rows of a record batch, as readers of Parquet make them.
const ROWS: usize = 8_192;

pub(crate) fn bench(criterion: &mut Criterion) {
    let plan = full_size(RECORDS);
    let project = load(&generate(plan));
    let inputs = inputs(plan, &project);
    let desk = Desk::new(&project).expect("a project without allowances");
    let calls: Vec<PlainCall<'_>> = inputs
        .iter()
        .flat_map(|input| input.records().map(|cdr| (cdr, project.mediators[input.source.index()].mediate(&cdr))))
        .map(|(cdr, mediated)| match mediated {
            Mediated::Call(call) => PlainCall {
                id: call.cdr.call_id,
                setup_at: call.setup_at,
                answered_at: call.answered_at,
                duration: call.duration,
                direction: call.direction,
                calling: cdr.calling,
                extension: cdr.peer,
                called: call.cdr.dialled,
                ..PlainCall::answered(call.site, call.charging_at, call.duration)
            },
            other => panic!("no call: {other:?}"),
        })
        .collect();

    let mut group = criterion.benchmark_group("batch");
    group.throughput(Throughput::Elements(RECORDS));
    group.bench_function("borrowed records", |bencher| {
        bencher.iter(|| {
            for row in desk.calls(calls.iter().copied()) {
                black_box(row.expect("a call"));
            }
        });
    });

    let files: Vec<_> = inputs
        .iter()
        .map(|input| {
            let source = &project.settings.sources[input.source.index()].id;
            desk.switch_file(source, "Master.csv", &input.bytes, true).expect("a file of its format")
        })
        .collect();
    group.bench_function("bytes of a switch", |bencher| {
        bencher.iter(|| {
            for (file, input) in files.iter().zip(&inputs) {
                for row in file.rate(&input.bytes) {
                    black_box(row.expect("a call"));
                }
            }
        });
    });

    let sites = project.directory.sites();
    let batches: Vec<RecordBatch> =
        calls.chunks(ROWS).map(|calls| batch(calls, |call| &sites[call.site.index()].id)).collect();
    let dictionaries: Vec<RecordBatch> = batches.iter().map(with_dictionaries).collect();
    for (name, batches) in [("record batches", batches), ("record batches, dictionaries", dictionaries)] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                for batch in &batches {
                    let rated = desk.batch(batch).expect("columns as they must be");
                    assert_eq!((rated.rows.num_rows(), rated.faults.len()), (batch.num_rows(), 0));
                    black_box(rated);
                }
            });
        });
    }
    group.bench_function("a desk", |bencher| bencher.iter(|| Desk::new(&project).is_ok()));
    group.finish();
}

fn batch<'c>(calls: &[PlainCall<'c>], site: impl Fn(&PlainCall<'c>) -> &'c str) -> RecordBatch {
    let text = |text: fn(&PlainCall<'c>) -> &'c [u8]| -> ArrayRef {
        let texts = calls.iter().map(|call| std::str::from_utf8(text(call)).expect("text"));
        Arc::new(StringArray::from_iter_values(texts))
    };
    let answers = calls.iter().map(|call| call.answered_at.map(|at| at.as_millis()));
    let setups = calls.iter().map(|call| call.setup_at.map(|at| at.as_millis()));
    let durations = calls.iter().map(|call| call.duration.as_millis());
    RecordBatch::try_from_iter_with_nullable([
        ("site", Arc::new(StringArray::from_iter_values(calls.iter().map(site))) as ArrayRef, false),
        ("call_id", text(|call| call.id), false),
        ("setup_at", Arc::new(TimestampMillisecondArray::from_iter(setups).with_timezone("UTC")), true),
        ("answered_at", Arc::new(TimestampMillisecondArray::from_iter(answers).with_timezone("UTC")), true),
        ("duration_ms", Arc::new(Int64Array::from_iter_values(durations)), false),
        ("direction", text(|call| call.direction.name().as_bytes()), false),
        ("calling", text(|call| call.calling), false),
        ("extension", text(|call| call.extension), false),
        ("called", text(|call| call.called), false),
    ])
    .expect("columns of one length")
}

fn with_dictionaries(batch: &RecordBatch) -> RecordBatch {
    let kind = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns()).map(|(field, column)| {
        let names = ["site", "direction", "calling", "extension"].contains(&field.name().as_str());
        let column = if names { cast(column, &kind).expect("text") } else { Arc::clone(column) };
        (field.name().clone(), column, field.is_nullable())
    });
    RecordBatch::try_from_iter_with_nullable(columns).expect("columns of one length")
}
