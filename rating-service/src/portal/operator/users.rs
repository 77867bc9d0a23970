//! The users of an occupier, as the operator sees and manages them.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use serde_json::{Value, json};

use super::head::{self, OccupierHead};
use crate::error::Result;
use crate::http::extract::{Asked, Named};
use crate::portal::api::{asking, part};
use crate::portal::form::{Fields, Form};
use crate::portal::page::{Frame, Page, done, show, show_refused};
use crate::portal::words;
use crate::wire::Page as Listed;
use crate::wire::sites::Site;
use crate::wire::users::User;

/// Which page of a list.
#[derive(Debug, Default, serde::Deserialize)]
pub(super) struct Paged {
    #[serde(default)]
    pub(super) after: String,
}

/// How it stands with a user: the look of its badge, and the word in it.
pub(super) fn state(state: &str) -> (&'static str, &'static str) {
    match state {
        "active" => ("good", "active"),
        "invited" => ("warn", "invited"),
        _ => ("", "closed"),
    }
}

/// Whom a user is: its name, or its id once that is erased.
pub(super) fn name(user: &User) -> &str {
    user.name.as_deref().unwrap_or(&user.id)
}

/// Where a user is: the names of its sites.
pub(super) fn places(sites: &[Site], user: &User) -> String {
    let names = |own: &std::collections::BTreeSet<String>| {
        own.iter().map(|site| head::site_name(sites, site).to_owned()).collect::<Vec<_>>().join("; ")
    };
    user.sites.as_ref().map_or_else(|| "every site".to_owned(), names)
}

/// The settings that a form says: no site ticked is no limit.
pub(super) fn unlimited(mut settings: Value) -> Value {
    for at in ["/sites", "/settings/sites"] {
        if let Some(sites) = settings.pointer_mut(at)
            && sites.as_array().is_some_and(Vec::is_empty)
        {
            *sites = Value::Null;
        }
    }
    settings
}

#[derive(Template)]
#[template(path = "operator/users.html")]
struct Users {
    frame: Frame,
    head: OccupierHead,
    users: Vec<User>,
    next: Option<String>,
    sites: Vec<Site>,
    choices: Vec<(String, String)>,
    form: Form,
    is_admin: bool,
}

const NEW: [&str; 4] = ["/email", "/settings/name", "/settings/role", "/settings/sites"];

fn own_sites(head: &OccupierHead, sites: &[Site]) -> Vec<(String, String)> {
    let mut choices = head::choices(sites);
    choices.retain(|(site, _)| head.occupier.sites.contains(site));
    choices
}

async fn users(page: &Page, id: &str, after: &str, form: Form) -> Result<Users> {
    let head = OccupierHead::of(page, id, "/users").await?;
    let address = format!("/api/v1/occupiers/{}/users", part(id));
    let listed: Listed<User> = page.get(&asking(&address, &[("after", after), ("limit", "100")])).await?;
    let sites = head::sites(page).await?;
    let choices = own_sites(&head, &sites);
    let next = listed.next.map(|next| asking(&format!("/occupiers/{}/users", part(id)), &[("after", &next)]));
    let is_admin = page.is_operator_admin();
    Ok(Users { frame: page.frame(), head, users: listed.items, next, sites, choices, form, is_admin })
}

/// Lists the users of an occupier.
pub(super) async fn list(page: Page, Named(id): Named<String>, Asked(paged): Asked<Paged>) -> Result<Response> {
    show(&users(&page, &id, &paged.after, Form::default()).await?)
}

/// Invites a user.
pub(super) async fn add(page: Page, Named(id): Named<String>, fields: Fields) -> Result<Response> {
    let address = format!("/api/v1/occupiers/{}/users", part(&id));
    match page.send(Method::POST, &address, Some(&unlimited(fields.json())), None).await {
        Ok(_) => done(&format!("/occupiers/{}/users", part(&id)), "user-invited"),
        Err(problem) => {
            let status = problem.status();
            show_refused(&users(&page, &id, "", Form::refused(&fields, problem)).await?, status)
        }
    }
}

#[derive(Template)]
#[template(path = "operator/user.html")]
struct One {
    frame: Frame,
    head: OccupierHead,
    user: User,
    choices: Vec<(String, String)>,
    form: Form,
}

const ONE: [&str; 3] = ["/name", "/role", "/sites"];

/// A user.
pub(super) async fn show_one(page: Page, Named((occupier, id)): Named<(String, String)>) -> Result<Response> {
    show(&one(&page, &occupier, &id, None).await?)
}

async fn one(page: &Page, occupier: &str, id: &str, refused: Option<Form>) -> Result<One> {
    let head = OccupierHead::of(page, occupier, "/users").await?;
    let found = page.tagged(&format!("/api/v1/occupiers/{}/users/{}", part(occupier), part(id))).await?;
    let tag = found.tag();
    let user: User = found.read()?;
    let kept = json!({ "name": user.name, "role": user.role, "sites": user.sites, "language": user.language });
    let form = refused.unwrap_or_else(|| Form::of(&kept).with("tag", tag));
    let choices = own_sites(&head, &head::sites(page).await?);
    Ok(One { frame: page.frame(), head, user, choices, form })
}

/// Changes a user.
pub(super) async fn settle(
    page: Page,
    Named((occupier, id)): Named<(String, String)>,
    fields: Fields,
) -> Result<Response> {
    let address = format!("/api/v1/occupiers/{}/users/{}", part(&occupier), part(&id));
    let body = unlimited(fields.json());
    match page.send(Method::PUT, &address, Some(&body), Some(fields.text("tag"))).await {
        Ok(_) => done(&format!("/occupiers/{}/users", part(&occupier)), "saved"),
        Err(problem) => refuse(&page, &occupier, &id, &fields, problem).await,
    }
}

async fn refuse(
    page: &Page,
    occupier: &str,
    id: &str,
    fields: &Fields,
    problem: crate::error::Problem,
) -> Result<Response> {
    let status = problem.status();
    show_refused(&one(page, occupier, id, Some(Form::refused(fields, problem))).await?, status)
}

/// Closes a user.
pub(super) async fn close(
    page: Page,
    Named((occupier, id)): Named<(String, String)>,
    fields: Fields,
) -> Result<Response> {
    let address = format!("/api/v1/occupiers/{}/users/{}", part(&occupier), part(&id));
    match page.send(Method::DELETE, &address, None, None).await {
        Ok(_) => done(&format!("/occupiers/{}/users", part(&occupier)), "user-closed"),
        Err(problem) => refuse(&page, &occupier, &id, &fields, problem).await,
    }
}

/// Mails a user another link.
pub(super) async fn invite(
    page: Page,
    Named((occupier, id)): Named<(String, String)>,
    fields: Fields,
) -> Result<Response> {
    let address = format!("/api/v1/occupiers/{}/users/{}/invitation", part(&occupier), part(&id));
    match page.send(Method::POST, &address, None, None).await {
        Ok(_) => done(&format!("/occupiers/{}/users", part(&occupier)), "user-invited"),
        Err(problem) => refuse(&page, &occupier, &id, &fields, problem).await,
    }
}
