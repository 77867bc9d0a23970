//! The work whose instructions `check.sh` counts: `instructions parse` or `instructions rate`, 20,000 records each.
//!
//! Only what runs inside the functions named `counted` is counted, so what it takes to get there may cost what it likes.
#![allow(clippy::panic, reason = "a count of work that was not done must fail loudly")]

use std::hint::black_box;

use rating_benches::{Input, generate, inputs, load, month};
use rating_core::attribution::{AttributedCall, attribute};
use rating_core::mediation::{Call, Mediated};
use rating_core::rating::Rater;
use rating_core::run::generate::Plan;
use rating_core::run::project::Project;

const RECORDS: u64 = 20_000;
/// Calls that the engine rates together.
const BLOCK: usize = 64;

fn main() {
    let plan = Plan::new(RECORDS, 1, month());
    let project = load(&generate(plan));
    let inputs = inputs(plan, &project);
    let counted = match std::env::args().nth(1).as_deref() {
        Some("parse") => counted_parse(&inputs),
        Some("rate") => {
            let calls: Vec<Call<'_>> = inputs
                .iter()
                .flat_map(|input| input.records().map(|cdr| project.mediators[input.source.index()].mediate(&cdr)))
                .map(|mediated| match mediated {
                    Mediated::Call(call) => call,
                    other => panic!("no call: {other:?}"),
                })
                .collect();
            counted_rate(&project, &calls)
        }
        _ => panic!("`parse` or `rate`"),
    };
    assert_eq!(counted, RECORDS);
}

/// Bytes to records.
#[inline(never)]
fn counted_parse(inputs: &[Input]) -> u64 {
    let mut records = 0;
    for input in inputs {
        for record in input.records() {
            black_box(record);
            records += 1;
        }
    }
    records
}

/// Calls to their payers and to their charges on both sides, in blocks as the engine takes them.
#[inline(never)]
fn counted_rate(project: &Project, calls: &[Call<'_>]) -> u64 {
    let rater = Rater::new(&project.book, &project.assignments);
    let mut rated = 0;
    for block in calls.chunks(BLOCK) {
        let block: Vec<AttributedCall<'_, '_>> = block.iter().map(|call| attribute(call, &project.directory)).collect();
        rater.rate_all(&block, |_, call| {
            black_box(call);
            rated += 1;
        });
    }
    rated
}
