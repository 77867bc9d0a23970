//! Tariffs: which are in force, their files, and who is on which.

use askama::Template;
use axum::extract::Multipart;
use axum::extract::multipart::{MultipartError, MultipartRejection};
use axum::http::Method;
use axum::response::Response;

use super::assignments::Choices;
use super::head::People;
use super::sources::pass_on;
use crate::error::{Problem, Result};
use crate::http::extract::Named;
use crate::portal::api::part;
use crate::portal::form::{Fields, Form};
use crate::portal::page::{Frame, Page, done, show, show_refused};
use crate::portal::words;
use crate::wire::Page as Listed;
use crate::wire::months::{Assignment, Finding, Month, ProjectFile};
use crate::wire::tariffs::{self as wire, Tariff};

/// Folders of the project that files are put into as they are; tariffs are better tried before, if there are some.
const FOLDERS: [(&str, &str); 5] = [
    ("tariffs", "tariffs, without a trial"),
    ("allowances", "allowances"),
    ("calendars", "calendars"),
    ("templates", "templates"),
    ("balances", "balances"),
];

/// The fields of the form for an assignment.
const ASSIGNMENT: [&str; 8] = ["/side", "/payer", "/site", "/tariff", "/from", "/until", "/quantity", "/group"];

#[derive(Template)]
#[template(path = "operator/work/tariffs.html")]
pub(super) struct Tariffs {
    frame: Frame,
    tariffs: Vec<Tariff>,
    months: Vec<String>,
    is_admin: bool,
    files: Vec<ProjectFile>,
    assignments: Vec<Assignment>,
    pub(super) assignment: Form,
    choices: Choices,
    people: People,
    pub(super) problem: Option<Problem>,
    /// What a look at the project found after a file was put into it.
    findings: Option<Vec<Finding>>,
}

/// The tariffs there are, or why they cannot be read: what is wrong with them is mended on the pages that show them.
pub(super) async fn in_force(page: &Page) -> Result<(Vec<Tariff>, Option<Problem>)> {
    match page.get::<wire::Tariffs>("/api/v1/tariffs").await {
        Ok(tariffs) => Ok((tariffs.items, None)),
        Err(problem) if problem.status() == 409 => Ok((Vec::new(), Some(problem))),
        Err(problem) => Err(problem),
    }
}

/// The page as it stands.
pub(super) async fn page_of(page: &Page) -> Result<Tariffs> {
    let (tariffs, problem) = in_force(page).await?;
    let is_admin = page.is_operator_admin();
    // Files and assignments are an administrator's.
    let (mut files, mut assignments, mut months) = (Vec::new(), Vec::new(), Vec::new());
    if is_admin {
        files = page.get::<Listed<ProjectFile>>("/api/v1/files").await?.items;
        assignments = page.get::<Listed<Assignment>>("/api/v1/assignments").await?.items;
        let all: Listed<Month> = page.get("/api/v1/months").await?;
        months.extend(all.items.into_iter().filter(|month| month.in_force.is_some()).map(|month| month.month));
    }
    let order = |one: &Assignment| {
        let settings = &one.settings;
        [&settings.site, &settings.side, &settings.payer, &settings.from].map(String::clone)
    };
    assignments.sort_by_cached_key(order);
    Ok(Tariffs {
        frame: page.frame(),
        tariffs,
        months,
        is_admin,
        files,
        assignments,
        assignment: Form::default(),
        choices: Choices::of(page).await?,
        people: People::of(page).await?,
        problem,
        findings: None,
    })
}

/// Shows the tariffs.
pub(super) async fn list(page: Page) -> Result<Response> {
    show(&page_of(&page).await?)
}

/// Puts a file into the project, and looks at what it makes of it.
pub(super) async fn put(page: Page, sent: std::result::Result<Multipart, MultipartRejection>) -> Result<Response> {
    let broken = |error: MultipartError| Problem::new("request.body_malformed", error.body_text());
    let mut sent = sent.map_err(|rejection| Problem::new("request.body_malformed", rejection.body_text()))?;
    let (mut folder, mut kept) = (String::new(), Err(Problem::new("request.invalid", "no file was chosen")));
    while let Some(field) = sent.next_field().await.map_err(broken)? {
        match (field.name().unwrap_or_default(), field.file_name().map(str::to_owned)) {
            ("folder", _) => folder = field.text().await.map_err(broken)?,
            ("file", Some(name)) if !name.is_empty() => {
                kept = pass_on(&page, &format!("/api/v1/files/{}/{}", part(&folder), part(&name)), field).await;
                if kept.is_err() {
                    break;
                }
            }
            _ => {}
        }
    }
    let mut shown = page_of(&page).await?;
    match kept {
        Ok(_) => {
            let found = page.send(Method::POST, "/api/v1/project/checks", None, None).await?;
            let found: Listed<Finding> = found.read()?;
            shown.findings = Some(found.items);
            show(&shown)
        }
        Err(problem) => {
            let status = problem.status();
            shown.problem = Some(problem);
            show_refused(&shown, status)
        }
    }
}

/// Takes a file out of the project.
pub(super) async fn remove(page: Page, Named((folder, file)): Named<(String, String)>, _: Fields) -> Result<Response> {
    let address = format!("/api/v1/files/{}/{}", part(&folder), part(&file));
    match page.send(Method::DELETE, &address, None, None).await {
        Ok(_) => done("/tariffs", "removed"),
        Err(problem) => {
            let status = problem.status();
            show_refused(&Tariffs { problem: Some(problem), ..page_of(&page).await? }, status)
        }
    }
}
