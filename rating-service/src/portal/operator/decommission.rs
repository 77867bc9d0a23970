//! The end of an occupier, at every site: what stands in the way, now or on a day, and taking it back until then.

use askama::Template;
use axum::http::Method;
use axum::response::Response;

use super::head::OccupierHead;
use crate::error::{Fault, Problem, Result};
use crate::http::extract::Named;
use crate::portal::api::part;
use crate::portal::form::{Fields, Form};
use crate::portal::page::{Frame, Page, done, show, show_refused};
use crate::portal::words;
use crate::wire::occupiers::Decommission as Standing;
use crate::wire::operator::Operator;

#[derive(Template)]
#[template(path = "operator/decommission.html")]
struct Decommission {
    frame: Frame,
    head: OccupierHead,
    standing: Standing,
    zone: String,
    form: Form,
    is_admin: bool,
}

const SHOWN: [&str; 2] = ["/at", "confirm"];

fn address(id: &str) -> String {
    format!("/api/v1/occupiers/{}/decommission", part(id))
}

async fn decommission(page: &Page, id: &str, form: Form) -> Result<Decommission> {
    let head = OccupierHead::of(page, id, "/decommission").await?;
    let standing = page.get(&address(id)).await?;
    let operator: Operator = page.get("/api/v1/operator").await?;
    let is_admin = page.is_operator_admin();
    Ok(Decommission { frame: page.frame(), head, standing, zone: operator.zone, form, is_admin })
}

/// How it stands.
pub(super) async fn show_standing(page: Page, Named(id): Named<String>) -> Result<Response> {
    show(&decommission(&page, &id, Form::default()).await?)
}

/// That who decommissions has typed the occupier's id.
fn confirmed(id: &str, fields: &Fields) -> Result<()> {
    if fields.text("confirm") == id {
        return Ok(());
    }
    let fault = Fault {
        field: "confirm".to_owned(),
        code: "field.not_confirmed".to_owned(),
        detail: "is not the occupier's id".to_owned(),
        help: Some(format!("type {id}")),
    };
    Err(Problem::new("request.invalid", "nothing was done: it is not confirmed").errors(vec![fault]))
}

/// Decommissions, now or on a day.
pub(super) async fn begin(page: Page, Named(id): Named<String>, fields: Fields) -> Result<Response> {
    let asked = match confirmed(&id, &fields) {
        Ok(()) => page.send(Method::POST, &address(&id), Some(&fields.json()), None).await,
        Err(problem) => Err(problem),
    };
    match asked {
        Ok(answer) => {
            let standing: Standing = answer.read()?;
            let is_set = standing.scheduled_for.is_some();
            let said = if is_set { "decommission-scheduled" } else { "decommissioned" };
            done(&format!("/occupiers/{}/decommission", part(&id)), said)
        }
        Err(problem) => refuse(&page, &id, &fields, problem).await,
    }
}

async fn refuse(page: &Page, id: &str, fields: &Fields, problem: Problem) -> Result<Response> {
    let status = problem.status();
    show_refused(&decommission(page, id, Form::refused(fields, problem)).await?, status)
}

/// Takes a decommission back whose day has not come.
pub(super) async fn cancel(page: Page, Named(id): Named<String>, fields: Fields) -> Result<Response> {
    match page.send(Method::DELETE, &address(&id), None, None).await {
        Ok(_) => done(&format!("/occupiers/{}/decommission", part(&id)), "decommission-cancelled"),
        Err(problem) => refuse(&page, &id, &fields, problem).await,
    }
}
