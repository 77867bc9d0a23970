//! Integration tests of `rating-core`, one binary.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on must fail loudly")]

mod agree;
mod allowances;
mod assembly;
mod books;
mod cgrates;
mod changing;
mod determinism;
mod draft;
mod embed;
mod explain;
mod findings;
mod forms;
mod hostile;
mod layering;
mod occupier_files;
mod retail_only;
mod scenarios;
mod shards;
mod site_holidays;
mod support;
