//! A month from the database to a reader.

mod demo;
mod project;
