//! Calls to their payers, and to their charges on both sides, with 60,000 prefixes on each.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use rating_benches::{full_size, generate, inputs, load};
use rating_core::attribution::attribute;
use rating_core::mediation::Mediated;
use rating_core::rating::Rater;

use crate::RECORDS;

pub(crate) fn bench(criterion: &mut Criterion) {
    let plan = full_size(RECORDS);
    let project = load(&generate(plan));
    let inputs = inputs(plan, &project);
    let calls: Vec<_> = inputs
        .iter()
        .flat_map(|input| input.records().map(|cdr| project.mediators[input.source.index()].mediate(&cdr)))
        .map(|mediated| match mediated {
            Mediated::Call(call) => call,
            other => panic!("no call: {other:?}"),
        })
        .collect();
    let mut group = criterion.benchmark_group("attribute");
    group.throughput(Throughput::Elements(calls.len() as u64));
    group.bench_function("20k numbers", |bencher| {
        bencher.iter(|| {
            for call in &calls {
                black_box(attribute(call, &project.directory));
            }
        });
    });
    group.finish();

    let calls: Vec<_> = calls.iter().map(|call| attribute(call, &project.directory)).collect();
    let rater = Rater::new(&project.book, &project.assignments);
    let mut group = criterion.benchmark_group("rate");
    group.throughput(Throughput::Elements(calls.len() as u64));
    group.bench_function("60k prefixes, both sides", |bencher| {
        bencher.iter(|| {
            for call in &calls {
                black_box(rater.rate(*call));
            }
        });
    });
    group.finish();
}
