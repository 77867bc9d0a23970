//! The embedded database: rows as plain structs, history that is appended and never edited. Decides nothing.

pub mod snapshot;
