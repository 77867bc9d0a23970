//! What an occupier is called, here and elsewhere.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use serde_json::{Map, Value};

use super::head::{self, OccupierHead};
use crate::auth::Sites;
use crate::error::{Fault, Result};
use crate::http::extract::Named;
use crate::portal::api::part;
use crate::portal::form::{Fields, Form};
use crate::portal::page::{Frame, Page, done, show, show_refused};
use crate::portal::words;
use crate::wire::sites::Site;

#[derive(Template)]
#[template(path = "operator/account.html")]
struct Account {
    frame: Frame,
    head: OccupierHead,
    sites: Vec<Site>,
    choices: Vec<(String, String)>,
    form: Form,
    /// Of the contact, where nobody brings it.
    contact: Option<Form>,
    identifiers: Vec<Identifier>,
    may_change: bool,
}

/// The fields of an external identifier.
struct Identifier {
    number: usize,
    system: String,
    identifier: String,
    site: String,
}

const SHOWN: [&str; 5] = ["/name", "/kind", "/billing_reference", "/telephony_managed", "/external_identifiers"];
const CONTACT: [&str; 3] = ["/contact/name", "/contact/email", "/contact/phone"];
const IDENTIFIERS: &str = "external_identifiers";
/// Most external identifiers that a form has room for.
const MOST: usize = 100;

fn identifier(index: usize) -> Identifier {
    let field = |name: &str| format!("/{IDENTIFIERS}/{index}/{name}");
    Identifier { number: index + 1, system: field("system"), identifier: field("identifier"), site: field("site") }
}

async fn account(page: &Page, head: OccupierHead, form: Form) -> Result<Account> {
    let sites = head::sites(page).await?;
    let mut choices = vec![(String::new(), "every site".to_owned())];
    choices.extend(head::choices(&sites));
    let is_used = |index: &usize| {
        let Identifier { system, identifier, .. } = identifier(*index);
        !form.value(&system).is_empty() || !form.value(&identifier).is_empty()
    };
    let used = (0..MOST).filter(is_used).max().map_or(0, |last| last + 1);
    let may_change = *page.who.sites() == Sites::All && head.occupier.decommissioned_at.is_none();
    let identifiers = (0..used + 1).map(identifier).collect();
    let known = head.occupier.contact.as_ref();
    let is_typed = may_change && known.is_none_or(|contact| contact.by_hand);
    let contact = is_typed.then(|| match known {
        Some(contact) => Form::default()
            .with("/contact/name", &*contact.name)
            .with("/contact/email", &*contact.email)
            .with("/contact/phone", &*contact.phone),
        None => Form::default(),
    });
    Ok(Account { frame: page.frame(), head, sites, choices, form, contact, identifiers, may_change })
}

async fn found(page: &Page, id: &str) -> Result<Account> {
    let found = page.tagged(&format!("/api/v1/occupiers/{}", part(id))).await?;
    let tag = found.tag();
    let mut settings = found.body.get("settings").cloned().unwrap_or_default();
    if let Some(names) = settings.get_mut(IDENTIFIERS) {
        let listed = names.as_array().cloned().unwrap_or_default();
        let by_place = listed.into_iter().enumerate().map(|(index, name)| (index.to_string(), name));
        *names = Value::Object(by_place.collect());
    }
    let head = OccupierHead::with(found.read()?, "");
    account(page, head, Form::of(&settings).with("tag", tag)).await
}

/// An occupier's account.
pub(super) async fn show_account(page: Page, Named(id): Named<String>) -> Result<Response> {
    show(&found(&page, &id).await?)
}

/// Says whom to write to.
pub(super) async fn set_contact(page: Page, Named(id): Named<String>, fields: Fields) -> Result<Response> {
    let address = format!("/api/v1/occupiers/{}/contact", part(&id));
    let body = fields.json().get("contact").cloned().unwrap_or_default();
    match page.send(Method::PUT, &address, Some(&body), None).await {
        Ok(_) => done(&format!("/occupiers/{}", part(&id)), "saved"),
        Err(problem) => {
            let status = problem.status();
            let errors = problem.faults().iter().cloned();
            let errors = errors.map(|fault| Fault { field: format!("/contact{}", fault.field), ..fault }).collect();
            let contact = Some(Form::refused(&fields, problem.errors(errors)));
            show_refused(&Account { contact, ..found(&page, &id).await? }, status)
        }
    }
}

/// The settings that a form says: rows of external identifiers that are empty are left out.
fn settings(fields: &Fields) -> Value {
    let mut settings = fields.json();
    if let Some(names) = settings.get_mut(IDENTIFIERS) {
        let mut rows: Vec<(usize, Value)> = names
            .as_object()
            .unwrap_or(&Map::new())
            .iter()
            .filter_map(|(index, row)| Some((index.parse().ok()?, row.clone())))
            .filter(|(_, row)| ["system", "identifier"].iter().any(|name| row.get(name).is_some_and(|text| text != "")))
            .collect();
        rows.sort_by_key(|(index, _)| *index);
        *names = rows.into_iter().map(|(_, row)| row).collect();
    }
    settings
}

/// Changes an occupier's account.
pub(super) async fn settle(page: Page, Named(id): Named<String>, fields: Fields) -> Result<Response> {
    let address = format!("/api/v1/occupiers/{}", part(&id));
    match page.send(Method::PUT, &address, Some(&settings(&fields)), Some(fields.text("tag"))).await {
        Ok(_) => done(&format!("/occupiers/{}", part(&id)), "saved"),
        Err(problem) => {
            let head = OccupierHead::of(&page, &id, "").await?;
            let status = problem.status();
            show_refused(&account(&page, head, Form::refused(&fields, problem)).await?, status)
        }
    }
}
