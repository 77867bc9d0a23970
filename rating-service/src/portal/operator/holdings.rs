//! What an occupier holds: its numbers, and the devices that are logged in to them.

use std::collections::BTreeMap;

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use serde_json::json;

use super::head::{self, OccupierHead};
use crate::error::{Problem, Result};
use crate::http::extract::Named;
use crate::portal::api::part;
use crate::portal::form::Fields;
use crate::portal::page::{Frame, Page, done, show, show_refused};
use crate::portal::words;
use crate::wire::numbers::Number;
use crate::wire::users::Named as NamedUser;

/// Its numbers at a site.
struct Place {
    id: String,
    name: String,
    /// How many there are in each state.
    counts: BTreeMap<String, usize>,
    numbers: Vec<Number>,
}

#[derive(Template)]
#[template(path = "operator/holdings.html")]
struct Telephony {
    frame: Frame,
    head: OccupierHead,
    places: Vec<Place>,
    people: Vec<NamedUser>,
}

impl Telephony {
    /// Whom or what a number is given to, by name.
    fn given_to(&self, number: &Number) -> String {
        let Some(to) = &number.assigned else { return String::new() };
        let person = self.people.iter().find(|person| to.kind == "user" && person.id == to.id);
        person.map_or_else(|| format!("{} {}", to.kind, to.id), |person| person.name.clone())
    }
}

/// All numbers of an occupier that who looks may see.
async fn numbers(page: &Page, id: &str) -> Result<Vec<Number>> {
    page.all(&format!("/api/v1/occupiers/{}/numbers", part(id))).await
}

/// An occupier's numbers, site by site.
pub(super) async fn telephony(page: Page, Named(id): Named<String>) -> Result<Response> {
    let head = OccupierHead::of(&page, &id, "/telephony").await?;
    let sites = head::sites(&page).await?;
    let mut places: BTreeMap<String, Place> = BTreeMap::new();
    let place = |id: &str| Place {
        id: id.to_owned(),
        name: head::site_name(&sites, id).to_owned(),
        counts: BTreeMap::new(),
        numbers: Vec::new(),
    };
    for site in &head.occupier.sites {
        places.insert(site.clone(), place(site));
    }
    for number in numbers(&page, &id).await? {
        let at = places.entry(number.site.clone()).or_insert_with(|| place(&number.site));
        *at.counts.entry(number.state.clone()).or_default() += 1;
        at.numbers.push(number);
    }
    let people = page.all(&format!("/api/v1/occupiers/{}/people", part(&id))).await?;
    show(&Telephony { frame: page.frame(), head, places: places.into_values().collect(), people })
}

#[derive(Template)]
#[template(path = "operator/devices.html")]
struct Devices {
    frame: Frame,
    head: OccupierHead,
    sites: Vec<crate::wire::sites::Site>,
    numbers: Vec<Number>,
    problem: Option<Problem>,
}

async fn devices_page(page: &Page, id: &str, problem: Option<Problem>) -> Result<Devices> {
    let head = OccupierHead::of(page, id, "/devices").await?;
    let mut numbers = numbers(page, id).await?;
    numbers.retain(|number| number.logged_in.is_some());
    Ok(Devices { frame: page.frame(), head, sites: head::sites(page).await?, numbers, problem })
}

/// The devices that are logged in.
pub(super) async fn devices(page: Page, Named(id): Named<String>) -> Result<Response> {
    show(&devices_page(&page, &id, None).await?)
}

/// Logs a device out.
pub(super) async fn log_out(page: Page, Named(id): Named<String>, fields: Fields) -> Result<Response> {
    let address = format!("/api/v1/occupiers/{}/numbers/commands", part(&id));
    let body = json!({ "number": fields.text("number"), "command": { "log_out": {} } });
    match page.send(Method::POST, &address, Some(&body), None).await {
        Ok(_) => done(&format!("/occupiers/{}/devices", part(&id)), "device-logged-out"),
        Err(problem) => {
            let status = problem.status();
            show_refused(&devices_page(&page, &id, Some(problem)).await?, status)
        }
    }
}
