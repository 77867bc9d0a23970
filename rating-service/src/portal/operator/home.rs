//! The operator's first page: what needs somebody's eyes, what this month has come to beside the last one, and what to do
//! first when the service is new.

use askama::Template;
use axum::response::Response;
use rating_core::time::{Date, Month as Calendar};

use super::head;
use crate::error::Result;
use crate::http::extract::Named;
use crate::portal::api::{asking, part};
use crate::portal::page::{Frame, Page, go, show};
use crate::portal::words;
use crate::wire::Page as Listed;
use crate::wire::contracts::Contract;
use crate::wire::months::{Assignment, Month, ProjectFile, Source};
use crate::wire::numbers::Inventory;
use crate::wire::occupiers::Occupier;
use crate::wire::services::Product;
use crate::wire::sites::Site;
use crate::wire::work::{Alert, Alerts, Amounts, MonthOfSites};

/// Something to be done before the first month can run.
struct Step {
    is_done: bool,
    address: String,
    what: &'static str,
    why: &'static str,
}

#[derive(Template)]
#[template(path = "operator/home.html")]
struct Home {
    frame: Frame,
    is_admin: bool,
    steps: Vec<Step>,
    sites: Vec<Site>,
    alerts: Vec<Alert>,
    this: MonthOfSites,
    last: MonthOfSites,
}

impl Home {
    /// The page where something is done about an alert, if who looks may see it.
    fn address(&self, alert: &Alert) -> Option<String> {
        let about = part(&alert.about);
        match alert.code.as_str() {
            "source.no_files" => Some(format!("/sources/{about}")),
            "contract.ending_with_numbers" => Some(format!("/contracts/{about}")),
            "hold.expiring" => Some(format!("/sites/{}/ranges", part(alert.site.as_deref()?))),
            "portal.never_visited" => Some(format!("/occupiers/{about}/portal")),
            "calls.suspended" => {
                let site = alert.site.as_deref().unwrap_or_default();
                Some(asking(&format!("/months/{about}/exceptions"), &[("site", site)]))
            }
            code if code.starts_with("month.") => self.is_admin.then(|| format!("/months/{about}")),
            _ => None,
        }
    }

    /// What an alert says, its month by name.
    fn text(alert: &Alert) -> String {
        alert.text.replace(&alert.about, &words::month(&alert.about))
    }

    /// How far both months have come.
    fn standing(&self) -> String {
        let standing = |month: &MonthOfSites| {
            let name = words::month(&month.month);
            match (month.available, &month.as_of, month.standing.as_deref()) {
                (false, ..) => format!("Nothing of {name} is rated yet."),
                (true, Some(day), _) => format!("{name} is as far as it had come on {}.", words::when(day)),
                (true, None, Some("in_force")) => format!("{name} is published."),
                (true, None, _) => format!("{name} is not published yet."),
            }
        };
        format!("{} {}", standing(&self.this), standing(&self.last))
    }

    /// What this month and the last came to at a site.
    fn at(&self, site: &Site) -> [Option<&Amounts>; 2] {
        [&self.this, &self.last].map(|month| {
            let of = month.sites.iter().find(|of| of.site == site.id).filter(|_| month.available);
            of.map(|of| &of.amounts)
        })
    }
}

/// Amounts at a glance, a line for each currency.
fn amounts(amounts: &std::collections::BTreeMap<String, String>) -> Vec<String> {
    let each = amounts.iter().map(|(currency, amount)| words::money(&words::rounded(amount), currency));
    let all: Vec<String> = each.collect();
    if all.is_empty() { vec!["none".to_owned()] } else { all }
}

/// A count, its digits in threes.
fn number(number: impl std::fmt::Display) -> String {
    words::grouped(&number.to_string())
}

/// The first page.
pub(in crate::portal) async fn home(page: &Page) -> Result<Response> {
    let sites = head::sites(page).await?;
    let is_admin = page.is_operator_admin();
    let mut steps = if is_admin { steps(page, &sites).await? } else { Vec::new() };
    if steps.iter().all(|step| step.is_done) {
        steps.clear();
    }
    let (this, last) = months(page.session.today.as_deref().unwrap_or_default());
    let alerts: Alerts = page.get("/api/v1/alerts").await?;
    show(&Home {
        frame: page.frame(),
        is_admin,
        steps,
        sites,
        alerts: alerts.items,
        this: page.get(&format!("/api/v1/charges/{this}")).await?,
        last: page.get(&format!("/api/v1/charges/{last}")).await?,
    })
}

/// The month that a day is in, and the one before.
fn months(today: &str) -> (String, String) {
    let month = Date::parse(today).map(Calendar::of);
    month.map_or_else(Default::default, |month| (month.to_string(), month.previous().to_string()))
}

/// What is needed before a month can run, in the order in which it is done.
async fn steps(page: &Page, sites: &[Site]) -> Result<Vec<Step>> {
    let occupiers: Listed<Occupier> = page.get("/api/v1/occupiers?limit=1").await?;
    let sources: Listed<Source> = page.get("/api/v1/sources").await?;
    let files: Listed<ProjectFile> = page.get("/api/v1/files").await?;
    let months: Listed<Month> = page.get("/api/v1/months").await?;
    let assignments: Listed<Assignment> = page.get("/api/v1/assignments").await?;
    let (mut has_numbers, mut has_products, mut has_assignments) = (false, false, !assignments.items.is_empty());
    for site in sites {
        let products: Listed<Product> =
            page.get(&format!("/api/v1/sites/{}/products?limit=100", part(&site.id))).await?;
        has_products |= !products.items.is_empty();
        has_assignments |= products.items.iter().any(|product| !product.settings.tariff.is_empty());
    }
    for site in sites {
        let inventory: Inventory = page.get(&format!("/api/v1/sites/{}/inventory", part(&site.id))).await?;
        has_numbers |= inventory.total > 0;
        if has_numbers {
            break;
        }
    }
    let numbers = sites.first().map_or_else(|| "/sites".to_owned(), |site| format!("/sites/{}/ranges", part(&site.id)));
    let products =
        sites.first().map_or_else(|| "/sites".to_owned(), |site| format!("/sites/{}/products", part(&site.id)));
    let (this, _) = self::months(page.session.today.as_deref().unwrap_or_default());
    let has_tariffs = files.items.iter().any(|file| file.path.starts_with("tariffs/"));
    let step = |is_done, address: &str, what, why| Step { is_done, address: address.to_owned(), what, why };
    Ok(vec![
        step(
            !sites.is_empty(),
            "/sites/new",
            "Add a site",
            "its clock decides what a month is; numbers and switches belong to it",
        ),
        step(
            has_products,
            &products,
            "Say what is sold",
            "services are assigned from a site's products; the first voice service brings numbers",
        ),
        step(
            !occupiers.items.is_empty(),
            "/occupiers/new",
            "Set up an occupier",
            "with a contract at the site, and services",
        ),
        step(
            has_numbers,
            &numbers,
            "Take numbers in",
            "calls are charged to whoever held the number as they were answered",
        ),
        step(!sources.items.is_empty(), "/sources", "Name the switches", "whose records of calls are rated"),
        step(has_tariffs, "/tariffs", "Bring tariffs", "what occupiers are charged, and what the carrier charges"),
        step(
            has_tariffs && has_assignments,
            "/tariffs#assignments",
            "Say who is on which tariff",
            "everybody at a site, or one by one; a call without a tariff is suspended",
        ),
        step(
            months.items.iter().any(|month| !month.runs.is_empty()),
            &format!("/months/{this}"),
            "Look at the month so far",
            "a preview rates what has come in, and names what is missing",
        ),
    ])
}

/// Leads to the page of a contract, which stands below its occupier.
pub(super) async fn contract(page: Page, Named(id): Named<String>) -> Result<Response> {
    let contract: Contract = page.get(&format!("/api/v1/contracts/{}", part(&id))).await?;
    go(&format!("/occupiers/{}/contracts/{}", part(&contract.occupier), part(&contract.id)))
}
