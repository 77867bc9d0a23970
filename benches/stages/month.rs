//! A whole month from files in memory, as a dry run: everything but writing, which is hashed all the same.

use criterion::{Criterion, Throughput};
use rating_benches::{ROOT, full_size, generate, month};
use rating_core::run::{self, Options, Silent};

const RECORDS: u64 = 100_000;

pub(crate) fn bench(criterion: &mut Criterion) {
    let memory = generate(full_size(RECORDS));
    let mut group = criterion.benchmark_group("month");
    group.sample_size(10);
    let records = memory.files().filter(|(path, _)| path.to_string_lossy().contains("/cdr/"));
    let bytes = records.map(|(_, content)| content.len() as u64).sum();
    group.throughput(Throughput::ElementsAndBytes { elements: RECORDS, bytes });
    for threads in [1, 2] {
        let options = Options { threads, dry_run: true, ..Options::new(ROOT, month()) };
        group.bench_function(format!("100k records, threads {threads}"), |bencher| {
            bencher.iter(|| {
                let summary = run::month(&memory, &options, &Silent).expect("a month");
                assert_eq!(summary.records.records, RECORDS);
                summary
            });
        });
    }
    group.finish();
}
