//! The charges of a month.

use askama::Template;
use axum::response::Response;
use rating_core::time::Month;

use super::figures::{AtSite, Large, Spent, columns, spent};
use super::{Asked, Ground, asking, why};
use crate::error::Result;
use crate::portal::chart::{Columns, DAYS};
use crate::portal::operator::head::OccupierHead;
use crate::portal::page::{Frame, Page, show};
use crate::portal::words;
use crate::wire::charges::{Level, MonthOfCharges, MonthOfSpend, Spend, State};
use crate::wire::months::{ReportRow, Reports};

/// How many months one can choose from.
const CHOICE: usize = 24;

/// Formats of downloads, with what they are called.
const FORMATS: [(&str, &str); 4] =
    [("csv", "CSV"), ("xlsx", "Excel"), ("machine-csv", "CSV for programs"), ("parquet", "Parquet")];

/// Reports, with what they are called.
const REPORTS: [(&str, &str); 5] = [
    ("itemised", "Itemised calls"),
    ("extension-summary", "Summary by extension"),
    ("destinations", "Charges by destination"),
    ("allowances", "Allowances"),
    ("bill", "Bill"),
];

#[derive(Template)]
#[template(path = "occupier/charges.html")]
struct Charges {
    frame: Frame,
    head: Option<OccupierHead>,
    ground: Ground,
    name: String,
    month: String,
    months: Vec<(String, String)>,
    site: String,
    places: Vec<(String, String)>,
    level: Level,
    downloads: Vec<Downloads>,
    sites: Vec<AtSite>,
    spent: Vec<Spent>,
    charts: Vec<Columns>,
    /// Why nothing is there, site by site.
    missing: Vec<String>,
    /// What is to come, if nothing is there at all yet.
    next: Vec<String>,
    closed: Vec<&'static str>,
    /// All reports of all sites in one file.
    everything: Vec<(&'static str, String)>,
}

/// The downloads of a site.
struct Downloads {
    site: String,
    rows: Vec<Download>,
    /// All in one file.
    all: Vec<(&'static str, String)>,
    /// Why there are none.
    missing: String,
}

struct Download {
    title: String,
    formats: Vec<(&'static str, String)>,
    missing: String,
}

impl Charges {
    fn title(&self) -> String {
        words::month(&self.month)
    }

    /// The one site that the page is about; none, if it is about several.
    fn only(&self) -> Option<&AtSite> {
        match self.sites.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }

    /// How far a month that is not over has come.
    fn provisional(&self) -> Option<&State> {
        self.sites.iter().map(|site| &site.of.state).find(|state| state.provisional)
    }

    fn address(&self, site: &str) -> String {
        asking(&self.ground.charges(), &[("month", &self.month), ("site", site)])
    }

    fn calls(&self, site: &str) -> String {
        asking(&self.ground.calls(), &[("month", &self.month), ("site", site)])
    }

    fn largest(&self, site: &AtSite) -> [(&'static str, &'static str, Vec<Large>); 2] {
        let list = |calls| Large::list(&self.ground, &self.month, calls, site.decimals);
        [
            ("Dearest calls", "dearest", list(site.of.dearest.as_ref())),
            ("Longest calls", "longest", list(site.of.longest.as_ref())),
        ]
    }

    /// Where the calls are charged: the clocks of the sites.
    fn zones(&self) -> String {
        let mut zones: Vec<&str> = self.sites.iter().map(|site| site.of.state.zone.as_str()).collect();
        zones.sort_unstable();
        zones.dedup();
        zones.join(", ")
    }
}

/// The page of a month: the one asked for, or the last complete one.
pub(super) async fn show_month(page: &Page, ground: Ground, asked: &Asked) -> Result<Response> {
    let query = [("month", asked.month.as_str()), ("site", asked.site.as_str())];
    let reports: Reports = page.get(&asking(&ground.api("reports"), &query)).await?;
    let month = reports.month.clone();
    let spend: Spend = page.get(&ground.api("charges")).await?;
    let address = ground.api(&format!("charges/{}", super::part(&month)));
    let charges: MonthOfCharges = page.get(&asking(&address, &[("site", &asked.site)])).await?;

    let frame = page.frame();
    let level = charges.level;
    let places = places_of(&spend);
    let states: Vec<State> = charges.sites.iter().map(|site| site.state.clone()).collect();
    let downloads = downloads(&ground, &month, &reports, &states, &frame.operator);
    let missing = states.iter().filter(|state| !state.available);
    let missing: Vec<String> = missing.map(|state| why(state, &month, &frame.operator)).collect();
    let is_empty = spend.months.iter().flat_map(|month| &month.sites).all(|site| !site.state.available);
    let next = if is_empty && asked.month.is_empty() { to_come(page, &ground, &month).await? } else { Vec::new() };
    let site = match (asked.site.as_str(), places.as_slice()) {
        ("", [(only, _)]) => only.clone(),
        (site, _) => site.to_owned(),
    };
    let spent = if level.summary && !is_empty { spent(&ground, &spend.months, &site, &month) } else { Vec::new() };
    show(&Charges {
        head: ground.head(page).await?,
        charts: columns(&spent),
        months: months(&spend, &month),
        sites: charges.sites.into_iter().map(|of| AtSite::new(&ground, &month, of, level.itemised)).collect(),
        everything: everything(&ground, &month, &downloads),
        closed: closed(level),
        name: charges.name,
        frame,
        ground,
        month,
        site,
        places,
        level,
        downloads,
        spent,
        missing,
        next,
    })
}

/// The sites of an occupier: id and name.
fn places_of(spend: &Spend) -> Vec<(String, String)> {
    let sites = spend.months.last().into_iter().flat_map(|month| &month.sites);
    sites.map(|found| (found.state.site.clone(), found.state.site_name.clone())).collect()
}

/// The sites of an occupier, and the months, to choose from.
pub(super) async fn choices(page: &Page, ground: &Ground, here: &str) -> Result<(Pairs, Pairs)> {
    let spend: Spend = page.get(&asking(&ground.api("charges"), &[("months", "1")])).await?;
    Ok((places_of(&spend), months(&spend, here)))
}

/// Values to choose from, with what they are called.
pub(super) type Pairs = Vec<(String, String)>;

/// What an occupier whose pages are empty waits for: the end of the running month.
async fn to_come(page: &Page, ground: &Ground, last: &str) -> Result<Vec<String>> {
    let Some(next) = Month::parse(last).map(|last| last.next().to_string()) else { return Ok(Vec::new()) };
    let address = ground.api(&format!("charges/{}", super::part(&next)));
    let Some(charges) = page.find::<MonthOfCharges>(&address).await? else { return Ok(Vec::new()) };
    let ahead = charges.sites.iter().filter(|site| site.state.not_before.is_some());
    Ok(ahead.map(|site| why(&site.state, &next, &page.session.operator)).collect())
}

/// The months to choose from, the newest first.
fn months(spend: &Spend, here: &str) -> Vec<(String, String)> {
    let newest = spend.months.last().map_or(here, |month| month.month.as_str());
    // Months from before there was anything are not offered. Further back than is said, nobody knows.
    let is_there = |month: &MonthOfSpend| month.sites.iter().any(|site| site.state.available);
    let count = match spend.months.iter().position(is_there) {
        _ if spend.months.len() < 2 => CHOICE,
        Some(0) => CHOICE,
        Some(first) => (spend.months.len() - first).max(2),
        None => 2,
    };
    let back = std::iter::successors(Month::parse(newest), |month| Some(month.previous()));
    let mut all: Vec<String> = back.take(count).map(|month| month.to_string()).collect();
    if !all.iter().any(|month| month == here) {
        all.push(here.to_owned());
        all.sort_unstable_by(|a, b| b.cmp(a));
    }
    let runs = |month: &str| spend.months.iter().any(|known| known.month == month && known.provisional);
    let text = |month: &str| format!("{}{}", words::month(month), if runs(month) { " (so far)" } else { "" });
    all.into_iter()
        .map(|month| {
            let text = text(&month);
            (month, text)
        })
        .collect()
}

/// What the operator has not opened.
fn closed(level: Level) -> Vec<&'static str> {
    let all = [
        (level.summary, "sums of charges"),
        (level.itemised, "calls one by one"),
        (level.called_in_full, "the last digits of numbers that were called"),
        (level.usage_to_date, "the running month"),
        (level.allowance_left, "allowances"),
    ];
    all.into_iter().filter(|(open, _)| !open).map(|(_, what)| what).collect()
}

/// All reports of all sites in one file, if several have some.
fn everything(ground: &Ground, month: &str, downloads: &[Downloads]) -> Vec<(&'static str, String)> {
    if downloads.iter().filter(|at| !at.rows.is_empty()).count() < 2 {
        return Vec::new();
    }
    let address = |format: &str| asking(&ground.api("reports/download"), &[("month", month), ("format", format)]);
    FORMATS.into_iter().map(|(format, text)| (text, address(format))).collect()
}

/// The downloads of each site.
fn downloads(ground: &Ground, month: &str, reports: &Reports, states: &[State], operator: &str) -> Vec<Downloads> {
    let mut all = Vec::new();
    for state in states {
        let rows: Vec<&ReportRow> = reports.reports.iter().filter(|row| row.site == state.site).collect();
        let address = ground.api("reports/download");
        let links = |report: &str| -> Vec<(&'static str, String)> {
            let link = |(format, text): (&str, &'static str)| {
                let asked = [("month", month), ("site", &state.site), ("report", report), ("format", format)];
                (text, asking(&address, &asked))
            };
            FORMATS.into_iter().map(link).collect()
        };
        let missing = |row: &ReportRow| match &row.reason {
            _ if state.provisional => format!("Reports of {} are made once it is over.", words::month(month)),
            reason if *reason == state.reason => why(state, month, operator),
            _ => row.detail.clone().unwrap_or_default(),
        };
        let first = rows.first().map(|row| missing(row)).unwrap_or_default();
        if rows.iter().all(|row| !row.available) {
            let missing = if rows.is_empty() { why(state, month, operator) } else { first };
            all.push(Downloads { site: state.site_name.clone(), rows: Vec::new(), all: Vec::new(), missing });
            continue;
        }
        let download = |row: &&ReportRow| Download {
            title: REPORTS.iter().find(|(id, _)| *id == row.report).map_or(&*row.report, |(_, title)| title).to_owned(),
            formats: if row.available { links(&row.report) } else { Vec::new() },
            missing: if row.available { String::new() } else { missing(row) },
        };
        all.push(Downloads {
            site: state.site_name.clone(),
            rows: rows.iter().map(download).collect(),
            all: links(""),
            missing: String::new(),
        });
    }
    all
}
