//! Bytes of a switch's file to records, for every format.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use rating_benches::samples::samples;
use rating_benches::{Input, cucm, full_size, generate, inputs, load};
use rating_core::cdr::{Cdr, Format, Options, Reader, open};
use rating_core::source::RecordId;

use crate::RECORDS;

/// How long the files of the other formats are.
const BYTES: usize = 4 << 20;

pub(crate) fn bench(criterion: &mut Criterion) {
    let plan = full_size(RECORDS);
    let asterisk = inputs(plan, &load(&generate(plan)));
    let bytes = cucm::file(asterisk.iter().flat_map(Input::records));
    let reader = open(Format::CiscoCucm, &Options::default(), &bytes, true).expect("a header");
    let asterisk: Vec<_> = asterisk.into_iter().map(|input| (input.reader, input.bytes)).collect();
    let mut group = criterion.benchmark_group("parse");
    let mut files = vec![("asterisk", RECORDS, asterisk), ("cisco-cucm", RECORDS, vec![(reader, bytes)])];
    files.extend(samples(BYTES).into_iter().map(|sample| {
        let file = (sample.reader, sample.bytes);
        (sample.name, sample.records, vec![file])
    }));
    for (name, records, files) in files {
        let bytes = files.iter().map(|(_, bytes)| bytes.len() as u64).sum();
        group.throughput(Throughput::ElementsAndBytes { elements: records, bytes });
        group.bench_function(name, |bencher| {
            bencher.iter(|| files.iter().for_each(|(reader, bytes)| read(reader, bytes)));
        });
    }
    group.finish();
}

/// As a run reads them: one into the place of the other.
fn read(reader: &Reader, bytes: &[u8]) {
    let mut records = reader.records(0, 0, bytes, true);
    let mut cdr = Cdr::blank(RecordId::from_bits(0), &[]);
    while let Some(read) = records.read(&mut cdr) {
        if let Err(reject) = read {
            panic!("{reject:?}");
        }
        black_box(&cdr);
    }
}
