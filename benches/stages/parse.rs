//! Bytes of a switch's file to records.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use rating_benches::{Input, cucm, full_size, generate, inputs, load};
use rating_core::cdr::{Format, Options, open};

use crate::RECORDS;

pub(crate) fn bench(criterion: &mut Criterion) {
    let plan = full_size(RECORDS);
    let asterisk = inputs(plan, &load(&generate(plan)));
    let bytes = cucm::file(asterisk.iter().flat_map(Input::records));
    let reader = open(Format::CiscoCucm, &Options::default(), &bytes, true).expect("a header");
    let cucm = vec![Input { source: rating_core::ids::SourceId(0), bytes, reader }];
    let mut group = criterion.benchmark_group("parse");
    for (name, inputs) in [("asterisk", asterisk), ("cucm", cucm)] {
        let bytes = inputs.iter().map(|input| input.bytes.len() as u64).sum();
        group.throughput(Throughput::ElementsAndBytes { elements: RECORDS, bytes });
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                for cdr in inputs.iter().flat_map(Input::records) {
                    black_box(cdr);
                }
            });
        });
    }
    group.finish();
}
