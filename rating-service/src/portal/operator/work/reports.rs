//! The reports of a month, to be downloaded: for who runs months on the page of the month, for the people of sites on a page of
//! its own.

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use rating_core::time::Month;
use serde::Deserialize;

use crate::error::Result;
use crate::portal::api::asking;
use crate::portal::operator::head;
use crate::portal::page::{Frame, Page, show};
use crate::portal::words;
use crate::wire::months::{ReportRow, Reports};

/// How many months one can choose from.
const CHOICE: usize = 24;
/// Formats of downloads.
pub(super) const FORMATS: [&str; 4] = ["csv", "xlsx", "machine-csv", "parquet"];

/// Reports of a site, or of all, that are there.
pub(super) struct OfSite {
    pub(super) site: String,
    pub(super) name: String,
    pub(super) reports: Vec<ReportRow>,
}

/// The reports of a month.
pub(super) struct Listed {
    pub(super) month: String,
    pub(super) sites: Vec<OfSite>,
    /// What is not there, and why: each reason once.
    pub(super) missing: Vec<String>,
    /// They are of a preview: the month so far.
    pub(super) is_preview: bool,
    /// The month is over, as far as is said.
    is_over: bool,
}

impl Listed {
    /// Of a month; of its preview, where the month is not over or nothing else is there, and there is one.
    pub(super) async fn of(page: &Page, month: &str) -> Result<Self> {
        let listed = Self::read(page, month, false).await?;
        if listed.is_over && !listed.sites.is_empty() {
            return Ok(listed);
        }
        let preview = Self::read(page, month, true).await?;
        Ok(if preview.sites.is_empty() { listed } else { preview })
    }

    async fn read(page: &Page, month: &str, is_preview: bool) -> Result<Self> {
        let preview = if is_preview { "true" } else { "" };
        let address = asking("/api/v1/reports", &[("month", month), ("preview", preview)]);
        // A month that has not begun has no reports to speak of.
        let found = match page.get::<Reports>(&address).await {
            Ok(found) => found,
            Err(problem) if problem.status() == 422 => Reports { month: month.to_owned(), reports: Vec::new() },
            Err(problem) => return Err(problem),
        };
        let sites = head::sites(page).await?;
        let mut listed = Self { month: found.month, sites: Vec::new(), missing: Vec::new(), is_preview, is_over: true };
        for row in found.reports {
            let name = sites.iter().find(|site| site.id == row.site).map(|site| site.settings.name.clone());
            let name = name.unwrap_or_else(|| "All sites".to_owned());
            if !row.available {
                listed.miss(&row, &name);
                continue;
            }
            match listed.sites.iter_mut().find(|site| site.site == row.site) {
                Some(site) => site.reports.push(row),
                None => listed.sites.push(OfSite { site: row.site.clone(), name, reports: vec![row] }),
            }
        }
        Ok(listed)
    }

    fn miss(&mut self, row: &ReportRow, site: &str) {
        let detail = words::sentence(row.detail.as_deref().unwrap_or("It is not there."));
        self.is_over &= row.reason.as_deref() != Some("month-not-complete");
        let detail = match row.reason.as_deref() {
            // What holds for a month holds for all of its reports.
            Some("month-not-complete" | "not-published") => detail,
            _ => format!("{site}, {}: {detail}", row.report),
        };
        if !self.missing.contains(&detail) {
            self.missing.push(detail);
        }
    }

    pub(super) fn address(&self, site: &OfSite, report: &str, format: &str) -> String {
        let of_site = if site.site == "all-sites" { "" } else { site.site.as_str() };
        let preview = if self.is_preview { "true" } else { "" };
        let asked = [
            ("month", self.month.as_str()),
            ("site", of_site),
            ("report", report),
            ("format", format),
            ("preview", preview),
        ];
        asking("/api/v1/reports/download", &asked)
    }
}

#[derive(Template)]
#[template(path = "operator/work/reports.html")]
struct OfMonth {
    frame: Frame,
    listed: Listed,
    months: Vec<(String, String)>,
}

/// Which month.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Which {
    month: String,
}

/// Lists the reports of a month, by default the last complete one.
pub(super) async fn list(page: Page, Query(which): Query<Which>) -> Result<Response> {
    let listed = Listed::of(&page, &which.month).await?;
    let today = page.session.today.as_deref().and_then(rating_core::time::Date::parse).map(Month::of);
    let back = std::iter::successors(today, |month| Some(month.previous())).take(CHOICE).map(|month| month.to_string());
    let mut months: Vec<(String, String)> = back.map(|month| (month.clone(), words::month(&month))).collect();
    if !months.iter().any(|(month, _)| *month == listed.month) {
        months.push((listed.month.clone(), words::month(&listed.month)));
    }
    show(&OfMonth { frame: page.frame(), listed, months })
}
