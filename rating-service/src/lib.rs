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

#[cfg(feature = "serve")]
pub mod app;
#[cfg(feature = "serve")]
pub mod auth;
#[cfg(feature = "serve")]
pub mod backup;
pub mod cli;
#[cfg(feature = "serve")]
pub mod clock;
#[cfg(feature = "serve")]
pub mod config;
#[cfg(feature = "serve")]
pub mod connections;
#[cfg(feature = "serve")]
pub mod demo;
#[cfg(feature = "serve")]
pub mod due;
#[cfg(feature = "serve")]
pub mod error;
#[cfg(feature = "serve")]
pub mod http;
#[cfg(feature = "serve")]
pub mod jobs;
#[cfg(feature = "serve")]
pub mod mail;
#[cfg(feature = "serve")]
pub mod numbering;
#[cfg(feature = "serve")]
pub mod portal;
#[cfg(feature = "serve")]
pub mod publish;
#[cfg(feature = "serve")]
pub mod serve;
#[cfg(feature = "serve")]
pub mod store;
#[cfg(feature = "serve")]
pub mod tidy;
#[cfg(feature = "serve")]
pub mod wire;
