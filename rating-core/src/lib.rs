//! Exact rating of telephone calls: call detail records in, charges and monthly reports out.
#![deny(missing_docs)]
#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "a test that cannot go on must fail loudly"
    )
)]

pub mod aggregation;
pub mod assignment;
pub mod attribution;
pub mod cdr;
pub mod directory;
pub mod finding;
pub mod ids;
pub mod mediation;
pub mod money;
pub mod number;
pub mod rating;
pub mod report;
pub mod run;
pub mod source;
pub mod tariff;
pub mod time;
