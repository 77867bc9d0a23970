//! Who is on which tariff or allowance.

use askama::Template;
use axum::http::Method;
use axum::response::Response;

use super::tariffs::{in_force, page_of};
use crate::error::Result;
use crate::http::extract::Named;
use crate::portal::api::part;
use crate::portal::form::{Fields, Form};
use crate::portal::operator::head::{choices, sites};
use crate::portal::page::{Frame, Page, done, show, show_refused};
use crate::wire::months::Assignment;
use crate::wire::occupiers::Occupier;
use crate::wire::operator::Operator;

/// The fields of the form.
const SHOWN: [&str; 8] = ["/side", "/payer", "/site", "/tariff", "/from", "/until", "/quantity", "/group"];

/// What the form of an assignment chooses from.
pub(super) struct Choices {
    pub(super) payers: Vec<(String, String)>,
    pub(super) sites: Vec<(String, String)>,
    /// Tariffs by id and name.
    pub(super) tariffs: Vec<(String, String)>,
}

impl Choices {
    pub(super) async fn of(page: &Page) -> Result<Self> {
        let mut payers = vec![("*".to_owned(), "everybody".to_owned())];
        let operator: Operator = page.get("/api/v1/operator").await?;
        payers.push((operator.id, format!("{} (own)", operator.name)));
        let occupiers: Vec<Occupier> = page.all("/api/v1/occupiers").await?;
        payers.extend(occupiers.into_iter().map(|one| (one.id, one.settings.name)));
        let mut all = vec![("*".to_owned(), "every site".to_owned())];
        all.extend(choices(&sites(page).await?));
        let tariffs = in_force(page).await?.0.into_iter().map(|tariff| (tariff.id, tariff.name)).collect();
        Ok(Self { payers, sites: all, tariffs })
    }

    /// The name of a choice; its id, if it is none of these.
    fn name<'c>(choices: &'c [(String, String)], id: &'c str) -> &'c str {
        choices.iter().find(|(known, _)| known == id).map_or(id, |(_, name)| name)
    }

    pub(super) fn payer<'c>(&'c self, id: &'c str) -> &'c str {
        Self::name(&self.payers, id)
    }

    pub(super) fn tariff<'c>(&'c self, id: &'c str) -> &'c str {
        Self::name(&self.tariffs, id)
    }

    pub(super) fn site<'c>(&'c self, id: &'c str) -> &'c str {
        Self::name(&self.sites, id)
    }
}

#[derive(Template)]
#[template(path = "operator/work/assignment.html")]
struct OneAssignment {
    frame: Frame,
    id: String,
    form: Form,
    choices: Choices,
}

/// Puts somebody on a tariff.
pub(super) async fn assign(page: Page, fields: Fields) -> Result<Response> {
    match page.send(Method::POST, "/api/v1/assignments", Some(&fields.json()), None).await {
        Ok(_) => done("/tariffs", "saved"),
        Err(problem) => {
            let status = problem.status();
            let mut shown = page_of(&page).await?;
            shown.assignment = Form::refused(&fields, problem);
            show_refused(&shown, status)
        }
    }
}

/// Shows an assignment, to be changed.
pub(super) async fn show_assignment(page: Page, Named(id): Named<String>) -> Result<Response> {
    let answer = page.tagged(&format!("/api/v1/assignments/{}", part(&id))).await?;
    let tag = answer.tag();
    let form = Form::of(answer.body.get("settings").unwrap_or(&serde_json::Value::Null)).with("tag", tag);
    let _: Assignment = answer.read()?;
    show(&OneAssignment { frame: page.frame(), id, form, choices: Choices::of(&page).await? })
}

/// Changes an assignment, or takes it away as if it had never been.
pub(super) async fn change(page: Page, Named(id): Named<String>, fields: Fields) -> Result<Response> {
    let address = format!("/api/v1/assignments/{}", part(&id));
    let (sent, said) = match fields.text("do") {
        "remove" => (page.send(Method::DELETE, &address, None, None).await, "removed"),
        _ => (page.send(Method::PUT, &address, Some(&fields.json()), Some(fields.text("tag"))).await, "saved"),
    };
    match sent {
        Ok(_) => done("/tariffs", said),
        Err(problem) => {
            let status = problem.status();
            let form = Form::refused(&fields, problem);
            show_refused(&OneAssignment { frame: page.frame(), id, form, choices: Choices::of(&page).await? }, status)
        }
    }
}
