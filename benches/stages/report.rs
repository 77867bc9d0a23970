//! Rated rows to itemised tables, and those to CSV and Parquet.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use rating_benches::{full_size, generate, inputs, load};
use rating_core::aggregation::Aggregate;
use rating_core::attribution::attribute;
use rating_core::mediation::Mediated;
use rating_core::rating::{CallRow, Rater};
use rating_core::report::csv::{self, Profile};
use rating_core::report::parquet::Encoder;
use rating_core::report::{Batch, Itemised, NameLists, Names, ROW_GROUP_ROWS};

use crate::RECORDS;

pub(crate) fn bench(criterion: &mut Criterion) {
    let plan = full_size(RECORDS);
    let project = load(&generate(plan));
    let inputs = inputs(plan, &project);
    let rater = Rater::new(&project.book, &project.assignments);
    let mut rows: Vec<CallRow<'_>> = Vec::new();
    for input in &inputs {
        for cdr in input.records() {
            if let Mediated::Call(call) = project.mediators[input.source.index()].mediate(&cdr) {
                rows.push(rater.rate(attribute(&call, &project.directory)).row());
            }
        }
    }
    rows.sort_by_key(|row| (row.site, row.payer, row.charging_at, row.record));
    rows.truncate(ROW_GROUP_ROWS);
    let sites = &project.settings.sites;
    let names = Names::new(&NameLists {
        sites: sites.iter().map(|site| (site.id.clone(), site.zone.clone())).collect(),
        payers: project.directory.payers().iter().map(|payer| (payer.id.clone(), payer.name.clone())).collect(),
        destinations: project.book.destinations().iter().map(str::to_owned).collect(),
        bands: project.book.bands().iter().map(str::to_owned).collect(),
        tariffs: project.book.tariffs().iter().map(|tariff| tariff.id().to_owned()).collect(),
        sources: project.settings.sources.iter().map(|source| source.id.clone()).collect(),
        files: sites.iter().map(|site| format!("cdr/{}.csv", site.id)).collect(),
    });
    let table = |rows: &[CallRow<'_>]| -> Batch {
        let mut itemised = Itemised::for_site(&names);
        for row in rows {
            itemised.push(row);
        }
        itemised.finish()
    };

    let mut group = criterion.benchmark_group("report");
    group.throughput(Throughput::Elements(rows.len() as u64));
    group.bench_function("add up", |bencher| {
        bencher.iter(|| {
            let mut aggregate = Aggregate::new();
            for row in &rows {
                aggregate.add(row);
            }
            aggregate
        });
    });
    group.bench_function("itemise", |bencher| bencher.iter(|| table(&rows)));
    let batch = table(&rows);
    for (name, profile) in [("spreadsheet csv", Profile::Spreadsheet), ("machine csv", Profile::Machine)] {
        let mut out = Vec::new();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                out.clear();
                csv::write(&batch.view(), profile, &mut out);
                black_box(out.len())
            });
        });
    }
    let encoder = Encoder::new(&Itemised::site_schema()).expect("a schema that Parquet has");
    group.bench_function("parquet row group", |bencher| {
        bencher.iter(|| encoder.encode(&batch.view()).expect("a row group"));
    });
    group.finish();
}
