//! The operator's team: who works with this service, as what, and at which sites.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use serde_json::{Value, json};

use super::head;
use super::users::{self, Paged};
use crate::error::{Problem, Result};
use crate::http::extract::{Asked, Named};
use crate::portal::api::{asking, part};
use crate::portal::form::{Fields, Form};
use crate::portal::page::{Frame, Page, done, show, show_refused};
use crate::portal::words;
use crate::wire::Page as Listed;
use crate::wire::sites::Site;
use crate::wire::users::User;

const USERS: &str = "/api/v1/users";

#[derive(Template)]
#[template(path = "operator/team.html")]
struct Team {
    frame: Frame,
    users: Vec<User>,
    next: Option<String>,
    sites: Vec<Site>,
    choices: Vec<(String, String)>,
    form: Form,
}

const NEW: [&str; 4] = ["/email", "/settings/name", "/settings/role", "/settings/sites"];

async fn team(page: &Page, after: &str, form: Form) -> Result<Team> {
    let listed: Listed<User> = page.get(&asking(USERS, &[("after", after), ("limit", "100")])).await?;
    let sites = head::sites(page).await?;
    let choices = head::choices(&sites);
    let next = listed.next.map(|next| asking("/settings/users", &[("after", &next)]));
    Ok(Team { frame: page.frame(), users: listed.items, next, sites, choices, form })
}

/// Lists the team.
pub(super) async fn list(page: Page, Asked(paged): Asked<Paged>) -> Result<Response> {
    show(&team(&page, &paged.after, Form::default()).await?)
}

/// Invites somebody.
pub(super) async fn add(page: Page, fields: Fields) -> Result<Response> {
    match page.send(Method::POST, USERS, Some(&users::unlimited(fields.json())), None).await {
        Ok(_) => done("/settings/users", "user-invited"),
        Err(problem) => {
            let status = problem.status();
            show_refused(&team(&page, "", Form::refused(&fields, problem)).await?, status)
        }
    }
}

#[derive(Template)]
#[template(path = "operator/member.html")]
struct Member {
    frame: Frame,
    user: User,
    choices: Vec<(String, String)>,
    form: Form,
}

const ONE: [&str; 3] = ["/name", "/role", "/sites"];

async fn member(page: &Page, id: &str, refused: Option<Form>) -> Result<Member> {
    let found = page.tagged(&format!("{USERS}/{}", part(id))).await?;
    let tag = found.tag();
    let user: User = found.read()?;
    let kept = json!({ "name": user.name, "role": user.role, "sites": user.sites, "language": user.language });
    let form = refused.unwrap_or_else(|| Form::of(&kept).with("tag", tag));
    Ok(Member { frame: page.frame(), user, choices: head::choices(&head::sites(page).await?), form })
}

/// Somebody of the team.
pub(super) async fn show_one(page: Page, Named(id): Named<String>) -> Result<Response> {
    show(&member(&page, &id, None).await?)
}

async fn act(
    page: &Page,
    id: &str,
    (method, end, said): (Method, &str, &str),
    (fields, body): (&Fields, Option<&Value>),
) -> Result<Response> {
    let asked = page.send(method, &format!("{USERS}/{}{end}", part(id)), body, Some(fields.text("tag"))).await;
    match asked {
        Ok(_) => done("/settings/users", said),
        Err(problem) => refuse(page, id, fields, problem).await,
    }
}

async fn refuse(page: &Page, id: &str, fields: &Fields, problem: Problem) -> Result<Response> {
    let status = problem.status();
    show_refused(&member(page, id, Some(Form::refused(fields, problem))).await?, status)
}

/// Changes somebody's role, sites or name.
pub(super) async fn settle(page: Page, Named(id): Named<String>, fields: Fields) -> Result<Response> {
    let body = users::unlimited(fields.json());
    act(&page, &id, (Method::PUT, "", "saved"), (&fields, Some(&body))).await
}

/// Closes somebody's access.
pub(super) async fn close(page: Page, Named(id): Named<String>, fields: Fields) -> Result<Response> {
    act(&page, &id, (Method::DELETE, "", "user-closed"), (&fields, None)).await
}

/// Mails somebody another link.
pub(super) async fn invite(page: Page, Named(id): Named<String>, fields: Fields) -> Result<Response> {
    act(&page, &id, (Method::POST, "/invitation", "user-invited"), (&fields, None)).await
}
