//! Criterion benches of every stage, in memory.
//!
//! ```sh
//! cargo bench -p rating-benches              # all
//! cargo bench -p rating-benches -- parse/    # some
//! ```
//!
//! Times are for all records of a bench; the rates beside them are what to compare. Benches of one stage take that stage's
//! input ready-made from memory, so they miss what a stage gains from finding its input in the cache: `engine/` measures
//! the stages together, as a run does.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a bench that cannot go on must fail loudly"
)]

mod batch;
mod engine;
mod mediate;
mod month;
mod parse;
mod rate;
mod report;
mod tariff;

use criterion::Criterion;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    parse::bench(&mut criterion);
    mediate::bench(&mut criterion);
    rate::bench(&mut criterion);
    engine::bench(&mut criterion);
    batch::bench(&mut criterion);
    report::bench(&mut criterion);
    tariff::bench(&mut criterion);
    month::bench(&mut criterion);
    criterion.final_summary();
}

/// How many records the benches of single stages take.
const RECORDS: u64 = 50_000;
