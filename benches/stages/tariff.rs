//! Rate decks and whole projects, read and compiled.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use criterion::{Criterion, Throughput};
use rating_benches::{ROOT, full_size, generate, load};
use rating_core::finding::{Findings, SourceText};
use rating_core::run::generate::Plan;
use rating_core::run::storage::Storage;
use rating_core::tariff::TariffBook;
use rating_core::time::Zone;

pub(crate) fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("load");
    group.sample_size(10);
    for (name, prefixes) in [("60k", 60_000), ("170k", 170_000)] {
        let memory = generate(Plan { prefixes, ..full_size(100) });
        let text = |path: &str| {
            let content = memory.read(&Path::new(ROOT).join(path)).expect("a file");
            SourceText::new(path, String::from_utf8(content).expect("UTF-8"))
        };
        let (settings, deck) = (text("tariffs/retail.toml"), text("tariffs/retail.csv"));
        let zone = Zone::load("Europe/London").expect("a zone");
        group.throughput(Throughput::Elements(u64::from(prefixes)));
        group.bench_function(format!("deck of {name} prefixes, three bands"), |bencher| {
            bencher.iter(|| {
                let mut findings = Findings::default();
                let mut load = |_: &str| Some(Arc::clone(&deck));
                let files = [Arc::clone(&settings)];
                let book = TariffBook::read(&files, &mut load, &[zone.clone().into()], &zone, &mut findings);
                assert!(findings.is_empty() && book.tariffs().len() == 1);
                book
            });
        });
        group.bench_function(format!("project of two decks of {name} prefixes"), |bencher| {
            bencher.iter(|| black_box(load(&memory)));
        });
    }
    group.finish();
}
