//! Small published reports as rows: what pages show of them equals the files.

use std::collections::BTreeMap;

use rating_core::report::Report;

use super::download::{Audience, visible};
use super::published::{Form, Of, Version};
use super::refusal::{Refusal, Result};

/// A row: its cells by their columns, empty ones left out.
pub type Row = BTreeMap<String, String>;

/// The rows of a report, with the columns that an audience may see; none if the report is not there or not shown. It may
/// block.
///
/// # Errors
///
/// If the file cannot be read.
pub fn rows(version: &Version, audience: &Audience, of: &Of, report: Report) -> Result<Vec<Row>> {
    let shown = match audience {
        Audience::Operator { sites } => {
            let site = match of {
                Of::Site(site) | Of::Payer { site, .. } => Some(site),
                Of::AllSites => None,
            };
            // Rows of other sites are the caller's to leave out.
            if let (Some(sites), Some(site)) = (sites, site)
                && !sites.contains(site)
            {
                return Ok(Vec::new());
            }
            None
        }
        Audience::Occupier { id, visibility } => {
            let theirs = matches!(of, Of::Payer { payer, .. } if payer == id);
            match visible::columns(report, visibility).filter(|_| theirs) {
                Some(columns) => Some(columns),
                None => return Ok(Vec::new()),
            }
        }
    };
    let Some(file) = version.report(of, report, Form::Machine) else { return Ok(Vec::new()) };
    let failed = |error: csv::Error| {
        Refusal::new("publish.version_damaged", format!("`{}` cannot be read: {error}", file.name))
            .help("bring the version's folder back from a copy, or run the month again")
    };
    let mut reader = csv::Reader::from_path(&file.path).map_err(failed)?;
    let header = reader.headers().map_err(failed)?.clone();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(failed)?;
        let cells = header
            .iter()
            .zip(record.iter())
            .filter(|(name, cell)| !cell.is_empty() && shown.as_ref().is_none_or(|shown| shown.contains(name)));
        rows.push(cells.map(|(name, cell)| (name.to_owned(), cell.to_owned())).collect());
    }
    Ok(rows)
}
