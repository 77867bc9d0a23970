//! An occupier's users, for its administrators.

use askama::Template;
use axum::extract::Query;
use axum::http::Method;
use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;

use crate::error::{Problem, Result};
use crate::http::extract::Named;
use crate::portal::api::{asking, part};
use crate::portal::charges;
use crate::portal::form::{Fields, Form};
use crate::portal::page::{Frame, Page, done, show, show_refused};
use crate::portal::words;
use crate::wire::Page as Listed;
use crate::wire::users::User;

/// Which page of users.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Which {
    after: String,
}

#[derive(Template)]
#[template(path = "occupier/users.html")]
struct Users {
    frame: Frame,
    users: Vec<User>,
    closed: usize,
    places: Vec<(String, String)>,
    next: String,
}

impl Users {
    fn sites(&self, user: &User) -> String {
        let name = |id: &String| {
            self.places.iter().find(|(known, _)| known == id).map_or_else(|| id.clone(), |(_, name)| name.clone())
        };
        user.sites
            .as_ref()
            .map_or_else(|| "all".to_owned(), |sites| sites.iter().map(name).collect::<Vec<_>>().join("; "))
    }
}

#[derive(Template)]
#[template(path = "occupier/user.html")]
struct One {
    frame: Frame,
    form: Form,
    places: Vec<(String, String)>,
    /// The user; none, if it is a new one.
    user: Option<User>,
}

impl One {
    /// Where the settings stand in what is sent.
    fn at(&self, field: &str) -> String {
        let before = if self.user.is_some() { "" } else { "/settings" };
        format!("{before}{field}")
    }

    fn name(&self) -> &str {
        self.user.as_ref().and_then(|user| user.name.as_deref()).unwrap_or("Somebody")
    }

    fn address(&self) -> String {
        self.user.as_ref().map_or_else(|| "/users/new".to_owned(), |user| format!("/users/{}", part(&user.id)))
    }

    /// An administrator is changed and closed by the operator alone.
    fn is_protected(&self) -> bool {
        self.user.as_ref().is_some_and(|user| user.role == "occupier_admin" || user.state == "closed")
    }
}

const SHOWN: [&str; 7] = ["/email", "/name", "/role", "/sites", "/settings/name", "/settings/role", "/settings/sites"];

fn api(page: &Page, user: &str, rest: &str) -> Result<String> {
    let own = page.who.occupier().ok_or_else(|| Problem::internal("an occupier's page without an occupier"))?;
    let user = if user.is_empty() { String::new() } else { format!("/{}", part(user)) };
    Ok(format!("/api/v1/occupiers/{}/users{user}{rest}", part(own)))
}

/// The users.
pub(super) async fn list(page: Page, Query(which): Query<Which>) -> Result<Response> {
    let asked = [("limit", "100"), ("after", which.after.as_str())];
    let found: Listed<User> = page.get(&asking(&api(&page, "", "")?, &asked)).await?;
    let next = found.next.map(|next| asking("/users", &[("after", &next)])).unwrap_or_default();
    let (closed, users): (Vec<User>, Vec<User>) = found.items.into_iter().partition(|user| user.state == "closed");
    show(&Users { frame: page.frame(), users, closed: closed.len(), places: charges::sites(&page).await?, next })
}

/// Sites of which none is chosen are all of them.
fn sent(fields: &Fields, at: &str) -> Value {
    let mut json = fields.json();
    let settings = if at.is_empty() { Some(&mut json) } else { json.pointer_mut(at) };
    if let Some(settings) = settings.and_then(Value::as_object_mut)
        && settings.get("sites").is_some_and(|sites| sites.as_array().is_some_and(Vec::is_empty))
    {
        settings.remove("sites");
    }
    json
}

/// The form of a new user.
pub(super) async fn new(page: Page) -> Result<Response> {
    let form = Form::default().with("/settings/role", "occupier_view");
    show(&One { frame: page.frame(), form, places: charges::sites(&page).await?, user: None })
}

/// Invites a user.
pub(super) async fn invite(page: Page, fields: Fields) -> Result<Response> {
    match page.send(Method::POST, &api(&page, "", "")?, Some(&sent(&fields, "/settings")), None).await {
        Ok(_) => done("/users", "user-invited"),
        Err(problem) => {
            let status = problem.status();
            let form = Form::refused(&fields, problem);
            show_refused(&One { frame: page.frame(), form, places: charges::sites(&page).await?, user: None }, status)
        }
    }
}

/// A user as it is.
async fn one(page: &Page, id: &str) -> Result<One> {
    let found = page.tagged(&api(page, id, "")?).await?;
    let tag = found.tag();
    let form = Form::of(&found.body).with("tag", tag);
    let user = Some(found.read()?);
    Ok(One { frame: page.frame(), form, places: charges::sites(page).await?, user })
}

/// A user.
pub(super) async fn show_one(page: Page, Named(id): Named<String>) -> Result<Response> {
    show(&one(&page, &id).await?)
}

/// Changes a user.
pub(super) async fn settle(page: Page, Named(id): Named<String>, fields: Fields) -> Result<Response> {
    let sent = page.send(Method::PUT, &api(&page, &id, "")?, Some(&sent(&fields, "")), Some(fields.text("tag"))).await;
    refused_or(&page, &id, fields, sent, "saved").await
}

/// Mails a user another link.
pub(super) async fn invite_again(page: Page, Named(id): Named<String>, fields: Fields) -> Result<Response> {
    let sent = page.send(Method::POST, &api(&page, &id, "/invitation")?, None, None).await;
    refused_or(&page, &id, fields, sent, "link-mailed").await
}

/// Closes a user.
pub(super) async fn close(page: Page, Named(id): Named<String>, fields: Fields) -> Result<Response> {
    let sent = page.send(Method::DELETE, &api(&page, &id, "")?, None, None).await;
    refused_or(&page, &id, fields, sent, "user-closed").await
}

async fn refused_or<T>(page: &Page, id: &str, fields: Fields, sent: Result<T>, code: &str) -> Result<Response> {
    match sent {
        Ok(_) => done("/users", code),
        Err(problem) if problem.status() == 404 => Err(problem),
        Err(problem) => {
            let status = problem.status();
            let there = one(page, id).await?;
            // What was typed stays; of a button alone, what there is.
            let is_form = !fields.text("tag").is_empty();
            let form = if is_form {
                Form::refused(&fields, problem)
            } else {
                let mut form = there.form.clone();
                form.problem = Some(problem);
                form
            };
            show_refused(&One { form, ..there }, status)
        }
    }
}
