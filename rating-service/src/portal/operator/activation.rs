//! An occupier's portal: opened with what it may see and a first administrator, closed, opened again.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use serde_json::{Value, json};

use super::head::OccupierHead;
use super::users;
use crate::error::{Problem, Result};
use crate::http::extract::Named;
use crate::portal::api::part;
use crate::portal::form::{Fields, Form};
use crate::portal::page::{Frame, Page, done, show, show_refused};
use crate::portal::words;
use crate::wire::Page as Listed;
use crate::wire::portal::{CalledNumbers, Level, Portal, Preview};
use crate::wire::users::User;

/// What an occupier is shown unless something else is agreed: numbers of those it calls without their last digits.
const USUAL: Level = Level {
    summary_charges: true,
    itemised_calls: true,
    called_numbers: CalledNumbers::Masked,
    usage_to_date: true,
    allowance_left: true,
};

/// How called numbers are shown.
const NUMBERS: [(&str, &str); 2] = [("masked", "without their last digits"), ("full", "in full")];

const SHOWN: [&str; 8] = [
    "/level/summary_charges",
    "/level/itemised_calls",
    "/level/called_numbers",
    "/level/usage_to_date",
    "/level/allowance_left",
    "/administrator/name",
    "/administrator/email",
    "/text",
];

#[derive(Template)]
#[template(path = "operator/portal.html")]
struct Activation {
    frame: Frame,
    head: OccupierHead,
    portal: Option<Portal>,
    /// Those who get the mail if nobody else is named.
    administrators: Vec<User>,
    preview: Option<Preview>,
    form: Form,
    is_admin: bool,
}

impl Activation {
    /// Who gets the mail if nobody else is named.
    fn recipient(&self) -> &str {
        self.administrators.first().map_or("the administrator there is", users::name)
    }
}

fn address(id: &str) -> String {
    format!("/api/v1/occupiers/{}/portal", part(id))
}

async fn activation(page: &Page, id: &str, sent: Option<Form>, preview: Option<Preview>) -> Result<Activation> {
    let head = OccupierHead::of(page, id, "/portal").await?;
    let (portal, tag) = match page.tagged(&address(id)).await {
        Ok(found) => {
            let tag = found.tag();
            (Some(found.read::<Portal>()?), tag)
        }
        Err(problem) if problem.code() == "portal.never_activated" => (None, String::new()),
        Err(problem) => return Err(problem),
    };
    let listed: Listed<User> = page.get(&format!("/api/v1/occupiers/{}/users?limit=500", part(id))).await?;
    let is_one = |user: &User| user.role == "occupier_admin" && user.state != "closed";
    let administrators = listed.items.into_iter().filter(is_one).collect();
    let level = portal.as_ref().map_or(USUAL, |portal| portal.level);
    let contact = head.occupier.contact.as_ref();
    let form = sent.unwrap_or_else(|| {
        let form = Form::of(&json!({ "level": level })).with("tag", tag);
        // Whom the customer system names is the one to begin with.
        match contact.filter(|_| portal.is_none()) {
            Some(contact) => {
                form.with("/administrator/name", &*contact.name).with("/administrator/email", &*contact.email)
            }
            None => form,
        }
    });
    let is_admin = page.is_operator_admin();
    Ok(Activation { frame: page.frame(), head, portal, administrators, preview, form, is_admin })
}

/// How it stands with an occupier's portal.
pub(super) async fn show_portal(page: Page, Named(id): Named<String>) -> Result<Response> {
    show(&activation(&page, &id, None, None).await?)
}

async fn refuse(page: &Page, id: &str, fields: &Fields, problem: Problem) -> Result<Response> {
    let status = problem.status();
    show_refused(&activation(page, id, Some(Form::refused(fields, problem)), None).await?, status)
}

/// Changes what an occupier may see.
pub(super) async fn settle(page: Page, Named(id): Named<String>, fields: Fields) -> Result<Response> {
    let asked = fields.json();
    let level = asked.get("level").cloned().unwrap_or_default();
    match page.send(Method::PUT, &address(&id), Some(&level), Some(fields.text("tag"))).await {
        Ok(_) => done(&format!("/occupiers/{}/portal", part(&id)), "saved"),
        Err(problem) => refuse(&page, &id, &fields, problem).await,
    }
}

/// What a form asks to be activated: an administrator is named, or not at all.
fn asked(fields: &Fields) -> Value {
    let mut asked = fields.json();
    if let Value::Object(asked) = &mut asked
        && fields.text("/administrator/name").is_empty()
        && fields.text("/administrator/email").is_empty()
    {
        asked.remove("administrator");
    }
    asked
}

/// Shows the mail, and sends nothing.
pub(super) async fn preview(page: Page, Named(id): Named<String>, fields: Fields) -> Result<Response> {
    match page.send(Method::POST, &format!("{}/preview", address(&id)), Some(&asked(&fields)), None).await {
        Ok(answer) => {
            let preview: Preview = answer.read()?;
            let form = Form::sent(&fields).with("/text", preview.template.trim_end());
            show(&activation(&page, &id, Some(form), Some(preview)).await?)
        }
        Err(problem) => refuse(&page, &id, &fields, problem).await,
    }
}

/// Activates a portal: the mail goes out.
pub(super) async fn activate(page: Page, Named(id): Named<String>, fields: Fields) -> Result<Response> {
    match page.send(Method::POST, &format!("{}/activate", address(&id)), Some(&asked(&fields)), None).await {
        Ok(_) => done(&format!("/occupiers/{}/portal", part(&id)), "portal-activated"),
        Err(problem) => refuse(&page, &id, &fields, problem).await,
    }
}

/// Deactivates a portal.
pub(super) async fn deactivate(page: Page, Named(id): Named<String>, fields: Fields) -> Result<Response> {
    match page.send(Method::POST, &format!("{}/deactivate", address(&id)), None, None).await {
        Ok(_) => done(&format!("/occupiers/{}/portal", part(&id)), "portal-deactivated"),
        Err(problem) => refuse(&page, &id, &fields, problem).await,
    }
}
