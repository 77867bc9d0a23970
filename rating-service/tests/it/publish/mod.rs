//! A month from the database to a reader.

mod demo;
mod download;
mod engine;
mod index;
mod project;
