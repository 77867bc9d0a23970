//! The operator's first page: what waits for somebody, what this month has come to, and what to do first when the service
//! is new.

use askama::Template;
use axum::response::Response;

use super::head;
use crate::error::Result;
use crate::portal::api::part;
use crate::portal::page::{Frame, Page, show};
use crate::portal::words;
use crate::wire::Page as Listed;
use crate::wire::months::{Month, ProjectFile, Source};
use crate::wire::numbers::Inventory;
use crate::wire::occupiers::Occupier;
use crate::wire::sites::Site;

/// Something to be done before the first month can run.
struct Step {
    is_done: bool,
    address: String,
    what: &'static str,
    why: &'static str,
}

/// A month that waits for somebody.
struct Waiting {
    month: String,
    look: &'static str,
    what: String,
}

#[derive(Template)]
#[template(path = "operator/home.html")]
struct Home {
    frame: Frame,
    is_admin: bool,
    steps: Vec<Step>,
    sites: Vec<(Site, Inventory)>,
    waiting: Vec<Waiting>,
    suspended: Vec<(String, u64)>,
}

/// The first page.
pub(in crate::portal) async fn home(page: &Page) -> Result<Response> {
    let mut sites = Vec::new();
    for site in head::sites(page).await? {
        let inventory: Inventory = page.get(&format!("/api/v1/sites/{}/inventory", part(&site.id))).await?;
        sites.push((site, inventory));
    }
    let is_admin = page.is_operator_admin();
    let mut steps = if is_admin { steps(page, &sites).await? } else { Vec::new() };
    if steps.iter().all(|step| step.is_done) {
        steps.clear();
    }
    let months: Vec<Month> = match page.find::<Listed<Month>>("/api/v1/months").await? {
        Some(listed) if steps.is_empty() => listed.items,
        _ => Vec::new(),
    };
    let suspended = months.iter().filter(|month| !month.closed).filter_map(suspended).collect();
    let waiting = months.iter().filter_map(waiting).collect();
    show(&Home { frame: page.frame(), is_admin, steps, sites, waiting, suspended })
}

/// What is needed before a month can run, in the order in which it is done.
async fn steps(page: &Page, sites: &[(Site, Inventory)]) -> Result<Vec<Step>> {
    let occupiers: Listed<Occupier> = page.get("/api/v1/occupiers?limit=1").await?;
    let sources: Listed<Source> = page.get("/api/v1/sources").await?;
    let files: Listed<ProjectFile> = page.get("/api/v1/files").await?;
    let numbers = match sites.first() {
        Some((site, _)) => format!("/sites/{}/ranges", part(&site.id)),
        None => "/sites".to_owned(),
    };
    let step = |is_done, address: &str, what, why| Step { is_done, address: address.to_owned(), what, why };
    Ok(vec![
        step(
            !sites.is_empty(),
            "/sites/new",
            "Add a site",
            "its clock decides what a month is; numbers and switches belong to it",
        ),
        step(
            !occupiers.items.is_empty(),
            "/occupiers/new",
            "Set up an occupier",
            "with a contract at the site, and services",
        ),
        step(
            sites.iter().any(|(_, inventory)| inventory.total > 0),
            &numbers,
            "Take numbers in",
            "calls are charged to whoever held the number when they were answered",
        ),
        step(!sources.items.is_empty(), "/sources", "Name the switches", "whose records of calls are rated"),
        step(
            files.items.iter().any(|file| file.path.starts_with("tariffs/")),
            "/tariffs",
            "Bring tariffs",
            "what occupiers are charged, and what you are",
        ),
    ])
}

/// The calls of a month that are charged to nobody for now.
fn suspended(month: &Month) -> Option<(String, u64)> {
    let counts = |run: &&crate::wire::months::Run| run.state != "superseded";
    let totals = month.runs.iter().find(counts)?.totals.as_ref()?;
    (totals.suspended > 0).then(|| (month.month.clone(), totals.suspended))
}

/// What a month waits for.
fn waiting(month: &Month) -> Option<Waiting> {
    let (look, what) = if let Some(refusal) = &month.last_refusal {
        ("bad", format!("not checked: {}", refusal.detail))
    } else if month.running.is_some() {
        ("", "is being worked on".to_owned())
    } else if !month.complete || month.closed {
        return None;
    } else {
        match month.state.as_str() {
            "draft" => ("warn", "to be checked".to_owned()),
            "checked" => ("warn", "waits for approval".to_owned()),
            "approved" => ("warn", "waits to be published".to_owned()),
            _ => return None,
        }
    };
    Some(Waiting { month: month.month.clone(), look, what })
}
