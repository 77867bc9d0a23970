//! The numbers of a site: counts by state, the list, and what is done to several at once.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use serde::Deserialize;

use super::commands::{Became, act};
use super::head::Holders;
use crate::error::Result;
use crate::http::extract::Named;
use crate::portal::api::part;
use crate::portal::form::{Fields, Form};
use crate::portal::operator::head::SiteHead;
use crate::portal::page::{Frame, Page, done, show, show_refused};
use crate::portal::words;
use crate::wire::Page as Listed;
use crate::wire::numbers::{Inventory, Number};

/// What the list is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    state: String,
    holder: String,
    kind: String,
    search: String,
    after: String,
}

impl Asked {
    /// The filters as parameters of an address: those of the interface, or those of the page.
    fn parameters(&self, of_page: bool) -> String {
        let held = self.state == "HELD" && !of_page;
        let state = if held { "" } else { &self.state };
        let pairs = [
            ("state", state),
            ("held", if held { "true" } else { "" }),
            ("holder", &self.holder),
            ("kind", &self.kind),
            ("search", self.search.trim()),
        ];
        let given = pairs.iter().filter(|(_, value)| !value.is_empty());
        given.map(|(name, value)| format!("{name}={}", part(value))).collect::<Vec<_>>().join("&")
    }
}

/// States to choose from.
const STATES: [(&str, &str); 7] = [
    ("", "all"),
    ("AVAILABLE", "available"),
    ("HELD", "held for a prospect"),
    ("RESERVED", "reserved"),
    ("PENDING", "pending"),
    ("ACTIVE", "active"),
    ("COOLDOWN", "cooling off"),
];

/// Fields that a refusal stands beside.
const BESIDE: [&str; 8] = [
    "/allocate/holder",
    "/allocate/extension",
    "/label/label",
    "/hold/prospect",
    "/hold/until",
    "/hold/contracted_lines",
    "/release/reason",
    "number",
];

/// What came of a bulk change, when not everything was done.
#[derive(Default)]
struct Came {
    form: Form,
    done: usize,
    refused: BTreeMap<String, String>,
}

#[derive(Template)]
#[template(path = "operator/work/numbers.html")]
struct Numbers {
    frame: Frame,
    head: SiteHead,
    counts: Inventory,
    holders: Holders,
    numbers: Vec<Number>,
    asked: Asked,
    next: Option<String>,
    came: Came,
    is_admin: bool,
}

impl Numbers {
    /// The address of the list with these filters.
    fn here(&self) -> String {
        format!("/sites/{}/numbers?{}", part(&self.head.site.id), self.asked.parameters(true))
    }

    fn csv(&self) -> String {
        format!("/api/v1/sites/{}/numbers.csv?{}", part(&self.head.site.id), self.asked.parameters(false))
    }

    /// Cards on top: the state to filter by, what it is called, how many.
    fn cards(&self) -> Vec<(&'static str, &'static str, i64)> {
        let counts = &self.counts;
        let mut cards = vec![
            ("AVAILABLE", "Available", counts.available),
            ("HELD", "Held for prospects", counts.kept),
            ("RESERVED", "Reserved", counts.reserved),
            ("ACTIVE", "Active", counts.active),
            ("COOLDOWN", "Cooling off", counts.cooling_off),
        ];
        if counts.pending > 0 {
            cards.insert(3, ("PENDING", "Pending", counts.pending));
        }
        cards
    }

    fn refusal(&self, number: &str) -> Option<&String> {
        self.came.refused.get(number)
    }

    /// Refusals of numbers that the list does not show.
    fn elsewhere(&self) -> Vec<(&String, &String)> {
        let shown = |number: &str| self.numbers.iter().any(|one| one.number == number);
        self.came.refused.iter().filter(|(number, _)| !shown(number)).collect()
    }

    /// Whether one of these was asked for and refused: its fields stay open.
    fn is_open(&self, what: &str) -> bool {
        self.came.form.value("do") == what
    }

    fn operator(&self) -> &str {
        self.holders.0.last().map_or("", |(id, _)| id)
    }
}

async fn page_of(page: &Page, site: &str, asked: Asked, came: Came) -> Result<Numbers> {
    let head = SiteHead::of(page, site, "/numbers").await?;
    let base = format!("/api/v1/sites/{}", part(site));
    let counts = page.get(&format!("{base}/inventory")).await?;
    let holders = Holders::at(page, site).await?;
    let mut address = format!("{base}/numbers?limit=50&{}", asked.parameters(false));
    if !asked.after.is_empty() {
        address = format!("{address}&after={}", part(&asked.after));
    }
    let listed: Listed<Number> = page.get(&address).await?;
    Ok(Numbers {
        frame: page.frame(),
        head,
        counts,
        holders,
        numbers: listed.items,
        asked,
        next: listed.next.map(|next| part(&next)),
        came,
        is_admin: page.is_operator_admin(),
    })
}

/// Lists the numbers of a site.
pub(super) async fn list(page: Page, Named(site): Named<String>, Query(asked): Query<Asked>) -> Result<Response> {
    show(&page_of(&page, &site, asked, Came::default()).await?)
}

/// Does something to the numbers that are ticked.
pub(super) async fn change(
    page: Page,
    Named(site): Named<String>,
    Query(asked): Query<Asked>,
    fields: Fields,
) -> Result<Response> {
    let numbers = fields.all("number");
    let Became { done: changed, refused, problem } = act(&page, &site, &numbers, &fields).await?;
    if refused.is_empty() && problem.is_none() {
        let after = if asked.after.is_empty() { String::new() } else { format!("&after={}", part(&asked.after)) };
        return done(&format!("/sites/{}/numbers?{}{after}", part(&site), asked.parameters(true)), "numbers-changed");
    }
    let status = problem.as_ref().map_or(if changed > 0 { 200 } else { 409 }, crate::error::Problem::status);
    let form = match problem {
        // What was refused number by number is said beside the numbers.
        Some(problem) if refused.is_empty() => Form::refused(&fields, problem),
        _ => Form::sent(&fields),
    };
    show_refused(&page_of(&page, &site, asked, Came { form, done: changed, refused }).await?, status)
}
