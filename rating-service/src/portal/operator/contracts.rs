//! An occupier's contracts: one at a time at a site.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use serde_json::{Value, json};

use super::head::{self, OccupierHead};
use crate::error::{Problem, Result};
use crate::http::extract::Named;
use crate::portal::api::part;
use crate::portal::form::{Fields, Form};
use crate::portal::page::{Frame, Page, done, show, show_refused};
use crate::portal::words;
use crate::store::reach::Kind;
use crate::wire::Page as Listed;
use crate::wire::contracts::Contract;
use crate::wire::sites::Site;

#[derive(Template)]
#[template(path = "operator/contracts.html")]
struct Contracts {
    frame: Frame,
    head: OccupierHead,
    contracts: Vec<Contract>,
    sites: Vec<Site>,
    choices: Vec<(String, String)>,
    billing: Vec<(String, String)>,
    form: Form,
}

const NEW: [&str; 9] = [
    "/site",
    "/id",
    "/settings/name",
    "/settings/from",
    "/settings/until",
    "/settings/move_in",
    "/settings/deprovision_at_end",
    "/settings/external_reference",
    "/settings/billing_site",
];

/// Where calls are billed: at their site, or at another.
fn billing(sites: &[Site]) -> Vec<(String, String)> {
    let mut choices = vec![(String::new(), "the same site".to_owned())];
    choices.extend(head::choices(sites));
    choices
}

/// A contract's state: the look of its badge, and the word in it.
pub(super) fn state(state: &str) -> (&'static str, &'static str) {
    match state {
        "ACTIVE" => ("good", "active"),
        "UPCOMING" => ("", "upcoming"),
        "COMPLETED" | "ENDED" => ("", "ended"),
        "DISCARDED" => ("bad", "discarded"),
        _ => ("", "unknown"),
    }
}

async fn contracts(page: &Page, id: &str, form: Form) -> Result<Contracts> {
    let head = OccupierHead::of(page, id, "/contracts").await?;
    let address = format!("/api/v1/occupiers/{}/contracts?limit=500", part(id));
    let listed: Listed<Contract> = page.get(&address).await?;
    let sites = head::sites(page).await?;
    let (choices, billing) = (head::choices(&sites), billing(&sites));
    Ok(Contracts { frame: page.frame(), head, contracts: listed.items, sites, choices, billing, form })
}

/// Lists contracts.
pub(super) async fn list(page: Page, Named(id): Named<String>) -> Result<Response> {
    show(&contracts(&page, &id, Form::default()).await?)
}

/// Adds a contract.
pub(super) async fn add(page: Page, Named(id): Named<String>, fields: Fields) -> Result<Response> {
    let address = format!("/api/v1/occupiers/{}/contracts", part(&id));
    match page.send(Method::POST, &address, Some(&fields.json()), None).await {
        Ok(_) => done(&format!("/occupiers/{}/contracts", part(&id)), "contract-added"),
        Err(problem) => {
            let status = problem.status();
            show_refused(&contracts(&page, &id, Form::refused(&fields, problem)).await?, status)
        }
    }
}

#[derive(Template)]
#[template(path = "operator/contract.html")]
struct One {
    frame: Frame,
    head: OccupierHead,
    contract: Contract,
    sites: Vec<Site>,
    billing: Vec<(String, String)>,
    form: Form,
}

const ONE: [&str; 7] =
    ["/name", "/from", "/until", "/move_in", "/deprovision_at_end", "/external_reference", "/billing_site"];

/// A contract of this occupier, and its tag.
async fn contract(page: &Page, occupier: &str, id: &str) -> Result<(Contract, String)> {
    let found = page.tagged(&format!("/api/v1/contracts/{}", part(id))).await?;
    let tag = found.tag();
    let contract: Contract = found.read()?;
    if contract.occupier == occupier { Ok((contract, tag)) } else { Err(Kind::Contract.unknown(id)) }
}

async fn one(page: &Page, occupier: &str, id: &str, refused: Option<(&Fields, Problem)>) -> Result<One> {
    let head = OccupierHead::of(page, occupier, "/contracts").await?;
    let (contract, tag) = contract(page, occupier, id).await?;
    let form = match refused {
        Some((fields, problem)) => Form::refused(fields, problem),
        // What is to be undone is the end that it has.
        None if contract.state == "COMPLETED" => Form::default(),
        None => Form::of(&json!(contract.settings)).with("tag", tag),
    };
    let sites = head::sites(page).await?;
    let billing = billing(&sites);
    Ok(One { frame: page.frame(), head, contract, sites, billing, form })
}

/// A contract.
pub(super) async fn show_one(page: Page, Named((occupier, id)): Named<(String, String)>) -> Result<Response> {
    show(&one(&page, &occupier, &id, None).await?)
}

/// Does something to a contract, and says so where it leads to.
async fn act(
    page: &Page,
    (occupier, id): (&str, &str),
    (method, end, said): (Method, &str, &str),
    (fields, body): (&Fields, Option<&Value>),
) -> Result<Response> {
    contract(page, occupier, id).await?;
    let address = format!("/api/v1/contracts/{}{end}", part(id));
    match page.send(method, &address, body, Some(fields.text("tag"))).await {
        Ok(_) => done(&format!("/occupiers/{}/contracts", part(occupier)), said),
        Err(problem) => {
            let status = problem.status();
            show_refused(&one(page, occupier, id, Some((fields, problem))).await?, status)
        }
    }
}

/// Changes a contract.
pub(super) async fn settle(
    page: Page,
    Named((occupier, id)): Named<(String, String)>,
    fields: Fields,
) -> Result<Response> {
    let body = fields.json();
    act(&page, (&occupier, &id), (Method::PUT, "", "contract-changed"), (&fields, Some(&body))).await
}

/// Throws a contract away that has not begun.
pub(super) async fn discard(
    page: Page,
    Named((occupier, id)): Named<(String, String)>,
    fields: Fields,
) -> Result<Response> {
    act(&page, (&occupier, &id), (Method::POST, "/discard", "contract-discarded"), (&fields, None)).await
}

/// Undoes a contract's end.
pub(super) async fn reactivate(
    page: Page,
    Named((occupier, id)): Named<(String, String)>,
    fields: Fields,
) -> Result<Response> {
    let body = fields.json();
    act(&page, (&occupier, &id), (Method::POST, "/reactivate", "contract-reactivated"), (&fields, Some(&body))).await
}
