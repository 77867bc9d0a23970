//! A month: its files, its draft and the figures that are approved, its versions, its reports.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use serde_json::{Value, json};

use super::head::People;
use super::months::{amounts, telling};
use crate::error::{Problem, Result};
use crate::http::extract::Named;
use crate::portal::api::part;
use crate::portal::form::Fields;
use crate::portal::page::{Frame, Page, done, show, show_refused};
use crate::portal::words;
use crate::wire::Page as Listed;
use crate::wire::months::{CdrFile, Finding, Month, ReportRow, Reports, Run, Source, Totals};
use crate::wire::sites::Site;

/// A switch and its files.
struct Files {
    source: Source,
    files: Vec<CdrFile>,
}

/// Reports of a site, or of all.
struct OfSite {
    site: String,
    name: String,
    reports: Vec<ReportRow>,
}

#[derive(Template)]
#[template(path = "operator/work/month.html")]
struct OneMonth {
    frame: Frame,
    month: Month,
    people: People,
    sources: Vec<Files>,
    reports: Vec<OfSite>,
    last: Option<Month>,
    problem: Option<Problem>,
}

impl OneMonth {
    fn here(&self) -> String {
        format!("/months/{}", part(&self.month.month))
    }

    /// The draft that waits: checked or approved, not published.
    fn draft(&self) -> Option<&Run> {
        self.month.runs.iter().find(|run| matches!(run.state.as_str(), "checked" | "approved"))
    }

    fn in_force(&self) -> Option<&Run> {
        self.month.runs.iter().find(|run| Some(&run.run) == self.month.in_force.as_ref())
    }

    /// The month so far, as a preview had it.
    fn preview(&self) -> Option<&Run> {
        self.month.runs.iter().find(|run| run.state == "provisional")
    }

    fn versions(&self) -> Vec<&Run> {
        self.month.runs.iter().filter(|run| run.state != "provisional").collect()
    }

    fn has_reports(&self) -> bool {
        self.reports.iter().any(|site| site.reports.iter().any(|report| report.available))
    }

    /// Why there are no reports: what the interface says of the first.
    fn why_no_reports(&self) -> &str {
        let all = self.reports.iter().flat_map(|site| &site.reports);
        all.filter_map(|report| report.detail.as_deref()).next().unwrap_or("There are none yet.")
    }

    /// The figures of a run beside those of the version before it, and of the month before: a heading each.
    fn beside(&self, run: &Run, heading: &str) -> Vec<(String, Totals)> {
        let mut columns: Vec<(String, Totals)> = Vec::new();
        columns.extend(run.totals.clone().map(|totals| (heading.to_owned(), totals)));
        let is_before =
            |other: &&Run| other.run != run.run && matches!(other.state.as_str(), "published" | "superseded");
        let before = self.in_force().filter(|other| other.run != run.run);
        let before = before.or_else(|| self.month.runs.iter().find(is_before));
        columns.extend(before.and_then(|run| Some(("Version before".to_owned(), run.totals.clone()?))));
        let last = self.last.as_ref().and_then(|month| Some((month, telling(month)?)));
        columns.extend(last.and_then(|(month, run)| Some((words::month(&month.month), run.totals.clone()?))));
        columns
    }

    /// How far a run is, in hundredths.
    fn percent(&self) -> u64 {
        let running = self.month.running.as_ref();
        running.map_or(0, |running| running.bytes_done.saturating_mul(100) / running.bytes.max(1)).min(100)
    }
}

/// The beginning of a run's hash, which tells it apart.
pub(super) fn short(run: &str) -> &str {
    let hash = run.rsplit('-').next().unwrap_or(run);
    hash.get(..8).unwrap_or(hash)
}

/// How a run stands, in words.
pub(super) fn state(run: &Run, month: &Month) -> (&'static str, &'static str) {
    match run.state.as_str() {
        _ if Some(&run.run) == month.in_force.as_ref() => ("good", "in force"),
        "checked" => ("warn", "checked"),
        "approved" => ("warn", "approved"),
        "published" | "superseded" => ("", "superseded"),
        _ => ("", "preview"),
    }
}

/// Whether the first of them has more suspended calls or unreadable records than the limits.
pub(super) fn is_above_limit(columns: &[(String, Totals)]) -> bool {
    columns.first().is_some_and(|(_, totals)| totals.above_limit)
}

/// The figures of runs beside each other: what they are called, and how each reads.
pub(super) fn figures(columns: &[(String, Totals)]) -> Vec<(&'static str, Vec<String>)> {
    let names: Vec<&'static str> =
        columns.first().map(|(_, totals)| named(totals)).into_iter().flatten().map(|one| one.0).collect();
    let of = |index: usize| {
        columns.iter().filter_map(move |(_, totals)| named(totals).into_iter().nth(index)).map(|one| one.1).collect()
    };
    names.into_iter().enumerate().map(|(index, name)| (name, of(index))).collect()
}

/// The figures of a run that are approved.
fn named(totals: &Totals) -> Vec<(&'static str, String)> {
    let number = |number: u64| words::grouped(&number.to_string());
    vec![
        ("Records read", number(totals.records)),
        ("Records that cannot be read", number(totals.rejected)),
        ("Calls", number(totals.calls)),
        ("charged", number(totals.rated)),
        ("not chargeable", number(totals.not_chargeable)),
        ("suspended", number(totals.suspended)),
        ("Occupiers are charged", amounts(&totals.retail)),
        ("We are charged", amounts(&totals.wholesale)),
    ]
}

/// Where something that was found is mended.
pub(super) fn mended_at(found: &Finding) -> Option<(String, &'static str)> {
    let file = found.place.split(':').next().unwrap_or_default();
    let file = file.strip_prefix("directory/").unwrap_or(file);
    let place = match file.split('/').next().unwrap_or_default() {
        "tariffs" | "allowances" | "calendars" => ("/tariffs".to_owned(), "to the tariffs"),
        "assignments.csv" => ("/tariffs#assignments".to_owned(), "to the assignments"),
        "sites.toml" => ("/sites".to_owned(), "to the sites"),
        "occupiers.csv" | "contracts.csv" | "services.csv" | "lines.csv" => {
            ("/occupiers".to_owned(), "to the occupiers")
        }
        "allocations.csv" | "numbers.csv" => ("/sites".to_owned(), "to the sites' numbers"),
        "rating.toml" | "cdr" => ("/sources".to_owned(), "to the sources"),
        _ => match found.code.split('.').next().unwrap_or_default() {
            "attribution" => ("/sites".to_owned(), "to the sites' numbers"),
            "rating" | "tariff" | "assignment" => ("/tariffs".to_owned(), "to the tariffs"),
            "cdr" => ("/sources".to_owned(), "to the sources"),
            _ => return None,
        },
    };
    Some(place)
}

/// The name of a gap in the input, if that is what was found: its help says how to accept it.
pub(super) fn gap(found: &Finding) -> Option<&str> {
    let how = found.how.as_deref().filter(|_| found.code == "run.incomplete")?;
    how.rsplit_once('`').and_then(|(before, _)| before.rsplit_once('`')).and_then(|(_, named)| named.split(',').next())
}

async fn page_of(page: &Page, month: &str, problem: Option<Problem>) -> Result<OneMonth> {
    let found: Month = page.get(&format!("/api/v1/months/{}", part(month))).await?;
    let listed: Listed<Source> = page.get("/api/v1/sources").await?;
    let mut sources = Vec::new();
    for source in listed.items {
        let files: Listed<CdrFile> = page.get(&format!("/api/v1/sources/{}/files", part(&source.id))).await?;
        sources.push(Files { source, files: files.items });
    }
    let sites: Listed<Site> = page.get("/api/v1/sites?limit=500").await?;
    // A month that has not begun has no reports to speak of.
    let rows = match page.get::<Reports>(&format!("/api/v1/reports?month={}", part(month))).await {
        Ok(reports) => reports.reports,
        Err(problem) if problem.status() == 422 => Vec::new(),
        Err(problem) => return Err(problem),
    };
    let mut reports: Vec<OfSite> = Vec::new();
    for row in rows {
        if reports.last().is_none_or(|site| site.site != row.site) {
            let name = sites.items.iter().find(|site| site.id == row.site).map(|site| site.settings.name.clone());
            let name = name.unwrap_or_else(|| "All sites".to_owned());
            reports.push(OfSite { site: row.site.clone(), name, reports: Vec::new() });
        }
        if let Some(site) = reports.last_mut() {
            site.reports.push(row);
        }
    }
    let last = match rating_core::time::Month::parse(month) {
        Some(month) => page.find(&format!("/api/v1/months/{}", month.previous())).await?,
        None => None,
    };
    let people = People::of(page).await?;
    Ok(OneMonth { frame: page.frame(), month: found, people, sources, reports, last, problem })
}

/// Shows a month.
pub(super) async fn show_month(page: Page, Named(month): Named<String>) -> Result<Response> {
    show(&page_of(&page, &month, None).await?)
}

/// Does something with a month: what its form's button says.
pub(super) async fn act(page: Page, Named(month): Named<String>, fields: Fields) -> Result<Response> {
    let base = format!("/api/v1/months/{}", part(&month));
    let run = json!({ "run": fields.text("run") });
    let (method, address, body, said): (Method, String, Option<Value>, &str) = match fields.text("do") {
        "look" => return look(&page, &month).await,
        "check" => (Method::POST, format!("{base}/checks"), None, "run-begun"),
        "preview" => (Method::POST, format!("{base}/previews"), None, "run-begun"),
        "approve" => (Method::POST, format!("{base}/approvals"), Some(run), "month-approved"),
        "publish" => {
            let leave = !fields.text("leave_new_files_out").is_empty();
            let body = json!({ "run": fields.text("run"), "leave_new_files_out": leave });
            (Method::POST, format!("{base}/publications"), Some(body), "run-begun")
        }
        "discard" => (Method::DELETE, format!("{base}/runs/{}", part(fields.text("run"))), None, "run-discarded"),
        "close" => {
            (Method::POST, format!("{base}/close"), Some(json!({ "note": fields.text("note") })), "month-closed")
        }
        "reopen" => {
            (Method::POST, format!("{base}/reopen"), Some(json!({ "note": fields.text("note") })), "month-reopened")
        }
        "accept-gap" => {
            let body = json!({ "gap": fields.text("gap"), "reason": fields.text("reason") });
            (Method::POST, "/api/v1/project/accepted-gaps".to_owned(), Some(body), "gap-accepted")
        }
        other => return Err(Problem::new("request.invalid", format!("`{other}` is not done to months"))),
    };
    match page.send(method, &address, body.as_ref(), None).await {
        Ok(_) => done(&format!("/months/{}", part(&month)), said),
        Err(problem) => {
            let status = problem.status();
            show_refused(&page_of(&page, &month, Some(problem)).await?, status)
        }
    }
}

/// Looks for mistakes without rating anything.
async fn look(page: &Page, month: &str) -> Result<Response> {
    let answer = page.send(Method::POST, "/api/v1/project/checks", None, None).await;
    let found: Listed<Finding> = match answer {
        Ok(answer) => answer.read()?,
        Err(problem) => {
            let status = problem.status();
            return show_refused(&page_of(page, month, Some(problem)).await?, status);
        }
    };
    let mut shown = page_of(page, month, None).await?;
    let detail = match found.items.len() {
        0 => "No mistake was found in settings, directory and tariffs.".to_owned(),
        count => format!("{} in settings, directory and tariffs.", words::count(count, "finding", "findings")),
    };
    shown.month.last_refusal =
        Some(crate::wire::months::Refusal { code: String::new(), detail, help: None, findings: found.items });
    show(&shown)
}
