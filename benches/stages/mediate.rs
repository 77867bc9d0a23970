//! Records to calls.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use rating_benches::{Input, cucm, full_size, generate, inputs, load};
use rating_core::cdr::{Format, Options, open};
use rating_core::mediation::{Mediator, SourceSettings};
use rating_core::time::Zone;

use crate::RECORDS;

pub(crate) fn bench(criterion: &mut Criterion) {
    let plan = full_size(RECORDS);
    let project = load(&generate(plan));
    let asterisk = inputs(plan, &project);
    let records: Vec<_> = asterisk.iter().flat_map(|input| input.records().map(|cdr| (input.source, cdr))).collect();
    let mut group = criterion.benchmark_group("mediate");
    group.throughput(Throughput::Elements(RECORDS));
    group.bench_function("asterisk", |bencher| {
        bencher.iter(|| {
            for (source, cdr) in &records {
                black_box(project.mediators[source.index()].mediate(cdr));
            }
        });
    });

    // The first site has a fifth of all calls; its dial plan reads them all, for numbers outside are dialled alike.
    let bytes = cucm::file(asterisk.iter().flat_map(Input::records));
    let reader = open(Format::CiscoCucm, &Options::default(), &bytes, true).expect("a header");
    let records: Vec<_> = reader.records(0, 0, &bytes, true).map(|record| record.expect("a record")).collect();
    let plan = project.mediators[0].plan().clone();
    let settings = SourceSettings { trunks: vec!["SIP-TRUNK*".to_owned()], ..SourceSettings::default() };
    let ids = (asterisk[0].source, rating_core::ids::SiteId(0));
    let mediator = Mediator::new(ids.0, ids.1, Zone::utc(), plan, settings);
    group.bench_function("cucm", |bencher| {
        bencher.iter(|| {
            for cdr in &records {
                black_box(mediator.mediate(cdr));
            }
        });
    });
    group.finish();
}
