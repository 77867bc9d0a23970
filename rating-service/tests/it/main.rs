//! The `rating` command as a user meets it: started as a process, judged by what it prints and by its exit code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on must fail loudly")]

mod books;
mod check;
mod diff;
mod explain;
mod hostile;
mod house;
mod import;
mod inspect;
mod price;
#[cfg(feature = "serve")]
mod publish;
mod reconcile;
mod run;
mod shards;
mod what_if;
mod words;
