//! Months: the list, and what is next with each.

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use serde::Deserialize;

use crate::error::Result;
use crate::portal::api::part;
use crate::portal::page::{Frame, Page, go, show};
use crate::portal::words;
use crate::wire::Page as Listed;
use crate::wire::months::{Month, Run, Totals};

/// How a month stands: the look of its badge, and the word in it.
pub(super) fn standing(month: &Month) -> (&'static str, &'static str) {
    match month.state.as_str() {
        _ if month.closed => ("good", "closed"),
        "published" => ("good", "published"),
        "approved" => ("warn", "approved"),
        "checked" => ("warn", "waits for approval"),
        _ if month.complete => ("warn", "not checked"),
        _ => ("", "still running"),
    }
}

/// What is next with a month, in words.
pub(super) fn next(month: &Month) -> &'static str {
    match month.state.as_str() {
        _ if month.running.is_some() => "A run is under way.",
        _ if month.closed => "Nothing: its books are closed.",
        _ if !month.complete => "It is not over at every site yet. A preview shows how far it has come.",
        "published" if month.runs.iter().any(|run| matches!(run.state.as_str(), "checked" | "approved")) => {
            "A draft waits: publish it, or throw it away."
        }
        "published" => "Close it when nothing more is to come.",
        "approved" => "Publish it.",
        "checked" => "Look at the figures and approve them.",
        _ => "Upload the switches' files and check it.",
    }
}

/// The run that decides how a month looks: in force, or the newest.
pub(super) fn telling(month: &Month) -> Option<&Run> {
    let in_force = month.runs.iter().find(|run| Some(&run.run) == month.in_force.as_ref());
    in_force.or_else(|| month.runs.first())
}

#[derive(Template)]
#[template(path = "operator/work/months.html")]
struct Months {
    frame: Frame,
    months: Vec<Month>,
}

impl Months {
    fn totals(month: &Month) -> Option<&Totals> {
        telling(month).and_then(|run| run.totals.as_ref())
    }
}

/// The month asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Other {
    month: String,
}

/// To a month that is not on the list.
pub(super) async fn other(Query(other): Query<Other>) -> Result<Response> {
    go(&format!("/months/{}", part(&other.month)))
}

/// Lists the months.
pub(super) async fn list(page: Page) -> Result<Response> {
    let months: Listed<Month> = page.get("/api/v1/months").await?;
    show(&Months { frame: page.frame(), months: months.items })
}
