//! The `rating` command around [`rating_core`]: arguments in, progress, tables and exit codes out. It knows the clock and
//! the terminal; it decides no price and no holder.
#![deny(missing_docs)]
#![forbid(unsafe_code)]

pub mod cli;
