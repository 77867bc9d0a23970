//! Tariffs: their files, and who is on which.

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
use crate::wire::months::{Assignment, Finding, ProjectFile};

/// Folders of the project that files are put into.
const FOLDERS: [(&str, &str); 5] = [
    ("tariffs", "tariffs and decks"),
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
    files: Vec<ProjectFile>,
    assignments: Vec<Assignment>,
    pub(super) assignment: Form,
    choices: Choices,
    people: People,
    problem: Option<Problem>,
    /// What a look at the project found after a file was put into it.
    findings: Option<Vec<Finding>>,
}

impl Tariffs {
    fn of_side(side: &str) -> &str {
        match side {
            "retail" => "occupiers are charged",
            "wholesale" => "we are charged",
            other => other,
        }
    }
}

/// The page as it stands.
pub(super) async fn page_of(page: &Page) -> Result<Tariffs> {
    let files: Listed<ProjectFile> = page.get("/api/v1/files").await?;
    let mut assignments: Listed<Assignment> = page.get("/api/v1/assignments").await?;
    let order = |one: &Assignment| {
        let settings = &one.settings;
        [&settings.site, &settings.side, &settings.payer, &settings.from].map(String::clone)
    };
    assignments.items.sort_by_cached_key(order);
    Ok(Tariffs {
        frame: page.frame(),
        files: files.items,
        assignments: assignments.items,
        assignment: Form::default(),
        choices: Choices::of(page).await?,
        people: People::of(page).await?,
        problem: None,
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
