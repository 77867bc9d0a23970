//! Bytes of a switch's file to rated rows, sorted by payer and time: the first pass without reading and keys.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use rating_benches::{full_size, generate, inputs, load};
use rating_core::attribution::attribute;
use rating_core::mediation::Mediated;
use rating_core::rating::{Rater, Reason};
use rating_core::run::aside::Store;
use rating_core::run::spill::RowBuffer;

use crate::RECORDS;

pub(crate) fn bench(criterion: &mut Criterion) {
    let plan = full_size(RECORDS);
    let project = load(&generate(plan));
    let inputs = inputs(plan, &project);
    let rater = Rater::new(&project.book, &project.assignments);
    let codes: Vec<&'static str> = Reason::ALL.into_iter().map(Reason::code).collect();
    let bytes = inputs.iter().map(|input| input.bytes.len() as u64).sum();
    let mut group = criterion.benchmark_group("engine");
    group.throughput(Throughput::ElementsAndBytes { elements: RECORDS, bytes });
    for (name, set_aside) in [("records to rated calls", false), ("records to rows set aside", true)] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let store = Store::in_memory();
                let mut appender = store.appender();
                for input in &inputs {
                    let mut rows = RowBuffer::default();
                    for cdr in input.records() {
                        let Mediated::Call(call) = project.mediators[input.source.index()].mediate(&cdr) else {
                            continue;
                        };
                        let rated = rater.rate(attribute(&call, &project.directory));
                        if set_aside {
                            rows.push(&rated.row(), None, &codes);
                        } else {
                            black_box(rated);
                        }
                    }
                    black_box(rows.set_aside(&mut appender).is_ok());
                }
            });
        });
    }
    group.finish();
}
