//! A month: its files, its draft and the figures that are approved, its versions, its reports.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use serde_json::{Value, json};

use super::head::People;
use super::reports::Listed;
use crate::error::{Problem, Result};
use crate::http::extract::Named;
use crate::portal::api::part;
use crate::portal::charges::{decimals, padded};
use crate::portal::form::Fields;
use crate::portal::page::{Frame, Page, done, show, show_refused};
use crate::portal::words;
use crate::wire::Page as Paged;
use crate::wire::months::{Beside, CdrFile, Difference, Finding, Month, Run, Source, Totals};

/// A switch and its files.
struct Files {
    source: Source,
    files: Vec<CdrFile>,
}

#[derive(Template)]
#[template(path = "operator/work/month.html")]
struct OneMonth {
    frame: Frame,
    month: Month,
    people: People,
    sources: Vec<Files>,
    reports: Listed,
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

/// Whether a run has more suspended calls or unreadable records than the limits.
pub(super) fn is_above_limit(run: &Run) -> bool {
    run.totals.as_ref().is_some_and(|totals| totals.above_limit)
}

/// Whether anything of what was found must be mended.
pub(super) fn has_mistake(found: &[Finding]) -> bool {
    found.iter().any(|one| one.severity == "error")
}

/// What was found, in a sentence.
pub(super) fn said_of(found: &[Finding]) -> String {
    words::found(found.iter().map(|one| one.severity.as_str()))
}

/// A row of figures: what it is called, and what each column has.
pub(super) struct Row {
    pub(super) name: String,
    pub(super) cells: Vec<String>,
}

/// The heads of the columns beside a run's own, each with one for the difference after it.
pub(super) fn heads(run: &Run) -> Vec<String> {
    let head = |beside: &Beside| match beside.what.as_str() {
        "version_before" => format!("Version before, {}", short(&beside.run)),
        _ => words::month(&beside.month),
    };
    run.beside.iter().map(head).collect()
}

/// The figures of a run, and beside them those of the version before it and of the month before, each with the difference: a line
/// for each currency.
pub(super) fn figures(run: &Run) -> Vec<Row> {
    let Some(totals) = &run.totals else { return Vec::new() };
    let number = |number: u64| words::grouped(&number.to_string());
    let count =
        |name: &str, of: fn(&Totals) -> u64, less: fn(&Difference) -> i64| Row {
            name: name.to_owned(),
            cells: std::iter::once(number(of(totals)))
                .chain(run.beside.iter().flat_map(|beside| {
                    [number(of(&beside.totals)), words::signed(&less(&beside.difference).to_string())]
                }))
                .collect(),
        };
    let mut rows = vec![
        count("Records read", |totals| totals.records, |less| less.records),
        count("Records that cannot be read", |totals| totals.rejected, |less| less.rejected),
        count("Calls", |totals| totals.calls, |less| less.calls),
        count("charged", |totals| totals.rated, |less| less.rated),
        count("not chargeable", |totals| totals.not_chargeable, |less| less.not_chargeable),
        count("suspended", |totals| totals.suspended, |less| less.suspended),
    ];
    rows.extend(money(run, totals, "retail", |totals| &totals.retail, |less| &less.retail));
    rows.extend(money(run, totals, "wholesale", |totals| &totals.wholesale, |less| &less.wholesale));
    rows
}

type Amounts = BTreeMap<String, String>;

/// The rows of a side, one for each currency of any column.
fn money(
    run: &Run,
    totals: &Totals,
    side: &str,
    of: fn(&Totals) -> &Amounts,
    less: fn(&Difference) -> &Amounts,
) -> Vec<Row> {
    let all = std::iter::once(totals).chain(run.beside.iter().map(|beside| &beside.totals));
    let currencies: BTreeSet<&String> = all.flat_map(|totals| of(totals).keys()).collect();
    let row = |currency: &String| {
        let all = std::iter::once(of(totals));
        let all = all.chain(run.beside.iter().flat_map(|beside| [of(&beside.totals), less(&beside.difference)]));
        let amounts: Vec<Option<&String>> = all.map(|amounts| amounts.get(currency)).collect();
        // Digit stands below digit, here and there: nothing is cut off.
        let places = decimals(amounts.iter().copied().flatten());
        let cell = |(index, amount): (usize, &Option<&String>)| match amount {
            None => "–".to_owned(),
            // After the run's own: a figure, a difference, a figure, a difference.
            Some(amount) if index > 0 && index % 2 == 0 => words::signed(&padded(amount, places)),
            Some(amount) => words::money(&padded(amount, places), currency),
        };
        Row {
            name: format!("{}, {currency}", words::side(side)),
            cells: amounts.iter().enumerate().map(cell).collect(),
        }
    };
    currencies.into_iter().map(row).collect()
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
    let listed: Paged<Source> = page.get("/api/v1/sources").await?;
    let mut sources = Vec::new();
    for source in listed.items {
        let files: Paged<CdrFile> = page.get(&format!("/api/v1/sources/{}/files", part(&source.id))).await?;
        sources.push(Files { source, files: files.items });
    }
    let reports = Listed::of(page, month).await?;
    let people = People::of(page).await?;
    Ok(OneMonth { frame: page.frame(), month: found, people, sources, reports, problem })
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
    let found: Paged<Finding> = match answer {
        Ok(answer) => answer.read()?,
        Err(problem) => {
            let status = problem.status();
            return show_refused(&page_of(page, month, Some(problem)).await?, status);
        }
    };
    let mut shown = page_of(page, month, None).await?;
    let detail = said_of(&found.items);
    shown.month.last_refusal =
        Some(crate::wire::months::Refusal { code: String::new(), detail, help: None, findings: found.items });
    show(&shown)
}
