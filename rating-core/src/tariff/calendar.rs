//! Calendars of holidays: files that people write, and those that are built in.

use std::sync::Arc;

use super::notation;
use crate::finding::table::Table;
use crate::finding::{Findings, SourceText, did_you_mean};
use crate::time::Date;

/// The dates of a built-in calendar, in order; `None` if there is none of that id.
#[must_use]
pub fn dates(_id: &str) -> Option<Vec<Date>> {
    None
}

/// The ids of the built-in calendars.
pub fn ids() -> impl Iterator<Item = &'static str> {
    ["GB-ENG"].into_iter()
}

/// Reads a calendar file: CSV with a column `date` and, for people, `name`.
#[must_use]
pub fn read(file: &Arc<SourceText>, findings: &mut Findings) -> Vec<Date> {
    let table = Table::read(file, &["date"], &["name"], findings);
    let column = table.column("date");
    let mut dates = Vec::new();
    for row in table.rows() {
        if let Some(text) = row.required(column, findings) {
            match notation::date(text) {
                Ok(date) => dates.push(date),
                Err(fault) => findings.push(fault.at(row.label(column, ""))),
            }
        }
    }
    dates
}

/// What to write instead of the id of a calendar that there is not.
#[must_use]
pub fn suggestion(id: &str) -> String {
    match did_you_mean(id, ids()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "write a built-in calendar (`GB-ENG`, `DE-BY`, `US`, …) or a file (`days.csv`)".to_owned(),
    }
}
