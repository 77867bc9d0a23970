//! The `rating` command around [`rating_core`]: arguments in, progress, tables and exit codes out. It knows the clock and
//! the terminal; it decides no price and no holder.
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

pub mod cli;
#[cfg(feature = "serve")]
pub mod publish;
#[cfg(feature = "serve")]
pub mod store;
