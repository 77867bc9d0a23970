//! A month, whole or not at all: what the database knows becomes a project of the engine, the engine runs it, and what is
//! published is read, checked and rendered for whoever may see it.
//!
//! | | |
//! | --- | --- |
//! | [`project`] | a snapshot of the database as a folder that `rating run` reads as well |
//! | [`inbox`] | the switches' files and files of tariffs, taken in whole or not at all |
//! | [`engine`] | runs it: checks a month, publishes what was checked, closes it, compares versions |
//! | [`published`] | what is published: months, versions, totals, reports |
//! | [`index`] | a disposable index of the calls of a version, for pages |
//! | [`shelf`] | versions that are looked at often, kept open |
//! | [`tariffs`] | which there are, what a draft would change, what a call would cost |
//! | [`tables`] | small published reports as rows |
//! | [`explained`] | why a call of a version costs what it costs |
//! | [`download`] | reports on their way to a reader: CSV, zip, XLSX, Parquet |
//!
//! Nothing here decides a price or a holder, and nothing here knows HTTP: what is refused is a [`Refusal`] with a stable
//! code.

pub mod decimal;
pub mod download;
pub mod engine;
pub mod explained;
pub mod inbox;
pub mod index;
pub mod project;
pub mod published;
mod refusal;
mod runs;
pub mod shelf;
pub mod tables;
pub mod tariffs;

pub use refusal::{CODES, Found, Refusal, Result};
